import { z } from 'zod';

/** An operation of the Admin GraphQL API 2026-10 and the part of its answer that we rely on. */
export interface Operation<Data> {
  readonly name: string;
  readonly text: string;
  readonly data: z.ZodType<Data>;
  /** A first estimate in points, until an answer tells. */
  readonly cost: number;
  /** Whether it may have changed something when its answer is lost. */
  readonly changes: boolean;
}

const operation = <Data>(value: Operation<Data>): Operation<Data> => value;
const pageInfo = z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullable() });
const time = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));

const inventoryLevel = z.object({ quantities: z.array(z.object({ name: z.string(), quantity: z.int() })) }).nullable();
export type InventoryLevel = z.output<typeof inventoryLevel>;

export const probe = operation({
  name: 'Probe',
  text: `query Probe($locations: [ID!]!) {
    shop { name myshopifyDomain } nodes(ids: $locations) { ... on Location { isActive } }
  }`,
  data: z.object({
    shop: z.object({ name: z.string(), myshopifyDomain: z.string().min(1) }),
    nodes: z.array(z.object({ isActive: z.boolean() }).nullable()),
  }),
  cost: 2,
  changes: false,
});

export const locations = operation({
  name: 'Locations',
  text: 'query Locations { locations(first: 250) { nodes { id name isActive } } }',
  data: z.object({ locations: z.object({ nodes: z.array(z.object({ id: z.string(), name: z.string(), isActive: z.boolean() })) }) }),
  cost: 30,
  changes: false,
});

export const listings = operation({
  name: 'Listings',
  text: `query Listings($location: ID!, $after: String) {
    inventoryItems(first: 250, after: $after) {
      nodes { id sku inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } } variant { product { status } } }
      pageInfo { hasNextPage endCursor }
    }
  }`,
  data: z.object({
    inventoryItems: z.object({
      nodes: z.array(
        z.object({
          id: z.string(),
          sku: z.string().nullable(),
          inventoryLevel,
          variant: z.object({ product: z.object({ status: z.string() }) }),
        }),
      ),
      pageInfo,
    }),
  }),
  cost: 160,
  changes: false,
});

/** Lines beyond the first page are read one order at a time. Nothing of the buyer is asked for. */
const lineFields =
  'nodes { id quantity currentQuantity unfulfilledQuantity variant { inventoryItem { id } } } pageInfo { hasNextPage endCursor }';
const lineItems = z.object({
  nodes: z.array(
    z.object({
      id: z.string(),
      quantity: z.int().min(0),
      currentQuantity: z.int().min(0),
      unfulfilledQuantity: z.int().min(0),
      variant: z.object({ inventoryItem: z.object({ id: z.string() }) }).nullable(),
    }),
  ),
  pageInfo,
});
const order = z.object({ id: z.string(), name: z.string(), createdAt: time, updatedAt: time, cancelledAt: time.nullable(), lineItems });

export type OrderNode = z.output<typeof order>;
export type LineItems = z.output<typeof lineItems>;

export const orders = operation({
  name: 'Orders',
  text: `query Orders($query: String!, $after: String) {
    orders(first: 50, query: $query, sortKey: UPDATED_AT, after: $after) {
      nodes { id name createdAt updatedAt cancelledAt lineItems(first: 25) { ${lineFields} } } pageInfo { hasNextPage endCursor }
    }
  }`,
  data: z.object({ orders: z.object({ nodes: z.array(order), pageInfo }) }),
  cost: 100,
  changes: false,
});

export const orderLines = operation({
  name: 'OrderLines',
  text: `query OrderLines($order: ID!, $after: String) {
    nodes(ids: [$order]) { ... on Order { updatedAt lineItems(first: 250, after: $after) { ${lineFields} } } }
  }`,
  data: z.object({ nodes: z.array(z.object({ updatedAt: time, lineItems }).nullable()) }),
  cost: 80,
  changes: false,
});

export const readBack = operation({
  name: 'ReadBack',
  text: `query ReadBack($ids: [ID!]!, $location: ID!) {
    nodes(ids: $ids) { ... on InventoryItem { id inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } } } }
  }`,
  data: z.object({
    nodes: z.array(
      z
        .object({
          id: z.string(),
          inventoryLevel,
        })
        .nullable(),
    ),
  }),
  cost: 40,
  changes: false,
});

const userError = z.object({ code: z.string().nullable(), field: z.array(z.string()).nullable(), message: z.string() });
export type UserError = z.output<typeof userError>;

export const setQuantities = operation({
  name: 'SetQuantities',
  text: `mutation SetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
    inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { code field message } }
  }`,
  data: z.object({ inventorySetQuantities: z.object({ userErrors: z.array(userError) }) }),
  cost: 10,
  changes: true,
});

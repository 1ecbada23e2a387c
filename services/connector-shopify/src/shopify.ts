import { chunks } from '@evenkeel/chassis';
import {
  ConnectionRefused,
  type CallOptions,
  type Capabilities,
  type Gateway,
  type Marketplace,
  type MarketplaceLine,
  type MarketplaceOrder,
  type StoreConnection,
} from '@evenkeel/connector-kit';
import { z } from 'zod';
import { openAdminApi, points, type AdminApi } from './admin-api.ts';
import { resultsOf } from './errors.ts';
import * as operations from './operations.ts';
import { verifyWebhook, windowMilliseconds } from './webhooks.ts';

const hourMilliseconds = 3_600_000;
const readBackAtOnce = 100;

const capabilities: Capabilities = {
  maxBatch: 250,
  atomicBatch: true,
  compareAndSet: 'native',
  restocksCancelled: true, // unless the seller says otherwise in that dialogue
  idempotencyKey: { retentionMilliseconds: 24 * hourMilliseconds },
  asynchronousApply: false,
  settleMilliseconds: 20_000,
  minimumQuantity: 0,
  maximumQuantity: 1_000_000_000,
};

const settingsSchema = z.object({ shop: z.string(), locationId: z.string().nullable() });
const credentialsSchema = z.object({ accessToken: z.string() });
type Settings = z.output<typeof settingsSchema>;

const accessToken = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'expected the Admin API access token: visible ASCII, at most 255 characters')
  .describe('Admin API access token of a custom app');
const webhookSecret = z
  .string()
  .regex(/^[\x21-\x7e]{8,255}$/, "expected the app's client secret: 8 to 255 visible ASCII characters")
  .optional()
  .describe("the app's client secret, which signs its webhooks; without it orders are found by polling alone");

/** Shopify. `urlTemplate`: where a shop's API is, with `{shop}` for its name. A listing is an inventory item at the store's location. */
export function createShopify({ urlTemplate }: { urlTemplate: string }): Marketplace {
  return {
    name: 'shopify',
    capabilities,
    connectionFields: {
      shop: z
        .string()
        .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'expected the part before .myshopify.com')
        .describe('the part before .myshopify.com'),
      accessToken,
      webhookSecret,
      locationId: z
        .string()
        .regex(/^gid:\/\/shopify\/Location\/[0-9]{1,20}$/, 'expected gid://shopify/Location/…')
        .optional()
        .describe('needed only where the shop has several active locations'),
    },
    credentialFields: { accessToken, webhookSecret },
    webhooks: { verify: verifyWebhook, windowMilliseconds },
    accessOf: ({ shop, locationId = null, ...entered }) => ({ settings: { shop, locationId }, ...secretsOf(entered) }),
    credentialsOf: secretsOf,
    open({ settings, credentials }, gateway) {
      const known = settingsSchema.parse(settings);
      return openShop(known, credentialsSchema.parse(credentials()), urlTemplate.replaceAll('{shop}', known.shop), gateway);
    },
    completeSettings: (connection, settings, options) => chooseLocation(connection as Shop, settingsSchema.parse(settings), options),
  };
}

const secretsSchema = z.object({ accessToken: z.string(), webhookSecret: z.string().optional() });

function secretsOf(entered: unknown): { credentials: unknown; webhookSecret: string | undefined } {
  const { accessToken: token, webhookSecret: secret } = secretsSchema.parse(entered);
  return { credentials: { accessToken: token }, webhookSecret: secret };
}

interface Location {
  readonly id: string;
  readonly name: string;
  readonly isActive: boolean;
}

interface Shop extends StoreConnection {
  locations(options: CallOptions): Promise<readonly Location[]>;
}

/** The location asked for, or the only active one. */
async function chooseLocation(shop: Shop, settings: Settings, options: CallOptions): Promise<Settings> {
  const active = (await shop.locations(options)).filter(({ isActive }) => isActive);
  const choice = { field: 'locationId', options: active.map(({ id, name }) => ({ value: id, label: name })) };
  const names = active.map(({ id, name }) => `${name} (${id})`).join(', ');
  if (settings.locationId !== null) {
    if (active.some(({ id }) => id === settings.locationId)) return settings;
    throw new ConnectionRefused(
      `The shop has no active location ${settings.locationId}: give one of ${names || 'those that you activate there first'}.`,
      choice,
    );
  }
  const [only] = active;
  if (only && active.length === 1) return { ...settings, locationId: only.id };
  throw new ConnectionRefused(
    active.length === 0
      ? 'The shop has no active location: activate one there, then connect it again.'
      : `The shop has several active locations: give the one whose stock this is as locationId: ${names}.`,
    choice,
  );
}

function openShop(
  { locationId }: Settings,
  { accessToken: token }: z.output<typeof credentialsSchema>,
  baseUrl: string,
  gateway: Gateway,
): Shop {
  const api = openAdminApi({ baseUrl, accessToken: token, gateway });
  return {
    capabilities,
    pushCost: () => ({ [points]: api.costOf(operations.setQuantities) }),

    async probe(options) {
      const locations = locationId === null ? [] : [locationId];
      const { data, date } = await api.run(operations.probe, { locations }, options);
      const active = data.nodes.every((location) => location?.isActive === true);
      return { account: data.shop.myshopifyDomain, name: data.shop.name, time: date, active };
    },

    async locations(options) {
      const { data } = await api.run(operations.locations, {}, options);
      return data.locations.nodes;
    },

    async *listings(options) {
      const pages = pagesOf(
        async (after) => (await api.run(operations.listings, { location: locationId, after }, options)).data.inventoryItems,
      );
      for await (const nodes of pages)
        yield nodes.map(({ id, sku, inventoryLevel, variant }) => ({
          listing: id,
          sku,
          quantity: availableOf(inventoryLevel),
          onSale: variant.product.status === 'ACTIVE' || variant.product.status === 'UNLISTED',
        }));
    },

    ordersSince: (since, options) => ordersWhere(api, `updated_at:>='${new Date(since).toISOString()}'`, options),

    // Open is what nobody has archived yet: of that, what is not wholly shipped.
    async *openOrders(options) {
      for await (const page of ordersWhere(api, 'status:open', options))
        yield page.filter(({ lines }) => lines.some(({ quantity, cancelled, fulfilled }) => quantity - cancelled > fulfilled));
    },

    async push({ key, items }, options) {
      const input = {
        name: 'available',
        reason: 'correction',
        referenceDocumentUri: `gid://evenkeel/Push/${key}`,
        // Must be present; null: whatever is there now.
        quantities: items.map(({ listing, quantity, expected }) => ({
          inventoryItemId: listing,
          locationId,
          quantity,
          changeFromQuantity: expected,
        })),
      };
      const { data } = await api.run(operations.setQuantities, { input, key }, { ...options, prepaid: true });
      return resultsOf(items, data.inventorySetQuantities.userErrors);
    },

    async readBack(listings, options) {
      const found = new Map<string, number>();
      for (const ids of chunks(listings, readBackAtOnce)) {
        const { data } = await api.run(operations.readBack, { ids, location: locationId }, options);
        for (const node of data.nodes) {
          const available = availableOf(node?.inventoryLevel ?? null);
          if (node && available !== null) found.set(node.id, available);
        }
      }
      return found;
    },

    close: () => api.close(),
  };
}

interface Page<Node> {
  readonly nodes: readonly Node[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
}

/** Reads a connection to its end. */
async function* pagesOf<Node>(read: (after: string | null) => Promise<Page<Node>>): AsyncGenerator<readonly Node[]> {
  for (let after: string | null = null, more = true; more;) {
    const { nodes, pageInfo }: Page<Node> = await read(after);
    yield nodes;
    ({ hasNextPage: more, endCursor: after } = pageInfo);
  }
}

async function* ordersWhere(api: AdminApi, query: string, options: CallOptions): AsyncGenerator<readonly MarketplaceOrder[]> {
  for await (const nodes of pagesOf(async (after) => (await api.run(operations.orders, { query, after }, options)).data.orders)) {
    const whole: MarketplaceOrder[] = [];
    for (const node of nodes) {
      const order = await wholeOrder(api, node, options);
      if (order) whole.push(order);
    }
    yield whole;
  }
}

/** Null where the item is not stocked at the location. */
const availableOf = (level: operations.InventoryLevel): number | null =>
  level?.quantities.find(({ name }) => name === 'available')?.quantity ?? null;

/** With all pages of its lines; null where it changed while they were read: then it comes again, further on. */
async function wholeOrder(api: AdminApi, node: operations.OrderNode, options: CallOptions): Promise<MarketplaceOrder | null> {
  const lines = node.lineItems.nodes.map(lineOf);
  for (let { hasNextPage, endCursor } = node.lineItems.pageInfo; hasNextPage;) {
    const { data } = await api.run(operations.orderLines, { order: node.id, after: endCursor }, options);
    const [page] = data.nodes;
    if (!page || page.updatedAt !== node.updatedAt) return null;
    lines.push(...page.lineItems.nodes.map(lineOf));
    ({ hasNextPage, endCursor } = page.lineItems.pageInfo);
  }
  const { id, name, createdAt, updatedAt, cancelledAt } = node;
  return { order: id, name, placedAt: createdAt, updatedAt, cancelledAt, lines };
}

/** Removed units are cancelled ones; of those that remain, what is not unfulfilled is fulfilled. */
function lineOf({ id, quantity, currentQuantity, unfulfilledQuantity, variant }: operations.LineItems['nodes'][number]): MarketplaceLine {
  return {
    line: id,
    listing: variant?.inventoryItem.id ?? null,
    quantity,
    cancelled: Math.max(0, quantity - currentQuantity),
    fulfilled: Math.max(0, currentQuantity - unfulfilledQuantity),
  };
}

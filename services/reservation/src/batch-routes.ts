import { defineRoute, integerText, keyText, problem, reply, text, type Route } from '@evenkeel/chassis';
import { z } from 'zod';
import { askOrders, eachOnce, outcome, someLines, someOrders, type AskParts, type OrderUnits } from './ask.ts';
import { releaseAll, type Batch, type BatchStore } from './batches.ts';
import type { LevelStore } from './levels.ts';
import { pagePolicy, pickListOf, pickListPage, type PickListRow } from './pick-list.ts';
import type { WarehouseOrder, WarehouseStore } from './warehouse.ts';

export interface BatchParts extends AskParts {
  readonly batches: BatchStore;
  readonly warehouse: WarehouseStore;
  readonly levels: LevelStore;
}

const roles = ['warehouse', 'operator'];
const time = z.iso.datetime();
const params = z.strictObject({ batch: text(128) });
const location = keyText(64).nullable().default(null).meta({ description: "Null: each product's default location." });

const header = z.object({
  batch: z.string(),
  name: z.string().nullable(),
  state: z.enum(['open', 'cancelled']),
  createdAt: time,
  createdBy: z.string(),
  cancelledAt: time.nullable(),
  cancelledBy: z.string().nullable(),
});
const headerOf = ({ batch, name, state, createdAt, createdBy, cancelledAt, cancelledBy }: Batch): z.input<typeof header> => ({
  batch,
  name,
  state,
  createdAt: createdAt.toISOString(),
  createdBy,
  cancelledAt: cancelledAt?.toISOString() ?? null,
  cancelledBy,
});

const content = z.object({
  store: z.string(),
  order: z.string(),
  name: z.string(),
  lines: z.array(
    z.object({
      line: z.string(),
      sku: z.string(),
      toPick: z.int().meta({ description: 'Units that the batch holds and that are not picked.' }),
      picked: z.int(),
    }),
  ),
  products: z
    .array(z.object({ sku: z.string(), assigned: z.int(), picked: z.int(), missing: z.int(), left: z.int() }))
    .meta({ description: 'What the batch ever had of the order. Left: taken out again, cancelled, or shipped otherwise.' }),
});

function contentOf(batch: string, { store, order, name, lines, tallies }: WarehouseOrder): z.input<typeof content> {
  const here = (parts: readonly { readonly batch: string; readonly quantity: number }[]) =>
    parts.reduce((sum, part) => sum + (part.batch === batch ? part.quantity : 0), 0);
  const held = (sku: string) => lines.filter((line) => line.sku === sku).reduce((sum, { batches }) => sum + here(batches), 0);
  return {
    store,
    order,
    name,
    lines: lines
      .map(({ line, sku, batches, picked }) => ({ line, sku, toPick: here(batches), picked: here(picked) }))
      .filter(({ toPick, picked }) => toPick + picked > 0),
    products: tallies
      .filter((tally) => tally.batch === batch)
      .map(({ sku, assigned, picked, missing }) => ({ sku, assigned, picked, missing, left: assigned - picked - missing - held(sku) })),
  };
}

const unknownBatch = (batch: string) =>
  problem(404, { type: 'unknown-batch', detail: `There is no pick batch ${batch}. GET /pick-batches lists those that there are.` });
const cancelledBatch = (batch: string) =>
  problem(409, {
    type: 'batch-cancelled',
    detail: `The pick batch ${batch} is cancelled: what it held is in the Order Reserve again. Make a new one.`,
  });

const answers = z.object({ batch: z.string(), orders: z.array(outcome) }).meta({ id: 'BatchOutcome' });
const moved = {
  200: { description: 'What became of each order', schema: answers },
  404: { description: 'There is no such batch' },
} as const;

export const batchRoutes = (parts: BatchParts): Route[] => [
  createRoute(parts),
  listRoute(parts),
  readRoute(parts),
  addRoute(parts),
  removeRoute(parts),
  pickRoute(parts),
  shortPickRoute(parts),
  cancelRoute(parts),
  pickListRoute(parts),
  pickListPageRoute(parts),
];

interface Request {
  readonly identity: { readonly tenant: string; readonly user: string };
  readonly idempotency: { readonly cause: string };
  readonly at: number;
  readonly correlation: string;
}

const askedBy = ({ identity: { tenant }, idempotency: { cause }, at, correlation }: Request) => ({ tenant, cause, at, correlation });

const about = ({ identity: { tenant, user }, at }: Request, { store, order, lines }: OrderUnits) =>
  ({ tenant, store, order, lines, user: { kind: 'person', id: user }, at }) as const;

const assign = (parts: BatchParts, request: Request, batch: string, orders: readonly OrderUnits[]) =>
  askOrders(parts, askedBy(request), orders, (order) => ({ type: 'AssignToBatch', data: { ...about(request, order), batch } }));

/** A batch is named after the request that makes it: a repeat names the same. */
const batchIdOf = (cause: string): string => cause.slice(cause.lastIndexOf('/') + 1);

const createRoute = (parts: BatchParts) =>
  defineRoute({
    method: 'post',
    path: '/pick-batches',
    summary: 'Make a pick batch',
    description:
      'Of each order all units that wait to be picked, or the lines that are named. What it cannot have, it says order by order.',
    roles,
    body: z.strictObject({ name: text(128).nullable().default(null), orders: someOrders }),
    responses: { 201: { description: 'The batch, and what became of each order', schema: answers } },
    async handle(request) {
      const { identity, body, idempotency, at } = request;
      const batch = batchIdOf(idempotency.cause);
      await parts.batches.create({ tenant: identity.tenant, batch, name: body.name, user: identity.user, at });
      return reply(201, { batch, orders: await assign(parts, request, batch, body.orders) });
    },
  });

const addRoute = (parts: BatchParts) =>
  defineRoute({
    method: 'post',
    path: '/pick-batches/:batch/orders',
    summary: 'Put more orders into a pick batch',
    roles,
    params,
    body: z.strictObject({ orders: someOrders }),
    responses: {
      200: { description: 'What became of each order', schema: answers },
      404: { description: 'There is no such batch' },
      409: { description: 'It is cancelled' },
    },
    async handle(request) {
      const { identity, params: name, body } = request;
      const batch = await parts.batches.find(identity.tenant, name.batch);
      if (!batch) return unknownBatch(name.batch);
      if (batch.state === 'cancelled') return cancelledBatch(name.batch);
      return reply(200, { batch: name.batch, orders: await assign(parts, request, name.batch, body.orders) });
    },
  });

/** The orders that are named, or all of which the batch held units when the request first came. */
async function ordersOf(
  { batches, warehouse }: BatchParts,
  { identity, idempotency }: Request,
  batch: string,
  named: readonly OrderUnits[] | null,
) {
  if (named) return named;
  const meant = await batches.meant(idempotency.cause, async () => {
    const held = await warehouse.heldBy(identity.tenant, batch);
    return held.map(({ store, order }) => ({ store, order }));
  });
  return meant.map((order) => ({ ...order, lines: null }));
}

const removeRoute = (parts: BatchParts) =>
  defineRoute({
    method: 'post',
    path: '/pick-batches/:batch/removals',
    summary: 'Take orders out of a pick batch',
    description: 'What is not picked goes back into the Order Reserve; what is on a label is deducted at once.',
    roles,
    params,
    body: z.strictObject({ orders: someOrders }),
    responses: moved,
    async handle(request) {
      const { identity, params: name, body } = request;
      if (!(await parts.batches.find(identity.tenant, name.batch))) return unknownBatch(name.batch);
      const orders = await askOrders(parts, askedBy(request), body.orders, (order) => ({
        type: 'ReleaseFromBatch',
        data: { ...about(request, order), batch: name.batch },
      }));
      return reply(200, { batch: name.batch, orders });
    },
  });

const pickRoute = (parts: BatchParts) =>
  defineRoute({
    method: 'post',
    path: '/pick-batches/:batch/picks',
    summary: 'Say that units of a pick batch were taken off the shelf',
    description: 'A Batch Pick: On Hand and Batch Reserve go down, Available does not change.',
    roles,
    params,
    body: z.strictObject({
      orders: someOrders.nullable().default(null).meta({ description: 'Null: all that the batch holds.' }),
      location,
    }),
    responses: moved,
    async handle(request) {
      const { identity, params: name, body } = request;
      if (!(await parts.batches.find(identity.tenant, name.batch))) return unknownBatch(name.batch);
      const meant = await ordersOf(parts, request, name.batch, body.orders);
      const orders = await askOrders(parts, askedBy(request), meant, (order) => ({
        type: 'PickBatchUnits',
        data: { ...about(request, order), batch: name.batch, location: body.location },
      }));
      return reply(200, { batch: name.batch, orders });
    },
  });

const shortPickRoute = (parts: BatchParts) =>
  defineRoute({
    method: 'post',
    path: '/pick-batches/:batch/short-picks',
    summary: 'Say that units of a pick batch are not there',
    description: 'On Hand goes down by what is missing; the orders wait for stock again.',
    roles,
    params,
    body: z.strictObject({
      orders: z
        .array(z.strictObject({ store: text(64), order: text(128), lines: someLines }))
        .min(1)
        .max(200)
        .refine(eachOnce, 'expected each order once'),
      location,
    }),
    responses: moved,
    async handle(request) {
      const { identity, params: name, body } = request;
      if (!(await parts.batches.find(identity.tenant, name.batch))) return unknownBatch(name.batch);
      const orders = await askOrders(parts, askedBy(request), body.orders, (order) => ({
        type: 'ReportShortPick',
        data: { ...about(request, order), lines: order.lines ?? [], batch: name.batch, location: body.location },
      }));
      return reply(200, { batch: name.batch, orders });
    },
  });

const cancelRoute = (parts: BatchParts) =>
  defineRoute({
    method: 'post',
    path: '/pick-batches/:batch/cancel',
    summary: 'Cancel a pick batch',
    description:
      'What is not picked goes back into the Order Reserve, also what is assigned to it at this very moment. It cannot be undone.',
    roles,
    params,
    responses: {
      200: { description: 'The batch, and the orders that were told to leave it', schema: header.extend({ leaving: z.int() }) },
      404: { description: 'There is no such batch' },
    },
    answer: 'stored',
    async handle({ identity: { tenant, user }, params: name, at }) {
      const batch = await parts.batches.cancel(tenant, name.batch, { user, at });
      if (!batch) return unknownBatch(name.batch);
      const released = await releaseAll(parts, batch);
      return reply(200, { ...headerOf(batch), leaving: released.length });
    },
  });

const listRoute = ({ batches }: BatchParts) =>
  defineRoute({
    method: 'get',
    path: '/pick-batches',
    summary: 'Pick batches, newest first',
    roles: [],
    query: z.strictObject({
      state: z.enum(['open', 'cancelled']).optional(),
      before: text(256).optional().meta({ description: '`next` of the page before.' }),
      limit: integerText({ minimum: 1, maximum: 200 }).default(50),
    }),
    responses: { 200: { description: 'One page', schema: z.object({ batches: z.array(header), next: z.string().nullable() }) } },
    async handle({ identity: { tenant }, query }) {
      const page = await batches.page({ tenant, ...query });
      return reply(200, { batches: page.map(headerOf), next: page.length === query.limit ? (page.at(-1)?.order ?? null) : null });
    },
  });

const readRoute = ({ batches, warehouse }: BatchParts) =>
  defineRoute({
    method: 'get',
    path: '/pick-batches/:batch',
    summary: 'A pick batch with its orders',
    roles: [],
    params,
    query: z.strictObject({
      after: text(2_000).optional().meta({ description: '`next` of the page before.' }),
      limit: integerText({ minimum: 1, maximum: 500 }).default(200),
    }),
    responses: {
      200: { description: 'One page of its orders', schema: header.extend({ orders: z.array(content), next: z.string().nullable() }) },
      404: { description: 'There is no such batch' },
    },
    async handle({ identity: { tenant }, params: name, query }) {
      const batch = await batches.find(tenant, name.batch);
      if (!batch) return unknownBatch(name.batch);
      const orders = await warehouse.inBatch(tenant, name.batch, query);
      const next = orders.length === query.limit ? (orders.at(-1)?._id ?? null) : null;
      return reply(200, { ...headerOf(batch), orders: orders.map((order) => contentOf(name.batch, order)), next });
    },
  });

async function rowsOf({ warehouse, levels }: BatchParts, tenant: string, batch: string): Promise<PickListRow[]> {
  const orders = await warehouse.heldBy(tenant, batch);
  const skus = new Set(orders.flatMap(({ lines }) => lines.map(({ sku }) => sku)));
  return pickListOf(batch, orders, await levels.of(tenant, [...skus]));
}

const pickListRow = z.object({
  location: z.string().meta({
    description:
      'The default location of the product, else where most of it is: name that one with the pick, which takes units of a product without a default location from `default` where it names none.',
  }),
  sku: z.string(),
  title: z.string().nullable(),
  quantity: z.int(),
  onHand: z.int().nullable().meta({ description: 'On Hand there; null where nobody knows the product.' }),
  orders: z.array(z.object({ store: z.string(), order: z.string(), name: z.string(), quantity: z.int() })),
});

const pickListRoute = (parts: BatchParts) =>
  defineRoute({
    method: 'get',
    path: '/pick-batches/:batch/pick-list',
    summary: 'What is still to be picked, sorted by location',
    description: 'As a page to print: pick-list.html.',
    roles: [],
    params,
    responses: {
      200: { description: 'The list', schema: z.object({ batch: z.string(), name: z.string().nullable(), rows: z.array(pickListRow) }) },
      404: { description: 'There is no such batch' },
    },
    async handle({ identity: { tenant }, params: { batch } }) {
      const found = await parts.batches.find(tenant, batch);
      if (!found) return unknownBatch(batch);
      const rows = await rowsOf(parts, tenant, batch);
      return reply(200, {
        batch,
        name: found.name,
        rows: rows.map((row) => ({ ...row, orders: row.orders.map((each) => ({ ...each })) })),
      });
    },
  });

const pickListPageRoute = (parts: BatchParts) =>
  defineRoute({
    method: 'get',
    path: '/pick-batches/:batch/pick-list.html',
    summary: 'The pick list as a page to print',
    roles: [],
    params,
    responses: { 200: { description: 'The page', contentType: 'text/html' }, 404: { description: 'There is no such batch' } },
    async handle({ identity: { tenant }, params: { batch } }) {
      const found = await parts.batches.find(tenant, batch);
      if (!found) return unknownBatch(batch);
      const page = pickListPage(found.name ?? found.batch, found.createdAt, await rowsOf(parts, tenant, batch));
      return reply(200, page, { 'Content-Security-Policy': pagePolicy });
    },
  });

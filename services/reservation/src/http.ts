import { defineRoute, integerText, keyText, problem, reply, text, type Route } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { z } from 'zod';
import { askOrders, outcome, refusals, someLines } from './ask.ts';
import { batchRoutes, type BatchParts } from './batch-routes.ts';
import { inBatches, toPutBackOf, type HeldLine, type Refusal } from './domain.ts';

const answer = z.object({
  store: z.string(),
  order: z.string(),
  orderSequence: z.int().meta({ description: "Sequence of the order's last event that was acted on; 0: none yet." }),
  open: z.array(z.object({ sku: z.string(), quantity: z.int() })).meta({ description: 'Units promised and not yet deducted.' }),
  lines: z.array(
    z.object({
      line: z.string(),
      sku: z.string(),
      orderReserve: z.int(),
      batches: z.array(z.object({ batch: z.string(), quantity: z.int() })).meta({ description: 'Units in pick batches, not picked yet.' }),
      toPutBack: z.int().meta({ description: 'Units that were cancelled after they had been picked.' }),
    }),
  ),
  picked: z.array(
    z.object({
      line: z.string(),
      sku: z.string(),
      label: z.string().nullable().meta({ description: 'With neither label nor batch: by the word of the marketplace.' }),
      batch: z.string().nullable(),
      quantity: z.int(),
    }),
  ),
});

function openBySku(lines: readonly HeldLine[]): z.input<typeof answer>['open'] {
  const sums = new Map<string, number>();
  for (const line of lines) sums.set(line.sku, (sums.get(line.sku) ?? 0) + line.orderReserve + inBatches(line));
  return [...sums].map(([sku, quantity]) => ({ sku, quantity })).filter(({ quantity }) => quantity > 0);
}

const linesOf = (lines: readonly HeldLine[]): z.input<typeof answer>['lines'] =>
  lines.map((line) => ({
    line: line.line,
    sku: line.sku,
    orderReserve: line.orderReserve,
    batches: line.batches.map((part) => ({ ...part })),
    toPutBack: toPutBackOf(line),
  }));

const pickedOf = (lines: readonly HeldLine[]): z.input<typeof answer>['picked'] =>
  lines.flatMap(({ line, sku, picked }) =>
    picked.flatMap(({ label, batch, quantity }) => (quantity > 0 ? [{ line, sku, label, batch, quantity }] : [])),
  );

const params = z.strictObject({ store: text(64), order: text(128) });

export const reservationRoutes = (parts: BatchParts): Route[] => [
  heldRoute(parts),
  toPutBackRoute(parts),
  putBackRoute(parts),
  ...batchRoutes(parts),
];

const heldRoute = ({ journal }: BatchParts) =>
  defineRoute({
    method: 'get',
    path: '/stores/:store/orders/:order/reservations',
    summary: 'What an order holds of the stock',
    roles: [],
    params,
    responses: { 200: { description: 'What it holds; nothing for an order that nobody has heard of', schema: answer } },
    async handle({ identity: { tenant }, params: { store, order } }) {
      const { facts, lines } = (await journal.state(keyOf(tenant, store, order))).state;
      const orderSequence = facts?.sequence ?? 0;
      return reply(200, { store, order, orderSequence, open: openBySku(lines), lines: linesOf(lines), picked: pickedOf(lines) });
    },
  });

const toPutBack = z.object({
  store: z.string(),
  order: z.string(),
  name: z.string(),
  line: z.string(),
  sku: z.string(),
  quantity: z.int(),
  since: z.iso.datetime().nullable().meta({ description: 'Since when units of this line are to be put back.' }),
});

const toPutBackRoute = ({ warehouse }: BatchParts) =>
  defineRoute({
    method: 'get',
    path: '/to-put-back',
    summary: 'Units that were cancelled after they had been picked',
    description: 'Each order with all its lines of that kind; `limit` counts orders.',
    roles: [],
    query: z.strictObject({
      after: text(2_000).optional().meta({ description: '`next` of the page before.' }),
      limit: integerText({ minimum: 1, maximum: 500 }).default(100),
    }),
    responses: { 200: { description: 'One page', schema: z.object({ units: z.array(toPutBack), next: z.string().nullable() }) } },
    async handle({ identity: { tenant }, query }) {
      const orders = await warehouse.toPutBack(tenant, query);
      const units = orders.flatMap(({ store, order, name, lines }) =>
        lines
          .filter((line) => line.toPutBack > 0)
          .map(({ line, sku, toPutBack: quantity, since }) => ({
            store,
            order,
            name,
            line,
            sku,
            quantity,
            since: since?.toISOString() ?? null,
          })),
      );
      return reply(200, { units, next: orders.length === query.limit ? (orders.at(-1)?._id ?? null) : null });
    },
  });

const isUnknown = (reason: string | null): boolean => reason === 'unknown_order' || reason === 'unknown_line';

const putBackRoute = (parts: BatchParts) =>
  defineRoute({
    method: 'post',
    path: '/stores/:store/orders/:order/put-backs',
    summary: 'Say that cancelled units are back on the shelf',
    description: 'They are On Hand again. Or, with `lost`, that they will not come back: they leave the list, and nothing moves.',
    roles: ['warehouse', 'operator'],
    params,
    body: z.strictObject({
      lines: someLines.nullable().default(null).meta({ description: 'Null: all that are to be put back.' }),
      location: keyText(64).nullable().default(null).meta({ description: "Where they are; null: each product's default location." }),
      lost: z.boolean().default(false),
    }),
    responses: {
      201: { description: 'What was put back', schema: outcome },
      202: { description: 'It is on its way: repeat the request with the same Idempotency-Key, or read what is to be put back.' },
      404: { description: 'There is no such order or line' },
      409: { description: 'So many units are not to be put back' },
    },
    async handle({ identity: { tenant, user }, params: { store, order }, body, idempotency: { cause }, at, correlation }) {
      const data = { tenant, store, order, ...body, user: { kind: 'person', id: user }, at } as const;
      const asked = { tenant, cause, at, correlation };
      const [done] = await askOrders(parts, asked, [{ store, order, lines: body.lines }], () => ({ type: 'PutBackUnits', data }));
      if (!done || done.status === 'pending') return reply(202, undefined, { Location: '/to-put-back' });
      if (done.status === 'done') return reply(201, done);
      const type = (done.reason ?? '').replaceAll('_', '-');
      return problem(isUnknown(done.reason) ? 404 : 409, { type, detail: done.detail ?? refusals[done.reason as Refusal] });
    },
  });

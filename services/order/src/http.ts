import {
  askJournal,
  booleanText,
  defineRoute,
  incidentRoutes,
  integerText,
  keyText,
  problem,
  reply,
  text,
  type IncidentStore,
  type JournalEntry,
  type JournalReader,
  type Route,
  type Sender,
} from '@evenkeel/chassis';
import { keyOf, topics, type Label } from '@evenkeel/contracts';
import { z } from 'zod';
import {
  labelled,
  left,
  mostUnits,
  onLabel,
  type LabelRefusal,
  type Order,
  type OrderEntry,
  type OrderState,
  type VoidRefusal,
} from './domain.ts';
import type { ListedOrder, OrderList } from './list.ts';
import { stepsOf, type Step } from './steps.ts';

const params = z.strictObject({ store: text(64), order: text(128) });
const time = z.iso.datetime();
const units = z.int().min(1).max(mostUnits);
const location = keyText(64);
const user = z.object({ kind: z.enum(['person', 'marketplace', 'system']), id: z.string() }).meta({ id: 'User' });
const labelLine = z.object({ line: z.string(), quantity: z.int() }).meta({ id: 'LineUnits' });
const voidAnswer = z.object({ user, lines: z.array(labelLine) }).meta({ id: 'LabelVoid' });
const labelAnswer = z
  .object({
    label: z.string(),
    location: z.string().nullable().meta({ description: "Null: each product's default location." }),
    user,
    lines: z.array(labelLine.extend({ voided: z.int().meta({ description: 'Units of it that were voided.' }) })),
    voids: z.array(voidAnswer).meta({ description: 'Oldest first.' }),
  })
  .meta({ id: 'Label' });
/** Lines and quantities that a command names. */
const namedLines = z
  .array(z.strictObject({ line: text(128), quantity: units }))
  .min(1)
  .max(1_000)
  .nullable()
  .default(null);
const orderAnswer = z.object({
  store: z.string(),
  order: z.string(),
  marketplace: z.string(),
  name: z.string(),
  sequence: z.int(),
  placedAt: time,
  updatedAt: time,
  cancelledAt: time.nullable(),
  lines: z.array(
    z.object({
      line: z.string(),
      listing: z.string().nullable(),
      sku: z.string().nullable(),
      quantity: z.int(),
      cancelled: z.int(),
      fulfilled: z.int(),
      shippedBefore: z.int().meta({ description: 'Units that had shipped before the store was connected: they never count here.' }),
      fulfilledBy: z.enum(['seller', 'marketplace']),
      labelled: z.int(),
      left: z.int().meta({ description: 'Units that a label may still cover.' }),
    }),
  ),
  labels: z.array(labelAnswer),
});

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const labelOf = (label: Label) => ({
  label: label.label,
  location: label.location,
  user: { ...label.user },
  lines: label.lines.map((line) => ({ ...line, voided: line.quantity - onLabel(label, line.line) })),
  voids: label.voids.map((voided) => ({ user: { ...voided.user }, lines: voided.lines.map((line) => ({ ...line })) })),
});
const linesOf = (order: Order) => order.lines.map((line) => ({ ...line, labelled: labelled(order, line.line), left: left(order, line) }));
const unknownOrder = (store: string, order: string) =>
  problem(404, {
    type: 'unknown-order',
    detail: `The store ${store} has no order ${order}, or it has not been read yet. Check both, or try again when the store has been polled.`,
  });

/** Why there is no label, in words: what happened, and what to do. */
const refusals: Readonly<Record<Exclude<LabelRefusal, 'unknown_order'>, readonly [status: 404 | 409, type: string, detail: string]>> = {
  unknown_line: [404, 'unknown-line', 'The order has no such line. Read the order, and name its lines.'],
  nothing_left: [409, 'nothing-left', 'Nothing of it is left to be shipped: it is cancelled, on labels, or shipped. Read the order.'],
  more_than_left: [
    409,
    'more-than-left',
    'Fewer units are left to be shipped than were asked for. Read the order, and ask for what is left.',
  ],
  absurd_quantity: [409, 'absurd-quantity', `A label covers 1 to ${mostUnits} units of a line. Correct the quantities.`],
  shipped_by_marketplace: [
    409,
    'shipped-by-marketplace',
    'The marketplace ships this line from its own warehouse: it needs no label of ours. Leave it out.',
  ],
  too_many_labels: [
    409,
    'too-many-labels',
    'The order has as many labels, voided ones among them, as an order can have. Ship the rest of it at the marketplace, and find out what makes them.',
  ],
};

/** Why a label stays as it is, in words. */
const voidRefusals: Readonly<Record<Exclude<VoidRefusal, 'unknown_order'>, readonly [status: 404 | 409, type: string, detail: string]>> = {
  unknown_label: [404, 'unknown-label', 'The order has no such label. Read the order, and name one of its labels.'],
  not_on_label: [404, 'not-on-label', 'The label has no such line. Read the order, and name lines of that label.'],
  nothing_on_label: [409, 'nothing-on-label', 'Nothing of it is left on the label: it was voided before. Read the order.'],
  more_than_on_label: [
    409,
    'more-than-on-label',
    'Fewer units are left on the label than were asked for. Read the order, and ask for what is left on it.',
  ],
  absurd_quantity: [409, 'absurd-quantity', `A label covers 1 to ${mostUnits} units of a line. Correct the quantities.`],
  too_many_voids: [
    409,
    'too-many-voids',
    'As many labels of the order were made and voided as an order can have. Leave this one as it is, and find out what makes them.',
  ],
};

function labelAnswerOf({ data }: JournalEntry<OrderEntry>, { store, order }: z.output<typeof params>) {
  if (data.type === 'labelled') return reply(201, labelOf(data.label));
  if (data.type !== 'label_refused') throw new Error(`A command to create a label became ${data.type}.`);
  if (data.refused === 'unknown_order') return unknownOrder(store, order);
  const [status, type, detail] = refusals[data.refused];
  return problem(status, { type, detail });
}

function voidAnswerOf({ data }: JournalEntry<OrderEntry>, { store, order }: z.output<typeof params>) {
  if (data.type === 'voided') return reply(201, { user: { ...data.void.user }, lines: data.void.lines.map((line) => ({ ...line })) });
  if (data.type !== 'void_refused') throw new Error(`A command to void a label became ${data.type}.`);
  if (data.refused === 'unknown_order') return unknownOrder(store, order);
  const [status, type, detail] = voidRefusals[data.refused];
  return problem(status, { type, detail });
}

const pathOf = (store: string, order: string): string => `/stores/${encodeURIComponent(store)}/orders/${encodeURIComponent(order)}`;

export interface OrderParts {
  readonly list: OrderList;
  readonly incidents: IncidentStore;
  readonly journal: JournalReader<OrderEntry, OrderState>;
  readonly sender: Pick<Sender, 'send'>;
}

export const orderRoutes = (parts: OrderParts): Route[] => [
  listRoute(parts),
  labelRoute(parts),
  voidRoute(parts),
  orderRoute(parts),
  stepsRoute(parts),
  ...incidentRoutes(parts),
];

const listed = z.object({
  store: z.string(),
  order: z.string(),
  name: z.string(),
  marketplace: z.string(),
  state: z.enum(['open', 'shipped', 'cancelled']).meta({ description: 'Open: units are neither cancelled, on a label, nor shipped.' }),
  unmapped: z.boolean().meta({ description: 'Lines of it have a listing that is not mapped: nothing is reserved for them.' }),
  units: z.int(),
  placedAt: time,
  updatedAt: time,
});
const listedOf = ({ store, order, name, marketplace, standing, unmapped, units: of, placedAt, updatedAt }: ListedOrder) => ({
  store,
  order,
  name,
  marketplace,
  state: standing,
  unmapped,
  units: of,
  placedAt: placedAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
});

const listRoute = ({ list }: OrderParts) =>
  defineRoute({
    method: 'get',
    path: '/orders',
    summary: 'Orders of all stores, newest first',
    roles: [],
    query: z.strictObject({
      store: text(64).optional(),
      state: z.enum(['open', 'shipped', 'cancelled']).optional(),
      unmapped: booleanText().optional(),
      before: text(512).optional().meta({ description: '`next` of the page before.' }),
      limit: integerText({ minimum: 1, maximum: 200 }).default(50),
    }),
    responses: { 200: { description: 'One page', schema: z.object({ orders: z.array(listed), next: z.string().nullable() }) } },
    async handle({ identity: { tenant }, query }) {
      const page = await list.page({ tenant, ...query });
      return reply(200, { orders: page.map(listedOf), next: page.length === query.limit ? (page.at(-1)?.placed ?? null) : null });
    },
  });

const labelRoute = ({ journal, sender }: OrderParts) =>
  defineRoute({
    method: 'post',
    path: '/stores/:store/orders/:order/labels',
    summary: 'Create a shipping label',
    description: 'For the lines and quantities that are named, or for all that is left.',
    roles: ['warehouse', 'operator'],
    params,
    body: z.strictObject({
      lines: namedLines.meta({ description: 'Null: all that is left.' }),
      location: location
        .nullable()
        .default(null)
        .meta({ description: "Where the units are taken; null: each product's default location." }),
    }),
    responses: {
      201: { description: 'The label', schema: labelAnswer },
      202: { description: 'It is on its way: repeat the request with the same Idempotency-Key, or read the order.' },
      404: { description: 'There is no such order, or no such line in it' },
      409: { description: 'So many units are not left to be shipped' },
    },
    async handle({
      identity: { tenant, user: person },
      params: { store, order },
      body: { lines, location: where },
      idempotency,
      at,
      correlation,
    }) {
      const data = { tenant, store, order, lines, location: where, user: { kind: 'person', id: person }, at } as const;
      const event = { id: idempotency.cause, type: 'CreateLabel', time: at, correlation, data } as const;
      const command = { topic: topics.orderCommands, key: [tenant, store, order], event };
      const [entry] = (await askJournal<OrderEntry>({ journal, sender }, command)) ?? [];
      if (entry) return labelAnswerOf(entry, { store, order });
      return reply(202, undefined, { Location: pathOf(store, order) });
    },
  });

const voidRoute = ({ journal, sender }: OrderParts) =>
  defineRoute({
    method: 'post',
    path: '/stores/:store/orders/:order/labels/:label/voids',
    summary: 'Void a shipping label, or units on it',
    description: 'What it had deducted is on the shelf again, but for units that were picked in a batch, shipped or cancelled since.',
    roles: ['warehouse', 'operator'],
    params: params.extend({ label: text(128) }),
    body: z.strictObject({ lines: namedLines.meta({ description: 'Null: all that is left on the label.' }) }),
    responses: {
      201: { description: 'What was voided', schema: voidAnswer },
      202: { description: 'It is on its way: repeat the request with the same Idempotency-Key, or read the order.' },
      404: { description: 'There is no such order or label, or no such line on it' },
      409: { description: 'So many units are not left on the label' },
    },
    async handle({ identity: { tenant, user: person }, params: { store, order, label }, body: { lines }, idempotency, at, correlation }) {
      const data = { tenant, store, order, label, lines, user: { kind: 'person', id: person }, at } as const;
      const event = { id: idempotency.cause, type: 'VoidLabel', time: at, correlation, data } as const;
      const command = { topic: topics.orderCommands, key: [tenant, store, order], event };
      const [entry] = (await askJournal<OrderEntry>({ journal, sender }, command)) ?? [];
      return entry ? voidAnswerOf(entry, { store, order }) : reply(202, undefined, { Location: pathOf(store, order) });
    },
  });

const orderRoute = ({ journal }: OrderParts) =>
  defineRoute({
    method: 'get',
    path: '/stores/:store/orders/:order',
    summary: 'An order with its labels',
    roles: [],
    params,
    responses: { 200: { description: 'The order', schema: orderAnswer }, 404: { description: 'There is no such order' } },
    async handle({ identity: { tenant }, params: { store, order: id } }) {
      const { state } = await journal.state(keyOf(tenant, store, id));
      if (!state.order) return unknownOrder(store, id);
      const { marketplace, name, placedAt, updatedAt, cancelledAt, labels } = state.order;
      return reply(200, {
        store,
        order: id,
        marketplace,
        name,
        sequence: state.newest.sequence,
        placedAt: iso(placedAt),
        updatedAt: iso(updatedAt),
        cancelledAt: cancelledAt === null ? null : iso(cancelledAt),
        lines: linesOf(state.order),
        labels: labels.map(labelOf),
      });
    },
  });

const stepAnswer = z.object({
  sequence: z.int(),
  at: time,
  type: z.enum(['seen', 'cancelled', 'edited', 'shipped', 'mapped', 'told', 'labelled', 'voided', 'refused']),
  user,
  label: z.string().nullable(),
  location: z.string().nullable(),
  refused: z.string().nullable().meta({ description: 'Why it was refused; then nothing changed.' }),
  lines: z
    .array(z.object({ line: z.string(), sku: z.string().nullable(), ordered: z.int(), cancelled: z.int(), shipped: z.int() }))
    .meta({ description: 'What changed of each line; of a label or a void: its units, as shipped.' }),
});
const stepAnswerOf = ({ at, user: who, lines, ...step }: Step): z.input<typeof stepAnswer> => ({
  ...step,
  at: iso(at),
  user: { ...who },
  lines: lines.map((line) => ({ ...line })),
});

const stepsRoute = ({ journal }: OrderParts) =>
  defineRoute({
    method: 'get',
    path: '/stores/:store/orders/:order/steps',
    summary: 'What happened to an order, newest first',
    description: 'What the marketplace changed, labels, voids, and what was refused. A read that brought nothing new is no step.',
    roles: [],
    params,
    query: z.strictObject({
      before: integerText({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }).optional().meta({ description: '`next` of the page before.' }),
      limit: integerText({ minimum: 1, maximum: 500 }).default(100),
    }),
    responses: {
      200: { description: 'One page', schema: z.object({ steps: z.array(stepAnswer), next: z.int().nullable() }) },
      404: { description: 'There is no such order' },
    },
    async handle({ identity: { tenant }, params: { store, order }, query: { before, limit } }) {
      const entries = await journal.entries(keyOf(tenant, store, order), { ...(before ? { before } : {}), limit: mostEntriesRead });
      if (entries.length === 0 && before === undefined) return unknownOrder(store, order);
      const steps = stepsOf(entries);
      const page = steps.slice(0, limit);
      const more = steps.length > limit || entries.length === mostEntriesRead;
      return reply(200, { steps: page.map(stepAnswerOf), next: more ? (page.at(-1)?.sequence ?? entries.at(-1)?.sequence ?? null) : null });
    },
  });

/** One request reads so many entries of an order's journal at most; what lies before is on the next page. */
const mostEntriesRead = 2_000;

import {
  askJournal,
  defineRoute,
  problem,
  reply,
  text,
  type JournalEntry,
  type JournalReader,
  type Route,
  type Sender,
} from '@evenkeel/chassis';
import { keyOf, topics, type Label } from '@evenkeel/contracts';
import { z } from 'zod';
import { labelled, left, mostUnits, type LabelRefusal, type Order, type OrderEntry, type OrderState } from './domain.ts';

const params = z.strictObject({ store: text(64), order: text(128) });
const time = z.iso.datetime();
const units = z.int().min(1).max(mostUnits);
const location = text(64).refine((name) => name !== '__proto__', 'expected another name');
const user = z.object({ kind: z.enum(['person', 'marketplace', 'system']), id: z.string() });
const labelLine = z.object({ line: z.string(), quantity: z.int() });
const labelAnswer = z.object({
  label: z.string(),
  location: z.string().nullable().meta({ description: "Null: each product's default location." }),
  user,
  lines: z.array(labelLine),
});
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
      labelled: z.int(),
      left: z.int().meta({ description: 'Units that a label may still cover.' }),
    }),
  ),
  labels: z.array(labelAnswer),
});

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const labelOf = ({ label, location: where, user: who, lines }: Label) => ({
  label,
  location: where,
  user: { ...who },
  lines: lines.map((line) => ({ ...line })),
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
};

function labelAnswerOf({ data }: JournalEntry<OrderEntry>, { store, order }: z.output<typeof params>) {
  if (data.type === 'labelled') return reply(201, labelOf(data.label));
  if (data.type !== 'label_refused') throw new Error(`A command to create a label became ${data.type}.`);
  if (data.refused === 'unknown_order') return unknownOrder(store, order);
  const [status, type, detail] = refusals[data.refused];
  return problem(status, { type, detail });
}

export interface OrderParts {
  readonly journal: JournalReader<OrderEntry, OrderState>;
  readonly sender: Pick<Sender, 'send'>;
}

export const orderRoutes = ({ journal, sender }: OrderParts): Route[] => [
  defineRoute({
    method: 'post',
    path: '/stores/:store/orders/:order/labels',
    summary: 'Create a shipping label',
    description: 'For the lines and quantities that are named, or for all that is left.',
    roles: ['warehouse', 'operator'],
    params,
    body: z.strictObject({
      lines: z
        .array(z.strictObject({ line: text(128), quantity: units }))
        .min(1)
        .max(1_000)
        .nullable()
        .default(null)
        .meta({ description: 'Null: all that is left.' }),
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
      return reply(202, undefined, { Location: `/stores/${encodeURIComponent(store)}/orders/${encodeURIComponent(order)}` });
    },
  }),
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
  }),
];

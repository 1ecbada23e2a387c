import {
  askJournal,
  defineRoute,
  integerText,
  problem,
  reply,
  text,
  type JournalEntry,
  type JournalReader,
  type Route,
} from '@evenkeel/chassis';
import { keyOf, topics, type Events, type PurchaseLine } from '@evenkeel/contracts';
import { z } from 'zod';
import {
  mostPurchasedUnits,
  mostPurchaseLines,
  stillToCome,
  waiting,
  type Purchase,
  type PurchaseEntry,
  type PurchaseInput,
  type PurchaseRefusal,
  type PurchaseState,
} from '../purchasing-domain.ts';
import type { PurchaseDocument, PurchaseStore } from '../purchasing.ts';
import { iso, location, pagePosition, sku, time, user, type Commands } from './shapes.ts';

export interface PurchasingParts {
  readonly purchasing: JournalReader<PurchaseEntry, PurchaseState>;
  readonly purchases: PurchaseStore;
  readonly sender: Commands;
}

const purchaseOrder = text(64);
const params = z.strictObject({ purchaseOrder });
const states = z.enum(['open', 'received', 'closed']);
const lines = z
  .array(z.strictObject({ sku, quantity: z.int().min(1).max(mostPurchasedUnits) }))
  .min(1)
  .max(mostPurchaseLines);
const place = location.nullable().default(null).meta({ description: "Where they are put; null: each product's default location." });
const lineAnswer = z.object({ sku: z.string(), quantity: z.int() }).meta({ id: 'PurchasedUnits' });
const progress = z.object({
  sku: z.string(),
  ordered: z.int(),
  received: z.int(),
  putAway: z.int().meta({ description: 'On a shelf, and On Hand.' }),
  toCome: z.int(),
  toPutAway: z.int().meta({ description: 'Received, and not sellable yet.' }),
});
const purchase = z
  .object({
    purchaseOrder: z.string(),
    sequence: z.int(),
    state: states.meta({ description: 'open while units are still to come' }),
    supplier: z.string().nullable(),
    note: z.string().nullable(),
    lines: z.array(progress),
  })
  .meta({ id: 'PurchaseOrder' });
const step = z
  .object({
    sequence: z.int(),
    at: time,
    step: z.enum(['created', 'received', 'put_away', 'closed']),
    refused: z.string().nullable(),
    lines: z.array(lineAnswer),
    putAway: z.array(lineAnswer),
    location: z.string().nullable(),
    user,
  })
  .meta({ id: 'PurchaseStep' });
const listed = z.object({
  purchaseOrder: z.string(),
  state: states,
  supplier: z.string().nullable(),
  createdAt: time,
  products: z.int(),
  unitsOrdered: z.int(),
  unitsToCome: z.int(),
  unitsToPutAway: z.int(),
});
const listPosition = pagePosition(z.strictObject({ createdAt: time, key: z.string() }));

function answerOf(name: string, sequence: number, { supplier, note, state, lines: all }: Purchase): z.input<typeof purchase> {
  const shown = all.map((line) => ({ ...line, toCome: state === 'closed' ? 0 : stillToCome(line), toPutAway: waiting(line) }));
  return { purchaseOrder: name, sequence, state, supplier, note, lines: shown };
}

const stepOf = ({ sequence, at, data }: JournalEntry<PurchaseEntry>): z.input<typeof step> => ({
  sequence,
  at: iso(at),
  step: data.step,
  refused: data.refused,
  lines: data.lines.map((line) => ({ ...line })),
  putAway: data.putAway.map((line) => ({ ...line })),
  location: data.location,
  user: { ...data.user },
});

const listedOf = ({ _id, tenant: _tenant, sequence: _sequence, createdAt, ...rest }: PurchaseDocument): z.input<typeof listed> => ({
  ...rest,
  createdAt: createdAt.toISOString(),
});

const unknownPurchaseOrder = (name: string) =>
  problem(404, {
    type: 'unknown-purchase-order',
    detail: `There is no purchase order ${name}. GET /purchase-orders lists those that there are.`,
  });

/** Why a step was not taken, in words: what happened, and what to do. */
const refusals: Readonly<Record<Exclude<PurchaseRefusal, 'unknown_purchase_order'>, readonly [status: 404 | 409, detail: string]>> = {
  purchase_order_exists: [409, 'There is a purchase order of that name. Choose another, or leave the name out and one is made.'],
  purchase_order_closed: [409, 'It is closed: nothing more is to come. Create a new purchase order for what comes all the same.'],
  repeated_line: [409, 'A product stands there twice. Send one line for each product, with the sum.'],
  absurd_quantity: [409, `Of each product 1 to ${mostPurchasedUnits} units can be ordered and received. Correct the quantities.`],
  unknown_line: [
    404,
    'A product stands there that is not on this purchase order. Read it, and name its products; create another for the rest.',
  ],
  nothing_open: [409, 'All of it has come in already. Name lines and set allowOver if more came than was ordered.'],
  over_received: [409, 'More came than is still to come. Count again; if it is right, send it with allowOver.'],
  nothing_to_put_away: [409, 'Nothing of it waits to be put away. Receive it first.'],
  more_than_received: [409, 'Fewer units wait to be put away. Read the purchase order, and put away what waits.'],
};

/** Which of the lines that were asked for it is; none where it is no matter of single lines. */
function concerned(refused: PurchaseRefusal, asked: readonly PurchaseLine[], purchase: Purchase | null): string[] {
  const lineOf = (sku: string) => purchase?.lines.find((line) => line.sku === sku);
  return asked.flatMap(({ sku, quantity }, index) => {
    const line = lineOf(sku);
    if (refused === 'unknown_line') return line ? [] : [sku];
    if (refused === 'repeated_line') return asked.findIndex((other) => other.sku === sku) < index ? [sku] : [];
    if (refused === 'over_received' && line && quantity > stillToCome(line)) return [`${sku} (${stillToCome(line)} still to come)`];
    if (refused === 'more_than_received' && line && quantity > waiting(line)) return [`${sku} (${waiting(line)} wait)`];
    return [];
  });
}
const mostNamed = 10;

interface Asked {
  readonly tenant: string;
  readonly name: string;
  readonly user: string;
  readonly at: number;
  readonly correlation: string;
  readonly cause: string;
}

/** What follows from who asks, when and for which purchase order. */
type Given = 'tenant' | 'purchaseOrder' | 'user' | 'at';

/** Has a command decided by the purchase order, and answers with the step and what it came to. */
async function ask<Name extends PurchaseInput, Done extends 200 | 201>(
  { purchasing, sender }: PurchasingParts,
  asked: Asked,
  type: Name,
  data: Omit<Events[Name], Given>,
  done: Done,
) {
  const { tenant, name, at, correlation, cause } = asked;
  const whole = { ...data, tenant, purchaseOrder: name, user: { kind: 'person', id: asked.user }, at };
  const event = { id: cause, type, time: at, correlation, data: whole } as never;
  const [entry] =
    (await askJournal<PurchaseEntry>({ journal: purchasing, sender }, { topic: topics.purchaseCommands, key: [tenant, name], event })) ??
    [];
  const where = { Location: `/purchase-orders/${encodeURIComponent(name)}` };
  if (!entry) return reply(202, undefined, where);
  const { refused, after } = entry.data;
  if (refused === 'unknown_purchase_order' || (refused === null && after === null)) return unknownPurchaseOrder(name);
  if (refused === null && after) return reply(done, { purchaseOrder: answerOf(name, entry.sequence, after), step: stepOf(entry) }, where);
  const [status, words] = refusals[refused as keyof typeof refusals];
  const { lines: askedFor = null } = data as { readonly lines?: readonly PurchaseLine[] | null };
  const which = concerned(refused as PurchaseRefusal, askedFor ?? [], after).slice(0, mostNamed);
  const detail = which.length > 0 ? `${words} It is about ${which.join(', ')}.` : words;
  const now = after ? { purchaseOrder: answerOf(name, entry.sequence, after) } : {};
  return problem(status, { type: (refused as string).replaceAll('_', '-'), detail, ...now });
}

const answered = z.object({ purchaseOrder: purchase, step });
const onItsWay = { description: 'It is on its way: repeat the request with the same Idempotency-Key, or read the purchase order.' };
const buyers = ['clerk', 'operator'];
const receivers = ['clerk', 'warehouse', 'operator'];

export const purchasingRoutes = (parts: PurchasingParts): Route[] => [
  defineRoute({
    method: 'post',
    path: '/purchase-orders',
    summary: 'Order units from a supplier',
    description: 'Nothing of it is On Hand until it has come in and was put away.',
    roles: buyers,
    body: z.strictObject({
      purchaseOrder: purchaseOrder.optional().meta({ description: 'Its name; absent: one is made from the request.' }),
      supplier: text(200).nullable().default(null),
      note: text(2_000).nullable().default(null),
      lines,
    }),
    responses: {
      201: { description: 'The purchase order', schema: answered },
      202: onItsWay,
      409: { description: 'There is one of that name, or a product stands there twice' },
    },
    handle: async ({ identity, body: { purchaseOrder: name, ...data }, idempotency: { cause }, at, correlation }) => {
      const asked = { ...identity, name: name ?? nameFrom(cause), at, correlation, cause };
      return ask(parts, asked, 'CreatePurchaseOrder', data, 201);
    },
  }),
  defineRoute({
    method: 'get',
    path: '/purchase-orders',
    summary: 'Purchase orders, newest first',
    roles: [],
    query: z.strictObject({
      state: states.optional(),
      after: listPosition.read.optional().meta({ description: '`next` of the page before.', override: { type: 'string' } }),
      limit: integerText({ minimum: 1, maximum: 500 }).default(100),
    }),
    responses: {
      200: { description: 'One page', schema: z.object({ purchaseOrders: z.array(listed), next: z.string().nullable() }) },
    },
    async handle({ identity: { tenant }, query: { state, after, limit } }) {
      const from = after && { key: after.key, createdAt: new Date(after.createdAt) };
      const found = await parts.purchases.page({ tenant, state, after: from, limit });
      const last = found.length === limit ? found.at(-1) : undefined;
      const next = last ? listPosition.write({ createdAt: last.createdAt.toISOString(), key: last._id }) : null;
      return reply(200, { purchaseOrders: found.map(listedOf), next });
    },
  }),
  defineRoute({
    method: 'get',
    path: '/purchase-orders/:purchaseOrder',
    summary: 'A purchase order with its history',
    roles: [],
    params,
    query: z.strictObject({
      before: integerText({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER })
        .optional()
        .meta({ description: '`next` of the page of steps before.' }),
      limit: integerText({ minimum: 1, maximum: 500 }).default(500),
    }),
    responses: {
      200: {
        description: 'As it is now; a page of its steps, newest first, refused ones too',
        schema: z.object({ purchaseOrder: purchase, steps: z.array(step), next: z.int().nullable() }),
      },
      404: { description: 'There is none' },
    },
    async handle({ identity: { tenant }, params: { purchaseOrder: name }, query: { before, limit } }) {
      const key = keyOf(tenant, name);
      const { state, sequence } = await parts.purchasing.state(key);
      if (!state.purchase) return unknownPurchaseOrder(name);
      const steps = await parts.purchasing.entries(key, { ...(before === undefined ? {} : { before }), limit });
      const oldest = steps.at(-1)?.sequence ?? 1;
      return reply(200, {
        purchaseOrder: answerOf(name, sequence, state.purchase),
        steps: steps.map(stepOf),
        next: oldest > 1 ? oldest : null,
      });
    },
  }),
  defineRoute({
    method: 'post',
    path: '/purchase-orders/:purchaseOrder/receipts',
    summary: 'Receive units, and put them away in the same step unless told otherwise',
    roles: receivers,
    params,
    body: z.strictObject({
      lines: lines.nullable().default(null).meta({ description: 'What came; null: all that is still to come.' }),
      putAway: z.boolean().default(true).meta({ description: 'False: they wait to be put away, and are not sellable yet.' }),
      location: place,
      allowOver: z.boolean().default(false).meta({ description: 'Whether more may come in than was ordered.' }),
    }),
    responses: {
      200: { description: 'The purchase order, and what was received', schema: answered },
      202: onItsWay,
      404: { description: 'There is no such purchase order, or no such product on it' },
      409: { description: 'More than was ordered, nothing to come, or closed' },
    },
    handle: async ({ identity, params: { purchaseOrder: name }, body, idempotency: { cause }, at, correlation }) =>
      ask(parts, { ...identity, name, at, correlation, cause }, 'ReceivePurchase', body, 200),
  }),
  defineRoute({
    method: 'post',
    path: '/purchase-orders/:purchaseOrder/put-aways',
    summary: 'Put received units on the shelf: from then on they are On Hand',
    roles: receivers,
    params,
    body: z.strictObject({ lines: lines.nullable().default(null).meta({ description: 'Which; null: all that waits.' }), location: place }),
    responses: {
      200: { description: 'The purchase order, and what was put away', schema: answered },
      202: onItsWay,
      404: { description: 'There is no such purchase order, or no such product on it' },
      409: { description: 'So much does not wait to be put away' },
    },
    handle: async ({ identity, params: { purchaseOrder: name }, body, idempotency: { cause }, at, correlation }) =>
      ask(parts, { ...identity, name, at, correlation, cause }, 'PutAwayPurchase', body, 200),
  }),
  defineRoute({
    method: 'post',
    path: '/purchase-orders/:purchaseOrder/close',
    summary: 'What is still to come will not come',
    roles: buyers,
    params,
    responses: {
      200: { description: 'The purchase order', schema: answered },
      202: onItsWay,
      404: { description: 'There is none' },
      409: { description: 'It is closed already' },
    },
    handle: async ({ identity, params: { purchaseOrder: name }, idempotency: { cause }, at, correlation }) =>
      ask(parts, { ...identity, name, at, correlation, cause }, 'ClosePurchaseOrder', {}, 200),
  }),
];

/** The same for the same request. */
const nameFrom = (cause: string): string => `PO-${(cause.split('/').at(-1) ?? '').slice(0, 12).toUpperCase()}`;

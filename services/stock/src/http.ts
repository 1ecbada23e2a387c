import {
  askJournal,
  defineRoute,
  incidentRoutes,
  integerText,
  problem,
  reply,
  text,
  type IncidentStore,
  type Route,
  type Sender,
} from '@evenkeel/chassis';
import { keyOf, topics } from '@evenkeel/contracts';
import { z } from 'zod';
import { levelOf, mostLocations, mostOnHand, movedBy, type LedgerRow, type Refusal } from './domain.ts';
import { changesSince, pageOf, type Ledger, type Row } from './ledger.ts';

const sku = text(255);
const units = z.int().min(-mostOnHand).max(mostOnHand);
const time = z.iso.datetime();
const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
const quantities = z.object({ onHand: z.int(), orderReserve: z.int(), batchReserve: z.int(), available: z.int() });
const transactions = ['StockUpdate', 'PurchaseReceiving', 'AutoPick', 'BatchPick'] as const;
const reserves = ['OrderReserve', 'OrderRelease', 'BatchReserve', 'BatchRelease'] as const;
const type = z.enum([...transactions, ...reserves, 'ProductChange']);

const inventory = z.object({
  sku: z.string(),
  epoch: z.int(),
  sequence: z.int().meta({ description: 'Number of the ledger row that this stands after; 0: there is none.' }),
  quantities,
  locations: z.record(z.string(), z.int()).meta({ description: 'On Hand per location.' }),
  counted: z.boolean().meta({ description: 'False: never counted, so the quantities say nothing.' }),
});
const movement = z.object({
  sequence: z.int(),
  at: time,
  type,
  batch: z.string().nullable(),
  label: z.string().nullable(),
  reverses: z.string().nullable(),
  purchaseOrder: z.string().nullable(),
  reason: z.string().nullable(),
  refused: z.string().nullable(),
  change: quantities,
  after: quantities,
  location: z.string().nullable(),
  locationOnHand: z.int().nullable(),
  order: z.object({ store: z.string(), order: z.string() }).nullable(),
  counted: z.boolean(),
  user: z.object({ kind: z.enum(['person', 'marketplace', 'system']), id: z.string() }),
  cause: z.string(),
});

function movementOf(row: Row): z.input<typeof movement> {
  const { tenant: _tenant, sku: _sku, epoch: _epoch, at, ...rest } = movedBy({ tenant: '', sku: '' }, row);
  return {
    ...rest,
    change: { ...rest.change },
    after: { ...rest.after },
    order: rest.order && { ...rest.order },
    user: { ...rest.user },
    at: iso(at),
  };
}

/** What other refusals than a changed On Hand mean, and what to do. */
const refusals: Readonly<Record<Exclude<Refusal, 'on_hand_changed'>, string>> = {
  negative: 'On Hand is zero or more. Send what is there.',
  too_large: `A product's On Hand would be beyond ${mostOnHand} units. Correct the number.`,
  too_many_locations: `A product has at most ${mostLocations} locations. Use one of those that it has.`,
  still_in_use: 'Units of it are still on a shelf or promised to orders. Retire it when On Hand and both reserves are 0.',
};

interface Update {
  readonly seen: number;
  readonly onHand: number;
}

async function updateAnswer(ledger: Ledger, key: string, row: Row, { seen, onHand }: Update) {
  const { refused, location, locationOnHand } = row.data;
  if (refused === null) return reply(200, { movement: movementOf(row) });
  if (refused !== 'on_hand_changed') return problem(409, { type: refused.replaceAll('_', '-'), detail: refusals[refused] });
  const now = locationOnHand ?? 0;
  const sameDifferenceWouldGive = now + onHand - seen;
  return problem(409, {
    type: 'on-hand-changed',
    detail: `On Hand at ${location} is ${now}, no longer ${seen}. Look at the movements since, and send what is there now with seen ${now}; the same difference would give ${sameDifferenceWouldGive}.`,
    onHand: now,
    sameDifferenceWouldGive,
    movements: (await changesSince(ledger, key, row, seen)).map(movementOf),
  });
}

export interface StockParts {
  readonly journal: Ledger;
  readonly sender: Pick<Sender, 'send'>;
  readonly incidents: IncidentStore;
}

export const stockRoutes = (parts: StockParts): Route[] => [
  inventoryRoute(parts),
  movementsRoute(parts),
  onHandRoute(parts),
  ...incidentRoutes(parts),
];

const inventoryRoute = ({ journal }: StockParts) =>
  defineRoute({
    method: 'get',
    path: '/products/:sku',
    summary: "A product's inventory",
    roles: [],
    params: z.strictObject({ sku }),
    responses: { 200: { description: 'Its quantities; a product that nobody created has never been counted', schema: inventory } },
    async handle({ identity: { tenant }, params }) {
      const { state } = await journal.state(keyOf(tenant, params.sku));
      const { epoch, sequence, counted, quantities: now, locations } = levelOf({ tenant, sku: params.sku }, state);
      return reply(200, { sku: params.sku, epoch, sequence, counted, quantities: { ...now }, locations: { ...locations } });
    },
  });

const movementsRoute = ({ journal }: StockParts) =>
  defineRoute({
    method: 'get',
    path: '/products/:sku/movements',
    summary: "A product's transactions, newest first",
    description: 'Movements of reserves alone stand in the same ledger: `include=reserves` shows them too.',
    roles: [],
    params: z.strictObject({ sku }),
    query: z.strictObject({
      before: integerText({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }).optional().meta({ description: '`next` of the page before.' }),
      limit: integerText({ minimum: 1, maximum: 500 }).default(50),
      type: type.optional(),
      include: z.literal('reserves').optional(),
    }),
    responses: { 200: { description: 'One page', schema: z.object({ movements: z.array(movement), next: z.int().nullable() }) } },
    async handle({ identity: { tenant }, params, query }) {
      const isTransaction = (row: LedgerRow) => transactions.some((name) => name === row.type);
      const isWanted = (row: LedgerRow) => (query.type ? row.type === query.type : query.include === 'reserves' || isTransaction(row));
      const page = await pageOf(journal, keyOf(tenant, params.sku), { before: query.before, limit: query.limit, isWanted });
      return reply(200, { movements: page.rows.map(movementOf), next: page.next });
    },
  });

const onHandRoute = ({ journal, sender }: StockParts) =>
  defineRoute({
    method: 'put',
    path: '/products/:sku/locations/:location/on-hand',
    summary: 'Set On Hand at one location to what is there',
    description: 'A Stock Update. Without a reason it is a count. It is refused only if On Hand there is no longer what its user had seen.',
    roles: ['clerk', 'warehouse', 'operator'],
    params: z.strictObject({ sku, location: text(64).refine((name) => name !== '__proto__', 'expected another name') }),
    body: z.strictObject({
      seen: units.meta({ description: 'On Hand at this location as its user saw it; 0 where nothing was ever there.' }),
      onHand: z.int().min(0).max(mostOnHand).meta({ description: 'What is there.' }),
      reason: text(200).nullable().default(null).meta({ description: 'Such as return or damaged; null: a count.' }),
    }),
    responses: {
      200: { description: 'The movement', schema: z.object({ movement }) },
      202: { description: 'It is on its way: repeat the request with the same Idempotency-Key, or read the movements.' },
      409: { description: 'On Hand there has changed since: with the movements since, and what the same difference would give' },
    },
    async handle({ identity: { tenant, user }, params, body, idempotency, at, correlation }) {
      const key = keyOf(tenant, params.sku);
      const data = { tenant, ...params, ...body, user: { kind: 'person', id: user }, at } as const;
      const event = { id: idempotency.cause, type: 'UpdateStock', time: at, correlation, data } as const;
      const command = { topic: topics.stockCommands, key: [tenant, params.sku], event };
      const [row] = (await askJournal<LedgerRow>({ journal, sender }, command)) ?? [];
      if (row) return updateAnswer(journal, key, row, body);
      return reply(202, undefined, { Location: `/products/${encodeURIComponent(params.sku)}/movements` });
    },
  });

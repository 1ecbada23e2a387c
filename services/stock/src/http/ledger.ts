import { askJournal, defineRoute, entriesWhere, integerText, problem, reply, text, type Route } from '@evenkeel/chassis';
import { keyOf, topics } from '@evenkeel/contracts';
import { z } from 'zod';
import { levelOf, mostOnHand, movedBy, type LedgerRow } from '../domain.ts';
import { changesSince, type Ledger, type Row } from '../ledger.ts';
import { refusals } from './refusals.ts';
import { iso, location, quantities, sku, time, user, type Commands, type StockJournal } from './shapes.ts';

export interface LedgerParts {
  readonly journal: StockJournal;
  readonly sender: Commands;
}

const units = z.int().min(-mostOnHand).max(mostOnHand);
const transactions = ['StockUpdate', 'PurchaseReceiving', 'AutoPick', 'BatchPick'] as const;
const others = ['OrderReserve', 'OrderRelease', 'BatchReserve', 'BatchRelease', 'ProductChange'] as const;
const type = z.enum([...transactions, ...others]);
export const momentText = z.iso
  .datetime({ offset: true, error: "expected a moment such as 2026-11-25T09:30:00Z, or with +01:00, whose '+' is %2B in an address" })
  .transform((value) => Date.parse(value))
  .meta({ override: { type: 'string', format: 'date-time' } });

const inventory = z.object({
  sku: z.string(),
  title: z.string().nullable(),
  epoch: z.int(),
  sequence: z.int().meta({ description: 'Number of the ledger row that this stands after; 0: there is none.' }),
  at: time.nullable().meta({ description: 'Of that row.' }),
  quantities,
  locations: z
    .record(z.string(), z.int())
    .nullable()
    .meta({ description: 'On Hand per location; null where a past moment was asked for.' }),
  counted: z.boolean().meta({ description: 'False: never counted, so the quantities say nothing.' }),
  defaultLocation: z.string().nullable(),
  lowStockAtOrBelow: z.int().nullable(),
  retired: z.boolean(),
});
const movement = z
  .object({
    sequence: z.int().meta({ description: "Number of the row in the product's ledger: from 1, without a gap." }),
    at: time,
    type,
    batch: z.string().nullable().meta({ description: 'The pick batch that it is about.' }),
    label: z.string().nullable().meta({ description: 'The label that it belongs to.' }),
    reverses: z.string().nullable().meta({ description: 'The cause of the Auto Pick that it takes back.' }),
    purchaseOrder: z.string().nullable().meta({ description: 'The purchase order that it was put away from.' }),
    reason: z.string().nullable().meta({ description: 'Of a Stock Update; null: a count.' }),
    refused: z.string().nullable().meta({ description: 'Why it changed nothing; null: it was taken.' }),
    change: quantities,
    after: quantities,
    location: z.string().nullable().meta({ description: 'Where On Hand was changed, or counted.' }),
    locationOnHand: z.int().nullable().meta({ description: 'On Hand at that location after it.' }),
    order: z.object({ store: z.string(), order: z.string() }).nullable().meta({ description: 'The order that it is about.' }),
    counted: z.boolean().meta({ description: 'Whether the product had been counted by then; if not, the quantities say nothing.' }),
    user,
    cause: z.string().meta({ description: 'Id of the event or command that brought it about: each has one row.' }),
  })
  .meta({ id: 'Movement' });

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

interface Update {
  readonly seen: number;
  readonly onHand: number;
}

async function updateAnswer(ledger: Ledger, key: string, row: Row, { seen, onHand }: Update) {
  const { refused, location: place, locationOnHand } = row.data;
  if (refused === null) return reply(200, { movement: movementOf(row) });
  if (refused !== 'on_hand_changed') return problem(409, { type: refused.replaceAll('_', '-'), detail: refusals[refused] });
  const now = locationOnHand ?? 0;
  const sameDifferenceWouldGive = now + onHand - seen;
  return problem(409, {
    type: 'on-hand-changed',
    detail: `On Hand at ${place} is ${now}, no longer ${seen}. Look at the movements since, and send what is there now with seen ${now}; the same difference would give ${sameDifferenceWouldGive}.`,
    onHand: now,
    sameDifferenceWouldGive,
    movements: (await changesSince(ledger, key, row, seen)).map(movementOf),
  });
}

export const ledgerRoutes = (parts: LedgerParts): Route[] => [inventoryRoute(parts), movementsRoute(parts), onHandRoute(parts)];

const inventoryRoute = ({ journal }: LedgerParts) =>
  defineRoute({
    method: 'get',
    path: '/products/:sku',
    summary: "A product's inventory, now or at a past moment",
    roles: [],
    params: z.strictObject({ sku }),
    query: z.strictObject({
      at: momentText.optional().meta({ description: 'As it stood after the last row of its ledger that is not later; absent: now.' }),
    }),
    responses: { 200: { description: 'Its quantities; a product that nobody created has never been counted', schema: inventory } },
    async handle({ identity: { tenant }, params, query: { at } }) {
      const { state } = await journal.state(keyOf(tenant, params.sku));
      const level = levelOf({ tenant, sku: params.sku }, state);
      const { title, defaultLocation, lowStockAtOrBelow, retired, epoch } = level;
      const settings = { sku: params.sku, title, defaultLocation, lowStockAtOrBelow, retired, epoch };
      if (at === undefined || at >= level.at) {
        const { sequence, counted, quantities: now, locations } = level;
        const when = sequence === 0 ? null : iso(level.at);
        return reply(200, { ...settings, sequence, at: when, counted, quantities: { ...now }, locations: { ...locations } });
      }
      const row = await journal.entryAt(keyOf(tenant, params.sku), at);
      const then = row ? { sequence: row.sequence, at: iso(row.at), ...standingAt(row) } : { sequence: 0, at: null, ...standingAt(null) };
      return reply(200, { ...settings, ...then, locations: null });
    },
  });

/** What a ledger said after a row; before the first one nothing was there, and nobody had counted. */
export function standingAt(row: Row | null) {
  const nothing = { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 };
  return { counted: row?.data.counted ?? false, quantities: { ...(row?.data.after ?? nothing) } };
}

const movementsRoute = ({ journal }: LedgerParts) =>
  defineRoute({
    method: 'get',
    path: '/products/:sku/movements',
    summary: "A product's transactions, newest first",
    description: 'Movements of reserves alone, and changes of settings, stand in the same ledger: `include=reserves` shows them too.',
    roles: [],
    params: z.strictObject({ sku }),
    query: z.strictObject({
      before: integerText({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }).optional().meta({ description: '`next` of the page before.' }),
      limit: integerText({ minimum: 1, maximum: 500 }).default(50),
      type: type.optional().meta({ description: 'Only this one; absent: those that change On Hand.' }),
      include: z.literal('reserves').optional().meta({ description: 'Every type.' }),
      from: momentText.optional().meta({ description: 'From this moment on, and with it.' }),
      to: momentText.optional().meta({ description: 'Up to this moment, and with it.' }),
      user: text(200).optional().meta({ description: 'Whoever did it: a person, a marketplace, a part of the system.' }),
      location: location.optional().meta({ description: 'Where On Hand was changed, or counted.' }),
    }),
    responses: { 200: { description: 'One page', schema: z.object({ movements: z.array(movement), next: z.int().nullable() }) } },
    async handle({ identity: { tenant }, params, query }) {
      const isWanted = (row: Row) => isOfType(row.data, query) && isWithin(row, query);
      const { before, limit, from } = query;
      const page = await entriesWhere(journal, keyOf(tenant, params.sku), { before, limit, from, isWanted });
      return reply(200, { movements: page.entries.map(movementOf), next: page.next });
    },
  });

function isOfType(row: LedgerRow, wanted: { readonly type?: string | undefined; readonly include?: string | undefined }): boolean {
  if (wanted.type !== undefined) return row.type === wanted.type;
  return wanted.include === 'reserves' || transactions.some((name) => name === row.type);
}

interface Within {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
  readonly user?: string | undefined;
  readonly location?: string | undefined;
}

const isWithin = ({ at, data }: Row, { from = -Infinity, to = Infinity, user: who, location: where }: Within): boolean =>
  at >= from && at <= to && (who === undefined || data.user.id === who) && (where === undefined || data.location === where);

const onHandRoute = ({ journal, sender }: LedgerParts) =>
  defineRoute({
    method: 'put',
    path: '/products/:sku/locations/:location/on-hand',
    summary: 'Set On Hand at one location to what is there',
    description: 'A Stock Update. Without a reason it is a count. It is refused only if On Hand there is no longer what its user had seen.',
    roles: ['clerk', 'warehouse', 'operator'],
    params: z.strictObject({ sku, location }),
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
    async handle({ identity: { tenant, user: person }, params, body, idempotency, at, correlation }) {
      const key = keyOf(tenant, params.sku);
      const data = { tenant, ...params, ...body, user: { kind: 'person', id: person }, at } as const;
      const event = { id: idempotency.cause, type: 'UpdateStock', time: at, correlation, data } as const;
      const command = { topic: topics.stockCommands, key: [tenant, params.sku], event };
      const [row] = (await askJournal<LedgerRow>({ journal, sender }, command)) ?? [];
      if (row) return updateAnswer(journal, key, row, body);
      return reply(202, undefined, { Location: `/products/${encodeURIComponent(params.sku)}/movements` });
    },
  });

import { askJournalAll, text, type EventOf, type JournalEntry, type JournalReader, type Sender } from '@evenkeel/chassis';
import { keyOf, topics } from '@evenkeel/contracts';
import { z } from 'zod';
import type { Command, Refusal, Reservation, ReservationEntry } from './domain.ts';
import { concernsWarehouse, type WarehouseStore } from './warehouse.ts';

export interface AskParts {
  readonly journal: JournalReader<ReservationEntry, Reservation>;
  readonly sender: Pick<Sender, 'send'>;
  readonly warehouse: Pick<WarehouseStore, 'versionsOf'>;
}

/** Why nothing of an order was moved: what happened, and what to do. */
export const refusals: Readonly<Record<Refusal, string>> = {
  unknown_order: 'There is no such order, or it has not been read yet. Check store and order, or try again when the store has been polled.',
  unknown_line: 'The order has no such line, or its listing is not mapped to a product. Read the order, and name its lines.',
  absurd_quantity: 'Each line moves 1 to 1,000,000 units. Correct the quantities.',
  nothing_to_assign: 'Nothing of it waits to be picked: it is cancelled, shipped, labelled, or in a batch already. Read its reservations.',
  more_than_reserved: 'Fewer units wait to be picked than were asked for. Read its reservations, and ask for what is in the Order Reserve.',
  not_in_batch: 'The batch holds nothing of it that is not picked. Read the batch.',
  more_than_in_batch: 'The batch holds fewer units of it than were asked for. Read the batch, and ask for what it holds.',
  nothing_to_put_back: 'Nothing of it is to be put back. Read the list of what is.',
  more_than_to_put_back: 'Fewer units of it are to be put back than were asked for. Read the list of what is.',
};

const units = z.array(z.object({ line: z.string(), sku: z.string(), quantity: z.int() }).meta({ id: 'LineUnits' }));

/** What became of one order. */
export const outcome = z
  .object({
    store: z.string(),
    order: z.string(),
    status: z
      .enum(['done', 'refused', 'pending'])
      .meta({ description: 'Pending: it is on its way; repeat the request with the same Idempotency-Key.' }),
    units: units.meta({ description: 'What was moved.' }),
    reason: z.string().nullable(),
    detail: z.string().nullable().meta({ description: 'Why nothing was moved, and what to do.' }),
  })
  .meta({ id: 'OrderOutcome' });
export type Outcome = z.input<typeof outcome>;

const mostUnits = 1_000_000;
/** Lines and quantities that a command names. */
export const someLines = z
  .array(z.strictObject({ line: text(128), quantity: z.int().min(1).max(mostUnits) }))
  .min(1)
  .max(1_000);
/** What is looked at here may be anything yet, also text that no key can carry. */
export const eachOnce = (orders: readonly { readonly store: string; readonly order: string }[]): boolean =>
  new Set(orders.map(({ store, order }) => JSON.stringify([store, order]))).size === orders.length;

/** Orders, each with the lines that are meant; without: all of it. */
export const someOrders = z
  .array(
    z.strictObject({
      store: text(64),
      order: text(128),
      lines: someLines.nullable().default(null).meta({ description: 'Null: all of it.' }),
    }),
  )
  .min(1)
  .max(200)
  .refine(eachOnce, 'expected each order once');
export type OrderUnits = z.output<typeof someOrders>[number];

/** Ids of the commands that one request becomes, one for each order. */
const causeFor = (cause: string, { store, order }: { readonly store: string; readonly order: string }): string =>
  `${cause}/${keyOf(store, order)}`;

/** What of a request is the same for each of its orders. */
interface Asked {
  readonly cause: string;
  readonly at: number;
  readonly correlation: string;
  readonly tenant: string;
}

/** Asks for each order, at once. `commandOf`: the same at every repeat. */
export async function askOrders(
  parts: AskParts,
  { cause, at, correlation, tenant }: Asked,
  orders: readonly OrderUnits[],
  commandOf: (order: OrderUnits) => Command,
): Promise<Outcome[]> {
  const commands = orders.map((order) => {
    const event = { id: causeFor(cause, order), time: at, correlation, ...commandOf(order) } as EventOf<Command['type']>;
    return { topic: topics.reservationCommands, key: [tenant, order.store, order.order], event };
  });
  const answers = await askJournalAll<ReservationEntry>(parts, commands);
  const moved = commands.flatMap(({ key, event }) => {
    const entries = answers.get(event.id) ?? [];
    return entries.some(({ data }) => concernsWarehouse(data)) ? [[keyOf(...key), entries.at(-1)?.sequence ?? 0] as const] : [];
  });
  await untilReadable(parts.warehouse, new Map(moved));
  return orders.map((order) => outcomeOf(order, answers.get(causeFor(cause, order)) ?? null));
}

const readableMilliseconds = 5_000;
const lookMilliseconds = 15;

/** What was just done stands in the lists that the next request reads; after some seconds it goes on without. */
async function untilReadable(warehouse: AskParts['warehouse'], sequences: ReadonlyMap<string, number>): Promise<void> {
  let missing = [...sequences.keys()];
  for (const end = performance.now() + readableMilliseconds; missing.length > 0 && performance.now() < end;) {
    const versions = await warehouse.versionsOf(missing);
    missing = missing.filter((key) => (versions.get(key) ?? 0) < (sequences.get(key) ?? 0));
    if (missing.length > 0) await new Promise((resolve) => setTimeout(resolve, lookMilliseconds));
  }
}

function outcomeOf({ store, order }: OrderUnits, entries: readonly JournalEntry<ReservationEntry>[] | null): Outcome {
  const about = { store, order, units: [], reason: null, detail: null };
  if (entries === null) return { ...about, status: 'pending' };
  const refused = entries.map(({ data }) => data).find((data) => data.type === 'refused');
  if (refused?.type === 'refused') {
    const at = refused.line === null ? '' : ` (line ${refused.line})`;
    return { ...about, status: 'refused', reason: refused.refused, detail: `${refusals[refused.refused]}${at}` };
  }
  return { ...about, status: 'done', units: entries.flatMap(({ data }) => unitsIn(data)) };
}

/** What a command itself moved; what a label took at once after it is an Auto Pick of that label. */
const unitsIn = (entry: ReservationEntry): Outcome['units'] =>
  'lines' in entry && entry.type !== 'picked' ? entry.lines.map(({ line, quantity }) => ({ line, sku: entry.sku, quantity })) : [];

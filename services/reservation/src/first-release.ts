import type { LineUnits, User } from '@evenkeel/contracts';
import type { Facts, HeldLine, Reservation, ReservationEntry } from './domain.ts';

/** A row as version 0.1.0 wrote it: what was reserved and released it knew by SKU alone, and nothing of what the order says. */
type FirstEntry = { readonly orderSequence: number } & (
  | { readonly type: 'unchanged' }
  | { readonly type: 'reserved' | 'released'; readonly sku: string; readonly quantity: number; readonly user: User }
  | {
      readonly type: 'picked';
      readonly sku: string;
      readonly label: string | null;
      readonly location: string | null;
      readonly user: User;
      readonly lines: readonly LineUnits[];
    }
);

const isFirst = (entry: ReservationEntry | FirstEntry): entry is FirstEntry => 'orderSequence' in entry;

/** What is reserved of a SKU and of no known line stands on a line of that name, until the next order event says whose it is. */
const placeholder = (sku: string): string => `any line of ${sku}`;

/**
 * An entry as it is written now. Its order event counts as not yet seen: when it comes again, as the newest of every order does in time, it finds the
 * same units and says which lines have them.
 */
export function asWrittenNow(held: Reservation, entry: ReservationEntry | FirstEntry): ReservationEntry {
  if (!isFirst(entry)) return entry;
  const { orderSequence, ...change } = entry;
  const facts = factsAfter(held.facts, orderSequence - 1, entry);
  if (change.type === 'unchanged') return { ...change, facts };
  const lines = change.type === 'picked' ? change.lines : [{ line: placeholder(change.sku), quantity: change.quantity }];
  const moving = { sku: change.sku, quantity: lines.reduce((sum, { quantity }) => sum + quantity, 0), lines, user: change.user };
  const reserved = change.type === 'reserved' ? moving.quantity : -moving.quantity;
  const holds = withReserve(held, change.sku, reserved);
  if (change.type === 'reserved') return { ...moving, type: 'reserved', holds, facts };
  if (change.type !== 'picked') return { ...moving, type: change.type, fromBatchReserve: 0, holds, facts };
  const { label, location } = change;
  const picked = lines.reduce((after, units) => withPick(after, change.sku, label, units), holds);
  return { ...moving, type: 'picked', label, location, fromBatchReserve: 0, holds: picked, facts };
}

const empty = (line: string, sku: string): HeldLine => ({ line, sku, orderReserve: 0, batches: [], picked: [] });

function withReserve({ lines }: Reservation, sku: string, units: number): HeldLine[] {
  const own = lines.filter((line) => line.sku === sku);
  const name = placeholder(sku);
  const all = own.some(({ line }) => line === name) ? own : [...own, empty(name, sku)];
  return all.map((line) => (line.line === name ? { ...line, orderReserve: line.orderReserve + units } : line));
}

function withPick(lines: readonly HeldLine[], sku: string, label: string | null, { line: name, quantity }: LineUnits): HeldLine[] {
  const all = lines.some(({ line }) => line === name) ? lines : [...lines, empty(name, sku)];
  return all.map((line) => {
    if (line.line !== name) return line;
    const before = line.picked.find((pick) => pick.label === label)?.quantity ?? 0;
    const others = line.picked.filter((pick) => pick.label !== label);
    return { ...line, picked: [...others, { label, batch: null, quantity: before + quantity, toPutBack: 0 }] };
  });
}

/** As far as picks say: so that a void, or a shipment that is taken back, finds what it reverses. */
function factsAfter(before: Facts | null, sequence: number, entry: FirstEntry): Facts {
  const facts = { marketplace: '', name: '', lines: [], labels: [], ...before, sequence };
  if (entry.type !== 'picked') return facts;
  const { label, location, user, sku, lines } = entry;
  if (label === null) {
    const shipped = lines.map(({ line, quantity }) => ({ line, sku, wanted: quantity, fulfilled: quantity }));
    const summed = shipped.map((units) => {
      const known = facts.lines.find((other) => other.line === units.line);
      return known ? { ...units, wanted: known.wanted + units.wanted, fulfilled: known.fulfilled + units.fulfilled } : units;
    });
    return { ...facts, lines: [...facts.lines.filter(({ line }) => !lines.some((other) => other.line === line)), ...summed] };
  }
  const known = facts.labels.find((other) => other.label === label);
  const one = { label, location, user, voidedBy: null, lines: [...(known?.lines ?? []), ...lines] };
  return { ...facts, labels: [...facts.labels.filter((other) => other.label !== label), one] };
}

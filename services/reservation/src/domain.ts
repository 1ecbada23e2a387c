import type {
  Label,
  OrderChanged,
  OrderLine,
  OrderReference,
  UnitsAutoPicked,
  UnitsReleased,
  UnitsReserved,
  User,
} from '@evenkeel/contracts';

/** Units of one line that were deducted, for one label or by the marketplace's word alone. */
export interface Picked {
  readonly line: string;
  readonly sku: string;
  /** Null: the marketplace reported them shipped, and no label had them. */
  readonly label: string | null;
  readonly quantity: number;
}

/** What an order holds of the stock. */
export interface Reservation {
  /** Sequence of the last order event that was acted on. */
  readonly orderSequence: number;
  /** Units promised and not yet deducted; two lines of one SKU are one reservation of their sum. */
  readonly open: readonly { readonly sku: string; readonly quantity: number }[];
  /** At most one of each line and label. */
  readonly picked: readonly Picked[];
}

/** An order that holds nothing. */
export const nothingReserved: Reservation = { orderSequence: 0, open: [], picked: [] };

/** A row of the reservation's journal: it publishes exactly one event, or nothing changed. */
export type ReservationEntry = { readonly orderSequence: number } & (
  | { readonly type: 'unchanged' }
  | { readonly type: 'reserved' | 'released'; readonly sku: string; readonly quantity: number; readonly user: User }
  | {
      readonly type: 'picked';
      readonly sku: string;
      readonly label: string | null;
      readonly location: string | null;
      readonly user: User;
      readonly lines: readonly { readonly line: string; readonly quantity: number }[];
    }
);
type Change = ReservationEntry extends infer Entry ? (Entry extends ReservationEntry ? Omit<Entry, 'orderSequence'> : never) : never;

/** True where the order event, or a later one of the order, has been acted on. */
export const hasSeen = ({ orderSequence }: Reservation, { sequence }: OrderChanged): boolean => sequence <= orderSequence;

const sumOf = (quantities: readonly { readonly quantity: number }[]): number => quantities.reduce((sum, { quantity }) => sum + quantity, 0);

/** Units of a SKU that the order holds. */
export const openOf = ({ open }: Reservation, sku: string): number => open.find((other) => other.sku === sku)?.quantity ?? 0;

const pickedOf = ({ picked }: Reservation, line: string): number => sumOf(picked.filter((other) => other.line === line));

const onLabel = (label: Label, line: string): number => sumOf(label.lines.filter((other) => other.line === line));

/** What is to become of one line. */
interface Wanted {
  /** Units that were picked before. */
  readonly picked: number;
  /** Units that are to be deducted in all: the greater of what is on labels and what the marketplace says is fulfilled. */
  readonly deducted: number;
  /** Units that must have been reserved in all. A cancelled unit that was picked stays so: it is to be put back by a person. */
  readonly total: number;
}

function wantedOf(held: Reservation, { labels }: OrderChanged, line: OrderLine): Wanted {
  const picked = pickedOf(held, line.line);
  const onLabels = labels.reduce((sum, label) => sum + onLabel(label, line.line), 0);
  const deducted = Math.max(onLabels, line.fulfilled);
  return { picked, deducted, total: Math.max(line.quantity - line.cancelled, deducted, picked) };
}

/**
 * What the whole order, as it stands now, changes against what is held: so that any later event repairs a lost or a swapped one. SKU by SKU:
 * first what is reserved more or less, then what is picked. Lines without a SKU wait until they have one.
 */
export function decideOrder(held: Reservation, order: OrderChanged): readonly [ReservationEntry, ...ReservationEntry[]] {
  const lines = Map.groupBy(
    order.lines.filter(({ sku }) => sku !== null),
    ({ sku }) => sku as string,
  );
  const skus = new Set([...lines.keys(), ...held.open.map(({ sku }) => sku)]);
  const [first, ...more] = [...skus].flatMap((sku) => changesOf(held, order, sku, lines.get(sku) ?? []));
  const entry = (change: Change): ReservationEntry => ({ ...change, orderSequence: order.sequence });
  return [entry(first ?? { type: 'unchanged' }), ...more.map(entry)];
}

function changesOf(held: Reservation, order: OrderChanged, sku: string, lines: readonly OrderLine[]): Change[] {
  const wanted = lines.map((line) => ({ line: line.line, ...wantedOf(held, order, line) }));
  const user: User = { kind: 'marketplace', id: order.marketplace };
  const difference = wanted.reduce((sum, { total, picked }) => sum + total - picked, 0) - openOf(held, sku);
  const changes: Change[] = [];
  if (difference > 0) changes.push({ type: 'reserved', sku, quantity: difference, user });
  if (difference < 0) changes.push({ type: 'released', sku, quantity: -difference, user });
  return [...changes, ...picksOf(held, order, sku, wanted)];
}

/** Who deducts: labels with units not yet deducted, oldest first; the marketplace for the rest. One entry per label. */
function picksOf(held: Reservation, order: OrderChanged, sku: string, wanted: readonly (Wanted & { line: string })[]): Change[] {
  const due = new Map(wanted.map(({ line, deducted, picked }) => [line, Math.max(0, deducted - picked)]));
  const take = (line: string, most: number) => {
    const quantity = Math.min(due.get(line) ?? 0, most);
    due.set(line, (due.get(line) ?? 0) - quantity);
    return { line, quantity };
  };
  const byLabel = order.labels.map((label): Change => {
    const before = (line: string) => sumOf(held.picked.filter((other) => other.line === line && other.label === label.label));
    const lines = wanted.map(({ line }) => take(line, Math.max(0, onLabel(label, line) - before(line))));
    return { type: 'picked', sku, label: label.label, location: label.location, user: label.user, lines };
  });
  const lines = wanted.map(({ line }) => take(line, Infinity));
  const byMarketplace: Change = {
    type: 'picked',
    sku,
    label: null,
    location: null,
    user: { kind: 'marketplace', id: order.marketplace },
    lines,
  };
  return [...byLabel, byMarketplace].map(withoutZeros).filter((change) => change.type !== 'picked' || change.lines.length > 0);
}

const withoutZeros = (change: Change): Change =>
  change.type === 'picked' ? { ...change, lines: change.lines.filter(({ quantity }) => quantity > 0) } : change;

/** The reservation after an entry. */
export function evolve(held: Reservation, entry: ReservationEntry): Reservation {
  const { orderSequence } = entry;
  switch (entry.type) {
    case 'unchanged':
      return { ...held, orderSequence };
    case 'reserved':
      return { ...held, orderSequence, open: withOpen(held, entry.sku, entry.quantity) };
    case 'released':
      return { ...held, orderSequence, open: withOpen(held, entry.sku, -entry.quantity) };
    case 'picked':
      return { orderSequence, open: withOpen(held, entry.sku, -sumOf(entry.lines)), picked: withPicked(held, entry) };
  }
}

function withOpen(held: Reservation, sku: string, change: number): Reservation['open'] {
  const next = { sku, quantity: openOf(held, sku) + change };
  const others = held.open.filter((other) => other.sku !== sku);
  return next.quantity === 0 ? others : [...others, next];
}

function withPicked({ picked }: Reservation, { sku, label, lines }: Extract<ReservationEntry, { type: 'picked' }>): readonly Picked[] {
  const sums = lines.map(({ line, quantity }) => {
    const before = picked.find((other) => other.line === line && other.label === label)?.quantity ?? 0;
    return { line, sku, label, quantity: before + quantity };
  });
  const isSummed = (one: Picked) => one.label === label && lines.some(({ line }) => line === one.line);
  return [...picked.filter((one) => !isSummed(one)), ...sums];
}

export type ReservationEvent =
  | { readonly type: 'UnitsReserved'; readonly data: UnitsReserved }
  | { readonly type: 'UnitsReleased'; readonly data: UnitsReleased }
  | { readonly type: 'UnitsAutoPicked'; readonly data: UnitsAutoPicked };

/** The event that tells stock of an entry; null where nothing changed. */
export function eventOf(
  tenant: string,
  order: OrderReference,
  { sequence, at, data: entry }: { readonly sequence: number; readonly at: number; readonly data: ReservationEntry },
): ReservationEvent | null {
  if (entry.type === 'unchanged') return null;
  const { sku, user } = entry;
  const about = { tenant, sku, order, sequence, user, at };
  switch (entry.type) {
    case 'reserved':
      return { type: 'UnitsReserved', data: { ...about, quantity: entry.quantity } };
    case 'released':
      return { type: 'UnitsReleased', data: { ...about, quantity: entry.quantity, fromBatchReserve: 0 } };
    case 'picked': {
      const { label, location, lines } = entry;
      return { type: 'UnitsAutoPicked', data: { ...about, quantity: sumOf(lines), fromBatchReserve: 0, location, label } };
    }
  }
}

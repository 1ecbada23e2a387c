import type {
  CreateLabel,
  Label,
  LabelLine,
  LabelVoid,
  MarketplaceOrderRead,
  OrderChanged,
  OrderLine,
  User,
  VoidLabel,
} from '@evenkeel/contracts';

/** Above these an order is not believed: its numbers would be somebody's mistake, and ours to carry. */
export const mostUnits = 1_000_000;
export const mostLines = 2_000;
/**
 * Characters of an order's labels as JSON, up to which another one is made, and one is voided: an order is told whole each time, and what is too large
 * for a record could never be told again.
 */
const mostLabelText = 250_000;
/** With room for a void of each. */
const mostVoidText = 550_000;

/** An order as it stands; sequence and time are those of the entry that made it so. */
export type Order = Omit<OrderChanged, 'tenant' | 'store' | 'order' | 'sequence' | 'at'>;

export interface OrderState {
  /** Null until the marketplace has told of it. */
  readonly order: Order | null;
  /** Of the entry that changed it last: enough to publish it again, byte for byte. */
  readonly newest: { readonly sequence: number; readonly at: number; readonly correlation: string };
}

/** An order that nobody has heard of. */
export const unknownOrder: OrderState = { order: null, newest: { sequence: 0, at: 0, correlation: '' } };

/** Why a read order is not believed. */
export type ReadRefusal = 'absurd_quantity' | 'too_many_lines' | 'line_twice';
/** Why there is no label. */
export type LabelRefusal =
  'unknown_order' | 'unknown_line' | 'nothing_left' | 'more_than_left' | 'absurd_quantity' | 'shipped_by_marketplace' | 'too_many_labels';
/** Why a label stays as it is. */
export type VoidRefusal =
  'unknown_order' | 'unknown_label' | 'not_on_label' | 'nothing_on_label' | 'more_than_on_label' | 'absurd_quantity' | 'too_many_voids';

/** A row of the order's journal. */
export type OrderEntry =
  /** `first`: the order is seen for the first time. */
  | { readonly type: 'changed'; readonly first: boolean; readonly order: Omit<Order, 'labels'> }
  /** Nothing in it is new. */
  | { readonly type: 'unchanged' }
  /** Older than what is known. */
  | { readonly type: 'stale'; readonly updatedAt: number }
  | { readonly type: 'read_refused'; readonly refused: ReadRefusal }
  | { readonly type: 'labelled'; readonly label: Label }
  | { readonly type: 'label_refused'; readonly refused: LabelRefusal; readonly user: User }
  | { readonly type: 'voided'; readonly label: string; readonly void: LabelVoid }
  | { readonly type: 'void_refused'; readonly label: string; readonly refused: VoidRefusal; readonly user: User };

const unitsOf = (lines: readonly LabelLine[], line: string): number =>
  lines.reduce((sum, other) => sum + (other.line === line ? other.quantity : 0), 0);

/** Units of a line on a label, without those that were voided. */
export const onLabel = ({ lines, voids }: Label, line: string): number =>
  voids.reduce((units, voided) => units - unitsOf(voided.lines, line), unitsOf(lines, line));

/** Units of a line on labels. */
export const labelled = ({ labels }: Pick<Order, 'labels'>, line: string): number =>
  labels.reduce((sum, label) => sum + onLabel(label, line), 0);

/**
 * Units of a line that a label may still cover: neither cancelled, labelled nor shipped by the marketplace's word; none where the marketplace
 * ships it from its own warehouse.
 */
export function left(order: Order, { line, quantity, cancelled, fulfilled, shippedBefore, fulfilledBy }: OrderLine): number {
  if (fulfilledBy === 'marketplace') return 0;
  return Math.max(0, quantity - cancelled - shippedBefore - Math.max(labelled(order, line), fulfilled - shippedBefore));
}

/** Units of a line that leave our stock in all. */
export const taken = ({ quantity, cancelled, fulfilled, shippedBefore, fulfilledBy }: OrderLine): number =>
  fulfilledBy === 'marketplace' ? 0 : Math.max(0, quantity - cancelled - shippedBefore, fulfilled - shippedBefore);

/** Lines of which units leave our stock, and nobody knows which product: their listing is not mapped. */
export const unmappedLines = ({ lines }: Pick<Order, 'lines'>): readonly OrderLine[] =>
  lines.filter((line) => line.sku === null && taken(line) > 0);

/** Open: units are neither cancelled, on a label, nor reported as shipped. Cancelled: nothing of it ever leaves. */
export type Standing = 'open' | 'shipped' | 'cancelled';

export function standingOf(order: Pick<Order, 'lines' | 'labels'>): Standing {
  const isOpen = ({ line, quantity, cancelled, fulfilled, shippedBefore }: OrderLine) =>
    quantity - cancelled - shippedBefore > Math.max(labelled(order, line), fulfilled - shippedBefore);
  if (order.lines.some(isOpen)) return 'open';
  return order.lines.some(({ quantity, cancelled, fulfilled }) => quantity > cancelled || fulfilled > 0) ? 'shipped' : 'cancelled';
}

/**
 * What the marketplace says against what is known: the newest by its update time wins. At equal times nothing falls, so that it doesn't matter
 * which of two reads of one second comes first. A line that is gone counts as wholly cancelled.
 */
export function decideRead({ order: known }: OrderState, read: MarketplaceOrderRead): OrderEntry {
  const refused = readRefusal(read);
  if (refused) return { type: 'read_refused', refused };
  if (known && read.updatedAt < known.updatedAt) return { type: 'stale', updatedAt: read.updatedAt };
  const order = merge(known, read);
  return known && isSame(known, order) ? { type: 'unchanged' } : { type: 'changed', first: known === null, order };
}

function readRefusal({ lines }: MarketplaceOrderRead): ReadRefusal | null {
  if (lines.length > mostLines) return 'too_many_lines';
  if (new Set(lines.map(({ line }) => line)).size < lines.length) return 'line_twice';
  const isNoCount = (units: number) => !Number.isInteger(units) || units < 0 || units > mostUnits;
  return lines.some(({ quantity, cancelled, fulfilled }) => [quantity, cancelled, fulfilled].some(isNoCount)) ? 'absurd_quantity' : null;
}

function merge(known: Order | null, read: MarketplaceOrderRead): Omit<Order, 'labels'> {
  const { marketplace, name, placedAt, updatedAt } = read;
  const isSameTime = known?.updatedAt === updatedAt;
  const cancelledAt = read.cancelledAt ?? (isSameTime ? known.cancelledAt : null);
  const told = new Map(read.lines.map((line) => [line.line, line]));
  const before = new Map(known?.lines.map((line) => [line.line, line]));
  const first = known ? (line: OrderLine) => line : (line: OrderLine) => firstSight(line, read);
  const lines = [
    ...(known?.lines ?? []).map((line) => mergeLine(line, told.get(line.line), isSameTime)),
    ...read.lines.filter(({ line }) => !before.has(line)).map((line) => first(mergeLine(undefined, line, false))),
  ];
  return {
    marketplace,
    name,
    placedAt,
    updatedAt,
    cancelledAt,
    lines: cancelledAt === null ? lines : lines.map(cancelLeft),
  };
}

/** One line as it was known, and as it is told now; one of both there is. The SKU stays with the first that was known. */
function mergeLine(known: OrderLine | undefined, told: OrderLine | undefined, isSameTime: boolean): OrderLine {
  if (!told) {
    const gone = known as OrderLine;
    return { ...gone, cancelled: gone.quantity };
  }
  const floor = isSameTime && known ? known : { quantity: 0, cancelled: 0, fulfilled: 0 };
  const quantity = Math.max(told.quantity, floor.quantity);
  const fulfilled = Math.min(quantity, Math.max(told.fulfilled, floor.fulfilled));
  return {
    line: told.line,
    listing: told.listing ?? known?.listing ?? null,
    sku: known?.sku ?? told.sku,
    quantity,
    cancelled: Math.min(quantity, Math.max(told.cancelled, floor.cancelled)),
    fulfilled,
    // What is refunded, or reported as shipped no longer, is not among what had shipped before: the rest of the line stays as it is.
    shippedBefore: Math.min(known?.shippedBefore ?? told.shippedBefore, fulfilled),
    fulfilledBy: told.fulfilledBy,
  };
}

/** Of an order that was placed before its store was connected, what has shipped by the time it is first seen never stood in our stock. */
function firstSight(line: OrderLine, { placedAt, connectedAt }: MarketplaceOrderRead): OrderLine {
  return connectedAt !== null && placedAt < connectedAt ? { ...line, shippedBefore: line.fulfilled } : line;
}

/** The whole order was cancelled: whatever the marketplace does not report as shipped is, on a label or not. */
function cancelLeft(line: OrderLine): OrderLine {
  return { ...line, cancelled: Math.max(line.cancelled, line.quantity - line.fulfilled) };
}

const headOf = ({ marketplace, name, placedAt, updatedAt, cancelledAt }: Omit<Order, 'labels'>) =>
  [marketplace, name, placedAt, updatedAt, cancelledAt] as const;
const lineOf = ({ line, listing, sku, quantity, cancelled, fulfilled, shippedBefore, fulfilledBy }: OrderLine) =>
  [line, listing, sku, quantity, cancelled, fulfilled, shippedBefore, fulfilledBy] as const;

/** By value; a merge keeps the order of the lines. */
function isSame(one: Omit<Order, 'labels'>, other: Omit<Order, 'labels'>): boolean {
  const text = (order: Omit<Order, 'labels'>) => JSON.stringify([headOf(order), order.lines.map(lineOf)]);
  return text(one) === text(other);
}

/** A label for what is asked, or for all that is left. Its id is made from the command's, so that a repeat names the same label. */
export function decideLabel({ order }: OrderState, { lines: asked, location, user }: CreateLabel, label: string): OrderEntry {
  const refuse = (refused: LabelRefusal): OrderEntry => ({ type: 'label_refused', refused, user });
  if (!order) return refuse('unknown_order');
  const lines = asked === null ? allLeft(order) : summed(asked);
  const refused = labelRefusal(order, lines) ?? (isBeyond(mostLabelText, order.labels, lines) ? 'too_many_labels' : null);
  return refused ? refuse(refused) : { type: 'labelled', label: { label, location, user, lines, voids: [] } };
}

const isBeyond = (most: number, labels: readonly Label[], lines: readonly LabelLine[]): boolean =>
  JSON.stringify([labels, lines]).length > most;

const allLeft = (order: Order): LabelLine[] =>
  order.lines.map((line) => ({ line: line.line, quantity: left(order, line) })).filter(({ quantity }) => quantity > 0);

/** A line that is asked for twice is asked for once, with the sum. */
function summed(asked: readonly LabelLine[]): LabelLine[] {
  const sums = new Map<string, number>();
  for (const { line, quantity } of asked) sums.set(line, (sums.get(line) ?? 0) + quantity);
  return [...sums].map(([line, quantity]) => ({ line, quantity }));
}

function labelRefusal(order: Order, lines: readonly LabelLine[]): LabelRefusal | null {
  if (lines.length === 0) return 'nothing_left';
  for (const { line, quantity } of lines) {
    const known = order.lines.find((other) => other.line === line);
    if (!known) return 'unknown_line';
    if (isAbsurd(quantity)) return 'absurd_quantity';
    if (known.fulfilledBy === 'marketplace') return 'shipped_by_marketplace';
    const units = left(order, known);
    if (units === 0) return 'nothing_left';
    if (quantity > units) return 'more_than_left';
  }
  return null;
}

const isAbsurd = (quantity: number): boolean => !Number.isInteger(quantity) || quantity < 1 || quantity > mostUnits;

/** Takes back what is asked for of a label, or all that is left on it. */
export function decideVoid({ order }: OrderState, { label: id, lines: asked, user }: VoidLabel): OrderEntry {
  const refuse = (refused: VoidRefusal): OrderEntry => ({ type: 'void_refused', label: id, refused, user });
  if (!order) return refuse('unknown_order');
  const label = order.labels.find((other) => other.label === id);
  if (!label) return refuse('unknown_label');
  const lines = asked === null ? allOn(label) : summed(asked);
  const refused = voidRefusal(label, lines) ?? (isBeyond(mostVoidText, order.labels, lines) ? 'too_many_voids' : null);
  return refused ? refuse(refused) : { type: 'voided', label: id, void: { user, lines } };
}

const allOn = (label: Label): LabelLine[] =>
  label.lines.map(({ line }) => ({ line, quantity: onLabel(label, line) })).filter(({ quantity }) => quantity > 0);

function voidRefusal(label: Label, lines: readonly LabelLine[]): VoidRefusal | null {
  if (lines.length === 0) return 'nothing_on_label';
  for (const { line, quantity } of lines) {
    if (!label.lines.some((other) => other.line === line)) return 'not_on_label';
    if (isAbsurd(quantity)) return 'absurd_quantity';
    const units = onLabel(label, line);
    if (units === 0) return 'nothing_on_label';
    if (quantity > units) return 'more_than_on_label';
  }
  return null;
}

interface SequencedEntry {
  readonly sequence: number;
  readonly at: number;
  readonly correlation: string;
  readonly data: OrderEntry;
}

/** The order after an entry. */
export function evolve(state: OrderState, { sequence, at, correlation, data }: SequencedEntry): OrderState {
  const newest = { sequence, at, correlation };
  switch (data.type) {
    case 'changed':
      return { order: { ...data.order, lines: data.order.lines.map(asNow), labels: state.order?.labels ?? [] }, newest };
    case 'labelled': {
      const label = { ...data.label, voids: data.label.voids ?? [] };
      return { order: state.order && { ...state.order, labels: [...state.order.labels, label] }, newest };
    }
    case 'voided':
      return { order: state.order && { ...state.order, labels: withVoid(state.order.labels, data) }, newest };
    case 'unchanged':
    case 'stale':
    case 'read_refused':
    case 'label_refused':
    case 'void_refused':
      return state;
  }
}

/** Journals of the first release know neither of these, nor a label's voids. */
const asNow = (line: OrderLine): OrderLine => ({
  ...line,
  shippedBefore: line.shippedBefore ?? 0,
  fulfilledBy: line.fulfilledBy ?? 'seller',
});

const withVoid = (labels: readonly Label[], { label: id, void: voided }: Extract<OrderEntry, { type: 'voided' }>): readonly Label[] =>
  labels.map((label) => (label.label === id ? { ...label, voids: [...label.voids, voided] } : label));

/** The record of the whole order in order.events.v1; null while it is unknown. */
export function changedOf(
  [tenant, store, order]: readonly [tenant: string, store: string, order: string],
  state: OrderState,
): OrderChanged | null {
  if (!state.order) return null;
  const { marketplace, name, placedAt, updatedAt, cancelledAt, lines, labels } = state.order;
  const { sequence, at } = state.newest;
  return { tenant, store, marketplace, order, name, sequence, placedAt, updatedAt, cancelledAt, lines, labels, at };
}

import type {
  Events,
  OrderReference,
  PutAwayUnits,
  Quantities,
  QuantityChange,
  SetProduct,
  StockLevelChanged,
  StockMoved,
  UnitsAssignedToBatch,
  UnitsAutoPicked,
  UnitsBatchPicked,
  UnitsMissing,
  UnitsPutBack,
  UnitsReleased,
  UnitsReleasedFromBatch,
  UnitsReserved,
  UnitsUnpicked,
  UpdateStock,
} from '@evenkeel/contracts';

/** Raised only when the ledger's database was restored from a backup. */
export const ledgerEpoch = 1;
/** Where units are taken when nobody says where, and the product names no other place. */
export const defaultLocation = 'default';
/** Far above any shelf, and On Hand with both reserves still fits what the events carry. */
export const mostOnHand = 1_000_000_000;
export const mostLocations = 200;

export type Refusal = 'on_hand_changed' | 'negative' | 'too_large' | 'too_many_locations' | 'still_in_use';

/** What a product is called and how it is kept. */
export type Product = Pick<SetProduct, 'title' | 'defaultLocation' | 'lowStockAtOrBelow' | 'retired'>;

/** One row of a SKU's ledger; sequence, cause and time are the journal's. Refusals are rows too: before = after. */
export interface LedgerRow extends Pick<StockMoved, 'type' | 'reason' | 'location' | 'locationOnHand' | 'order' | 'counted' | 'user'> {
  readonly refused: Refusal | null;
  readonly change: QuantityChange;
  readonly after: Quantities;
  // Only where there is one: most rows have none of these, and the ledger is kept for ever.
  readonly batch?: string;
  readonly label?: string;
  readonly reverses?: string;
  readonly purchaseOrder?: string;
  readonly product?: Product;
}

export interface SequencedRow {
  readonly sequence: number;
  readonly cause: string;
  readonly correlation: string;
  readonly at: number;
  readonly data: LedgerRow;
}

export interface SkuStock {
  readonly quantities: Quantities;
  readonly locations: readonly { readonly location: string; readonly onHand: number }[];
  readonly counted: boolean;
  readonly product: Product;
  /** Of the newest row: enough to publish the level again, byte for byte. */
  readonly newest: Pick<SequencedRow, 'sequence' | 'at' | 'correlation'>;
}

/** A SKU that nobody created: never counted, so its zeros say nothing. */
export const unknownSku: SkuStock = {
  quantities: { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 },
  locations: [],
  counted: false,
  product: { title: null, defaultLocation: null, lowStockAtOrBelow: null, retired: false },
  newest: { sequence: 0, at: 0, correlation: '' },
};

/** On Hand at one location; 0 where nothing was ever there. */
export const onHandAt = (sku: SkuStock, location: string): number =>
  sku.locations.find((other) => other.location === location)?.onHand ?? 0;

/** Where units are taken or put when nobody says where. */
const placeOf = ({ product }: SkuStock, location: string | null): string => location ?? product.defaultLocation ?? defaultLocation;

/** What a row says beside what follows from it. */
interface Move extends Pick<LedgerRow, 'type' | 'user'> {
  readonly onHand?: number;
  readonly orderReserve?: number;
  readonly batchReserve?: number;
  readonly reason?: string | null;
  readonly location?: string;
  readonly order?: OrderReference;
  readonly isCount?: boolean;
  readonly refused?: Refusal;
  /** What only some rows have. */
  readonly names?: Pick<LedgerRow, 'batch' | 'label' | 'reverses' | 'purchaseOrder' | 'product'>;
}

/** Available = On Hand − Order Reserve − Batch Reserve, here and nowhere else; never clamped. */
function rowOf(sku: SkuStock, move: Move): LedgerRow {
  const { onHand = 0, orderReserve = 0, batchReserve = 0, location = null } = move;
  const change = { onHand, orderReserve, batchReserve, available: onHand - orderReserve - batchReserve };
  const before = sku.quantities;
  const after = {
    onHand: before.onHand + change.onHand,
    orderReserve: before.orderReserve + change.orderReserve,
    batchReserve: before.batchReserve + change.batchReserve,
    available: before.available + change.available,
  };
  return {
    type: move.type,
    reason: move.reason ?? null,
    refused: move.refused ?? null,
    change,
    after,
    location,
    locationOnHand: location === null ? null : onHandAt(sku, location) + onHand,
    order: move.order ?? null,
    counted: sku.counted || (move.isCount ?? false),
    user: move.user,
    ...move.names,
  };
}

/** What the ledger is written from. */
export type StockInput =
  | 'UnitsReserved'
  | 'UnitsReleased'
  | 'UnitsAssignedToBatch'
  | 'UnitsReleasedFromBatch'
  | 'UnitsBatchPicked'
  | 'UnitsMissing'
  | 'UnitsAutoPicked'
  | 'UnitsUnpicked'
  | 'UnitsPutBack'
  | 'UpdateStock'
  | 'SetProduct'
  | 'PutAwayUnits';

export type StockEvent = { readonly [Name in StockInput]: { readonly type: Name; readonly data: Events[Name] } }[StockInput];

/** One event is one row. What reservation and purchasing tell is never refused: it has happened. */
export function decide(sku: SkuStock, event: StockEvent): LedgerRow {
  switch (event.type) {
    case 'UnitsReserved':
      return decideReserved(sku, event.data);
    case 'UnitsReleased':
      return decideReleased(sku, event.data);
    case 'UnitsAssignedToBatch':
      return decideAssigned(sku, event.data);
    case 'UnitsReleasedFromBatch':
      return decideReleasedFromBatch(sku, event.data);
    case 'UnitsBatchPicked':
      return decideBatchPicked(sku, event.data);
    case 'UnitsMissing':
      return decideMissing(sku, event.data);
    case 'UnitsAutoPicked':
      return decideAutoPicked(sku, event.data);
    case 'UnitsUnpicked':
      return decideUnpicked(sku, event.data);
    case 'UnitsPutBack':
      return decidePutBack(sku, event.data);
    case 'UpdateStock':
      return decideUpdate(sku, event.data);
    case 'SetProduct':
      return decideProduct(sku, event.data);
    case 'PutAwayUnits':
      return decidePutAway(sku, event.data);
  }
}

/** Reserved in full, whatever there is: what a marketplace has sold is never refused. */
export const decideReserved = (sku: SkuStock, { quantity, order, user }: UnitsReserved): LedgerRow =>
  rowOf(sku, { type: 'OrderReserve', orderReserve: quantity, order, user });

/** Units that are promised no longer, from whichever reserve held them. */
export const decideReleased = (sku: SkuStock, { quantity, fromBatchReserve, order, user }: UnitsReleased): LedgerRow =>
  rowOf(sku, { type: 'OrderRelease', orderReserve: fromBatchReserve - quantity, batchReserve: 0 - fromBatchReserve, order, user });

/** Promised as before, and now waiting to be picked. */
const decideAssigned = (sku: SkuStock, { quantity, batch, order, user }: UnitsAssignedToBatch): LedgerRow =>
  rowOf(sku, { type: 'BatchReserve', orderReserve: 0 - quantity, batchReserve: quantity, names: { batch }, order, user });

const decideReleasedFromBatch = (sku: SkuStock, { quantity, batch, order, user }: UnitsReleasedFromBatch): LedgerRow =>
  rowOf(sku, { type: 'BatchRelease', orderReserve: quantity, batchReserve: 0 - quantity, names: { batch }, order, user });

function decideBatchPicked(sku: SkuStock, { quantity, location, batch, order, user }: UnitsBatchPicked): LedgerRow {
  const change = { onHand: 0 - quantity, batchReserve: 0 - quantity };
  return rowOf(sku, { type: 'BatchPick', ...change, location: placeOf(sku, location), names: { batch }, order, user });
}

/** A short pick: the units are gone from the shelf, and the order is promised them all the same. */
function decideMissing(sku: SkuStock, { quantity, location, batch, order, user }: UnitsMissing): LedgerRow {
  const change = { onHand: 0 - quantity, orderReserve: quantity, batchReserve: 0 - quantity };
  return rowOf(sku, {
    type: 'StockUpdate',
    reason: 'short_pick',
    ...change,
    location: placeOf(sku, location),
    names: { batch },
    order,
    user,
  });
}

/** Units that left with a parcel. Their location may go below zero: the parcel exists. */
export function decideAutoPicked(sku: SkuStock, { quantity, fromBatchReserve, location, label, order, user }: UnitsAutoPicked): LedgerRow {
  const change = { onHand: 0 - quantity, orderReserve: fromBatchReserve - quantity, batchReserve: 0 - fromBatchReserve };
  return rowOf(sku, { type: 'AutoPick', ...change, location: placeOf(sku, location), names: labelled(label), order, user });
}

/** A deduction is taken back: on the shelf again, and promised as before. */
function decideUnpicked(sku: SkuStock, { quantity, location, label, reverses, order, user }: UnitsUnpicked): LedgerRow {
  const change = { onHand: quantity, orderReserve: quantity };
  return rowOf(sku, {
    type: 'AutoPick',
    ...change,
    location: placeOf(sku, location),
    names: { ...labelled(label), reverses },
    order,
    user,
  });
}

const labelled = (label: string | null) => (label === null ? {} : { label });

/** Picked, then cancelled, and now on the shelf again for anybody to buy. */
const decidePutBack = (sku: SkuStock, { quantity, location, order, user }: UnitsPutBack): LedgerRow =>
  rowOf(sku, { type: 'StockUpdate', reason: 'put_back', onHand: quantity, location: placeOf(sku, location), order, user });

/** Units of a purchase order are on the shelf: whoever put them there has counted them. */
function decidePutAway(sku: SkuStock, { quantity, location, purchaseOrder, user }: PutAwayUnits): LedgerRow {
  const about = { type: 'PurchaseReceiving', location: placeOf(sku, location), names: { purchaseOrder }, user } as const;
  if (sku.quantities.onHand + quantity > mostOnHand) return rowOf(sku, { ...about, refused: 'too_large' });
  return rowOf(sku, { ...about, onHand: quantity, isCount: true });
}

/** All of a product's settings at once. It is retired only when nothing of it is left, neither on a shelf nor promised. */
function decideProduct(sku: SkuStock, { title, defaultLocation: place, lowStockAtOrBelow, retired, user }: SetProduct): LedgerRow {
  const { orderReserve, batchReserve } = sku.quantities;
  const isInUse = sku.locations.some(({ onHand }) => onHand !== 0) || orderReserve !== 0 || batchReserve !== 0;
  if (retired && !sku.product.retired && isInUse) return rowOf(sku, { type: 'ProductChange', refused: 'still_in_use', user });
  return rowOf(sku, { type: 'ProductChange', names: { product: { title, defaultLocation: place, lowStockAtOrBelow, retired } }, user });
}

/**
 * On Hand at one location is set from what its user had seen to what is there. Refused only where that very number has changed since; reserves
 * that moved in between don't matter. The same value is recorded, and changes nothing. Without a reason it is a count.
 */
export function decideUpdate(sku: SkuStock, { location, seen, onHand, reason, user }: UpdateStock): LedgerRow {
  const about = { type: 'StockUpdate', reason, location, user } as const;
  const refused = refusalOf(sku, { location, seen, onHand });
  if (refused) return rowOf(sku, { ...about, refused });
  return rowOf(sku, { ...about, onHand: onHand - seen, isCount: reason === null });
}

function refusalOf(sku: SkuStock, { location, seen, onHand }: Pick<UpdateStock, 'location' | 'seen' | 'onHand'>): Refusal | null {
  if (onHand < 0) return 'negative';
  if (onHandAt(sku, location) !== seen) return 'on_hand_changed';
  if (Math.abs(sku.quantities.onHand + onHand - seen) > mostOnHand) return 'too_large';
  const isNew = !sku.locations.some((other) => other.location === location);
  return isNew && sku.locations.length >= mostLocations ? 'too_many_locations' : null;
}

/** The SKU after a row. */
export function evolve(sku: SkuStock, { sequence, at, correlation, data }: SequencedRow): SkuStock {
  return {
    quantities: data.after,
    locations: data.refused === null ? withLocation(sku.locations, data) : sku.locations,
    counted: data.counted,
    product: data.product ?? sku.product,
    newest: { sequence, at, correlation },
  };
}

function withLocation(locations: SkuStock['locations'], { location, locationOnHand }: LedgerRow): SkuStock['locations'] {
  if (location === null || locationOnHand === null) return locations;
  const next = { location, onHand: locationOnHand };
  const known = locations.some((other) => other.location === location);
  return known ? locations.map((other) => (other.location === location ? next : other)) : [...locations, next];
}

type Details = Readonly<Record<string, string>>;

/** More is promised than there is; who waits for it is read from the ledger. A SKU that was never counted may have any number of units. */
export function oversold({ counted, quantities }: SkuStock): Details | null {
  const { available, onHand, orderReserve, batchReserve } = quantities;
  if (!counted || available >= 0) return null;
  return { available: String(available), onHand: String(onHand), reserved: String(orderReserve + batchReserve) };
}

/** Time to buy more. */
export function lowStock({ counted, quantities: { available }, product: { lowStockAtOrBelow, retired } }: SkuStock): Details | null {
  if (!counted || retired || lowStockAtOrBelow === null || available > lowStockAtOrBelow) return null;
  return { available: String(available), lowStockAtOrBelow: String(lowStockAtOrBelow) };
}

/** Units were taken where there were none: they came from elsewhere, or somebody has miscounted. */
export function negativeOnHand({ counted, locations }: SkuStock): Details | null {
  const below = counted ? locations.filter(({ onHand }) => onHand < 0) : [];
  if (below.length === 0) return null;
  const [worst, ...others] = below.toSorted((one, other) => one.onHand - other.onHand) as [(typeof below)[number], ...typeof below];
  const details = { location: worst.location, onHand: String(worst.onHand) };
  if (others.length === 0) return details;
  return { ...details, alsoBelowZero: others.map(({ location, onHand }) => `${location} ${onHand}`).join(', ') };
}

interface Parts {
  readonly tenant: string;
  readonly sku: string;
}

/** The record of a row in stock.movements.v1. */
export function movedBy({ tenant, sku }: Parts, { sequence, cause, at, data }: SequencedRow): StockMoved {
  const { type, reason, refused, change, after, location, locationOnHand, order, counted, user } = data;
  const { batch = null, label = null, reverses = null, purchaseOrder = null } = data;
  const row = { type, reason, refused, change, after, location, locationOnHand, order, counted, user };
  return { tenant, sku, epoch: ledgerEpoch, sequence, ...row, cause, batch, label, reverses, purchaseOrder, at };
}

/** The record of the level in stock.levels.v1. */
export function levelOf({ tenant, sku }: Parts, { quantities, locations, counted, product, newest }: SkuStock): StockLevelChanged {
  const { sequence, at } = newest;
  const onHand = Object.fromEntries(locations.map((entry) => [entry.location, entry.onHand]));
  return { tenant, sku, epoch: ledgerEpoch, sequence, quantities, locations: onHand, counted, ...product, at };
}

/** How many movements a refusal tells of. */
export const mostMovementsSince = 100;

/** The rows, newest first and before a refusal, that took On Hand at its location away from what the user had seen. */
export function movementsSince<Row extends { readonly data: LedgerRow }>(
  newestFirst: Iterable<Row>,
  location: string,
  seen: number,
): Row[] {
  const since: Row[] = [];
  for (const row of newestFirst) {
    const { data } = row;
    if (data.location !== location || data.refused !== null) continue;
    if (data.locationOnHand === seen || since.length === mostMovementsSince) break;
    if (data.change.onHand !== 0) since.push(row);
  }
  return since;
}

/** Units of an order that are promised beyond what there is. */
export interface BeyondOnHand {
  readonly order: OrderReference;
  /** Of one reservation, what is neither released nor taken. */
  readonly reserved: number;
  /** How many of them there are not. */
  readonly short: number;
  readonly at: number;
}

/**
 * Walks a ledger from its newest row and finds whose units are short: the newest reservations that still stand, until `short` units are covered.
 * What an order gave up or took later is set against its newest reservations; units in a pick batch are promised as before.
 */
export function createShortfall(short: number) {
  const found: BeyondOnHand[] = [];
  /** By order, of what was read so far: units given up or taken (below zero), and brought back (above). */
  const settled = new Map<string, number>();
  let left = short;
  return {
    found,
    take({ at, data: { type, change, order } }: Pick<SequencedRow, 'at' | 'data'>): 'more' | 'enough' {
      const units = change.orderReserve + change.batchReserve;
      if (order === null || units === 0) return 'more';
      const key = JSON.stringify([order.store, order.order]);
      const before = settled.get(key) ?? 0;
      if (type !== 'OrderReserve') {
        settled.set(key, before + units);
        return 'more';
      }
      const reserved = Math.max(0, units + Math.min(0, before));
      settled.set(key, before < 0 ? Math.min(0, before + units) : before);
      if (reserved === 0) return 'more';
      found.push({ order, reserved, short: Math.min(reserved, left), at });
      left -= reserved;
      return left <= 0 ? 'enough' : 'more';
    },
  };
}

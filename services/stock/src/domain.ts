import type {
  IncidentChanged,
  OrderReference,
  Quantities,
  QuantityChange,
  StockLevelChanged,
  StockMoved,
  UnitsAutoPicked,
  UnitsReleased,
  UnitsReserved,
  UpdateStock,
} from '@evenkeel/contracts';

/** Raised only when the ledger's database was restored from a backup. */
export const ledgerEpoch = 1;
/** Where units are taken when nobody says where. */
export const defaultLocation = 'default';
/** Far above any shelf, and On Hand with both reserves still fits what the events carry. */
export const mostOnHand = 1_000_000_000;
export const mostLocations = 200;
/** Within this time an incident that comes back is the same one. */
export const sameIncidentMilliseconds = 3_600_000;

export type Refusal = 'on_hand_changed' | 'negative' | 'too_large' | 'too_many_locations';

/** One row of a SKU's ledger; sequence, cause and time are the journal's. Refusals are rows too: before = after. */
export interface LedgerRow extends Pick<StockMoved, 'type' | 'reason' | 'location' | 'locationOnHand' | 'order' | 'counted' | 'user'> {
  readonly refused: Refusal | null;
  readonly change: QuantityChange;
  readonly after: Quantities;
  /** What it did to the oversold incident. */
  readonly incident: 'opened' | 'closed' | null;
}

export interface SequencedRow {
  readonly sequence: number;
  readonly cause: string;
  readonly correlation: string;
  readonly at: number;
  readonly data: LedgerRow;
}

/** The SKU has promised more than it has. One incident, reopened rather than doubled within an hour. */
export interface Oversold extends Pick<IncidentChanged, 'state' | 'count' | 'openedAt' | 'closedAt' | 'details'> {
  /** Sequence, time and correlation of the row that opened or closed it. */
  readonly sequence: number;
  readonly at: number;
  readonly correlation: string;
}

export interface SkuStock {
  readonly quantities: Quantities;
  readonly locations: readonly { readonly location: string; readonly onHand: number }[];
  readonly counted: boolean;
  readonly oversold: Oversold | null;
  /** Of the newest row: enough to publish the level again, byte for byte. */
  readonly newest: Pick<SequencedRow, 'sequence' | 'at' | 'correlation'>;
}

/** A SKU that nobody created: never counted, so its zeros say nothing. */
export const unknownSku: SkuStock = {
  quantities: { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 },
  locations: [],
  counted: false,
  oversold: null,
  newest: { sequence: 0, at: 0, correlation: '' },
};

/** On Hand at one location; 0 where nothing was ever there. */
export const onHandAt = (sku: SkuStock, location: string): number =>
  sku.locations.find((other) => other.location === location)?.onHand ?? 0;

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
    incident: incidentAt(sku, after),
  };
}

function incidentAt({ oversold }: SkuStock, { available }: Quantities): LedgerRow['incident'] {
  const isOpen = oversold?.state === 'open';
  if (available < 0) return isOpen ? null : 'opened';
  return isOpen ? 'closed' : null;
}

/** Reserved in full, whatever there is: what a marketplace has sold is never refused. */
export const decideReserved = (sku: SkuStock, { quantity, order, user }: UnitsReserved): LedgerRow =>
  rowOf(sku, { type: 'OrderReserve', orderReserve: quantity, order, user });

/** Units that are promised no longer, from whichever reserve held them. */
export const decideReleased = (sku: SkuStock, { quantity, fromBatchReserve, order, user }: UnitsReleased): LedgerRow =>
  rowOf(sku, { type: 'OrderRelease', orderReserve: fromBatchReserve - quantity, batchReserve: 0 - fromBatchReserve, order, user });

/** Units that left with a parcel. Their location may go below zero: the parcel exists. */
export function decideAutoPicked(sku: SkuStock, { quantity, fromBatchReserve, location, order, user }: UnitsAutoPicked): LedgerRow {
  const change = { onHand: 0 - quantity, orderReserve: fromBatchReserve - quantity, batchReserve: 0 - fromBatchReserve };
  return rowOf(sku, { type: 'AutoPick', ...change, location: location ?? defaultLocation, order, user });
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
export function evolve(sku: SkuStock, row: SequencedRow): SkuStock {
  const { sequence, at, correlation, data } = row;
  return {
    quantities: data.after,
    locations: data.refused === null ? withLocation(sku.locations, data) : sku.locations,
    counted: data.counted,
    oversold: data.incident === null ? sku.oversold : oversoldBy(sku.oversold, row),
    newest: { sequence, at, correlation },
  };
}

function withLocation(locations: SkuStock['locations'], { location, locationOnHand }: LedgerRow): SkuStock['locations'] {
  if (location === null || locationOnHand === null) return locations;
  const next = { location, onHand: locationOnHand };
  const known = locations.some((other) => other.location === location);
  return known ? locations.map((other) => (other.location === location ? next : other)) : [...locations, next];
}

/** Times are the causes' own: a replay comes to the same incident. */
function oversoldBy(before: Oversold | null, { sequence, at, correlation, data }: SequencedRow): Oversold {
  const details = detailsOf(data);
  const moment = { sequence, at, correlation };
  if (data.incident === 'closed') {
    return { state: 'closed', count: before?.count ?? 1, openedAt: before?.openedAt ?? at, closedAt: at, details, ...moment };
  }
  const isSame = before !== null && before.closedAt !== null && at - before.closedAt <= sameIncidentMilliseconds;
  const { count, openedAt } = isSame ? { count: before.count + 1, openedAt: before.openedAt } : { count: 1, openedAt: at };
  return { state: 'open', count, openedAt, closedAt: null, details, ...moment };
}

/** What a person needs to act; the order is the newest one, whose units go beyond On Hand. */
function detailsOf({ after: { available, onHand, orderReserve, batchReserve }, order }: LedgerRow): Readonly<Record<string, string>> {
  const quantities = { available: String(available), onHand: String(onHand), reserved: String(orderReserve + batchReserve) };
  return order ? { ...quantities, store: order.store, order: order.order } : quantities;
}

interface Parts {
  readonly tenant: string;
  readonly sku: string;
}

/** The record of a row in stock.movements.v1. */
export function movedBy({ tenant, sku }: Parts, { sequence, cause, at, data }: SequencedRow): StockMoved {
  const { incident: _, ...row } = data;
  return { tenant, sku, epoch: ledgerEpoch, sequence, ...row, batch: null, label: null, reverses: null, purchaseOrder: null, cause, at };
}

/** The record of the level in stock.levels.v1. */
export function levelOf({ tenant, sku }: Parts, { quantities, locations, counted, newest: { sequence, at } }: SkuStock): StockLevelChanged {
  const onHand = Object.fromEntries(locations.map((entry) => [entry.location, entry.onHand]));
  return {
    tenant,
    sku,
    epoch: ledgerEpoch,
    sequence,
    quantities,
    locations: onHand,
    counted,
    title: null,
    defaultLocation: null,
    lowStockAtOrBelow: null,
    retired: false,
    at,
  };
}

/** The record of the incident in stock.incidents.v1. */
export function incidentOf({ tenant, sku }: Parts, { state, count, openedAt, closedAt, details, at }: Oversold): IncidentChanged {
  return { tenant, kind: 'oversold', subject: sku, state, count, openedAt, closedAt, details, at };
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

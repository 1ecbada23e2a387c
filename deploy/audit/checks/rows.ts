import type { LedgerRow, Quantities } from '../facts.ts';

const measures = ['onHand', 'orderReserve', 'batchReserve', 'available'] as const;
const names = { onHand: 'On Hand', orderReserve: 'Order Reserve', batchReserve: 'Batch Reserve', available: 'Available' } as const;

const none: Quantities = { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 };

/** Movements that take nothing from what can be sold and give nothing back: the units were promised before. */
const fulfilment = new Set(['AutoPick', 'BatchPick', 'BatchReserve', 'BatchRelease']);
const reserveOnly = new Set(['OrderReserve', 'OrderRelease', 'BatchReserve', 'BatchRelease']);

const formulaHolds = ({ onHand, orderReserve, batchReserve, available }: Quantities) => available === onHand - orderReserve - batchReserve;
const formula = ({ onHand, orderReserve, batchReserve, available }: Quantities) =>
  `Available ${available} is not On Hand ${onHand} − Order Reserve ${orderReserve} − Batch Reserve ${batchReserve}`;

/** What is wrong with a row taken by itself; null: nothing. */
export function faultOf({ after, change, refused, type }: LedgerRow): string | null {
  if (!formulaHolds(after)) return formula(after);
  if (!formulaHolds(change)) return `in its change, ${formula(change)}`;
  if (refused !== null && measures.some((measure) => change[measure] !== 0))
    return `it was refused (${refused}) and changed something all the same`;
  if (fulfilment.has(type) && change.available !== 0) return `a movement of type ${type} changed Available by ${change.available}`;
  if (reserveOnly.has(type) && change.onHand !== 0) return `a movement of type ${type} changed On Hand by ${change.onHand}`;
  return null;
}

/** Whether a row is a count: from the first one on, the SKU's quantities say something. */
const isCount = ({ type, reason, refused }: LedgerRow): boolean =>
  refused === null && ((type === 'StockUpdate' && reason === null) || type === 'PurchaseReceiving');

/** What a ledger stands at after a row. */
export interface Standing {
  readonly after: Quantities;
  readonly locations: ReadonlyMap<string, number>;
  readonly counted: boolean;
  readonly epoch: number;
}

export const opening: Standing = { after: none, locations: new Map(), counted: false, epoch: 0 };

/** Takes a row's own word for what is left; {@link breakBetween} says whether that follows from what was. */
export function standingAfter(before: Standing, row: LedgerRow): Standing {
  const { location, locationOnHand } = row;
  const locations =
    location === null || locationOnHand === null ? before.locations : new Map(before.locations).set(location, locationOnHand);
  return { after: row.after, locations, counted: row.counted, epoch: row.epoch };
}

/** Why a row does not follow from what stood before it; null: it does. */
export function breakBetween(before: Standing, row: LedgerRow): string | null {
  for (const measure of measures) {
    const due = before.after[measure] + row.change[measure];
    if (row.after[measure] !== due)
      return `${names[measure]} was ${before.after[measure]} and changed by ${row.change[measure]}, which makes ${due}, but it says ${row.after[measure]}`;
  }
  const { location, locationOnHand } = row;
  if (location !== null && locationOnHand !== null) {
    const due = (before.locations.get(location) ?? 0) + row.change.onHand;
    if (locationOnHand !== due) return `${due} should be left at ${location}, but it says ${locationOnHand}`;
  }
  if (row.counted !== (before.counted || isCount(row)))
    return row.counted ? 'it says that the SKU was counted before it ever was' : 'it says that the SKU was never counted, but it was';
  if (row.epoch < before.epoch) return `its ledger epoch ${row.epoch} is lower than the one before, ${before.epoch}`;
  return null;
}

/** The first thing that two tellings of one row say differently; null: they agree. */
export function differenceBetween(journal: LedgerRow, topic: LedgerRow): string | null {
  for (const part of ['after', 'change'] as const)
    for (const measure of measures)
      if (journal[part][measure] !== topic[part][measure])
        return `${names[measure]} ${part === 'after' ? 'left' : 'changed'}: ${journal[part][measure]} in the journal, ${topic[part][measure]} in the topic`;
  for (const field of ['cause', 'type', 'reason', 'refused', 'location', 'locationOnHand', 'counted', 'epoch'] as const)
    if (journal[field] !== topic[field]) return `${field}: ${String(journal[field])} in the journal, ${String(topic[field])} in the topic`;
  return null;
}

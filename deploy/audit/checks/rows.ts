import type { LedgerRow, Quantities } from '../facts.ts';

const measures = ['onHand', 'orderReserve', 'batchReserve', 'available'] as const;
const names = { onHand: 'On Hand', orderReserve: 'Order Reserve', batchReserve: 'Batch Reserve', available: 'Available' } as const;

const none: Quantities = { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 };

/** What a type of movement may do to On Hand, Order Reserve and Batch Reserve, in words and as a test; Available follows from the formula. */
interface Rule {
  readonly words: string;
  readonly holds: (onHand: number, orderReserve: number, batchReserve: number) => boolean;
}

const shelfOnly: Rule = { words: 'changes On Hand alone', holds: (_, order, batch) => order === 0 && batch === 0 };
const shelfGains: Rule = { words: 'adds to On Hand alone', holds: (shelf, order, batch) => shelf > 0 && order === 0 && batch === 0 };

const rules: Readonly<Record<string, Rule>> = {
  StockUpdate: shelfOnly,
  PurchaseReceiving: shelfGains,
  OrderReserve: { words: 'adds to the Order Reserve alone', holds: (shelf, order, batch) => shelf === 0 && order > 0 && batch === 0 },
  OrderRelease: {
    words: 'takes from the reserves alone',
    holds: (shelf, order, batch) => shelf === 0 && order <= 0 && batch <= 0 && order + batch < 0,
  },
  BatchReserve: {
    words: 'moves units from the Order Reserve into the Batch Reserve',
    holds: (shelf, order, batch) => shelf === 0 && batch > 0 && order === -batch,
  },
  BatchRelease: {
    words: 'moves units from the Batch Reserve into the Order Reserve',
    holds: (shelf, order, batch) => shelf === 0 && order > 0 && batch === -order,
  },
  BatchPick: {
    words: 'takes the same units from On Hand and from the Batch Reserve',
    holds: (shelf, order, batch) => shelf < 0 && order === 0 && batch === shelf,
  },
  AutoPick: {
    words: 'takes the same units from On Hand and from the reserves',
    holds: (shelf, order, batch) => shelf < 0 && order <= 0 && batch <= 0 && shelf === order + batch,
  },
  ProductChange: { words: 'changes no quantity', holds: (shelf, order, batch) => shelf === 0 && order === 0 && batch === 0 },
};

const reversal: Rule = {
  words: 'that takes a deduction back returns the same units to On Hand and to the Order Reserve',
  holds: (shelf, order, batch) => shelf > 0 && order === shelf && batch === 0,
};

/** Stock Updates that reservation asks for, by their reason; a person may give any reason, and then On Hand alone changes. */
const reserved: Readonly<Record<string, Rule>> = {
  short_pick: {
    words: 'for a short pick takes units from On Hand and from the Batch Reserve, and adds them to the Order Reserve',
    holds: (shelf, order, batch) => shelf < 0 && order === -shelf && batch === shelf,
  },
  put_back: shelfGains,
};

function ruleOf({ type, reason, reverses, cause }: LedgerRow): Rule | undefined {
  if (type === 'AutoPick' && reverses !== null) return reversal;
  if (type === 'StockUpdate' && isOfReservation(cause)) return reserved[reason ?? ''];
  return rules[type];
}

export const isOfReservation = (cause: string): boolean => cause.startsWith('reservation/');

const formulaHolds = ({ onHand, orderReserve, batchReserve, available }: Quantities) => available === onHand - orderReserve - batchReserve;
const formula = ({ onHand, orderReserve, batchReserve, available }: Quantities) =>
  `Available ${available} is not On Hand ${onHand} − Order Reserve ${orderReserve} − Batch Reserve ${batchReserve}`;

/** What is wrong with a row taken by itself; null: nothing. */
export function faultOf(row: LedgerRow): string | null {
  const { after, change, refused, type, reason, location } = row;
  if (!formulaHolds(after)) return formula(after);
  if (!formulaHolds(change)) return `in its change, ${formula(change)}`;
  if (refused !== null)
    return measures.some((measure) => change[measure] !== 0) ? `it was refused (${refused}) and changed something all the same` : null;
  const { onHand, orderReserve, batchReserve } = change;
  const rule = ruleOf(row);
  if (!rule) return `nobody knows what a movement of type ${type}${reason === null ? '' : ` with the reason ${reason}`} may change`;
  if (!rule.holds(onHand, orderReserve, batchReserve))
    return `a movement of type ${type} ${rule.words}, but On Hand changed by ${onHand}, Order Reserve by ${orderReserve}, Batch Reserve by ${batchReserve}`;
  if (onHand !== 0 && location === null) return `it changed On Hand by ${onHand} and names no location`;
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

const fields = [
  ...(['cause', 'type', 'reason', 'refused', 'location', 'locationOnHand', 'counted', 'epoch'] as const),
  ...(['batch', 'label', 'reverses', 'purchaseOrder'] as const),
];

/** The first thing that two tellings of one row say differently; null: they agree. */
export function differenceBetween(journal: LedgerRow, topic: LedgerRow): string | null {
  for (const part of ['after', 'change'] as const)
    for (const measure of measures)
      if (journal[part][measure] !== topic[part][measure])
        return `${names[measure]} ${part === 'after' ? 'left' : 'changed'}: ${journal[part][measure]} in the journal, ${topic[part][measure]} in the topic`;
  for (const field of fields)
    if (journal[field] !== topic[field]) return `${field}: ${String(journal[field])} in the journal, ${String(topic[field])} in the topic`;
  return null;
}

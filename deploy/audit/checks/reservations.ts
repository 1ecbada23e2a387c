import type {
  Facts,
  Finding,
  JournalDocument,
  JournalEntry,
  LedgerRow,
  ReservationEffect,
  ReservationEntry,
  ReservationKind,
} from '../facts.ts';
import { groupBy, highestOf, joinKey, nameKey } from '../keys.ts';
import { isOfReservation } from './rows.ts';

/** A reservation event, by the id that stock's ledger names as its cause. */
interface Reservation extends ReservationEffect {
  readonly id: string;
  readonly order: string;
  readonly key: string;
  readonly sequence: number;
}

/** What a ledger row must be that a reservation event has caused. */
interface Due {
  readonly type: string;
  readonly reason: string | null;
  readonly onHand: number;
  readonly orderReserve: number;
  readonly batchReserve: number;
}

/** Each kind with the row that it makes of q units, f of which leave the Batch Reserve: the table of how quantities move. */
const rowDue: Readonly<Record<ReservationKind, (q: number, f: number) => Due>> = {
  reserved: (q) => due('OrderReserve', 0, q, 0),
  released: (q, f) => due('OrderRelease', 0, f - q, 0 - f),
  assigned: (q) => due('BatchReserve', 0, 0 - q, q),
  unassigned: (q) => due('BatchRelease', 0, q, 0 - q),
  batchPicked: (q) => due('BatchPick', 0 - q, 0, 0 - q),
  missing: (q) => due('StockUpdate', 0 - q, q, 0 - q, 'short_pick'),
  autoPicked: (q, f) => due('AutoPick', 0 - q, f - q, 0 - f),
  unpicked: (q) => due('AutoPick', q, q, 0),
  putBack: (q) => due('StockUpdate', q, 0, 0, 'put_back'),
};

function due(type: string, onHand: number, orderReserve: number, batchReserve: number, reason: string | null = null): Due {
  return { type, reason, onHand, orderReserve, batchReserve };
}

const dueOf = ({ kind, quantity, fromBatchReserve }: ReservationEffect): Due => rowDue[kind](quantity, fromBatchReserve);

/**
 * I3: of the reservations that stock has seen, each is the row that its event asks for, and what is open is what the ledger holds in either
 * reserve; when all is quiet it has seen them all, as reservation has seen the newest of every order. No unit of an order is in two places.
 * `trusted`: whether a SKU's ledger is in order.
 */
export function checkReservations(facts: Facts, trusted: (key: string) => boolean): Finding[] {
  const reservations = facts.reservations.flatMap(reservationsOf);
  const ledgers = groupBy(facts.ledgers, ({ aggregate }) => aggregate);
  const byKey = groupBy(reservations, ({ key }) => key);
  const keys = [...new Set([...ledgers.keys(), ...byKey.keys()])].filter((key) => trusted(key));
  const skus = keys.flatMap((key) => checkSku(key, ledgers.get(key) ?? [], byKey.get(key) ?? []));
  return [...skus, ...checkBalances(reservations), ...checkOrders(facts)];
}

function reservationsOf({ aggregate, entries }: JournalDocument<ReservationEntry>): Reservation[] {
  const { tenant, subject: order } = nameKey(aggregate);
  return entries.flatMap(({ sequence, data: { effect } }) => {
    if (effect === null) return [];
    const id = `reservation/${aggregate}/${sequence}/${encodeURIComponent(effect.sku)}`;
    return [{ ...effect, id, order, key: joinKey(tenant, effect.sku), sequence }];
  });
}

function checkSku(key: string, documents: readonly JournalDocument<LedgerRow>[], reservations: readonly Reservation[]): Finding[] {
  const { tenant, subject: sku } = nameKey(key);
  const entries = documents.flatMap((document) => document.entries);
  const rows = new Map(entries.map((entry) => [entry.cause, entry]));
  const known = new Set(reservations.map(({ id }) => id));
  const finding = (sentence: string, version: number, unsettled = false): Finding => {
    return { invariant: 'I3', tenant, sku, version: String(version), sentence, unsettled };
  };

  const lost = reservations.filter(({ id }) => !rows.has(id));
  const unknown = entries.filter(({ cause }) => isOfReservation(cause) && !known.has(cause));
  const wrong = reservations.flatMap((reservation) => {
    const row = rows.get(reservation.id);
    const difference = row && differenceOf(reservation, row);
    return row && difference ? [finding(difference, row.sequence)] : [];
  });
  const sums = unknown.length + wrong.length > 0 ? [] : sumsOf(entries, reservations, rows).map(({ what, at }) => finding(what, at));
  return [
    ...lost.map(({ id, order, kind, quantity, sequence }) =>
      finding(
        `the reservation ${id} (${kind} ${quantity} for order ${order}) has not reached the ledger: a lost reservation`,
        sequence,
        true,
      ),
    ),
    ...unknown.map(({ cause, sequence }) => finding(`row ${sequence} names a cause that reservation never wrote, ${cause}`, sequence)),
    ...wrong,
    ...sums,
  ];
}

const measures = { onHand: 'On Hand', orderReserve: 'Order Reserve', batchReserve: 'Batch Reserve' } as const;

/** How a row is not what its reservation event asks for; null: it is. */
function differenceOf(reservation: Reservation, { sequence, data: row }: JournalEntry<LedgerRow>): string | null {
  const { id, kind, quantity, order } = reservation;
  const asked = dueOf(reservation);
  const because = (what: string) => `row ${sequence} ${what}, but its cause ${id} (${kind} ${quantity} for order ${order})`;
  if (row.refused !== null) return `${because(`refuses (${row.refused})`)} may not be refused`;
  if (row.type !== asked.type || row.reason !== asked.reason)
    return `${because(`is of type ${nameType(row)}`)} makes one of type ${nameType(asked)}`;
  for (const measure of ['onHand', 'orderReserve', 'batchReserve'] as const)
    if (row.change[measure] !== asked[measure])
      return `${because(`changed ${measures[measure]} by ${row.change[measure]}`)} changes it by ${asked[measure]}`;
  for (const field of ['batch', 'label', 'reverses'] as const)
    // Ledgers of the first release do not name the label of a pick.
    if (row[field] !== reservation[field] && (field !== 'label' || row.label !== null))
      return `${because(`names ${field} ${row[field] ?? 'none'}`)} names ${reservation[field] ?? 'none'}`;
  return null;
}

const nameType = ({ type, reason }: Pick<Due, 'type' | 'reason'>) => (reason === null ? type : `${type} (${reason})`);

/** Where either reserve of the ledger is not the sum of what is open. */
function sumsOf(
  entries: readonly JournalEntry<LedgerRow>[],
  reservations: readonly Reservation[],
  rows: ReadonlyMap<string, unknown>,
): { what: string; at: number }[] {
  const newest = entries.reduce<JournalEntry<LedgerRow> | null>(
    (found, entry) => (entry.sequence > (found?.sequence ?? 0) ? entry : found),
    null,
  );
  const seen = reservations.filter(({ id }) => rows.has(id)).map(dueOf);
  return (['orderReserve', 'batchReserve'] as const).flatMap((reserve) => {
    const open = seen.reduce((sum, asked) => sum + asked[reserve], 0);
    const held = newest?.data.after[reserve] ?? 0;
    if (open === held) return [];
    const where = reserve === 'batchReserve' ? 'in pick batches' : 'for orders';
    const what = `${open} units are reserved ${where}, but the ledger holds ${held} in ${measures[reserve]}`;
    return [{ what, at: newest?.sequence ?? 0 }];
  });
}

/** Per order and SKU, entry by entry: neither reserve nor what was picked goes below zero, or a unit was in two places. */
function checkBalances(reservations: readonly Reservation[]): Finding[] {
  return [...groupBy(reservations, ({ key, order }) => joinKey(key, order)).values()].flatMap((all) => {
    const balance = { 'Order Reserve': 0, 'Batch Reserve': 0, 'what was picked': 0 };
    for (const reservation of all.toSorted((one, other) => one.sequence - other.sequence)) {
      const { onHand, orderReserve, batchReserve } = dueOf(reservation);
      balance['Order Reserve'] += orderReserve;
      balance['Batch Reserve'] += batchReserve;
      if (reservation.kind !== 'missing') balance['what was picked'] -= onHand;
      const below = Object.entries(balance).find(([, units]) => units < 0);
      if (!below) continue;
      const { key, order, sequence, sku, kind, quantity } = reservation;
      const sentence = `after entry ${sequence} of reservation's journal (${kind} ${quantity}) it holds ${below[1]} units in ${below[0]}: a unit was in two places`;
      return [{ invariant: 'I3' as const, tenant: nameKey(key).tenant, sku, order, version: String(sequence), sentence }];
    }
    return [];
  });
}

/** Whether the newest of every order has reached reservation, which acts on the difference: older ones need not. */
function checkOrders({ orderEvents, reservations }: Facts): Finding[] {
  const causes = new Set(reservations.flatMap(({ entries }) => entries.map(({ cause }) => cause)));
  return [...groupBy(orderEvents, ({ key }) => key)].flatMap(([key, records]) => {
    const newest = highestOf(records.map(({ value }) => value?.sequence ?? 0));
    if (newest === 0 || causes.has(`order/${key}/${newest}`)) return [];
    const { tenant, subject: order } = nameKey(key);
    const sentence = `the order's newest state, sequence ${newest}, has not reached reservation`;
    return [{ invariant: 'I3' as const, tenant, order, version: String(newest), sentence, unsettled: true }];
  });
}

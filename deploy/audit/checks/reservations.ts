import type { Facts, Finding, JournalDocument, LedgerRow, ReservationEntry } from '../facts.ts';
import { groupBy, highestOf, joinKey, nameKey } from '../keys.ts';

/** A reservation event, by the id that stock's ledger names as its cause. */
interface Reservation {
  readonly id: string;
  readonly order: string;
  readonly key: string;
  readonly sequence: number;
  readonly kind: 'reserved' | 'released' | 'autoPicked';
  readonly quantity: number;
}

/**
 * I3: of the reservations that stock has seen, what is open is what its ledger holds in reserve; and when all is quiet it has seen them all,
 * as reservation has seen the newest of every order. `trusted`: whether a SKU's ledger is in order.
 */
export function checkReservations(facts: Facts, trusted: (key: string) => boolean): Finding[] {
  const reservations = facts.reservations.flatMap(reservationsOf);
  const ledgers = groupBy(facts.ledgers, ({ aggregate }) => aggregate);
  const byKey = groupBy(reservations, ({ key }) => key);
  const keys = [...new Set([...ledgers.keys(), ...byKey.keys()])].filter((key) => trusted(key));
  const skus = keys.flatMap((key) => checkSku(key, ledgers.get(key) ?? [], byKey.get(key) ?? []));
  return [...skus, ...checkOrders(facts)];
}

function reservationsOf({ aggregate, entries }: JournalDocument<ReservationEntry>): Reservation[] {
  const { tenant, subject: order } = nameKey(aggregate);
  return entries.flatMap(({ sequence, data: { effect } }) => {
    if (effect === null) return [];
    const id = `reservation/${aggregate}/${sequence}/${encodeURIComponent(effect.sku)}`;
    return [{ id, order, key: joinKey(tenant, effect.sku), sequence, kind: effect.kind, quantity: effect.quantity }];
  });
}

function checkSku(key: string, documents: readonly JournalDocument<LedgerRow>[], reservations: readonly Reservation[]): Finding[] {
  const { tenant, subject: sku } = nameKey(key);
  const entries = documents.flatMap((document) => document.entries);
  const causes = new Set(entries.map(({ cause }) => cause));
  const last = entries.reduce<(typeof entries)[number] | null>(
    (newest, entry) => (entry.sequence > (newest?.sequence ?? 0) ? entry : newest),
    null,
  );
  const known = new Set(reservations.map(({ id }) => id));
  const finding = (sentence: string, version: number | string, unsettled = false): Finding => ({
    invariant: 'I3',
    tenant,
    sku,
    version: String(version),
    sentence,
    unsettled,
  });

  const lost = reservations.filter(({ id }) => !causes.has(id));
  const unknown = entries.filter(({ cause }) => cause.startsWith('reservation/') && !known.has(cause));
  const open = reservations
    .filter(({ id }) => causes.has(id))
    .reduce((sum, { kind, quantity }) => sum + (kind === 'reserved' ? quantity : -quantity), 0);
  const reserves = last ? last.data.after.orderReserve + last.data.after.batchReserve : 0;
  return [
    ...lost.map(({ id, order, kind, quantity, sequence }) =>
      finding(
        `the reservation ${id} (${kind} ${quantity} for order ${order}) has not reached the ledger: a lost reservation`,
        sequence,
        true,
      ),
    ),
    ...unknown.map(({ cause, sequence }) => finding(`row ${sequence} names a cause that reservation never wrote, ${cause}`, sequence)),
    ...(open === reserves || unknown.length > 0
      ? []
      : [finding(`${open} units are reserved for orders, but the ledger holds ${reserves} in reserve`, last?.sequence ?? 0)]),
  ];
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

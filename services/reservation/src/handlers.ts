import type { Aggregate, Outgoing } from '@evenkeel/chassis';
import { keyOf, partsOf, topics } from '@evenkeel/contracts';
import { decideOrder, eventOf, evolve, hasSeen, nothingReserved, type Reservation, type ReservationEntry } from './domain.ts';

export const reservationInputs = [topics.orderEvents] as const;

/** What one order holds of the stock; fed by whole orders, so that any later one repairs a lost one. */
export const reservationAggregate: Aggregate<'OrderChanged', ReservationEntry, Reservation> = {
  keyOf: ({ data: { tenant, store, order } }) => keyOf(tenant, store, order),
  initial: () => nothingReserved,
  seen: (held, { data }) => hasSeen(held, data),
  isNew: ({ data }) => data.sequence === 1,
  decide: (held, { data }) => decideOrder(held, data),
  evolve: (held, { data }) => evolve(held, data),
  publish(key, entry): Outgoing[] {
    const [tenant = '', store = '', order = ''] = partsOf(key);
    const event = eventOf(tenant, { store, order }, entry);
    if (!event) return [];
    const { sku } = event.data;
    const id = `reservation/${key}/${entry.sequence}/${encodeURIComponent(sku)}`;
    return [
      {
        topic: topics.reservationEvents,
        key: [tenant, sku],
        event: { id, time: entry.at, correlation: entry.correlation, ...event },
      },
    ];
  },
};

import type { Aggregate, EventOf, Outgoing } from '@evenkeel/chassis';
import { keyOf, partsOf, topics } from '@evenkeel/contracts';
import {
  decideCommand,
  decideOrder,
  eventOf,
  evolve,
  hasSeen,
  nothingReserved,
  type Command,
  type Reservation,
  type ReservationEntry,
} from './domain.ts';

import { asWrittenNow } from './first-release.ts';

export type ReservationInput = 'OrderChanged' | Command['type'];

export const reservationInputs = [topics.orderEvents, topics.reservationCommands] as const;

/** So many at once: an entry may have all that an order with thousands of lines says, and what becomes of them is one document of 16 MB at most. */
export const eventsOfOneOrder = 10;

const keyOfEvent = ({ data: { tenant, store, order } }: EventOf<ReservationInput>): string => keyOf(tenant, store, order);
const idOf = (key: string, sequence: number, sku: string): string => `reservation/${key}/${sequence}/${encodeURIComponent(sku)}`;

/** What one order holds of the stock; fed by whole orders, so that any later one repairs a lost one, and by what people do in the warehouse. */
export const reservationAggregate: Aggregate<ReservationInput, ReservationEntry, Reservation> = {
  stateVersion: 2,
  keyOf: keyOfEvent,
  initial: () => nothingReserved,
  seen: (held, event) => (event.type === 'OrderChanged' ? hasSeen(held, event.data) : null),
  isNew: (event) => event.type === 'OrderChanged' && event.data.sequence === 1,
  decide(held, event) {
    if (event.type !== 'OrderChanged') return decideCommand(held, event);
    return decideOrder(held, event.data, (sequence, sku) => idOf(keyOfEvent(event), sequence, sku));
  },
  evolve: (held, entry) => evolve(held, { ...entry, data: asWrittenNow(held, entry.data) }),
  publish(key, entry): Outgoing[] {
    const [tenant = '', store = '', order = ''] = partsOf(key);
    const event = eventOf(tenant, { store, order }, { ...entry, data: asWrittenNow(nothingReserved, entry.data) });
    if (!event) return [];
    const id = idOf(key, entry.sequence, event.data.sku);
    const record = { id, time: entry.at, correlation: entry.correlation, ...event };
    return [{ topic: topics.reservationEvents, key: [tenant, event.data.sku], event: record }];
  },
};

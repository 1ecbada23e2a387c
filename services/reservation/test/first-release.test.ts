import type { JournalEntry } from '@evenkeel/chassis';
import { expect, test } from '@jest/globals';
import { openOf, type Reservation, type ReservationEntry } from '../src/domain.ts';
import { reservationAggregate } from '../src/handlers.ts';

const ann = { kind: 'person', id: 'ann' };
const shopify = { kind: 'marketplace', id: 'shopify' };
/** A journal as version 0.1.0 wrote it: 5 mugs on two lines were reserved, one was released, two labelled, one shipped by the marketplace. */
const written = [
  { type: 'reserved', orderSequence: 1, sku: 'MUG', quantity: 5, user: shopify },
  { type: 'released', orderSequence: 2, sku: 'MUG', quantity: 1, user: shopify },
  { type: 'picked', orderSequence: 3, sku: 'MUG', label: 'l1', location: null, user: ann, lines: [{ line: 'a', quantity: 2 }] },
  { type: 'picked', orderSequence: 4, sku: 'MUG', label: null, location: null, user: shopify, lines: [{ line: 'b', quantity: 1 }] },
  { type: 'unchanged', orderSequence: 5 },
].map((data, index): JournalEntry<ReservationEntry> => {
  return { sequence: index + 1, cause: `order/x/${index + 1}`, correlation: 'c', at: 1, data: data as unknown as ReservationEntry };
});
const held = written.reduce<Reservation>(reservationAggregate.evolve, reservationAggregate.initial('acme/s1/1'));

const line = { listing: null, sku: 'MUG', cancelled: 0, fulfilled: 0, shippedBefore: 0, fulfilledBy: 'seller' } as const;
const label = { label: 'l1', location: null, user: ann, lines: [{ line: 'a', quantity: 2 }], voids: [] } as const;
const told = (sequence: number, isVoided = false) => {
  const voids = isVoided ? [{ user: ann, lines: label.lines }] : [];
  const about = {
    tenant: 'acme',
    store: 's1',
    marketplace: 'shopify',
    order: '1',
    name: '#1',
    placedAt: 1,
    updatedAt: 1,
    cancelledAt: null,
  };
  const lines = [
    { ...line, line: 'a', quantity: 2 },
    { ...line, line: 'b', quantity: 2, fulfilled: 1 },
  ];
  const data = { ...about, sequence, lines, labels: [{ ...label, voids }], at: 1 };
  return { id: `order/x/${sequence}`, type: 'OrderChanged', time: 1, correlation: 'c', data } as never;
};
const decided = (event: never) => reservationAggregate.decide(held, event, undefined).map(({ type }) => type);

test('a journal of the first release holds what it held', () => {
  expect(openOf(held, 'MUG')).toBe(1);
  expect(held.lines.flatMap(({ picked }) => picked.map(({ label: by, quantity }) => [by, quantity]))).toEqual([
    ['l1', 2],
    [null, 1],
  ]);
});
test('its newest order event, come again, moves nothing but says which line has what', () => {
  expect(reservationAggregate.seen?.(held, told(5))).toBe(false);
  expect(reservationAggregate.seen?.(held, told(4))).toBe(true);
  expect(decided(told(5))).toEqual(['rearranged']);
});
test('a void of a label that it picked takes the units back', () => {
  expect(decided(told(6, true))).toEqual(['rearranged', 'unpicked']);
});
test('what it had not published yet goes out as it would have', () => {
  const events = written.flatMap((entry) => reservationAggregate.publish('acme/s1/1', entry, held).map(({ event }) => event));
  expect(events).toMatchObject([
    { type: 'UnitsReserved', data: { quantity: 5 } },
    { type: 'UnitsReleased', data: { quantity: 1, fromBatchReserve: 0 } },
    { type: 'UnitsAutoPicked', data: { quantity: 2, label: 'l1', fromBatchReserve: 0 } },
    { type: 'UnitsAutoPicked', data: { quantity: 1, label: null } },
  ]);
});

import type { OrderChanged } from '@evenkeel/contracts';
import { expect, test } from '@jest/globals';
import { reservationAggregate } from '../src/handlers.ts';
import { openWarehouse } from './warehouse.ts';

const line = { listing: null, cancelled: 0, fulfilled: 0, shippedBefore: 0, fulfilledBy: 'seller' } as const;
const order: OrderChanged = {
  tenant: 'acme',
  store: 's1',
  marketplace: 'shopify',
  order: '1001',
  name: '#1001',
  sequence: 1,
  placedAt: 1,
  updatedAt: 1,
  cancelledAt: null,
  lines: [
    { ...line, line: 'a', sku: 'MUG/blue', quantity: 2 },
    { ...line, line: 'b', sku: 'CUP', quantity: 1, fulfilled: 1 },
  ],
  labels: [],
  at: 5,
};
const changed = (data: OrderChanged) =>
  ({ id: `order/x/${data.sequence}`, type: 'OrderChanged', time: 5, correlation: 'c', data }) as const;

test('what an order holds can be asked for, and was told to stock row by row, keyed by SKU', async () => {
  await using warehouse = await openWarehouse({ roles: [] });
  const { take, published, http } = warehouse;
  take(changed(order), changed(order));
  expect(await http.call('GET', '/stores/s1/orders/1001/reservations')).toMatchObject({
    status: 200,
    body: {
      store: 's1',
      order: '1001',
      orderSequence: 1,
      open: [{ sku: 'MUG/blue', quantity: 2 }],
      picked: [{ line: 'b', sku: 'CUP', label: null, quantity: 1 }],
    },
  });
  expect(published.map(({ topic, key, event }) => [topic.name, key, event?.id, event?.type])).toEqual([
    ['reservation.events.v1', ['acme', 'MUG/blue'], 'reservation/acme/s1/1001/1/MUG%2Fblue', 'UnitsReserved'],
    ['reservation.events.v1', ['acme', 'CUP'], 'reservation/acme/s1/1001/2/CUP', 'UnitsReserved'],
    ['reservation.events.v1', ['acme', 'CUP'], 'reservation/acme/s1/1001/3/CUP', 'UnitsAutoPicked'],
  ]);
});

test('an order that nobody has heard of holds nothing', async () => {
  await using warehouse = await openWarehouse({ roles: [] });
  const { body } = await warehouse.http.call('GET', '/stores/s1/orders/77/reservations');
  expect(body).toEqual({ store: 's1', order: '77', orderSequence: 0, open: [], lines: [], picked: [] });
});

test('a changed order is new to reservation only with its first sequence', () => {
  expect([1, 2].map((sequence) => reservationAggregate.isNew?.(changed({ ...order, sequence })))).toEqual([true, false]);
});

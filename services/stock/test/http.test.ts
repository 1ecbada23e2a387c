import type { IncidentStore } from '@evenkeel/chassis';
import { createMemoryJournal, openRoutes } from '@evenkeel/chassis/testing';
import { describe, expect, test } from '@jest/globals';
import { stockAggregate } from '../src/handlers.ts';
import { stockRoutes } from '../src/http.ts';

const sku = 'mug/blue 100%';
const product = `/products/${encodeURIComponent(sku)}`;
const onHand = `${product}/locations/default/on-hand`;
const noIncidents: IncidentStore = {
  record: async () => undefined,
  find: async () => null,
  page: async () => [],
  acknowledge: async () => null,
  open: async () => 0,
};

async function openStock() {
  const memory = createMemoryJournal(stockAggregate, undefined);
  const http = await openRoutes(stockRoutes({ ...memory, incidents: noIncidents }), { tenant: 'acme', user: 'ann', roles: ['clerk'] });
  let events = 0;
  const reserve = (quantity: number) => {
    events += 1;
    const order = { store: 's1', order: String(events) };
    const data = { tenant: 'acme', sku, order, sequence: 1, quantity, user: { kind: 'marketplace', id: 'shopify' }, at: 7 } as const;
    memory.take({ id: `reservation/${events}`, type: 'UnitsReserved', time: 7, correlation: 'c', data });
  };
  return { ...memory, http, reserve, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
}

describe('the inventory of a product', () => {
  test('that nobody created was never counted', async () => {
    await using stock = await openStock();
    expect(await stock.http.call('GET', product)).toMatchObject({
      status: 200,
      body: {
        sku,
        epoch: 1,
        sequence: 0,
        counted: false,
        locations: {},
        quantities: { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 },
      },
    });
  });
  test('says what is there, where, and what is promised', async () => {
    await using stock = await openStock();
    await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 });
    await stock.http.call('PUT', `${product}/locations/back%20room/on-hand`, { seen: 0, onHand: 2 });
    stock.reserve(3);
    expect((await stock.http.call('GET', product)).body).toMatchObject({
      sequence: 3,
      counted: true,
      locations: { default: 5, 'back room': 2 },
      quantities: { onHand: 7, orderReserve: 3, batchReserve: 0, available: 4 },
    });
  });
});

describe('setting On Hand', () => {
  test('answers with the movement, and again with the same one for the same key', async () => {
    await using stock = await openStock();
    const first = await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 }, 'monday');
    expect(first).toMatchObject({
      status: 200,
      body: { movement: { sequence: 1, type: 'StockUpdate', location: 'default', locationOnHand: 5, user: { kind: 'person', id: 'ann' } } },
    });
    await stock.http.call('PUT', onHand, { seen: 5, onHand: 6 });
    const again = await stock.http.call('PUT', onHand, { onHand: 5, seen: 0 }, 'monday');
    expect([again.status, again.body]).toEqual([first.status, first.body]);
    expect(stock.sent).toHaveLength(2);
  });
  test('that changed meanwhile is refused, with the movements since and what the same difference would give; also when asked again', async () => {
    await using stock = await openStock();
    await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 });
    stock.reserve(1);
    await stock.http.call('PUT', onHand, { seen: 5, onHand: 9, reason: 'return' });
    await stock.http.call('PUT', onHand, { seen: 9, onHand: 8, reason: 'damaged' });
    const refused = await stock.http.call('PUT', onHand, { seen: 5, onHand: 7 }, 'late');
    expect(refused).toMatchObject({
      status: 409,
      body: {
        type: 'urn:evenkeel:problem:on-hand-changed',
        onHand: 8,
        sameDifferenceWouldGive: 10,
        movements: [
          { sequence: 4, reason: 'damaged' },
          { sequence: 3, reason: 'return' },
        ],
      },
    });
    await stock.http.call('PUT', onHand, { seen: 8, onHand: 1 });
    const again = await stock.http.call('PUT', onHand, { seen: 5, onHand: 7 }, 'late');
    expect([again.status, again.body]).toEqual([refused.status, refused.body]);
  });
  test.each([
    ['below zero', { seen: 0, onHand: -1 }],
    ['half a unit', { seen: 0, onHand: 1.5 }],
    ['a text', { seen: 0, onHand: '5' }],
    ['an absurd number', { seen: 0, onHand: 1e12 }],
    ['an operator', { seen: { $ne: 1 }, onHand: 5 }],
    ['a tenant in the body', { seen: 0, onHand: 5, tenant: 'other' }],
    ['without what was seen', { onHand: 5 }],
  ])('to %s is a bad request that changes nothing', async (_, body) => {
    await using stock = await openStock();
    expect(await stock.http.call('PUT', onHand, body)).toMatchObject({
      status: 400,
      body: { type: 'urn:evenkeel:problem:invalid-request' },
    });
    expect(stock.sent).toEqual([]);
  });
  test('beyond what all locations together may hold is refused in words', async () => {
    await using stock = await openStock();
    await stock.http.call('PUT', onHand, { seen: 0, onHand: 1_000_000_000 });
    const answer = await stock.http.call('PUT', `${product}/locations/back/on-hand`, { seen: 0, onHand: 1 });
    expect(answer).toMatchObject({ status: 409, body: { type: 'urn:evenkeel:problem:too-large' } });
  });
  test('that is not decided yet is 202, with where to look', async () => {
    await using stock = await openStock();
    stock.hold();
    const answer = await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`${product}/movements`);
  });
});

describe('the transactions of a product', () => {
  const sequences = (body: unknown) => (body as { movements: { sequence: number }[] }).movements.map(({ sequence }) => sequence);

  test('leave out movements of reserves, unless they are asked for', async () => {
    await using stock = await openStock();
    await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 });
    stock.reserve(1);
    stock.reserve(1);
    await stock.http.call('PUT', onHand, { seen: 5, onHand: 6 });
    const list = async (query: string) => sequences((await stock.http.call('GET', `${product}/movements${query}`)).body);
    expect(await list('')).toEqual([4, 1]);
    expect(await list('?include=reserves')).toEqual([4, 3, 2, 1]);
    expect(await list('?type=OrderReserve')).toEqual([3, 2]);
  });
  test('come in pages that miss nothing', async () => {
    await using stock = await openStock();
    for (let units = 0; units < 5; units += 1) await stock.http.call('PUT', onHand, { seen: units, onHand: units + 1 });
    const seen: number[] = [];
    for (let query = '?limit=2'; query !== '';) {
      const { body } = await stock.http.call('GET', `${product}/movements${query}`);
      seen.push(...sequences(body));
      const { next } = body as { next: number | null };
      query = next === null ? '' : `?limit=2&before=${next}`;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);
  });
});

test('each row is published as a movement and a level of the same number, and an incident only when it opens or closes', async () => {
  await using stock = await openStock();
  await stock.http.call('PUT', onHand, { seen: 0, onHand: 1 });
  stock.reserve(2);
  stock.reserve(1);
  await stock.http.call('PUT', onHand, { seen: 1, onHand: 9 });
  const id = 'stock/acme/mug%2Fblue%20100%25';
  expect(stock.published.map(({ topic, event }) => [topic.name, event?.id])).toEqual([
    ['stock.movements.v1', `${id}/1`],
    ['stock.levels.v1', `${id}/1`],
    ['stock.movements.v1', `${id}/2`],
    ['stock.levels.v1', `${id}/2`],
    ['stock.incidents.v1', `${id}/2/oversold`],
    ['stock.movements.v1', `${id}/3`],
    ['stock.levels.v1', `${id}/3`],
    ['stock.movements.v1', `${id}/4`],
    ['stock.levels.v1', `${id}/4`],
    ['stock.incidents.v1', `${id}/4/oversold`],
  ]);
  const key = `acme/${encodeURIComponent(sku)}`;
  const { state } = await stock.journal.state(key);
  expect(stockAggregate.heads?.(key, state)).toEqual(stock.published.slice(-2));
});

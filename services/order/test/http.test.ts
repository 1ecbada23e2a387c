import type { Outgoing } from '@evenkeel/chassis';
import { createMemoryJournal, openRoutes } from '@evenkeel/chassis/testing';
import type { MarketplaceOrderRead } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import { orderAggregate } from '../src/handlers.ts';
import { orderRoutes } from '../src/http.ts';
import { createList, noIncidents } from './doubles.ts';

const tenant = 'acme';
const id = 'gid://shopify/Order/1';
const path = `/stores/s1/orders/${encodeURIComponent(id)}`;

async function openOrders() {
  const memory = createMemoryJournal(orderAggregate, undefined);
  const parts = { ...memory, list: createList(memory.published), incidents: noIncidents };
  const http = await openRoutes(orderRoutes(parts), { tenant, user: 'ann', roles: ['warehouse'] });
  const line = {
    line: 'a',
    listing: null,
    sku: 'MUG',
    quantity: 3,
    cancelled: 0,
    fulfilled: 0,
    shippedBefore: 0,
    fulfilledBy: 'seller',
  } as const;
  const order: MarketplaceOrderRead = {
    tenant,
    store: 's1',
    connectedAt: null,
    marketplace: 'shopify',
    order: id,
    name: '#1',
    placedAt: 1,
    updatedAt: 2,
    cancelledAt: null,
    lines: [line],
    at: 3,
  };
  const read = (more: Partial<MarketplaceOrderRead> = {}) => {
    const data = { ...order, ...more };
    const event = `shopify/${data.tenant}/${data.store}/${data.order}/${data.updatedAt}`;
    memory.take({ id: event, type: 'MarketplaceOrderRead', time: 3, correlation: 'c', data });
  };
  return { ...memory, http, read, line, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
}

describe('a label', () => {
  test('is created for all that is left, by whoever asks, and published with the whole order', async () => {
    await using orders = await openOrders();
    orders.read();
    const answer = await orders.http.call('POST', `${path}/labels`, { location: 'back' });
    expect(answer).toMatchObject({
      status: 201,
      body: { location: 'back', user: { kind: 'person', id: 'ann' }, lines: [{ line: 'a', quantity: 3 }] },
    });
    const { label } = answer.body as { label: string };
    expect(orders.published.at(-1)?.event).toMatchObject({
      id: `order/acme/s1/${encodeURIComponent(id)}/2`,
      type: 'OrderChanged',
      data: { sequence: 2, labels: [{ label }] },
    });
    const { body } = await orders.http.call('GET', path);
    expect(body).toMatchObject({ sequence: 2, lines: [{ line: 'a', labelled: 3, left: 0 }], labels: [{ label }] });
  });
  test('asked for again with the same key is the same label, and no second command', async () => {
    await using orders = await openOrders();
    orders.read();
    const first = await orders.http.call('POST', `${path}/labels`, {}, 'key-1');
    const again = await orders.http.call('POST', `${path}/labels`, {}, 'key-1');
    expect([again.status, again.body]).toEqual([first.status, first.body]);
    expect(orders.sent).toHaveLength(1);
  });
  test.each([
    ['an order that nobody knows', false, {}, 404, 'unknown-order'],
    ['a line that it does not have', true, { lines: [{ line: 'z', quantity: 1 }] }, 404, 'unknown-line'],
    ['more than is left', true, { lines: [{ line: 'a', quantity: 4 }] }, 409, 'more-than-left'],
    ['no unit', true, { lines: [{ line: 'a', quantity: 0 }] }, 400, 'invalid-request'],
    ['half a unit', true, { lines: [{ line: 'a', quantity: 0.5 }] }, 400, 'invalid-request'],
    ['a field that nobody knows', true, { force: true }, 400, 'invalid-request'],
    ['an operator instead of a line', true, { lines: [{ line: { $gt: '' }, quantity: 1 }] }, 400, 'invalid-request'],
  ])('for %s is refused in words', async (_, isKnown, body, status, type) => {
    await using orders = await openOrders();
    if (isKnown) orders.read();
    const answer = await orders.http.call('POST', `${path}/labels`, body);
    expect(answer).toMatchObject({ status, body: { type: `urn:evenkeel:problem:${type}` } });
  });
  test('that is not made yet is 202, with where to look', async () => {
    await using orders = await openOrders();
    orders.read();
    orders.hold();
    const answer = await orders.http.call('POST', `${path}/labels`, {});
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(path);
  });
});

describe('a void', () => {
  test('takes the label back by whoever asks; a repeat with the same key is the same void', async () => {
    await using orders = await openOrders();
    orders.read();
    const { label } = (await orders.http.call('POST', `${path}/labels`, {})).body as { label: string };
    const voids = `${path}/labels/${label}/voids`;
    const first = await orders.http.call('POST', voids, { lines: [{ line: 'a', quantity: 2 }] }, 'void-1');
    expect(first).toMatchObject({ status: 201, body: { user: { id: 'ann' }, lines: [{ line: 'a', quantity: 2 }] } });
    expect((await orders.http.call('POST', voids, { lines: [{ line: 'a', quantity: 2 }] }, 'void-1')).body).toEqual(first.body);
    expect((await orders.http.call('GET', path)).body).toMatchObject({
      lines: [{ labelled: 1, left: 2 }],
      labels: [{ lines: [{ quantity: 3, voided: 2 }] }],
    });
    expect(await orders.http.call('POST', voids, { lines: [{ line: 'a', quantity: 2 }] })).toMatchObject({
      status: 409,
      body: { type: 'urn:evenkeel:problem:more-than-on-label' },
    });
  });
  test('of a label that nobody made is refused in words', async () => {
    await using orders = await openOrders();
    orders.read();
    expect(await orders.http.call('POST', `${path}/labels/none/voids`, {})).toMatchObject({
      status: 404,
      body: { type: 'urn:evenkeel:problem:unknown-label' },
    });
  });
});

test('orders can be listed, newest first, by store, by what is open of them, and by unmapped lines', async () => {
  await using orders = await openOrders();
  const one = (order: string, placedAt: number, more: Partial<MarketplaceOrderRead> = {}) =>
    orders.read({ order, placedAt, name: order, ...more });
  one('1', 1);
  one('2', 2, { cancelledAt: 2 });
  one('3', 3, { lines: [{ ...orders.line, fulfilled: 3 }], store: 's2' });
  one('4', 4, { lines: [{ ...orders.line, sku: null }] });
  // Of this one, a unit had shipped before its store was connected.
  one('0', 0, { connectedAt: 1, lines: [{ ...orders.line, fulfilled: 1 }] });
  expect((await orders.http.call('GET', '/orders?state=open')).body).toMatchObject({
    orders: [{ name: '4' }, { name: '1' }, { name: '0' }],
  });
  for (const order of ['1', '0']) await orders.http.call('POST', `/stores/s1/orders/${order}/labels`, {});
  const listed = async (query: string) =>
    ((await orders.http.call('GET', `/orders${query}`)).body as { orders: { name: string }[] }).orders.map(({ name }) => name);
  expect(await listed('')).toEqual(['4', '3', '2', '1', '0']);
  expect(await listed('?state=open')).toEqual(['4']);
  expect(await listed('?state=shipped')).toEqual(['3', '1', '0']);
  expect(await listed('?state=cancelled')).toEqual(['2']);
  expect(await listed('?unmapped=true')).toEqual(['4']);
  expect(await listed('?store=s2')).toEqual(['3']);
  const { next } = (await orders.http.call('GET', '/orders?limit=2')).body as { next: string };
  expect(await listed(`?limit=2&before=${encodeURIComponent(next)}`)).toEqual(['2', '1']);
  expect((await orders.http.call('GET', '/orders?state=lost')).status).toBe(400);
});

describe('a line whose listing is not mapped', () => {
  const incidents = (orders: { published: readonly Outgoing[] }) =>
    orders.published.flatMap(({ topic, event }) => (topic.name === 'order.incidents.v1' && event ? [event.data] : []));
  test('opens an incident about its order, which closes when it is mapped', async () => {
    await using orders = await openOrders();
    orders.read({ lines: [{ ...orders.line, sku: null, listing: 'item 7' }] });
    const subject = `s1/${encodeURIComponent(id)}`;
    expect(incidents(orders)).toMatchObject([
      { kind: 'unmapped_line', subject, state: 'open', details: { name: '#1', lines: 'a', listings: 'item 7', units: '3' } },
    ]);
    orders.read({ updatedAt: 3, lines: [{ ...orders.line, listing: 'item 7' }] });
    expect(incidents(orders).slice(1)).toMatchObject([{ kind: 'unmapped_line', subject, state: 'closed' }]);
  });
  test('counts only units that leave our stock: not those that had shipped before the store was connected', async () => {
    await using orders = await openOrders();
    orders.read({ connectedAt: 2, lines: [{ ...orders.line, sku: null, fulfilled: 2 }] });
    expect(incidents(orders)).toMatchObject([{ kind: 'unmapped_line', state: 'open', details: { units: '1' } }]);
  });
  test('opens none when it is cancelled, or shipped by the marketplace itself', async () => {
    await using orders = await openOrders();
    orders.read({ lines: [{ ...orders.line, sku: null, cancelled: 3 }] });
    orders.read({ order: '2', lines: [{ ...orders.line, sku: null, fulfilledBy: 'marketplace' }] });
    expect(incidents(orders)).toEqual([]);
  });
});

test('the steps of an order can be read, newest first and page by page', async () => {
  await using orders = await openOrders();
  orders.read();
  orders.read();
  const { label } = (await orders.http.call('POST', `${path}/labels`, { lines: [{ line: 'a', quantity: 1 }] })).body as { label: string };
  await orders.http.call('POST', `${path}/labels`, { lines: [{ line: 'a', quantity: 9 }] });
  await orders.http.call('POST', `${path}/labels/${label}/voids`, {});
  orders.read({ updatedAt: 4, lines: [{ ...orders.line, quantity: 2, cancelled: 1 }] });
  orders.read({ updatedAt: 5, cancelledAt: 5, lines: [{ ...orders.line, quantity: 2, cancelled: 1 }] });
  const { body } = await orders.http.call('GET', `${path}/steps`);
  const { steps } = body as { steps: { type: string; sequence: number }[] };
  expect(steps).toMatchObject([
    { type: 'cancelled', user: { id: 'shopify' }, lines: [{ line: 'a', ordered: 0, cancelled: 1 }] },
    { type: 'edited', lines: [{ line: 'a', ordered: -1, cancelled: 1 }] },
    { type: 'voided', user: { id: 'ann' }, label, lines: [{ line: 'a', sku: 'MUG', shipped: 1 }] },
    { type: 'refused', refused: 'more_than_left', user: { id: 'ann' } },
    { type: 'labelled', label, lines: [{ line: 'a', sku: 'MUG', shipped: 1 }] },
    { type: 'seen', lines: [{ line: 'a', sku: 'MUG', ordered: 3 }] },
  ]);
  const first = (await orders.http.call('GET', `${path}/steps?limit=2`)).body as { steps: unknown[]; next: number };
  expect(first.steps).toHaveLength(2);
  const next = (await orders.http.call('GET', `${path}/steps?limit=2&before=${first.next}`)).body as { steps: unknown[] };
  expect([...first.steps, ...next.steps]).toEqual(steps.slice(0, 4));
  expect((await orders.http.call('GET', '/stores/s1/orders/none/steps')).status).toBe(404);
});

test('an order of another seller is not there', async () => {
  await using orders = await openOrders();
  orders.read({ tenant: 'other' });
  expect((await orders.http.call('GET', path)).status).toBe(404);
});

test('the newest record of an order can be said again, exactly as it was, after things that changed nothing', async () => {
  await using orders = await openOrders();
  orders.read();
  await orders.http.call('POST', `${path}/labels`, { lines: [{ line: 'a', quantity: 1 }] });
  orders.read({ updatedAt: 1 });
  await orders.http.call('POST', `${path}/labels`, { lines: [{ line: 'a', quantity: 9 }] });
  const { state, sequence } = await orders.journal.state(`acme/s1/${encodeURIComponent(id)}`);
  expect(sequence).toBe(4);
  expect(orders.published).toHaveLength(2);
  expect(orderAggregate.heads?.(`acme/s1/${encodeURIComponent(id)}`, state)).toEqual(orders.published.slice(-1));
});

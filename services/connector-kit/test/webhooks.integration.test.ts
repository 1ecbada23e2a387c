import { createHmac, randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Unavailable } from '@evenkeel/chassis';
import { openRoutes } from '@evenkeel/chassis/testing';
import { isSigned, webhookPathOf, webhookRoutes } from '../src/webhooks.ts';
import { openBench, store, tenant, until, withdrawn, type Bench } from './bench.ts';
import { createFakeMarketplace, type FakeMarketplace } from './fake-marketplace.ts';

let fake: FakeMarketplace;
let bench: Bench;
let http: Awaited<ReturnType<typeof openRoutes>>;

beforeEach(async () => {
  fake = createFakeMarketplace();
  fake.shop.listings.set('A', { sku: 'sku-A', quantity: 5 });
  bench = await openBench(fake);
  const { marketplace } = fake;
  http = await openRoutes(webhookRoutes({ marketplace, collections: bench.collections, sealer: bench.sealer, sender: bench.sender }), {
    tenant: 'nobody',
    user: 'nobody',
    roles: [],
  });
});
afterEach(async () => {
  await http[Symbol.asyncDispose]();
  await bench[Symbol.asyncDispose]();
});

const secret = 'the-shared-secret';

async function deliver(body: object, { id = randomUUID() as string, key = secret, path = webhookPathOf({ tenant, store }) } = {}) {
  const bytes = JSON.stringify(body);
  const signature = createHmac('sha256', key).update(bytes).digest('base64');
  const response = await fetch(`${http.url}${path}`, { method: 'POST', body: bytes, headers: { 'x-id': id, 'x-signature': signature } });
  return response.status;
}

const hints = () => bench.published.filter(({ event }) => event?.type === 'OrderHinted');

describe('a webhook', () => {
  test('becomes a hint to the store’s owner, who reads the orders at once', async () => {
    await bench.connect({ webhookSecret: secret });
    const { stores } = bench.start(); // it polls once an hour
    await until('the store runs', () => fake.shop.asked.includes('orders') && stores.hold(tenant, store) === null);
    fake.sell('A');
    expect(await deliver({ order: 'sale-1', account: 'account-1' })).toBe(202);
    expect(hints()).toMatchObject([{ key: [tenant, store], event: { data: { tenant, store, order: 'sale-1' } } }]);
    await bench.passHints();
    await until('the order is told of', () => bench.published.some(({ event }) => event?.type === 'MarketplaceOrderRead'));
  });

  test('that comes while the store is still being opened, behind its first look at the orders, is not forgotten', async () => {
    await bench.connect({ webhookSecret: secret });
    const orders = () => bench.published.flatMap(({ event }) => (event?.type === 'MarketplaceOrderRead' ? [event] : []));
    fake.sell('A');
    const { stores } = bench.start({ ordersFirst: 60_000 }); // it polls once an hour
    await until('the first sale is told of', () => orders().length === 1);
    expect(stores.hold(tenant, store)).toBe('orders_first');
    fake.sell('A');
    expect(await deliver({ order: 'sale-2', account: 'account-1' })).toBe(202);
    await bench.passHints();
    await bench.take({ ...withdrawn('A', 1), correlation: orders()[0]?.correlation ?? '' }); // no push, which would look at the orders itself
    await until('the second sale is told of', () => orders().length === 2);
  });

  test('that comes twice, also under another id, has one effect, and its sender is thanked each time', async () => {
    await bench.connect({ webhookSecret: secret });
    expect(await deliver({ order: '1' }, { id: 'one' })).toBe(202);
    expect(await deliver({ order: '1' }, { id: 'one' })).toBe(200);
    expect(await deliver({ order: '1' }, { id: 'another' })).toBe(200);
    expect(await deliver({ order: '2' }, { id: 'two' })).toBe(202);
    expect(hints()).toHaveLength(2);
  });

  test('that the broker did not take is not thanked for, and may come again', async () => {
    await bench.connect({ webhookSecret: secret });
    bench.sendFails = new Unavailable('no broker');
    expect(await deliver({ order: '1' }, { id: 'one' })).toBe(503);
    bench.sendFails = null;
    expect(await deliver({ order: '1' }, { id: 'one' })).toBe(202);
  });

  test('that is not signed by the marketplace, or is about somebody else, changes nothing', async () => {
    await bench.connect({ webhookSecret: secret });
    expect(await deliver({ order: '1' }, { key: 'guessed' })).toBe(401);
    expect(await deliver({ order: '1', account: 'account-2' })).toBe(404);
    expect(await deliver({ order: '1' }, { path: '/webhooks/acme/other' })).toBe(404);
    expect(hints()).toHaveLength(0);
  });

  test('of a store without a secret is refused, until one is entered with the credentials', async () => {
    await bench.connect();
    expect(await deliver({ order: '1' })).toBe(404);
    await bench.desk.reenter(tenant, store, { token: fake.shop.token, webhookSecret: secret });
    expect(await deliver({ order: '1' })).toBe(202);
    expect(JSON.stringify(await bench.collections.stores.findOne({}))).not.toContain(secret);
  });
});

test('a signature is right for its bytes and its key, and for nothing else', () => {
  const signature = createHmac('sha256', 'k').update('a.b').digest('base64');
  expect(isSigned('k', ['a.', Buffer.from('b')], signature)).toBe(true);
  expect(isSigned('k', ['a.c'], signature)).toBe(false);
  expect(isSigned('l', ['a.b'], signature)).toBe(false);
  expect(isSigned('k', ['a.b'], '')).toBe(false);
});

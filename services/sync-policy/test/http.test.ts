import type { EventOf } from '@evenkeel/chassis';
import { openRoutes } from '@evenkeel/chassis/testing';
import { describe, expect, test } from '@jest/globals';
import { syncPolicyAggregate } from '../src/handlers.ts';
import { syncPolicyRoutes } from '../src/http.ts';
import { mapped, moved, openLane } from './made-up.ts';

const sku = 'mug/blue';
const product = `/products/${encodeURIComponent(sku)}`;
const nothing = { realTimeAtOrBelow: null, significantUnits: null, everyNth: null };

async function openSyncPolicy() {
  const lane = openLane({ revision: 2, realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 3 });
  const { store } = lane;
  const control: typeof lane.sent = [];
  const sender: typeof lane.sender = {
    async send(messages) {
      for (const message of messages) {
        const { event } = message;
        if (event?.type !== 'TenantPolicyChanged') await lane.sender.send([message]);
        else {
          control.push(message);
          await lane.takeInEverywhere(event as EventOf<'TenantPolicyChanged'>);
        }
      }
    },
  };
  const http = await openRoutes(syncPolicyRoutes({ journal: lane.journal, sender, store }), {
    tenant: 'acme',
    user: 'ann',
    roles: ['operator'],
  });
  const map = (listing: string) => lane.take(mapped(sku, listing));
  const move = (sequence: number, before: number, after: number) => lane.take(moved(sku, sequence, before, after));
  return { ...lane, http, control, map, move, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
}

describe('Inventory Sync', () => {
  test('is on, unless somebody turned it off', async () => {
    await using policy = await openSyncPolicy();
    expect((await policy.http.call('GET', `${product}/inventory-sync`)).body).toEqual({ sku, enabled: true, settings: 0 });
    const off = await policy.http.call('PUT', `${product}/inventory-sync`, { enabled: false });
    expect(off).toMatchObject({ status: 200, body: { enabled: false, settings: 1, decision: { decision: 'withdrawn' } } });
    expect((await policy.http.call('GET', `${product}/inventory-sync`)).body).toEqual({ sku, enabled: false, settings: 1 });
  });
  test('takes one answer, and one command, for one key', async () => {
    await using policy = await openSyncPolicy();
    const first = await policy.http.call('PUT', `${product}/inventory-sync`, { enabled: false }, 'k');
    const again = await policy.http.call('PUT', `${product}/inventory-sync`, { enabled: false }, 'k');
    expect([again.status, again.body]).toEqual([first.status, first.body]);
    expect(policy.sent).toHaveLength(1);
  });
  test('that is not decided yet is 202, with where to look', async () => {
    await using policy = await openSyncPolicy();
    policy.hold();
    const answer = await policy.http.call('PUT', `${product}/inventory-sync`, { enabled: false });
    expect([answer.status, answer.headers.get('location')]).toEqual([202, `${product}/inventory-sync`]);
  });
});

describe('Inventory Sync of many products', () => {
  test('is each of them by itself, and one answer', async () => {
    await using policy = await openSyncPolicy();
    policy.map('l1');
    policy.move(1, 0, 5);
    await policy.http.call('PUT', `${product}/inventory-sync`, { enabled: false });
    const on = await policy.http.call('PUT', '/inventory-sync', { skus: [sku, 'never seen', sku], enabled: true }, 'k');
    expect(on).toMatchObject({
      status: 200,
      body: {
        products: [
          { sku, enabled: true, settings: 2, decision: 'push', reason: 'sync_enabled' },
          { sku: 'never seen', enabled: true, settings: 1, decision: 'held', reason: 'not_counted' },
        ],
      },
    });
    const again = await policy.http.call('PUT', '/inventory-sync', { skus: [sku, 'never seen', sku], enabled: true }, 'k');
    expect(again.body).toEqual(on.body);
    expect(policy.sent).toHaveLength(3);
  });
  test.each([
    ['no product', { skus: [], enabled: true }],
    ['more than a thousand', { skus: Array.from({ length: 1_001 }, (_, number) => `s${number}`), enabled: true }],
    ['a nameless product', { skus: [''], enabled: true }],
    ['neither on nor off', { skus: [sku] }],
  ])('of %s is a bad request, and nothing is changed', async (_, body) => {
    await using policy = await openSyncPolicy();
    expect((await policy.http.call('PUT', '/inventory-sync', body)).status).toBe(400);
    expect(policy.sent).toEqual([]);
  });
  test('that is not decided yet is 202: the repeat finds the answer', async () => {
    await using policy = await openSyncPolicy();
    policy.hold();
    expect((await policy.http.call('PUT', '/inventory-sync', { skus: ['a', 'b'], enabled: false }, 'k')).status).toBe(202);
    policy.hold(false);
    const again = await policy.http.call('PUT', '/inventory-sync', { skus: ['a', 'b'], enabled: false }, 'k');
    expect(again).toMatchObject({ status: 200, body: { products: [{ sku: 'a' }, { sku: 'b' }] } });
  });
});

describe('decisions', () => {
  test('can be filtered by what was decided, and why', async () => {
    await using policy = await openSyncPolicy();
    policy.map('l1');
    for (const [sequence, level] of [100, 99, 98, 97, 96].entries()) policy.move(sequence + 1, sequence === 0 ? 0 : level + 1, level);
    const reasons = async (query: string) => {
      const { body } = await policy.http.call('GET', `${product}/decisions?${query}`);
      const { decisions, next } = body as { decisions: { reason: string; sequence: number }[]; next: number | null };
      return [...decisions.map(({ reason, sequence }) => `${sequence} ${reason}`), next];
    };
    expect(await reasons('decision=push')).toEqual(['5 every_nth', '2 first_count', null]);
    expect(await reasons('reason=throttled&limit=2')).toEqual(['6 throttled', '4 throttled', 4]);
    expect(await reasons('reason=throttled&limit=2&before=4')).toEqual(['3 throttled', null]);
    expect(await reasons('decision=held&reason=first_count')).toEqual([null]);
    expect((await policy.http.call('GET', `${product}/decisions?reason=whim`)).status).toBe(400);
  });
  test('can be read with their reason and all that they were made from', async () => {
    await using policy = await openSyncPolicy();
    policy.map('l1');
    policy.move(1, 0, 100);
    policy.move(2, 100, 99);
    const { body } = await policy.http.call('GET', `${product}/decisions?limit=2`);
    expect(body).toMatchObject({
      decisions: [
        {
          sequence: 3,
          cause: 'stock/x/2',
          trigger: 'movement',
          decision: 'held',
          reason: 'throttled',
          inputs: {
            before: 100,
            after: 99,
            sequence: 2,
            counter: 0,
            policy: { realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 3, revision: 2, settings: 0 },
          },
          listings: [],
        },
        { sequence: 2, decision: 'push', reason: 'first_count', listings: [{ store: 's1', listing: 'l1', mapping: 1 }] },
      ],
      next: 2,
    });
    expect((await policy.http.call('GET', `${product}/decisions?before=2`)).body).toMatchObject({
      decisions: [{ sequence: 1 }],
      next: null,
    });
  });
  test('a movement that is held though Available has changed tells each listing so, beside what it should show', async () => {
    await using policy = await openSyncPolicy();
    policy.map('l1');
    policy.move(1, 0, 100);
    policy.move(2, 100, 99);
    policy.move(3, 99, 99);
    expect(policy.published.slice(1)).toMatchObject([
      {
        topic: { name: 'push.requests.shopify.v1' },
        key: ['acme', 's1', 'l1', sku, 'held'],
        event: {
          type: 'PushHeld',
          correlation: 'movement 2',
          data: { available: 99, reason: 'throttled', version: { mapping: 1, epoch: 1, sequence: 2, settings: 0 } },
        },
      },
    ]);
    const { state } = await policy.journal.state('acme/mug%2Fblue');
    expect(syncPolicyAggregate.heads?.('acme/mug%2Fblue', state)).toEqual(policy.published.slice(0, 1));
  });
  test('a push is one record per listing, keyed by it, and can be said again exactly as it was', async () => {
    await using policy = await openSyncPolicy();
    policy.map('l1');
    policy.map('l2');
    policy.move(1, 0, 100);
    expect(policy.published.map(({ topic, key, event }) => [topic.name, key, event?.id, event?.correlation])).toEqual([
      ['push.requests.shopify.v1', ['acme', 's1', 'l1', sku], 'sync-policy/acme/mug%2Fblue/3/s1/l1', 'movement 1'],
      ['push.requests.shopify.v1', ['acme', 's1', 'l2', sku], 'sync-policy/acme/mug%2Fblue/3/s1/l2', 'movement 1'],
    ]);
    const { state } = await policy.journal.state('acme/mug%2Fblue');
    expect(syncPolicyAggregate.heads?.('acme/mug%2Fblue', state)).toEqual(policy.published);
    expect((await policy.http.call('GET', `${product}/listings`)).body).toMatchObject({
      listings: [
        {
          listing: 'l1',
          wanted: { available: 100, withdrawn: false, reason: 'first_count', version: { mapping: 1, epoch: 1, sequence: 1 } },
        },
        { listing: 'l2' },
      ],
    });
  });
  test('a listing that was never asked for anything says so', async () => {
    await using policy = await openSyncPolicy();
    policy.map('l1');
    expect((await policy.http.call('GET', `${product}/listings`)).body).toMatchObject({ listings: [{ listing: 'l1', wanted: null }] });
    expect(policy.published).toEqual([]);
  });
});

describe('policies', () => {
  test("a product's own is set as a whole, and what it leaves out comes from the tenant's", async () => {
    await using policy = await openSyncPolicy();
    await policy.http.call('PUT', '/policy', { expectedRevision: 0, ...nothing, significantUnits: 9 });
    const answer = await policy.http.call('PUT', `${product}/policy`, { ...nothing, realTimeAtOrBelow: 7 });
    expect(answer).toMatchObject({
      status: 200,
      body: { realTimeAtOrBelow: 7, decision: { trigger: 'sku_policy', reason: 'not_counted' } },
    });
    expect((await policy.http.call('GET', `${product}/policy`)).body).toEqual({
      sku,
      ...nothing,
      realTimeAtOrBelow: 7,
      effective: { realTimeAtOrBelow: 7, significantUnits: 9, everyNth: 10 },
    });
  });
  test.each([
    ['Y below 1', { ...nothing, significantUnits: 0 }],
    ['N below 1', { ...nothing, everyNth: 0 }],
    ['X below 0', { ...nothing, realTimeAtOrBelow: -1 }],
    ['a part left out', { realTimeAtOrBelow: 5 }],
    ['a text', { ...nothing, everyNth: '3' }],
  ])('%s is a bad request', async (_, body) => {
    await using policy = await openSyncPolicy();
    expect((await policy.http.call('PUT', `${product}/policy`, body)).status).toBe(400);
    expect((await policy.http.call('PUT', '/policy', { expectedRevision: 0, ...body })).status).toBe(400);
  });
  test("the tenant's is told to every lane, once set; who saw an older revision is refused", async () => {
    await using policy = await openSyncPolicy();
    const set = await policy.http.call('PUT', '/policy', { expectedRevision: 0, ...nothing, realTimeAtOrBelow: 50 });
    expect(set).toMatchObject({ status: 200, body: { revision: 1, realTimeAtOrBelow: 50 } });
    expect(policy.control.map(({ partition }) => partition)).toEqual(Array.from({ length: 12 }, (_, partition) => partition));
    expect(policy.control[7]?.event).toMatchObject({ type: 'TenantPolicyChanged', data: { tenant: 'acme', revision: 1 } });
    const late = await policy.http.call('PUT', '/policy', { expectedRevision: 0, ...nothing });
    expect(late).toMatchObject({ status: 409, body: { type: 'urn:evenkeel:problem:policy-changed', policy: { revision: 1 } } });
    expect(policy.control).toHaveLength(12);
    expect((await policy.http.call('GET', '/policy')).body).toMatchObject({ revision: 1, realTimeAtOrBelow: 50 });
  });
  test('say beforehand what a change would push, and change nothing', async () => {
    await using policy = await openSyncPolicy();
    await policy.http.call('PUT', '/policy', { expectedRevision: 0, realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 9 });
    for (const each of ['a', 'b', 'c'])
      policy.take(mapped(each, `of ${each}`), mapped(each, `also of ${each}`), moved(each, 1, 0, 100), moved(each, 2, 100, 99));
    const told = policy.published.length;
    const preview = async (change: object, query = '') =>
      (await policy.http.call('POST', `/policy/preview${query}`, { realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 9, ...change }))
        .body;
    expect(await preview({ realTimeAtOrBelow: 98 })).toEqual({ revision: 1, products: 0, listings: 0, first: [] });
    expect(await preview({ realTimeAtOrBelow: 99 }, '?limit=1')).toEqual({
      revision: 1,
      products: 3,
      listings: 6,
      first: [
        {
          sku: 'a',
          available: 99,
          throttled: 1,
          listings: [
            { store: 's1', marketplace: 'shopify', listing: 'of a', mapping: 1 },
            { store: 's1', marketplace: 'shopify', listing: 'also of a', mapping: 1 },
          ],
        },
      ],
    });
    expect(policy.published).toHaveLength(told);
    expect((await policy.http.call('GET', '/policy')).body).toMatchObject({ revision: 1, realTimeAtOrBelow: 20 });
  });
  test('the same for one product alone', async () => {
    await using policy = await openSyncPolicy();
    await policy.http.call('PUT', '/policy', { expectedRevision: 0, realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 9 });
    policy.map('l1');
    policy.move(1, 0, 100);
    policy.move(2, 100, 99);
    const preview = async (change: object) => (await policy.http.call('POST', `${product}/policy/preview`, { ...nothing, ...change })).body;
    expect(await preview({ realTimeAtOrBelow: 98 })).toMatchObject({ decision: 'held', reason: 'throttled', listings: [] });
    expect(await preview({ everyNth: 8 })).toEqual({
      sku,
      available: 99,
      throttled: 1,
      listings: [{ store: 's1', marketplace: 'shopify', listing: 'l1', mapping: 1 }],
      effective: { realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 8 },
      decision: 'push',
      reason: 'policy_changed',
    });
    expect(policy.sent).toEqual([]);
  });
});

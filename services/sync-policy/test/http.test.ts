import { createMemoryJournal, openRoutes } from '@evenkeel/chassis/testing';
import type { ListingMapped, StockMoved } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import { newTenantPolicy, type TenantPolicy } from '../src/domain.ts';
import { syncPolicyAggregate } from '../src/handlers.ts';
import { syncPolicyRoutes } from '../src/http.ts';
import { createPolicies } from '../src/policies.ts';
import type { PolicyStore } from '../src/store.ts';

const sku = 'mug/blue';
const product = `/products/${encodeURIComponent(sku)}`;
const nothing = { realTimeAtOrBelow: null, significantUnits: null, everyNth: null };

/** As the database has it, for one tenant. */
function createMemoryPolicies(): PolicyStore {
  let newest: TenantPolicy = newTenantPolicy;
  return {
    newest: async () => newest,
    newestOf: async (tenants) => new Map(tenants.map((tenant) => [tenant, newest])),
    async set({ expectedRevision, settings }) {
      if (expectedRevision !== newest.revision) return null;
      newest = { revision: expectedRevision + 1, ...settings };
      return newest;
    },
  };
}

async function openSyncPolicy() {
  const tenant: TenantPolicy = { revision: 2, realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 3 };
  const memory = createMemoryJournal(syncPolicyAggregate, new Map([['acme', tenant]]));
  const store = createMemoryPolicies();
  const control: typeof memory.sent = [];
  const sender: typeof memory.sender = {
    async send(messages) {
      const isControl = messages.every(({ event }) => event?.type === 'TenantPolicyChanged');
      if (isControl) control.push(...messages);
      else await memory.sender.send(messages);
    },
  };
  const parts = { journal: memory.journal, sender, store, policies: createPolicies(store) };
  const http = await openRoutes(syncPolicyRoutes(parts), { tenant: 'acme', user: 'ann', roles: ['operator'] });
  const map = (listing: string) => {
    const data: ListingMapped = { tenant: 'acme', sku, store: 's1', marketplace: 'shopify', listing, mapping: 1, at: 5 };
    memory.take({ id: `shopify/${listing}/1`, type: 'ListingMapped', time: 5, correlation: 'c', data });
  };
  const move = (sequence: number, before: number, after: number) => {
    const quantities = { onHand: after, orderReserve: 0, batchReserve: 0, available: after };
    const data: StockMoved = {
      tenant: 'acme',
      sku,
      epoch: 1,
      sequence,
      type: 'StockUpdate',
      reason: null,
      refused: null,
      change: { ...quantities, onHand: after - before, available: after - before },
      after: quantities,
      location: 'default',
      locationOnHand: after,
      order: null,
      counted: true,
      user: { kind: 'person', id: 'ann' },
      batch: null,
      label: null,
      reverses: null,
      purchaseOrder: null,
      cause: 'x',
      at: 6,
    };
    memory.take({ id: `stock/x/${sequence}`, type: 'StockMoved', time: 6, correlation: `movement ${sequence}`, data });
  };
  return { ...memory, http, control, map, move, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
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

describe('decisions', () => {
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
  test('a push is one record per listing, keyed by it, and can be said again exactly as it was', async () => {
    await using policy = await openSyncPolicy();
    policy.map('l1');
    policy.map('l2');
    policy.move(1, 0, 100);
    policy.move(2, 100, 99);
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
});

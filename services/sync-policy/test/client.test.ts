import { openRoutes } from '@evenkeel/chassis/testing';
import { createClient, ProblemError } from '@evenkeel/contracts/client';
import { expect, test } from '@jest/globals';
import { syncPolicyRoutes } from '../src/http.ts';
import { openLane } from './made-up.ts';

const sku = 'mug/blue & white?';

/** The real routes, and the generated client that the console has. */
async function openClient() {
  const lane = openLane();
  const http = await openRoutes(syncPolicyRoutes(lane), { tenant: 'acme', user: 'ann', roles: ['operator'] });
  const tokens: string[] = [];
  const client = createClient('sync-policy', {
    url: http.url,
    token: () => 'the-token',
    fetch: (address, init) => {
      tokens.push(new Headers(init?.headers).get('authorization') ?? '');
      return fetch(address, init);
    },
  });
  return { ...lane, client, tokens, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
}

test('the client asks with a token and a key of its own, and hands over what was answered', async () => {
  await using shop = await openClient();
  const off = await shop.client('PUT /products/{sku}/inventory-sync', { path: { sku }, body: { enabled: false } });
  expect(off).toMatchObject({ status: 200, body: { sku, enabled: false, settings: 1 } });
  expect(await shop.client('GET /products/{sku}/inventory-sync', { path: { sku } })).toMatchObject({ body: { enabled: false } });
  const { body } = await shop.client('GET /products/{sku}/decisions', { path: { sku }, query: { limit: 1 } });
  expect(body.decisions.map(({ reason }) => reason)).toEqual(['sync_disabled']);
  expect(shop.tokens).toEqual(['Bearer the-token', 'Bearer the-token', 'Bearer the-token']);
});

test('the same wish with the same key is one wish', async () => {
  await using shop = await openClient();
  const wish = { path: { sku }, body: { enabled: false }, idempotencyKey: 'once' };
  await shop.client('PUT /products/{sku}/inventory-sync', wish);
  await shop.client('PUT /products/{sku}/inventory-sync', wish);
  expect(shop.sent).toHaveLength(1);
});

test('an answer that is on its way has no body, and says where to look', async () => {
  await using shop = await openClient();
  shop.hold();
  const { status, body, headers } = await shop.client('PUT /products/{sku}/inventory-sync', { path: { sku }, body: { enabled: true } });
  expect([status, body, headers.get('location')]).toEqual([202, undefined, `/products/${encodeURIComponent(sku)}/inventory-sync`]);
});

test('a "no" is thrown with its type, what happened and what to do', async () => {
  await using shop = await openClient();
  const policy = { realTimeAtOrBelow: null, significantUnits: null, everyNth: null };
  const refused = await shop.client('PUT /policy', { body: { expectedRevision: 4, ...policy } }).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(ProblemError);
  expect(refused).toMatchObject({
    status: 409,
    type: 'urn:evenkeel:problem:policy-changed',
    detail: expect.stringContaining('Look at it'),
    members: { policy: { revision: 0 } },
  });
});

test('an answer that no service of ours gave is a "no" too', async () => {
  const client = createClient('sync-policy', {
    url: 'http://nowhere.test/',
    token: async () => 't',
    fetch: async () => new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'content-type': 'text/html' } }),
  });
  await expect(client('GET /policy')).rejects.toMatchObject({ status: 502, type: 'about:blank' });
});

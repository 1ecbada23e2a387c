import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClient, ProblemError } from '@evenkeel/contracts/client';
import { openSystem, type System } from '../system.ts';
import { openSeller, until, type Seller } from './seller.ts';

let system: System;
beforeAll(async () => {
  system = await openSystem({ serviceEnv: { 'connector-shopify': { ORDER_POLL_SECONDS: '0.2' } } });
}, 120_000);
afterAll(async () => system[Symbol.asyncDispose](), 60_000);

const calm = { realTimeAtOrBelow: 5, significantUnits: 20, everyNth: 50 };
const throttled = ['mug', 'bowl', 'vase', 'plate'];
const skus = [...throttled, 'jug', 'cup'];

/** The generated client, as anybody else would use it. */
const clientOf = async (seller: Seller) => {
  const token = await system.token({ tenant: seller.tenant, user: 'olga', roles: ['operator'] });
  return createClient('sync-policy', { url: system.services['sync-policy'], token: () => token });
};

/** As its 503 says: again with the same key, until all lanes decide by it; one of a service that was killed is nobody's for some seconds. */
async function setPolicy(
  policy: Awaited<ReturnType<typeof clientOf>>,
  body: { expectedRevision: number } & typeof calm,
  idempotencyKey: string,
) {
  const ask = async () =>
    policy('PUT /policy', { body, idempotencyKey }).catch((error: unknown) => {
      if (error instanceof ProblemError && error.status === 503) return null;
      throw error;
    });
  return (await until('the policy to be in force', ask, (answer) => answer !== null, 60_000))?.body;
}

/** A seller whose `throttled` products, and the cup, each show 100 and have 97, held back by the policy; of the jug nothing is held back. */
async function sellerWithHeldBack() {
  const seller = await openSeller(system);
  const policy = await clientOf(seller);
  await setPolicy(policy, { expectedRevision: 0, ...calm }, 'calm');
  await seller.open(skus);
  for (const sku of skus) {
    await seller.count(sku, 100);
    await seller.show(sku, 100);
  }
  for (const sku of skus) await seller.quiet(sku);
  for (const sku of [...throttled, 'cup']) {
    await seller.setOnHand(sku, 100, 97, 'damaged');
    const { sequence } = await seller.levelIs(sku, { available: 97 });
    expect(await seller.decided(sku, sequence)).toMatchObject({ decision: 'held', reason: 'throttled' });
  }
  return { seller, policy };
}

test('a new policy, previewed and then set, pushes what it lets out once to every store, also where its owner is killed, and nothing else', async () => {
  const { seller, policy } = await sellerWithHeldBack();
  await policy('PUT /products/{sku}/inventory-sync', { path: { sku: 'cup' }, body: { enabled: false } });
  const before = new Map<string, number[]>();
  for (const sku of skus) before.set(sku, await seller.pushes(sku));

  const wide = { ...calm, realTimeAtOrBelow: 97 };
  const { body: preview } = await policy('POST /policy/preview', { body: wide });
  expect([preview.products, preview.listings, preview.first.map(({ sku }) => sku)]).toEqual([4, 8, throttled.toSorted()]);

  const setting = policy('PUT /policy', { body: { expectedRevision: 1, ...wide }, idempotencyKey: 'wider' }).catch(() => undefined);
  await until(
    'the policy to be stored',
    async () => policy('GET /policy'),
    ({ body }) => body.revision === 2,
  );
  await system.processes['sync-policy'].kill();
  await setting;
  await system.processes['sync-policy'].restart();
  expect(await setPolicy(policy, { expectedRevision: 1, ...wide }, 'wider')).toEqual({ revision: 2, ...wide });

  for (const sku of throttled) {
    await seller.show(sku, 97);
    await seller.quiet(sku);
    const { body } = await policy('GET /products/{sku}/decisions', { path: { sku }, query: { reason: 'policy_changed' } });
    expect(body.decisions).toMatchObject([{ trigger: 'tenant_policy', decision: 'push', inputs: { after: 97, policy: { revision: 2 } } }]);
    expect(await seller.pushes(sku)).toEqual(before.get(sku)?.map((count) => count + 1));
  }
  for (const sku of ['jug', 'cup']) expect(await seller.pushes(sku)).toEqual(before.get(sku));
  expect(await seller.shown('amber', 'cup')).toBe(100);
}, 180_000);

test('many products are turned off and on at once: off nothing goes out, on each shows what there is', async () => {
  const { seller, policy } = await sellerWithHeldBack();
  const toggle = async (enabled: boolean) => (await policy('PUT /inventory-sync', { body: { skus, enabled } })).body;
  const off = await toggle(false);
  expect(off?.products.map(({ sku, enabled, reason }) => [sku, enabled, reason])).toEqual(skus.map((sku) => [sku, false, 'sync_disabled']));
  await seller.setOnHand('jug', 100, 3);
  const { sequence } = await seller.levelIs('jug', { available: 3 });
  expect(await seller.decided('jug', sequence)).toMatchObject({ decision: 'held', reason: 'sync_disabled' });
  await toggle(true);
  await seller.show('jug', 3);
  for (const sku of throttled) await seller.show(sku, 97);
}, 180_000);

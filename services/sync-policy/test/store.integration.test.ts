import { openMongo } from '@evenkeel/chassis';
import { expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { newTenantPolicy } from '../src/domain.ts';
import { openPolicyStore, type PolicyChange } from '../src/store.ts';

async function openStore() {
  const mongo = await openMongo({ url: process.env.MONGO_URL ?? '', database: `test_${randomUUID().slice(0, 8)}` });
  const policies = await openPolicyStore(mongo);
  return {
    policies,
    async [Symbol.asyncDispose]() {
      await mongo.connection.dropDatabase();
      await mongo[Symbol.asyncDispose]();
    },
  };
}
const change = (expectedRevision: number, cause: string, everyNth = 10, tenant = 'acme'): PolicyChange => ({
  tenant,
  expectedRevision,
  settings: { realTimeAtOrBelow: 5, significantUnits: null, everyNth },
  cause,
  correlation: 'c',
  user: 'ann',
  at: 1,
});

test('a policy is set by who has seen the newest one, and by nobody else', async () => {
  await using store = await openStore();
  expect(await store.policies.newest('acme')).toEqual(newTenantPolicy);
  expect(await store.policies.set(change(0, 'one', 3))).toMatchObject({
    policy: { revision: 1, everyNth: 3 },
    before: newTenantPolicy,
    told: false,
  });
  expect(await store.policies.set(change(0, 'late'))).toBeNull();
  expect(await store.policies.set(change(7, 'early'))).toBeNull();
  expect(await store.policies.set(change(1, 'two', 4))).toMatchObject({
    policy: { revision: 2, everyNth: 4 },
    before: { revision: 1, everyNth: 3 },
  });
  expect(await store.policies.newest('acme')).toMatchObject({ revision: 2, everyNth: 4 });
  expect(await store.policies.newest('other')).toEqual(newTenantPolicy);
});

test('the same request is one revision, also when it comes again after a later one', async () => {
  await using store = await openStore();
  const first = await store.policies.set(change(0, 'one', 3));
  await store.policies.set(change(1, 'two', 4));
  expect(await store.policies.set(change(0, 'one', 3))).toEqual(first);
  expect(await store.policies.newest('acme')).toMatchObject({ revision: 2 });
});

test('of several at the same time one wins, and two tenants never meet', async () => {
  await using store = await openStore();
  const causes = ['a', 'b', 'c', 'd', 'e'];
  const answers = await Promise.all(causes.map(async (cause) => store.policies.set(change(0, cause))));
  expect(answers.filter((answer) => answer !== null)).toHaveLength(1);
  expect(await store.policies.set(change(0, 'theirs', 2, 'other'))).toMatchObject({ policy: { revision: 1 } });
});

test('a revision that was set and not told is found again, once its process has had its time', async () => {
  await using store = await openStore();
  await store.policies.set(change(0, 'one'));
  expect(await store.policies.untold(new Date(1))).toEqual([]);
  expect(await store.policies.untold(new Date(2))).toMatchObject([{ policy: { revision: 1 }, cause: 'one', correlation: 'c' }]);
  await store.policies.told('acme', 1);
  expect(await store.policies.untold(new Date(2))).toEqual([]);
});

test('a lane decides by the revision that it has taken in, whatever has been set and told since', async () => {
  await using store = await openStore();
  const inLane = async (lane: number) => (await store.policies.ofLane(lane, ['acme'])).get('acme')?.revision;
  const first = await store.policies.set(change(0, 'one'));
  expect(await inLane(3)).toBe(0);
  await store.policies.told('acme', 1);
  expect(await inLane(3)).toBe(0);
  const second = await store.policies.set(change(1, 'two'));
  await store.policies.takenIn(3, 'acme', second?.policy ?? newTenantPolicy);
  await store.policies.takenIn(3, 'acme', first?.policy ?? newTenantPolicy); // late
  expect([await inLane(3), await inLane(4)]).toEqual([2, 0]);
  expect([
    await store.policies.lanesAt('acme', 1),
    await store.policies.lanesAt('acme', 2),
    await store.policies.lanesAt('acme', 3),
  ]).toEqual([1, 1, 0]);
});

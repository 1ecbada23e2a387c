import { openMongo, type Projected } from '@evenkeel/chassis';
import { expect, test } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { unknownSku, type LedgerRow, type Oversold, type SkuStock } from '../src/domain.ts';
import { openIncidentStore } from '../src/store.ts';

async function openStore() {
  const mongo = await openMongo({ url: process.env.MONGO_URL ?? '', database: `test_${randomUUID().slice(0, 8)}` });
  const incidents = await openIncidentStore(mongo);
  return {
    incidents,
    async [Symbol.asyncDispose]() {
      await mongo.connection.dropDatabase();
      await mongo[Symbol.asyncDispose]();
    },
  };
}

const row = (incident: LedgerRow['incident']): LedgerRow => ({
  type: 'OrderReserve',
  reason: null,
  refused: null,
  change: unknownSku.quantities,
  after: unknownSku.quantities,
  location: null,
  locationOnHand: null,
  order: null,
  counted: true,
  user: { kind: 'system', id: 'test' },
  incident,
});
function projected(key: string, sequence: number, state: Oversold['state']): Projected<LedgerRow, SkuStock> {
  const oversold: Oversold = {
    state,
    count: 1,
    openedAt: 1,
    closedAt: null,
    details: { available: '-1' },
    sequence,
    at: 1,
    correlation: 'c',
  };
  const data = row(state === 'open' ? 'opened' : 'closed');
  return { key, entries: [{ sequence, cause: 'x', correlation: 'c', at: 1, data }], state: { ...unknownSku, oversold } };
}

test('an incident is what its newest row says, however often and in whatever order it is told', async () => {
  await using store = await openStore();
  const [opened, closed] = [projected('acme/MUG', 3, 'open'), projected('acme/MUG', 5, 'closed')];
  await store.incidents.project([opened]);
  await store.incidents.project([opened]);
  expect(await store.incidents.page({ tenant: 'acme', state: 'open', limit: 10 })).toMatchObject([{ subject: 'MUG', sequence: 3 }]);
  await store.incidents.project([closed]);
  await store.incidents.project([opened]);
  expect(await store.incidents.page({ tenant: 'acme', state: 'open', limit: 10 })).toEqual([]);
  expect(await store.incidents.page({ tenant: 'acme', limit: 10 })).toMatchObject([{ state: 'closed', sequence: 5 }]);
});

test('incidents come in pages, and only those of their own seller', async () => {
  await using store = await openStore();
  const keys = ['acme/a', 'acme/b%2Fc', 'acme/d', 'other/a'];
  await store.incidents.project(keys.map((key) => projected(key, 1, 'open')));
  const first = await store.incidents.page({ tenant: 'acme', state: 'open', limit: 2 });
  const second = await store.incidents.page({ tenant: 'acme', state: 'open', limit: 2, after: first.at(-1)?._id ?? '' });
  expect([...first, ...second].map(({ subject }) => subject)).toEqual(['a', 'b/c', 'd']);
  expect(await store.incidents.open('oversold')).toBe(4);
});

import { randomUUID } from 'node:crypto';
import { createLogger, openJournal, openKafka, openMongo, openSender, partitionOf, Unavailable, type Outgoing } from '@evenkeel/chassis';
import { allTopics, deployContracts, keyOf, openCodec, topics } from '@evenkeel/contracts';
import { expect, test } from '@jest/globals';
import type { PolicyEntry, PolicySettings } from '../src/domain.ts';
import { syncPolicyAggregate, syncPolicyInputs } from '../src/handlers.ts';
import { createPolicies } from '../src/policies.ts';
import { openPolicyStore } from '../src/store.ts';
import { announce, takeInPolicy } from '../src/tenant-policy.ts';
import { mapped, moved, nothingSet } from './made-up.ts';

/** Sync policy on a real broker and database, its tenant and database all its own; replicas come and go. */
async function openBench() {
  const { KAFKA_BROKERS = '', SCHEMA_REGISTRY_URL = '', MONGO_URL = '' } = process.env;
  await using opening = new AsyncDisposableStack();
  await deployContracts({ brokers: KAFKA_BROKERS.split(','), registryUrl: SCHEMA_REGISTRY_URL });
  const id = randomUUID().slice(0, 8);
  const tenant = `tenant-${id}`;
  const log = createLogger('test', 'fatal');
  const codec = await openCodec(SCHEMA_REGISTRY_URL);
  const kafka = await openKafka({ brokers: KAFKA_BROKERS.split(','), clientId: id, codec, log, topics: allTopics });
  const mongo = opening.use(await openMongo({ url: MONGO_URL, database: `test_${id}` }));
  opening.defer(async () => mongo.connection.dropDatabase());
  const sender = opening.use(await openSender(kafka));
  const store = await openPolicyStore(mongo);

  /** A replica; `dying`: each lane's owner ends after its commands have left, before the policy is taken in, for so many times. */
  async function openReplica({ dying = 0 } = {}) {
    const policies = createPolicies(store);
    let left = dying;
    const mortal = {
      async send(messages: readonly Outgoing[], options: object) {
        await sender.send(messages, options);
        left -= 1;
        if (left >= 0) throw new Unavailable('killed');
      },
    };
    return openJournal({
      kafka,
      sender,
      mongo,
      group: `sync-policy-${id}`,
      topics: syncPolicyInputs,
      aggregate: syncPolicyAggregate,
      context: policies.context,
      controls: { TenantPolicyChanged: async (control, lane) => takeInPolicy({ policies, sender: mortal }, control, lane) },
      onAssigned: policies.forget,
      sessionTimeoutMilliseconds: 6_000,
      onFatal: (error) => {
        throw error;
      },
    });
  }

  async function setPolicy(expectedRevision: number, settings: PolicySettings): Promise<void> {
    const by = { cause: `command/${tenant}/${expectedRevision}`, correlation: 'c', user: 'ann', at: Date.now() };
    const set = await store.set({ tenant, expectedRevision, settings, ...by });
    if (!set) throw new Error('The policy was not set.');
    await announce({ store, sender }, set);
  }

  const running = opening.move();
  return { tenant, sender, store, openReplica, setPolicy, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

async function until<T>(read: () => Promise<T>, done: (value: T) => boolean): Promise<T> {
  for (const end = performance.now() + 45_000; ;) {
    const value = await read();
    if (done(value) || performance.now() > end) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

type Replica = Awaited<ReturnType<Awaited<ReturnType<typeof openBench>>['openReplica']>>;
const decided = async (replica: Replica, tenant: string, sku: string): Promise<readonly PolicyEntry[]> =>
  (await replica.entries(keyOf(tenant, sku))).map(({ data }) => data).toReversed();

test('a new policy pushes every product that it lets out once, through the owners of all lanes, also where they are killed in the middle', async () => {
  await using bench = await openBench();
  const { tenant } = bench;
  const skus = Array.from({ length: 30 }, (_, number) => `sku ${number}`);
  const key = (sku: string) => [tenant, sku];
  await bench.setPolicy(0, { realTimeAtOrBelow: 10, significantUnits: 20, everyNth: 50 });
  const first = await bench.openReplica({ dying: 5 });
  await until(
    async () => bench.store.lanesAt(tenant, 1),
    (lanes) => lanes === 12,
  );
  const throughout = async (done: (entries: readonly PolicyEntry[]) => boolean) => {
    for (const sku of skus) await until(async () => decided(first, tenant, sku), done);
  };
  await bench.sender.send(skus.map((sku) => ({ topic: topics.listingChanges, key: key(sku), event: mapped(sku, `of ${sku}`, tenant) })));
  await throughout((entries) => entries.length === 1);
  const levels = [0, 100, 99];
  for (const sequence of [1, 2]) {
    const [before = 0, after = 0] = levels.slice(sequence - 1);
    await bench.sender.send(
      skus.map((sku) => ({ topic: topics.stockMovements, key: key(sku), event: moved(sku, sequence, before, after, tenant) })),
    );
  }
  await throughout((entries) => entries.at(-1)?.reason === 'throttled');
  await bench.setPolicy(1, { realTimeAtOrBelow: 99, significantUnits: 20, everyNth: 50 });
  await until(
    async () => bench.store.lanesAt(tenant, 2),
    (lanes) => lanes > 3,
  );
  await first[Symbol.asyncDispose]();
  await using second = await bench.openReplica();
  await until(
    async () => bench.store.lanesAt(tenant, 2),
    (lanes) => lanes === 12,
  );
  for (const sku of skus) {
    const entries = await until(
      async () => decided(second, tenant, sku),
      (found) => found.some(({ trigger }) => trigger === 'tenant_policy'),
    );
    const byPolicy = entries.filter(({ trigger }) => trigger === 'tenant_policy');
    expect([sku, byPolicy]).toMatchObject([
      sku,
      [
        {
          decision: 'push',
          reason: 'policy_changed',
          inputs: { after: 99, policy: { revision: 2 } },
          listings: [{ listing: `of ${sku}` }],
        },
      ],
    ]);
  }
});

test('a policy applies from its place in the lane on: what stands before it there is decided by the one before', async () => {
  await using bench = await openBench();
  const { tenant } = bench;
  const skus = Array.from({ length: 40 }, (_, number) => `sku ${number}`);
  const lane = partitionOf(topics.policyCommands, [tenant, 'sku 0']);
  const [one = '', other = ''] = skus.filter((sku) => partitionOf(topics.policyCommands, [tenant, sku]) === lane);
  const ask = async (sku: string) => {
    const data = { tenant, sku, ...nothingSet, user: { kind: 'person', id: 'ann' }, at: 1 } as const;
    const event = { id: `command/${tenant}/${sku}`, type: 'SetSkuPolicy', time: 1, correlation: 'c', data } as const;
    await bench.sender.send([{ topic: topics.policyCommands, key: [tenant, sku], event }]);
  };
  // All three wait in one partition before anybody reads it.
  await ask(one);
  await bench.setPolicy(0, { realTimeAtOrBelow: 7, significantUnits: null, everyNth: null });
  await ask(other);
  await using replica = await bench.openReplica();
  const revisionFor = async (sku: string) => {
    const [entry] = await until(
      async () => decided(replica, tenant, sku),
      (entries) => entries.length > 0,
    );
    return entry?.inputs.policy.revision;
  };
  expect([await revisionFor(one), await revisionFor(other)]).toEqual([0, 1]);
});

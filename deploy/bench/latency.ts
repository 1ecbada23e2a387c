import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { allTopics, deadLetterTopicOf, groups, partsOf, topics } from '@evenkeel/contracts';
import { createSandboxControl } from '@evenkeel/marketplace-sandbox/control';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { MongoClient, type Db, type Document } from 'mongodb';
import { serviceNames } from '../local/application.ts';
import { createSeller } from '../local/seller.ts';
import { waitFor } from '../local/wait.ts';
import { openSystem, type System } from '../testing/system.ts';
import { latencyOf, path, type LatencyResult, type Sale } from './hops.ts';
import type { Surroundings } from './movements.ts';
import { seededRandom } from './statistics.ts';

/** The broker has records of another system: its topics are not ours to use. */
export class Occupied extends Error {}

const skus = Array.from({ length: 20 }, (_, index) => `LATENCY-${index}`);
const opening = 100_000;
const pollSeconds = 0.2;
const patienceSeconds = 30;
/** Sales that come first and are not counted: code warms up, connections open. */
const warmUp = 10;

/**
 * The whole system at low load: one sale after the other on one store, each followed to the other store's marketplace; between them, one raw
 * hop over Kafka and one raw insert. Every service has a database of its own for this, removed after with the topics and groups.
 * @throws Occupied where the broker's topics already hold records
 */
export async function measureLatency(
  { brokers, mongoUrl }: Surroundings,
  { sales: wanted, progress }: { sales: number; progress: (done: number) => void },
): Promise<LatencyResult> {
  await using stack = new AsyncDisposableStack();
  const id = `bench-${randomUUID().slice(0, 8)}`;
  const client = new Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  stack.defer(() => admin.disconnect());
  await refuseRecords(admin);
  const mongo = stack.adopt(await MongoClient.connect(mongoUrl), (opened) => opened.close());
  const databaseOf = (name: string): Db => mongo.db(`${id}-${name}`.replaceAll('-', '_'));
  stack.defer(async () => void (await Promise.all([...serviceNames, 'raw'].map(async (name) => databaseOf(name).dropDatabase()))));
  stack.defer(async () => removeTopics(admin, id));
  const serviceEnv = Object.fromEntries(serviceNames.map((name) => [name, { MONGO_DATABASE: databaseOf(name).databaseName }]));
  const system = stack.use(await openSystem({ env: { ORDER_POLL_SECONDS: String(pollSeconds), LOG_LEVEL: 'warn' }, serviceEnv }));

  const shops = await openShops(system, id);
  const observer = stack.use(await observe(client, id));
  const hop = stack.use(await openRawHop(client, admin, id));
  const [sample] = await databaseOf('stock')
    .collection('journal')
    .find({}, { projection: { _id: 0 } })
    .limit(1)
    .toArray();
  const insert = await openRawInsert(databaseOf('stock'), databaseOf('raw'), sample ?? {});
  const random = seededRandom(1);
  const sales: Sale[] = [];
  const raw = { hops: [] as number[], inserts: [] as number[] };
  for (let number = 0; number < wanted + warmUp; number += 1) {
    const { order, soldAt, shownAt } = await shops.sell(skus[number % skus.length] ?? '');
    const records = await observer.recordsOf(order);
    await delay(100); // what the sale still does to its own store is over by then
    const [tookHop, tookInsert] = [await hop.once(), await insert()];
    if (number >= warmUp) {
      sales.push({ soldAt, records, shownAt });
      raw.hops.push(tookHop);
      raw.inserts.push(tookInsert);
      progress(sales.length);
    }
    await delay(random() * pollSeconds * 1_000); // not in step with the poll
  }
  return latencyOf(sales, raw);
}

async function refuseRecords(admin: Admin): Promise<void> {
  const existing = new Set(await admin.listTopics());
  for (const { name } of allTopics.filter((topic) => existing.has(topic.name))) {
    const offsets = await waitFor(`The leaders of ${name}`, async () => admin.fetchTopicOffsets(name), { seconds: 30 });
    if (offsets.some(({ high, low }) => high !== low))
      throw new Occupied(`${name} holds records of another system: use a broker of its own (leave KAFKA_BROKERS out).`);
  }
}

async function removeTopics(admin: Admin, id: string): Promise<void> {
  await admin.deleteTopics({ topics: [...allTopics.map(({ name }) => name), ...groups.map((group) => deadLetterTopicOf(group).name)] });
  await admin.deleteGroups([...groups, `${id}.hop`, `${id}.observer`]).catch(() => undefined); // what failed early never joined
}

/** Two shops of one seller with counted products, every change of which is pushed. */
async function openShops({ services, issuerUrl, sandbox }: System, tenant: string) {
  const control = createSandboxControl(sandbox.controlUrl);
  const seller = createSeller({ addresses: { services, issuerUrl }, tenant, user: 'bench', roles: ['operator', 'clerk'] });
  const [selling, showing] = [`${tenant}-1`, `${tenant}-2`];
  const skuOfItem = new Map<string, string>();
  await seller.setPolicy({ realTimeAtOrBelow: null, significantUnits: null, everyNth: 10 }); // without X every change is pushed
  for (const shop of [selling, showing]) {
    await control.createShop({ name: shop, token: `shpat_${shop}`, plan: 'enterprise' });
    const products = await control.putProducts(
      shop,
      skus.map((sku) => ({ sku, quantity: 0 })),
    );
    if (shop === showing) for (const { sku, inventoryItem } of products) skuOfItem.set(inventoryItem, sku ?? '');
    await seller.connectStore('shopify', shop, async () => ({ shop, accessToken: `shpat_${shop}` }));
  }
  const left = new Map(skus.map((sku) => [sku, opening]));
  let lastWrite = 0;

  /** When the other store's listing of the SKU was set to what is left. */
  async function shown(sku: string): Promise<number> {
    return waitFor(
      `The push of ${sku}`,
      async () => {
        const { rows } = await control.writes(showing, lastWrite);
        const found = rows.find(
          ({ inventoryItem, quantityAfter }) => skuOfItem.get(inventoryItem) === sku && quantityAfter === left.get(sku),
        );
        if (found) lastWrite = found.number;
        return found?.at;
      },
      { seconds: patienceSeconds, everyMilliseconds: 20 },
    );
  }

  for (const sku of skus) await seller.openWith(sku, opening, `open-${sku}`);
  const everyStoreShows = async (shop: string) => (await control.quantities(shop)).rows.every(({ available }) => available === opening);
  await waitFor('The opening counts on both stores', async () => (await everyStoreShows(selling)) && (await everyStoreShows(showing)), {
    seconds: 60,
  });
  lastWrite = (await control.writes(showing, 0)).rows.at(-1)?.number ?? 0;

  return {
    async sell(sku: string) {
      const order = await control.placeOrder(selling, { lines: [{ sku, quantity: 1 }] });
      left.set(sku, (left.get(sku) ?? 0) - 1);
      return { order: order.id, soldAt: order.createdAt, shownAt: await shown(sku) };
    },
  };
}

/** Reads the whole path along, and tells when the records of an order were sent. */
async function observe(client: Kafka, tenant: string) {
  const correlationOf = new Map<string, string>();
  const sentAt = new Map<string, number>();
  const consumer = client.consumer({ groupId: `${tenant}.observer` });
  await consumer.connect();
  await consumer.subscribe({ topics: path.map(({ topic }) => topic.name), fromBeginning: true });
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, message }) => {
      const key = partsOf(message.key?.toString() ?? '');
      const correlation = message.headers?.ce_correlationid?.toString() ?? '';
      if (key[0] !== tenant) return;
      if (topic === topics.marketplaceOrders.name) correlationOf.set(key[2] ?? '', correlation);
      // Of a sale's two push requests the one for the store that did not sell.
      if (topic !== topics.shopifyPushRequests.name || key[1] === `${tenant}-2`)
        sentAt.set(`${topic} ${correlation}`, Number(message.timestamp));
    },
  });
  const found = (order: string): number[] => {
    const correlation = correlationOf.get(order);
    return path.map(({ topic }) => sentAt.get(`${topic.name} ${correlation}`)).filter((at) => at !== undefined);
  };
  return {
    recordsOf: async (order: string): Promise<readonly number[]> =>
      waitFor(`Every record of the order ${order}`, async () => (found(order).length === path.length ? found(order) : undefined), {
        seconds: patienceSeconds,
      }),
    [Symbol.asyncDispose]: async () => consumer.disconnect(),
  };
}

/** One record produced, acknowledged and consumed, nothing else; in milliseconds. */
async function openRawHop(client: Kafka, admin: Admin, id: string) {
  const topic = `${id}.hop`;
  await admin.createTopics({ topics: [{ topic, numPartitions: 1 }] });
  await waitFor('The topic of the raw hop', async () => (await admin.listTopics()).includes(topic), { seconds: 30 });
  const [producer, consumer] = [
    client.producer({ idempotent: true, maxInFlightRequests: 1 }),
    client.consumer({ groupId: topic, minBytes: 1 }),
  ];
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topic, fromBeginning: true });
  let arrived = (_value: string): void => undefined;
  await consumer.run({ autoCommit: false, eachMessage: async ({ message }) => arrived(message.value?.toString() ?? '') });
  return {
    async once(): Promise<number> {
      const value = randomUUID().padEnd(300, '.');
      const there = new Promise<void>((resolve) => (arrived = (seen) => void (seen === value && resolve())));
      const began = performance.now();
      await producer.send({ topic, messages: [{ value }] });
      await there;
      return performance.now() - began;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([producer.disconnect(), consumer.disconnect()]);
      await admin.deleteTopics({ topics: [topic] });
    },
  };
}

/** One of stock's own documents, under another name each time, into a collection with the same indexes; in milliseconds. */
async function openRawInsert(from: Db, to: Db, sample: Document) {
  const indexes = (await from.collection('journal').indexes()).filter(({ name }) => name !== '_id_');
  const collection = to.collection('journal', { writeConcern: { w: 'majority', journal: true } });
  await collection.createIndexes(indexes.map(({ v: _, ...index }) => index));
  return async (): Promise<number> => {
    const document = { ...sample, aggregate: randomUUID(), causes: [randomUUID()] };
    const began = performance.now();
    await collection.insertOne(document, { forceServerObjectId: true });
    return performance.now() - began;
  };
}

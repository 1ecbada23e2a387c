import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLogger, openKafka, openMongo, openSender, type EventOf, type KafkaHandle, type Sender } from '@evenkeel/chassis';
import { decode } from '@evenkeel/chassis/testing';
import { openCodec, topics, type EventName, type ListingVersion, type Topic } from '@evenkeel/contracts';
import { openConnectorProcess } from './connector-process.ts';

let connector: Awaited<ReturnType<typeof openConnectorProcess>>;
let kafka: KafkaHandle;
let sender: Sender;
const opened = new AsyncDisposableStack();
const read: EventOf<EventName>[] = [];

async function until(what: string, check: () => boolean | Promise<boolean>): Promise<void> {
  for (const end = performance.now() + 40_000; performance.now() < end; await new Promise((resolve) => setTimeout(resolve, 25))) if (await check()) return; // prettier-ignore
  throw new Error(`It never came that ${what}.`);
}

/** Collects what the connector publishes for its tenant. */
async function collect(topicList: readonly Topic[]): Promise<void> {
  const consumer = kafka.client.consumer({ groupId: `test-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: topicList.map(({ name }) => name), fromBeginning: true });
  await consumer.run({
    async eachMessage({ topic, message }) {
      const names = topicList.find(({ name }) => name === topic)?.events ?? [];
      const event = await decode(kafka.codec, names, message);
      if (event && 'tenant' in event.data && event.data.tenant === connector.tenant) read.push(event);
    },
  });
  opened.defer(() => consumer.disconnect());
}

beforeAll(async () => {
  connector = opened.use(await openConnectorProcess());
  const codec = await openCodec(process.env['SCHEMA_REGISTRY_URL'] ?? '');
  const used = [topics.listingChanges, topics.marketplaceOrders];
  kafka = await openKafka({
    brokers: (process.env['KAFKA_BROKERS'] ?? '').split(','),
    clientId: 'test',
    codec,
    log: createLogger('test', 'silent'),
    topics: used,
  });
  sender = opened.use(await openSender(kafka));
  await collect(used);
}, 120_000);
afterAll(async () => opened.disposeAsync(), 60_000);

const control = () => connector.sandbox.control;
let stores = 0;

/** A shop with one product per SKU, showing 5, connected as a store. */
async function connect(skus: readonly string[]): Promise<{ store: string; token: string; listings: string[] }> {
  const store = `${connector.tenant}-${(stores += 1)}`;
  const token = `shpat_${randomUUID().replaceAll('-', '')}`;
  await control().createShop({ name: store, token, plan: 'enterprise' });
  const products = await control().putProducts(store, skus.map((sku) => ({ sku, quantity: 5 }))); // prettier-ignore
  expect((await connector.call('POST', '/stores', { store, shop: store, accessToken: token })).status).toBe(201);
  await until('it is connected', async () => (await connector.call('GET', `/stores/${store}`)).body['state'] === 'connected');
  return { store, token, listings: products.map(({ inventoryItem }) => inventoryItem) };
}

async function request(store: string, listing: string, sku: string, available: number, sequence: number, correlation = 'c'): Promise<void> {
  const { tenant } = connector;
  const version: ListingVersion = { mapping: 1, epoch: 1, sequence, settings: 0 };
  const at = Date.now();
  const data = { tenant, sku, store, marketplace: 'shopify', listing, available, version, reason: 'crossed_zero' as const, at };
  const event: EventOf<'PushRequested'> = { id: randomUUID(), type: 'PushRequested', time: at, correlation, data };
  await sender.send([{ topic: topics.shopifyPushRequests, key: [tenant, store, listing, sku], event }]);
}

async function shown(store: string, listing: string): Promise<number | undefined> {
  for await (const { inventoryItem, available } of control().allQuantities(store)) if (inventoryItem === listing) return available;
  return undefined;
}

describe('a Shopify store', () => {
  test('is connected: its listings are read, mapped and told of', async () => {
    const { store, listings } = await connect(['cup', ' Cup/2 ']);
    await until(
      'the mappings are published',
      () => read.filter(({ type, data }) => type === 'ListingMapped' && data.store === store).length === 2,
    );
    const { body } = await connector.call('GET', `/stores/${store}`);
    expect(body).toMatchObject({
      status: 'ok',
      account: `${store}.myshopify.com`,
      listings: { listings: 2, mapped: 2, outstanding: 0, quarantined: 0 },
    });
    const page = await connector.call('GET', `/stores/${store}/listings?limit=1`);
    expect(page.body).toMatchObject({
      listings: [{ listing: listings[0], sku: 'cup', mapping: 1, wanted: null, confirmed: null }],
      next: listings[0],
    });
    expect((await connector.call('GET', `/listings?sku=${encodeURIComponent(' Cup/2 ')}`)).body).toMatchObject({
      listings: [{ listing: listings[1] }],
    });
  });

  test('with several locations is connected only when one is chosen', async () => {
    const store = `${connector.tenant}-two`;
    const shop = await control().createShop({ name: store, token: 'shpat_two', locations: ['North', 'South'] });
    const refused = await connector.call('POST', '/stores', { store, shop: store, accessToken: 'shpat_two' });
    expect(refused).toMatchObject({
      status: 400,
      body: {
        type: 'urn:evenkeel:problem:connection-refused',
        detail: expect.stringMatching(/North.*South/),
        choice: { field: 'locationId', options: shop.locations.map(({ id, name }) => ({ value: id, label: name })) },
      },
    });
    const entered = { store, shop: store, accessToken: 'shpat_two', locationId: shop.locations[1]?.id };
    expect(await connector.call('POST', '/stores', entered)).toMatchObject({
      status: 201,
      body: { store: { settings: { locationId: shop.locations[1]?.id } } },
    });
  });

  test('says what it needs to be connected', async () => {
    const { status, body } = await connector.call('GET', '/marketplace');
    expect(status).toBe(200);
    expect(body).toMatchObject({ marketplace: 'shopify', connection: { required: expect.arrayContaining(['shop', 'accessToken']) } });
  });

  test('with a wrong token, an unknown shop or an unknown field is refused, and says what to do', async () => {
    const store = `${connector.tenant}-three`;
    await control().createShop({ name: store, token: 'shpat_right' });
    const wrong = await connector.call('POST', '/stores', { store, shop: store, accessToken: 'shpat_wrong' });
    expect(wrong).toMatchObject({ status: 400, body: { type: 'urn:evenkeel:problem:credentials-refused', code: 'HTTP_401' } });
    expect((await connector.call('POST', '/stores', { store, shop: `no-${store}`, accessToken: 'x' })).status).toBe(400);
    expect((await connector.call('POST', '/stores', { store, shop: 'a.b/../c', accessToken: 'x' })).status).toBe(400);
    expect((await connector.call('POST', '/stores', { store, shop: { $gt: '' }, accessToken: 'x' })).status).toBe(400);
    expect((await connector.call('GET', `/stores/${store}`)).status).toBe(404);
  });

  test('shows what is requested, and its orders are told of with the SKU of their listing', async () => {
    const { store, listings: [listing = ''] } = await connect(['jug']); // prettier-ignore
    await request(store, listing, 'jug', 3, 1);
    await until('it shows 3', async () => (await shown(store, listing)) === 3);
    const order = await control().placeOrder(store, { lines: [{ inventoryItem: listing, quantity: 2 }] });
    await until('the order is told of', () => read.some(({ type, data }) => type === 'MarketplaceOrderRead' && data.order === order.id));
    const told = read.find(({ type, data }) => type === 'MarketplaceOrderRead' && data.order === order.id);
    expect(told?.data).toMatchObject({
      store,
      name: order.name,
      updatedAt: order.updatedAt,
      lines: [{ listing, sku: 'jug', quantity: 2, cancelled: 0 }],
    });
    const { body } = await connector.call('GET', `/stores/${store}/listings`);
    expect(body).toMatchObject({
      listings: [
        { outstanding: false, confirmed: { quantity: 3, version: { mapping: 1, epoch: 1, sequence: 1, settings: 0 } }, inFlight: null },
      ],
    });
  });

  test('does not sell again what its last shoppers bought between our decision and our call', async () => {
    const { store, listings: [listing = ''] } = await connect(['lamp']); // prettier-ignore
    await request(store, listing, 'lamp', 2, 1);
    await until('it shows 2', async () => (await shown(store, listing)) === 2);
    await control().setFaults(store, { sellBeforeNextMutation: { lines: [{ inventoryItem: listing, quantity: 2 }] } });
    await request(store, listing, 'lamp', 3, 2); // one was found: 3, of which two are being sold
    await until('the sale is told of', () => read.some(({ type, data }) => type === 'MarketplaceOrderRead' && data.store === store));
    expect(await shown(store, listing)).toBe(0);
    const sold = read.find(({ type, data }) => type === 'MarketplaceOrderRead' && data.store === store);
    await request(store, listing, 'lamp', 1, 3, sold?.correlation);
    await until('it shows 1', async () => (await shown(store, listing)) === 1);
    const written: number[] = [];
    for await (const { quantityAfter } of control().allWrites(store)) written.push(quantityAfter);
    expect(written).toEqual([2, 1]);
  });

  test('that was being written when the connector was killed is written once, and then shows the newest', async () => {
    const { store, listings: [listing = ''] } = await connect(['vase']); // prettier-ignore
    await control().configure(store, { answerDelayMilliseconds: 3_000 });
    await request(store, listing, 'vase', 4, 1);
    await until('the write has taken effect', async () => (await shown(store, listing)) === 4);
    await connector.kill();
    await control().configure(store, { answerDelayMilliseconds: 0 });
    await request(store, listing, 'vase', 2, 2);
    await connector.start();
    await until('it shows 2', async () => (await shown(store, listing)) === 2);
    const keys: string[] = [];
    for await (const { idempotencyKey } of control().allWrites(store)) keys.push(idempotencyKey);
    expect(new Set(keys).size).toBe(2);
    expect(keys).toHaveLength(2);
    await until('both calls are recorded as applied', async () => {
      await using mongo = await openMongo({ url: connector.mongo.url, database: connector.mongo.database });
      const calls = await mongo.connection.collection('calls').find({ store }).toArray();
      return calls.length === 2 && calls.every(({ outcome }) => outcome === 'applied');
    });
  }, 90_000);

  test('whose token was taken back is asked nothing more, until a new one is entered; no token ever shows', async () => {
    const { store, token, listings: [listing = ''] } = await connect(['bowl']); // prettier-ignore
    await control().configure(store, { token: 'shpat_renewed' });
    await request(store, listing, 'bowl', 1, 1);
    await until(
      'the store says so',
      async () => (await connector.call('GET', `/stores/${store}`)).body['status'] === 'credentials_expired',
    );
    const { calls } = await control().calls(store);
    await request(store, listing, 'bowl', 0, 2);
    const [{ body: before }] = [await connector.call('GET', `/stores/${store}`)];
    expect(before).toMatchObject({ hold: 'disconnected', credentials: { version: 1, refused: { code: 'HTTP_401' } } });
    expect((await control().calls(store)).calls).toBe(calls);
    expect((await connector.call('PUT', `/stores/${store}/credentials`, { accessToken: 'shpat_wrong' })).status).toBe(400);
    const entered = await connector.call('PUT', `/stores/${store}/credentials`, { accessToken: 'shpat_renewed' });
    expect(entered).toMatchObject({ status: 200, body: { status: 'ok', credentials: { version: 2, refused: null } } });
    await until('it shows 0', async () => (await shown(store, listing)) === 0);
    for (const secret of [token, 'shpat_renewed', 'shpat_wrong']) {
      expect(connector.logged()).not.toContain(secret);
      expect(JSON.stringify(entered.body)).not.toContain(secret);
    }
  });
});

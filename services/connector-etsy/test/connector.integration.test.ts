import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createLogger, openKafka, openSender, type EventOf, type KafkaHandle, type Sender } from '@evenkeel/chassis';
import { decode } from '@evenkeel/chassis/testing';
import { openConnectorProcess, type ConnectorProcess } from '@evenkeel/connector-kit/testing';
import { openCodec, topics, type EventName, type ListingVersion, type Topic } from '@evenkeel/contracts';
import type { EtsyTokens, Listing } from '@evenkeel/marketplace-sandbox/control';
import { openEtsySandbox, type RunningSandbox } from './sandbox-harness.ts';

let sandbox: RunningSandbox;
let connector: ConnectorProcess;
let kafka: KafkaHandle;
let sender: Sender;
const opened = new AsyncDisposableStack();
const read: EventOf<EventName>[] = [];
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

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
  sandbox = opened.use(await openEtsySandbox());
  const { apiUrl, tokenUrl, keystring, sharedSecret } = sandbox.etsy;
  const env = { ETSY_API_URL: apiUrl, ETSY_TOKEN_URL: tokenUrl, ETSY_KEYSTRING: keystring, ETSY_SHARED_SECRET: sharedSecret };
  connector = opened.use(await openConnectorProcess({ main, env, backing: process.env }));
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

let stores = 0;

/** A shop with one listing that has a variant per SKU, 5 of each, connected as a store. */
async function connect(skus: readonly string[]): Promise<{ store: string; tokens: EtsyTokens; listing: Listing; variants: string[] }> {
  const { control, etsy } = sandbox;
  const store = `${connector.tenant}-${(stores += 1)}`;
  const { tokens } = await control.createEtsyShop({ name: store, keystring: etsy.keystring, sharedSecret: etsy.sharedSecret });
  const [listing] = await control.putListings(store, [
    { variants: skus.map((sku, index) => ({ sku, quantity: 5, values: { Size: `${index}` } })) },
  ]);
  if (!listing) throw new Error('no listing was created');
  expect((await connector.call('POST', '/stores', { store, ...tokens })).status).toBe(201);
  await until('the store is open', async () => (await connector.call('GET', `/stores/${store}`)).body['status'] === 'ok');
  return { store, tokens, listing, variants: listing.offerings.map(({ inventoryItem }) => inventoryItem) };
}

async function request(store: string, listing: string, sku: string, available: number, sequence: number): Promise<void> {
  const { tenant } = connector;
  const version: ListingVersion = { mapping: 1, epoch: 1, sequence, settings: 0 };
  const at = Date.now();
  const data = { tenant, sku, store, marketplace: 'etsy', listing, available, version, reason: 'crossed_zero' as const, at };
  const event: EventOf<'PushRequested'> = { id: randomUUID(), type: 'PushRequested', time: at, correlation: 'c', data };
  await sender.send([{ topic: topics.etsyPushRequests, key: [tenant, store, listing, sku], event }]);
}

const now = async (store: string, { listing }: Listing) => {
  const { state, offerings } = await sandbox.control.listing(store, listing);
  return [state, ...offerings.map(({ quantity }) => quantity)].join(' ');
};

describe('an Etsy store', () => {
  test('is connected: each variant with a quantity of its own is a listing, mapped to its SKU', async () => {
    const { store, variants } = await connect(['cup', 'jug']);
    await until(
      'the mappings are published',
      () => read.filter(({ type, data }) => type === 'ListingMapped' && data.store === store).length === 2,
    );
    const page = await connector.call('GET', `/stores/${store}/listings`);
    expect(page.body).toMatchObject({
      listings: [
        { listing: variants.toSorted()[0], wanted: null, confirmed: null },
        { listing: variants.toSorted()[1], wanted: null, confirmed: null },
      ],
    });
    expect((await connector.call('GET', '/listings?sku=jug')).body).toMatchObject({ listings: [{ listing: variants[1] }] });
  });

  test('with tokens that are none, or of nobody, is refused, and says what to do', async () => {
    const refused = await connector.call('POST', '/stores', { store: 'none', accessToken: '1.x', refreshToken: '1.y' });
    expect(refused).toMatchObject({ status: 400, body: { type: 'urn:evenkeel:problem:credentials-refused' } });
    for (const accessToken of ['no dot', '', { $gt: '' }, null])
      expect((await connector.call('POST', '/stores', { store: 'none', accessToken, refreshToken: '1.y' })).status).toBe(400);
    expect((await connector.call('GET', '/stores/none')).status).toBe(404);
  });

  test('shows what is requested of each variant, goes off sale with the last unit and comes back with the next', async () => {
    const { store, listing, variants: [one = '', two = ''] } = await connect(['one', 'two']); // prettier-ignore
    await Promise.all([request(store, one, 'one', 3, 1), request(store, two, 'two', 2_000, 1)]);
    await until('both show', async () => (await now(store, listing)) === 'active 3 999');
    await Promise.all([request(store, one, 'one', 0, 2), request(store, two, 'two', -4, 2)]);
    await until('it is off sale', async () => (await now(store, listing)) === 'inactive 0 0');
    await request(store, two, 'two', 7, 3);
    await until('it is back on sale', async () => (await now(store, listing)).startsWith('active'));
    expect(await now(store, listing)).toBe('active 0 7');
  });

  test('tells of its orders with the SKU of the variant that was bought, and does not undo a sale that it has not seen', async () => {
    const { control } = sandbox;
    const { store, listing, variants: [bowl = '', dish = ''] } = await connect(['bowl', 'dish']); // prettier-ignore
    await request(store, bowl, 'bowl', 4, 1);
    await until('it shows 4', async () => (await now(store, listing)) === 'active 4 5');
    const order = await control.placeOrder(store, { lines: [{ inventoryItem: bowl, quantity: 3 }, { inventoryItem: dish, quantity: 1 }] }); // prettier-ignore
    const told = () => read.find(({ type, data }) => type === 'MarketplaceOrderRead' && data.order === order.id);
    await until('the order is told of', () => told() !== undefined);
    expect(told()?.data).toMatchObject({
      store,
      lines: [
        { listing: bowl, sku: 'bowl', quantity: 3, cancelled: 0, fulfilled: 0 },
        { listing: dish, sku: 'dish', quantity: 1 },
      ],
    });
    await request(store, bowl, 'bowl', 1, 2);
    await until('what was pushed is confirmed', async () => {
      const { body } = await connector.call('GET', `/listings?sku=bowl`);
      return (body['listings'] as { confirmed: { version: ListingVersion } | null }[])[0]?.confirmed?.version.sequence === 2;
    });
    expect(await now(store, listing)).toBe('active 1 4');
  });

  test('that was being written when the connector was killed shows the newest afterwards', async () => {
    const { control } = sandbox;
    const { store, listing, variants: [vase = ''] } = await connect(['vase']); // prettier-ignore
    await control.configure(store, { answerDelayMilliseconds: 3_000 });
    await request(store, vase, 'vase', 4, 1);
    await until('the write has taken effect', async () => (await now(store, listing)) === 'active 4');
    await connector.kill();
    await control.configure(store, { answerDelayMilliseconds: 0 });
    await request(store, vase, 'vase', 2, 2);
    await connector.start();
    await until('it shows something else', async () => (await now(store, listing)) !== 'active 4');
    expect(await now(store, listing)).toBe('active 2');
  }, 90_000);

  test('whose access token expires goes on: it is renewed, and what that gave is good for the next time', async () => {
    const { control } = sandbox;
    const { store, tokens, listing, variants: [urn = ''] } = await connect(['urn']); // prettier-ignore
    for (const [quantity, sequence] of [
      [3, 1],
      [2, 2],
    ] as const) {
      // prettier-ignore
      await control.expireTokens(store);
      await request(store, urn, 'urn', quantity, sequence);
      await until(`it shows ${quantity}`, async () => (await now(store, listing)) === `active ${quantity}`);
    }
    const { body } = await connector.call('GET', `/stores/${store}`);
    expect(body).toMatchObject({ status: 'ok', credentials: { version: 1, refused: null } });
    expect(connector.logged()).not.toContain(tokens.refreshToken.split('.')[1]);
  });

  test('whose consent was taken back is asked nothing more, until it is given again; no token ever shows', async () => {
    const { control } = sandbox;
    const { store, tokens, listing, variants: [pot = ''] } = await connect(['pot']); // prettier-ignore
    await control.revokeTokens(store);
    await request(store, pot, 'pot', 1, 1);
    const status = async () => (await connector.call('GET', `/stores/${store}`)).body['status'];
    await until('the store says so', async () => (await status()) === 'credentials_expired');
    const { calls } = await control.calls(store);
    await request(store, pot, 'pot', 2, 2);
    expect((await control.calls(store)).calls).toBe(calls);
    const again = await control.issueTokens(store);
    expect((await connector.call('PUT', `/stores/${store}/credentials`, again)).status).toBe(200);
    await until('it shows 2', async () => (await now(store, listing)) === 'active 2');
    for (const secret of [...Object.values(tokens), ...Object.values(again)])
      expect(connector.logged()).not.toContain(secret.split('.')[1]);
  });
});

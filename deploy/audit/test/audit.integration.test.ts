import { execFile } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Kafka, logLevel, type KafkaMessage } from 'kafkajs';
import { MongoClient, type Collection, type Document } from 'mongodb';
import { openSeller, until, type Seller } from '../../testing/scenarios/seller.ts';
import { openSystem, type System } from '../../testing/system.ts';
import { joinKey } from '../keys.ts';
import type { Options } from '../options.ts';
import { printFinding } from '../report.ts';
import { runAudit, type Verdict } from '../run.ts';

const cup = 'cup/large';
let system: System;
let mongo: MongoClient;
let seller: Seller;

beforeAll(async () => {
  system = await openSystem({ serviceEnv: { 'connector-shopify': { ORDER_POLL_SECONDS: '0.2' } } });
  mongo = await new MongoClient(system.mongoUrl).connect();
  seller = await openSeller(system);
  await aDayInTheShop();
}, 180_000);
afterAll(async () => {
  await mongo?.close();
  await system?.[Symbol.asyncDispose]();
}, 60_000);

/** Counted, sold in both stores, shipped, cancelled, oversold and counted again, with sync off and on, under two policies. */
async function aDayInTheShop(): Promise<void> {
  await seller.policy({ realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 3 });
  await seller.open([cup, 'plate']);
  for (const sku of [cup, 'plate']) {
    await seller.count(sku, 30);
    await seller.show(sku, 30);
  }
  const order = await seller.buy('amber', [[cup, 2], ['plate', 1]]); // prettier-ignore
  const cancelled = await seller.buy('birch', [[cup, 1]]);
  await seller.levelIs(cup, { orderReserve: 3 });
  await seller.label('amber', order.id);
  await seller.control.cancelOrder(seller.shopOf('birch'), cancelled.id);
  await seller.levelIs(cup, { onHand: 28, orderReserve: 0 });
  await aDayInTheWarehouse();
  await seller.sync('plate', false);
  await seller.count('plate', 11);
  await seller.sync('plate', true);
  await seller.skuPolicy(cup, { realTimeAtOrBelow: 5, significantUnits: 4, everyNth: 4 });
  await seller.buy('birch', [[cup, 40]], true);
  await seller.levelIs(cup, { available: -12 });
  await seller.count(cup, 60);
  await seller.show(cup, 20);
}

/** Plates are picked short in a batch, one of them is received, and a label for one is voided and made again. */
async function aDayInTheWarehouse(): Promise<void> {
  const ask = async (service: 'order' | 'reservation' | 'stock', path: string, body: object) => {
    const answer = await seller.call(service, 'POST', path, body);
    if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body as unknown as { batch: string; label: string; orders: { status: string; units: { line: string }[] }[] };
  };
  const [batched, voided] = [await seller.buy('amber', [['plate', 3]]), await seller.buy('birch', [['plate', 1]])];
  await seller.levelIs('plate', { onHand: 29, orderReserve: 4 });
  const name = { store: 'amber', order: batched.id };
  const { batch, orders } = await ask('reservation', '/pick-batches', { orders: [name] });
  const line = orders[0]?.units[0]?.line;
  await ask('reservation', `/pick-batches/${batch}/short-picks`, { orders: [{ ...name, lines: [{ line, quantity: 1 }] }] });
  await ask('reservation', `/pick-batches/${batch}/picks`, {});
  const labels = `/stores/birch/orders/${encodeURIComponent(voided.id)}/labels`;
  const { label } = await ask('order', labels, {});
  await ask('order', `${labels}/${label}/voids`, {});
  await ask('stock', '/purchase-orders', { purchaseOrder: 'po-1', lines: [{ sku: 'plate', quantity: 1 }] });
  await ask('stock', '/purchase-orders/po-1/receipts', {});
  await seller.levelIs('plate', { onHand: 27, orderReserve: 2, batchReserve: 0 });
}

const options = (tenant = seller.tenant): Options => ({
  tenant,
  waitSeconds: 20,
  json: false,
  help: false,
  brokers: system.brokers.split(','),
  registryUrl: system.registryUrl,
  mongoUrl: system.mongoUrl,
  controlUrl: system.sandbox.controlUrl,
  databasePrefix: 'evenkeel_',
});
const verdict = async (): Promise<Verdict> => runAudit(options(), () => undefined);
const found = async (): Promise<string[]> => (await verdict()).violations.map(printFinding);
const foundOf = async ({ tenant }: Seller): Promise<string[]> =>
  (await runAudit(options(tenant), () => undefined)).violations.map(printFinding);

/** The command, as a person runs it. */
function command(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const env = {
    ...process.env,
    KAFKA_BROKERS: system.brokers,
    SCHEMA_REGISTRY_URL: system.registryUrl,
    MONGO_URL: system.mongoUrl,
    SANDBOX_CONTROL_URL: system.sandbox.controlUrl,
  };
  return new Promise((resolve) => {
    execFile(process.execPath, ['deploy/audit/main.ts', ...args], { env }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

const journalOf = (service: string): Collection<Document> => mongo.db(`evenkeel_${service}`).collection('journal');
const keyOfCup = () => joinKey(seller.tenant, cup);

interface Stored extends Document {
  from: number;
  to: number;
  causes: string[];
  entries: { sequence: number; cause: string; data: Document & { after: Document } }[];
}

/** The ledger of the cup, document by document; at least one of them has two rows. */
async function ledger(): Promise<Stored[]> {
  return (await journalOf('stock').find({ aggregate: keyOfCup() }).sort({ from: 1 }).toArray()) as unknown as Stored[];
}

/** Changes documents of the ledger (one without rows goes), audits, and puts them back as they were. */
async function withChanged(documents: readonly Stored[], change: (documents: Stored[]) => void): Promise<string[]> {
  const changed = structuredClone(documents.map(({ _id, ...rest }) => rest)) as Stored[];
  change(changed);
  const replaceBy = async (all: readonly Stored[]) => {
    await journalOf('stock').deleteMany({ aggregate: keyOfCup(), from: { $gte: 1 } });
    await journalOf('stock').insertMany([...all]);
  };
  await replaceBy(changed.filter(({ entries }) => entries.length > 0));
  try {
    return await found();
  } finally {
    await replaceBy(documents);
  }
}

/** Adds a document to a journal, audits, and removes it. */
async function withAdded(service: string, document: Document): Promise<string[]> {
  const { insertedId } = await journalOf(service).insertOne(document);
  try {
    return await found();
  } finally {
    await journalOf(service).deleteOne({ _id: insertedId });
  }
}

interface Call extends Document {
  _id: string;
  items: { listing: string; sku: string; version: string; quantity: number }[];
}
const calls = (): Collection<Call> => mongo.db('evenkeel_connector_shopify').collection<Call>('calls');

/** The calls that wrote to a listing, in the order in which they were made. */
const callsOf = async (listing: string): Promise<Call[]> =>
  calls().find({ tenant: seller.tenant, outcome: 'applied', 'items.listing': listing }).sort({ startedAt: 1 }).toArray();

/** The last call to the cup's listing of a store. */
async function lastCallOf(store: string): Promise<{ listing: string; call: Call }> {
  const listing = seller.itemOf(store, cup);
  const call = (await callsOf(listing)).at(-1);
  if (!call) throw new Error(`nothing was ever written to ${listing}`);
  return { listing, call };
}

/** Sets a listing's quantity as a connector would, past every connector. */
async function writeAtTheMarketplace(store: string, inventoryItemId: string, quantity: number, key: string): Promise<void> {
  const shop = seller.shopOf(store);
  for await (const { inventoryItem, location: locationId } of seller.control.allQuantities(shop)) {
    if (inventoryItem !== inventoryItemId) continue;
    const quantities = [{ inventoryItemId, locationId, quantity, changeFromQuantity: null }];
    const query =
      'mutation Set($input: InventorySetQuantitiesInput!, $key: String!) { inventorySetQuantities(input: $input) @idempotent(key: $key) { userErrors { message } } }';
    const response = await fetch(`${system.sandbox.contractUrl}/${shop}/admin/api/2026-10/graphql.json`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-shopify-access-token': `shpat_${shop}` },
      body: JSON.stringify({ query, variables: { input: { name: 'available', reason: 'correction', quantities }, key } }),
    });
    expect(await response.json()).toMatchObject({ data: { inventorySetQuantities: { userErrors: [] } } });
  }
}

/** A seller with one Etsy listing of two variants, which are written together. */
async function openPotter() {
  const [store, blue, red] = ['cedar', 'mug/blue', 'mug/red'];
  const potter = await openSeller(system, { stores: [], etsyStores: [store] });
  const shop = potter.shopOf(store);
  const entered = await potter.createShop(store);
  const variants = [{ sku: blue, quantity: 1, values: { Colour: 'blue' } }, { sku: red, quantity: 1, values: { Colour: 'red' } }]; // prettier-ignore
  const [mug] = await potter.control.putListings(shop, [{ title: 'Mug', variants }]);
  if (!mug) throw new Error('no listing was created');
  await potter.connect(store, entered);
  const shown = async () => (await potter.control.listing(shop, mug.listing)).offerings.map(({ quantity }) => quantity);
  for (const sku of [blue, red]) await potter.mapped(sku, 1);
  for (const quantity of [4, 7]) {
    for (const sku of [blue, red]) await potter.count(sku, quantity);
    await until(`both variants to show ${quantity}`, shown, (seen) => seen.every((each) => each === quantity));
  }
  const calls = mongo.db('evenkeel_connector_etsy').collection<Call>('calls');
  const callsOfVariant = async (listing: string) =>
    calls.find({ tenant: potter.tenant, outcome: 'applied', 'items.listing': listing }).sort({ startedAt: 1 }).toArray();
  return { potter, shop, listing: mug.listing, offerings: mug.offerings, calls, callsOfVariant };
}

/** Puts a whole listing as its connector would, past the connector. */
async function putListing(token: string, listing: number, quantities: readonly number[], requestId: string): Promise<number> {
  const { keystring, sharedSecret } = system.sandbox.etsyApp;
  const url = `${system.sandbox.contractUrl}/v3/application/listings/${listing}/inventory`;
  const headers = {
    'x-api-key': `${keystring}:${sharedSecret}`,
    authorization: `Bearer ${token}`,
    'content-type': 'application/json',
    'x-request-id': requestId,
  };
  const { products, ...varies } = (await (await fetch(url, { headers })).json()) as {
    products: { sku: string; property_values: { scale_name: unknown }[]; offerings: { price: { amount: number; divisor: number } }[] }[];
  };
  const body = {
    ...varies,
    products: products.map(({ sku, property_values: values, offerings: [offering] }, index) => ({
      sku,
      property_values: values.map(({ scale_name, ...value }) => value),
      offerings: [
        {
          price: (offering?.price.amount ?? 0) / (offering?.price.divisor ?? 1),
          quantity: quantities[index],
          is_enabled: true,
          readiness_state_id: null,
        },
      ],
    })),
  };
  return (await fetch(url, { method: 'PUT', headers, body: JSON.stringify(body) })).status;
}

describe('the auditor of an Etsy shop, whose listings are written as a whole', () => {
  let opened: Awaited<ReturnType<typeof openPotter>>;
  beforeAll(async () => {
    opened = await openPotter();
  }, 120_000);

  test('finds nothing wrong with what its connector wrote', async () => {
    expect(await foundOf(opened.potter)).toEqual([]);
  });

  test('finds writes that were applied in another order than their versions', async () => {
    const { potter, offerings, calls, callsOfVariant } = opened;
    const blue = offerings[0]?.inventoryItem ?? '';
    const [earlier, later] = (await callsOfVariant(blue)).slice(-2) as [Call, Call];
    const itemOf = ({ items }: Call) => items.find(({ listing }) => listing === blue) as Call['items'][0];
    const setItem = async (call: Call, item: Call['items'][0]) =>
      calls.updateOne({ _id: call._id }, { $set: { items: call.items.map((each) => (each.listing === blue ? item : each)) } });
    await Promise.all([setItem(earlier, itemOf(later)), setItem(later, itemOf(earlier))]);
    const lines = await foundOf(potter);
    await Promise.all([setItem(earlier, itemOf(earlier)), setItem(later, itemOf(later))]);
    expect(lines.filter((line) => line.endsWith(': a stale push.'))).toEqual([
      expect.stringContaining(`I4 tenant ${potter.tenant}, SKU mug/blue, listing cedar/${blue}, version `),
    ]);
    expect(await foundOf(potter)).toEqual([]);
  });

  // The shop's log is for ever: this is the last.
  test('finds a stale push: both variants of a listing put as they were long ago', async () => {
    const { potter, shop, listing, offerings, calls, callsOfVariant } = opened;
    const first = await Promise.all(offerings.map(async ({ inventoryItem }) => (await callsOfVariant(inventoryItem))[0] as Call));
    const items = first.map((call, index) => {
      const item = call.items.find((each) => each.listing === offerings[index]?.inventoryItem) as Call['items'][0];
      return { ...item, expected: null };
    });
    await calls.insertOne({ ...(first[0] as Call), _id: 'stale whole', items });
    const { accessToken } = await potter.control.issueTokens(shop);
    expect(await putListing(accessToken, listing, items.map(({ quantity }) => quantity), 'stale whole')).toBe(200); // prettier-ignore
    const lines = await foundOf(potter);
    for (const [index, sku] of ['mug/blue', 'mug/red'].entries()) {
      const name = `tenant ${potter.tenant}, SKU ${sku}, listing cedar/${offerings[index]?.inventoryItem}`;
      expect(lines.filter((line) => line.startsWith(`I4 ${name}, version `) && line.endsWith(': a stale push.'))).toHaveLength(1);
      expect(lines).toContainEqual(expect.stringContaining(`I5 ${name}`));
    }
  });
});

const about = () => `tenant ${seller.tenant}, SKU ${cup}`;

describe('the auditor of a running system', () => {
  test('finds nothing wrong with a day in the shop', async () => {
    const { violations, unjudged, quiet, counted, moving } = await verdict();
    expect({ violations, unjudged, quiet, moving }).toEqual({ violations: [], unjudged: [], quiet: true, moving: [] });
    expect(counted).toMatchObject({ orders: 5, listings: 4 });
    const { code, stdout } = await command('--tenant', seller.tenant);
    expect([code, stdout]).toEqual([0, expect.stringContaining('No violations.')]);
  });

  test('finds a row that is missing from the ledger', async () => {
    const documents = await ledger();
    const row = documents[1]?.from;
    const lines = await withChanged(documents, ([, document]) => void document?.entries.shift());
    expect(lines).toEqual([`I1 ${about()}, version ${row}: row ${row} is missing from the journal.`]);
  });

  test('finds a movement that never reached its topic', async () => {
    const last = (await ledger()).at(-1) as Stored;
    const { data } = last.entries.at(-1) as Stored['entries'][0];
    const sequence = last.to + 1;
    const still = { ...data, type: 'StockUpdate', change: { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 } };
    const entries = [{ sequence, cause: 'command/lost', correlation: 'lost', at: 0, data: still }];
    const { _id, ...rest } = last;
    const lines = await withAdded('stock', { ...rest, from: sequence, to: sequence, causes: ['command/lost'], entries });
    expect(lines).toEqual([`I1 ${about()}, version ${sequence}: row ${sequence} is in the journal, but not in the topic: a lost record.`]);
  });

  test('finds a movement that was made twice', async () => {
    const last = (await ledger()).at(-1) as Stored;
    const entry = last.entries.at(-1) as Stored['entries'][0];
    const sequence = last.to + 1;
    const { _id, ...rest } = last;
    const lines = await withAdded('stock', {
      ...rest,
      from: sequence,
      to: sequence,
      causes: ['command/x'],
      entries: [{ ...entry, sequence }],
    });
    expect(lines).toContainEqual(
      expect.stringContaining(`I2 ${about()}, version ${sequence}: in the journal of stock, ${entry.cause} has an effect twice`),
    );
  });

  test('finds two movements that changed places', async () => {
    const lines = await withChanged(await ledger(), (documents) => {
      const entries = documents.flatMap((document) => document.entries);
      const [first, second] = [entries[1], entries[2]] as [Stored['entries'][0], Stored['entries'][0]];
      [first.data, second.data] = [second.data, first.data];
    });
    expect(lines).toEqual([expect.stringContaining(`I1 ${about()}, version 2: row 2 is not the same in journal and topic`)]);
  });

  test('finds a sum that is wrong', async () => {
    const lines = await withChanged(await ledger(), ([document]) => void ((document as Stored).entries[0]!.data.after['available'] += 1));
    expect(lines).toEqual([
      `I1 ${about()}, version 1: row 1 is wrong: Available 31 is not On Hand 30 − Order Reserve 0 − Batch Reserve 0.`,
    ]);
  });

  test('finds a cause that was repeated inside one document', async () => {
    let cause = '';
    const lines = await withChanged(await ledger(), ([first, second]) => {
      if (!first || !second) throw new Error('the ledger has one document only');
      cause = first.causes[0] ?? '';
      first.entries.push(...second.entries.splice(0).map((entry) => ({ ...entry, cause })));
      first.to = second.to;
    });
    const sentence = `in the journal of stock, ${cause} has an effect twice: entries 1 and 2, inside one document.`;
    expect(lines).toContainEqual(`I2 ${about()}, version 2: ${sentence}`);
  });

  test('finds a reservation that stock never saw', async () => {
    const order = joinKey(seller.tenant, 'amber', 'lost');
    const data = { type: 'reserved', sku: cup, quantity: 2, orderSequence: 1, user: { kind: 'marketplace', id: 'shopify' } };
    const entries = [{ sequence: 1, cause: `order/${order}/1`, correlation: 'lost', at: 0, data }];
    const lines = await withAdded('reservation', { aggregate: order, lane: 0, from: 1, to: 1, source: {}, entries });
    expect(lines).toEqual([expect.stringContaining(`I3 ${about()}, version 1: the reservation reservation/${order}/1/`)]);
  });

  test('finds a listing that shows another quantity, and the command says so with its exit code', async () => {
    const drift = async (available: number) =>
      seller.control.drift(seller.shopOf('birch'), { inventoryItem: seller.itemOf('birch', cup), available });
    await drift(23);
    const { code, stdout } = await command('--tenant', seller.tenant, '--json');
    await drift(20);
    const { violations } = JSON.parse(stdout) as Verdict;
    expect(code).toBe(1);
    expect(violations.map(printFinding)).toEqual([
      expect.stringMatching(
        /^I5 .*, listing birch\/gid:\/\/shopify\/InventoryItem\/\d+, version 1\.1\.\d+\.1: it shows 23, but should show 20: /,
      ),
    ]);
  });

  test('finds a write that no call of its connector explains', async () => {
    const { listing, call } = await lastCallOf('birch');
    await calls().deleteOne({ _id: call._id });
    const lines = await found();
    await calls().insertOne(call);
    expect(lines).toEqual([
      expect.stringMatching(new RegExp(`^I4 ${about()}, listing birch/${listing}: write \\d+ .* is explained by no call of its connector`)),
    ]);
  });

  test('finds writes that were applied in another order than their versions', async () => {
    const { listing } = await lastCallOf('birch');
    const [earlier, later] = (await callsOf(listing)).slice(-2) as [Call, Call];
    const setItems = async ({ _id }: Call, { items }: Call) => calls().updateOne({ _id }, { $set: { items } });
    await Promise.all([setItems(earlier, later), setItems(later, earlier)]);
    const lines = await found();
    await Promise.all([setItems(earlier, earlier), setItems(later, later)]);
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^I4 ${about()}, listing birch/${listing}, .*: a stale push\\.$`)));
    expect(await found()).toEqual([]);
  });

  test('gives no verdict where something cannot be read, and names it', async () => {
    await expect(runAudit({ ...options(), controlUrl: 'http://127.0.0.1:1' }, () => undefined)).rejects.toThrow(/the sandbox/);
    const { code, stderr } = await command('--tenant', 'nobody');
    expect([code, stderr]).toEqual([2, expect.stringContaining('No verdict. the tenant nobody')]);
  });

  // A shop's log is for ever: what follows finds this, too.
  test('finds a stale push: an old version that was written after the newest', async () => {
    const { listing } = await lastCallOf('birch');
    const [first] = (await callsOf(listing)) as [Call];
    const items = first.items.filter((item) => item.listing === listing);
    await calls().insertOne({ ...first, _id: 'stale', items });
    await writeAtTheMarketplace('birch', listing, items[0]?.quantity ?? 0, 'stale');
    const lines = await found();
    expect(lines).toContainEqual(
      expect.stringMatching(
        new RegExp(`^I4 ${about()}, listing birch/${listing}, version 1\\.1\\.\\d+\\.\\d+: write \\d+ .*: a stale push\\.$`),
      ),
    );
    expect(lines).toContainEqual(expect.stringMatching(new RegExp(`^I5 ${about()}, listing birch/${listing}`)));
  });

  // Last: stock would put the newest record last again at once, so it must not run.
  test('finds an old record that came last for its compacted key', async () => {
    await system.processes.stock.kill('SIGTERM');
    await publishAgainFirst('stock.levels.v1', keyOfCup());
    expect((await found()).filter((line) => !/^I[45]/.test(line))).toEqual([
      expect.stringMatching(/^heads .*: stock\.levels\.v1 ends with row 1 for it, but the newest is row \d+\.$/),
    ]);
  });
});

/** Puts the first record of a key at the end of its partition, as a replica would that slept for long. */
async function publishAgainFirst(topic: string, key: string): Promise<void> {
  const kafka = new Kafka({ clientId: 'audit-test', brokers: system.brokers.split(','), logLevel: logLevel.ERROR });
  const consumer = kafka.consumer({ groupId: `audit-test-${seller.tenant}` });
  await consumer.connect();
  await consumer.subscribe({ topic, fromBeginning: true });
  const { promise, resolve } = Promise.withResolvers<{ partition: number; message: KafkaMessage }>();
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ partition, message }) => {
      if (message.key?.toString() === key) resolve({ partition, message });
    },
  });
  const { partition, message } = await promise;
  await consumer.disconnect();
  const producer = kafka.producer();
  await producer.connect();
  const { value, headers = {} } = message;
  await producer.send({ topic, messages: [{ key: message.key, value, headers, partition }] });
  await producer.disconnect();
}

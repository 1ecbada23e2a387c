import { randomBytes, randomUUID } from 'node:crypto';
import {
  createIncidentReporter,
  createLogger,
  createMetrics,
  createSealer,
  openIncidentStore,
  openMongo,
  parseKeyRing,
  type EventOf,
  type IncidentStore,
  type Outgoing,
  type Sealer,
  type Sender,
} from '@evenkeel/chassis';
import { keyOf, topics, type ListingVersion, type PushHeld } from '@evenkeel/contracts';
import { openStores, type Stores } from '../src/connector.ts';
import { openCollections, type Collections, type ListingDocument } from '../src/documents.ts';
import { createListingDesk, type ListingDesk } from '../src/listing-desk.ts';
import { takeIn, type Instruction } from '../src/instructions.ts';
import { createConnectorMetrics } from '../src/metrics.ts';
import { createStoreDesk, type StoreDesk } from '../src/stores.ts';
import type { Timing } from '../src/store-owner.ts';
import type { FakeMarketplace } from './fake-marketplace.ts';

export const tenant = 'acme';
export const store = 'main';

/** Waits until it is so; says what it waited for when it never is. */
export async function until(what: string, check: () => boolean | Promise<boolean>, milliseconds = 15_000): Promise<void> {
  for (const end = performance.now() + milliseconds; performance.now() < end; await new Promise((resolve) => setTimeout(resolve, 10))) if (await check()) return; // prettier-ignore
  throw new Error(`It never came that ${what}.`);
}

/** Repeatable chance: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export const version = (sequence: number, parts: Partial<ListingVersion> = {}): ListingVersion => ({
  mapping: 1,
  epoch: 1,
  sequence,
  settings: 0,
  ...parts,
});

export function requested(listing: string, available: number, of: ListingVersion | number, correlation = 'c'): EventOf<'PushRequested'> {
  const data = {
    tenant,
    store,
    listing,
    sku: `sku-${listing}`,
    marketplace: 'shopify',
    available,
    version: typeof of === 'number' ? version(of) : of,
    reason: 'crossed_zero' as const,
    at: Date.now(),
  };
  return { id: randomUUID(), type: 'PushRequested', time: data.at, correlation, data };
}

export function withdrawn(listing: string, of: ListingVersion | number): EventOf<'PushWithdrawn'> {
  const data = {
    tenant,
    store,
    listing,
    sku: `sku-${listing}`,
    marketplace: 'shopify',
    version: typeof of === 'number' ? version(of) : of,
    reason: 'sync_disabled' as const,
    at: Date.now(),
  };
  return { id: randomUUID(), type: 'PushWithdrawn', time: data.at, correlation: 'c', data };
}

export function held(
  listing: string,
  available: number,
  of: ListingVersion | number,
  { correlation = 'c', reason = 'throttled' }: { correlation?: string; reason?: PushHeld['reason'] } = {},
): EventOf<'PushHeld'> {
  const { data, ...envelope } = requested(listing, available, of, correlation);
  return { ...envelope, type: 'PushHeld', data: { ...data, reason } };
}

export interface Bench extends AsyncDisposable {
  readonly collections: Collections;
  readonly published: Outgoing[];
  readonly desk: StoreDesk;
  readonly sealer: Sealer;
  readonly listingDesk: ListingDesk;
  readonly incidents: IncidentStore;
  readonly sender: Pick<Sender, 'send'>;
  /** Throws from the next publishes while set. */
  sendFails: Error | null;
  /** Happens within each publish, before it is acknowledged. */
  onSend: (() => Promise<unknown>) | null;
  /** A process that owns every lane while it is alive; `freeze` takes its lanes away without its knowing in any other way. */
  start(timing?: Partial<Timing>): { stores: Stores; freeze(): void; stop(): Promise<void> };
  take(...instructions: Instruction[]): Promise<void>;
  listing(listing: string): Promise<ListingDocument>;
  /** Connects the store and has an owner take it on, who then goes away. */
  connect(entered?: Readonly<Record<string, unknown>>): Promise<void>;
  /** Hands the hints that were published so far to the running processes, as the broker would. */
  passHints(): Promise<void>;
  /** A counter's sum over all processes, and over all labels or those that hold the given one. */
  metric(name: string, label?: string): Promise<number>;
}

/** The kit on a real database with a marketplace and a broker in memory. */
export async function openBench(fake: FakeMarketplace): Promise<Bench> {
  const url = process.env['MONGO_URL'];
  if (!url) throw new Error('MONGO_URL is not set: run this through npm test, or set it.');
  const mongo = await openMongo({ url, database: `connector_kit_${randomUUID().slice(0, 8)}` });
  const collections = await openCollections(mongo.connection);
  const incidents = await openIncidentStore(mongo);
  const log = createLogger('connector-kit', (process.env['TEST_LOG_LEVEL'] as 'info' | undefined) ?? 'silent');
  const sealer = createSealer(parseKeyRing(`k1:${randomBytes(32).toString('base64')}`));
  const published: Outgoing[] = [];
  const running = new Set<Stores>();
  const registries: ReturnType<typeof createMetrics>[] = [];
  const newMetrics = () => {
    const registry = createMetrics({ processMetrics: false });
    registries.push(registry);
    return createConnectorMetrics(registry, 'shopify', async () => ({ listings: 0, oldestSeconds: 0 }));
  };
  /** Who takes in what is requested, whichever process runs the store. */
  const lanes = newMetrics();
  const sender = {
    async send(messages: readonly Outgoing[], { alive = () => true }: { alive?: () => boolean } = {}) {
      if (bench.sendFails) throw bench.sendFails;
      if (!alive()) throw new Error('No longer the owner.');
      published.push(...messages);
      await bench.onSend?.();
    },
  };
  const { marketplace } = fake;
  const onChanged = () => running.forEach((stores) => stores.look());
  const bench: Bench = {
    collections,
    incidents,
    listingDesk: createListingDesk({ collections, sender, onChanged }),
    published,
    sealer,
    sender,
    sendFails: null,
    onSend: null,
    desk: createStoreDesk({ marketplace, collections, sealer, sender, log, onChanged }),
    start(timing = {}) {
      let alive = true;
      const metrics = newMetrics();
      const stores = openStores({
        marketplace,
        collections,
        sealer,
        sender,
        log,
        metrics,
        incidents,
        report: createIncidentReporter({ store: incidents, sender, topic: topics.shopifyIncidents }),
        alive: () => alive,
        timing: {
          orderPoll: 3_600_000,
          listingImport: 3_600_000,
          ordersFirst: 100,
          ownOrders: timing.patience ?? 150,
          patience: 150,
          credentialRetry: 5,
          review: 20,
          ...timing,
        },
      });
      stores.assigned(new Set(Array.from({ length: 12 }, (_, lane) => lane)));
      running.add(stores);
      return {
        stores,
        freeze: () => void (alive = false),
        async stop() {
          running.delete(stores);
          await stores[Symbol.asyncDispose]();
        },
      };
    },
    async take(...instructions) {
      await takeIn(collections, instructions, lanes.held);
      for (const stores of running) stores.instructed(instructions);
    },
    async listing(listing) {
      const found = await collections.listings.findOne({ _id: keyOf(tenant, store, listing) });
      if (!found) throw new Error(`There is no listing ${listing}.`);
      return found;
    },
    async connect(entered = {}) {
      await bench.desk.connect(tenant, store, { token: fake.shop.token, ...entered }, 'connect');
      const owner = bench.start();
      await until('it is connected', async () => (await collections.stores.findOne({ state: 'connected' })) !== null);
      await owner.stop();
      fake.shop.asked.length = 0;
    },
    async passHints() {
      const hints = published.flatMap(({ event }) => (event?.type === 'OrderHinted' ? [event as EventOf<'OrderHinted'>] : []));
      for (const stores of running) stores.hinted(hints);
    },
    async metric(name, label = '') {
      const texts = await Promise.all(registries.map(async (registry) => (await registry.read()).text));
      const lines = texts.join('\n').split('\n');
      const asked = lines.filter((line) => line.split(/[{ ]/)[0] === name && line.includes(label));
      return asked.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((stores) => stores[Symbol.asyncDispose]()));
      await mongo.connection.dropDatabase();
      await mongo[Symbol.asyncDispose]();
    },
  };
  return bench;
}

import {
  openLanes,
  partitionOf,
  Unavailable,
  type EventOf,
  type KafkaHandle,
  type Lanes,
  type Logger,
  type Metrics,
  type Sealer,
  type Sender,
} from '@evenkeel/chassis';
import { keyOf, pushRequestsOf, topicsOf } from '@evenkeel/contracts';
import type { Collections, StoreDocument } from './documents.ts';
import type { HoldReason } from './failure.ts';
import { correlationsIn, takeIn, type Instruction } from './instructions.ts';
import type { Marketplace } from './marketplace.ts';
import { createConnectorMetrics, type ConnectorMetrics } from './metrics.ts';
import { openStoreOwner, phaseOf, type StoreOwner, type StoreOwnerOptions, type Timing } from './store-owner.ts';

export interface ConnectorOptions {
  readonly marketplace: Marketplace;
  readonly kafka: KafkaHandle;
  readonly sender: Sender;
  readonly collections: Collections;
  readonly sealer: Sealer;
  readonly timing: Timing;
  readonly sessionTimeoutMilliseconds: number;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly incidents: StoreOwnerOptions['incidents'];
  readonly report: StoreOwnerOptions['report'];
  /** Something that only a new process mends. */
  readonly onFatal: (error: Error) => void;
}

export interface Connector extends AsyncDisposable {
  live(): boolean;
  /** Looks at once whether stores were connected or their credentials re-entered. */
  storesChanged(): void;
  hold(tenant: string, store: string): HoldReason | null;
}

/** Partition of the push requests that a store's owner reads. */
export const laneOf = (marketplace: string, tenant: string, store: string): number =>
  partitionOf(pushRequestsOf(marketplace), [tenant, store]);

/** A connector's long-lived part: takes push requests in, and runs the stores whose lanes this process owns. */
export async function openConnector(options: ConnectorOptions): Promise<Connector> {
  const { marketplace, kafka, sender, collections, log } = options;
  let counting: Promise<Outstanding> | null = null; // two metrics are read at once: one query
  const outstanding = () => (counting ??= outstandingOf(collections).finally(() => (counting = null)));
  const metrics = createConnectorMetrics(options.metrics, marketplace.name, outstanding);
  const { pushRequests, orderHints } = topicsOf(marketplace.name);
  let lanes: Lanes | null = null;
  const stores = openStores({ ...options, metrics, alive: (lane) => lanes?.alive(lane) ?? false });
  lanes = await openLanes<'PushRequested' | 'PushWithdrawn' | 'PushHeld' | 'OrderHinted'>({
    kafka,
    sender,
    group: `connector-${marketplace.name}`,
    topics: [pushRequests, orderHints],
    sessionTimeoutMilliseconds: options.sessionTimeoutMilliseconds,
    async onSlice({ events }) {
      const instructions = events.flatMap(({ event }) => (event.type === 'OrderHinted' ? [] : [event]));
      stores.hinted(events.flatMap(({ event }) => (event.type === 'OrderHinted' ? [event] : [])));
      if (instructions.length === 0) return;
      try {
        await takeIn(collections, instructions, metrics.held);
      } catch (error) {
        throw new Unavailable('Push requests could not be stored.', { cause: error });
      }
      stores.instructed(instructions);
    },
    onAssigned: (owned) => stores.assigned(owned),
    onFatal: options.onFatal,
  });
  log.info({ marketplace: marketplace.name }, 'The connector reads push requests.');
  const opened = lanes;
  return {
    live: () => opened.live(),
    storesChanged: () => stores.look(),
    hold: (tenant, store) => stores.hold(tenant, store),
    async [Symbol.asyncDispose]() {
      await stores[Symbol.asyncDispose](); // their last calls are made while the lanes are still ours
      await opened[Symbol.asyncDispose]();
    },
  };
}

export interface StoresOptions extends Pick<
  ConnectorOptions,
  'marketplace' | 'collections' | 'sealer' | 'timing' | 'log' | 'incidents' | 'report'
> {
  readonly sender: Pick<Sender, 'send'>;
  readonly metrics: ConnectorMetrics;
  readonly alive: (lane: number) => boolean;
}

export interface Stores extends AsyncDisposable {
  /** A new generation of the group: these lanes are ours, and whatever was held of any lane is void. */
  assigned(lanes: ReadonlySet<number>): void;
  instructed(instructions: readonly Instruction[]): void;
  /** The marketplace says that orders of these stores have changed. */
  hinted(hints: readonly EventOf<'OrderHinted'>[]): void;
  /** Looks at the store documents at once. */
  look(): void;
  hold(tenant: string, store: string): HoldReason | null;
}

const lookMilliseconds = 1_000;

/** The stores of the owned lanes: opened, reopened when their credentials change, closed when their lane goes. */
export function openStores(options: StoresOptions): Stores {
  const { marketplace, collections, log } = options;
  const owners = new Map<string, { owner: StoreOwner; generation: number }>();
  let owned: ReadonlySet<number> = new Set();
  let generation = 0;
  let closed = false;
  let running: Promise<void> | null = null;
  let again = false;

  async function reconcile(): Promise<void> {
    const current = generation;
    const found = await collections.stores
      .find({ marketplace: marketplace.name, state: { $ne: 'disconnected' }, lane: { $in: [...owned] } })
      .toArray();
    const wanted = new Map(found.map((document) => [document._id, document]));
    const stale = [...owners].filter(([key, { owner, generation: of }]) => {
      const document = wanted.get(key);
      return of !== current || !document || phaseOf(document) !== owner.phase;
    });
    await Promise.all(
      stale.map(async ([key, { owner }]) => {
        await owner[Symbol.asyncDispose]();
        owners.delete(key);
      }),
    );
    for (const [key, document] of wanted) {
      owners.get(key)?.owner.noticed(document);
      if (!owners.has(key) && !closed && current === generation) owners.set(key, { owner: open(document), generation: current });
    }
  }

  const open = (document: StoreDocument): StoreOwner => openStoreOwner({ ...options, document, alive: () => options.alive(document.lane) });

  function look(): void {
    if (closed) return;
    again = true;
    running ??= (async () => {
      while (again && !closed) {
        again = false;
        await reconcile().catch((error: unknown) => log.error({ err: error }, 'The stores could not be looked up; the next look follows.'));
      }
    })().finally(() => {
      running = null;
    });
  }

  const looking = setInterval(look, lookMilliseconds);
  return {
    look() {
      look();
      for (const { owner } of owners.values()) owner.instructed([]);
    },
    assigned(lanes) {
      owned = lanes;
      generation += 1;
      look();
    },
    instructed(instructions) {
      const byStore = Map.groupBy(instructions, ({ data }) => keyOf(data.tenant, data.store));
      for (const [key, of] of byStore) {
        const owner = owners.get(key)?.owner;
        const reason = owner?.hold() ?? null;
        if (reason) options.metrics.held(reason, of.filter(({ type }) => type === 'PushRequested').length);
        owner?.instructed(correlationsIn(of));
      }
    },
    hinted(hints) {
      // One without an owner here is opened later, and begins with its orders.
      for (const key of new Set(hints.map(({ data }) => keyOf(data.tenant, data.store)))) owners.get(key)?.owner.hinted();
    },
    hold: (tenant, store) => owners.get(keyOf(tenant, store))?.owner.hold() ?? null,
    async [Symbol.asyncDispose]() {
      closed = true;
      clearInterval(looking);
      await running;
      await Promise.all([...owners.values()].map(async ({ owner }) => owner[Symbol.asyncDispose]()));
      owners.clear();
    },
  };
}

interface Outstanding {
  readonly listings: number;
  readonly oldestSeconds: number;
}

async function outstandingOf({ listings }: Pick<Collections, 'listings'>): Promise<Outstanding> {
  const [found] = await listings
    .aggregate<{ listings: number; oldest: number | null }>([
      { $match: { outstanding: true } },
      { $group: { _id: null, listings: { $sum: 1 }, oldest: { $min: '$waitingSince' } } },
    ])
    .toArray();
  return { listings: found?.listings ?? 0, oldestSeconds: found?.oldest ? Math.max(0, Date.now() - found.oldest) / 1_000 : 0 };
}

import type { Logger, Sealer, Sender } from '@evenkeel/chassis';
import type { Collections, StoreDocument } from './documents.ts';
import { CallNotMade, MarketplaceError, type Failure, type HoldReason } from './failure.ts';
import { createGateway, type CircuitSettings, type Gateway } from './gateway.ts';
import { importListings } from './listing-import.ts';
import type { Marketplace, StoreConnection } from './marketplace.ts';
import type { ConnectorMetrics } from './metrics.ts';
import { createOrderReader, type OrderReader } from './order-poller.ts';
import type { StoreIdentity } from './order-record.ts';
import { createPushLoop, type PushLoop } from './push-loop.ts';
import { createRateGovernor } from './rate-governor.ts';
import { createStoredVault } from './vault.ts';
import { createBackoff, createWake } from './waiting.ts';

/** How often and how long; all in milliseconds. */
export interface Timing {
  readonly orderPoll: number;
  readonly listingImport: number;
  /** How long the first pushes wait at most for what the orders found at the start have changed. */
  readonly ordersFirst: number;
  /** How long a listing's own sales are waited for, to come back or to be readable, before something that raises it goes over them. */
  readonly patience?: number;
  readonly circuit?: CircuitSettings;
  readonly credentialRetry?: number;
}

export interface StoreOwnerOptions {
  readonly document: StoreDocument;
  readonly marketplace: Marketplace;
  readonly collections: Collections;
  readonly sealer: Sealer;
  readonly sender: Pick<Sender, 'send'>;
  /** Whether the store's lane is still this process's; asked before every call and every publish. */
  readonly alive: () => boolean;
  readonly timing: Timing;
  readonly log: Logger;
  readonly metrics: ConnectorMetrics;
}

/** One store in the hands of its one owner: orders first, then pushes, polling and imports. */
export interface StoreOwner extends AsyncDisposable {
  readonly credentialVersion: number;
  /** Instructions about this store were taken in; with the correlations that they follow. */
  instructed(correlations: readonly string[]): void;
  hold(): HoldReason | null;
}

const defaultPatienceMilliseconds = 3_000;
const overlapMilliseconds = 5_000;
/** At an owner's start and every five minutes. */
const longOverlapMilliseconds = 600_000;
const longOverlapEveryMilliseconds = 300_000;

export function openStoreOwner(options: StoreOwnerOptions): StoreOwner {
  const { document, marketplace, collections, sealer, sender, timing, metrics } = options;
  const { tenant, store } = document;
  const identity: StoreIdentity = { tenant, store, marketplace: marketplace.name };
  const log = options.log.child({ tenant, store });
  const stopping = new AbortController();
  const { signal } = stopping;
  const alive = () => !signal.aborted && options.alive();
  const awaited = createAwaited(signal);
  let pushLoop: PushLoop | null = null;
  let started = false;

  const vault = createStoredVault({ marketplace, collections, sealer, document, log });
  const gateway = createGateway({
    log,
    vault,
    governor: createRateGovernor(),
    isOwner: alive,
    ...(timing.circuit ? { circuit: timing.circuit } : {}),
    ...(timing.credentialRetry === undefined ? {} : { credentialRetryMilliseconds: timing.credentialRetry }),
    onCredentialRefused: (failure) =>
      void closeGate(collections, document, failure).catch((error: unknown) =>
        log.error({ err: error }, 'The closed gate could not be recorded.'),
      ),
    onCircuit: (state) =>
      void recordCircuit(collections, document, state).catch((error: unknown) =>
        log.error({ err: error }, 'The circuit could not be recorded.'),
      ),
  });

  async function run(): Promise<void> {
    await using running = new AsyncDisposableStack();
    const connection = running.adopt(
      marketplace.open({ settings: document.settings, credentials: () => vault.credentials() }, gateway),
      (open) => open.close(),
    );
    // Whoever is not the owner must not raise the epoch: that would fence the one who is.
    if (!alive()) throw new CallNotMade('not_owner');
    awaited.begin();
    const epoch = await takeOver(collections, document);
    log.info({ epoch }, 'The store was taken over.');
    const fenced = new AbortController();
    const shared = { identity, collections, connection, sender, alive, log, signal: AbortSignal.any([signal, fenced.signal]) };
    const readListings = () => importListings({ ...shared, priority: 'normal' });
    const patienceMilliseconds = timing.patience ?? defaultPatienceMilliseconds;
    const reader = createOrderReader({ ...shared, epoch, metrics, importListings: readListings, patienceMilliseconds });
    await ordersFirst(reader);
    const loop = createPushLoop({
      ...shared,
      epoch,
      gateway,
      metrics,
      patienceMilliseconds,
      readOrders: () => reader.read({ overlapMilliseconds, priority: 'normal' }),
    });
    pushLoop = loop;
    started = true;
    // All settle before the connection closes: a call that has left is waited for, and recorded.
    await Promise.allSettled([
      loop.run().finally(() => fenced.abort(new CallNotMade('not_owner'))),
      every(timing.orderPoll, shared.signal, pollOrders(reader)),
      every(timing.listingImport, shared.signal, () => importListings({ ...shared, priority: 'background' })),
    ]);
    pushLoop = null;
    started = false;
    if (!signal.aborted) throw new CallNotMade('not_owner'); // a later epoch was seen: takes over anew, if it is still ours
  }

  /** The marketplace went on selling while nobody looked: what it sold is read, and has come back as push requests, before anything is sent. */
  async function ordersFirst(reader: OrderReader): Promise<void> {
    const correlations = await reader.read({ overlapMilliseconds: longOverlapMilliseconds, priority: 'urgent' });
    if (correlations.length > 0) {
      log.info({ orders: correlations.length }, 'Orders first: pushes wait until what these orders changed has come back.');
      await awaited.all(correlations, timing.ordersFirst);
    }
    awaited.done();
  }

  function pollOrders(reader: OrderReader): () => Promise<unknown> {
    let longDue = performance.now() + longOverlapEveryMilliseconds;
    return async () => {
      const long = performance.now() >= longDue;
      await reader.read({ overlapMilliseconds: long ? longOverlapMilliseconds : overlapMilliseconds, priority: 'normal' });
      if (long) longDue = performance.now() + longOverlapEveryMilliseconds;
    };
  }

  /** Repeats the work with this pause between; after trouble with a growing one. */
  async function every(milliseconds: number, until: AbortSignal, work: () => Promise<unknown>): Promise<void> {
    const waker = createWake(until);
    const backoff = createBackoff();
    for (let wait = milliseconds; !until.aborted;) {
      await waker.pause(wait);
      try {
        await work();
        backoff.reset();
        wait = milliseconds;
      } catch (error) {
        if (until.aborted) return;
        noteFailure(log, error);
        wait = Math.max(backoff.next(), Math.min(milliseconds, 10_000));
      }
    }
  }

  /** Starts again after trouble, until stopped. */
  async function persist(): Promise<void> {
    const waker = createWake(signal);
    const backoff = createBackoff();
    while (!signal.aborted) {
      try {
        await run();
        return;
      } catch (error) {
        if (signal.aborted) return;
        noteFailure(log, error);
        if (gateway.hold() === 'disconnected') return; // until the credentials are re-entered, which opens the store anew
        await waker.pause(backoff.next()).catch(() => undefined);
      }
    }
  }

  const refused = document.gate?.credentialVersion === document.credentialVersion;
  if (refused) log.warn('The credentials were refused before: the store waits until they are re-entered.');
  const ended = refused ? Promise.resolve() : persist().finally(() => gateway.close());

  return {
    credentialVersion: document.credentialVersion,
    instructed(correlations) {
      awaited.came(correlations);
      pushLoop?.wake();
    },
    hold: () => (refused ? 'disconnected' : (gateway.hold() ?? (started ? null : 'orders_first'))),
    async [Symbol.asyncDispose]() {
      stopping.abort(new CallNotMade('not_owner'));
      await ended;
      metrics.forget(identity);
    },
  };
}

/** Raises the owner's epoch on the store and its listings: no mark of an earlier owner is accepted from here on. */
async function takeOver(
  { stores, listings }: Pick<Collections, 'stores' | 'listings'>,
  { _id, tenant, store }: StoreDocument,
): Promise<number> {
  // The circuit is the owner's own, and a new one's is closed.
  const raised = await stores.findOneAndUpdate({ _id }, { $inc: { ownerEpoch: 1 }, $set: { circuit: null } }, { returnDocument: 'after' });
  const epoch = raised?.ownerEpoch ?? 0;
  // What the owner before had in mind of the marketplace is void too: it may have died between an order's effect and its record.
  await listings.updateMany({ tenant, store, ownerEpoch: { $lt: epoch } }, { $set: { ownerEpoch: epoch }, $unset: { expected: '' } });
  return epoch;
}

/** A verdict counts only while the credentials that it was made with are the stored ones. */
async function closeGate(
  { stores }: Pick<Collections, 'stores'>,
  { _id, credentialVersion }: StoreDocument,
  { code, message }: Failure,
): Promise<void> {
  await stores.updateOne({ _id, credentialVersion }, { $set: { gate: { code, message, since: Date.now(), credentialVersion } } });
}

async function recordCircuit({ stores }: Pick<Collections, 'stores'>, { _id }: { _id: string }, state: 'open' | 'closed'): Promise<void> {
  await stores.updateOne({ _id }, { $set: { circuit: { state, since: Date.now() } } });
}

function noteFailure(log: Logger, error: unknown): void {
  if (error instanceof CallNotMade) log.debug({ reason: error.reason }, 'No call was made.');
  else if (error instanceof MarketplaceError)
    log.warn({ code: error.failure.code, class: error.failure.class }, 'A call to the marketplace failed; it is tried again.');
  else log.error({ err: error }, 'Work for the store failed; it is tried again.');
}

/** Waits until records that follow these correlations have come by, for some time at most; those that came before it was asked count too. */
function createAwaited(signal: AbortSignal) {
  const waker = createWake(signal);
  let came: Set<string> | null = null;
  let missing: readonly string[] = [];
  return {
    /** Remembers from here on what comes by. */
    begin(): void {
      came = new Set();
      missing = [];
    },
    came(correlations: readonly string[]): void {
      if (!came) return;
      for (const correlation of correlations) came.add(correlation);
      if (missing.length > 0 && missing.every((correlation) => came?.has(correlation))) waker.wake();
    },
    async all(correlations: readonly string[], milliseconds: number): Promise<void> {
      missing = correlations.filter((correlation) => !came?.has(correlation));
      if (missing.length > 0) await waker.idle(milliseconds);
    },
    /** Nobody waits any more: nothing is remembered from here on. */
    done: (): void => void (came = null),
  };
}

import type { IncidentReport, IncidentStore, Logger, Sealer, Sender } from '@evenkeel/chassis';
import { giveUp, setListingsToZero } from './disconnection.ts';
import type { Collections, StoreDocument } from './documents.ts';
import { CallNotMade, MarketplaceError, type Failure, type HoldReason } from './failure.ts';
import { createGateway, type CircuitSettings } from './gateway.ts';
import { reviewHeld } from './held-listings.ts';
import { publishChanges } from './listing-changes.ts';
import { importListings } from './listing-import.ts';
import type { Marketplace, StoreConnection } from './marketplace.ts';
import type { ConnectorMetrics } from './metrics.ts';
import { createOrderReader, publishWaiting, type OrderReader } from './order-poller.ts';
import type { StoreIdentity } from './order-record.ts';
import { createPushLoop, type PushLoop } from './push-loop.ts';
import { createRateGovernor, type Priority } from './rate-governor.ts';
import { holdOfStore, isPassive, isRefused } from './store-hold.ts';
import { createStoredVault } from './vault.ts';
import { createBackoff, createWake } from './waiting.ts';

/** How often and how long; all in milliseconds. */
export interface Timing {
  readonly orderPoll: number;
  readonly listingImport: number;
  /** How long the first pushes wait at most for what the orders found at the start have changed. */
  readonly ordersFirst: number;
  /** How long something that raises a listing waits at most for what its own new orders have changed; as `ordersFirst` where absent. */
  readonly ownOrders?: number;
  /** How long a listing that shows less than its orders explain waits for an order that can't be read yet, before it is written over. */
  readonly patience?: number;
  readonly circuit?: CircuitSettings;
  readonly credentialRetry?: number;
  /** How often held listings are looked at, and whether the rate makes pushes wait. */
  readonly review?: number;
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
  readonly incidents: Pick<IncidentStore, 'page'>;
  readonly report: (incident: IncidentReport) => Promise<void>;
}

/** One store in the hands of its one owner: orders first, then pushes, polling and imports; or its last steps. */
export interface StoreOwner extends AsyncDisposable {
  /** {@link phaseOf} the document that it was opened with. */
  readonly phase: string;
  /** Instructions about this store were taken in; with the correlations that they follow. */
  instructed(correlations: readonly string[]): void;
  /** An order has changed at the marketplace, it says: its orders are read at once, however many hints there are. */
  hinted(): void;
  hold(): HoldReason | null;
  /** Its document as it is now: what people have decided meanwhile. */
  noticed(document: StoreDocument): void;
}

const defaultPatienceMilliseconds = 3_000;
/** A store is opened anew when this changes: its credentials were re-entered, or it is to be given up. */
export const phaseOf = ({ credentialVersion, state }: Pick<StoreDocument, 'credentialVersion' | 'state'>): string =>
  `${credentialVersion}${state === 'disconnecting' ? ' disconnecting' : ''}`;

const overlapMilliseconds = 5_000;
/** At an owner's start and every five minutes. */
const longOverlapMilliseconds = 600_000;
const longOverlapEveryMilliseconds = 300_000;
/** How long the last orders of a store that is given up may take. */
const lastOrdersMilliseconds = 30_000;
const reviewMilliseconds = 5_000;
/** From here on a store whose pushes wait for the rate is called throttled. */
const throttledMilliseconds = 1_000;

export function openStoreOwner(options: StoreOwnerOptions): StoreOwner {
  const { document, marketplace, collections, sealer, sender, timing, metrics } = options;
  const { tenant, store } = document;
  const identity: StoreIdentity = { tenant, store, marketplace: marketplace.name };
  const log = options.log.child({ tenant, store });
  const stopping = new AbortController();
  const { signal } = stopping;
  const alive = () => !signal.aborted && options.alive();
  const awaited = createAwaited(signal);
  let pollNow: (() => void) | null = null;
  let pushLoop: PushLoop | null = null;
  let started = false;
  let passive = isPassive(document);
  let throttled = document.throttled ?? null;

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
    const current = (await collections.stores.findOne({ _id: document._id })) ?? document;
    const fenced = new AbortController();
    const shared = { identity, collections, connection, sender, alive, log, signal: AbortSignal.any([signal, fenced.signal]) };
    const readListings = (first = false) => importListings({ ...shared, priority: 'normal', first });
    const patienceMilliseconds = timing.patience ?? defaultPatienceMilliseconds;
    const ownOrdersMilliseconds = timing.ownOrders ?? timing.ordersFirst;
    const readerUntil = (until: AbortSignal): OrderReader =>
      createOrderReader({ ...shared, signal: until, epoch, metrics, importListings: () => readListings(), ownOrdersMilliseconds });
    const reader = readerUntil(shared.signal);
    const openLoop = (until: AbortSignal): PushLoop =>
      (pushLoop = createPushLoop({
        ...shared,
        signal: until,
        epoch,
        gateway,
        metrics,
        storeHold,
        patienceMilliseconds,
        readOrders: () => reader.read({ overlapMilliseconds, priority: 'normal' }),
      }));
    if (current.state === 'disconnecting') {
      const last = () => readLast(readerUntil(AbortSignal.any([shared.signal, AbortSignal.timeout(lastOrdersMilliseconds)])));
      return await endWith(current, { push: (until) => openLoop(until).run(), readLast: last });
    }
    // From here on: what is hinted at behind the first read, before the polling begins, is read when it does.
    const polling = createWake(shared.signal);
    pollNow = () => polling.wake();
    await noteActivity(connection, 'urgent');
    // Whoever stored a mapping, or an order that waits for one, may not have lived to go on, and the next import is minutes away.
    await publishChanges(shared);
    await publishWaiting(shared);
    const opening = current.state === 'connecting' ? await takeOn(reader, () => readListings(true)) : [];
    await ordersFirst(reader, opening);
    await collections.stores.updateOne({ _id: document._id, state: 'connecting' }, { $set: { state: 'connected' } });
    const loop = openLoop(shared.signal);
    started = true;
    // All settle before the connection closes: a call that has left is waited for, and recorded.
    await Promise.allSettled([
      loop.run().finally(() => fenced.abort(new CallNotMade('not_owner'))),
      every(timing.orderPoll, shared.signal, pollOrders(reader), polling),
      every(timing.listingImport, shared.signal, async () => {
        await importListings({ ...shared, priority: 'background' });
        await noteActivity(connection, 'background');
        await review(true);
      }),
      every(timing.review ?? reviewMilliseconds, shared.signal, () => noteThrottling(connection)),
    ]);
    pushLoop = null;
    pollNow = null;
    started = false;
    if (!signal.aborted) throw new CallNotMade('not_owner'); // a later epoch was seen: takes over anew, if it is still ours
  }

  /** The marketplace went on selling while nobody looked: what it sold is read, and has come back as push requests, before anything is sent. */
  async function ordersFirst(reader: OrderReader, opening: readonly string[]): Promise<void> {
    const changed = await reader.read({ overlapMilliseconds: longOverlapMilliseconds, priority: 'urgent' });
    const correlations = [...new Set([...opening, ...changed])];
    if (correlations.length > 0) {
      log.info({ orders: correlations.length }, 'Orders first: pushes wait until what these orders changed has come back.');
      await awaited.all(correlations, timing.ordersFirst);
    }
    awaited.done();
  }

  /** A store that nobody has worked for yet: its listings, then its open orders. Resolves to the correlations to wait for. Repeat-safe. */
  async function takeOn(reader: OrderReader, readListings: () => Promise<unknown>): Promise<string[]> {
    await readListings();
    return await reader.readOpen({ priority: 'urgent' });
  }

  /** What the store has sold until now, while its listings are still mapped: nobody reads it later. As far as it can be read. */
  async function readLast(reader: OrderReader): Promise<void> {
    try {
      await reader.read({ overlapMilliseconds: longOverlapMilliseconds, priority: 'urgent' });
    } catch (error) {
      signal.throwIfAborted();
      noteFailure(log, error);
      log.warn('The last orders of a store that is given up could not be read: they are, when it is connected again.');
    }
  }

  /** The last steps of a store that a person gives up. */
  async function endWith(
    current: StoreDocument,
    { push, readLast: last }: { readonly push: (until: AbortSignal) => Promise<void>; readonly readLast: () => Promise<void> },
  ): Promise<void> {
    const options = { identity, collections, sender, alive, log, sealer, signal };
    const toZero = current.disconnection?.setListingsToZero ?? false;
    const correlation = `disconnecting/${document._id}`;
    const mayGoOn = () => gateway.hold() !== 'disconnected';
    const notSetToZero = toZero ? await setListingsToZero(options, correlation, { push, mayGoOn }) : 0;
    await last();
    await giveUp(options, current, notSetToZero);
    await review(true);
  }

  /** Of a store whose credentials are refused nothing can be set to 0. */
  async function endWithout(): Promise<void> {
    const mapped = await collections.listings.countDocuments({ tenant, store, sku: { $ne: null } });
    const options = { identity, collections, sender, alive, log, sealer, signal };
    await giveUp(options, document, document.disconnection?.setListingsToZero ? mapped : 0);
    await review(true);
  }

  /** Whether people, or the marketplace, let anything go out; asked before each call. */
  async function storeHold(): Promise<HoldReason | null> {
    const current = await collections.stores.findOne({ _id: document._id });
    passive = current !== null && current.state !== 'disconnecting' && isPassive(current);
    return passive ? 'store_passive' : null;
  }

  async function noteActivity(connection: StoreConnection, priority: Priority): Promise<void> {
    const { active } = await connection.probe({ priority, signal });
    const { modifiedCount } = active
      ? await collections.stores.updateOne({ _id: document._id, inactive: { $ne: null } }, { $set: { inactive: null } })
      : await collections.stores.updateOne({ _id: document._id, inactive: null }, { $set: { inactive: { since: Date.now() } } });
    if (modifiedCount > 0) log.info({ active }, active ? 'The store sells again.' : 'The store does not sell: its pushes wait.');
    await storeHold();
    pushLoop?.wake();
  }

  async function noteThrottling(connection: StoreConnection): Promise<void> {
    const waits = gateway.governor.waitMilliseconds(connection.pushCost(1), 'normal') > throttledMilliseconds;
    if (waits === (throttled !== null)) return;
    const now = waits ? { since: Date.now() } : null;
    await collections.stores.updateOne({ _id: document._id }, { $set: { throttled: now } });
    throttled = now;
  }

  /** Opens and closes the incidents of listings that sell what is not there, because nothing may go out to them. */
  async function review(all: boolean): Promise<void> {
    const current = await collections.stores.findOne({ _id: document._id });
    if (current && alive()) await reviewHeld({ ...options, store: current }, { hold: holdOfStore(current), all });
  }

  function pollOrders(reader: OrderReader): () => Promise<unknown> {
    let longDue = performance.now() + longOverlapEveryMilliseconds;
    return async () => {
      const long = performance.now() >= longDue;
      await reader.read({ overlapMilliseconds: long ? longOverlapMilliseconds : overlapMilliseconds, priority: 'normal' });
      if (long) longDue = performance.now() + longOverlapEveryMilliseconds;
    };
  }

  /** Repeats the work with this pause between, sooner when woken; after trouble with a growing one. */
  async function every(milliseconds: number, until: AbortSignal, work: () => Promise<unknown>, waker = createWake(until)): Promise<void> {
    const backoff = createBackoff();
    for (let wait: number | null = null; !until.aborted;) {
      await (wait === null ? waker.idle(milliseconds) : waker.pause(wait));
      try {
        await work();
        backoff.reset();
        wait = null;
      } catch (error) {
        if (until.aborted) return;
        noteFailure(log, error);
        wait = Math.max(backoff.next(), Math.min(milliseconds, 10_000));
      }
    }
  }

  /** Starts again after trouble, until stopped. */
  async function persist(work: () => Promise<void>): Promise<void> {
    const waker = createWake(signal);
    const backoff = createBackoff();
    while (!signal.aborted) {
      try {
        await work();
        return;
      } catch (error) {
        if (signal.aborted) return;
        noteFailure(log, error);
        // Until the credentials are re-entered, which opens the store anew; one that is given up needs none.
        if (gateway.hold() === 'disconnected') {
          if (!givenUp) return;
          work = endWithout;
        }
        await waker.pause(backoff.next()).catch(() => undefined);
      }
    }
  }

  const refused = isRefused(document);
  const givenUp = document.state === 'disconnecting';
  if (refused && !givenUp) log.warn('The credentials were refused before: the store waits until they are re-entered.');
  const worked = refused && !givenUp ? Promise.resolve() : persist(refused ? endWithout : run);
  const reviewed = givenUp ? Promise.resolve() : every(timing.review ?? reviewMilliseconds, signal, () => review(false));
  const ended = Promise.allSettled([worked, reviewed]).then(() => gateway.close());

  return {
    phase: phaseOf(document),
    instructed(correlations) {
      awaited.came(correlations);
      pushLoop?.wake();
    },
    hinted: () => pollNow?.(),
    noticed(now) {
      if (isPassive(now) === passive) return;
      passive = isPassive(now);
      pushLoop?.wake();
    },
    hold: () => (refused ? 'disconnected' : (gateway.hold() ?? (passive ? 'store_passive' : started ? null : 'orders_first'))),
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

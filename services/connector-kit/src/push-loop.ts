import { randomUUID } from 'node:crypto';
import { correlationsOf, type Logger } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { inThirtyDays, writeListings, type CallDocument, type Collections, type ListingDocument } from './documents.ts';
import { isInDoubt, judge, waitsUntil } from './expected.ts';
import { CallNotMade, MarketplaceError, type Failure, type HoldReason } from './failure.ts';
import type { Gateway } from './gateway.ts';
import type { FrozenBatch, GroupMemory, PushResult, StoreConnection } from './marketplace.ts';
import type { ConnectorMetrics } from './metrics.ts';
import type { StoreIdentity } from './order-record.ts';
import { freeze, markWrite, resolutionOf, settle, settleByReadBack, type Writes } from './push-plan.ts';
import { createBackoff, createPatience, createWake } from './waiting.ts';

export interface PushLoopOptions {
  readonly identity: StoreIdentity;
  /** The owner's, raised at its takeover. */
  readonly epoch: number;
  readonly collections: Collections;
  readonly connection: StoreConnection;
  readonly gateway: Gateway;
  readonly log: Logger;
  readonly metrics: ConnectorMetrics;
  /** Ends the loop after the call that is being made. */
  readonly signal: AbortSignal;
  /** Whether people, or the marketplace, let anything go out; asked in each turn. */
  readonly storeHold: () => Promise<HoldReason | null>;
  /** Reads the store's orders: asked for before what the marketplace shows is believed. */
  readonly readOrders: () => Promise<unknown>;
  /** How long a listing that shows less than its orders explain waits for an order that can't be read yet, before it is written over. */
  readonly patienceMilliseconds: number;
}

export interface PushLoop {
  /** Until the signal. Rejects with {@link Fenced}. */
  run(): Promise<void>;
  /** There may be something to push. */
  wake(): void;
}

/** A later owner has taken the store over: this one's marks are refused for good. */
class Fenced extends CallNotMade {
  constructor() {
    super('not_owner');
  }
}

/** At or below it a push may use the rate that is kept in reserve. */
const lowQuantity = 5;
const lookAgainMilliseconds = 5_000;
const heldMilliseconds = 250;
/** Of a marketplace with groups: how many outstanding listings are looked through for those of the group that is pushed. */
const groupWindow = 1_000;

/**
 * One store's pushes, level-triggered: works from the documents with wanted > confirmed, zero and lowest quantity first, one call at a time.
 * Memory holds one page.
 */
export function createPushLoop(options: PushLoopOptions): PushLoop {
  const { identity, epoch, collections, connection, gateway, log, metrics, signal } = options;
  const { listings, calls, stores, groups } = collections;
  const { capabilities } = connection;
  const ofStore = { tenant: identity.tenant, store: identity.store };
  const waker = createWake(signal);
  const backoff = createBackoff();
  const suspectBackoff = createBackoff();
  let batchLimit = capabilities.maxBatch;
  /** When listings left in flight are to be looked at again; the first time at once: the owner before may have left some. */
  let suspectsDue: number | null = 0;
  /** Groups with a listing in flight: a call of before may still write all of them. */
  let busyGroups: ReadonlySet<string> = new Set();
  /** Listings that were in conflict time and again, or are waited for: not before then. */
  const patience = createPatience();
  const groupOf = (listing: string): string => capabilities.groupOf?.(listing) ?? listing;

  /** Since when, in milliseconds of the wall clock, a listing may be pushed; 0 where it may now, Infinity where it takes something else. */
  function waitsFor(document: ListingDocument, now: number): number {
    const { listing, inFlight, quarantined, sku } = document;
    if (inFlight !== null || quarantined !== null || sku === null || busyGroups.has(groupOf(listing))) return Infinity;
    return Math.max(patience.until(listing, now), waitsUntil(document, capabilities, now) ?? 0);
  }

  /**
   * What to push next, lowest first, and when to look again at the latest. Asks for what the index knows, and for nothing else: with one more
   * condition SecantusDB reads every listing instead.
   */
  async function select(): Promise<{ page: ListingDocument[]; again: number }> {
    const now = Date.now();
    const page: ListingDocument[] = [];
    let again = now + lookAgainMilliseconds;
    let seen = 0;
    for await (const document of listings.find({ ...ofStore, outstanding: true }).sort({ 'wanted.quantity': 1 })) {
      const waits = waitsFor(document, now);
      if (waits > now) again = Math.min(again, waits);
      else if (page[0] === undefined || !capabilities.groupOf || groupOf(page[0].listing) === groupOf(document.listing))
        page.push(document);
      if (page.length === batchLimit || (page.length > 0 && capabilities.groupOf && (seen += 1) >= groupWindow)) break;
    }
    return { page, again };
  }

  /** Reserves the rate first, so that what is frozen then is the newest. Takes none that has come into doubt meanwhile. */
  async function withinRate(page: readonly ListingDocument[]): Promise<readonly ListingDocument[]> {
    const lowest = page[0]?.wanted?.quantity ?? 0;
    const costs = connection.pushCost(page.length);
    const priority = lowest <= lowQuantity ? 'urgent' : 'normal';
    const waits = gateway.governor.waitMilliseconds(costs, priority) > 0;
    await gateway.governor.acquire(costs, priority, signal);
    if (!waits) return page;
    // What people have decided meanwhile counts.
    if ((await options.storeHold()) !== null) return [];
    return (await select()).page.filter((document) => !isInDoubt(document, capabilities));
  }

  /**
   * What do these show, and do their orders explain it? In this order: a sale between the two is in the orders and not in what was read, and makes a
   * conflict at the push; the other way round it would be in neither, and the push would undo it.
   */
  async function look(page: readonly ListingDocument[]): Promise<void> {
    const unread = page.filter(({ doubt }) => doubt?.found === undefined).map(({ listing }) => listing);
    const read = unread.length > 0 ? await connection.readBack(unread, { priority: 'normal', signal }) : new Map<string, number>();
    await options.readOrders();
    const found = new Map(page.map(({ listing, doubt }) => [listing, doubt?.found ?? read.get(listing)]));
    const now = Date.now();
    const current = await listings.find({ _id: { $in: page.map(({ _id }) => _id) } }).toArray();
    if (current.some(({ ownerEpoch }) => ownerEpoch > epoch)) throw new Fenced(); // it has looked for itself
    const writes = current.map((document) => judged(document, found.get(document.listing), now));
    await writeListings(collections, writes);
  }

  function judged(document: ListingDocument, found: number | undefined, now: number) {
    const { _id, listing, doubt, ownerEpoch } = document;
    const verdict = judge(document, found, capabilities, { now, patience: options.patienceMilliseconds });
    const filter = { _id, inFlight: null, ownerEpoch };
    const seen = found === undefined ? {} : { lastRead: { quantity: found, onSale: document.lastRead?.onSale ?? true, at: now } };
    if (!verdict.known) {
      patience.hold(listing, verdict.lookAgainAt);
      return { updateOne: { filter, update: { $set: { doubt: { since: doubt?.since ?? now } } } } };
    }
    if (verdict.drift) {
      metrics.drifted();
      log.warn({ listing, found, expected: document.expected }, 'A listing shows what nobody has sold or pushed; the newest goes over it.');
    }
    return { updateOne: { filter, update: { $set: { expected: verdict.expected, ...seen }, $unset: { doubt: '' as const } } } };
  }

  /** The call with all that could be marked in flight; null where nothing could. */
  async function markInFlight(page: readonly ListingDocument[]): Promise<CallDocument | null> {
    const now = Date.now();
    const call: CallDocument = {
      _id: randomUUID(),
      ...ofStore,
      items: freeze(page, capabilities),
      startedAt: now,
      finishedAt: null,
      outcome: null,
      expiresAt: inThirtyDays(now),
    };
    const [marked] = await Promise.all([
      writeListings(
        collections,
        call.items.map((item) => markWrite(ofStore, epoch, call, item)),
      ),
      calls.insertOne(call),
    ]);
    return marked === call.items.length ? call : await narrowToMarked(call);
  }

  /** Some had moved on between the look and the mark: the batch is frozen without them. */
  async function narrowToMarked(call: CallDocument): Promise<CallDocument | null> {
    const marked = new Set((await listings.find({ ...ofStore, 'inFlight.key': call._id }).toArray()).map(({ listing }) => listing));
    if (marked.size === 0) {
      await calls.deleteOne({ _id: call._id });
      const mine = await stores.findOne({ _id: keyOf(identity.tenant, identity.store), ownerEpoch: epoch });
      if (!mine) throw new Fenced();
      return null;
    }
    const items = call.items.filter(({ listing }) => marked.has(listing));
    await calls.updateOne({ _id: call._id }, { $set: { items } });
    return { ...call, items };
  }

  async function write({ writes, otherwise }: Writes): Promise<void> {
    const changed = await writeListings(collections, writes);
    if (changed < writes.length) await writeListings(collections, otherwise);
  }

  /** Makes the call and records what came of it. */
  async function make(call: CallDocument, page: readonly ListingDocument[]): Promise<void> {
    const { results, failure } = await attempt(call);
    const now = Date.now();
    const settled = settle(ofStore, call, results, now, new Map(page.map(({ listing, refusals = 0 }) => [listing, refusals])));
    await Promise.all([write(settled), calls.updateOne({ _id: call._id }, { $set: settled.call })]);
    count(results, failure);
    const appliedNow = new Set(results.filter(({ outcome }) => outcome === 'applied').map(({ listing }) => listing));
    const applied = page.flatMap(({ listing, wanted }) => (wanted && appliedNow.has(listing) ? [wanted] : []));
    for (const { at } of applied) metrics.pushTook(Math.max(0, now - at) / 1_000);
    if (applied.length > 0) log.info({ key: call._id, listings: applied.length, correlations: correlationsOf(applied) }, 'Pushed.');
    for (const { listing, failure: why } of settled.quarantined) {
      metrics.held('quarantined');
      log.error(
        { listing, code: why.code, class: why.class },
        'A listing cannot be written and is quarantined: fix it at the marketplace, then import the listings again.',
      );
    }
    if (settled.call.outcome === 'unknown') {
      suspectsDue ??= performance.now() + suspectBackoff.next();
      await findBusyGroups();
    }
    await afterwards(results, failure, call.items.length);
  }

  /** `failure`: of the call as a whole. */
  async function attempt(call: CallDocument): Promise<{ results: readonly PushResult[]; failure: Failure | null }> {
    const { items } = call;
    try {
      return { results: await push(call, 'urgent'), failure: null };
    } catch (error) {
      if (error instanceof MarketplaceError) {
        const { failure, applied } = error;
        log.warn({ code: failure.code, class: failure.class, listings: items.length, applied }, 'A push failed.');
        return { results: items.map(({ listing }) => resultOfWhole(listing, failure, applied, items.length)), failure };
      }
      if (error instanceof CallNotMade) await release(call);
      throw error; // anything else leaves the listings in flight: the call may have been made
    }
  }

  /** Sends what is frozen in the call, with what is remembered of its group. */
  async function push({ _id, items }: CallDocument, priority: 'urgent' | 'normal'): Promise<readonly PushResult[]> {
    const batch: FrozenBatch = { key: _id, items: items.map(({ listing, quantity, expected }) => ({ listing, quantity, expected })) };
    return await connection.push(batch, { priority, signal, ...(await memoryOf(items)) });
  }

  async function memoryOf([item]: CallDocument['items']): Promise<GroupMemory> {
    const group = capabilities.groupOf && item ? keyOf(identity.tenant, identity.store, groupOf(item.listing)) : null;
    return {
      memo: group === null ? null : ((await groups.findOne({ _id: group }))?.memo ?? null),
      async remember(kept) {
        if (group === null) throw new Error(`${identity.marketplace} has no groups of listings: there is nothing to remember.`);
        await groups.updateOne({ _id: group }, { $set: { ...ofStore, memo: kept } }, { upsert: true });
      },
    };
  }

  async function release(call: CallDocument): Promise<void> {
    await Promise.all([
      listings.updateMany({ ...ofStore, 'inFlight.key': call._id }, { $set: { inFlight: null } }),
      calls.updateOne({ _id: call._id }, { $set: { outcome: 'not_made', finishedAt: Date.now() } }),
    ]);
  }

  function count(results: readonly PushResult[], whole: Failure | null): void {
    for (const [outcome, of] of Map.groupBy(results, (result) => labelOf(result, whole))) metrics.pushed(outcome, of.length);
  }

  /** How the loop goes on: smaller after a request that as a whole was wrong, slower after trouble. */
  async function afterwards(results: readonly PushResult[], failure: Failure | null, size: number): Promise<void> {
    if (failure?.class === 'bug') {
      batchLimit = Math.max(1, Math.floor(size / 2));
      log.error(
        { code: failure.code, message: failure.message, listings: size },
        'The marketplace says that our request is wrong; it goes out again in smaller parts.',
      );
    } else if (failure === null) batchLimit = Math.min(capabilities.maxBatch, batchLimit * 2);
    const ofOutcome = (outcome: PushResult['outcome']) =>
      results.flatMap((result) => ('failure' in result && result.outcome === outcome ? [result] : []));
    for (const { listing, failure: why } of ofOutcome('rejected')) if (why.class === 'conflict') patience.tried(listing, Date.now());
    for (const { listing, outcome } of results) if (outcome === 'applied') patience.done(listing);
    const classes = new Set([failure?.class, ...results.map((result) => ('failure' in result ? result.failure.class : undefined))]);
    const stillAtWork = ofOutcome('unknown').some(({ failure: why }) => why.class === 'conflict');
    const troubled = classes.has('transient') || classes.has('bug') || stillAtWork;
    if (troubled) await waker.pause(backoff.next());
    else backoff.reset();
  }

  /** Listings left in flight by a time-out, a reset or the owner before: nothing newer goes to them until it is known what became of the call. */
  async function resolveSuspects(): Promise<void> {
    if (suspectsDue === null || performance.now() < suspectsDue) return;
    const held = (await options.storeHold()) !== null;
    const suspects = await listings.find({ ...ofStore, 'inFlight.key': { $exists: true } }).toArray();
    const waits: number[] = [];
    for (const key of new Set(suspects.map(({ inFlight }) => inFlight?.key ?? ''))) {
      const wait = await resolve(key, held);
      if (wait !== 'resolved') waits.push(wait);
    }
    if (waits.length === 0) suspectBackoff.reset();
    await findBusyGroups();
    suspectsDue = waits.length === 0 ? null : performance.now() + Math.min(...waits);
  }

  async function findBusyGroups(): Promise<void> {
    if (!capabilities.groupOf) return;
    const inFlight = await listings.find({ ...ofStore, 'inFlight.key': { $exists: true } }).toArray();
    busyGroups = new Set(inFlight.map(({ listing }) => groupOf(listing)));
  }

  /** `resolved` where nothing of this call is left in flight; else in how many milliseconds to look again. */
  async function resolve(key: string, held: boolean): Promise<'resolved' | number> {
    const call = await calls.findOne({ _id: key });
    const documents = await listings
      .find({
        $or: [
          { ...ofStore, 'inFlight.key': key },
          { _id: { $in: call?.items.map(({ listing }) => keyOf(identity.tenant, identity.store, listing)) ?? [] } },
        ],
      })
      .toArray();
    const resolution = resolutionOf(call, documents, capabilities, Date.now(), held);
    log.info({ resolution, listings: documents.length, key }, 'A call was left without an answer.');
    if (call === null || resolution === 'never_made') {
      await listings.updateMany({ ...ofStore, 'inFlight.key': key }, { $set: { inFlight: null } });
      return 'resolved';
    }
    if (resolution === 'wait') return untilSettled(call);
    if (resolution === 'repeat') return await repeat(call, documents);
    await readBack(call, documents);
    return 'resolved';
  }

  /** Milliseconds until a call can no longer take effect. */
  const untilSettled = (call: CallDocument): number => Math.max(1, call.startedAt + capabilities.settleMilliseconds - Date.now());

  async function repeat(call: CallDocument, documents: readonly ListingDocument[]): Promise<'resolved' | number> {
    await gateway.governor.acquire(connection.pushCost(call.items.length), 'normal', signal);
    const { results, failure } = await attemptAgain(call);
    const settled = settle(ofStore, call, results, Date.now(), new Map(documents.map(({ listing, refusals = 0 }) => [listing, refusals])));
    await write(settled);
    await calls.updateOne({ _id: call._id }, { $set: settled.call });
    count(results, failure);
    if (failure === null && settled.call.outcome !== 'unknown') return 'resolved';
    // A repeat that the marketplace calls wrong will be wrong for ever: a look has to tell.
    const wrong = results.some((result) => 'failure' in result && result.failure.class === 'bug');
    if (!wrong) return suspectBackoff.next();
    if (Date.now() - call.startedAt < capabilities.settleMilliseconds) return untilSettled(call);
    await readBack(call, documents);
    return 'resolved';
  }

  /** As {@link attempt}, but a refusal of the repeat says nothing of the first: whatever is not certain stays in flight. */
  async function attemptAgain(call: CallDocument): Promise<{ results: readonly PushResult[]; failure: Failure | null }> {
    const { items } = call;
    try {
      return { results: await push(call, 'normal'), failure: null };
    } catch (error) {
      if (!(error instanceof MarketplaceError)) throw error;
      const { failure } = error;
      log.warn({ code: failure.code, class: failure.class }, 'The repeat of a push failed.');
      return { results: items.map(({ listing }) => ({ listing, outcome: 'unknown', failure })), failure };
    }
  }

  async function readBack(call: CallDocument, documents: readonly ListingDocument[]): Promise<void> {
    const inFlight = documents.filter((document) => document.inFlight?.key === call._id);
    const quantities = await connection.readBack(
      inFlight.map(({ listing }) => listing),
      { priority: 'normal', signal, memory: await memoryOf(call.items) },
    );
    await write(settleByReadBack(ofStore, call._id, inFlight, quantities, Date.now()));
    await calls.updateOne({ _id: call._id }, { $set: { outcome: 'read_back', finishedAt: Date.now() } });
    metrics.pushed('read_back', inFlight.length);
  }

  async function turn(): Promise<void> {
    if (gateway.hold() !== null) return await waker.pause(heldMilliseconds);
    await resolveSuspects();
    const [hold, { page: found, again }] = await Promise.all([options.storeHold(), select()]);
    const page = hold === null ? found : [];
    const doubtful = page.filter((document) => isInDoubt(document, capabilities));
    if (doubtful.length > 0) return await look(doubtful);
    if (page.length === 0)
      return await waker.idle(Math.max(1, Math.min(again - Date.now(), (suspectsDue ?? Infinity) - performance.now())));
    const reserved = await withinRate(page);
    const call = reserved.length > 0 ? await markInFlight(reserved) : null;
    if (call) await make(call, reserved);
  }

  return {
    wake: () => waker.wake(),
    async run() {
      while (!signal.aborted) {
        try {
          await turn();
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof Fenced) throw error;
          if (error instanceof CallNotMade) await waker.pause(heldMilliseconds);
          else {
            if (!(error instanceof MarketplaceError)) log.error({ err: error }, 'The push loop stumbled and tries again.');
            suspectsDue ??= 0; // whatever was marked in flight has to be looked at
            await waker.pause(backoff.next());
          }
        }
      }
    },
  };
}

function labelOf(result: PushResult, whole: Failure | null): string {
  if (result.outcome === 'rejected') return result.failure.class;
  return result.outcome === 'not_tried' && whole ? whole.class : result.outcome;
}

/** What refuses a call as a whole says nothing against its listings, unless there is only one and the request about it is wrong. */
function resultOfWhole(listing: string, failure: Failure, applied: 'no' | 'unknown', size: number): PushResult {
  if (applied === 'unknown') return { listing, outcome: 'unknown', failure };
  const isAboutIt = size === 1 && (failure.class === 'bug' || failure.class === 'permanent_listing');
  return isAboutIt ? { listing, outcome: 'rejected', failure } : { listing, outcome: 'not_tried' };
}

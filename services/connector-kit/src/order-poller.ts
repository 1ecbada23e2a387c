import { chunks, correlationsOf, type Logger, type Sender } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import {
  inThirtyDays,
  writeListings,
  type Collections,
  type ListingDocument,
  type SeenOrderDocument,
  type StoreDocument,
} from './documents.ts';
import { takenBy, takenSince } from './expected.ts';
import type { MarketplaceOrder, StoreConnection } from './marketplace.ts';
import type { ConnectorMetrics } from './metrics.ts';
import { skuFor } from './listing-mapping.ts';
import { contentOf, correlationOf, orderRead, readHashOf, type OrderContent, type StoreIdentity } from './order-record.ts';
import type { Priority } from './rate-governor.ts';

export interface OrderReaderOptions {
  readonly identity: StoreIdentity;
  /** The owner's, raised at its takeover. */
  readonly epoch: number;
  readonly collections: Pick<Collections, 'stores' | 'listings' | 'seenOrders'>;
  readonly connection: StoreConnection;
  readonly sender: Pick<Sender, 'send'>;
  /** Asked before each publish. */
  readonly alive: () => boolean;
  /** Reads the store's listings: asked for where an order names one that nobody knows. */
  readonly importListings: () => Promise<unknown>;
  /** How long a push that raises waits at most for what the listing's own new orders have changed. */
  readonly ownOrdersMilliseconds: number;
  readonly log: Logger;
  readonly metrics: ConnectorMetrics;
  readonly signal: AbortSignal;
}

export interface OrderReader {
  /**
   * Reads what changed since the cursor, less the overlap, publishes it, moves the cursor. Returns the correlations of what takes or gives back units
   * of mapped listings: of anything else nothing comes back.
   */
  read(options: { overlapMilliseconds: number; priority: Priority }): Promise<string[]>;
  /**
   * Reads and publishes all open orders, whatever their age. Returns the correlations of those that hold something of a mapped listing, and have not
   * come back yet: whoever read them before may not have lived to see that.
   */
  readOpen(options: { priority: Priority }): Promise<string[]>;
}

/** How late an order may come to be seen at its marketplace. */
const lateMilliseconds = 600_000;
/** After how long an order may ask again for a listing that an import did not find. */
const unknownMilliseconds = 300_000;
const lookUpAtOnce = 200;
const projection = { listing: 1, sku: 1, expected: 1, ownOrders: 1, chosen: 1, marketplaceSku: 1, gone: 1 } as const;
/** Of one listing, the newest. */
const ownOrdersKept = 50;

type KnownListing = Pick<ListingDocument, 'sku' | 'expected' | 'ownOrders'>;

interface ReadFrom {
  /** Marketplace time: since when the store is connected. */
  readonly connectedFrom: number;
  /** Marketplace time: what was placed before it was read then, though its record may be forgotten by now. */
  readonly readTo: number;
  /** It is being connected: its listings were read a moment ago. */
  readonly opening: boolean;
}

const readFrom = ({ connectedFrom, ordersFrom, cursor, state }: StoreDocument): ReadFrom => ({
  connectedFrom: connectedFrom ?? ordersFrom,
  readTo: cursor - lateMilliseconds,
  opening: state === 'connecting',
});

/** An order that says something new, and the units that it has taken since it was last seen. */
interface FreshOrder {
  readonly content: OrderContent;
  readonly taken: ReadonlyMap<string, number>;
  readonly takenSince: ReadonlyMap<string, number>;
}

/** SKU (null where it is not mapped; of one that is gone the one that it would have), expected quantity and own orders by listing. */
async function knownListings(
  listings: Collections['listings'],
  { tenant, store }: StoreIdentity,
  ids: readonly string[],
): Promise<Map<string, KnownListing>> {
  const found = new Map<string, KnownListing>();
  for (const part of chunks(ids, lookUpAtOnce)) {
    const keys = part.map((listing) => keyOf(tenant, store, listing));
    const cursor = listings.find({ _id: { $in: keys } }, { projection });
    for await (const document of cursor)
      found.set(document.listing, { ...document, sku: document.sku ?? (document.gone ? skuFor({ ...document, gone: null }) : null) });
  }
  return found;
}

/** The orders of one store, from a cursor in the marketplace's time. One at a time: a second read waits for the first. */
export function createOrderReader(options: OrderReaderOptions): OrderReader {
  const { identity, collections, connection, sender, alive, log, metrics, signal } = options;
  const { tenant, store } = identity;
  const storeKey = keyOf(tenant, store);
  const stillUnknown = new Map<string, number>();
  /** By order, units that were taken off what is expected, and that are not remembered yet: twice would be too much. */
  const noted = new Map<string, FreshOrder['taken']>();
  /** Listings that orders wait for, and that may have been mapped between their look-up and that being remembered. */
  const unmapped = new Set<string>();
  const lookUp = (ids: readonly string[]) => knownListings(collections.listings, identity, ids);
  let tail: Promise<unknown> = Promise.resolve();

  async function listingsOf(orders: readonly MarketplaceOrder[]): Promise<Map<string, KnownListing>> {
    const ids = [...new Set(orders.flatMap(({ lines }) => lines.flatMap(({ listing }) => (listing === null ? [] : [listing]))))];
    const known = await lookUp(ids);
    const now = performance.now();
    const unknown = ids.filter((listing) => !known.has(listing) && now - (stillUnknown.get(listing) ?? -Infinity) > unknownMilliseconds);
    if (unknown.length === 0) return known;
    log.info({ listings: unknown.length }, 'Orders name listings that nobody knows yet: the listings are read first.');
    await options.importListings();
    const found = await lookUp(unknown);
    for (const listing of unknown) if (!found.has(listing)) stillUnknown.set(listing, now);
    return new Map([...known, ...found]);
  }

  /**
   * Those whose content was not published yet. What is older than what was published is an old answer, and is left out. The overlap brings the
   * same orders again and again: what is known of them is asked first, and nothing else of those that have not changed.
   */
  async function freshOf(
    orders: readonly MarketplaceOrder[],
    { connectedFrom: connectedAt, readTo }: ReadFrom,
  ): Promise<{ fresh: FreshOrder[]; known: ReadonlyMap<string, KnownListing> }> {
    const seen = new Map<string, SeenOrderDocument>();
    for await (const document of collections.seenOrders.find({ _id: { $in: orders.map(({ order }) => keyOf(tenant, store, order)) } }))
      seen.set(document._id, document);
    const changed = orders.filter((order) => {
      const before = seen.get(keyOf(tenant, store, order.order));
      if (!before || before.updatedAt < order.updatedAt) return true;
      return before.updatedAt === order.updatedAt && before.read !== readHashOf(contentOf(identity, order, () => null, connectedAt));
    });
    const known = changed.length > 0 ? await listingsOf(changed) : new Map<string, KnownListing>();
    const fresh = changed.map((order): FreshOrder => {
      const taken = takenBy(order, connection.capabilities);
      const before = seen.get(keyOf(tenant, store, order.order))?.taken;
      // What was sold before the store was connected had gone from its listings when they were first looked at. Of what was read long ago, and is
      // forgotten, nobody knows what has changed: expecting too much makes a conflict, expecting too little could hide a sale.
      const isNew = order.placedAt >= Math.max(connectedAt, readTo);
      const since = before || isNew ? takenSince(taken, before ?? []) : new Map<string, number>();
      return { content: contentOf(identity, order, (listing) => known.get(listing)?.sku ?? null, connectedAt), taken, takenSince: since };
    });
    return { fresh, known };
  }

  /**
   * The marketplace has taken these units off by itself: so much less is expected there, and until what the order changes has come back, nothing
   * older may put them back. Before the order is published, for its answer can be fast. Once, whatever fails then: expecting too much makes a
   * conflict, expecting too little could hide a sale. While the store is opened nobody knows whether a listing was read before such an order or after:
   * what is expected of it is not known then. Whoever opens it anew knows by the same note which of its open orders have come back.
   */
  async function noteTaken(fresh: readonly FreshOrder[], known: ReadonlyMap<string, KnownListing>, { opening }: ReadFrom): Promise<void> {
    const until = Date.now() + options.ownOrdersMilliseconds;
    const writes = fresh.flatMap(({ content, taken, takenSince: sinceSeen }) => {
      const before = noted.get(content.order);
      noted.set(content.order, taken);
      const since = before ? takenSince(taken, unitsOf(before)) : sinceSeen;
      const order = { correlation: correlationOf(identity, content.order), until };
      return [...new Set([...taken.keys(), ...since.keys()])].flatMap((listing) => {
        const units = since.get(listing) ?? 0;
        const isExpected = units !== 0 && typeof known.get(listing)?.expected === 'number';
        const isAwaited = units > 0 || (opening && holds(content, listing));
        if (!known.has(listing) || !(isExpected || isAwaited)) return [];
        const mine = { _id: keyOf(tenant, store, listing), ownerEpoch: { $lte: options.epoch } };
        const filter = { ...mine, ...(isExpected ? { expected: { $gte: Number.MIN_SAFE_INTEGER } } : {}) };
        const update = {
          ...(isExpected ? (opening ? { $unset: { expected: '' as const } } : { $inc: { expected: -units } }) : {}),
          ...(isAwaited ? { $push: { ownOrders: { $each: [order], $slice: -ownOrdersKept } } } : {}),
        };
        return [{ updateOne: { filter, update } }];
      });
    });
    if (writes.length > 0) await writeListings(collections, writes);
  }

  /** Resolves to those that said something new. */
  async function publish(orders: readonly MarketplaceOrder[], from: ReadFrom): Promise<readonly FreshOrder[]> {
    const { fresh, known } = await freshOf(orders, from);
    if (fresh.length === 0) return [];
    await noteTaken(fresh, known, from);
    const records = fresh.map(({ content }) => orderRead(content, Date.now()));
    await sender.send(records, { alive });
    // After the broker has acknowledged: dying in between publishes the same record, with the same id, once more.
    for (const listing of fresh.flatMap(({ content }) => unmappedOf(content))) unmapped.add(listing);
    const writes = fresh.map((order) => ({ updateOne: { ...remembering(order), upsert: true } }));
    await collections.seenOrders.bulkWrite(writes, { ordered: false });
    await lookAgain();
    for (const { content } of fresh) noted.delete(content.order);
    log.info({ orders: records.length, correlations: correlationsOf(records.flatMap(({ event }) => event ?? [])) }, 'Orders were read.');
    return fresh;
  }

  /** Whoever mapped a listing before its orders were remembered has not found them waiting. */
  async function lookAgain(): Promise<void> {
    if (unmapped.size === 0) return;
    await publishWaiting(options, [...unmapped]);
    unmapped.clear();
  }

  async function read(overlapMilliseconds: number, priority: Priority): Promise<string[]> {
    const document = await collections.stores.findOne({ _id: storeKey });
    if (!document) return [];
    await lookAgain();
    const since = Math.max(document.ordersFrom, document.cursor - overlapMilliseconds);
    const correlations: string[] = [];
    for await (const page of connection.ordersSince(since, { priority, signal })) {
      const fresh = await publish(page, readFrom(document));
      correlations.push(...fresh.filter(moves).map(({ content }) => correlationOf(identity, content.order)));
      const newest = page.reduce((latest, { updatedAt }) => Math.max(latest, updatedAt), 0);
      await collections.stores.updateOne({ _id: storeKey }, { $max: { cursor: newest } });
    }
    metrics.ordersPolled(identity);
    return correlations;
  }

  async function readOpen(priority: Priority): Promise<string[]> {
    const document = await collections.stores.findOne({ _id: storeKey });
    if (!document) return [];
    const correlations: string[] = [];
    for await (const page of connection.openOrders({ priority, signal })) {
      const fresh = new Set((await publish(page, readFrom(document))).map(({ content }) => content.order));
      const known = await listingsOf(page);
      for (const { order, lines } of page) {
        const correlation = correlationOf(identity, order);
        const isOut = ({ sku, ownOrders = [] }: KnownListing) =>
          sku !== null && (fresh.has(order) || ownOrders.some((own) => own.correlation === correlation));
        if (lines.some(({ listing }) => isOut(known.get(listing ?? '') ?? { sku: null }))) correlations.push(correlation);
      }
    }
    return correlations;
  }

  async function inTurn(work: () => Promise<string[]>): Promise<string[]> {
    const mine = tail.then(work);
    tail = mine.catch(() => undefined);
    return await mine;
  }

  return {
    read: ({ overlapMilliseconds, priority }) => inTurn(() => read(overlapMilliseconds, priority)),
    readOpen: ({ priority }) => inTurn(() => readOpen(priority)),
  };
}

const unitsOf = (taken: ReadonlyMap<string, number>) => [...taken].map(([listing, units]) => ({ listing, units }));

/** The listings that its lines name and that are not mapped. */
const unmappedOf = ({ lines }: OrderContent): string[] =>
  lines.flatMap(({ listing, sku }) => (listing !== null && sku === null ? [listing] : []));

/** Whether units of a listing are still to leave: what is told of the order is reserved, and comes back. */
const holds = ({ lines }: OrderContent, listing: string): boolean =>
  lines.some((line) => line.listing === listing && line.sku !== null && line.quantity - line.cancelled > line.fulfilled);

const moves = ({ content, takenSince: since }: FreshOrder): boolean =>
  content.lines.some(({ listing, sku }) => listing !== null && sku !== null && (since.get(listing) ?? 0) !== 0);

function remembering({ content, taken }: Pick<FreshOrder, 'content'> & Partial<FreshOrder>) {
  const { tenant, store, order, updatedAt } = content;
  const listings = [...new Set(unmappedOf(content))];
  const units = taken && { taken: unitsOf(taken) };
  const set = { tenant, store, updatedAt, read: readHashOf(content), ...units };
  const update =
    listings.length > 0
      ? { $set: { ...set, waiting: { listings, order: content } }, $unset: { expiresAt: '' as const } }
      : { $set: { ...set, expiresAt: inThirtyDays(Date.now()) }, $unset: { waiting: '' as const } };
  return { filter: { _id: keyOf(tenant, store, order) }, update };
}

export interface WaitingOptions extends Pick<OrderReaderOptions, 'identity' | 'sender' | 'alive'> {
  readonly collections: Pick<Collections, 'listings' | 'seenOrders'>;
}

/** Publishes again, now with their SKUs, the orders that wait for listings that are mapped meanwhile: of these listings, or of any. */
export async function publishWaiting(options: WaitingOptions, listings?: readonly string[]): Promise<void> {
  const { tenant, store } = options.identity;
  const parts = listings ? [...chunks(listings, lookUpAtOnce)].map((part) => ({ $in: [...part] })) : [{ $exists: true }];
  for (const part of parts) {
    const waiting = options.collections.seenOrders.find({ tenant, store, 'waiting.listings': part });
    for await (const document of waiting) await publishMapped(options, document);
  }
}

async function publishMapped({ identity, collections, sender, alive }: WaitingOptions, document: SeenOrderDocument): Promise<void> {
  if (!document.waiting) return;
  const before = document.waiting.order as OrderContent;
  const known = await knownListings(collections.listings, identity, document.waiting.listings);
  const lines = before.lines.map((line) => ({
    ...line,
    sku: line.sku ?? (line.listing === null ? null : (known.get(line.listing)?.sku ?? null)),
  }));
  if (lines.every(({ sku }, index) => sku === before.lines[index]?.sku)) return;
  const content = { ...before, lines };
  await sender.send([orderRead(content, Date.now())], { alive });
  const { filter, update } = remembering({ content });
  // The owner may have read a newer one meanwhile, which looks for its own SKUs.
  await collections.seenOrders.updateOne({ ...filter, updatedAt: document.updatedAt, read: document.read }, update);
}

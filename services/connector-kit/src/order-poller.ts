import { correlationsOf, type Logger, type Sender } from '@evenkeel/chassis';
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
  readonly patienceMilliseconds: number;
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
   * Reads and publishes all open orders, whatever their age. Returns the correlations of those that hold something of a mapped listing, whether they
   * are new or not: whoever read them before may not have lived to see them come back.
   */
  readOpen(options: { priority: Priority }): Promise<string[]>;
}

/** After how long an order may ask again for a listing that an import did not find. */
const unknownMilliseconds = 300_000;
const lookUpAtOnce = 200;
/** Of one listing, the newest. */
const ownOrdersKept = 50;

type KnownListing = Pick<ListingDocument, 'sku' | 'expected'>;

interface ReadFrom {
  /** Marketplace time: since when the store is connected. */
  readonly connectedFrom: number;
  /** It is being connected: its listings were read a moment ago. */
  readonly opening: boolean;
}

const readFrom = ({ connectedFrom, ordersFrom, state }: StoreDocument): ReadFrom => ({
  connectedFrom: connectedFrom ?? ordersFrom,
  opening: state === 'connecting',
});

/** An order that says something new, and the units that it has taken since it was last seen. */
interface FreshOrder {
  readonly content: OrderContent;
  readonly taken: ReadonlyMap<string, number>;
  readonly takenSince: ReadonlyMap<string, number>;
}

/** The orders of one store, from a cursor in the marketplace's time. One at a time: a second read waits for the first. */
export function createOrderReader(options: OrderReaderOptions): OrderReader {
  const { identity, collections, connection, sender, alive, log, metrics, signal } = options;
  const { tenant, store } = identity;
  const storeKey = keyOf(tenant, store);
  const stillUnknown = new Map<string, number>();
  /** Contents whose units were taken off what is expected, and that are not remembered yet: twice would be too much. */
  const noted = new Set<string>();
  let tail: Promise<unknown> = Promise.resolve();

  /** SKU (null where it is not mapped) and expected quantity by listing. */
  async function lookUp(ids: readonly string[]): Promise<Map<string, KnownListing>> {
    const found = new Map<string, KnownListing>();
    for (let from = 0; from < ids.length; from += lookUpAtOnce) {
      const keys = ids.slice(from, from + lookUpAtOnce).map((listing) => keyOf(tenant, store, listing));
      const cursor = collections.listings.find({ _id: { $in: keys } }, { projection: { listing: 1, sku: 1, expected: 1 } });
      for await (const document of cursor) found.set(document.listing, document);
    }
    return found;
  }

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
    { connectedFrom: connectedAt }: ReadFrom,
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
      // What was sold before the store was connected had gone from its listings when they were first looked at.
      const since = before || order.placedAt >= connectedAt ? takenSince(taken, before ?? []) : new Map<string, number>();
      return { content: contentOf(identity, order, (listing) => known.get(listing)?.sku ?? null, connectedAt), taken, takenSince: since };
    });
    return { fresh, known };
  }

  /**
   * The marketplace has taken these units off by itself: so much less is expected there, and until what the order changes has come back, nothing
   * older may put them back. Before the order is published, for its answer can be fast. Once, whatever fails then: expecting too much makes a
   * conflict, expecting too little could hide a sale. While the store is opened nobody knows whether a listing was read before such an order or after:
   * what is expected of it is not known then.
   */
  async function noteTaken(fresh: readonly FreshOrder[], known: ReadonlyMap<string, KnownListing>, { opening }: ReadFrom): Promise<void> {
    const until = Date.now() + options.patienceMilliseconds;
    const unnoted = fresh.filter(({ content }) => !noted.has(readHashOf(content)));
    for (const { content } of unnoted) noted.add(readHashOf(content));
    const writes = unnoted.flatMap(({ content, takenSince: since }) =>
      [...since].flatMap(([listing, units]) => {
        if (units === 0 || !known.has(listing)) return [];
        const isExpected = typeof known.get(listing)?.expected === 'number';
        const order = { correlation: correlationOf(identity, content.order), until };
        const mine = { _id: keyOf(tenant, store, listing), ownerEpoch: { $lte: options.epoch } };
        const filter = { ...mine, ...(isExpected ? { expected: { $gte: Number.MIN_SAFE_INTEGER } } : {}) };
        const update = {
          ...(isExpected ? (opening ? { $unset: { expected: '' as const } } : { $inc: { expected: -units } }) : {}),
          ...(units > 0 ? { $push: { ownOrders: { $each: [order], $slice: -ownOrdersKept } } } : {}),
        };
        return Object.keys(update).length > 0 ? [{ updateOne: { filter, update } }] : [];
      }),
    );
    if (writes.length > 0) await writeListings(collections, writes);
  }

  async function publish(orders: readonly MarketplaceOrder[], from: ReadFrom): Promise<string[]> {
    const { fresh, known } = await freshOf(orders, from);
    if (fresh.length === 0) return [];
    await noteTaken(fresh, known, from);
    const records = fresh.map(({ content }) => orderRead(content, Date.now()));
    await sender.send(records, { alive });
    await remember(collections.seenOrders, fresh);
    for (const { content } of fresh) noted.delete(readHashOf(content));
    log.info({ orders: records.length, correlations: correlationsOf(records.flatMap(({ event }) => event ?? [])) }, 'Orders were read.');
    return fresh.filter(moves).map(({ content }) => correlationOf(identity, content.order));
  }

  async function read(overlapMilliseconds: number, priority: Priority): Promise<string[]> {
    const document = await collections.stores.findOne({ _id: storeKey });
    if (!document) return [];
    const since = Math.max(document.ordersFrom, document.cursor - overlapMilliseconds);
    const correlations: string[] = [];
    for await (const page of connection.ordersSince(since, { priority, signal })) {
      correlations.push(...(await publish(page, readFrom(document))));
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
      await publish(page, readFrom(document));
      const known = await listingsOf(page);
      const holding = page.filter(({ lines }) =>
        lines.some(({ listing }) => listing !== null && (known.get(listing)?.sku ?? null) !== null),
      );
      correlations.push(...holding.map(({ order }) => correlationOf(identity, order)));
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

const moves = ({ content, takenSince: since }: FreshOrder): boolean =>
  content.lines.some(({ listing, sku }) => listing !== null && sku !== null && (since.get(listing) ?? 0) !== 0);

/** Written after the broker has acknowledged: dying in between publishes the same record, with the same id, once more. */
async function remember(
  seenOrders: Collections['seenOrders'],
  orders: readonly (Pick<FreshOrder, 'content'> & Partial<FreshOrder>)[],
): Promise<void> {
  const expiresAt = inThirtyDays(Date.now());
  await seenOrders.bulkWrite(
    orders.map(({ content, taken }) => {
      const { tenant, store, order, updatedAt } = content;
      const listings = [...new Set(content.lines.flatMap(({ listing, sku }) => (listing !== null && sku === null ? [listing] : [])))];
      const units = taken && { taken: [...taken].map(([listing, each]) => ({ listing, units: each })) };
      const set = { tenant, store, updatedAt, read: readHashOf(content), ...units };
      const update =
        listings.length > 0
          ? { $set: { ...set, waiting: { listings, order: content } }, $unset: { expiresAt: '' as const } }
          : { $set: { ...set, expiresAt }, $unset: { waiting: '' as const } };
      return { updateOne: { filter: { _id: keyOf(tenant, store, order) }, update, upsert: true } };
    }),
    { ordered: false },
  );
}

/** Publishes again, now with their SKUs, the orders that were waiting for one of these listings to be mapped. */
export async function publishWaiting(
  identity: StoreIdentity,
  { seenOrders }: Pick<Collections, 'seenOrders'>,
  sender: Pick<Sender, 'send'>,
  mapped: ReadonlyMap<string, string>,
  alive: () => boolean,
): Promise<void> {
  const { tenant, store } = identity;
  const listings = [...mapped.keys()];
  for (let from = 0; from < listings.length; from += lookUpAtOnce) {
    const waiting = seenOrders.find({ tenant, store, 'waiting.listings': { $in: listings.slice(from, from + lookUpAtOnce) } });
    for await (const document of waiting) {
      const before = document.waiting?.order as OrderContent | undefined;
      if (!before) continue;
      const lines = before.lines.map((line) => ({
        ...line,
        sku: line.sku ?? (line.listing === null ? null : (mapped.get(line.listing) ?? null)),
      }));
      const content = { ...before, lines };
      await sender.send([orderRead(content, Date.now())], { alive });
      await remember(seenOrders, [{ content }]);
    }
  }
}

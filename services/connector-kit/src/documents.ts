import { chunks, type Sealed } from '@evenkeel/chassis';
import type { PushRequested, PushWithdrawn } from '@evenkeel/contracts';
import type { Connection, mongo } from 'mongoose';
import type { Memo } from './marketplace.ts';

/** A seller account on one marketplace. `_id`: keyOf(tenant, store). */
export interface StoreDocument {
  readonly _id: string;
  readonly tenant: string;
  readonly store: string;
  readonly marketplace: string;
  /** Partition of the push requests that its owner reads. */
  readonly lane: number;
  /**
   * `connecting` until its listings and its open orders were read, and the orders have come back: nothing is pushed before. `disconnecting` until its
   * listings are unmapped. Of one that is disconnected nothing is read or written, and its credentials are forgotten.
   */
  readonly state: 'connecting' | 'connected' | 'disconnecting' | 'disconnected';
  readonly account: string;
  readonly name: string;
  /** Shown to people: shop, location. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly credentials: Sealed;
  /** Raised at each re-entry. */
  readonly credentialVersion: number;
  /** Raised when credentials that end by themselves were renewed; absent until then. Starts again at each re-entry. */
  readonly tokenRevision?: number | null;
  /** Who is renewing them, and until when nobody else may. */
  readonly renewal?: { readonly by: string; readonly until: number } | null;
  /** What the marketplace signs its webhooks with; null where nobody has entered it. */
  readonly webhookSecret?: Sealed | null;
  /** Set when the marketplace refused the credentials of this version; counts only while that is the stored version. */
  readonly gate: { readonly code: string; readonly message: string; readonly since: number; readonly credentialVersion: number } | null;
  readonly circuit: { readonly state: 'open' | 'closed'; readonly since: number } | null;
  /** Raised at each takeover: fences the owner before. */
  readonly ownerEpoch: number;
  /** Marketplace time: orders changed before it are never read. */
  readonly ordersFrom: number;
  /** Marketplace time: orders changed before it were read and published. */
  readonly cursor: number;
  readonly connectedAt: number;
  /** The request that connected it. */
  readonly connectedBy: string;
  readonly importedAt: number | null;
  /** Marketplace time when it was last connected: what had been shipped by then is not deducted. As `ordersFrom` where absent. */
  readonly connectedFrom?: number;
  /** The last reading of all its listings. */
  readonly import?: ImportProgress | null;
  /** A person lets nothing go out. */
  readonly paused?: Pause | null;
  /** Since when the marketplace says that it does not sell. */
  readonly inactive?: { readonly since: number } | null;
  /** Since when its rate makes pushes wait. */
  readonly throttled?: { readonly since: number } | null;
  readonly disconnection?: Disconnection | null;
}

export interface Pause {
  readonly by: string;
  readonly at: number;
}

export interface ImportProgress {
  readonly startedAt: number;
  /** Null while it reads; for good where it broke off, until the next one begins. */
  readonly finishedAt: number | null;
  /** Read so far, and how many of those are mapped. */
  readonly listings: number;
  readonly mapped: number;
}

export interface Disconnection {
  readonly by: string;
  readonly at: number;
  readonly setListingsToZero: boolean;
  readonly finishedAt: number | null;
  /** Listings that were mapped, and how many of them could not be set to 0. */
  readonly listings: number;
  readonly notSetToZero: number;
}

/** What the listing shall show, as last requested. */
export interface Wanted {
  readonly version: string;
  /** Available, never clamped. */
  readonly quantity: number;
  /** `disconnecting`: our own last word before the store is given up. */
  readonly reason: PushRequested['reason'] | 'disconnecting';
  readonly correlation: string;
  readonly at: number;
}

/** A call that was made, or was about to be, and whose end is not recorded. */
export interface InFlight {
  /** The call's idempotency key: `calls` has the frozen batch. */
  readonly key: string;
  readonly version: string;
  /** As sent. */
  readonly quantity: number;
  readonly at: number;
}

/** A listing and its two sides: what it shall show and what it was last confirmed to show. `_id`: keyOf(tenant, store, listing). */
export interface ListingDocument {
  readonly _id: string;
  readonly tenant: string;
  readonly store: string;
  readonly listing: string;
  readonly sku: string | null;
  /** Mapping revision; each mapping and each unmapping takes one. */
  readonly mapping: number;
  /** Mapping changes that the broker has not acknowledged yet. */
  readonly unpublished: readonly ListingChange[];
  readonly ownerEpoch: number;
  /** The newest version that was requested or withdrawn: nothing at or below it is taken in again. */
  readonly instructed: string;
  readonly wanted: Wanted | null;
  readonly confirmed: { readonly version: string; readonly quantity: number; readonly at: number } | null;
  readonly inFlight: InFlight | null;
  readonly withdrawn: { readonly version: string; readonly reason: PushWithdrawn['reason']; readonly at: number } | null;
  readonly quarantined: { readonly code: string; readonly message: string; readonly version: string; readonly at: number } | null;
  /**
   * What the marketplace should show: what was last confirmed or read back, less what the listing's own orders, read since, took. Null: it was
   * looked for and is not there; absent: this owner has not looked yet. One that is too high makes a conflict, and that a look.
   */
  readonly expected?: number | null;
  /** The marketplace has moved in a way that nobody understands yet: it is looked at before the next push. */
  readonly doubt?: Doubt;
  /** Its own orders that took units and whose movements have not come back: a push that raises waits for them. */
  readonly ownOrders?: readonly OwnOrder[];
  /** The SKU that it carries at the marketplace, as last read there. */
  readonly marketplaceSku?: string | null;
  /** What a person has decided that it is mapped to: goes before what it carries there. */
  readonly chosen?: ({ readonly sku: string | null } & Pause) | null;
  /** Since when it is no longer at the marketplace. */
  readonly gone?: number | null;
  /** A person lets nothing go out to it. */
  readonly paused?: Pause | null;
  /** What it was seen to show. Not written anew while that stays the same: then it is as old as the store's last import. */
  readonly lastRead?: LastRead | null;
  /** wanted > confirmed, and it is not paused; present only while true. */
  readonly outstanding?: true;
  /** wanted > confirmed, and it is paused: kept apart, so that whoever looks for what can be sent does not meet it. */
  readonly waiting?: true;
  /** Since when it has been outstanding without a break. */
  readonly waitingSince?: number;
  /** Refusals one after the other that no class explains. */
  readonly refusals?: number;
}

export interface Doubt {
  readonly since: number;
  /** What the refusal, or a read-back, said that it shows. */
  readonly found?: number;
}

export interface OwnOrder {
  readonly correlation: string;
  /** Not waited for any longer: what changed nothing that is worth a push never comes back. */
  readonly until: number;
}

export interface LastRead {
  readonly quantity: number | null;
  readonly onSale: boolean;
  readonly at: number;
  /** It was not what was expected then: changed by hand, or sold by an order that nobody had read yet. */
  readonly unexpected?: true;
}

export interface ListingChange {
  readonly type: 'ListingMapped' | 'ListingUnmapped';
  readonly sku: string;
  readonly mapping: number;
  readonly at: number;
}

export interface CallItem {
  readonly listing: string;
  readonly sku: string | null;
  readonly version: string;
  readonly quantity: number;
  /** What the marketplace was to compare it with; null where with nothing. */
  readonly expected: number | null;
}

/** Our own record of one push call, kept 30 days. `_id`: its idempotency key. */
export interface CallDocument {
  readonly _id: string;
  readonly tenant: string;
  readonly store: string;
  readonly items: readonly CallItem[];
  readonly startedAt: number;
  readonly finishedAt: number | null;
  /** Null while nobody knows. `not_made`: frozen, but never sent. */
  readonly outcome: 'applied' | 'rejected' | 'unknown' | 'read_back' | 'not_made' | null;
  readonly results?: readonly { readonly listing: string; readonly outcome: string; readonly code?: string }[];
  readonly expiresAt: Date;
}

/** What was last published of an order, so that unchanged content is not published again. `_id`: keyOf(tenant, store, order). */
export interface SeenOrderDocument {
  readonly _id: string;
  readonly tenant: string;
  readonly store: string;
  readonly updatedAt: number;
  /** Hash of what the marketplace said, whatever the mapping. */
  readonly read: string;
  /** Units that it has taken from each listing, as the marketplace counts. */
  readonly taken?: readonly { readonly listing: string; readonly units: number }[];
  /** Only of orders with lines whose listing was not mapped: published again once it is. */
  readonly waiting?: { readonly listings: readonly string[]; readonly order: unknown };
  /** Absent while it waits for a mapping. */
  readonly expiresAt?: Date;
}

/** What a connector remembers of a group of listings. `_id`: keyOf(tenant, store, group). */
export interface GroupDocument {
  readonly _id: string;
  readonly tenant: string;
  readonly store: string;
  readonly memo: Memo | null;
}

/** A webhook that was taken in. `_id`: keyOf(tenant, store, delivery). */
export interface DeliveryDocument {
  readonly _id: string;
  readonly expiresAt: Date;
}

export interface Collections {
  readonly stores: mongo.Collection<StoreDocument>;
  readonly listings: mongo.Collection<ListingDocument>;
  readonly calls: mongo.Collection<CallDocument>;
  readonly seenOrders: mongo.Collection<SeenOrderDocument>;
  readonly groups: mongo.Collection<GroupDocument>;
  readonly deliveries: mongo.Collection<DeliveryDocument>;
}

const dayMilliseconds = 86_400_000;
/** When a record of today may be forgotten. */
export const inThirtyDays = (now: number): Date => new Date(now + 30 * dayMilliseconds);

/** The connector's collections, with their indexes. Expiry only tidies up; nothing counts on when. */
export async function openCollections(connection: Connection): Promise<Collections> {
  const { db } = connection;
  if (!db) throw new Error('The database is not connected yet.');
  const collections: Collections = {
    stores: db.collection<StoreDocument>('stores'),
    listings: db.collection<ListingDocument>('listings'),
    calls: db.collection<CallDocument>('calls'),
    seenOrders: db.collection<SeenOrderDocument>('seen_orders'),
    groups: db.collection<GroupDocument>('groups'),
    deliveries: db.collection<DeliveryDocument>('deliveries'),
  };
  await Promise.all([
    collections.stores.createIndex({ lane: 1 }),
    // Two stores of one account would each reserve all its orders.
    collections.stores.createIndex({ tenant: 1, marketplace: 1, account: 1 }, { unique: true }),
    collections.listings.createIndex({ tenant: 1, store: 1, listing: 1 }),
    collections.listings.createIndex({ outstanding: 1, waitingSince: 1 }, { partialFilterExpression: { outstanding: true } }),
    collections.listings.createIndex({ tenant: 1, sku: 1 }),
    collections.listings.createIndex(
      { tenant: 1, store: 1, outstanding: 1, 'wanted.quantity': 1 },
      { partialFilterExpression: { outstanding: true } },
    ),
    collections.listings.createIndex(
      { tenant: 1, store: 1, 'inFlight.key': 1 },
      { partialFilterExpression: { 'inFlight.key': { $exists: true } } },
    ),
    collections.listings.createIndex(
      { tenant: 1, store: 1, 'paused.at': 1 },
      { partialFilterExpression: { 'paused.at': { $exists: true } } },
    ),
    collections.listings.createIndex(
      { tenant: 1, store: 1, 'quarantined.at': 1 },
      { partialFilterExpression: { 'quarantined.at': { $exists: true } } },
    ),
    collections.calls.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 }),
    collections.calls.createIndex({ tenant: 1, store: 1, startedAt: 1 }),
    collections.seenOrders.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 }),
    collections.deliveries.createIndex({ expiresAt: 1 }, { expireAfterSeconds: 0 }),
    collections.seenOrders.createIndex(
      { tenant: 1, store: 1, 'waiting.listings': 1 },
      { partialFilterExpression: { 'waiting.listings': { $exists: true } } },
    ),
  ]);
  return collections;
}

/** One command of more than so many updates would come near the driver's time-out on a slow database, and be made again for nothing. */
const writesAtOnce = 100;

/** The writes in their order, some at a time; resolves to how many documents they changed. `onError`: may let a part's error pass. */
export async function writeListings(
  { listings }: Pick<Collections, 'listings'>,
  writes: readonly mongo.AnyBulkWriteOperation<ListingDocument>[],
  { ordered = false, onError }: { readonly ordered?: boolean; readonly onError?: (error: unknown) => void } = {},
): Promise<number> {
  let changed = 0;
  for (const some of chunks(writes, writesAtOnce)) {
    try {
      changed += (await listings.bulkWrite([...some], { ordered })).modifiedCount;
    } catch (error) {
      if (!onError) throw error;
      onError(error);
    }
  }
  return changed;
}

import type { z } from 'zod';
import type { Failure } from './failure.ts';
import type { Gateway, Priority } from './gateway.ts';
import type { Costs } from './rate-governor.ts';

/** What a marketplace can do; the kit decides by these and by nothing else how it pushes, repeats and reads back. */
export interface Capabilities {
  /** Listings in one push. */
  readonly maxBatch: number;
  /** One refused item refuses the whole batch. */
  readonly atomicBatch: boolean;
  /** A write can name the quantity that it expects to find. Declared, not used yet: drift is judged by read-back. */
  readonly compareAndSet: boolean;
  /** How long a repeat with the same key is answered without being applied again; null where there is no such key. */
  readonly idempotencyKey: { readonly retentionMilliseconds: number } | null;
  /** Accepted is not applied: whether it was is only known by read-back. */
  readonly asynchronousApply: boolean;
  /** After how long a call that was not answered can no longer take effect. */
  readonly settleMilliseconds: number;
  readonly minimumQuantity: number;
  readonly maximumQuantity: number;
}

/** How a read or a push is made: who goes first when the rate is short, and when to give up. */
export interface CallOptions {
  readonly priority: Priority;
  readonly signal?: AbortSignal | undefined;
}

/** The smallest thing with its own quantity there. */
export interface MarketplaceListing {
  readonly listing: string;
  /** As the marketplace has it, byte for byte; null where it has none. */
  readonly sku: string | null;
}

export interface MarketplaceLine {
  readonly line: string;
  /** Null where the marketplace no longer says what was bought. */
  readonly listing: string | null;
  /** Ordered, cancelled ones included. */
  readonly quantity: number;
  readonly cancelled: number;
  readonly fulfilled: number;
}

/** A whole order with all its lines. Nothing of the buyer is read. */
export interface MarketplaceOrder {
  readonly order: string;
  readonly name: string;
  /** Milliseconds, in the marketplace's time; so are the other two. */
  readonly placedAt: number;
  readonly updatedAt: number;
  readonly cancelledAt: number | null;
  readonly lines: readonly MarketplaceLine[];
}

export interface PushItem {
  readonly listing: string;
  /** What shoppers shall see; already clamped by {@link Capabilities}. */
  readonly quantity: number;
}

/** A push that is never changed once it was marked in flight: a repeat sends exactly this again. */
export interface FrozenBatch {
  readonly key: string;
  readonly items: readonly PushItem[];
}

/**
 * What became of one listing of a push.
 * - applied: the marketplace says so
 * - rejected: it says that it did not, and why
 * - not_tried: nothing is wrong with it, but the batch was refused for another; send it again under a new key
 * - unknown: accepted, or not understood; to be resolved by a repeat or a read-back
 */
export type PushResult =
  | { readonly listing: string; readonly outcome: 'applied' }
  | { readonly listing: string; readonly outcome: 'not_tried' }
  | { readonly listing: string; readonly outcome: 'rejected' | 'unknown'; readonly failure: Failure };

/** Who is at the other end: proven again whenever credentials are re-entered. */
export interface Probe {
  /** The seller account's own id at the marketplace. */
  readonly account: string;
  readonly name: string;
  /** The marketplace's clock, in milliseconds; not later than it really is. */
  readonly time: number;
}

/**
 * One store at its marketplace. Methods reject with MarketplaceError when a call fails as a whole, with CallNotMade when the gateway
 * lets none through.
 */
export interface StoreConnection {
  readonly capabilities: Capabilities;
  /** What a push of so many listings takes from the store's rate, for the kit to reserve before it freezes the batch. */
  pushCost(items: number): Costs;
  probe(options: CallOptions): Promise<Probe>;
  /** All listings of the store, by pages. */
  listings(options: CallOptions): AsyncIterable<readonly MarketplaceListing[]>;
  /** Orders changed at or after `since` (marketplace time), oldest change first, whole, by pages. */
  ordersSince(since: number, options: CallOptions): AsyncIterable<readonly MarketplaceOrder[]>;
  /** One call. Its cost was reserved already. */
  push(batch: FrozenBatch, options: CallOptions): Promise<readonly PushResult[]>;
  /** What shoppers see now; a listing that is not there is not in the answer. */
  readBack(listings: readonly string[], options: CallOptions): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** What a store is opened with; `credentials` are plain here and nowhere else. */
export interface StoreAccess {
  readonly settings: unknown;
  readonly credentials: unknown;
}

/** The port that a connector implements: one marketplace. */
export interface Marketplace {
  /** Lower case; part of topic and event names. */
  readonly name: string;
  readonly capabilities: Capabilities;
  /** What a person enters to connect a store, beside its id: fields of the request's body. */
  readonly connectionFields: z.ZodRawShape;
  /** What a person enters to renew the credentials. */
  readonly credentialFields: z.ZodRawShape;
  /** Splits what was entered: settings are shown, credentials are sealed. Same fields as above, already checked. */
  accessOf(entered: Readonly<Record<string, unknown>>): StoreAccess;
  /** The credentials among what was entered to renew them. */
  credentialsOf(entered: Readonly<Record<string, unknown>>): unknown;
  /**
   * Completes the settings of a new store by asking the marketplace (which location?).
   * Throws ConnectionRefused where a person has to choose.
   */
  completeSettings(connection: StoreConnection, settings: unknown, options: CallOptions): Promise<unknown>;
  open(access: StoreAccess, gateway: Gateway): StoreConnection;
}

/** A store cannot be connected as entered; the message says what to do. */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused';
}

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
  /**
   * How a push finds out that the marketplace has moved meanwhile (`PushItem.expected`).
   * - native: the marketplace compares, and refuses where its quantity is another
   * - before_write: the connector reads right before it writes, and refuses where it finds less: a sale that nobody has seen yet
   * - none: it doesn't; read-backs alone tell
   */
  readonly compareAndSet: 'native' | 'before_write' | 'none';
  /** Units that leave an order unshipped go back to what its listing shows. A wrong guess costs a conflict, which heals. */
  readonly restocksCancelled: boolean;
  /** How long a repeat with the same key is answered without being applied again; null where there is no such key. */
  readonly idempotencyKey: { readonly retentionMilliseconds: number } | null;
  /** Accepted is not applied: whether it was is only known by read-back. */
  readonly asynchronousApply: boolean;
  /** After how long a call that was not answered can no longer take effect. */
  readonly settleMilliseconds: number;
  readonly minimumQuantity: number;
  readonly maximumQuantity: number;
  /**
   * Which listings are written together, in one call: those of the same group (an Etsy listing with its offerings). A push holds listings of
   * one group only, and a group has at most one call in flight. Absent: each listing stands alone, and a push may hold any of them.
   */
  groupOf?(listing: string): string;
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
  /** What shoppers see; null where the list of listings does not say. */
  readonly quantity: number | null;
  /** Whether it can be bought while its quantity is above 0: not a draft, not archived. */
  readonly onSale: boolean;
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
  /**
   * What the marketplace should show before the push: what was last confirmed, less what this listing's own orders took since. Null: nobody
   * knows, and nothing is compared. One that differs (`native`), or finds less (`before_write`), is rejected with the class `conflict`.
   */
  readonly expected: number | null;
}

/** Something that a connector keeps about a group of listings between pushes; JSON, opaque to the kit. */
export type Memo = { readonly [key: string]: string | number | boolean | null };

/** What a connector remembers of one group. */
export interface GroupMemory {
  /** What was last remembered; null where nothing was, and for a marketplace without groups. */
  readonly memo: Memo | null;
  /**
   * Stores it for good before it resolves. Write ahead: remember a step that a later push must know of ("we take the listing off sale") before the
   * request that makes it, for a crash right behind that request loses its answer.
   */
  remember(memo: Memo | null): Promise<void>;
}

/** With the memory of the batch's group. */
export interface PushOptions extends CallOptions, GroupMemory {}

export interface ReadBackOptions extends CallOptions {
  /** Of the group whose call was left without an answer, and is resolved by this read: what was on its way is known from here on. */
  readonly memory?: GroupMemory | undefined;
}

/** A push that is never changed once it was marked in flight: a repeat sends exactly this again. */
export interface FrozenBatch {
  readonly key: string;
  readonly items: readonly PushItem[];
}

/**
 * What became of one listing of a push.
 * - applied: the marketplace says so; `onSale`: whether it can be bought from now on while it has anything, where the push has learned that
 * - rejected: it says that it did not, and why; `found`: what it showed instead of what was expected, where a conflict's answer tells
 * - not_tried: nothing is wrong with it, but the batch was refused for another; send it again under a new key
 * - unknown: accepted, or not understood; to be resolved by a repeat or a read-back
 */
export type PushResult =
  | { readonly listing: string; readonly outcome: 'applied'; readonly onSale?: boolean }
  | { readonly listing: string; readonly outcome: 'not_tried' }
  | { readonly listing: string; readonly outcome: 'rejected'; readonly failure: Failure; readonly found?: number }
  | { readonly listing: string; readonly outcome: 'unknown'; readonly failure: Failure };

/** Who is at the other end: proven again whenever credentials are re-entered. */
export interface Probe {
  /** The seller account's own id at the marketplace. */
  readonly account: string;
  readonly name: string;
  /** The marketplace's clock, in milliseconds; not later than it really is. */
  readonly time: number;
  /** Whether the store sells: not on holiday, its location in use. Pushes to one that doesn't wait; its orders are read all the same. */
  readonly active: boolean;
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
  /** All orders with units that are neither cancelled nor shipped, whatever their age, whole, by pages: read when a store is connected. */
  openOrders(options: CallOptions): AsyncIterable<readonly MarketplaceOrder[]>;
  /** One call, or what must not be torn apart. Its cost was reserved already. Other listings are left as they are. */
  push(batch: FrozenBatch, options: PushOptions): Promise<readonly PushResult[]>;
  /**
   * What shoppers see now; a listing that is not there is not in the answer. With `memory`: nor is one that shoppers do not see, where that does not tell
   * whether the call has written it.
   */
  readBack(listings: readonly string[], options: ReadBackOptions): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** What a person has entered, split. */
export interface Entered {
  /** Shown to people. */
  readonly settings: unknown;
  /** Sealed. */
  readonly credentials: unknown;
  /** What the marketplace signs its webhooks with, where it was given; sealed. */
  readonly webhookSecret?: string | undefined;
}

/** What a store is opened with. */
export interface StoreAccess {
  readonly settings: unknown;
  /** The newest, plain here and nowhere else. Asked by each attempt of each request: credentials may have been renewed meanwhile. */
  credentials(): unknown;
}

/**
 * Credentials that end by themselves and are renewed (OAuth). The kit decides when: at 80 % of their life and after a refusal, once, by one
 * replica at a time, and stores the new ones before anybody uses them. Connectors only ask the token endpoint.
 */
export interface Renewal {
  /** Milliseconds since the epoch, by our clock. */
  lifeOf(credentials: unknown): { readonly issuedAt: number; readonly expiresAt: number };
  /** One request, not through the gateway. Rejects with MarketplaceError: `credential` where they were taken back and a person has to enter new ones. */
  renew(access: { readonly settings: unknown; readonly credentials: unknown }): Promise<unknown>;
}

/** A webhook as it came in. */
export interface WebhookMessage {
  /** The body, byte for byte. */
  readonly body: Buffer;
  /** A header's value, whatever the case of its name. */
  header(name: string): string | undefined;
  readonly secret: string;
  /** Milliseconds. */
  readonly now: number;
}

/** What a genuine webhook says. */
export interface WebhookDelivery {
  /** The seller account that it is about, as {@link Probe} has it; null where it does not say. */
  readonly account: string | null;
  /** The marketplace's id of this message, the same when it is sent again. */
  readonly delivery: string;
  /** Other marks of the same message, where its id is not signed: what was captured and sent again under another id is known by them. */
  readonly alsoKnownAs?: readonly string[];
  /** The order that has changed; null where it does not say. */
  readonly order: string | null;
}

export interface Webhooks {
  /** What is older, or more in the future, is refused: below the three days for which deliveries are remembered. */
  readonly windowMilliseconds: number;
  /** Pure. Throws WebhookRefused: the signature is not right, or it is too old. */
  verify(message: WebhookMessage): WebhookDelivery;
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
  /** Splits what was entered. Same fields as above, already checked. */
  accessOf(entered: Readonly<Record<string, unknown>>): Entered;
  /** The same of what was entered to renew the credentials. */
  credentialsOf(entered: Readonly<Record<string, unknown>>): Omit<Entered, 'settings'>;
  /**
   * Completes the settings of a new store by asking the marketplace (which location?).
   * Throws ConnectionRefused where a person has to choose.
   */
  completeSettings(connection: StoreConnection, settings: unknown, options: CallOptions): Promise<unknown>;
  /** Absent: credentials are good until they are taken back. */
  readonly renewal?: Renewal;
  /** Absent: it sends none, or nobody listens; orders come by polling alone. */
  readonly webhooks?: Webhooks;
  open(access: StoreAccess, gateway: Gateway): StoreConnection;
}

/** What a person has to choose: a field of {@link Marketplace.connectionFields}, and what it can be. */
export interface Choice {
  readonly field: string;
  readonly options: readonly { readonly value: string; readonly label: string }[];
}

/** A store cannot be connected as entered; the message says what to do. */
export class ConnectionRefused extends Error {
  override readonly name = 'ConnectionRefused';
  readonly choice: Choice | null;

  constructor(message: string, choice: Choice | null = null) {
    super(message);
    this.choice = choice;
  }
}

/** Not from the marketplace, or too old to be believed; the message says what is wrong, never the secret. */
export class WebhookRefused extends Error {
  override readonly name = 'WebhookRefused';
}

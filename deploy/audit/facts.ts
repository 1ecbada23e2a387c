/**
 * What the auditor knows about a system: plain data, read by `read/`, judged by `checks/`. Nothing here comes from the services' code, so that a
 * mistake there cannot be made twice.
 */

export interface Quantities {
  readonly onHand: number;
  readonly orderReserve: number;
  readonly batchReserve: number;
  readonly available: number;
}

/** One row of a SKU's ledger, as its journal or its topic tells it. */
export interface LedgerRow {
  readonly sequence: number;
  readonly epoch: number;
  readonly type: string;
  readonly reason: string | null;
  /** Why it was refused; then it changed nothing. */
  readonly refused: string | null;
  readonly change: Quantities;
  readonly after: Quantities;
  readonly location: string | null;
  readonly locationOnHand: number | null;
  readonly counted: boolean;
  readonly cause: string;
  readonly batch: string | null;
  readonly label: string | null;
  /** The cause of the row whose deduction it takes back. */
  readonly reverses: string | null;
  readonly purchaseOrder: string | null;
  /** The product's settings that it set, which the journal alone tells. */
  readonly product: Product | null;
}

/** What a product is called and how it is kept. */
export interface Product {
  readonly title: string | null;
  readonly defaultLocation: string | null;
  readonly lowStockAtOrBelow: number | null;
  readonly retired: boolean;
}

/** One document of a journal: what one aggregate did in one slice. */
export interface JournalDocument<Entry> {
  readonly aggregate: string;
  readonly from: number;
  readonly to: number;
  /** Ids that the unique index holds; empty where the source's own sequence is kept instead. */
  readonly causes: readonly string[];
  readonly entries: readonly JournalEntry<Entry>[];
}

export interface JournalEntry<Entry> {
  readonly sequence: number;
  readonly cause: string;
  readonly data: Entry;
}

/** One record of a topic, in the order of its partition. */
export interface TopicRecord<Value> {
  readonly key: string;
  /** The `ce_id` header. */
  readonly id: string;
  /** Hash of the bytes: two records with one id must have one digest. */
  readonly digest: string;
  /** Null: a tombstone. */
  readonly value: Value | null;
}

/** What an entry of the order journal published: the order changed, or it did not (stale, refused). */
export interface OrderEntry {
  readonly changed: boolean;
  /** Whether units are taken by a line whose listing is not mapped; null: as before. */
  readonly unmapped: boolean | null;
}

/** A step of a purchase order. */
export interface PurchaseEntry {
  /** False: it was refused. */
  readonly changed: boolean;
  /** What it put on the shelf. */
  readonly putAway: readonly { readonly sku: string; readonly quantity: number }[];
}

/** What may become of units of an order; each is one event, and one row of the SKU's ledger. */
export type ReservationKind =
  'reserved' | 'released' | 'assigned' | 'unassigned' | 'batchPicked' | 'missing' | 'autoPicked' | 'unpicked' | 'putBack';

export interface ReservationEffect {
  readonly kind: ReservationKind;
  readonly sku: string;
  readonly quantity: number;
  /** How many of them leave the Batch Reserve, of those that are released or picked by a label. */
  readonly fromBatchReserve: number;
  readonly batch: string | null;
  readonly label: string | null;
  /** Id of the event whose deduction it takes back. */
  readonly reverses: string | null;
}

/** What an entry of the reservation journal did with units; null: nothing (unchanged, refused). */
export interface ReservationEntry {
  readonly effect: ReservationEffect | null;
  /** Of one that moves nothing: what it says, and of which SKU. */
  readonly note?: string | undefined;
}

/** X, Y and N; null: not set. */
export interface Thresholds {
  readonly realTimeAtOrBelow: number | null;
  readonly significantUnits: number | null;
  readonly everyNth: number | null;
}

/** A listing of a store. */
export interface ListingName {
  readonly store: string;
  readonly listing: string;
}

/** What made sync-policy write an entry. */
export type PolicyTrigger =
  | { readonly kind: 'movement'; readonly epoch: number; readonly sequence: number }
  | { readonly kind: 'sync'; readonly enabled: boolean }
  | { readonly kind: 'policy'; readonly thresholds: Thresholds }
  | { readonly kind: 'tenantPolicy' }
  | ({ readonly kind: 'mapped' | 'unmapped'; readonly marketplace: string; readonly mapping: number } & ListingName);

/** One entry of sync-policy's journal: what it saw, what it decided, and from what. */
export interface PolicyEntry {
  readonly trigger: PolicyTrigger;
  readonly decision: 'push' | 'held' | 'withdrawn' | 'ignored';
  readonly reason: string;
  /** Available before and after, as it says. */
  readonly before: number;
  readonly after: number;
  /** The thresholds that it says were in force, and the revision of the tenant's policy that they come from. */
  readonly thresholds: Thresholds;
  readonly revision: number;
  /** How many toggles and policies of its own the SKU has seen, this one included. */
  readonly settings: number;
}

/** A tenant's policy at one of its revisions. */
export interface TenantPolicy extends Thresholds {
  readonly tenant: string;
  readonly revision: number;
}

/** A listing's version; its parts are compared in this order. */
export interface Version {
  readonly mapping: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly settings: number;
}

export interface Level {
  readonly sequence: number;
  readonly epoch: number;
  readonly quantities: Quantities;
  readonly locations: Readonly<Record<string, number>>;
  readonly counted: boolean;
  readonly product: Product;
}

export interface Incident {
  /** Of the ledger row, or whatever else, at which it opened or closed. */
  readonly sequence: number;
  readonly open: boolean;
}

export interface PushRequest extends ListingName {
  readonly withdrawn: boolean;
  /** Not clamped; null where it is withdrawn. */
  readonly available: number | null;
  readonly version: Version;
}

/** A listing as its connector keeps it. */
export interface Listing extends ListingName {
  readonly tenant: string;
  readonly sku: string | null;
  readonly mapping: number;
  readonly wanted: { readonly version: Version; readonly available: number } | null;
  readonly confirmed: { readonly version: Version; readonly quantity: number } | null;
  readonly inFlight: boolean;
  /** Why nothing may be sent to it now (quarantined, store held, ...); null: it may. */
  readonly held: string | null;
  /** What the marketplace holds at most. */
  readonly maximumQuantity: number;
  /** Whether the marketplace itself refuses a write over a quantity that is not the expected one. */
  readonly comparesAndSets: boolean;
  /** Which row of the marketplace it is; null where its marketplace could not be read. */
  readonly shown: Shown | null;
}

/** What the marketplace says about a listing. */
export interface Shown {
  readonly quantity: number;
  /** The last write that it applied to the listing; null: none ever. */
  readonly lastWrite: { readonly number: number; readonly idempotencyKey: string; readonly quantity: number } | null;
  /** What the listing itself sold after that write, less what it was given back. */
  readonly soldSince: number;
}

/** What a connector wrote down about one call before it made it, and what came of it. */
export interface Call {
  readonly tenant: string;
  readonly store: string;
  readonly idempotencyKey: string;
  readonly startedAt: number;
  readonly items: readonly CallItem[];
}

export interface CallItem {
  readonly listing: string;
  readonly sku: string | null;
  readonly version: Version;
  readonly quantity: number;
  /** What the listing was thought to show; null: nobody knew. */
  readonly expected: number | null;
  /** `applied`, or whatever else its connector found out about the listing's part; null: nobody knows yet. */
  readonly outcome: string | null;
}

/** One listing's part in a write, as its marketplace logged it when it applied it. */
export interface AppliedWrite extends ListingName {
  readonly tenant: string;
  /** Rises, per store, in the order in which the marketplace applied them. */
  readonly number: number;
  readonly idempotencyKey: string;
  readonly before: number;
  readonly after: number;
  /** By the marketplace's clock. */
  readonly at: number;
  /** Number of the last sale before it. */
  readonly salesCounter: number;
}

/** Units that a marketplace sold of a listing, or (below zero) gave back to it. */
export interface Sale extends ListingName {
  readonly tenant: string;
  /** Rises, per store. */
  readonly number: number;
  readonly quantity: number;
  /** By the marketplace's clock. */
  readonly at: number;
}

export interface Facts {
  /** Consumers have no lag and nothing is on its way: what has not arrived is lost. Otherwise it is said, not judged. */
  readonly quiet: boolean;
  /** True where the topic of movements no longer begins at its first record: older rows are judged by the journal alone. */
  readonly movementsTrimmed: boolean;
  /** True where the oldest decisions are no longer kept: what came after them cannot be judged. */
  readonly decisionsTrimmed: boolean;
  readonly ledgers: readonly JournalDocument<LedgerRow>[];
  readonly movements: readonly TopicRecord<LedgerRow>[];
  readonly reservations: readonly JournalDocument<ReservationEntry>[];
  readonly orders: readonly JournalDocument<OrderEntry>[];
  readonly purchases: readonly JournalDocument<PurchaseEntry>[];
  readonly purchaseOrders: readonly TopicRecord<{ readonly sequence: number }>[];
  readonly policies: readonly JournalDocument<PolicyEntry>[];
  /** Every revision of the tenants' policies that can still be read; the newest of each tenant is in force. */
  readonly tenantPolicies: readonly TenantPolicy[];
  readonly levels: readonly TopicRecord<Level>[];
  readonly incidents: readonly TopicRecord<Incident>[];
  readonly orderIncidents: readonly TopicRecord<Incident>[];
  /** Of all connectors, which keep them in documents. */
  readonly connectorIncidents: readonly TopicRecord<Incident>[];
  readonly connectorIncidentDocuments: readonly (Incident & { readonly key: string })[];
  readonly orderEvents: readonly TopicRecord<{ readonly sequence: number }>[];
  /** Each with the marketplace whose topic it lies in. */
  readonly pushRequests: readonly (TopicRecord<PushRequest> & { readonly marketplace: string })[];
  readonly listings: readonly Listing[];
  readonly calls: readonly Call[];
  readonly writes: readonly AppliedWrite[];
  readonly sales: readonly Sale[];
  /** Older calls are no longer kept: writes before this time cannot be explained any more. By the connectors' clock. */
  readonly callsKeptSince: number;
}

export const invariants = ['I1', 'I2', 'I3', 'I4', 'I5', 'heads'] as const;
export type Invariant = (typeof invariants)[number];

/** Something that must always be true and is not, or that could not be judged yet. */
export interface Finding {
  readonly invariant: Invariant;
  readonly tenant: string;
  /** What it is about: a SKU, or an order where no SKU is to blame. */
  readonly sku?: string | undefined;
  readonly order?: string | undefined;
  readonly listing?: string | undefined;
  readonly version?: string | undefined;
  readonly sentence: string;
  /** True where it may be only on its way: a violation when all is quiet, else something that could not be judged. */
  readonly unsettled?: boolean | undefined;
}

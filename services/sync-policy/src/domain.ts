import type {
  ListingMapped,
  ListingUnmapped,
  ListingVersion,
  PushHeld,
  PushRequested,
  PushWithdrawn,
  ReconsiderPolicy,
  SetInventorySync,
  SetSkuPolicy,
  StockMoved,
  User,
} from '@evenkeel/contracts';

export type PushReason = PushRequested['reason'];
/** Why a movement, or a change of settings, is not pushed. */
export type HoldReason = 'available_unchanged' | 'sync_disabled' | 'not_counted' | 'throttled' | 'nothing_throttled';
/** Why an event about a listing changed nothing. */
export type IgnoreReason = 'stale_mapping' | 'not_mapped' | 'unknown_marketplace';

/** X, Y and N as a tenant or a SKU sets them; null: not set. */
export interface PolicySettings {
  readonly realTimeAtOrBelow: number | null;
  readonly significantUnits: number | null;
  readonly everyNth: number | null;
}
export interface TenantPolicy extends PolicySettings {
  /** From 1 with the first setting; 0 for a new tenant. */
  readonly revision: number;
}
/** X, Y and N as they apply to one SKU. */
export interface Policy {
  /** X: at or below this Available every change is pushed; null: every change is. */
  readonly realTimeAtOrBelow: number | null;
  /** Y: a change of this many units or more is pushed at once; null: no change is significant by its size. */
  readonly significantUnits: number | null;
  /** N: above X every Nth counted transaction is pushed. */
  readonly everyNth: number;
}

export const defaultEveryNth = 10;
const nothingSet: PolicySettings = { realTimeAtOrBelow: null, significantUnits: null, everyNth: null };
export const newTenantPolicy: TenantPolicy = { revision: 0, ...nothingSet };

/** What applies to a SKU: its own setting where it has one, else the tenant's, field by field. */
export function policyOf(tenant: PolicySettings, sku: PolicySettings = nothingSet): Policy {
  return {
    realTimeAtOrBelow: sku.realTimeAtOrBelow ?? tenant.realTimeAtOrBelow,
    significantUnits: sku.significantUnits ?? tenant.significantUnits,
    everyNth: sku.everyNth ?? tenant.everyNth ?? defaultEveryNth,
  };
}

/** What a decision knows of a SKU before the movement. */
export interface Watched {
  readonly syncEnabled: boolean;
  readonly counted: boolean;
  /** Ledger epoch and sequence of the last movement seen; 0 and 0 before the first. */
  readonly epoch: number;
  readonly sequence: number;
  /** Transactions counted since the last push decision. */
  readonly counter: number;
}

/** One stock movement: Available before and after it, its place in the ledger, and whether the SKU has been counted by then. */
export interface Movement {
  readonly before: number;
  readonly after: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly counted: boolean;
}

export type Decision =
  { readonly decision: 'push'; readonly reason: PushReason } | { readonly decision: 'held'; readonly reason: HoldReason };

const push = (reason: PushReason): Decision => ({ decision: 'push', reason });
const held = (reason: HoldReason): Decision => ({ decision: 'held', reason });

const covers = (policy: Policy, available: number): boolean => policy.realTimeAtOrBelow === null || available <= policy.realTimeAtOrBelow;

/** A movement was lost, or the ledger was restored from a backup: what is shown now may be anything. */
const isGap = (sku: Watched, { epoch, sequence }: Movement): boolean =>
  sequence !== sku.sequence + 1 || (sku.epoch !== 0 && epoch !== sku.epoch);

/**
 * Whether one stock movement is worth a push now; the first rule that applies. Rules and their order: ARCHITECTURE.md, "When a push happens".
 * Before and after are the movement's own, never a difference to what was last seen or sent: a marketplace lowers its own quantity when it sells.
 */
export function decide(policy: Policy, sku: Watched, movement: Movement): Decision {
  const { before, after, counted } = movement;
  const gap = isGap(sku, movement);
  if (sku.syncEnabled && counted && !sku.counted) return push('first_count');
  if (before === after && !gap) return held('available_unchanged');
  if (!sku.syncEnabled) return held('sync_disabled');
  if (!counted) return held('not_counted');
  if (gap) return push('gap');
  if (before <= 0 !== after <= 0) return push('crossed_zero');
  if (covers(policy, after)) return push('at_or_below_threshold');
  if (policy.significantUnits !== null && Math.abs(after - before) >= policy.significantUnits) return push('significant_change');
  return sku.counter + 1 >= policy.everyNth ? push('every_nth') : held('throttled');
}

/** The counter after a decision about a movement: a decision to push zeroes it (not its acknowledgement), only what is throttled counts. */
export function counterAfter(counter: number, { decision, reason }: { readonly decision: string; readonly reason: string }): number {
  if (decision === 'push') return 0;
  return reason === 'throttled' ? counter + 1 : counter;
}

/** Without a movement: sync was turned on or a listing mapped. Goes out also where the number is the same: the seller may have edited the listing. */
function pushNow(sku: Watched, reason: PushReason): Decision {
  if (!sku.syncEnabled) return held('sync_disabled');
  return sku.counted ? push(reason) : held('not_counted');
}

/**
 * Without a movement: other settings, which matter only to what they have held back. The new ones would let it out where the new X covers the level, or
 * where Y or N is smaller than it was.
 */
function reconsider(sku: SkuState, before: Policy, after: Policy): Decision {
  const possible = pushNow(sku, 'policy_changed');
  if (possible.decision === 'held') return possible;
  if (sku.counter === 0) return held('nothing_throttled');
  const smallerY = (after.significantUnits ?? Infinity) < (before.significantUnits ?? Infinity);
  return covers(after, sku.available) || smallerY || after.everyNth < before.everyNth ? possible : held('throttled');
}

/** A listing as it is mapped to the SKU. */
export interface MappedListing {
  readonly store: string;
  readonly marketplace: string;
  readonly listing: string;
  /** Mapping revision. */
  readonly mapping: number;
}

/** What all listings of the SKU were last asked for, or had withdrawn: enough to publish it again, byte for byte. */
export interface Announced {
  /** Sequence, time and correlation of the decision. */
  readonly decided: number;
  readonly at: number;
  readonly correlation: string;
  readonly withdrawn: boolean;
  readonly reason: PushReason | PushWithdrawn['reason'];
  readonly available: number;
  readonly version: Omit<ListingVersion, 'mapping'>;
}

export interface SkuState extends Watched {
  readonly available: number;
  readonly policy: PolicySettings;
  /** How many toggle and policy commands the SKU has seen: the last part of a listing's version. */
  readonly settings: number;
  /** `announced`: its mapping revision in the last announcement; null before the first. */
  readonly listings: readonly (MappedListing & { readonly announced: number | null })[];
  readonly announced: Announced | null;
}

/** A SKU that nobody has touched: sync is on, and nothing is pushed before it is counted. */
export const newSku: SkuState = {
  syncEnabled: true,
  counted: false,
  epoch: 0,
  sequence: 0,
  counter: 0,
  available: 0,
  policy: nothingSet,
  settings: 0,
  listings: [],
  announced: null,
};

/** All that a decision was made from, as the seller can read it. */
export interface Inputs extends Movement {
  /** The last sequence seen before; a movement that is not the next one is a gap. */
  readonly lastSequence: number;
  readonly syncEnabled: boolean;
  /** Counted transactions before this decision. */
  readonly counter: number;
  readonly policy: Policy & { readonly revision: number; readonly settings: number };
}

/** What every entry of the journal says: the decision, why, from what, and the listings that are pushed, withdrawn or held though Available has changed. */
export interface DecisionRecord {
  readonly decision: 'push' | 'held' | 'withdrawn' | 'ignored';
  readonly reason: PushReason | HoldReason | IgnoreReason | PushWithdrawn['reason'];
  readonly inputs: Inputs;
  readonly listings: readonly MappedListing[];
}

/** The decision, and what brought it about. */
export type PolicyEntry = DecisionRecord &
  (
    | { readonly trigger: 'movement' }
    | { readonly trigger: 'inventory_sync'; readonly enabled: boolean; readonly user: User }
    | { readonly trigger: 'sku_policy'; readonly policy: PolicySettings; readonly user: User }
    | { readonly trigger: 'tenant_policy'; readonly revision: number }
    | { readonly trigger: 'listing_mapped' | 'listing_unmapped'; readonly listing: MappedListing }
  );

function inputsOf(sku: SkuState, tenant: TenantPolicy, policy: Policy, settings: number): Inputs {
  const { available, epoch, sequence, counted, syncEnabled, counter } = sku;
  return {
    before: available,
    after: available,
    epoch,
    sequence,
    lastSequence: sequence,
    counted,
    syncEnabled,
    counter,
    policy: { ...policy, revision: tenant.revision, settings },
  };
}

const mappedOf = ({ store, marketplace, listing, mapping }: MappedListing): MappedListing => ({ store, marketplace, listing, mapping });
const isSame = (one: MappedListing, other: MappedListing): boolean => one.store === other.store && one.listing === other.listing;
const allOf = (sku: SkuState): readonly MappedListing[] => sku.listings.map((listing) => mappedOf(listing));
const affected = (sku: SkuState, { decision }: Decision): readonly MappedListing[] => (decision === 'push' ? allOf(sku) : []);

/** True where the ledger row has been seen: an equal or a lower one is a repeat. */
export const hasSeen = (sku: Watched, { epoch, sequence }: StockMoved): boolean =>
  epoch < sku.epoch || (epoch === sku.epoch && sequence <= sku.sequence);

export function decideMovement(sku: SkuState, moved: StockMoved, tenant: TenantPolicy): PolicyEntry {
  const policy = policyOf(tenant, sku.policy);
  const after = moved.after.available;
  const { epoch, sequence, counted } = moved;
  const movement: Movement = { before: after - moved.change.available, after, epoch, sequence, counted };
  const decision = decide(policy, sku, movement);
  const inputs = { ...inputsOf(sku, tenant, policy, sku.settings), ...movement };
  // A fulfilment step is of no interest to anybody's listings, a number that is held back is.
  const concerns = decision.decision === 'push' || movement.before !== movement.after;
  return { trigger: 'movement', ...decision, inputs, listings: concerns ? allOf(sku) : [] };
}

/** Turning it off withdraws whatever has not been sent yet; turning it on sends the current value. Each command counts as a change of settings. */
export function decideInventorySync(sku: SkuState, { enabled, user }: SetInventorySync, tenant: TenantPolicy): PolicyEntry {
  const inputs = inputsOf({ ...sku, syncEnabled: enabled }, tenant, policyOf(tenant, sku.policy), sku.settings + 1);
  const about = { trigger: 'inventory_sync', enabled, user, inputs } as const;
  if (!enabled) {
    return { ...about, decision: 'withdrawn', reason: 'sync_disabled', listings: allOf(sku) };
  }
  const decision = pushNow({ ...sku, syncEnabled: true }, 'sync_enabled');
  return { ...about, ...decision, listings: affected(sku, decision) };
}

/** The SKU's own settings, as a whole: what is null comes from the tenant's. */
export function decideSkuPolicy(sku: SkuState, command: SetSkuPolicy, tenant: TenantPolicy): PolicyEntry {
  const { realTimeAtOrBelow, significantUnits, everyNth, user } = command;
  const settings = { realTimeAtOrBelow, significantUnits, everyNth };
  const policy = policyOf(tenant, settings);
  const decision = reconsider(sku, policyOf(tenant, sku.policy), policy);
  const inputs = inputsOf(sku, tenant, policy, sku.settings + 1);
  return { trigger: 'sku_policy', policy: settings, user, ...decision, inputs, listings: affected(sku, decision) };
}

/** What a change of the tenant's settings decides about a SKU as it stands: a push where they have held back what the new ones would let out. */
export const reconsiderTenant = (sku: SkuState, before: PolicySettings, after: PolicySettings): Decision =>
  reconsider(sku, policyOf(before, sku.policy), policyOf(after, sku.policy));

/** The tenant's settings have changed: what they have held back is pushed where the new ones would. */
export function decideReconsidered(sku: SkuState, { revision, before, after }: ReconsiderPolicy, tenant: TenantPolicy): PolicyEntry {
  const policy = policyOf(after, sku.policy);
  const decision = reconsiderTenant(sku, before, after);
  const inputs = inputsOf(sku, { ...tenant, revision }, policy, sku.settings);
  return { trigger: 'tenant_policy', revision, ...decision, inputs, listings: affected(sku, decision) };
}

/**
 * A listing now shows this SKU: all listings of the SKU are pushed, so that they agree. A mapping revision that is not above the known one is stale.
 * `hasTopic`: whether a topic carries push requests for its marketplace.
 */
export function decideMapped(sku: SkuState, event: ListingMapped, tenant: TenantPolicy, hasTopic: boolean): PolicyEntry {
  const listing = mappedOf(event);
  const known = sku.listings.find((other) => isSame(other, listing));
  const inputs = inputsOf(sku, tenant, policyOf(tenant, sku.policy), sku.settings);
  const about = { trigger: 'listing_mapped', listing, inputs } as const;
  if (!hasTopic) return { ...about, decision: 'ignored', reason: 'unknown_marketplace', listings: [] };
  if (known && known.mapping >= listing.mapping) return { ...about, decision: 'ignored', reason: 'stale_mapping', listings: [] };
  const decision = pushNow(sku, 'listing_mapped');
  return { ...about, ...decision, listings: affected({ ...sku, listings: withListing(sku.listings, listing) }, decision) };
}

/**
 * A listing no longer shows this SKU. What is withdrawn carries the mapping revision that the SKU knew it by, not the unmapping's: nothing
 * that the listing's next SKU asks for may be at or below it.
 */
export function decideUnmapped(sku: SkuState, event: ListingUnmapped, tenant: TenantPolicy): PolicyEntry {
  const known = sku.listings.find((other) => isSame(other, event));
  const inputs = inputsOf(sku, tenant, policyOf(tenant, sku.policy), sku.settings);
  const about = { trigger: 'listing_unmapped', listing: mappedOf(event), inputs } as const;
  if (!known) return { ...about, decision: 'ignored', reason: 'not_mapped', listings: [] };
  if (known.mapping > event.mapping) return { ...about, decision: 'ignored', reason: 'stale_mapping', listings: [] };
  return { ...about, decision: 'withdrawn', reason: 'unmapped', listings: [mappedOf(known)] };
}

function withListing(listings: SkuState['listings'], listing: MappedListing): SkuState['listings'] {
  const known = listings.find((other) => isSame(other, listing));
  const next = { ...mappedOf(listing), announced: known?.announced ?? null };
  return known ? listings.map((other) => (other === known ? next : other)) : [...listings, next];
}

function settingsAfter(sku: SkuState, entry: PolicyEntry): SkuState {
  switch (entry.trigger) {
    case 'movement': {
      const { after: available, epoch, sequence, counted } = entry.inputs;
      return { ...sku, available, epoch, sequence, counted, counter: counterAfter(sku.counter, entry) };
    }
    case 'inventory_sync':
      return { ...sku, syncEnabled: entry.enabled, settings: entry.inputs.policy.settings };
    case 'sku_policy':
      return { ...sku, policy: entry.policy, settings: entry.inputs.policy.settings };
    case 'tenant_policy':
      return sku;
    case 'listing_mapped':
      return { ...sku, listings: withListing(sku.listings, entry.listing) };
    case 'listing_unmapped':
      return { ...sku, listings: sku.listings.filter((other) => !isSame(other, entry.listing)) };
  }
}

/** What a push or a withdrawal tells the listings. */
export function announcedBy({ sequence: decided, at, correlation, data }: SequencedEntry): Announced {
  const withdrawn = data.decision === 'withdrawn';
  const reason = data.reason as Announced['reason'];
  return { decided, at, correlation, withdrawn, reason, available: data.inputs.after, version: versionAt(data.inputs) };
}

const versionAt = ({ epoch, sequence, policy }: Inputs): Announced['version'] => ({ epoch, sequence, settings: policy.settings });

interface SequencedEntry {
  readonly sequence: number;
  readonly at: number;
  readonly correlation: string;
  readonly data: PolicyEntry;
}

/** The SKU after an entry. */
export function evolve(sku: SkuState, entry: SequencedEntry): SkuState {
  const { data } = entry;
  if (data.decision === 'ignored') return sku;
  const next = settingsAfter(sku, data);
  // A listing that has gone takes its last word with it; the others keep theirs.
  if (data.decision === 'held' || data.trigger === 'listing_unmapped') return next;
  const listings = next.listings.map((listing) => ({ ...listing, announced: listing.mapping }));
  return { ...next, listings, announced: announcedBy(entry), counter: data.decision === 'push' ? 0 : next.counter };
}

/** The event for one listing; `listing.mapping` is its mapping revision at the time of the announcement. */
export function requestFor(
  parts: { readonly tenant: string; readonly sku: string },
  listing: MappedListing,
  announced: Announced,
): { readonly type: 'PushRequested'; readonly data: PushRequested } | { readonly type: 'PushWithdrawn'; readonly data: PushWithdrawn } {
  const { mapping, ...where } = mappedOf(listing);
  const about = { ...parts, ...where, version: { mapping, ...announced.version }, at: announced.at };
  if (announced.withdrawn) return { type: 'PushWithdrawn', data: { ...about, reason: announced.reason as PushWithdrawn['reason'] } };
  return { type: 'PushRequested', data: { ...about, available: announced.available, reason: announced.reason as PushReason } };
}

/** What a held movement tells one listing. */
export function heldFrom(
  parts: { readonly tenant: string; readonly sku: string },
  { mapping, ...where }: MappedListing,
  { at, data: { reason, inputs } }: SequencedEntry,
): PushHeld {
  const version = { mapping, ...versionAt(inputs) };
  return { ...parts, ...where, available: inputs.after, version, reason: reason as PushHeld['reason'], at };
}

import type { JournalEntry, LedgerRow, ListingName, PolicyEntry, PolicyTrigger, Thresholds, Version } from './facts.ts';
import { joinKey } from './keys.ts';
import { rulesFor, verdictOnLevel, verdictOnMovement, verdictOnPolicy, type Rules, type Watch } from './policy.ts';

/** The last that was asked of a listing for a SKU. */
export interface Asked {
  readonly marketplace: string;
  readonly version: Version;
  /** Null: it was withdrawn. */
  readonly available: number | null;
}

type Mapped = ListingName & { readonly marketplace: string; readonly mapping: number };

/** Where a SKU's decisions have led. */
export interface Course extends Watch {
  readonly own: Thresholds;
  readonly settings: number;
  /** What the last decision was made with, and from which revision of the tenant's policy. */
  readonly rules: Rules;
  readonly revision: number;
  /** Available after each movement that was throttled since the last push, by {@link nameMoment}: what is sent anyway may be that. */
  readonly throttled: ReadonlyMap<string, number>;
  /** Its listings, by {@link nameListing}. */
  readonly listings: ReadonlyMap<string, Mapped>;
  /** The last word to every listing that it ever had, by {@link nameListing}. */
  readonly asked: ReadonlyMap<string, Asked>;
}

export const nameListing = ({ store, listing }: ListingName): string => joinKey(store, listing);

/** A version without its mapping revision. */
export const nameMoment = ({ epoch, sequence, settings }: Omit<Version, 'mapping'>): string => `${epoch}.${sequence}.${settings}`;

export const unset: Thresholds = { realTimeAtOrBelow: null, significantUnits: null, everyNth: null };

/** A SKU that nobody has touched: sync is on, and it was never counted. */
export const untouched: Course = {
  sync: true,
  counted: false,
  epoch: 0,
  sequence: 0,
  available: 0,
  heldBack: 0,
  own: unset,
  settings: 0,
  rules: rulesFor(unset, unset),
  revision: 0,
  throttled: new Map(),
  listings: new Map(),
  asked: new Map(),
};

/** The marketplaces that a topic carries push requests for. */
const reachable = new Set(['shopify', 'etsy']);

export type Due = Pick<PolicyEntry, 'decision' | 'reason'>;

/**
 * What must be decided now. `row`: the ledger's, where a movement brought it about; `tenant`: the thresholds of that tenant up to now, null where
 * unknown.
 */
export function decisionDue(course: Course, trigger: PolicyTrigger, rules: Rules, tenant: Thresholds | null, row: LedgerRow | null): Due {
  switch (trigger.kind) {
    case 'movement':
      return row ? verdictOnMovement(course, stepOf(row), rules) : { decision: 'held', reason: 'no such movement' };
    case 'sync':
      if (!trigger.enabled) return { decision: 'withdrawn', reason: 'sync_disabled' };
      return verdictOnLevel({ ...course, sync: true }, 'sync_enabled');
    case 'policy':
    case 'tenantPolicy':
      return verdictOnPolicy(course, tenant ? rulesFor(course.own, tenant) : course.rules, rules);
    case 'mapped': {
      const known = course.listings.get(nameListing(trigger));
      if (!reachable.has(trigger.marketplace)) return { decision: 'ignored', reason: 'unknown_marketplace' };
      if (known && known.mapping >= trigger.mapping) return { decision: 'ignored', reason: 'stale_mapping' };
      return verdictOnLevel(course, 'listing_mapped');
    }
    case 'unmapped': {
      const known = course.listings.get(nameListing(trigger));
      if (!known) return { decision: 'ignored', reason: 'not_mapped' };
      if (known.mapping > trigger.mapping) return { decision: 'ignored', reason: 'stale_mapping' };
      return { decision: 'withdrawn', reason: 'unmapped' };
    }
  }
}

export const stepOf = ({ epoch, sequence, change, after, counted }: LedgerRow) => ({
  epoch,
  sequence,
  before: after.available - change.available,
  after: after.available,
  counted,
});

/** The course after an entry, by what was really decided: whoever judges the next entry does not repeat the blame for this one. */
export function courseAfter(course: Course, { data }: JournalEntry<PolicyEntry>, row: LedgerRow | null): Course {
  const { realTimeAtOrBelow: x, significantUnits: y, everyNth } = data.thresholds;
  const noted = { ...course, rules: { x, y, n: everyNth ?? course.rules.n }, revision: Math.max(course.revision, data.revision) };
  if (data.decision === 'ignored') return noted;
  const next = triggered(noted, data, row);
  if (data.decision === 'push') return { ...next, heldBack: 0, throttled: new Map(), asked: askedOfAll(next, next.available) };
  if (data.decision === 'withdrawn' && data.trigger.kind === 'sync') return { ...next, asked: askedOfAll(next, null) };
  return next;
}

function triggered(course: Course, { trigger, decision, reason, after }: PolicyEntry, row: LedgerRow | null): Course {
  switch (trigger.kind) {
    case 'movement': {
      const { epoch, sequence } = trigger;
      const moved = { ...course, epoch, sequence, available: row?.after.available ?? after, counted: row?.counted ?? course.counted };
      if (decision !== 'held' || reason !== 'throttled') return moved;
      const throttled = new Map(course.throttled).set(nameMoment(moved), moved.available);
      return { ...moved, heldBack: course.heldBack + 1, throttled };
    }
    case 'sync':
      return { ...course, sync: trigger.enabled, settings: course.settings + 1 };
    case 'policy':
      return { ...course, own: trigger.thresholds, settings: course.settings + 1 };
    case 'tenantPolicy':
      return course;
    case 'mapped': {
      const { store, listing, marketplace, mapping } = trigger;
      return { ...course, listings: new Map(course.listings).set(nameListing(trigger), { store, listing, marketplace, mapping }) };
    }
    case 'unmapped': {
      const name = nameListing(trigger);
      const listings = new Map(course.listings);
      const { mapping, marketplace } = listings.get(name) ?? trigger;
      listings.delete(name);
      const withdrawn = { marketplace, version: versionOf(course, mapping), available: null };
      return { ...course, listings, asked: new Map(course.asked).set(name, withdrawn) };
    }
  }
}

const versionOf = ({ epoch, sequence, settings }: Course, mapping: number): Version => ({ mapping, epoch, sequence, settings });

function askedOfAll(course: Course, available: number | null): Course['asked'] {
  const now = [...course.listings].map(
    ([name, { mapping, marketplace }]) => [name, { marketplace, version: versionOf(course, mapping), available }] as const,
  );
  return new Map([...course.asked, ...now]);
}

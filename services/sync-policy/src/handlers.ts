import type { Aggregate, JournalEntry, Outgoing } from '@evenkeel/chassis';
import { heldKey, isMarketplace, keyOf, partsOf, pushRequestsOf, topics } from '@evenkeel/contracts';
import {
  announcedBy,
  decideInventorySync,
  decideMapped,
  decideMovement,
  decideReconsidered,
  decideSkuPolicy,
  decideUnmapped,
  evolve,
  hasSeen,
  heldFrom,
  newSku,
  newTenantPolicy,
  requestFor,
  type Announced,
  type MappedListing,
  type PolicyEntry,
  type SkuState,
  type TenantPolicy,
} from './domain.ts';

/** `TenantPolicyChanged` is a control record: it never reaches the aggregate. */
export type SyncPolicyInput =
  'StockMoved' | 'ListingMapped' | 'ListingUnmapped' | 'SetInventorySync' | 'SetSkuPolicy' | 'ReconsiderPolicy' | 'TenantPolicyChanged';

export const syncPolicyInputs = [topics.stockMovements, topics.listingChanges, topics.policyCommands] as const;

/** Each tenant's policy; a tenant that is not there has never set one. */
export type TenantPolicies = ReadonlyMap<string, TenantPolicy>;

function requests(key: string, announced: Announced, listings: readonly MappedListing[]): Outgoing[] {
  const [tenant = '', sku = ''] = partsOf(key);
  return listings.map((listing) => ({
    topic: pushRequestsOf(listing.marketplace),
    key: [tenant, listing.store, listing.listing, sku],
    event: {
      id: `sync-policy/${key}/${announced.decided}/${keyOf(listing.store, listing.listing)}`,
      time: announced.at,
      correlation: announced.correlation,
      ...requestFor({ tenant, sku }, listing, announced),
    },
  }));
}

type Entry = JournalEntry<PolicyEntry>;

function holds(key: string, entry: Entry): Outgoing[] {
  const [tenant = '', sku = ''] = partsOf(key);
  const { sequence, at: time, correlation, data } = entry;
  return data.listings.map((listing) => ({
    topic: pushRequestsOf(listing.marketplace),
    key: [tenant, listing.store, listing.listing, sku, heldKey],
    event: {
      id: `sync-policy/${key}/${sequence}/${keyOf(listing.store, listing.listing)}`,
      type: 'PushHeld',
      time,
      correlation,
      data: heldFrom({ tenant, sku }, listing, entry),
    },
  }));
}

/** When a SKU's listings are pushed: its toggle, policy, counter and listings. */
export const syncPolicyAggregate: Aggregate<SyncPolicyInput, PolicyEntry, SkuState, TenantPolicies> = {
  keyOf(event) {
    if (event.type === 'TenantPolicyChanged') throw new Error('A control record concerns no SKU.');
    return keyOf(event.data.tenant, event.data.sku);
  },
  initial: () => newSku,
  seen: (state, event) => (event.type === 'StockMoved' ? hasSeen(state, event.data) : null),
  decide(state, event, policies) {
    const tenant = policies.get(event.data.tenant) ?? newTenantPolicy;
    switch (event.type) {
      case 'StockMoved':
        return [decideMovement(state, event.data, tenant)];
      case 'ListingMapped':
        return [decideMapped(state, event.data, tenant, isMarketplace(event.data.marketplace))];
      case 'ListingUnmapped':
        return [decideUnmapped(state, event.data, tenant)];
      case 'SetInventorySync':
        return [decideInventorySync(state, event.data, tenant)];
      case 'SetSkuPolicy':
        return [decideSkuPolicy(state, event.data, tenant)];
      case 'ReconsiderPolicy':
        return [decideReconsidered(state, event.data, tenant)];
      case 'TenantPolicyChanged':
        throw new Error('A control record concerns no SKU.');
    }
  },
  evolve,
  publish(key, entry) {
    const { decision, listings } = entry.data;
    if (listings.length === 0) return [];
    return decision === 'held' ? holds(key, entry) : requests(key, announcedBy(entry), listings);
  },
  /** A listing that was unmapped has left the state: its withdrawal stays the last record of its key, and is not said again. */
  heads(key, { announced, listings }) {
    if (!announced) return [];
    const told = listings.flatMap(({ announced: mapping, ...listing }) => (mapping === null ? [] : [{ ...listing, mapping }]));
    return requests(key, announced, told);
  },
};

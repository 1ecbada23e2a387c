import type { ControlledLane, EventOf } from '@evenkeel/chassis';
import { createMemoryJournal } from '@evenkeel/chassis/testing';
import type { ListingMapped, StockMoved } from '@evenkeel/contracts';
import { newTenantPolicy, type PolicySettings, type SkuState, type TenantPolicy } from '../src/domain.ts';
import { syncPolicyAggregate } from '../src/handlers.ts';
import { createPolicies } from '../src/policies.ts';
import type { PolicyRevision, PolicyStore } from '../src/store.ts';
import { lanesOfPolicies, takeInPolicy } from '../src/tenant-policy.ts';

export const nothingSet: PolicySettings = { realTimeAtOrBelow: null, significantUnits: null, everyNth: null };

/** As the database has it. */
export function createMemoryPolicies(): PolicyStore & { readonly revisions: PolicyRevision[] } {
  const revisions: PolicyRevision[] = [];
  const lanes = new Map<string, Map<number, TenantPolicy>>();
  const newestOf = (tenant: string, of: readonly PolicyRevision[]) =>
    of.findLast((revision) => revision.tenant === tenant)?.policy ?? newTenantPolicy;
  const mark = (tenant: string, number: number) => {
    const at = revisions.findIndex((revision) => revision.tenant === tenant && revision.policy.revision === number);
    const found = revisions[at];
    if (found) revisions[at] = { ...found, told: true };
  };
  return {
    revisions,
    newest: async (tenant) => newestOf(tenant, revisions),
    async set({ tenant, expectedRevision, settings, ...by }) {
      const known = revisions.find(({ cause }) => cause === by.cause);
      if (known) return known;
      const before = newestOf(tenant, revisions);
      if (before.revision !== expectedRevision) return null;
      const revision = { tenant, ...by, before, policy: { revision: expectedRevision + 1, ...settings }, told: false };
      revisions.push(revision);
      return revision;
    },
    untold: async (before) => revisions.filter(({ told, at }) => !told && at < before.getTime()),
    told: async (tenant, number) => mark(tenant, number),
    ofLane: async (lane, tenants) => new Map(tenants.map((tenant) => [tenant, lanes.get(tenant)?.get(lane) ?? newTenantPolicy])),
    async takenIn(lane, tenant, policy) {
      const ofTenant = lanes.get(tenant) ?? new Map<number, TenantPolicy>();
      if ((ofTenant.get(lane)?.revision ?? 0) < policy.revision) lanes.set(tenant, ofTenant.set(lane, policy));
    },
    lanesAt: async (tenant, number) => [...(lanes.get(tenant)?.values() ?? [])].filter(({ revision }) => revision >= number).length,
  };
}

const user = { kind: 'person', id: 'ann' } as const;

export function mapped(sku: string, listing: string, tenant = 'acme'): EventOf<'ListingMapped'> {
  const data: ListingMapped = { tenant, sku, store: 's1', marketplace: 'shopify', listing, mapping: 1, at: 5 };
  return { id: `shopify/${listing}/1`, type: 'ListingMapped', time: 5, correlation: 'c', data };
}

export function moved(sku: string, sequence: number, before: number, after: number, tenant = 'acme'): EventOf<'StockMoved'> {
  const quantities = { onHand: after, orderReserve: 0, batchReserve: 0, available: after };
  const data: StockMoved = {
    tenant,
    sku,
    epoch: 1,
    sequence,
    type: 'StockUpdate',
    reason: null,
    refused: null,
    change: { ...quantities, onHand: after - before, available: after - before },
    after: quantities,
    location: 'default',
    locationOnHand: after,
    order: null,
    counted: true,
    user,
    batch: null,
    label: null,
    reverses: null,
    purchaseOrder: null,
    cause: 'x',
    at: 6,
  };
  return { id: `stock/x/${sequence}`, type: 'StockMoved', time: 6, correlation: `movement ${sequence}`, data };
}

export function toggled(sku: string, enabled: boolean, id: string, tenant = 'acme'): EventOf<'SetInventorySync'> {
  return { id, type: 'SetInventorySync', time: 7, correlation: 'c', data: { tenant, sku, enabled, user, at: 7 } };
}

/** One lane of sync-policy in memory: its journal, its policies, and what its owner does with a control record. */
export function openLane(tenant: TenantPolicy = newTenantPolicy, number = 0) {
  const context = new Map([['acme', tenant]]);
  const memory = createMemoryJournal(syncPolicyAggregate, context);
  const store = createMemoryPolicies();
  const policies = createPolicies({
    ofLane: async () => new Map(context),
    async takenIn(lane, name, policy) {
      await store.takenIn(lane, name, policy);
      context.set(name, policy);
    },
  });
  const lane: ControlledLane<SkuState> = { number, alive: () => true, pages: (prefix) => memory.journal.pages(prefix) };
  return {
    ...memory,
    store,
    /** `sender`: in place of the lane's own, to have it fail. */
    control: (record: EventOf<'TenantPolicyChanged'>, sender = memory.sender) => takeInPolicy({ policies, sender }, record, lane),
    /** All lanes of the tenant decide by it, as their owners have taken its record in. */
    async takeInEverywhere({
      data: { tenant: name, revision, realTimeAtOrBelow, significantUnits, everyNth },
    }: EventOf<'TenantPolicyChanged'>) {
      const policy = { revision, realTimeAtOrBelow, significantUnits, everyNth };
      for (let each = 0; each < lanesOfPolicies; each += 1) await store.takenIn(each, name, policy);
    },
  };
}

export function policyChanged(revision: number, before: PolicySettings, after: PolicySettings): EventOf<'TenantPolicyChanged'> {
  const data = { tenant: 'acme', ...after, revision, before, user, at: 9 };
  return { id: `command/acme/policy-${revision}`, type: 'TenantPolicyChanged', time: 9, correlation: 'the change', data };
}

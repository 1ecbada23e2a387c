import type { EventOf } from '@evenkeel/chassis';
import type { TenantPolicy } from './domain.ts';
import type { SyncPolicyInput, TenantPolicies } from './handlers.ts';
import type { PolicyStore } from './store.ts';

/** The tenants' policies as each lane decides by them: those whose control records it has taken in, whatever has been set since. */
export interface Policies {
  /** Of all tenants that these events concern. */
  context(events: readonly EventOf<SyncPolicyInput>[], lane: number): Promise<TenantPolicies>;
  /** From now on the lane decides by this policy; an older one is not heard. */
  takeIn(lane: number, tenant: string, policy: TenantPolicy): Promise<void>;
  /** Lanes may have been somebody else's meanwhile. */
  forget(): void;
}

/** One query per lane and tenant, for as long as the lane stays: nobody else can take a policy in for it. */
export function createPolicies(store: Pick<PolicyStore, 'ofLane' | 'takenIn'>): Policies {
  let remembered = new Map<number, Map<string, TenantPolicy>>();

  /** Of before or after a rebalance: what was read before it never gets into the memory after it. */
  function memoryOf(lane: number): Map<string, TenantPolicy> {
    const known = remembered.get(lane) ?? new Map<string, TenantPolicy>();
    remembered.set(lane, known);
    return known;
  }

  return {
    async context(events, lane) {
      const memory = memoryOf(lane);
      const tenants = [...new Set(events.map(({ data }) => data.tenant))];
      const missing = tenants.filter((tenant) => !memory.has(tenant));
      if (missing.length > 0) for (const [tenant, policy] of await store.ofLane(lane, missing)) memory.set(tenant, policy);
      return memory;
    },
    async takeIn(lane, tenant, policy) {
      const memory = memoryOf(lane);
      await store.takenIn(lane, tenant, policy);
      if ((memory.get(tenant)?.revision ?? 0) <= policy.revision) memory.set(tenant, policy);
    },
    forget: () => void (remembered = new Map()),
  };
}

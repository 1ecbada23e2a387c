import type { EventOf } from '@evenkeel/chassis';
import type { TenantPolicy } from './domain.ts';
import type { SyncPolicyInput, TenantPolicies } from './handlers.ts';
import type { PolicyStore } from './store.ts';

/** The tenants' policies as decisions are made with, read through a short memory. */
export interface Policies {
  /** Of all tenants that these events concern. */
  context(events: readonly EventOf<SyncPolicyInput>[]): Promise<TenantPolicies>;
  /** A newer revision has been set; an older one is not heard. */
  changed(tenant: string, policy: TenantPolicy): void;
}

/**
 * How long a policy is remembered: its change reaches every lane as a control record, so this is only for the record that was lost with its
 * process, between the document and the topic.
 */
const rememberMilliseconds = 30_000;

export function createPolicies(store: Pick<PolicyStore, 'newestOf'>, now: () => number = () => performance.now()): Policies {
  const remembered = new Map<string, { readonly policy: TenantPolicy; readonly until: number }>();

  function remember(tenant: string, policy: TenantPolicy): TenantPolicy {
    const known = remembered.get(tenant)?.policy;
    const newest = known && known.revision > policy.revision ? known : policy;
    remembered.set(tenant, { policy: newest, until: now() + rememberMilliseconds });
    return newest;
  }

  return {
    async context(events) {
      const policies = new Map<string, TenantPolicy>();
      const forgotten: string[] = [];
      for (const tenant of new Set(events.map(({ data }) => data.tenant))) {
        const known = remembered.get(tenant);
        if (known && known.until > now()) policies.set(tenant, known.policy);
        else forgotten.push(tenant);
      }
      if (forgotten.length === 0) return policies;
      for (const [tenant, policy] of await store.newestOf(forgotten)) policies.set(tenant, remember(tenant, policy));
      return policies;
    },
    changed: (tenant, policy) => void remember(tenant, policy),
  };
}

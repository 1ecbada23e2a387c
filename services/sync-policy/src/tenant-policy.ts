import type { ControlledLane, EventOf, Logger, Outgoing, Page, Sender } from '@evenkeel/chassis';
import { keyOf, partsOf, topics } from '@evenkeel/contracts';
import { newTenantPolicy, reconsiderTenant, type PolicySettings, type SkuState, type TenantPolicy } from './domain.ts';
import type { Policies } from './policies.ts';
import type { PolicyRevision, PolicyStore } from './store.ts';

const topic = topics.policyCommands;

/** How many lanes hear of a tenant's policy. */
export const lanesOfPolicies = topic.partitions;

const valuesOf = ({ realTimeAtOrBelow, significantUnits, everyNth }: PolicySettings): PolicySettings => ({
  realTimeAtOrBelow,
  significantUnits,
  everyNth,
});

/** The same record into every partition: each lane's owner hears of it. */
function controlRecords({ tenant, policy, before, cause, correlation, user, at }: PolicyRevision): Outgoing[] {
  const { revision } = policy;
  const data = { tenant, revision, ...valuesOf(policy), before: valuesOf(before), user: { kind: 'person', id: user }, at } as const;
  const event = { id: cause, type: 'TenantPolicyChanged', time: at, correlation, data } as const;
  return Array.from({ length: lanesOfPolicies }, (_, partition) => ({ topic, key: [tenant], event, partition }));
}

interface Announcing {
  readonly store: Pick<PolicyStore, 'told' | 'untold'>;
  readonly sender: Pick<Sender, 'send'>;
}

/** Tells every lane of a revision. */
export async function announce({ store, sender }: Announcing, revision: PolicyRevision): Promise<void> {
  await sender.send(controlRecords(revision), { timeoutMilliseconds: 10_000 });
  await store.told(revision.tenant, revision.policy.revision);
}

const lookMilliseconds = 30_000;
/** Younger ones are being told by the request that set them. */
const overdueMilliseconds = 30_000;

/** Announces, now and from time to time, what a process that ended had set and not told. */
export function startAnnouncing(parts: Announcing & { readonly log: Logger }): Disposable {
  async function look(): Promise<void> {
    try {
      for (const revision of await parts.store.untold(new Date(Date.now() - overdueMilliseconds))) await announce(parts, revision);
    } catch (error) {
      parts.log.warn({ err: error }, 'Policies that were set could not be told to the lanes; the next look follows.');
    }
  }
  void look();
  const looking = setInterval(() => void look(), lookMilliseconds);
  return { [Symbol.dispose]: () => clearInterval(looking) };
}

export const skusOf = (tenant: string): string => `${keyOf(tenant)}/`;

/** Those of a page whose throttled value the new policy lets out. */
export const letOut = (page: Page<SkuState>, before: PolicySettings, after: PolicySettings): Page<SkuState> =>
  page.filter(({ state }) => reconsiderTenant(state, before, after).decision === 'push');

function reconsiderations(control: EventOf<'TenantPolicyChanged'>, page: Page<SkuState>, before: PolicySettings): Outgoing[] {
  const { revision, at } = control.data;
  return page.map(({ key }) => {
    const [tenant = '', sku = ''] = partsOf(key);
    const data = { tenant, sku, revision, before: valuesOf(before), after: valuesOf(control.data), at };
    const { time, correlation } = control;
    return {
      topic,
      key: [tenant, sku],
      event: { id: `sync-policy/${control.id}/${key}`, type: 'ReconsiderPolicy', time, correlation, data },
    };
  });
}

/**
 * A tenant's policy reaches a lane: each of its SKUs that it lets out is to be reconsidered, then the lane decides by it. After a crash in the
 * middle the record comes again, and makes the same commands once more. Once the lane decides by it nothing comes of a repeat: what has been
 * throttled since was decided by this very policy.
 */
export async function takeInPolicy(
  { policies, sender }: { readonly policies: Policies; readonly sender: Pick<Sender, 'send'> },
  control: EventOf<'TenantPolicyChanged'>,
  lane: ControlledLane<SkuState>,
): Promise<void> {
  const { tenant, revision } = control.data;
  const policy: TenantPolicy = { revision, ...valuesOf(control.data) };
  const before = (await policies.context([control], lane.number)).get(tenant) ?? newTenantPolicy;
  if (before.revision >= revision) return; // it, or its successor, has done its work
  for await (const page of lane.pages(skusOf(tenant)))
    await sender.send(reconsiderations(control, letOut(page, before, policy), before), { alive: lane.alive });
  await policies.takeIn(lane.number, tenant, policy);
}

import type { MongoHandle } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { newTenantPolicy, type PolicySettings, type TenantPolicy } from './domain.ts';

/** One revision of a tenant's policy; none is ever changed, so that the newest tells a lost race and a repeat apart. */
interface PolicyDocument extends PolicySettings {
  /** `keyOf(tenant, revision)`: two writers of one revision collide here. */
  readonly _id: string;
  readonly tenant: string;
  readonly revision: number;
  /** Id of the request that set it. */
  readonly cause: string;
  readonly user: string;
  readonly at: Date;
}

export interface PolicyChange {
  readonly tenant: string;
  /** The revision that its user had seen. */
  readonly expectedRevision: number;
  readonly settings: PolicySettings;
  readonly cause: string;
  readonly user: string;
  readonly at: number;
}

export interface PolicyStore {
  /** The newest revision; revision 0 where none was ever set. */
  newest(tenant: string): Promise<TenantPolicy>;
  newestOf(tenants: readonly string[]): Promise<Map<string, TenantPolicy>>;
  /** The revision that the cause set, also where it did so before; null where the newest is not the expected one. */
  set(change: PolicyChange): Promise<TenantPolicy | null>;
}

const duplicateKey = 11_000;
const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority', journal: true } } as const;

const policyIn = ({ revision, realTimeAtOrBelow, significantUnits, everyNth }: PolicyDocument): TenantPolicy => ({
  revision,
  realTimeAtOrBelow,
  significantUnits,
  everyNth,
});

/** Opens the collection `policies` with its indexes. */
export async function openPolicyStore({ connection }: MongoHandle): Promise<PolicyStore> {
  const policies = connection.getClient().db(connection.name).collection<PolicyDocument>('policies', majority);
  await policies.createIndexes([
    { key: { tenant: 1, revision: -1 }, name: 'newest' },
    { key: { cause: 1 }, name: 'one_effect', unique: true },
  ]);

  async function newest(tenant: string): Promise<TenantPolicy> {
    const [found] = await policies.find({ tenant }).sort({ revision: -1 }).limit(1).toArray();
    return found ? policyIn(found) : newTenantPolicy;
  }

  return {
    newest,
    async newestOf(tenants) {
      return new Map(await Promise.all(tenants.map(async (tenant) => [tenant, await newest(tenant)] as const)));
    },
    async set({ tenant, expectedRevision, settings, cause, user, at }) {
      const before = await policies.findOne({ cause });
      if (before) return policyIn(before);
      if ((await newest(tenant)).revision !== expectedRevision) return null;
      const revision = expectedRevision + 1;
      const document = { _id: keyOf(tenant, String(revision)), tenant, revision, ...settings, cause, user, at: new Date(at) };
      try {
        await policies.insertOne(document);
        return policyIn(document);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === duplicateKey)) throw error;
        // Somebody was first: the same request, or another one.
        const mine = await policies.findOne({ cause });
        return mine && policyIn(mine);
      }
    },
  };
}

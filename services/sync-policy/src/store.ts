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
  readonly correlation: string;
  readonly user: string;
  readonly at: Date;
  /** Whether every lane's control record is in the topic; absent in documents of version 0.1.0. */
  readonly told?: boolean;
}

/** The revision that a lane decides by: the last whose control record it has taken in. */
interface LaneDocument extends PolicySettings {
  /** `keyOf(tenant, lane)` */
  readonly _id: string;
  readonly tenant: string;
  readonly lane: number;
  readonly revision: number;
}

export interface PolicyChange {
  readonly tenant: string;
  /** The revision that its user had seen. */
  readonly expectedRevision: number;
  readonly settings: PolicySettings;
  readonly cause: string;
  readonly correlation: string;
  readonly user: string;
  readonly at: number;
}

/** A revision as it is told to the lanes. */
export interface PolicyRevision extends Omit<PolicyChange, 'expectedRevision' | 'settings'> {
  readonly policy: TenantPolicy;
  readonly before: TenantPolicy;
  /** Whether every lane's control record is in the topic. */
  readonly told: boolean;
}

export interface PolicyStore {
  /** The newest revision; revision 0 where none was ever set. */
  newest(tenant: string): Promise<TenantPolicy>;
  /** The revision that the cause set, also where it did so before; null where the newest is not the expected one. */
  set(change: PolicyChange): Promise<PolicyRevision | null>;
  /** Revisions that were set before this time and that perhaps not every lane was told of: their process ended in between. */
  untold(before: Date): Promise<PolicyRevision[]>;
  told(tenant: string, revision: number): Promise<void>;
  /** What a lane decides by: the revision that it has taken in; before its first what version 0.1.0 had set, which knew no lanes. */
  ofLane(lane: number, tenants: readonly string[]): Promise<Map<string, TenantPolicy>>;
  /** A lane decides by this revision from now on; an older one is not heard. */
  takenIn(lane: number, tenant: string, policy: TenantPolicy): Promise<void>;
  /** How many lanes decide by this revision or a later one. */
  lanesAt(tenant: string, revision: number): Promise<number>;
}

const duplicateKey = 11_000;
const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority', journal: true } } as const;
const isDuplicate = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === duplicateKey;

const policyIn = ({ revision, realTimeAtOrBelow, significantUnits, everyNth }: TenantPolicy): TenantPolicy => ({
  revision,
  realTimeAtOrBelow,
  significantUnits,
  everyNth,
});

/** Opens the collections `policies` and `lanes` with their indexes. */
export async function openPolicyStore({ connection }: MongoHandle): Promise<PolicyStore> {
  const database = connection.getClient().db(connection.name);
  const policies = database.collection<PolicyDocument>('policies', majority);
  const lanes = database.collection<LaneDocument>('lanes', majority);
  await policies.createIndexes([
    { key: { tenant: 1, revision: -1 }, name: 'newest' },
    { key: { cause: 1 }, name: 'one_effect', unique: true },
  ]);

  async function newest(tenant: string, of: { readonly told?: { readonly $exists: false } } = {}): Promise<TenantPolicy> {
    const [found] = await policies
      .find({ tenant, ...of })
      .sort({ revision: -1 })
      .limit(1)
      .toArray();
    return found ? policyIn(found) : newTenantPolicy;
  }

  async function revisionOf(document: PolicyDocument): Promise<PolicyRevision> {
    const { tenant, revision, cause, correlation, user, at } = document;
    const before = await policies.findOne({ _id: keyOf(tenant, String(revision - 1)) });
    const about = { tenant, cause, correlation, user, at: at.getTime(), told: document.told !== false };
    return { ...about, policy: policyIn(document), before: before ? policyIn(before) : newTenantPolicy };
  }

  return {
    newest: (tenant) => newest(tenant),
    async set({ tenant, expectedRevision, settings, at, ...by }) {
      const known = await policies.findOne({ cause: by.cause });
      if (known) return revisionOf(known);
      if ((await newest(tenant)).revision !== expectedRevision) return null;
      const revision = expectedRevision + 1;
      const document = { _id: keyOf(tenant, String(revision)), tenant, revision, ...settings, ...by, at: new Date(at), told: false };
      try {
        await policies.insertOne(document);
        return await revisionOf(document);
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        // Somebody was first: the same request, or another one.
        const mine = await policies.findOne({ cause: by.cause });
        return mine && revisionOf(mine);
      }
    },
    async untold(before) {
      const found = await policies.find({ told: false, at: { $lt: before } }).toArray();
      return Promise.all(found.toSorted((a, b) => a.revision - b.revision).map(revisionOf));
    },
    async told(tenant, revision) {
      await policies.updateOne({ _id: keyOf(tenant, String(revision)) }, { $set: { told: true } });
    },
    async ofLane(lane, tenants) {
      const found = await lanes.find({ _id: { $in: tenants.map((tenant) => keyOf(tenant, String(lane))) } }).toArray();
      const taken = new Map(found.map((document) => [document.tenant, policyIn(document)]));
      const policyOf = async (tenant: string) => taken.get(tenant) ?? newest(tenant, { told: { $exists: false } });
      return new Map(await Promise.all(tenants.map(async (tenant) => [tenant, await policyOf(tenant)] as const)));
    },
    async takenIn(lane, tenant, policy) {
      const _id = keyOf(tenant, String(lane));
      try {
        await lanes.insertOne({ _id, tenant, lane, ...policyIn(policy) });
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        await lanes.updateOne({ _id, revision: { $lt: policy.revision } }, { $set: policyIn(policy) });
      }
    },
    lanesAt: (tenant, revision) => lanes.countDocuments({ tenant, revision: { $gte: revision } }),
  };
}

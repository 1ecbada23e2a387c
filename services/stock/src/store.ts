import type { MongoHandle, Projected } from '@evenkeel/chassis';
import { keyOf, partsOf } from '@evenkeel/contracts';
import { incidentOf, type LedgerRow, type SkuStock } from './domain.ts';

/** A read model of the incidents, one document each; the truth is in the ledgers. */
export interface IncidentDocument {
  /** `keyOf(tenant, kind, subject)`, as the topic has it. */
  readonly _id: string;
  readonly tenant: string;
  readonly kind: string;
  readonly subject: string;
  readonly state: 'open' | 'closed';
  readonly count: number;
  readonly openedAt: Date;
  readonly closedAt: Date | null;
  readonly details: Readonly<Record<string, string>>;
  /** Of the row that opened or closed it: an older one never overwrites a newer. */
  readonly sequence: number;
}

export interface IncidentStore {
  /** Idempotent by sequence, so that a repeat or an older one changes nothing. */
  project(documents: readonly Projected<LedgerRow, SkuStock>[]): Promise<void>;
  /** Of one tenant, by key; `after` is the last key of the page before. */
  page(filter: {
    readonly tenant: string;
    readonly state?: 'open' | 'closed';
    readonly after?: string;
    readonly limit: number;
  }): Promise<IncidentDocument[]>;
  open(kind: string): Promise<number>;
}

const duplicateKey = 11_000;

/** Opens the collection `incidents` with its index. */
export async function openIncidentStore({ connection }: MongoHandle): Promise<IncidentStore> {
  const incidents = connection.getClient().db(connection.name).collection<IncidentDocument>('incidents');
  await incidents.createIndexes([
    { key: { tenant: 1, state: 1, _id: 1 }, name: 'by_tenant' },
    { key: { kind: 1, state: 1 }, name: 'by_kind' },
  ]);

  async function put({ _id, ...incident }: IncidentDocument): Promise<void> {
    try {
      await incidents.updateOne({ _id, sequence: { $lt: incident.sequence } }, { $set: incident }, { upsert: true });
    } catch (error) {
      // Not older than ours, so not found, so inserted, so refused: it is the newer one, or the same.
      if (!(error instanceof Error && 'code' in error && error.code === duplicateKey)) throw error;
    }
  }

  return {
    async project(documents) {
      const changed = documents.filter(({ entries }) => entries.some(({ data }) => data.incident !== null));
      await Promise.all(changed.flatMap(({ key, state }) => (state.oversold ? [put(documentOf(key, state.oversold))] : [])));
    },
    page({ tenant, state, after = '', limit }) {
      const filter = { tenant, _id: { $gt: after }, ...(state ? { state } : {}) };
      return incidents.find(filter).sort({ _id: 1 }).limit(limit).toArray();
    },
    open: (kind) => incidents.countDocuments({ kind, state: 'open' }),
  };
}

function documentOf(key: string, oversold: NonNullable<SkuStock['oversold']>): IncidentDocument {
  const [tenant = '', sku = ''] = partsOf(key);
  const { kind, subject, state, count, openedAt, closedAt, details } = incidentOf({ tenant, sku }, oversold);
  const times = { openedAt: new Date(openedAt), closedAt: closedAt === null ? null : new Date(closedAt) };
  return { _id: keyOf(tenant, kind, subject), tenant, kind, subject, state, count, ...times, details, sequence: oversold.sequence };
}

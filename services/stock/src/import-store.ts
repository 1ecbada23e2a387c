import { randomUUID } from 'node:crypto';
import { chunks, type MongoHandle } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import type { PlannedRow, RowError } from './imports.ts';

/** A file that was looked at, and perhaps applied. */
export interface ImportDocument {
  /** `keyOf(tenant, id)` */
  readonly _id: string;
  readonly tenant: string;
  readonly id: string;
  /** Under which its parts are kept, by whichever request was first; absent in older ones: its `_id`. */
  readonly parts?: string;
  readonly at: Date;
  /** Who had it applied, and when. */
  readonly begun: { readonly user: string; readonly at: Date; readonly correlation: string } | null;
  readonly state: 'previewed' | 'applying' | 'applied';
  /** Rows of the file. */
  readonly rows: number;
  /** Rows that change something: what will be applied. */
  readonly changes: number;
  readonly errorCount: number;
  /** The first of them. */
  readonly errors: readonly RowError[];
  /** Until then a replica is at it. */
  readonly leasedUntil: Date;
}

export interface RefusedRow {
  readonly line: number;
  readonly sku: string;
  readonly reason: string;
}

/** Rows that are applied together. */
export interface ImportPart {
  /** `import`, then its number. */
  readonly _id: string;
  /** `parts` of its import. */
  readonly import: string;
  readonly part: number;
  readonly at: Date;
  readonly rows: readonly PlannedRow[];
  readonly isDone: boolean;
  readonly refused: readonly RefusedRow[];
}

export interface ImportProgress {
  readonly applied: number;
  readonly refused: readonly RefusedRow[];
}

type NewImport = Omit<ImportDocument, '_id' | 'parts' | 'state' | 'begun' | 'leasedUntil' | 'changes'>;

const partsOf = ({ _id, parts = _id }: ImportDocument): string => parts;
const duplicateKey = 11_000;
const isDuplicate = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === duplicateKey;

const partRows = 500;
/** Longer than a part takes, as a rule: who comes too early does the same work again, to no effect. */
const leaseMilliseconds = 10_000;
const keptSeconds = 90 * 24 * 3_600;
const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority', journal: true } } as const;

export type ImportStore = Awaited<ReturnType<typeof openImportStore>>;

/** Opens the collections `imports` and `import_parts` with their indexes; what is in them is kept 90 days. */
export async function openImportStore({ connection }: MongoHandle) {
  const database = connection.getClient().db(connection.name);
  const imports = database.collection<ImportDocument>('imports', majority);
  const parts = database.collection<ImportPart>('import_parts', majority);
  await imports.createIndexes([
    { key: { state: 1, leasedUntil: 1 }, name: 'to_do' },
    { key: { at: 1 }, name: 'kept', expireAfterSeconds: keptSeconds },
  ]);
  await parts.createIndexes([
    { key: { import: 1, part: 1 }, name: 'in_order' },
    { key: { at: 1 }, name: 'kept', expireAfterSeconds: keptSeconds },
  ]);
  const find = async (tenant: string, id: string) => imports.findOne({ _id: keyOf(tenant, id) });

  return {
    find,
    /** Keeps what a file would do; the same request again, also at the same time, finds what the first one kept. */
    async create(fresh: NewImport, planned: readonly PlannedRow[]): Promise<ImportDocument> {
      const _id = keyOf(fresh.tenant, fresh.id);
      const own = `${_id}/${randomUUID()}`;
      const documents = [...chunks(planned, partRows)].map((rows, part): ImportPart => ({
        _id: `${own}/${part}`,
        import: own,
        part,
        at: fresh.at,
        rows,
        isDone: false,
        refused: [],
      }));
      if (documents.length > 0) await parts.insertMany(documents);
      const document: ImportDocument = {
        _id,
        parts: own,
        ...fresh,
        state: 'previewed',
        begun: null,
        changes: planned.length,
        leasedUntil: new Date(0),
      };
      try {
        // Last, so that an import that can be found is whole.
        await imports.insertOne(document);
        return document;
      } catch (error) {
        const first = isDuplicate(error) ? await find(fresh.tenant, fresh.id) : null;
        if (!first) throw error;
        await parts.deleteMany({ import: own });
        return first;
      }
    },
    /** The first rows that change something. */
    async sample(document: ImportDocument, limit: number): Promise<PlannedRow[]> {
      const [first] = await parts.find({ import: partsOf(document), part: 0 }).toArray();
      return (first?.rows ?? []).slice(0, limit);
    },
    async begin(tenant: string, id: string, begun: NonNullable<ImportDocument['begun']>): Promise<void> {
      await imports.updateOne({ _id: keyOf(tenant, id), state: 'previewed' }, { $set: { state: 'applying', begun } });
    },
    /** An import that is to be applied and that no replica is at; it is ours for a while. */
    async claim(now: number): Promise<ImportDocument | null> {
      const [found] = await imports
        .find({ state: 'applying', leasedUntil: { $lt: new Date(now) } })
        .limit(1)
        .toArray();
      if (!found) return null;
      const lease = { $set: { leasedUntil: new Date(now + leaseMilliseconds) } };
      const { modifiedCount } = await imports.updateOne({ _id: found._id, state: 'applying', leasedUntil: found.leasedUntil }, lease);
      return modifiedCount === 1 ? found : null;
    },
    async keep({ _id }: ImportDocument, now: number): Promise<void> {
      await imports.updateOne({ _id }, { $set: { leasedUntil: new Date(now + leaseMilliseconds) } });
    },
    async nextPart(document: ImportDocument): Promise<ImportPart | null> {
      const [part] = await parts
        .find({ import: partsOf(document), isDone: false })
        .sort({ part: 1 })
        .limit(1)
        .toArray();
      return part ?? null;
    },
    async finishPart({ _id }: ImportPart, refused: readonly RefusedRow[]): Promise<void> {
      await parts.updateOne({ _id }, { $set: { isDone: true, refused } });
    },
    async finish({ _id }: ImportDocument): Promise<void> {
      await imports.updateOne({ _id }, { $set: { state: 'applied' } });
    },
    /** Given up for now: any replica may go on with it. */
    async release({ _id }: ImportDocument): Promise<void> {
      await imports.updateOne({ _id, state: 'applying' }, { $set: { leasedUntil: new Date(0) } });
    },
    async progress(document: ImportDocument): Promise<ImportProgress> {
      // Without the rows themselves: of a large file they are megabytes, and whoever waits for it asks again and again.
      const done = await parts
        .aggregate<{ readonly size: number; readonly refused: readonly RefusedRow[] }>([
          { $match: { import: partsOf(document), isDone: true } },
          { $sort: { part: 1 } },
          { $project: { size: { $size: '$rows' }, refused: 1 } },
        ])
        .toArray();
      const refused = done.flatMap((part) => part.refused);
      return { applied: done.reduce((sum, { size }) => sum + size, 0) - refused.length, refused };
    },
  };
}

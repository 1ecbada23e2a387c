import type { Outgoing, MongoHandle, Sender } from '@evenkeel/chassis';
import { keyOf, topics, type OrderReference } from '@evenkeel/contracts';
import type { WarehouseOrder, WarehouseStore } from './warehouse.ts';

/** The header of a pick batch; what is in it, its orders say. */
export interface Batch {
  /** `keyOf(tenant, batch)`. */
  readonly _id: string;
  readonly tenant: string;
  readonly batch: string;
  readonly name: string | null;
  readonly state: 'open' | 'cancelled';
  readonly createdAt: Date;
  readonly createdBy: string;
  readonly cancelledAt: Date | null;
  readonly cancelledBy: string | null;
  /** False from the cancellation until all that it held has been told to leave. */
  readonly settled: boolean;
  /** Time and id: newest first by it. */
  readonly order: string;
}

/** Which orders a request meant that named none. */
interface MeantDocument {
  /** The request's cause. */
  readonly _id: string;
  readonly orders: readonly OrderReference[];
  readonly at: Date;
}

export interface BatchStore {
  /** As it stands after; the first one stays. */
  create(batch: { tenant: string; batch: string; name: string | null; user: string; at: number }): Promise<Batch>;
  find(tenant: string, batch: string): Promise<Batch | null>;
  /** Newest first. */
  page(filter: { tenant: string; state?: Batch['state'] | undefined; before?: string | undefined; limit: number }): Promise<Batch[]>;
  /** Cancels it if it is not; null where there is none. */
  cancel(tenant: string, batch: string, by: { user: string; at: number }): Promise<Batch | null>;
  /** All that it held has been told to leave. */
  settle(batch: Batch): Promise<void>;
  /** Of these keys, those that are cancelled. */
  cancelledAmong(keys: readonly string[]): Promise<Batch[]>;
  unsettled(limit: number): Promise<Batch[]>;
  /** The orders that a request means, however often it comes: those that its first try found. */
  meant(cause: string, found: () => Promise<readonly OrderReference[]>): Promise<readonly OrderReference[]>;
}

const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority', journal: true } } as const;

/** As long as the key of a request is remembered. */
const meantSeconds = 90 * 24 * 3_600;

/** Opens the collections `batches` and `batch_requests` with their indexes. */
export async function openBatchStore({ connection }: MongoHandle): Promise<BatchStore> {
  const database = connection.getClient().db(connection.name);
  const batches = database.collection<Batch>('batches', majority);
  const requests = database.collection<MeantDocument>('batch_requests', majority);
  await requests.createIndex({ at: 1 }, { name: 'kept', expireAfterSeconds: meantSeconds });
  await batches.createIndexes([
    { key: { tenant: 1, order: -1 }, name: 'newest_first' },
    { key: { state: 1, settled: 1 }, name: 'unsettled' },
  ]);
  const find = (tenant: string, batch: string) => batches.findOne({ _id: keyOf(tenant, batch) });
  return {
    find,
    async create({ tenant, batch, name, user, at }) {
      const createdAt = new Date(at);
      const { _id, ...fresh }: Batch = {
        _id: keyOf(tenant, batch),
        tenant,
        batch,
        name,
        state: 'open',
        createdAt,
        createdBy: user,
        cancelledAt: null,
        cancelledBy: null,
        settled: true,
        order: `${createdAt.toISOString()}/${batch}`,
      };
      await batches.updateOne({ _id }, { $setOnInsert: fresh }, { upsert: true });
      return (await find(tenant, batch)) ?? { _id, ...fresh };
    },
    page({ tenant, state, before, limit }) {
      const filter = { tenant, ...(state ? { state } : {}), ...(before ? { order: { $lt: before } } : {}) };
      return batches.find(filter).sort({ order: -1 }).limit(limit).toArray();
    },
    async cancel(tenant, batch, { user, at }) {
      const cancelled = { state: 'cancelled', cancelledAt: new Date(at), cancelledBy: user, settled: false } as const;
      await batches.updateOne({ _id: keyOf(tenant, batch), state: 'open' }, { $set: cancelled });
      return find(tenant, batch);
    },
    settle: async ({ _id }) => void (await batches.updateOne({ _id, state: 'cancelled' }, { $set: { settled: true } })),
    cancelledAmong: (keys) => batches.find({ _id: { $in: [...keys] }, state: 'cancelled' }).toArray(),
    unsettled: (limit) => batches.find({ state: 'cancelled', settled: false }).limit(limit).toArray(),
    async meant(cause, found) {
      const known = await requests.findOne({ _id: cause });
      if (known) return known.orders;
      const orders = await found();
      await requests.updateOne({ _id: cause }, { $setOnInsert: { orders, at: new Date() } }, { upsert: true });
      return (await requests.findOne({ _id: cause }))?.orders ?? orders;
    },
  };
}

const pageSize = 200;

/**
 * The command that takes an order's units out of a cancelled batch. Its id names the state that holds them: sent again it does nothing, and a later
 * assignment gets one of its own.
 */
function releaseOf({ tenant, batch, cancelledAt, cancelledBy }: Batch, { _id, store, order, version }: WarehouseOrder): Outgoing {
  const at = cancelledAt?.getTime() ?? 0;
  const user = { kind: 'person', id: cancelledBy ?? 'unknown' } as const;
  const data = { tenant, store, order, batch, lines: null, user, at };
  const id = `reservation/${_id}/${version}/release/${encodeURIComponent(batch)}`;
  return {
    topic: topics.reservationCommands,
    key: [tenant, store, order],
    event: { id, type: 'ReleaseFromBatch', time: at, correlation: `batch/${keyOf(tenant, batch)}`, data },
  };
}

export interface ReleaseParts {
  readonly warehouse: Pick<WarehouseStore, 'heldBy'>;
  readonly batches: Pick<BatchStore, 'settle' | 'cancelledAmong' | 'unsettled'>;
  readonly sender: Pick<Sender, 'send'>;
}

/**
 * Has everything leave a cancelled batch. The cancellation is written first and what it holds is read after; who assigns writes first what it holds
 * and reads the state after: one of the two sees the other, so that no unit stays in the Batch Reserve of a cancelled batch.
 */
export async function releaseAll({ warehouse, batches, sender }: ReleaseParts, batch: Batch): Promise<WarehouseOrder[]> {
  const released: WarehouseOrder[] = [];
  for (let after = ''; ;) {
    const orders = await warehouse.heldBy(batch.tenant, batch.batch, { after, limit: pageSize });
    if (orders.length > 0) await sender.send(orders.map((order) => releaseOf(batch, order)));
    released.push(...orders);
    after = orders.at(-1)?._id ?? '';
    if (orders.length < pageSize) break;
  }
  await batches.settle(batch);
  return released;
}

/** Of orders that were just assigned: those whose batch is cancelled leave it again. */
export async function releaseLate({ batches, sender }: Pick<ReleaseParts, 'batches' | 'sender'>, orders: readonly WarehouseOrder[]) {
  const keys = new Set(orders.flatMap(({ tenant, heldBy }) => heldBy.map((batch) => keyOf(tenant, batch))));
  if (keys.size === 0) return;
  const cancelled = await batches.cancelledAmong([...keys]);
  const late = cancelled.flatMap((batch) =>
    orders.filter(({ tenant, heldBy }) => tenant === batch.tenant && heldBy.includes(batch.batch)).map((order) => releaseOf(batch, order)),
  );
  if (late.length > 0) await sender.send(late);
}

/** Finishes cancellations that a crash cut short; one call is one look. */
export async function releaseForgotten(parts: ReleaseParts): Promise<void> {
  for (const batch of await parts.batches.unsettled(pageSize)) await releaseAll(parts, batch);
}

import { putNewer, type MongoHandle, type ProjectedDocument, type Projected } from '@evenkeel/chassis';
import { partsOf } from '@evenkeel/contracts';
import { toPutBackOf, type Reservation, type ReservationEntry } from './domain.ts';

/** An order that has, or had, units in pick batches or to be put back: a read model; the truth is in the journal. */
export interface WarehouseOrder extends ProjectedDocument {
  /** `keyOf(tenant, store, order)`. */
  readonly _id: string;
  readonly tenant: string;
  readonly store: string;
  readonly order: string;
  /** The order's number as people see it. */
  readonly name: string;
  /** Sequence of the reservation's newest entry. */
  readonly version: number;
  /** Batches that it ever was in. */
  readonly batches: readonly string[];
  /** Those that hold units of it still. */
  readonly heldBy: readonly string[];
  readonly hasToPutBack: boolean;
  readonly lines: readonly WarehouseLine[];
  readonly tallies: Reservation['tallies'];
}

export interface WarehouseLine {
  readonly line: string;
  readonly sku: string;
  /** Units in batches, not picked yet. */
  readonly batches: readonly { readonly batch: string; readonly quantity: number }[];
  /** Units picked in batches, those to be put back included. */
  readonly picked: readonly { readonly batch: string; readonly quantity: number }[];
  readonly toPutBack: number;
  readonly since: Date | null;
}

export interface WarehousePage {
  /** The last key of the page before. */
  readonly after?: string | undefined;
  /** All of them where absent. */
  readonly limit?: number;
}

export interface WarehouseStore {
  /** Idempotent by sequence. Writes only what concerns batches and put-backs: an ordinary sale costs nothing here. */
  record(documents: readonly Projected<ReservationEntry, Reservation>[]): Promise<void>;
  /** By key, of those that are there. */
  versionsOf(keys: readonly string[]): Promise<ReadonlyMap<string, number>>;
  /** Orders that ever were in a batch, by key. */
  inBatch(tenant: string, batch: string, page?: WarehousePage): Promise<WarehouseOrder[]>;
  /** Orders of which a batch holds units, by key. */
  heldBy(tenant: string, batch: string, page?: WarehousePage): Promise<WarehouseOrder[]>;
  toPutBack(tenant: string, page?: WarehousePage): Promise<WarehouseOrder[]>;
}

const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority', journal: true } } as const;

/** Opens the collection `warehouse` with its indexes. */
export async function openWarehouseStore({ connection }: MongoHandle): Promise<WarehouseStore> {
  const orders = connection.getClient().db(connection.name).collection<WarehouseOrder>('warehouse', majority);
  await orders.createIndexes([
    { key: { tenant: 1, batches: 1, _id: 1 }, name: 'by_batch' },
    { key: { tenant: 1, heldBy: 1, _id: 1 }, name: 'held_by_batch' },
    { key: { tenant: 1, hasToPutBack: 1, _id: 1 }, name: 'to_put_back' },
  ]);
  const page = (filter: object, { after = '', limit = 0 }: WarehousePage = {}): Promise<WarehouseOrder[]> =>
    orders
      .find({ ...filter, _id: { $gt: after } })
      .sort({ _id: 1 })
      .limit(limit)
      .toArray();

  return {
    record: (documents) => putNewer(orders, 'version', ordersIn(documents)),
    async versionsOf(keys) {
      const found = await orders.find({ _id: { $in: [...keys] } }, { projection: { version: 1 } }).toArray();
      return new Map(found.map(({ _id, version }) => [_id, version]));
    },
    inBatch: (tenant, batch, at) => page({ tenant, batches: batch }, at),
    heldBy: (tenant, batch, at) => page({ tenant, heldBy: batch }, at),
    toPutBack: (tenant, at) => page({ tenant, hasToPutBack: true }, at),
  };
}

/**
 * The orders among what was journaled that concern the warehouse, as they stand. One with units in a batch always does: whatever changes of it, they may
 * have gone over to another line.
 */
export function ordersIn(documents: readonly Projected<ReservationEntry, Reservation>[]): WarehouseOrder[] {
  const newest = new Map<string, WarehouseOrder>();
  for (const { key, entries, state } of documents) {
    const isInBatch = state.lines.some(({ batches }) => batches.length > 0);
    if (isInBatch || entries.some(({ data }) => concernsWarehouse(data)))
      newest.set(key, orderOf(key, entries.at(-1)?.sequence ?? 0, state));
  }
  return [...newest.values()];
}

/** Whether an entry moves units into or out of a batch, or onto or off the put-back list. */
export function concernsWarehouse(entry: ReservationEntry): boolean {
  switch (entry.type) {
    case 'assigned':
    case 'unassigned':
    case 'batch_picked':
    case 'missing':
    case 'rearranged':
    case 'to_put_back':
    case 'put_back':
    case 'written_off':
      return true;
    case 'released':
    case 'picked':
      return entry.fromBatchReserve > 0;
    case 'reserved':
    case 'unpicked':
    case 'unchanged':
    case 'refused':
      return false;
  }
}

/** The document of an order as it stands. */
export function orderOf(key: string, version: number, { facts, lines, tallies, toPutBackSince }: Reservation): WarehouseOrder {
  const [tenant = '', store = '', order = ''] = partsOf(key);
  const since = new Map(toPutBackSince.map(({ line, at }) => [line, new Date(at)]));
  return {
    _id: key,
    tenant,
    store,
    order,
    name: facts?.name ?? order,
    version,
    batches: [...new Set(tallies.map(({ batch }) => batch))],
    heldBy: [...new Set(lines.flatMap(({ batches }) => batches.map(({ batch }) => batch)))],
    hasToPutBack: lines.some((line) => toPutBackOf(line) > 0),
    lines: lines.map((line) => ({
      line: line.line,
      sku: line.sku,
      batches: line.batches,
      picked: line.picked.flatMap(({ batch, quantity, toPutBack }) => (batch === null ? [] : [{ batch, quantity: quantity + toPutBack }])),
      toPutBack: toPutBackOf(line),
      since: since.get(line.line) ?? null,
    })),
    tallies,
  };
}

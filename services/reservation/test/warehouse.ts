import { createMemoryJournal, openRoutes } from '@evenkeel/chassis/testing';
import { keyOf, type OrderChanged, type OrderLine } from '@evenkeel/contracts';
import { releaseForgotten, releaseLate, type Batch, type BatchStore } from '../src/batches.ts';
import { reservationAggregate } from '../src/handlers.ts';
import { reservationRoutes } from '../src/http.ts';
import type { Level } from '../src/pick-list.ts';
import { ordersIn, type WarehouseOrder, type WarehouseStore, type WarehousePage } from '../src/warehouse.ts';

export const tenant = 'acme';

/** The batch headers in memory. */
function createBatches(): BatchStore {
  const batches = new Map<string, Batch>();
  const requests = new Map<string, Awaited<ReturnType<BatchStore['meant']>>>();
  const find = async (of: string, batch: string) => batches.get(keyOf(of, batch)) ?? null;
  return {
    find,
    async create({ tenant: of, batch, name, user, at }) {
      const _id = keyOf(of, batch);
      const createdAt = new Date(at);
      const order = `${createdAt.toISOString()}/${batch}`;
      const cancelled = { cancelledAt: null, cancelledBy: null, settled: true };
      const fresh: Batch = { _id, tenant: of, batch, name, state: 'open', createdAt, createdBy: user, ...cancelled, order };
      if (!batches.has(_id)) batches.set(_id, fresh);
      return batches.get(_id) ?? fresh;
    },
    async page({ tenant: of, state, before = '~', limit }) {
      const own = [...batches.values()].filter(
        (batch) => batch.tenant === of && (state ?? batch.state) === batch.state && batch.order < before,
      );
      return own.toSorted((one, other) => (one.order < other.order ? 1 : -1)).slice(0, limit);
    },
    async cancel(of, batch, { user, at }) {
      const found = await find(of, batch);
      if (found?.state === 'open')
        batches.set(found._id, { ...found, state: 'cancelled', cancelledAt: new Date(at), cancelledBy: user, settled: false });
      return find(of, batch);
    },
    async settle({ _id }) {
      const found = batches.get(_id);
      if (found) batches.set(_id, { ...found, settled: true });
    },
    cancelledAmong: async (keys) => [...batches.values()].filter(({ _id, state }) => keys.includes(_id) && state === 'cancelled'),
    unsettled: async () => [...batches.values()].filter(({ settled }) => !settled),
    async meant(cause, found) {
      const orders = requests.get(cause) ?? (await found());
      requests.set(cause, orders);
      return orders;
    },
  };
}

/** A warehouse of one seller with its reservations, without broker and database; what is done stands in the lists at once. */
export function createWarehouse(levels: readonly Level[] = []) {
  const memory = createMemoryJournal(reservationAggregate, undefined);
  const batches = createBatches();
  const keys = new Set<string>();
  /** An order as it was last written to the lists, of which each cause is a document of the journal. */
  const listed = async (key: string): Promise<WarehouseOrder[]> => {
    const entries = (await memory.journal.entries(key, { limit: Infinity })).toReversed();
    let state = reservationAggregate.initial(key);
    const documents = [...Map.groupBy(entries, ({ cause }) => cause).values()].map((ofCause) => {
      state = ofCause.reduce((before, entry) => reservationAggregate.evolve(before, entry), state);
      return { key, entries: ofCause, state };
    });
    return ordersIn(documents);
  };
  const orders = async (): Promise<WarehouseOrder[]> => (await Promise.all([...keys].toSorted().map(listed))).flat();
  const page = async (isWanted: (order: WarehouseOrder) => boolean, { after = '', limit }: WarehousePage = {}) =>
    (await orders()).filter((order) => order._id > after && isWanted(order)).slice(0, limit);
  const warehouse: WarehouseStore = {
    record: async () => undefined,
    versionsOf: async (keys) => new Map([...(await memory.journal.states(keys))].map(([key, { sequence }]) => [key, sequence])),
    inBatch: (_, batch, at) => page((order) => order.batches.includes(batch), at),
    heldBy: (_, batch, at) => page((order) => order.heldBy.includes(batch), at),
    toPutBack: (_, at) => page(({ hasToPutBack }) => hasToPutBack, at),
  };
  const parts = { ...memory, batches, warehouse, levels: { of: async () => new Map(levels.map((level) => [level.sku, level])) } };
  const sequences = new Map<string, number>();
  return {
    ...memory,
    batches,
    parts,
    /** An order as it stands now. */
    order(order: string, lines: readonly (readonly [line: string, sku: string, quantity: number, more?: Partial<OrderLine>])[]): void {
      const sequence = (sequences.get(order) ?? 0) + 1;
      sequences.set(order, sequence);
      keys.add(keyOf(tenant, 's1', order));
      const all = lines.map(([line, sku, quantity, more]) => {
        const plain = { listing: null, cancelled: 0, fulfilled: 0, shippedBefore: 0, fulfilledBy: 'seller' } as const;
        return { ...plain, line, sku, quantity, ...more };
      });
      const told = { tenant, store: 's1', marketplace: 'shopify', order, name: `#${order}`, sequence, placedAt: 1, updatedAt: sequence };
      const data: OrderChanged = { ...told, cancelledAt: null, lines: all, labels: [], at: 5 };
      memory.take({ id: `order/${order}/${sequence}`, type: 'OrderChanged', time: 5, correlation: 'c', data });
    },
    /** As reservation does after each slice in which something was assigned. */
    releaseLate: async () => releaseLate(parts, await orders()),
    releaseForgotten: async () => releaseForgotten(parts),
  };
}

/** The same over HTTP. */
export async function openWarehouse({ levels = [] as readonly Level[], roles = ['warehouse'] } = {}) {
  const warehouse = createWarehouse(levels);
  const http = await openRoutes(reservationRoutes(warehouse.parts), { tenant, user: 'ann', roles });
  return {
    ...warehouse,
    http,
    /** Where the units of an order's only line are: Order Reserve, batches, picked, to be put back. */
    async places(order: string): Promise<readonly number[]> {
      const { body } = await http.call('GET', `/stores/s1/orders/${order}/reservations`);
      const { lines, picked } = body as {
        lines: { orderReserve: number; batches: { quantity: number }[]; toPutBack: number }[];
        picked: { quantity: number }[];
      };
      const sum = (items: readonly { quantity: number }[]) => items.reduce((units, { quantity }) => units + quantity, 0);
      return [lines[0]?.orderReserve ?? 0, sum(lines[0]?.batches ?? []), sum(picked), lines[0]?.toPutBack ?? 0];
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

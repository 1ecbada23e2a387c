import type { Event, MongoHandle, ProjectedDocument } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { standingOf, unmappedLines, type Standing } from './domain.ts';

/** An order as the list shows it: a read model of order.events.v1, off the hot path. */
export interface ListedOrder extends ProjectedDocument {
  /** `keyOf(tenant, store, order)`. */
  readonly _id: string;
  readonly tenant: string;
  readonly store: string;
  readonly order: string;
  readonly name: string;
  readonly marketplace: string;
  readonly standing: Standing;
  readonly unmapped: boolean;
  readonly units: number;
  readonly placedAt: Date;
  readonly updatedAt: Date;
  /** Time and key: newest first by it. */
  readonly placed: string;
}

export function listedOf({ data }: Event<'OrderChanged'>): ListedOrder {
  const { tenant, store, order, name, marketplace, sequence, lines } = data;
  const _id = keyOf(tenant, store, order);
  const placedAt = new Date(data.placedAt);
  return {
    _id,
    version: sequence,
    tenant,
    store,
    order,
    name,
    marketplace,
    standing: standingOf(data),
    unmapped: unmappedLines(data).length > 0,
    units: lines.reduce((sum, { quantity, cancelled }) => sum + quantity - cancelled, 0),
    placedAt,
    updatedAt: new Date(data.updatedAt),
    placed: `${placedAt.toISOString()}/${_id}`,
  };
}

export interface OrderFilter {
  readonly tenant: string;
  readonly store?: string | undefined;
  readonly state?: Standing | undefined;
  readonly unmapped?: boolean | undefined;
  /** `placed` of the last order of the page before. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface OrderList {
  /** Newest first. */
  page(filter: OrderFilter): Promise<ListedOrder[]>;
}

export const listCollection = 'orders';

/** Opens the collection `orders` with its indexes. */
export async function openOrderList({ connection }: MongoHandle): Promise<OrderList> {
  const orders = connection.getClient().db(connection.name).collection<ListedOrder>(listCollection);
  await orders.createIndexes([
    { key: { tenant: 1, placed: -1 }, name: 'newest_first' },
    { key: { tenant: 1, store: 1, placed: -1 }, name: 'of_a_store' },
    { key: { tenant: 1, standing: 1, placed: -1 }, name: 'by_standing' },
    { key: { tenant: 1, unmapped: 1, placed: -1 }, name: 'unmapped' },
  ]);
  return {
    page({ tenant, store, state, unmapped, before, limit }) {
      const wanted = {
        tenant,
        ...(store === undefined ? {} : { store }),
        ...(state === undefined ? {} : { standing: state }),
        ...(unmapped === undefined ? {} : { unmapped }),
        ...(before === undefined ? {} : { placed: { $lt: before } }),
      };
      return orders.find(wanted).sort({ placed: -1 }).limit(limit).toArray();
    },
  };
}

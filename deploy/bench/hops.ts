import { topics, type Topic } from '@evenkeel/contracts';
import { median, quantile } from './statistics.ts';

/** What a sale passes on its way to the other store: each record is read by the service named, which writes to its database and sends the next. */
export const path: readonly { readonly topic: Topic; readonly reader: string }[] = [
  { topic: topics.marketplaceOrders, reader: 'order' },
  { topic: topics.orderEvents, reader: 'reservation' },
  { topic: topics.reservationEvents, reader: 'stock' },
  { topic: topics.stockMovements, reader: 'sync-policy' },
  { topic: topics.shopifyPushRequests, reader: 'connector-shopify' },
];

/** One sale, in milliseconds since the epoch. */
export interface Sale {
  readonly soldAt: number;
  /** When the record of each topic of {@link path} was sent. */
  readonly records: readonly number[];
  /** When the other store's marketplace applied the write. */
  readonly shownAt: number;
}

/** Milliseconds. */
export interface LatencyResult {
  readonly sales: number;
  /** From the sale to the order's record: the wait for the poll, and the poll. */
  readonly poll: number;
  /** From the order's record to the connector's call. */
  readonly p50: number;
  readonly p99: number;
  readonly hops: readonly { readonly reader: string; readonly p50: number }[];
  readonly rawHop: number;
  readonly rawInsert: number;
}

export function latencyOf(
  sales: readonly Sale[],
  raw: { readonly hops: readonly number[]; readonly inserts: readonly number[] },
): LatencyResult {
  const all = sales.map(({ records, shownAt }) => shownAt - (records[0] ?? Number.NaN));
  return {
    sales: sales.length,
    poll: median(sales.map(({ soldAt, records }) => (records[0] ?? Number.NaN) - soldAt)),
    p50: median(all),
    p99: quantile(all, 0.99),
    hops: path.map(({ reader }, hop) => ({
      reader,
      p50: median(sales.map(({ records, shownAt }) => ([...records, shownAt][hop + 1] ?? Number.NaN) - (records[hop] ?? Number.NaN))),
    })),
    rawHop: median(raw.hops),
    rawInsert: median(raw.inserts),
  };
}

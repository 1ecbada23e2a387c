import type { CallOptions, MarketplaceOrder } from '@evenkeel/connector-kit';
import type { EtsyApi } from './etsy-api.ts';
import { soldListing } from './inventory.ts';
import { receipts, type Inventory, type Receipt } from './shapes.ts';

const pageSize = 100;
/** Within a second that fills a page the next one begins this much before the last one's end: so many may leave it meanwhile. */
const pageOverlap = 10;

export interface ReceiptQuery {
  readonly shopId: number;
  /** The time by which they are read, oldest first. */
  readonly by: 'created' | 'updated';
  /** Seconds; what changed within it is read too. */
  readonly from: number;
  readonly unshippedOnly: boolean;
}

/**
 * Receipts by pages, each at least once. Etsy pages by offset, and what changes meanwhile shifts the rest: so each page begins at the time of the
 * last one's end. Only within a second that fills a page the offset moves on.
 */
export async function* pagesOfReceipts(
  api: EtsyApi,
  { shopId, by, from, unshippedOnly }: ReceiptQuery,
  options: CallOptions,
): AsyncGenerator<Receipt[]> {
  const told = new Set<string>();
  const timeOf = (receipt: Receipt) => (by === 'created' ? receipt.created_timestamp : receipt.updated_timestamp);
  for (let [since, offset, more] = [from, 0, true]; more;) {
    const query = new URLSearchParams({
      [by === 'created' ? 'min_created' : 'min_last_modified']: String(since),
      sort_on: by,
      sort_order: 'asc',
      limit: String(pageSize),
      offset: String(offset),
      ...(unshippedOnly ? { was_shipped: 'false', was_canceled: 'false' } : {}),
    });
    const { data } = await api.run({ method: 'GET', path: `/shops/${shopId}/receipts?${query.toString()}`, data: receipts }, options);
    const { results } = data;
    yield results.filter((receipt) => {
      const name = `${receipt.receipt_id} ${receipt.updated_timestamp}`;
      return !told.has(name) && told.add(name);
    });
    const last = results.at(-1);
    more = last !== undefined && results.length === pageSize;
    if (last === undefined) return;
    offset = timeOf(last) > since ? 0 : offset + results.length - pageOverlap;
    since = Math.max(since, timeOf(last));
  }
}

/** Etsy cancels and ships whole orders, and says of a cancellation no other time than that of the last change. */
export function orderOf(receipt: Receipt, inventoryOf: (listing: number) => Inventory | undefined): MarketplaceOrder {
  const { receipt_id: id, is_shipped: isShipped, created_timestamp: created, updated_timestamp: updated, transactions } = receipt;
  const isCancelled = receipt.status.toLowerCase().startsWith('cancel');
  return {
    order: String(id),
    name: String(id),
    placedAt: created * 1_000,
    updatedAt: updated * 1_000,
    cancelledAt: isCancelled ? updated * 1_000 : null,
    lines: transactions.map((transaction) => ({
      line: String(transaction.transaction_id),
      listing: soldListing(transaction, transaction.listing_id ? inventoryOf(transaction.listing_id) : undefined),
      quantity: transaction.quantity,
      cancelled: isCancelled && !isShipped ? transaction.quantity : 0,
      fulfilled: isShipped ? transaction.quantity : 0,
    })),
  };
}

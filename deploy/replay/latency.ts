import type { PushRequested, StockMoved } from '@evenkeel/contracts';
import type { AppliedWrite, Sale } from '@evenkeel/marketplace-sandbox/control';

export type Move = Pick<StockMoved, 'sku' | 'sequence' | 'type' | 'order' | 'after'>;
export type Request = Pick<PushRequested, 'sku' | 'store' | 'listing' | 'available' | 'version'>;
/** What was decided about a row of a SKU's ledger. */
export type Decided = { readonly sku: string; readonly sequence: number; readonly decision: string; readonly reason: string };
export type OwnSale = Pick<Sale, 'order' | 'inventoryItem' | 'at'> & { readonly store: string };
export type OwnWrite = Pick<AppliedWrite, 'inventoryItem' | 'quantityBefore' | 'quantityAfter' | 'at'> & { readonly store: string };

/** How a store's marketplace is written to. */
export interface Market {
  /** What a listing shows at most. */
  readonly most: number;
  /** Whether each write also tells other listings what they have. */
  readonly isWhole: boolean;
}

export interface SaleLatencies {
  /** Milliseconds from each sale to each other store's listing that shows it, in no order. */
  readonly milliseconds: readonly number[];
  /** Sales (of one SKU in one order) whose movement was pushed, and all of them. */
  readonly pushed: number;
  readonly sales: number;
}

const idOf = (...parts: readonly (string | number)[]): string => JSON.stringify(parts);

/**
 * How long each sale took to show on the other stores: from the sale at its marketplace to the first write that another store applied to a
 * listing of that SKU with the movement in it. Sales whose movement was held wait for a later push by design, and are counted apart.
 * `requests` and `writes` stand in the order in which they were made. A request that a newer one superseded at once was never published: what was
 * pushed is what was decided. Above what a listing shows at most a sale changes nothing there, and takes no time.
 */
export function saleLatencies(
  moves: readonly Move[],
  decided: readonly Decided[],
  requests: readonly Request[],
  sales: readonly OwnSale[],
  writes: readonly OwnWrite[],
  marketOf: (store: string) => Market = () => ({ most: Infinity, isWhole: false }),
): SaleLatencies {
  const applied = appliedBySku(requests, writes, marketOf);
  const pushedRows = new Set(decided.filter(isPush).map(({ sku, sequence }) => idOf(sku, sequence)));
  const soldAt = new Map<string, number>();
  const skuOf = new Map(requests.map(({ store, listing, sku }) => [idOf(store, listing), sku]));
  for (const { store, order, inventoryItem, at } of sales) {
    const sale = idOf(store, order, skuOf.get(idOf(store, inventoryItem)) ?? '');
    soldAt.set(sale, Math.min(at, soldAt.get(sale) ?? Infinity));
  }
  const reserved = moves.filter(({ type, order }) => type === 'OrderReserve' && order !== null);
  const pushed = reserved.filter(({ sku, sequence }) => pushedRows.has(idOf(sku, sequence)));
  const milliseconds = pushed.flatMap(({ sku, sequence, order, after }) => {
    const at = soldAt.get(idOf(order?.store ?? '', order?.order ?? '', sku));
    const others = (applied.get(sku) ?? []).filter(({ store }) => store !== order?.store && after.available < marketOf(store).most);
    if (at === undefined) return [];
    return others.flatMap((listing) => {
      const first = listing.writes.find((write) => write.sequence >= sequence);
      return first ? [first.at - at] : [];
    });
  });
  return { milliseconds, pushed: pushed.length, sales: reserved.length };
}

interface AppliedListing {
  readonly store: string;
  readonly writes: readonly { readonly at: number; readonly sequence: number }[];
}

/**
 * The writes of every listing with the ledger sequence that they carried. A marketplace's log names none: each write is taken for the oldest
 * request with its quantity that is not older than the write before. Versions only rise, so that is never newer than the truth, and no
 * latency comes out shorter than it was. Where listings are written as a whole, one that changes nothing was about another: it is left out.
 */
function appliedBySku(
  requests: readonly Request[],
  writes: readonly OwnWrite[],
  marketOf: (store: string) => Market,
): Map<string, AppliedListing[]> {
  const asked = Map.groupBy(requests, ({ store, listing }) => idOf(store, listing));
  const changing = writes.filter(
    ({ store, quantityBefore, quantityAfter }) => !marketOf(store).isWhole || quantityBefore !== quantityAfter,
  );
  const done = Map.groupBy(changing, ({ store, inventoryItem }) => idOf(store, inventoryItem));
  const bySku = new Map<string, AppliedListing[]>();
  for (const [listing, ofListing] of asked) {
    const [first] = ofListing;
    if (!first) continue;
    const applied = { store: first.store, writes: sequencesOf(ofListing, done.get(listing) ?? [], marketOf(first.store).most) };
    bySku.set(first.sku, [...(bySku.get(first.sku) ?? []), applied]);
  }
  return bySku;
}

function sequencesOf(requests: readonly Request[], writes: readonly OwnWrite[], most: number): AppliedListing['writes'] {
  let next = 0;
  return writes.flatMap(({ at, quantityAfter }) => {
    const found = requests.findIndex(({ available }, index) => index >= next && Math.min(most, Math.max(0, available)) === quantityAfter);
    if (found === -1) return [];
    next = found;
    return [{ at, sequence: requests[found]?.version.sequence ?? 0 }];
  });
}

/** The value that `share` of them are at or below; null where there is none. */
export function percentile(values: readonly number[], share: number): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? null;
}

const isPush = ({ decision }: Decided): boolean => decision === 'push';

/** How often each reason was decided, by decision. */
export function countReasons(decided: readonly Decided[], decision: 'push' | 'held'): Map<string, number> {
  const counts = new Map<string, number>();
  for (const each of decided) if (each.decision === decision) counts.set(each.reason, (counts.get(each.reason) ?? 0) + 1);
  return counts;
}

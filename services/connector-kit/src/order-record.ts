import { createHash } from 'node:crypto';
import type { EventOf, Outgoing } from '@evenkeel/chassis';
import { keyOf, topics, type MarketplaceOrderRead } from '@evenkeel/contracts';
import type { MarketplaceOrder } from './marketplace.ts';

export interface StoreIdentity {
  readonly tenant: string;
  readonly store: string;
  readonly marketplace: string;
}

/** What is published of an order, without the time of publishing: the same content is the same text. */
export type OrderContent = Omit<MarketplaceOrderRead, 'at'>;

/**
 * `skuOf`: the SKU that a listing is mapped to; null where it is not. `connectedAt`: when the store was connected, in the marketplace's time.
 */
export function contentOf(
  identity: StoreIdentity,
  order: MarketplaceOrder,
  skuOf: (listing: string) => string | null,
  connectedAt: number | null,
): OrderContent {
  const { tenant, store, marketplace } = identity;
  const { name, placedAt, updatedAt, cancelledAt } = order;
  const lines = order.lines.map(({ line, listing, quantity, cancelled, fulfilled }) => ({
    line,
    listing,
    sku: listing === null ? null : skuOf(listing),
    quantity,
    cancelled,
    fulfilled,
    shippedBefore: 0,
    fulfilledBy: 'seller' as const,
  }));
  return { tenant, store, marketplace, order: order.order, name, placedAt, updatedAt, cancelledAt, lines, connectedAt };
}

/** Sixteen hexadecimal digits of the content. */
const hashOf = (content: OrderContent): string => createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 16);

/** The same of what the marketplace said alone: an order is the same to it however our listings are mapped, and since whenever. */
export const readHashOf = (content: OrderContent): string =>
  hashOf({ ...content, connectedAt: null, lines: content.lines.map((line) => ({ ...line, sku: null })) });

/** What everything that follows from an order of a store carries. */
export const correlationOf = ({ tenant, store, marketplace }: StoreIdentity, order: string): string =>
  `${marketplace}/${keyOf(tenant, store, order)}`;

/** The record of an order as read; the same order, unchanged, has the same id. `at`: when it entered the system. */
export function orderRead(content: OrderContent, at: number): Outgoing {
  const { tenant, store, marketplace, order, updatedAt } = content;
  const key = keyOf(tenant, store, order);
  const event: EventOf<'MarketplaceOrderRead'> = {
    id: `${marketplace}/${key}/${updatedAt}/${hashOf(content)}`,
    type: 'MarketplaceOrderRead',
    time: at,
    correlation: correlationOf(content, order),
    data: { ...content, at },
  };
  return { topic: topics.marketplaceOrders, key: [tenant, store, order], event };
}

import { createMemoryJournal } from '@evenkeel/chassis/testing';
import { describeRoutes } from '@evenkeel/chassis/testing/describe-routes';
import type { MarketplaceOrderRead } from '@evenkeel/contracts';
import { orderAggregate } from '../src/handlers.ts';
import { orderRoutes } from '../src/http.ts';
import { createList, noIncidents } from './doubles.ts';

const line = {
  line: 'a',
  listing: null,
  sku: 'MUG/blue',
  quantity: 900,
  cancelled: 0,
  fulfilled: 0,
  shippedBefore: 0,
  fulfilledBy: 'seller',
} as const;
const order: MarketplaceOrderRead = {
  tenant: 'acme',
  store: 'a',
  connectedAt: null,
  marketplace: 'shopify',
  order: 'a',
  name: '#1',
  placedAt: 1,
  updatedAt: 2,
  cancelledAt: null,
  lines: [line],
  at: 3,
};

describeRoutes('order', () => {
  const memory = createMemoryJournal(orderAggregate, undefined);
  for (const store of ['a', 'sku 1', '1'])
    for (const id of ['a', 'order-1', '7'])
      memory.take({ id: `${store}/${id}`, type: 'MarketplaceOrderRead', time: 3, correlation: 'c', data: { ...order, store, order: id } });
  return orderRoutes({ ...memory, list: createList(memory.published), incidents: noIncidents });
});

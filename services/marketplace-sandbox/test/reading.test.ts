import { describe, expect, test } from '@jest/globals';
import type { Order } from '../src/control-client.ts';
import { openTestShop, type TestShop } from './test-sandbox.ts';

interface OrderPage {
  nodes: { id: string; name: string; updatedAt: string; lineItems: { nodes: { sku: string }[] } }[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

const ordersSince = `query Orders($q: String!, $first: Int!, $after: String) {
  orders(first: $first, query: $q, sortKey: UPDATED_AT, after: $after) {
    nodes { id name createdAt updatedAt cancelledAt displayFinancialStatus displayFulfillmentStatus
      lineItems(first: 20) { nodes { id sku quantity currentQuantity unfulfilledQuantity variant { inventoryItem { id } } } pageInfo { hasNextPage endCursor } } }
    pageInfo { hasNextPage endCursor }
  }
}`;

async function readOrders(tea: TestShop, from: number, first = 50): Promise<OrderPage['nodes']> {
  const read: OrderPage['nodes'] = [];
  for (let after: string | null = null, more = true; more;) {
    const { data } = await tea.query(ordersSince, { q: `updated_at:>='${new Date(from).toISOString()}'`, first, after });
    const page = data.orders as OrderPage;
    read.push(...page.nodes);
    ({ hasNextPage: more, endCursor: after } = page.pageInfo);
  }
  return read;
}

const buy = (tea: TestShop, ...quantities: number[]): Promise<Order> =>
  tea.control.placeOrder('tea', { lines: quantities.map((quantity) => ({ sku: 'TEA', quantity })) });

describe('orders', () => {
  test('are read since a time, that time included, oldest change first, each once', async () => {
    await using tea = await openTestShop();
    await tea.put('TEA', 100);
    const placed: Order[] = [];
    for (let count = 0; count < 7; count += 1) placed.push(await buy(tea, 1));
    const from = (placed[2] as Order).updatedAt;
    expect((await readOrders(tea, from, 2)).map(({ name }) => name)).toEqual(['#1003', '#1004', '#1005', '#1006', '#1007']);
  });

  test('are told open from cancelled', async () => {
    await using tea = await openTestShop();
    await tea.put('TEA', 100);
    const [open, cancelled] = [await buy(tea, 1), await buy(tea, 1)];
    await tea.control.cancelOrder('tea', cancelled.id);
    const read = async (q: string) => ((await tea.query(ordersSince, { q, first: 10 })).data.orders as OrderPage).nodes.map(({ id }) => id);
    expect(await read('status:open')).toEqual([open.id]);
    expect(await read('status:cancelled')).toEqual([cancelled.id]);
    expect(await read('status:open AND updated_at:<2020-01-01')).toEqual([]);
  });

  test('that change move to the end, with a later time than any before', async () => {
    await using tea = await openTestShop();
    await tea.put('TEA', 100);
    const [first] = [await buy(tea, 1), await buy(tea, 1)];
    await tea.control.fulfilOrder('tea', first.id);
    const read = await readOrders(tea, 0);
    expect(read.map(({ name }) => name)).toEqual(['#1002', '#1001']);
    expect(read[1]).toMatchObject({ displayFulfillmentStatus: 'FULFILLED', displayFinancialStatus: 'PAID', cancelledAt: null });
  });

  test('of a bulk call have rising times, none twice, also when the clock goes back', async () => {
    await using tea = await openTestShop({ acceptEverySale: true });
    await tea.put('TEA', 0);
    const order = { lines: [{ sku: 'TEA', quantity: 1 }] };
    await tea.control.placeOrders(
      'tea',
      Array.from({ length: 300 }, () => order),
    );
    await tea.control.configure('tea', { clockOffsetMilliseconds: -3_600_000 });
    await tea.control.placeOrder('tea', order);
    const times = (await readOrders(tea, 0)).map(({ updatedAt }) => Date.parse(updatedAt));
    expect(times).toHaveLength(301);
    expect(times.every((at, index) => index === 0 || at > (times[index - 1] as number))).toBe(true);
  });

  test('of 592 lines give them all, page by page', async () => {
    await using tea = await openTestShop({ acceptEverySale: true });
    const skus = Array.from({ length: 592 }, (_, index) => `SKU-${index}`);
    await tea.control.putProducts('tea', skus.map((sku) => ({ sku, quantity: 0 }))); // prettier-ignore
    const order = await tea.control.placeOrder('tea', { lines: skus.map((sku) => ({ sku, quantity: 1 })) });
    const rest = `query Lines($ids: [ID!]!, $after: String) { nodes(ids: $ids) { ... on Order {
      lineItems(first: 250, after: $after) { nodes { sku } pageInfo { hasNextPage endCursor } } } } }`;
    const read: string[] = [];
    for (let after: string | null = null, more = true; more;) {
      const { data } = await tea.query(rest, { ids: [order.id], after });
      const { nodes, pageInfo } = data.nodes[0].lineItems as OrderPage['nodes'][0]['lineItems'] & OrderPage;
      read.push(...nodes.map(({ sku }) => sku));
      ({ hasNextPage: more, endCursor: after } = pageInfo);
    }
    expect(read).toEqual(skus);
  });
});

describe('listings', () => {
  const items = `query Items($q: String, $after: String) { inventoryItems(first: 2, query: $q, after: $after) {
    nodes { id sku tracked variant { product { status } } } pageInfo { hasNextPage endCursor } } }`;

  test('are paged through, with SKUs that are missing, blank or shared', async () => {
    await using tea = await openTestShop();
    const skus = ['TEA', null, '', 'TEA', ' TEA'];
    await tea.control.putProducts('tea', skus.map((sku) => ({ sku, quantity: 1 }))); // prettier-ignore
    const read: (string | null)[] = [];
    for (let after: string | null = null, more = true; more;) {
      const { data } = await tea.query(items, { after });
      read.push(...data.inventoryItems.nodes.map(({ sku }: { sku: string | null }) => sku));
      ({ hasNextPage: more, endCursor: after } = data.inventoryItems.pageInfo);
    }
    expect(read).toEqual(skus);
  });

  test('are found by SKU, whatever the case of its letters', async () => {
    await using tea = await openTestShop();
    await tea.control.putProducts('tea', ['Green Tea', 'green tea', 'TEA'].map((sku) => ({ sku, quantity: 1 }))); // prettier-ignore
    const { data } = await tea.query(items, { q: `sku:'green tea'` });
    expect(data.inventoryItems.nodes.map(({ sku }: { sku: string }) => sku)).toEqual(['Green Tea', 'green tea']);
  });

  test('are read back by id: what can be sold, what lies there, what is promised', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 10);
    await buy(tea, 3);
    const { data } = await tea.query(
      `query ReadBack($ids: [ID!]!, $loc: ID!) { nodes(ids: $ids) { ... on InventoryItem { id sku
        inventoryLevel(locationId: $loc) { isActive quantities(names: ["available", "on_hand", "committed"]) { name quantity } } } } }`,
      { ids: [product.inventoryItem, 'gid://shopify/InventoryItem/999999'], loc: product.location },
    );
    expect(data.nodes).toEqual([
      {
        id: product.inventoryItem,
        sku: 'TEA',
        inventoryLevel: {
          isActive: true,
          quantities: [
            { name: 'available', quantity: 7 },
            { name: 'on_hand', quantity: 10 },
            { name: 'committed', quantity: 3 },
          ],
        },
      },
      null,
    ]);
  });

  test('tell the shop and its locations apart', async () => {
    await using tea = await openTestShop({ locations: ['Front', 'Back'], plan: 'plus' });
    const { data } = await tea.query('{ shop { name myshopifyDomain plan { publicDisplayName } } locations(first: 50) { nodes { id name isActive } } }'); // prettier-ignore
    expect(data.shop).toEqual({ name: 'tea', myshopifyDomain: 'tea.myshopify.com', plan: { publicDisplayName: 'Shopify Plus' } });
    expect(data.locations.nodes.map(({ name }: { name: string }) => name)).toEqual(['Front', 'Back']);
  });
});

import { describe, expect, test } from '@jest/globals';
import { openTestShop, type TestShop } from './test-sandbox.ts';

const order = (quantity: number, more: object = {}) => ({ lines: [{ sku: 'TEA', quantity }], ...more });

async function levels(tea: TestShop): Promise<[available: number, onHand: number, committed: number] | undefined> {
  const [row] = (await tea.control.quantities('tea')).rows;
  return row && [row.available, row.onHand, row.committed];
}
const sold = async (tea: TestShop) => (await tea.control.sales('tea')).rows.map(({ kind, quantity }) => [kind, quantity]);

describe('a sale', () => {
  test("lowers the shop's own quantity at once", async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 5);
    const placed = await tea.control.placeOrder('tea', order(2));
    expect(await levels(tea)).toEqual([3, 5, 2]);
    const [sale] = (await tea.control.sales('tea')).rows;
    expect(sale).toEqual({
      number: 1,
      kind: 'order',
      order: placed.id,
      line: placed.lines[0]?.id,
      inventoryItem: product.inventoryItem,
      location: product.location,
      quantity: 2,
      at: placed.createdAt,
    });
  });

  test('of what the shop does not show is refused, and leaves the other orders of the call alone', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 1);
    const placed = await tea.control.placeOrders('tea', [order(1), order(1), order(1, { force: true })]);
    expect(placed.map(({ accepted }) => accepted)).toEqual([true, false, true]);
    expect(placed[1]).toEqual({
      accepted: false,
      refusal: { line: 0, inventoryItem: product.inventoryItem, sku: 'TEA', available: 0 },
    });
    expect(await levels(tea)).toEqual([-1, 1, 2]);
    await expect(tea.control.placeOrder('tea', order(1))).rejects.toThrow('nobody can buy it');
  });

  test('of more than there is goes through, unless the shop denies overselling', async () => {
    await using tea = await openTestShop();
    await tea.put('TEA', 2);
    await tea.control.configure('tea', { refuseWithoutStock: true });
    expect((await tea.control.placeOrders('tea', [{ lines: [{ sku: 'TEA', quantity: 1 }, { sku: 'TEA', quantity: 2 }] }]))[0]?.accepted).toBe(false); // prettier-ignore
    await tea.control.configure('tea', { refuseWithoutStock: false });
    await tea.control.placeOrder('tea', order(3));
    expect(await levels(tea)).toEqual([-1, 2, 3]);
  });

  test('is never refused by a shop that accepts every one', async () => {
    await using tea = await openTestShop({ acceptEverySale: true });
    await tea.put('TEA', 0);
    await tea.control.placeOrders('tea', [order(1), order(5)]);
    expect(await levels(tea)).toEqual([-6, 0, 6]);
  });

  test('of something that is not in the shop refuses the whole call', async () => {
    await using tea = await openTestShop();
    await tea.put('TEA', 5);
    const coffee = { lines: [{ sku: 'COFFEE', quantity: 1 }] };
    await expect(tea.control.placeOrders('tea', [order(1), coffee])).rejects.toThrow('no product with SKU COFFEE');
    expect(await levels(tea)).toEqual([5, 5, 0]);
  });

  test('is counted on the writes that come after it', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 5);
    await tea.control.placeOrders('tea', [order(1), order(1)]);
    await tea.setAvailable([{ product, quantity: 9 }], 'key-1');
    expect((await tea.control.writes('tea')).rows).toMatchObject([{ quantityBefore: 3, quantityAfter: 9, salesCounter: 2 }]);
  });
});

describe('what becomes of an order', () => {
  test('cancelled, its units can be sold again', async () => {
    await using tea = await openTestShop();
    await tea.put('TEA', 5);
    const placed = await tea.control.placeOrder('tea', order(2));
    const cancelled = await tea.control.cancelOrder('tea', placed.id);
    expect(cancelled).toMatchObject({ displayFinancialStatus: 'REFUNDED', cancelledAt: cancelled.updatedAt });
    expect(cancelled.lines).toMatchObject([{ quantity: 2, currentQuantity: 0, unfulfilledQuantity: 0 }]);
    expect(await levels(tea)).toEqual([5, 5, 0]);
    expect(await sold(tea)).toEqual([['order', 2], ['cancel', -2]]); // prettier-ignore
    await expect(tea.control.fulfilOrder('tea', placed.id)).rejects.toThrow('is cancelled');
  });

  test('cancelled in part, the rest stays open', async () => {
    await using tea = await openTestShop();
    await tea.put('TEA', 5);
    const placed = await tea.control.placeOrder('tea', order(3));
    const line = placed.lines[0]?.id ?? '';
    const changed = await tea.control.cancelOrder('tea', placed.id, { lines: [{ line, quantity: 1 }] });
    expect(changed).toMatchObject({ cancelledAt: null, lines: [{ quantity: 3, currentQuantity: 2, unfulfilledQuantity: 2 }] });
    expect(await levels(tea)).toEqual([3, 5, 2]);
  });

  test('edited, the listing follows in both directions, also by a new line', async () => {
    await using tea = await openTestShop();
    await tea.put('TEA', 5);
    const placed = await tea.control.placeOrder('tea', order(2));
    const line = placed.lines[0]?.id ?? '';
    const more = await tea.control.editOrder('tea', placed.id, { lines: [{ line, quantity: 4 }] });
    expect(more.lines).toMatchObject([{ quantity: 4, currentQuantity: 4, unfulfilledQuantity: 4 }]);
    const less = await tea.control.editOrder('tea', placed.id, { lines: [{ line, quantity: 1 }], add: [{ sku: 'TEA', quantity: 1 }] });
    expect(less.lines).toMatchObject([{ quantity: 4, currentQuantity: 1 }, { quantity: 1, currentQuantity: 1 }]); // prettier-ignore
    expect(less.updatedAt).toBeGreaterThan(more.updatedAt);
    expect(await levels(tea)).toEqual([3, 5, 2]);
    expect(await sold(tea)).toEqual([['order', 2], ['edit', 2], ['edit', -3], ['edit', 1]]); // prettier-ignore
  });

  test('fulfilled in two parcels, what can be sold does not change', async () => {
    await using tea = await openTestShop();
    await tea.put('TEA', 5);
    const placed = await tea.control.placeOrder('tea', order(3));
    const line = placed.lines[0]?.id ?? '';
    const first = await tea.control.fulfilOrder('tea', placed.id, { lines: [{ line, quantity: 2 }] });
    expect(first).toMatchObject({ displayFulfillmentStatus: 'PARTIALLY_FULFILLED', lines: [{ unfulfilledQuantity: 1 }] });
    expect(await levels(tea)).toEqual([2, 3, 1]);
    await expect(tea.control.fulfilOrder('tea', placed.id, { lines: [{ line, quantity: 2 }] })).rejects.toThrow('only 1 left to fulfil');
    expect(await tea.control.fulfilOrder('tea', placed.id)).toMatchObject({ displayFulfillmentStatus: 'FULFILLED' });
    expect(await levels(tea)).toEqual([2, 2, 0]);
  });

  test('refunded, nothing comes back to the listing', async () => {
    await using tea = await openTestShop();
    await tea.put('TEA', 5);
    const placed = await tea.control.placeOrder('tea', order(3));
    const line = placed.lines[0]?.id ?? '';
    expect(await tea.control.refundOrder('tea', placed.id)).toMatchObject({
      displayFinancialStatus: 'REFUNDED',
      lines: [{ currentQuantity: 3, unfulfilledQuantity: 3 }],
    });
    expect(await levels(tea)).toEqual([2, 5, 3]);
    await tea.control.refundOrder('tea', placed.id, { lines: [{ line, quantity: 1 }] });
    expect(await levels(tea)).toEqual([2, 4, 2]);
  });

  test('cancelled after its product was deleted, there is nothing to give back', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 5);
    const placed = await tea.control.placeOrder('tea', order(1));
    await tea.control.deleteProduct('tea', product.inventoryItem);
    expect((await tea.control.cancelOrder('tea', placed.id)).cancelledAt).not.toBeNull();
    expect(await sold(tea)).toEqual([['order', 1]]);
  });
});

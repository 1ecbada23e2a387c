import { describe, expect, test } from '@jest/globals';
import { collect, openTestShop } from './test-sandbox.ts';

describe('the control port', () => {
  test('keeps shops apart, resets one and deletes one', async () => {
    await using tea = await openTestShop();
    await tea.control.createShop({ name: 'coffee', token: 'other' });
    await tea.control.putProducts('coffee', [{ sku: 'TEA', quantity: 1 }]);
    await tea.put('TEA', 5);
    await tea.control.placeOrder('tea', { lines: [{ sku: 'TEA', quantity: 1 }] });

    await tea.control.resetShop('tea');
    const counted = [await tea.control.quantities('tea'), await tea.control.sales('tea'), await tea.control.orders('tea')];
    expect(counted).toEqual([1, 2, 3].map(() => ({ rows: [], next: null })));
    expect((await tea.control.quantities('coffee')).rows).toHaveLength(1);
    await tea.control.deleteShop('coffee');
    expect((await tea.control.shops()).map(({ name }) => name)).toEqual(['tea']);
    await expect(tea.control.quantities('coffee')).rejects.toThrow('there is no shop coffee');
  });

  test('puts thousands of products in one call and pages through all of them', async () => {
    await using tea = await openTestShop();
    const products = Array.from({ length: 12_000 }, (_, index) => ({ sku: `SKU-${index}`, quantity: index }));
    const put = await tea.control.putProducts('tea', products);
    const listed = await collect(tea.control.allQuantities('tea'));
    expect(listed.map(({ inventoryItem, sku }) => `${inventoryItem} ${sku}`)).toEqual(put.map(({ inventoryItem, sku }) => `${inventoryItem} ${sku}`)); // prettier-ignore
    expect(listed.reduce((sum, { available }) => sum + available, 0)).toBe((11_999 * 12_000) / 2);
  });

  test('pages through the log of writes from any number', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 5);
    for (const quantity of [1, 2, 3]) await tea.setAvailable([{ product, quantity }], `key-${quantity}`);
    const first = await tea.control.writes('tea', 0, 2);
    expect([first.rows.map(({ number }) => number), first.next]).toEqual([[1, 2], 2]);
    const rest = await tea.control.writes('tea', 2, 2);
    expect([rest.rows.map(({ number }) => number), rest.next]).toEqual([[3], null]);
  });

  test('lets a quantity drift without a trace in the logs', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 5);
    await tea.control.drift('tea', { inventoryItem: product.inventoryItem, available: 42 });
    expect(await tea.available(product)).toBe(42);
    expect([await tea.control.writes('tea'), await tea.control.sales('tea')]).toEqual([1, 2].map(() => ({ rows: [], next: null })));
  });

  test('says what is wrong with a request, and creates nothing', async () => {
    await using tea = await openTestShop();
    await expect(tea.control.createShop({ name: 'No Name', token: 'x' })).rejects.toThrow('lower-case letters');
    await expect(tea.control.createShop({ name: 'coffee', token: 'x', colour: 'red' } as never)).rejects.toThrow('colour');
    await expect(tea.control.putProducts('tea', [{ sku: 'A', quantity: 1.5 }])).rejects.toThrow('quantity');
    await expect(tea.control.placeOrders('tea', [{ lines: [{ sku: 'TEA', quantity: 0 }] }])).rejects.toThrow('400');
    await expect(tea.control.createShop({ name: 'tea', token: 'x' })).rejects.toMatchObject({ status: 409 });
    await expect(tea.control.order('tea', 'gid://shopify/Order/77')).rejects.toMatchObject({ status: 404 });
    expect(await tea.control.shops()).toHaveLength(1);
  });
});

import { describe, expect, test } from '@jest/globals';
import type { Product } from '../src/control-client.ts';
import { openTestShop, quantitiesInput, setQuantitiesMutation, type TestShop } from './test-sandbox.ts';

const unknownItem = (product: Product): Product => ({ ...product, inventoryItem: 'gid://shopify/InventoryItem/999999' });

async function firstUserError(tea: TestShop, input: object) {
  const { data } = await tea.query(setQuantitiesMutation, { input, key: crypto.randomUUID() });
  expect(data.inventorySetQuantities.inventoryAdjustmentGroup).toBeNull();
  return data.inventorySetQuantities.userErrors[0];
}

describe('setting quantities', () => {
  test('shows them at once, moves on hand alike, and notes each write in the order applied', async () => {
    await using tea = await openTestShop();
    const [green, black] = [await tea.put('GREEN', 10), await tea.put('BLACK', 3)];
    const { data } = await tea.setAvailable([{ product: green, quantity: 4 }, { product: black, quantity: -5 }], 'key-1'); // prettier-ignore

    expect(data.inventorySetQuantities.userErrors).toEqual([]);
    expect(data.inventorySetQuantities.inventoryAdjustmentGroup.changes[0]).toEqual({
      name: 'available',
      delta: -6,
      quantityAfterChange: null,
      item: { id: green.inventoryItem },
      location: { id: green.location },
    });
    const { rows } = await tea.control.quantities('tea');
    expect(rows.map(({ sku, available, onHand }) => [sku, available, onHand])).toEqual([['GREEN', 4, 4], ['BLACK', -5, -5]]); // prettier-ignore
    const { rows: writes } = await tea.control.writes('tea');
    expect(writes).toMatchObject([
      { number: 1, idempotencyKey: 'key-1', inventoryItem: green.inventoryItem, location: green.location, quantityBefore: 10, quantityAfter: 4, salesCounter: 0 }, // prettier-ignore
      { number: 2, idempotencyKey: 'key-1', inventoryItem: black.inventoryItem, location: black.location, quantityBefore: 3, quantityAfter: -5, salesCounter: 0 }, // prettier-ignore
    ]);
  });

  test('is all or nothing: one unknown item, and no listing moves', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('GREEN', 10);
    const input = quantitiesInput([{ product, quantity: 4 }, { product: unknownItem(product), quantity: 4 }]); // prettier-ignore
    expect(await firstUserError(tea, input)).toEqual({
      code: 'INVALID_INVENTORY_ITEM',
      field: ['input', 'quantities', '1', 'inventoryItemId'],
      message: 'The specified inventory item could not be found.',
    });
    expect(await tea.available(product)).toBe(10);
    expect((await tea.control.writes('tea')).rows).toEqual([]);
  });

  test('that compares with what was there is refused once a shopper was faster', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('GREEN', 10);
    await tea.control.placeOrder('tea', { lines: [{ sku: 'GREEN', quantity: 1 }] });
    const stale = await firstUserError(tea, quantitiesInput([{ product, quantity: 4, changeFrom: 10 }]));
    expect(stale).toMatchObject({ code: 'CHANGE_FROM_QUANTITY_STALE', field: ['input', 'quantities', '0', 'changeFromQuantity'] });
    const fresh = await tea.setAvailable([{ product, quantity: 4, changeFrom: 9 }], 'key-2');
    expect(fresh.data.inventorySetQuantities.userErrors).toEqual([]);
  });

  test('to what is there already changes nothing, and is noted', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('GREEN', 10);
    const { data } = await tea.setAvailable([{ product, quantity: 10 }], 'key-1');
    expect(data.inventorySetQuantities).toEqual({ inventoryAdjustmentGroup: null, userErrors: [] });
    expect((await tea.control.writes('tea')).rows).toMatchObject([{ quantityBefore: 10, quantityAfter: 10 }]);
  });

  test('refuses each thing with its own code', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('GREEN', 10);
    const good = quantitiesInput([{ product, quantity: 4 }]);
    const with_ = (change: object) => ({ ...good, quantities: [{ ...good.quantities[0], ...change }] });
    const codes = [
      await firstUserError(tea, { ...good, name: 'committed' }),
      await firstUserError(tea, { ...good, reason: 'because' }),
      await firstUserError(tea, { ...good, referenceDocumentUri: 'no uri' }),
      await firstUserError(tea, with_({ locationId: 'gid://shopify/Location/999' })),
      await firstUserError(tea, with_({ quantity: 1_000_000_001 })),
      await firstUserError(tea, with_({ quantity: -1_000_000_001 })),
      await firstUserError(tea, { ...with_({ quantity: -5 }), name: 'on_hand' }),
      await firstUserError(tea, { ...good, quantities: [...good.quantities, ...good.quantities] }),
    ].map(({ code }) => code);
    expect(codes).toEqual([
      'INVALID_NAME',
      'INVALID_REASON',
      'INVALID_REFERENCE_DOCUMENT',
      'INVALID_LOCATION',
      'INVALID_QUANTITY_TOO_HIGH',
      'INVALID_QUANTITY_TOO_LOW',
      'INVALID_QUANTITY_NEGATIVE',
      'NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR',
    ]);
  });

  test("never reaches another shop's listing", async () => {
    await using tea = await openTestShop();
    await tea.control.createShop({ name: 'coffee', token: 'other' });
    const [foreign] = await tea.control.putProducts('coffee', [{ sku: 'GREEN', quantity: 7 }]);
    const error = await firstUserError(tea, quantitiesInput([{ product: foreign as Product, quantity: 1 }]));
    expect(error.code).toBe('INVALID_INVENTORY_ITEM');
    expect((await tea.control.quantities('coffee')).rows[0]?.available).toBe(7);
  });
});

describe('a mutation that the real API would not take', () => {
  test('without @idempotent is refused', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('GREEN', 10);
    const bare = setQuantitiesMutation.replace(' @idempotent(key: $key)', '').replace(', $key: String!', '');
    const { data, errors } = await tea.query(bare, { input: quantitiesInput([{ product, quantity: 4 }]) });
    expect(data).toEqual({ inventorySetQuantities: null });
    expect(errors).toMatchObject([
      {
        message: 'The @idempotent directive is required for this mutation but was not provided.',
        extensions: { code: 'BAD_REQUEST' },
        path: ['inventorySetQuantities'],
      },
    ]);
  });

  test('without changeFromQuantity is refused: null has to be said', async () => {
    await using tea = await openTestShop();
    const { changeFromQuantity: _, ...quantity } = quantitiesInput([{ product: await tea.put('GREEN', 10), quantity: 4 }]).quantities[0]!;
    const { errors } = await tea.query(setQuantitiesMutation, { input: { name: 'available', reason: 'correction', quantities: [quantity] }, key: 'k' }); // prettier-ignore
    expect(errors).toMatchObject([
      {
        message: 'InventoryQuantityInput must include the following argument: changeFromQuantity.',
        extensions: { code: 'INVALID_FIELD_ARGUMENTS' },
      },
    ]);
  });

  test("with an older version's fields is told which", async () => {
    await using tea = await openTestShop();
    const input = { ...quantitiesInput([{ product: await tea.put('GREEN', 10), quantity: 4 }]), ignoreCompareQuantity: true };
    const { errors, data } = await tea.query(setQuantitiesMutation, { input, key: 'k' });
    expect(data).toBeUndefined();
    expect(errors?.[0]?.extensions).toMatchObject({
      code: 'INVALID_VARIABLE',
      problems: [{ path: ['ignoreCompareQuantity'], explanation: 'Field is not defined on InventorySetQuantitiesInput' }],
    });
  });

  test('with 251 quantities is refused, with 250 it is not', async () => {
    await using tea = await openTestShop();
    const products = await tea.control.putProducts('tea', Array.from({ length: 251 }, () => ({ sku: 'X', quantity: 1 }))); // prettier-ignore
    const quantities = products.map((product) => ({ product, quantity: 2 }));
    const refused = await tea.setAvailable(quantities, 'key-1');
    expect(refused.errors).toMatchObject([{ extensions: { code: 'MAX_INPUT_SIZE_EXCEEDED' } }]);
    const accepted = await tea.setAvailable(quantities.slice(1), 'key-2');
    expect(accepted.data.inventorySetQuantities.userErrors).toEqual([]);
    expect((await tea.control.quantities('tea')).rows.map(({ available }) => available)).toEqual([1, ...Array<number>(250).fill(2)]);
  });
});

import { describe, expect, test } from '@jest/globals';
import { openEtsyShop, putOf, type Answer, type TestEtsyShop } from './etsy-shop.ts';
import { openTestShop } from './test-sandbox.ts';

const colours = [
  { sku: 'BLUE', quantity: 3, values: { Colour: 'blue' } },
  { sku: 'RED', quantity: 2, values: { Colour: 'red' } },
];

async function mug(tea: TestEtsyShop) {
  const [listing] = await tea.control.putListings('tea', [{ title: 'Mug', variants: colours }]);
  const [blue, red] = listing!.offerings;
  return { id: listing!.listing, blue: blue!.inventoryItem, red: red!.inventoryItem };
}

const inventoryOf = async (tea: TestEtsyShop, id: number) => (await tea.call('GET', `/listings/${id}/inventory?includes=Listing`)).body;
const put = async (tea: TestEtsyShop, id: number, quantities: number[], key = 'key') =>
  tea.call('PUT', `/listings/${id}/inventory`, { body: putOf(await inventoryOf(tea, id), quantities), headers: { 'x-request-id': key } });
const stateOf = async (tea: TestEtsyShop, id: number) => (await tea.control.listing('tea', id)).state;
const quantitiesOf = async (tea: TestEtsyShop, id: number) =>
  (await tea.control.listing('tea', id)).offerings.map(({ quantity }) => quantity);
const setState = (tea: TestEtsyShop, id: number, state: string) =>
  tea.call('PATCH', `/shops/${tea.shop.etsy.shopId}/listings/${id}`, { form: { state } });

describe("an Etsy shop's door", () => {
  test('opens to the app and its seller alone, in words that are the real ones', async () => {
    await using tea = await openEtsyShop();
    const headers = (name: string, value: string) => ({ headers: { [name]: value } });
    expect(await tea.call('GET', '/users/me')).toMatchObject({
      status: 200,
      body: { user_id: tea.shop.etsy.userId, shop_id: tea.shop.etsy.shopId },
    });
    expect(await tea.call('GET', '/users/me', headers('x-api-key', 'teaapp'))).toMatchObject({
      status: 403,
      body: { error: expect.stringContaining("in the format 'keystring:shared_secret'") },
    });
    expect((await tea.call('GET', '/users/me', headers('x-api-key', 'teaapp:wrong'))).status).toBe(403);
    expect(await tea.call('GET', '/users/me', headers('authorization', 'Bearer 1.x'))).toMatchObject({
      status: 401,
      body: { error: 'invalid_token' },
    });
  });

  test('an expired token is renewed; what it was renewed with is worth nothing afterwards, nor anything once consent is taken back', async () => {
    await using tea = await openEtsyShop();
    await tea.control.expireTokens('tea');
    expect(await tea.call('GET', '/users/me')).toMatchObject({
      status: 401,
      body: { error: 'invalid_token', error_description: 'access token is expired' },
    });
    const renewed = await tea.renew(tea.tokens.refreshToken);
    expect(renewed).toMatchObject({ status: 200, body: { token_type: 'Bearer', expires_in: 3_600 } });
    const authorization = `Bearer ${renewed.body.access_token}`;
    expect((await tea.call('GET', '/users/me', { headers: { authorization } })).status).toBe(200);
    const revoked = { status: 400, body: { error: 'invalid_grant', error_description: 'refresh_token is revoked' } };
    expect(await tea.renew(tea.tokens.refreshToken)).toMatchObject(revoked);
    await tea.control.revokeTokens('tea');
    expect((await tea.call('GET', '/users/me', { headers: { authorization } })).status).toBe(401);
    expect(await tea.renew(renewed.body.refresh_token)).toMatchObject(revoked);
  });

  test('every answer tells the rate; the second is judged before the day, and a refusal tells only how long to wait', async () => {
    await using tea = await openEtsyShop({ requestsPerSecond: 1_000, requestsPerDay: 3 });
    const { headers } = await tea.call('GET', '/users/me');
    const told = ['x-limit-per-second', 'x-remaining-this-second', 'x-limit-per-day', 'x-remaining-today'].map((name) => headers.get(name));
    expect(told).toEqual(['1000', '999', '3', '2']);
    for (let calls = 0; calls < 2; calls += 1) await tea.call('GET', '/users/me');
    const refused = await tea.call('GET', '/users/me');
    expect([refused.status, refused.headers.get('x-remaining-today')]).toEqual([429, null]);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(80_000);
    await tea.control.configureEtsy('tea', { requestsPerSecond: 1 });
    const atOnce = await Promise.all([1, 2, 3, 4].map(async () => tea.call('GET', '/users/me')));
    expect(atOnce.map((answer) => answer.headers.get('retry-after'))).toContain('1');
  });

  test('has nothing of the control port, and a shop of one marketplace is none of the other', async () => {
    await using tea = await openEtsyShop();
    for (const path of ['/__sim/shops', '/v3/application/nothing', '/tea/admin/api/2026-10/graphql.json'])
      expect((await fetch(tea.contractUrl + path, { method: 'POST' })).status).toBe(404);
    await using shopify = await openTestShop();
    await expect(shopify.control.issueTokens('tea')).rejects.toMatchObject({ status: 422 });
  });
});

describe('an Etsy listing', () => {
  test('is written as a whole: each variant has what was put, a new product id, and a row in the log', async () => {
    await using tea = await openEtsyShop();
    const { id, blue, red } = await mug(tea);
    const before = await inventoryOf(tea, id);
    expect(before).toMatchObject({ listing: { state: 'active', quantity: 5, has_variations: true }, quantity_on_property: [513] });
    const answer = await put(tea, id, [7, 2], 'push-1');
    expect(answer.status).toBe(200);
    expect(await quantitiesOf(tea, id)).toEqual([7, 2]);
    const ids = (inventory: { products: { product_id: number }[] }) => inventory.products.map(({ product_id: product }) => product);
    expect(ids(answer.body)).not.toEqual(ids(before));
    const { rows } = await tea.control.writes('tea');
    expect(rows).toEqual([
      expect.objectContaining({ number: 1, idempotencyKey: 'push-1', inventoryItem: blue, quantityBefore: 3, quantityAfter: 7 }),
      expect.objectContaining({ number: 2, idempotencyKey: 'push-1', inventoryItem: red, quantityBefore: 2, quantityAfter: 2 }),
    ]);
  });

  test.each([
    ['a product id', (body: Answer['body']) => (body.products[0].product_id = 1)],
    ['an offering id', (body: Answer['body']) => (body.products[0].offerings[0].offering_id = 1)],
    ['a scale name', (body: Answer['body']) => (body.products[0].property_values[0].scale_name = 'x')],
    [
      'a price as it is read',
      (body: Answer['body']) => (body.products[0].offerings[0].price = { amount: 1, divisor: 100, currency_code: 'USD' }),
    ],
    ['no readiness state', (body: Answer['body']) => delete body.products[0].offerings[0].readiness_state_id],
    ['a thousand units', (body: Answer['body']) => (body.products[0].offerings[0].quantity = 1_000)],
    ['less than nothing', (body: Answer['body']) => (body.products[0].offerings[0].quantity = -1)],
    ['empty property values', (body: Answer['body']) => (body.products[0].property_values[0].values = [])],
    ['the same variant twice', (body: Answer['body']) => (body.products[1] = body.products[0])],
    [
      'nothing of any variant',
      (body: Answer['body']) => body.products.forEach((product: Answer['body']) => (product.offerings[0].quantity = 0)),
    ],
    ['other quantities where they are the same by its own account', (body: Answer['body']) => (body.quantity_on_property = [])],
  ] as [string, (body: Answer['body']) => unknown][])('is refused with %s, and stays as it was', async (_what, spoil) => {
    await using tea = await openEtsyShop();
    const { id } = await mug(tea);
    const body = putOf(await inventoryOf(tea, id), [5, 6]);
    spoil(body);
    const answer = await tea.call('PUT', `/listings/${id}/inventory`, { body });
    expect(answer).toMatchObject({ status: 400, body: { error: expect.any(String) } });
    expect(await quantitiesOf(tea, id)).toEqual([3, 2]);
    expect((await tea.control.writes('tea')).rows).toEqual([]);
  });

  test('that is gone keeps its name in the log of what was written to it', async () => {
    await using tea = await openEtsyShop();
    const { id, blue, red } = await mug(tea);
    await put(tea, id, [7, 2], 'push-1');
    for (const variant of [blue, red]) await tea.control.deleteProduct('tea', variant);
    const { rows } = await tea.control.writes('tea');
    expect(rows.map(({ inventoryItem }) => inventoryItem)).toEqual([blue, red]);
  });

  test('that is off sale may be at nothing, and comes back with what was put meanwhile', async () => {
    await using tea = await openEtsyShop();
    const { id } = await mug(tea);
    expect(await put(tea, id, [0, 0])).toMatchObject({ status: 400, body: { error: 'One offering must have quantity greater than 0' } });
    expect(await setState(tea, id, 'inactive')).toMatchObject({ status: 200, body: { state: 'inactive' } });
    expect((await put(tea, id, [0, 0])).status).toBe(200);
    await put(tea, id, [4, 0]);
    await setState(tea, id, 'active');
    expect([await stateOf(tea, id), await quantitiesOf(tea, id)]).toEqual(['active', [4, 0]]);
  });

  test('whose last unit is bought is sold out; made active again it is renewed with a single unit', async () => {
    await using tea = await openEtsyShop();
    const { id, blue, red } = await mug(tea);
    await tea.control.placeOrder('tea', { lines: [{ inventoryItem: blue, quantity: 3 }] });
    expect(await stateOf(tea, id)).toBe('active');
    await tea.control.placeOrder('tea', { lines: [{ inventoryItem: red, quantity: 2 }] });
    expect([await stateOf(tea, id), await quantitiesOf(tea, id)]).toEqual(['sold_out', [0, 0]]);
    await expect(tea.control.placeOrder('tea', { lines: [{ sku: 'RED', quantity: 1 }] })).rejects.toMatchObject({ status: 409 });
    await setState(tea, id, 'active');
    expect([await stateOf(tea, id), await quantitiesOf(tea, id)]).toEqual(['active', [1, 0]]);
  });

  test('that is not active cannot be bought; nobody buys more than is there, and forced sales stop at nothing', async () => {
    await using tea = await openEtsyShop();
    const { id, blue } = await mug(tea);
    const buy = (quantity: number, force = false) => tea.control.placeOrder('tea', { lines: [{ inventoryItem: blue, quantity }], force });
    await expect(buy(4)).rejects.toMatchObject({ status: 409 });
    await buy(5, true);
    expect(await quantitiesOf(tea, id)).toEqual([0, 2]);
    expect((await tea.control.sales('tea')).rows).toMatchObject([{ quantity: 3 }]);
    await setState(tea, id, 'inactive');
    await expect(tea.control.placeOrder('tea', { lines: [{ sku: 'RED', quantity: 1 }] })).rejects.toMatchObject({ status: 409 });
  });

  test('whose variants share their quantity has one, under its own number', async () => {
    await using tea = await openEtsyShop();
    const variants = ['S', 'M'].map((size) => ({ sku: 'SHIRT', quantity: 5, values: { Size: size } }));
    const [shirt] = await tea.control.putListings('tea', [{ variants, quantityVariesBy: [] }]);
    expect(shirt?.offerings.map(({ inventoryItem }) => inventoryItem)).toEqual([String(shirt?.listing), String(shirt?.listing)]);
    await tea.control.placeOrder('tea', { lines: [{ sku: 'SHIRT', quantity: 2 }] });
    expect(await quantitiesOf(tea, shirt!.listing)).toEqual([3, 3]);
  });

  test('can be found by its state, by pages, and among others by its number', async () => {
    await using tea = await openEtsyShop();
    await tea.control.putProducts(
      'tea',
      Array.from({ length: 30 }, (_, index) => ({ sku: `S-${index}`, quantity: index })),
    );
    const page = (query: string) => tea.call('GET', `/shops/${tea.shop.etsy.shopId}/listings?${query}`);
    const first = await page('state=active&limit=20&includes=Inventory');
    expect([first.body.count, first.body.results.length]).toEqual([29, 20]);
    expect(first.body.results[0].inventory.products[0]).toMatchObject({ sku: 'S-1', offerings: [{ quantity: 1 }] });
    expect((await page('state=active&limit=20&offset=20')).body.results).toHaveLength(9);
    expect((await page('state=sold_out')).body.results).toMatchObject([{ state: 'sold_out' }]);
    const [one, two] = first.body.results;
    const batch = await tea.call('GET', `/listings/batch?listing_ids=${one.listing_id},${two.listing_id},999&includes=Inventory`);
    expect(batch.body.results).toMatchObject([{ listing_id: one.listing_id }, { listing_id: two.listing_id }]);
    expect((await tea.call('GET', '/listings/999/inventory')).status).toBe(404);
  });
});

describe('an Etsy receipt', () => {
  const receipts = async (tea: TestEtsyShop, query: string) =>
    (await tea.call('GET', `/shops/${tea.shop.etsy.shopId}/receipts?sort_on=updated&sort_order=asc&${query}`)).body;

  test('says what was sold of which variant, and that it was shipped', async () => {
    await using tea = await openEtsyShop();
    const { id, blue } = await mug(tea);
    const order = await tea.control.placeOrder('tea', { lines: [{ inventoryItem: blue, quantity: 2 }] });
    const [receipt] = (await receipts(tea, 'limit=10')).results;
    expect(receipt).toMatchObject({
      receipt_id: Number(order.id),
      status: 'paid',
      is_shipped: false,
      transactions: [
        { listing_id: id, sku: 'BLUE', quantity: 2, variations: [{ property_id: 513, formatted_name: 'Colour', formatted_value: 'blue' }] },
      ],
    });
    await tea.control.fulfilOrder('tea', order.id);
    expect((await receipts(tea, 'was_shipped=true')).results).toMatchObject([{ status: 'completed', shipments: [{}] }]);
    expect((await receipts(tea, 'was_shipped=false')).results).toEqual([]);
  });

  test('that is cancelled says so and gives nothing back; parts are not cancelled, nor is anything edited', async () => {
    await using tea = await openEtsyShop();
    const { id, blue } = await mug(tea);
    const order = await tea.control.placeOrder('tea', { lines: [{ inventoryItem: blue, quantity: 2 }] });
    const [line] = order.lines;
    await expect(tea.control.cancelOrder('tea', order.id, { lines: [{ line: line!.id, quantity: 1 }] })).rejects.toMatchObject({
      status: 422,
    });
    await expect(tea.control.editOrder('tea', order.id, { lines: [{ line: line!.id, quantity: 1 }] })).rejects.toMatchObject({
      status: 422,
    });
    await tea.control.cancelOrder('tea', order.id);
    expect((await receipts(tea, '')).results).toMatchObject([{ status: 'canceled', transactions: [{ quantity: 2 }] }]);
    expect(await quantitiesOf(tea, id)).toEqual([1, 2]);
  });

  test('is found by when it last changed, to the second, and by pages', async () => {
    await using tea = await openEtsyShop({ acceptEverySale: true });
    const { blue } = await mug(tea);
    await tea.control.placeOrders(
      'tea',
      Array.from({ length: 30 }, () => ({ lines: [{ inventoryItem: blue, quantity: 1 }] })),
    );
    const all = await receipts(tea, 'limit=100');
    expect(all.count).toBe(30);
    const [first] = all.results;
    expect((await receipts(tea, `min_last_modified=${first.updated_timestamp}&limit=100`)).count).toBe(30);
    expect((await receipts(tea, `min_last_modified=${first.updated_timestamp + 60}`)).count).toBe(0);
    const ids = (page: { results: { receipt_id: number }[] }) => page.results.map(({ receipt_id: id }) => id);
    expect([...ids(await receipts(tea, 'limit=20')), ...ids(await receipts(tea, 'limit=20&offset=20'))]).toEqual(ids(all));
  });
});

test('a lost answer of an Etsy call has taken effect, a lost call has not, and a failing token endpoint is its own trouble', async () => {
  await using tea = await openEtsyShop();
  const { id } = await mug(tea);
  await tea.control.setFaults('tea', { dropNextMutations: 1 });
  await expect(put(tea, id, [9, 9])).rejects.toThrow('fetch failed');
  expect(await quantitiesOf(tea, id)).toEqual([3, 2]);
  await tea.control.setFaults('tea', { dropAnswerOfNextMutations: 1 });
  await expect(put(tea, id, [8, 8])).rejects.toThrow('fetch failed');
  expect(await quantitiesOf(tea, id)).toEqual([8, 8]);
  await tea.control.setFaults('tea', { failNextTokenCalls: { calls: 1, status: 500 }, failNext: { calls: 1, status: 503 } });
  expect((await tea.renew(tea.tokens.refreshToken)).status).toBe(500);
  expect((await tea.renew(tea.tokens.refreshToken)).status).toBe(200);
  expect((await tea.call('GET', '/users/me')).status).toBe(503);
  expect(tea.logged).toEqual([]);
});

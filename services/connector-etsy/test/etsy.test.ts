import { createHmac } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { failureOf } from '../src/errors.ts';
import { groupOf, isEmpty, isSameStructure, offeredOf, soldListing, updateOf } from '../src/inventory.ts';
import type { Inventory } from '../src/shapes.ts';
import { verifyWebhook } from '../src/webhooks.ts';

/** A listing of one or two properties with every combination of their values, whose quantity varies by some of them. */
const anInventory: fc.Arbitrary<Inventory> = fc
  .record({
    sizes: fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 }),
    colours: fc.uniqueArray(fc.integer({ min: 1, max: 50 }), { maxLength: 4 }),
    varies: fc.subarray([513, 514]),
    quantities: fc.array(fc.integer({ min: 0, max: 999 }), { minLength: 16, maxLength: 16 }),
    cents: fc.integer({ min: 20, max: 100_000 }),
  })
  .map(({ sizes, colours, varies, quantities, cents }) => {
    const by = varies.filter((id) => id === 513 || colours.length > 0);
    const products = sizes.flatMap((size, first) =>
      (colours.length > 0 ? colours : [null]).map((colour, second) => ({
        product_id: 100 + first * 10 + second,
        sku: `S-${size}-${colour ?? ''}`,
        offerings: [
          {
            quantity: quantities[(by.includes(513) ? first * 4 : 0) + (by.includes(514) ? second : 0)] ?? 0,
            is_enabled: true,
            price: { amount: cents, divisor: 100 },
            readiness_state_id: 7,
          },
        ],
        property_values: [
          { property_id: 513, property_name: 'Size', scale_id: null, value_ids: [size], values: [`${size}`] },
          ...(colour === null
            ? []
            : [{ property_id: 514, property_name: 'Colour', scale_id: 3, value_ids: [colour], values: [`${colour}`] }]),
        ],
      })),
    );
    return { products, price_on_property: [], quantity_on_property: by, sku_on_property: [513], readiness_state_on_property: [] };
  });

describe('an Etsy listing taken apart', () => {
  test('and put together again is what it was, but for what is read and may not be written', () => {
    fc.assert(
      fc.property(anInventory, (inventory) => {
        const update = updateOf(9, inventory, new Map());
        expect(update.products.map(({ offerings }) => offerings[0]?.quantity)).toEqual(
          inventory.products.map(({ offerings }) => offerings[0]?.quantity),
        );
        const [product] = update.products;
        expect(Object.keys(product ?? {}).toSorted()).toEqual(['offerings', 'property_values', 'sku']);
        expect(Object.keys(product?.offerings[0] ?? {}).toSorted()).toEqual(['is_enabled', 'price', 'quantity', 'readiness_state_id']);
        expect(product?.offerings[0]?.price).toBeCloseTo((inventory.products[0]?.offerings[0]?.price.amount ?? 0) / 100, 2);
        expect(update.sku_on_property).toEqual([513]);
      }),
    );
  });

  test('has one listing of ours per quantity: each product has exactly one, and all of it is one group', () => {
    fc.assert(
      fc.property(anInventory, (inventory) => {
        const offered = offeredOf(9, inventory);
        expect(new Set(offered.map(({ listing }) => listing)).size).toBe(offered.length);
        expect(offered.map(({ listing }) => groupOf(listing))).toEqual(offered.map(() => '9'));
        if (inventory.quantity_on_property.length === 0) expect(offered.map(({ listing }) => listing)).toEqual(['9']);
        const sold = new Set(inventory.products.map((product) => soldListing({ transaction_id: 1, listing_id: 9, product_id: product.product_id, quantity: 1, variations: [] }, inventory))); // prettier-ignore
        expect(sold).toEqual(new Set(offered.map(({ listing }) => listing)));
      }),
    );
  });

  test('of which one quantity is written has every other as it was read', () => {
    fc.assert(
      fc.property(anInventory, fc.nat(), fc.integer({ min: 0, max: 999 }), (inventory, pick, quantity) => {
        const offered = offeredOf(9, inventory);
        const chosen = offered[pick % offered.length];
        if (!chosen) return;
        const update = updateOf(9, inventory, new Map([[chosen.listing, quantity]]));
        const written: Inventory = { ...inventory, products: inventory.products.map((product, index) => ({ ...product, offerings: product.offerings.map((offering) => ({ ...offering, quantity: update.products[index]?.offerings[0]?.quantity ?? -1 })) })) }; // prettier-ignore
        expect(offeredOf(9, written)).toEqual(offered.map((each) => (each.listing === chosen.listing ? { ...each, quantity } : each)));
        expect(isEmpty(update)).toBe(offeredOf(9, written).every((each) => each.quantity === 0));
        expect(isSameStructure(inventory, written)).toBe(true);
      }),
    );
  });

  test('keeps the names of its variants though every write gives them new product ids, and orders find them by what was chosen', () => {
    fc.assert(
      fc.property(anInventory, fc.integer({ min: 1_000, max: 9_000 }), fc.nat(), (inventory, shift, pick) => {
        const rewritten = { ...inventory, products: inventory.products.map((each) => ({ ...each, product_id: each.product_id + shift })) };
        expect(offeredOf(9, rewritten)).toEqual(offeredOf(9, inventory));
        const product = inventory.products[pick % inventory.products.length];
        if (!product) return;
        const variations = product.property_values.map(({ property_id, value_ids }) => ({ property_id, value_id: value_ids[0] ?? null }));
        const transaction = { transaction_id: 1, listing_id: 9, product_id: product.product_id, quantity: 1, variations };
        expect(soldListing(transaction, rewritten)).toBe(soldListing({ ...transaction, variations: [] }, inventory));
      }),
    );
  });

  test('is told apart by a SKU that only one variant has, and by nothing where Etsy no longer says what was bought', () => {
    const [inventory] = fc.sample(
      anInventory.filter(({ products, quantity_on_property: by }) => products.length > 1 && by.length > 0),
      1,
    );
    const sold = { transaction_id: 1, listing_id: 9, product_id: 1, quantity: 1, variations: [] };
    const [product] = inventory?.products ?? [];
    expect(offeredOf(9, inventory!).map(({ listing }) => listing)).toContain(soldListing({ ...sold, sku: product?.sku }, inventory));
    expect(soldListing({ ...sold, listing_id: null }, inventory)).toBeNull();
    expect(soldListing({ ...sold, variations: [{ property_id: 513, value_id: 4 }] }, undefined)).toBe('9/513:4');
  });
});

test.each([
  [429, '{"error":"x"}', 'throttled', 'HTTP_429'],
  [401, '{"error":"invalid_token","error_description":"access token is expired"}', 'credential', 'invalid_token'],
  [400, '{"error":"invalid_grant","error_description":"refresh_token is revoked"}', 'credential', 'invalid_grant'],
  [403, `{"error":"Invalid API key: should be in the format 'keystring:shared_secret'."}`, 'credential', 'HTTP_403'],
  [403, '{"error":"User is not the owner of this listing"}', 'permanent_listing', 'HTTP_403'],
  [404, '{"error":"Could not find a listing"}', 'permanent_listing', 'HTTP_404'],
  [400, '{"error":"Property values can\'t be empty"}', 'permanent_listing', 'HTTP_400'],
  [409, '{"error":"Conflict"}', 'bug', 'HTTP_409'],
  [500, '{"error":"Server Error"}', 'transient', 'HTTP_500'],
  [503, '<html>', 'transient', 'HTTP_503'],
])('HTTP %i %s is %s', (status, text, failureClass, code) => {
  expect(failureOf(status, text, undefined)).toMatchObject({ class: failureClass, code });
});

test('a rate that is used up is waited for as long as Etsy says', () => {
  expect(failureOf(429, '', '7200').waitMilliseconds).toBe(7_200_000);
  expect(failureOf(429, '', undefined).waitMilliseconds).toBe(1_000);
});

describe("Etsy's webhook", () => {
  const key = Buffer.from('a key of twenty-four bytes');
  const secret = `whsec_${key.toString('base64')}`;
  const now = 1_800_000_000_000;
  const body = Buffer.from('{"event_type":"order.paid","resource_url":"https://x/v3/application/shops/7/receipts/12","shop_id":7}');
  const signatureOf = (id: string, timestamp: number, of = body, by = key) =>
    `v1,${createHmac('sha256', by).update(`${id}.${timestamp}.`).update(of).digest('base64')}`;
  const verify = (headers: Record<string, string>, of = body) => verifyWebhook({ body: of, header: (name) => headers[name], secret, now });
  const signed = (timestamp = now / 1_000, signature = signatureOf('msg_1', timestamp)) => ({
    'webhook-id': 'msg_1',
    'webhook-timestamp': String(timestamp),
    'webhook-signature': signature,
  });

  test('that is genuine says which order of which shop has changed', () => {
    expect(verify(signed())).toEqual({ account: '7', delivery: 'msg_1', order: '12' });
    expect(verify(signed(now / 1_000, `v1,bm90IGl0 ${signatureOf('msg_1', now / 1_000)}`))).toMatchObject({ order: '12' });
    const other = Buffer.from('not JSON at all');
    expect(verify(signed(now / 1_000, signatureOf('msg_1', now / 1_000, other)), other)).toEqual({
      account: null,
      delivery: 'msg_1',
      order: null,
    });
  });

  test.each([
    ['of another body', signed(), Buffer.from(body.toString().replace('12', '13'))],
    ['of another id', { ...signed(), 'webhook-id': 'msg_2' }, body],
    ['by another key', signed(now / 1_000, signatureOf('msg_1', now / 1_000, body, Buffer.from('another key'))), body],
    ['of another version', signed(now / 1_000, signatureOf('msg_1', now / 1_000).replace('v1', 'v0')), body],
    ['that is empty', signed(now / 1_000, 'v1,'), body],
    ['of six minutes ago', signed(now / 1_000 - 360), body],
    ['of six minutes ahead', signed(now / 1_000 + 360), body],
    ['of no time', { ...signed(), 'webhook-timestamp': 'soon' }, body],
    ['without a signature', { 'webhook-id': 'msg_1', 'webhook-timestamp': String(now / 1_000) }, body],
  ])('%s is refused', (_what, headers, of) => {
    expect(() => verify(headers as Record<string, string>, of)).toThrow('webhook');
  });
});

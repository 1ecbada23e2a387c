import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createLogger } from '@evenkeel/chassis';
import { createGateway, createRateGovernor, MarketplaceError, type Memo } from '@evenkeel/connector-kit';
import { describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { openEtsyApi, type EtsyApi } from '../src/etsy-api.ts';
import { failureOf } from '../src/errors.ts';
import type { updateOf } from '../src/inventory.ts';
import { pushListing } from '../src/push.ts';

/** What the sandbox does not do: a listing that changes between the read and the write, and a marketplace that is stricter than we know. */

const inventory = (colours: readonly number[], quantity = 3) => ({
  products: colours.map((colour) => ({
    product_id: colour,
    sku: `S-${colour}`,
    offerings: [{ quantity, is_enabled: true, price: { amount: 500, divisor: 100 }, readiness_state_id: null }],
    property_values: [{ property_id: 513, property_name: 'Colour', scale_id: null, value_ids: [colour], values: [`${colour}`] }],
  })),
  price_on_property: [],
  quantity_on_property: [513],
  sku_on_property: [513],
  readiness_state_on_property: [],
});
const read = (colours: readonly number[], state = 'active') => ({ ...inventory(colours), listing: { listing_id: 9, state } });
const refusal = (status: number, error: string) => new MarketplaceError(failureOf(status, JSON.stringify({ error }), undefined), 'no');

/** Answers the requests in this order, and tells what was asked. */
function answering(answers: readonly (object | MarketplaceError)[]) {
  const asked: string[] = [];
  const prepaid: boolean[] = [];
  /** The quantities of each write, by SKU. */
  const written: Record<string, number | undefined>[] = [];
  const left = [...answers];
  const api: EtsyApi = {
    run({ method, path, body, data }, options) {
      prepaid.push(options.prepaid ?? false);
      const sent = body && 'form' in body ? JSON.stringify(body.form) : '';
      asked.push([method, path.split('/').at(-1)?.split('?')[0], sent].filter((part) => part !== '').join(' '));
      if (body && 'json' in body) {
        const { products } = body.json as ReturnType<typeof updateOf>;
        written.push(Object.fromEntries(products.map(({ sku, offerings }) => [sku, offerings[0]?.quantity])));
      }
      const answer = left.shift();
      if (answer === undefined) return Promise.reject(new Error(`nobody answers ${asked.at(-1)}`));
      return answer instanceof MarketplaceError ? Promise.reject(answer) : Promise.resolve({ data: data.parse(answer), date: 0 });
    },
    close: () => Promise.resolve(),
  };
  return { api, asked, prepaid, written };
}

async function push(answers: readonly (object | MarketplaceError)[], quantity: number, memo: Memo | null = null, listing = '9/513:1') {
  const { api, asked, prepaid, written } = answering(answers);
  const remembered: (Memo | null)[] = [];
  const remember = async (given: Memo | null) => void remembered.push(given);
  const target = { api, shopId: 7, renewSoldOut: false, onRead: () => undefined };
  const items = [{ listing, quantity, expected: null }];
  const [result] = await pushListing(target, { key: 'key', items }, { priority: 'normal', memo, remember });
  return { result, asked, prepaid, remembered, written };
}

describe('a write that Etsy refuses', () => {
  test('is made once more where the listing was made up anew since it was read', async () => {
    const { result, asked } = await push([read([1]), refusal(400, 'Invalid property'), read([1, 2]), inventory([1, 2])], 5);
    expect(asked).toEqual(['GET inventory', 'PUT inventory', 'GET inventory', 'PUT inventory']);
    expect(result).toMatchObject({ outcome: 'applied' });
  });

  test('and would refuse again is a matter of that listing', async () => {
    const { result, asked } = await push([read([1]), refusal(400, 'Invalid price'), read([1])], 5);
    expect(asked).toHaveLength(3);
    expect(result).toMatchObject({ outcome: 'rejected', failure: { class: 'permanent_listing', message: 'Invalid price' } });
  });

  test('because nothing may be put at nothing, not even off sale, leaves it off sale all the same', async () => {
    const refused = refusal(400, 'One offering must have quantity greater than 0');
    const { result, asked, remembered } = await push([read([1]), { listing_id: 9, state: 'inactive' }, refused, read([1], 'inactive')], 0);
    expect(asked.slice(0, 3)).toEqual(['GET inventory', 'PATCH 9 {"state":"inactive"}', 'PUT inventory']);
    expect(result).toMatchObject({ outcome: 'applied' });
    expect(remembered).toEqual([{ deactivated: true }, { deactivated: true, notZeroed: '9/513:1' }]);
  });

  test('because nothing may be put at nothing, leaves no variant to come back on sale with what it had', async () => {
    const refused = refusal(400, 'One offering must have quantity greater than 0');
    const off = { listing_id: 9, state: 'inactive' };
    const { remembered } = await push([read([1]), off, refused, read([1], 'inactive')], 0);
    const back = [read([1, 2], 'inactive'), inventory([1, 2]), { listing_id: 9, state: 'active' }];
    const { written, remembered: then } = await push(back, 4, remembered.at(-1) ?? null, '9/513:2');
    expect(written).toEqual([{ 'S-1': 0, 'S-2': 4 }]);
    expect(then.at(-1)).toBeNull();
  });

  test('is not known to have failed where Etsy itself was in trouble, and nobody takes it for a matter of the listing', async () => {
    const trouble = new MarketplaceError(failureOf(500, '{"error":"Server Error"}', undefined), 'unknown');
    await expect(push([read([1]), trouble], 5)).rejects.toMatchObject({ applied: 'unknown', failure: { class: 'transient' } });
  });
});

// A push whose first read was lost left its listings in flight for as long as a write may take to show.
test('a read that is lost on its way has changed nothing, of a write nobody knows', async () => {
  const server = createServer((request) => void request.socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const gateway = createGateway({ log: createLogger('refusals', 'silent'), governor: createRateGovernor(), isOwner: () => true });
  const api = openEtsyApi({ url: `http://127.0.0.1:${port}`, apiKey: 'k:s', accessToken: () => '1.t', gateway });
  const ask = (method: 'GET' | 'PUT') => api.run({ method, path: '/', data: z.unknown() }, { priority: 'normal' });
  await expect(ask('GET')).rejects.toMatchObject({ applied: 'no', failure: { class: 'transient' } });
  await expect(ask('PUT')).rejects.toMatchObject({ applied: 'unknown', failure: { class: 'transient' } });
  await api.close();
  gateway.close();
  server.close();
});

// The write was paid for twice: once when its read was, and once more by itself.
test('the rate that a push has reserved pays for its read and its write, and for nothing else', async () => {
  expect((await push([read([1]), inventory([1])], 5)).prepaid).toEqual([true, true]);
  const { prepaid } = await push([read([1]), refusal(400, 'Invalid property'), read([1, 2]), inventory([1, 2])], 5);
  expect(prepaid).toEqual([true, true, false, false]);
});

// It was taken for a refusal of each listing, and every listing of the store was quarantined.
test('a consent that does not cover what is asked is a matter of the store, not of its listings', () => {
  const text = JSON.stringify({ error: 'insufficient_scope', error_description: 'listings_w is needed' });
  expect(failureOf(403, text, undefined)).toMatchObject({ class: 'credential', code: 'insufficient_scope' });
  expect(failureOf(403, JSON.stringify({ error: 'The listing is not yours' }), undefined).class).toBe('permanent_listing');
});

test('a listing that we took off sale is put back behind its quantities, and only then forgotten', async () => {
  const back = [read([1], 'inactive'), inventory([1]), { listing_id: 9, state: 'active' }];
  const { asked, remembered } = await push(back, 5, { deactivated: true });
  expect(asked).toEqual(['GET inventory', 'PUT inventory', 'PATCH 9 {"state":"active"}']);
  expect(remembered).toEqual([{ deactivated: true, comingBack: true }, null]);
});

test('a listing that Etsy would not put back on sale is ours to put back later; where nobody knows whether it did, a look tells', async () => {
  const putBack = (error: MarketplaceError) => [read([1], 'inactive'), inventory([1]), error];
  const coming = { deactivated: true, comingBack: true };
  const { api, asked } = answering(putBack(refusal(429, 'Too many')));
  const remembered: (Memo | null)[] = [];
  const remember = async (given: Memo | null) => void remembered.push(given);
  const target = { api, shopId: 7, renewSoldOut: false, onRead: () => undefined };
  const batch = { key: 'key', items: [{ listing: '9/513:1', quantity: 5, expected: null }] };
  const options = { priority: 'normal', memo: { deactivated: true }, remember } as const;
  await expect(pushListing(target, batch, options)).rejects.toMatchObject({ failure: { class: 'throttled' } });
  expect(asked.at(-1)).toBe('PATCH 9 {"state":"active"}');
  expect(remembered.splice(0)).toEqual([coming, { deactivated: true }]);
  const unknown = new MarketplaceError(failureOf(500, '', undefined), 'unknown');
  const lost = answering(putBack(unknown));
  await expect(pushListing({ ...target, api: lost.api }, batch, options)).rejects.toMatchObject({ applied: 'unknown' });
  expect(remembered).toEqual([coming]);
});

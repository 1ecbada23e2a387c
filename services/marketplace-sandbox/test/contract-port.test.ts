import { DatabaseSync } from 'node:sqlite';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { openTestShop } from './test-sandbox.ts';

const probe = { query: '{ shop { name } }' };

describe('the contract port', () => {
  test('answers a wrong or missing access token as the real one does', async () => {
    await using tea = await openTestShop();
    for (const wrong of ['', 'shpat_other']) {
      const answer = await tea.post(probe, { 'x-shopify-access-token': wrong });
      expect(answer.status).toBe(401);
      expect(await answer.json()).toEqual({ errors: '[API] Invalid API key or access token (unrecognized login or wrong password)' });
    }
  });

  test('stops taking a token once the shop has another', async () => {
    await using tea = await openTestShop();
    await tea.control.configure('tea', { token: 'shpat_new' });
    expect((await tea.post(probe)).status).toBe(401);
    expect((await tea.post(probe, { 'x-shopify-access-token': 'shpat_new' })).status).toBe(200);
  });

  test('has one route, and nothing of the control port', async () => {
    await using tea = await openTestShop();
    const paths = ['/__sim/shops', '/readyz', '/tea/admin/api/2025-01/graphql.json', '/no-such-shop/admin/api/2026-10/graphql.json'];
    const answers = await Promise.all(paths.map((path) => fetch(tea.contractUrl + path, { method: 'POST' })));
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404, 404]);
    expect((await fetch(`${tea.contractUrl}/tea/admin/api/2026-10/graphql.json`)).status).toBe(404);
  });

  test.each([
    ['no JSON', '{'],
    ['no query', '{"variables":{}}'],
    ['a query that is no text', '{"query":1}'],
  ])('refuses a body with %s', async (_what, body) => {
    // prettier-ignore
    await using tea = await openTestShop();
    expect((await tea.post(body)).status).toBe(400);
  });

  test.each([
    ['a field that does not exist', '{ shop { colour } }', "Field 'colour' doesn't exist on type 'Shop'"],
    ['no size of a page', '{ orders { nodes { id } } }', 'you must provide one of first or last'],
    ['too large a page', '{ orders(first: 251) { nodes { id } } }', '"first" cannot exceed 250'],
    ['a cursor of its own making', '{ orders(first: 1, after: "x") { nodes { id } } }', 'Invalid cursor for current pagination sort.'],
    ['a search it cannot read', '{ orders(first: 1, query: "since:ever") { nodes { id } } }', "Invalid search query: 'since' is not one of updated_at, created_at, status."], // prettier-ignore
    ['something that is no id', '{ nodes(ids: ["42"]) { id } }', "Invalid global id '42'"],
  ])('refuses a query with %s', async (_what, query, message) => {
    await using tea = await openTestShop();
    const { data, errors } = await tea.query(query);
    expect(errors?.map((error) => error.message)).toEqual([message]);
    expect(data ?? null).toBeNull();
  });

  test('tells what each call cost, and gives back what was not used', async () => {
    await using tea = await openTestShop({ rateLimit: { maximumAvailable: 1_000, restoreRate: 0.001 } });
    await tea.put('TEA', 1);
    const { extensions } = await tea.query('{ inventoryItems(first: 250) { nodes { id } } }');
    expect(extensions?.cost).toEqual({
      requestedQueryCost: 27,
      actualQueryCost: 3,
      throttleStatus: { maximumAvailable: 1_000, currentlyAvailable: 997, restoreRate: 0.001 },
    });
  });

  test('throttles in HTTP 200, and lets through again when the bucket has filled', async () => {
    await using tea = await openTestShop({ rateLimit: { maximumAvailable: 30, restoreRate: 0.001 } });
    const product = await tea.put('TEA', 1);
    for (let call = 0; call < 3; call += 1) await tea.setAvailable([{ product, quantity: call }], `key-${call}`);
    const throttled = await tea.setAvailable([{ product, quantity: 9 }], 'key-9');
    expect(throttled).toMatchObject({
      errors: [{ message: 'Throttled', extensions: { code: 'THROTTLED' } }],
      extensions: { cost: { requestedQueryCost: 10, actualQueryCost: null, throttleStatus: { currentlyAvailable: 0 } } },
    });
    expect(throttled.data).toBeUndefined();
    expect(await tea.available(product)).toBe(2);
    expect(await tea.control.calls('tea')).toEqual({ calls: 4, throttled: 1, refused: 0 });

    await tea.control.configure('tea', { rateLimit: { maximumAvailable: 30, restoreRate: 1_000_000 } });
    expect((await tea.setAvailable([{ product, quantity: 9 }], 'key-9')).data.inventorySetQuantities.userErrors).toEqual([]);
  });

  test('has the published limits of the plan unless told otherwise', async () => {
    await using tea = await openTestShop({ plan: 'advanced' });
    const { extensions } = await tea.query(probe.query);
    expect(extensions?.cost.throttleStatus).toMatchObject({ maximumAvailable: 4_000, restoreRate: 200 });
  });

  test('refuses a query that costs too much in one go, and takes those a connector sends', async () => {
    await using tea = await openTestShop();
    const orders = (first: number, lines: number) =>
      `{ orders(first: ${first}) { nodes { id lineItems(first: ${lines}) { nodes { id variant { id inventoryItem { id } } } } } } }`;
    expect((await tea.query(orders(250, 250))).errors?.[0]?.extensions).toMatchObject({ code: 'MAX_COST_EXCEEDED', maxCost: 1_000 });
    expect((await tea.query(orders(50, 100))).errors).toBeUndefined();
    expect((await tea.query(orders(250, 100))).errors).toBeUndefined();
  });

  test('fails as often as it was told to, without effect', async () => {
    await using tea = await openTestShop();
    await tea.control.setFaults('tea', { failNext: { calls: 2, status: 429, retryAfterSeconds: 2 } });
    const [first, second, third] = [await tea.post(probe), await tea.post(probe), await tea.post(probe)];
    expect([first.status, second.status, third.status]).toEqual([429, 429, 200]);
    expect(first.headers.get('retry-after')).toBe('2.0');
  });

  test('drops a mutation before it takes effect when told to', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 1);
    await tea.control.setFaults('tea', { dropNextMutations: 1 });
    await expect(tea.setAvailable([{ product, quantity: 9 }], 'key-1')).rejects.toThrow('fetch failed');
    expect(await tea.available(product)).toBe(1);
  });

  test('answers 500 and says so loudly rather than break its own contract', async () => {
    using directory = mkdtempDisposableSync(join(tmpdir(), 'sandbox-'));
    const statePath = join(directory.path, 'state.sqlite');
    await using tea = await openTestShop({}, statePath);
    await tea.put('TEA', 1);
    const file = new DatabaseSync(statePath);
    file.exec("UPDATE items SET status = 'MISLAID'");
    file.close();
    const answer = await tea.post({ query: '{ inventoryItems(first: 1) { nodes { variant { product { status } } } } }' });
    expect(answer.status).toBe(500);
    expect(tea.logged.map(({ msg }) => msg)).toEqual(['THE SANDBOX BROKE ITS CONTRACT: answered 500']);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openSystem, type System } from '../system.ts';
import { openSeller, until, type Seller } from './seller.ts';

let system: System;
beforeAll(async () => {
  system = await openSystem({ serviceEnv: { 'connector-shopify': { ORDER_POLL_SECONDS: '0.2', ORDERS_FIRST_SECONDS: '600' } } });
}, 120_000);
afterAll(async () => system[Symbol.asyncDispose](), 60_000);

const mug = 'mug';
const bowl = 'bowl';
const amber = 'amber';

type Body = Record<string, unknown>;
const ask = (seller: Seller, method: string, path: string, body?: unknown) => seller.call('connector-shopify', method, path, body);
const storeOf = async (seller: Seller): Promise<Body> => (await ask(seller, 'GET', `/stores/${amber}`)).body;
const listingPath = (seller: Seller, sku: string) => `/stores/${amber}/listings/${encodeURIComponent(seller.itemOf(amber, sku))}`;
const openIncidents = async (seller: Seller) =>
  (await ask(seller, 'GET', '/incidents?state=open')).body['incidents'] as { kind: string; details: Record<string, string> }[];

async function connected(seller: Seller): Promise<Body> {
  return until(
    'the store to be connected',
    () => storeOf(seller),
    ({ state }) => state === 'connected',
  );
}

/** A seller of these, counted to 10 and shown so by the one store. */
async function sellerOf(...skus: string[]): Promise<Seller> {
  const seller = await openSeller(system, { stores: [amber] });
  await seller.open(skus);
  for (const sku of skus) {
    await seller.count(sku, 10);
    await seller.show(sku, 10);
    await seller.quiet(sku);
  }
  return seller;
}

describe('a store that is connected', () => {
  test.each([
    ['where every change is pushed', null],
    ['where only some are', 2],
  ])('has its open orders reserved before anything is pushed to it, %s; what was shipped before is not deducted', async (_, x) => {
    const seller = await openSeller(system, { stores: [amber] });
    await seller.policy({ realTimeAtOrBelow: x, significantUnits: null, everyNth: null });
    await seller.count(mug, 10);
    const shop = seller.shopOf(amber);
    await seller.control.createShop({ name: shop, token: 'shpat_open' });
    await seller.list(amber, [mug], 20);
    await seller.control.configure(shop, { clockOffsetMilliseconds: -3_600_000 });
    await seller.buy(amber, [[mug, 3]]);
    const shipped = await seller.buy(amber, [[mug, 4]]);
    await seller.control.fulfilOrder(shop, shipped.id);
    const half = await seller.buy(amber, [[mug, 2]]);
    await seller.control.fulfilOrder(shop, half.id, { lines: [{ line: half.lines[0]?.id ?? '', quantity: 1 }] });
    await seller.control.configure(shop, { clockOffsetMilliseconds: 0 });
    const answer = await ask(seller, 'POST', '/stores', { store: amber, shop, accessToken: 'shpat_open' });
    expect(answer).toMatchObject({ status: 201, body: { store: { state: 'connecting', import: { state: 'waiting' } } } });
    expect(await connected(seller)).toMatchObject({ status: 'ok', import: { state: 'done', listings: 1, mapped: 1, unmapped: 0 } });
    await seller.levelIs(mug, { onHand: 10, orderReserve: 4, available: 6 });
    await seller.show(mug, 6);
    expect((await seller.writes(amber, mug))[0]).toMatchObject({ quantityAfter: 6 });
  });
});

describe('a listing', () => {
  test('that a person maps to another SKU shows that one at once, though its ledger is younger; and the first one again', async () => {
    const seller = await sellerOf(mug);
    for (const onHand of [11, 12, 13]) await seller.count(mug, onHand);
    await seller.show(mug, 13);
    await seller.count(bowl, 5);
    expect((await seller.level(bowl)).sequence).toBeLessThan((await seller.level(mug)).sequence);
    const mapped = await ask(seller, 'PUT', `${listingPath(seller, mug)}/mapping`, { sku: bowl });
    expect(mapped).toMatchObject({ status: 200, body: { sku: bowl, mapping: 3, mappedBy: 'person', marketplaceSku: mug } });
    await seller.show(mug, 5);
    await ask(seller, 'POST', `/stores/${amber}/listing-imports`);
    expect((await ask(seller, 'GET', `/stores/${amber}/listings?search=BO`)).body).toMatchObject({
      listings: [{ sku: bowl, chosen: { by: 'clara' } }],
    });
    expect(await ask(seller, 'DELETE', `${listingPath(seller, mug)}/mapping`)).toMatchObject({
      status: 200,
      body: { sku: mug, mapping: 5 },
    });
    await seller.show(mug, 13);
  });

  test('is one of several of a SKU, also in one store: each shows what there is, and a sale on one changes the others', async () => {
    const seller = await openSeller(system, { stores: [amber] });
    const shop = seller.shopOf(amber);
    await seller.control.createShop({ name: shop, token: 'shpat_twins' });
    const twins = await seller.control.putProducts(
      shop,
      [1, 2].map(() => ({ sku: mug, quantity: 0 })),
    );
    await ask(seller, 'POST', '/stores', { store: amber, shop, accessToken: 'shpat_twins' });
    await connected(seller);
    await seller.count(mug, 5);
    const shown = async () => {
      const rows = (await seller.control.quantities(shop)).rows;
      return twins.map(({ inventoryItem }) => rows.find((row) => row.inventoryItem === inventoryItem)?.available);
    };
    await until('both to show 5', shown, (all) => all.every((each) => each === 5));
    await seller.control.placeOrder(shop, { lines: [{ inventoryItem: twins[0]?.inventoryItem ?? '', quantity: 2 }] });
    expect(await until('both to show 3', shown, (all) => all.every((each) => each === 3))).toEqual([3, 3]);
  });

  test('that is unmapped is listed as such, its orders wait, and are reserved when a person maps it', async () => {
    const seller = await sellerOf(mug);
    await ask(seller, 'PUT', `${listingPath(seller, mug)}/mapping`, { sku: null });
    expect((await ask(seller, 'GET', `/stores/${amber}/listings?mapped=false`)).body).toMatchObject({
      listings: [{ marketplaceSku: mug, sku: null }],
    });
    const order = await seller.buy(amber, [[mug, 2]]);
    await seller.knows(amber, order.id);
    expect(await seller.level(mug)).toMatchObject({ orderReserve: 0, available: 10 });
    await ask(seller, 'PUT', `${listingPath(seller, mug)}/mapping`, { sku: mug });
    await seller.levelIs(mug, { orderReserve: 2, available: 8 });
    await seller.show(mug, 8);
  });

  test('that does not exist, or a SKU that is blank, is answered with what to do', async () => {
    const seller = await sellerOf(mug);
    const path = `/stores/${amber}/listings/nothing`;
    expect(await ask(seller, 'PUT', `${path}/mapping`, { sku: mug })).toMatchObject({
      status: 404,
      body: { type: 'urn:evenkeel:problem:unknown-listing' },
    });
    expect(await ask(seller, 'PUT', `${path}/paused`, { paused: true })).toMatchObject({ status: 404 });
    expect(await ask(seller, 'PUT', `${listingPath(seller, mug)}/mapping`, { sku: '  ' })).toMatchObject({ status: 400 });
    expect(await ask(seller, 'POST', '/stores/nothing/pause')).toMatchObject({
      status: 404,
      body: { type: 'urn:evenkeel:problem:unknown-store' },
    });
  });
});

describe('a store that a person has paused', () => {
  test('is told of nothing while its orders come in, warns of what it sells without stock, and is told the newest once', async () => {
    const seller = await sellerOf(mug, bowl);
    const before = (await seller.writes(amber, mug)).length;
    const paused = await ask(seller, 'POST', `/stores/${amber}/pause`);
    expect(paused).toMatchObject({
      status: 200,
      body: { store: { status: 'passive' }, warning: { listings: 2, onSale: 2, sellingWithoutStock: 0 } },
    });
    await seller.buy(amber, [[mug, 1]]);
    await seller.levelIs(mug, { orderReserve: 1, available: 9 });
    await seller.count(mug, 1);
    await seller.levelIs(mug, { available: 0 });
    const [incident] = await until(
      'an incident',
      () => openIncidents(seller),
      (open) => open.length > 0,
    );
    expect(incident).toMatchObject({
      kind: 'selling_without_stock',
      details: { store: amber, sku: mug, available: '0', hold: 'store_passive' },
    });
    await seller.count(mug, 7);
    await seller.levelIs(mug, { available: 6 });
    await seller.count(mug, 4);
    await seller.levelIs(mug, { available: 3 });
    await until(
      'the connector to know the newest',
      () => seller.listings(mug),
      ([listing]) => listing?.wanted?.available === 3,
    );
    expect((await seller.writes(amber, mug)).length).toBe(before);
    expect(await ask(seller, 'POST', `/stores/${amber}/resume`)).toMatchObject({ status: 200, body: { paused: null } });
    await seller.show(mug, 3);
    await seller.quiet(mug);
    expect((await seller.writes(amber, mug)).slice(before).map(({ quantityAfter }) => quantityAfter)).toEqual([3]);
    await until(
      'the incident to close',
      () => openIncidents(seller),
      (open) => open.length === 0,
    );
  });
});

describe('a store that is given up', () => {
  test('has its listings set to 0, is asked nothing more, and goes on when it is connected again', async () => {
    const seller = await sellerOf(mug, bowl);
    await ask(seller, 'PUT', `${listingPath(seller, bowl)}/paused`, { paused: true });
    const done = await ask(seller, 'POST', `/stores/${amber}/disconnect`, { setListingsToZero: true });
    expect(done.body).toMatchObject({
      state: 'disconnected',
      status: 'disconnected',
      disconnection: { listings: 2, notSetToZero: 0, by: 'clara' },
    });
    expect([await seller.shown(amber, mug), await seller.shown(amber, bowl)]).toEqual([0, 0]);
    const { calls } = await seller.control.calls(seller.shopOf(amber));
    await seller.count(mug, 8);
    await seller.levelIs(mug, { available: 8 });
    expect((await seller.control.calls(seller.shopOf(amber))).calls).toBe(calls);
    expect(await ask(seller, 'POST', `/stores/${amber}/pause`)).toMatchObject({
      status: 409,
      body: { type: 'urn:evenkeel:problem:disconnected' },
    });
    const shop = seller.shopOf(amber);
    await ask(seller, 'POST', '/stores', { store: amber, shop, accessToken: `shpat_${shop}` });
    await connected(seller);
    await seller.show(mug, 8);
    expect((await seller.listings(mug))[0]).toMatchObject({ mapping: 3 });
  });
});

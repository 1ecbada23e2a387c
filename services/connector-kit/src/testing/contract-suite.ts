import { afterAll, describe, expect, test } from '@jest/globals';
import { MarketplaceError } from '../failure.ts';
import type { MarketplaceOrder } from '../marketplace.ts';
import { describeCapabilities } from './capability-suite.ts';
import type { ConnectorHarness, HarnessStore } from './harness.ts';
import { applied, collect, openStore, push, refusalOf, soon, type OpenedStore, type OpeningOptions } from './opened-store.ts';

const dayMilliseconds = 86_400_000;
const byName = (a: { order: string }, b: { order: string }): number => a.order.localeCompare(b.order);

/**
 * What every connector must hold, whatever its marketplace: run against its sandbox. What it must hold beyond that follows from what its marketplace
 * declares.
 */
export function describeConnector(name: string, harness: ConnectorHarness): void {
  const open = (store: HarnessStore, options?: OpeningOptions) => openStore(harness.marketplace, store, options);

  describe(`${name} as a connector`, () => {
    afterAll(async () => harness[Symbol.asyncDispose]());

    test('says which seller account a store is, the same with renewed credentials', async () => {
      const store = await harness.createStore();
      const before = Date.now();
      await using opened = await open(store);
      const { account, time } = await opened.connection.probe(soon);
      const entered = await store.renewCredentials();
      const { marketplace } = harness;
      const { credentials } = marketplace.credentialsOf(entered);
      const { settings } = marketplace.accessOf(store.entered);
      const renewed = marketplace.open({ settings, credentials: () => credentials }, opened.gateway);
      expect((await renewed.probe(soon)).account).toBe(account);
      expect(account).not.toBe('');
      expect(Math.abs(time - before)).toBeLessThan(60_000);
      await renewed.close();
    });

    test('reads every listing once, by pages, with its SKU byte for byte', async () => {
      const store = await harness.createStore();
      const odd = [' A/1 ', 'a%2F1', 'ß…é', 'É', 'E\u0301', null];
      const plain = Array.from({ length: 600 }, (_, index) => `P-${index}`);
      const ids = await store.addListings([...odd, ...plain].map((sku) => ({ sku, quantity: 1 })));
      await using opened = await open(store);
      const read = await collect(opened.connection.listings(soon));
      expect(read.map(({ listing }) => listing).toSorted()).toEqual(ids.toSorted());
      expect(ids.map((id) => read.find(({ listing }) => listing === id)?.sku)).toEqual([...odd, ...plain]);
    });

    test('says of every listing what it shows and that it is on sale', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'SHOWN', quantity: 6 }]);
      await store.sell([{ listing, quantity: 2 }]);
      await using opened = await open(store);
      const [read] = await collect(opened.connection.listings(soon));
      expect(read).toMatchObject({ listing, onSale: true });
      expect([null, 4]).toContain(read?.quantity);
    });

    test('says whether the store sells', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'HOLIDAY', quantity: 6 }]);
      await using opened = await open(store);
      expect((await opened.connection.probe(soon)).active).toBe(true);
      const order = await store.sell([{ listing, quantity: 1 }]);
      await store.setActive(false);
      expect((await opened.connection.probe(soon)).active).toBe(false);
      expect((await collect(opened.connection.ordersSince(0, soon))).map((each) => each.order)).toEqual([order]);
      await store.setActive(true);
      expect((await opened.connection.probe(soon)).active).toBe(true);
    });

    test('what is pushed is what shoppers see, under the key that it was pushed with', async () => {
      const store = await harness.createStore();
      const [one = '', two = ''] = await store.addListings([
        { sku: 'ONE', quantity: 9 },
        { sku: 'TWO', quantity: 9 },
      ]);
      await using opened = await open(store);
      const results = await push(opened.connection, [{ listing: one, quantity: 4 }, { listing: two, quantity: 0 }], 'key-1'); // prettier-ignore
      expect(results.map(({ outcome }) => outcome)).toEqual(['applied', 'applied']);
      expect([await store.shown(one), await store.shown(two)]).toEqual([4, 0]);
      expect(await store.writes()).toEqual([
        { key: 'key-1', listing: one, quantity: 4 },
        { key: 'key-1', listing: two, quantity: 0 },
      ]);
    });

    test('a value that the listing already shows counts as applied', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'SAME', quantity: 7 }]);
      await using opened = await open(store);
      expect(await push(opened.connection, [{ listing, quantity: 7 }])).toEqual([applied(listing)]);
      expect(await store.shown(listing)).toBe(7);
    });

    test('a push of the largest size goes out in one call', async () => {
      const store = await harness.createStore();
      await using opened = await open(store);
      const { maxBatch } = opened.connection.capabilities;
      const ids = await store.addListings(Array.from({ length: maxBatch }, (_, index) => ({ sku: `B-${index}`, quantity: 1 })));
      const results = await push(opened.connection, ids.map((listing, quantity) => ({ listing, quantity: quantity + 2 }))); // prettier-ignore
      expect(results.every(({ outcome }) => outcome === 'applied')).toBe(true);
      expect(await store.shown(ids.at(-1) ?? '')).toBe(maxBatch + 1);
    });

    test('the same push under the same key is applied once', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'ONCE', quantity: 5 }]);
      await using opened = await open(store);
      if (!opened.connection.capabilities.idempotencyKey)
        return expect(opened.connection.capabilities.settleMilliseconds).toBeGreaterThan(0);
      await push(opened.connection, [{ listing, quantity: 3 }], 'again');
      await store.sell([{ listing, quantity: 1 }]);
      expect(await push(opened.connection, [{ listing, quantity: 3 }], 'again')).toEqual([applied(listing)]);
      expect(await store.shown(listing)).toBe(2);
      expect(await store.writes()).toHaveLength(1);
    });

    test('a listing that does not exist is named, and does not take others down for good', async () => {
      const store = await harness.createStore();
      const [good = '', gone = ''] = await store.addListings([
        { sku: 'GOOD', quantity: 1 },
        { sku: 'GONE', quantity: 1 },
      ]);
      await store.removeListing(gone);
      await using opened = await open(store);
      const items = [{ listing: gone, quantity: 2 }, { listing: good, quantity: 2 }]; // prettier-ignore
      const [refused, other] = await push(opened.connection, items);
      expect(refused).toMatchObject({ listing: gone, outcome: 'rejected', failure: { class: 'permanent_listing' } });
      expect(other?.outcome).toBe(opened.connection.capabilities.atomicBatch ? 'not_tried' : 'applied');
      if (other?.outcome === 'not_tried') {
        expect(await store.shown(good)).toBe(1);
        expect(await push(opened.connection, [{ listing: good, quantity: 2 }])).toEqual([applied(good)]);
      }
      expect(await store.shown(good)).toBe(2);
    });

    test('a push whose answer is lost is unknown, and its repeat is not applied twice', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'LOST', quantity: 9 }]);
      await using opened = await open(store);
      await store.loseNextAnswer();
      expect(await refusalOf(push(opened.connection, [{ listing, quantity: 5 }], 'lost'))).toMatchObject({ applied: 'unknown', failure: { class: 'transient' } }); // prettier-ignore
      expect(await store.shown(listing)).toBe(5);
      if (!opened.connection.capabilities.idempotencyKey) return;
      expect(await push(opened.connection, [{ listing, quantity: 5 }], 'lost')).toEqual([applied(listing)]);
      expect(await store.writes()).toHaveLength(1);
    });

    test('a push that is lost on its way is unknown, and its repeat is applied', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'NEVER', quantity: 9 }]);
      await using opened = await open(store);
      await store.loseNextPush();
      expect(await refusalOf(push(opened.connection, [{ listing, quantity: 5 }], 'never'))).toMatchObject({ applied: 'unknown', failure: { class: 'transient' } }); // prettier-ignore
      expect(await push(opened.connection, [{ listing, quantity: 5 }], 'never')).toEqual([applied(listing)]);
      expect(await store.writes()).toHaveLength(1);
    });

    test('a server error is transient; after some in a row nothing more is asked for a while', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'SICK', quantity: 9 }]);
      await using opened = await open(store, { circuit: { errorPercentage: 50, volume: 3, resetMilliseconds: 300 } });
      await store.failNext(20, 503);
      const asked = () => refusalOf(opened.connection.readBack([listing], soon));
      expect(await asked()).toMatchObject({ failure: { class: 'transient' } });
      for (let calls = 0; opened.gateway.hold() !== 'circuit_open' && calls < 20; calls += 1) await asked();
      const before = await store.calls();
      expect(await asked()).toMatchObject({ name: 'CallNotMade', reason: 'circuit_open' });
      expect(await store.calls()).toBe(before);
      await store.failNext(0, 503);
      while (opened.gateway.hold() === 'circuit_open') await new Promise((resolve) => setTimeout(resolve, 20));
      expect(await opened.connection.readBack([listing], soon)).toEqual(new Map([[listing, 9]]));
    });

    test('refused credentials are tried once more, and then never again', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'LOCKED', quantity: 9 }]);
      await using opened = await open(store);
      await store.renewCredentials();
      const before = await store.calls();
      expect(await refusalOf(push(opened.connection, [{ listing, quantity: 1 }]))).toMatchObject({ applied: 'no', failure: { class: 'credential' } }); // prettier-ignore
      expect((await store.calls()) - before).toBe(2);
      expect(await refusalOf(opened.connection.readBack([listing], soon))).toMatchObject({ name: 'CallNotMade', reason: 'disconnected' });
      expect((await store.calls()) - before).toBe(2);
      expect(await store.shown(listing)).toBe(9);
    });

    test('a short rate slows pushes down, and fails none of them', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'SLOW', quantity: 0 }]);
      await using opened = await open(store);
      await store.limitRate();
      for (let quantity = 1; quantity <= 5; quantity += 1) await pushPatiently(opened, { listing, quantity });
      expect((await store.writes()).map(({ quantity }) => quantity)).toEqual([1, 2, 3, 4, 5]);
      expect(opened.gateway.hold()).toBeNull();
    });

    test('a read-back tells what shoppers see, and leaves out what is not there', async () => {
      const store = await harness.createStore();
      const [one = '', gone = ''] = await store.addListings([
        { sku: 'SEEN', quantity: 3 },
        { sku: 'UNSEEN', quantity: 3 },
      ]);
      await store.sell([{ listing: one, quantity: 1 }]);
      await store.removeListing(gone);
      await using opened = await open(store);
      expect(await opened.connection.readBack([one, gone], soon)).toEqual(new Map([[one, 2]]));
    });

    test('orders come whole and oldest change first, with what was cancelled and shipped', async () => {
      const store = await harness.createStore();
      const ids = await store.addListings(Array.from({ length: 300 }, (_, index) => ({ sku: `L-${index}`, quantity: 10 })));
      const [first = '', second = ''] = ids;
      await using opened = await open(store);
      const { time } = await opened.connection.probe(soon);
      const large = await store.sell(ids.map((listing) => ({ listing, quantity: 2 })));
      const cancelled = await store.sell([{ listing: first, quantity: 3 }]);
      const shipped = await store.sell([{ listing: second, quantity: 1 }]);
      await store.fulfil(shipped);
      await store.cancel(cancelled);
      const orders: MarketplaceOrder[] = await collect(opened.connection.ordersSince(time, soon));
      expect(orders.map(({ order }) => order)).toEqual([large, shipped, cancelled]);
      const [all, sent, off] = orders;
      expect(all?.lines).toHaveLength(300);
      expect(new Set(all?.lines.map(({ listing }) => listing))).toEqual(new Set(ids));
      expect(all?.lines.every(({ quantity, cancelled: less, fulfilled }) => quantity === 2 && less === 0 && fulfilled === 0)).toBe(true);
      expect(sent?.lines).toEqual([expect.objectContaining({ listing: second, quantity: 1, cancelled: 0, fulfilled: 1 })]);
      expect(off?.lines).toEqual([expect.objectContaining({ listing: first, quantity: 3, cancelled: 3, fulfilled: 0 })]);
      expect(off?.cancelledAt).not.toBeNull();
    });

    test('open orders are those with units that are neither cancelled nor shipped, whatever their age', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'OPEN', quantity: 200 }]);
      const placed: string[] = [];
      for (let orders = 0; orders < 3; orders += 1) placed.push(await store.sellLongAgo([{ listing, quantity: 2 }]));
      for (let orders = 0; orders < 60; orders += 1) placed.push(await store.sell([{ listing, quantity: 2 }]));
      const [cancelled = '', shipped = '', old = '', cancelledToday = '', shippedToday = '', ...recent] = placed;
      for (const order of [cancelled, cancelledToday]) await store.cancel(order);
      for (const order of [shipped, shippedToday]) await store.fulfil(order);
      await using opened = await open(store);
      const unshipped = await collect(opened.connection.openOrders(soon));
      expect(unshipped.map(({ order }) => order).toSorted()).toEqual([old, ...recent].toSorted());
      const oldest = unshipped.find(({ order }) => order === old);
      expect(oldest?.placedAt).toBeLessThan(Date.now() - 300 * dayMilliseconds);
      expect(oldest?.lines).toEqual([expect.objectContaining({ listing, quantity: 2, cancelled: 0, fulfilled: 0 })]);
    });

    test('only orders that changed since the cursor are read, the one that changed right at it included', async () => {
      const store = await harness.createStore();
      const [listing = ''] = await store.addListings([{ sku: 'SINCE', quantity: 100 }]);
      for (let orders = 0; orders < 120; orders += 1) await store.sell([{ listing, quantity: 1 }]);
      await using opened = await open(store);
      const all: MarketplaceOrder[] = await collect(opened.connection.ordersSince(0, soon));
      expect(new Set(all.map(({ order }) => order)).size).toBe(120);
      expect(all.map(({ updatedAt }) => updatedAt)).toEqual(all.map(({ updatedAt }) => updatedAt).toSorted((a, b) => a - b));
      const cursor = all[100]?.updatedAt ?? 0;
      const later: MarketplaceOrder[] = await collect(opened.connection.ordersSince(cursor, soon));
      expect(later.toSorted(byName)).toEqual(all.filter(({ updatedAt }) => updatedAt >= cursor).toSorted(byName));
    });

    describeCapabilities(harness);
  });

  /** As the push loop does it: reserve, call, and again where it was throttled all the same. */
  async function pushPatiently({ connection, gateway }: OpenedStore, item: { listing: string; quantity: number }): Promise<void> {
    for (let attempts = 0; attempts < 20; attempts += 1) {
      await gateway.governor.acquire(connection.pushCost(1), 'urgent');
      const refused = await refusalOf(push(connection, [item]));
      if (refused === 'it was accepted') return;
      if (!(refused instanceof MarketplaceError) || refused.failure.class !== 'throttled') throw refused;
    }
    throw new Error('It was throttled for good.');
  }
}

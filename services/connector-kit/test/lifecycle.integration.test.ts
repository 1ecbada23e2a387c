import { afterEach, describe, expect, test } from '@jest/globals';
import { keyOf, type MarketplaceOrderRead } from '@evenkeel/contracts';
import { MarketplaceError } from '../src/failure.ts';
import { sellingWithoutStockKind } from '../src/held-listings.ts';
import { countsOf, statusOf, warningOf } from '../src/status.ts';
import { held, openBench, requested, store, tenant, until, version, withdrawn, type Bench } from './bench.ts';
import { createFakeMarketplace, failed, type FakeMarketplace } from './fake-marketplace.ts';

let fake: FakeMarketplace;
let bench: Bench;
const clara = { by: 'clara', at: 7 };
const often = { orderPoll: 20 };

async function openStore(listings: readonly string[]): Promise<void> {
  fake = createFakeMarketplace();
  for (const listing of listings) fake.shop.listings.set(listing, { sku: `sku-${listing}`, quantity: 5 });
  bench = await openBench(fake);
}

const document = async () => (await bench.collections.stores.findOne({ _id: keyOf(tenant, store) })) ?? (undefined as never);
const state = async () => (await document()).state;
const shows = (listing: string) => fake.shop.listings.get(listing)?.quantity;
const pushes = () => fake.shop.asked.filter((what) => what.startsWith('push:'));
const eventsOf = (type: string) => bench.published.flatMap(({ event }) => (event?.type === type ? [event] : []));
const openIncidents = async () => {
  const page = await bench.incidents.page({ tenant, kind: sellingWithoutStockKind, state: 'open', limit: 100 });
  return page.map(({ details }) => [details['listing'], details['hold']]);
};
const settled = async (listing: string) => {
  const { outstanding, inFlight, waiting } = await bench.listing(listing);
  return !outstanding && !inFlight && !waiting;
};

afterEach(async () => bench[Symbol.asyncDispose]());

describe('a store that is being connected', () => {
  test('has its open orders told of, and awaits what they change, before anything is pushed', async () => {
    await openStore(['A']);
    fake.order('open', [{ listing: 'A', quantity: 3 }], fake.shop.clock - 900_000);
    await bench.desk.connect(tenant, store, { token: 'first' }, 'connect');
    expect(await state()).toBe('connecting');
    await bench.take(requested('A', 5, 1));
    bench.start({ ...often, ordersFirst: 60_000 });
    await until('the open order is told of', () => eventsOf('MarketplaceOrderRead').length === 1);
    const told = fake.shop.asked.length;
    await until('its orders go on being read', () => fake.shop.asked.length >= told);
    expect([await state(), pushes()]).toEqual(['connecting', []]);
    await bench.take(requested('A', 2, 2, eventsOf('MarketplaceOrderRead')[0]?.correlation));
    await until('A shows 2', () => shows('A') === 2);
    expect(fake.shop.applied.map(({ quantity }) => quantity)).toEqual([2]);
    expect(await state()).toBe('connected');
    expect(fake.shop.asked.slice(0, 4)).toEqual(['probe', 'probe', 'listings', 'open-orders']);
  });

  test('is compared with what its listings were seen to show, without another look at them', async () => {
    await openStore(['A', 'B']);
    fake.order('before', [{ listing: 'A' }], fake.shop.clock - 5);
    await bench.desk.connect(tenant, store, { token: 'first' }, 'connect');
    bench.start({ ...often, ordersFirst: 60_000 });
    await until('the open order is told of', () => eventsOf('MarketplaceOrderRead').length === 1);
    await bench.take(requested('A', 4, 1, eventsOf('MarketplaceOrderRead')[0]?.correlation), requested('B', 3, 1));
    await until('both are settled', async () => (await settled('A')) && (await settled('B')));
    expect([shows('A'), shows('B')]).toEqual([4, 3]);
    expect(fake.shop.asked).not.toContain('read-back');
    const calls = await bench.collections.calls.find({ tenant, store }).toArray();
    const expected = calls.flatMap(({ items }) => items.map((item) => `${item.listing} ${item.expected}`));
    expect(new Set(expected)).toEqual(new Set(['A 5', 'B 5']));
  });

  test('shows what its open orders leave also where their movements are not worth a push of their own', async () => {
    await openStore(['A']);
    fake.order('open', [{ listing: 'A', quantity: 3 }], fake.shop.clock - 900_000);
    await bench.desk.connect(tenant, store, { token: 'first' }, 'connect');
    await bench.take(requested('A', 500, 1));
    bench.start({ ...often, ordersFirst: 60_000 });
    await until('the open order is told of', () => eventsOf('MarketplaceOrderRead').length === 1);
    await bench.take(held('A', 497, 2, { correlation: eventsOf('MarketplaceOrderRead')[0]?.correlation ?? '' }));
    await until('A is settled', () => settled('A'));
    expect(fake.shop.applied.map(({ quantity }) => quantity)).toEqual([497]);
  });

  test('looks again at a listing that sold while it was opened: nobody knows whether that was before it was read or after', async () => {
    await openStore(['A', 'B']);
    fake.order('meanwhile', [{ listing: 'A', quantity: 2 }], fake.shop.clock + 5);
    await bench.desk.connect(tenant, store, { token: 'first' }, 'connect');
    bench.start({ ...often, ordersFirst: 60_000 });
    await until('the order is told of', () => eventsOf('MarketplaceOrderRead').length === 1);
    expect((await bench.listing('A')).expected).toBeUndefined();
    expect((await bench.listing('B')).expected).toBe(5);
    await bench.take(requested('A', 3, 1, eventsOf('MarketplaceOrderRead')[0]?.correlation), requested('B', 3, 1));
    await until('both are settled', async () => (await settled('A')) && (await settled('B')));
    expect(fake.shop.asked.filter((what) => what === 'read-back')).toHaveLength(1);
    expect([shows('A'), shows('B')]).toEqual([3, 3]);
  });

  test('is gone on with by whoever comes after its owner has died, who awaits the same orders', async () => {
    await openStore(['A']);
    fake.order('open', [{ listing: 'A' }], fake.shop.clock - 5);
    await bench.desk.connect(tenant, store, { token: 'first' }, 'connect');
    const first = bench.start({ ...often, ordersFirst: 60_000 });
    await until('the order is told of', () => eventsOf('MarketplaceOrderRead').length === 1);
    await first.stop();
    await bench.take(requested('A', 5, 1));
    bench.start({ ...often, ordersFirst: 60_000 });
    await until('its open orders are read again', () => fake.shop.asked.filter((what) => what === 'open-orders').length === 2);
    expect([await state(), pushes().length, eventsOf('MarketplaceOrderRead').length]).toEqual(['connecting', 0, 1]);
    await bench.take(requested('A', 4, 2, eventsOf('MarketplaceOrderRead')[0]?.correlation));
    await until('A shows 4', () => shows('A') === 4);
    expect(await state()).toBe('connected');
  });

  // It waited its whole half minute: what was told of by the owner before has come back, and does not come again.
  test('awaits nothing that has come back already when it is opened once more', async () => {
    await openStore(['A', 'B']);
    fake.order('back', [{ listing: 'A' }], fake.shop.clock - 900_000);
    fake.order('shipped', [{ listing: 'B', fulfilled: 1 }], fake.shop.clock - 900_000);
    fake.order('out', [{ listing: 'B' }], fake.shop.clock - 800_000);
    await bench.desk.connect(tenant, store, { token: 'first' }, 'connect');
    const first = bench.start({ ...often, ordersFirst: 60_000 });
    await until('both are told of', () => eventsOf('MarketplaceOrderRead').length === 2);
    await first.stop();
    const [back, out] = eventsOf('MarketplaceOrderRead').map(({ correlation }) => correlation);
    await bench.take(requested('A', 4, 1, back));
    const second = bench.start({ ...often, ordersFirst: 60_000 });
    await until('its open orders are read again', () => fake.shop.asked.filter((what) => what === 'open-orders').length === 2);
    expect(await state()).toBe('connecting');
    await second.stop();
    await bench.take(requested('B', 4, 1, out));
    bench.start({ ...often, ordersFirst: 60_000 });
    await until('it is connected', async () => (await state()) === 'connected');
  });

  test('says how far the reading of its listings is', async () => {
    await openStore(['A', 'B']);
    fake.shop.listings.set('C', { sku: null, quantity: 1 });
    await bench.connect();
    expect((await document()).import).toMatchObject({ listings: 3, mapped: 2, finishedAt: expect.any(Number) });
  });
});

describe('a store that is paused', () => {
  test('is sent nothing while its orders are read, and the newest wanted value once when it is resumed', async () => {
    await openStore(['A', 'B']);
    await bench.connect();
    bench.start(often);
    await bench.desk.pause(tenant, store, clara);
    await bench.take(requested('A', 4, 1), requested('B', 4, 1));
    await bench.take(requested('A', 3, 2));
    await bench.take(requested('A', 2, 3), withdrawn('B', version(1, { settings: 1 })));
    fake.order('1', [{ listing: 'A' }], fake.shop.clock + 5);
    await until('its order is read', () => eventsOf('MarketplaceOrderRead').length === 1);
    expect(pushes()).toEqual([]);
    expect(statusOf(await document(), await countsOf(bench.collections, { tenant, store }), Date.now())).toBe('passive');
    await bench.desk.pause(tenant, store, null);
    await until('A is settled', () => settled('A'));
    expect(fake.shop.applied.map(({ listing, quantity }) => [listing, quantity])).toEqual([['A', 2]]);
  });

  test('opens an incident for what it goes on selling without stock, until that is over', async () => {
    await openStore(['EMPTY', 'FULL']);
    await bench.connect();
    bench.start(often);
    await bench.desk.pause(tenant, store, clara);
    await bench.take(requested('EMPTY', -1, 1), requested('FULL', 4, 1));
    await until('an incident is open', async () => (await openIncidents()).length > 0);
    expect(await openIncidents()).toEqual([['EMPTY', 'store_passive']]);
    expect(await warningOf(bench.collections, { tenant, store }, 'store_passive')).toEqual({
      listings: 2,
      onSale: 2,
      sellingWithoutStock: 1,
    });
    await bench.desk.pause(tenant, store, null);
    await until('EMPTY shows 0', () => shows('EMPTY') === 0);
    await until('it has closed', async () => (await openIncidents()).length === 0);
    expect(eventsOf('IncidentChanged').map(({ data }) => (data as { state: string }).state)).toEqual(['open', 'closed']);
  });
});

describe('a listing that is set by hand at the marketplace', () => {
  test('while nothing may go out to it, opens an incident where there is nothing left to sell', async () => {
    await openStore(['A']);
    await bench.connect();
    bench.start({ ...often, listingImport: 20 });
    await bench.take(requested('A', 0, 1));
    await until('A shows 0', () => shows('A') === 0);
    await until('A is settled', () => settled('A'));
    await bench.desk.pause(tenant, store, clara);
    fake.shop.listings.set('A', { sku: 'sku-A', quantity: 4 });
    await until('its incident is open', async () => (await openIncidents()).length === 1);
    fake.shop.listings.set('A', { sku: 'sku-A', quantity: 0 });
    await until('it has closed', async () => (await openIncidents()).length === 0);
    expect(fake.shop.applied).toHaveLength(1);
  });
});

describe('a store that does not sell', () => {
  test('is passive: its pushes wait until the marketplace says that it sells again', async () => {
    await openStore(['A']);
    await bench.connect();
    fake.shop.active = false;
    const { stores } = bench.start({ ...often, listingImport: 20 });
    await bench.take(requested('A', 3, 1));
    await until('it is noticed', () => stores.hold(tenant, store) === 'store_passive');
    fake.order('1', [{ listing: 'A' }], fake.shop.clock + 5);
    await until('its order is read', () => eventsOf('MarketplaceOrderRead').length === 1);
    expect(pushes()).toEqual([]);
    fake.shop.active = true;
    await until('A shows 3', () => shows('A') === 3);
  });
});

describe('a listing that is paused', () => {
  test('waits, while others go out; then its newest value goes out once', async () => {
    await openStore(['A', 'B']);
    await bench.connect();
    bench.start(often);
    await bench.listingDesk.pause(await document(), 'A', clara);
    await bench.take(requested('A', 4, 1), requested('B', 4, 1));
    const newest = requested('A', 0, 2);
    await bench.take(newest);
    await bench.take(newest); // redelivered: the same push, held once
    await until('B is settled', () => settled('B'));
    // By its reason: on a slow machine the owner may still await its orders, which holds every push.
    expect(await bench.metric('evenkeel_push_holds_total', 'reason="listing_paused"')).toBe(2);
    expect(await bench.listing('A')).toMatchObject({ waiting: true, wanted: { quantity: 0 } });
    expect((await bench.listing('A')).outstanding).toBeUndefined();
    await until('its incident is open', async () => (await openIncidents()).length === 1);
    await bench.listingDesk.pause(await document(), 'A', null);
    await until('A is settled', () => settled('A'));
    expect(fake.shop.applied.map(({ listing, quantity }) => [listing, quantity])).toEqual([['B', 4], ['A', 0]]); // prettier-ignore
    await until('it has closed', async () => (await openIncidents()).length === 0);
  });

  test('keeps what waits when it is paused in the middle, and loses it when that is withdrawn', async () => {
    await openStore(['A']);
    await bench.connect();
    await bench.take(requested('A', 4, 1));
    await bench.listingDesk.pause(await document(), 'A', clara);
    expect(await bench.listing('A')).toMatchObject({ waiting: true, wanted: { quantity: 4 } });
    await bench.take(withdrawn('A', version(1, { settings: 1 })));
    await bench.listingDesk.pause(await document(), 'A', null);
    const { waiting, outstanding, wanted } = await bench.listing('A');
    expect([waiting, outstanding, wanted]).toEqual([undefined, undefined, null]);
  });
});

describe('a store that is disconnected', () => {
  const disconnect = (setListingsToZero: boolean) => bench.desk.disconnect(tenant, store, { ...clara, setListingsToZero });

  test('has its listings set to 0 first where that is asked for, the paused ones too, is unmapped, and asked nothing more', async () => {
    await openStore(['A', 'B', 'C']);
    await bench.connect();
    bench.start(often);
    await bench.take(requested('A', 4, 1));
    await until('A is settled', () => settled('A'));
    await bench.listingDesk.pause(await document(), 'B', clara);
    const done = await disconnect(true);
    expect(done).toMatchObject({ state: 'disconnected', disconnection: { listings: 3, notSetToZero: 0, finishedAt: expect.any(Number) } });
    expect(['A', 'B', 'C'].map(shows)).toEqual([0, 0, 0]);
    expect(eventsOf('ListingUnmapped')).toHaveLength(3);
    expect(await bench.listing('A')).toMatchObject({ sku: null, mapping: 2, wanted: null });
    const asked = fake.shop.asked.length;
    await bench.take(requested('A', 9, 2));
    await bench.take(requested('A', 8, 3));
    expect(fake.shop.asked.length).toBe(asked);
    expect(shows('A')).toBe(0);
  });

  test('has what it sold until then told of first: nobody reads it later', async () => {
    await openStore(['A']);
    await bench.connect();
    const { stores } = bench.start(); // it polls once an hour
    await until('the store runs', () => stores.hold(tenant, store) === null);
    fake.sell('A', 2);
    expect(await disconnect(false)).toMatchObject({ state: 'disconnected' });
    const sold = eventsOf('MarketplaceOrderRead').map(({ data }) => (data as MarketplaceOrderRead).lines);
    expect(sold).toMatchObject([[{ sku: 'sku-A', quantity: 2 }]]);
  });

  test('is disconnected also while its orders cannot be read', async () => {
    await openStore(['A']);
    await bench.connect();
    bench.start();
    fake.shop.behaviour.read = () => {
      throw failed('transient', 'unknown');
    };
    expect(await disconnect(false)).toMatchObject({ state: 'disconnected', disconnection: { listings: 1 } });
  });

  test('leaves its listings as they are where that is not asked for', async () => {
    await openStore(['A']);
    await bench.connect();
    bench.start(often);
    expect(await disconnect(false)).toMatchObject({ state: 'disconnected', disconnection: { listings: 1, notSetToZero: 0 } });
    expect(shows('A')).toBe(5);
    expect(statusOf(await document(), { quarantined: 0, waitingSince: null }, 1)).toBe('disconnected');
  });

  test('says how many listings could not be set to 0', async () => {
    await openStore(['A', 'B']);
    await bench.connect();
    bench.start(often);
    fake.shop.behaviour.refuse = ({ items }) =>
      items.map(({ listing }) =>
        listing === 'B'
          ? { listing, outcome: 'rejected', failure: failed('permanent_listing', 'no').failure }
          : { listing, outcome: 'not_tried' },
      );
    fake.shop.behaviour.before = ({ items }) => {
      if (!items.some(({ listing }) => listing === 'B')) delete fake.shop.behaviour.refuse;
    };
    expect(await disconnect(true)).toMatchObject({ state: 'disconnected', disconnection: { listings: 2, notSetToZero: 1 } });
    expect([shows('A'), shows('B')]).toEqual([0, 5]);
  });

  test('though its credentials are refused, and then nothing could be set to 0', async () => {
    await openStore(['A']);
    await bench.connect();
    fake.shop.token = 'another';
    bench.start(often);
    await until('they are refused', async () => (await document()).gate !== null);
    expect(await disconnect(true)).toMatchObject({ state: 'disconnected', disconnection: { listings: 1, notSetToZero: 1 } });
  });

  test('goes on where it was when the same account is connected again', async () => {
    await openStore(['A']);
    await bench.connect();
    bench.start(often);
    fake.order('1', [{ listing: 'A' }], fake.shop.clock + 5);
    await until('its order is read', () => eventsOf('MarketplaceOrderRead').length === 1);
    await disconnect(false);
    await expect(bench.desk.reenter(tenant, store, { token: 'first' })).rejects.toMatchObject({ code: 'disconnected' });
    fake.order('2', [{ listing: 'A', fulfilled: 1 }], fake.shop.clock + 10);
    fake.order('1', [{ listing: 'A', cancelled: 1 }], fake.shop.clock + 20);
    fake.shop.clock += 1_000;
    await bench.desk.connect(tenant, store, { token: 'first' }, 'again');
    await until('it is connected', async () => (await state()) === 'connected');
    expect(await bench.listing('A')).toMatchObject({ sku: 'sku-A', mapping: 3 });
    const orders = eventsOf('MarketplaceOrderRead').map(({ data }) => data as { order: string; connectedAt: number });
    expect(orders.slice(1).map(({ order, connectedAt }) => [order, connectedAt])).toEqual([
      ['2', fake.shop.clock],
      ['1', fake.shop.clock],
    ]);
  });
});

test('a store whose credentials are refused is not asked for its listings either, whoever wants that', async () => {
  await openStore(['A']);
  await bench.connect();
  fake.shop.token = 'another';
  bench.start(often);
  await until('they are refused', async () => (await document()).gate !== null);
  const asked = fake.shop.asked.length;
  await expect(bench.desk.importListings(tenant, store)).rejects.toMatchObject({ failure: { class: 'credential' } });
  expect(fake.shop.asked.length).toBe(asked);
});

describe('a store whose rate is used up', () => {
  test('is called throttled for as long', async () => {
    await openStore(['A']);
    await bench.connect();
    const throttled = async () => statusOf(await document(), { quarantined: 0, waitingSince: null }, Date.now());
    fake.shop.behaviour.before = () => {
      delete fake.shop.behaviour.before;
      throw new MarketplaceError({ class: 'throttled', code: 'SLOW', message: 'Slow down.', waitMilliseconds: 2_500 }, 'no');
    };
    bench.start();
    await bench.take(requested('A', 3, 1));
    await until('it says so', async () => (await throttled()) === 'throttled');
    await until('A shows 3', () => shows('A') === 3);
    await until('it is over', async () => (await throttled()) === 'ok');
    expect(fake.shop.applied).toHaveLength(1);
  });

  test('is sent nothing when a person pauses it before the rate comes back', async () => {
    await openStore(['A', 'B']);
    await bench.connect();
    fake.shop.behaviour.before = () => {
      delete fake.shop.behaviour.before;
      throw new MarketplaceError({ class: 'throttled', code: 'SLOW', message: 'Slow down.', waitMilliseconds: 3_000 }, 'no');
    };
    await bench.take(requested('A', 3, 1), requested('B', 3, 1));
    bench.start(often);
    await until('its push waits for the rate', () => fake.shop.priced.filter((listings) => listings === 2).length === 2);
    await bench.desk.pause(tenant, store, clara);
    fake.order('1', [{ listing: 'C' }], fake.shop.clock + 5);
    await until('the rate is back', () => eventsOf('MarketplaceOrderRead').length === 1);
    await bench.take(requested('A', 2, 2), requested('B', 2, 2));
    await bench.desk.pause(tenant, store, null);
    await until('both are settled', async () => (await settled('A')) && (await settled('B')));
    expect(fake.shop.applied.map(({ quantity }) => quantity)).toEqual([2, 2]);
  });
});

describe('the status of a store', () => {
  const fine = {
    state: 'connected',
    gate: null,
    circuit: null,
    credentialVersion: 1,
    paused: null,
    inactive: null,
    throttled: null,
  } as const;
  const none = { quarantined: 0, waitingSince: null };

  test('is the most severe of what is the case', async () => {
    await openStore([]);
    const gate = { code: 'c', message: 'm', since: 1, credentialVersion: 1 };
    const worse = [
      ['throttled', { ...fine, throttled: { since: 1 } }],
      ['sync_errors', { ...fine, throttled: { since: 1 }, circuit: { state: 'open', since: 1 } }],
      ['passive', { ...fine, circuit: { state: 'open', since: 1 }, inactive: { since: 1 } }],
      ['credentials_expired', { ...fine, paused: clara, gate }],
      ['disconnected', { ...fine, state: 'disconnecting', gate }],
      ['ok', { ...fine, gate: { ...gate, credentialVersion: 0 } }],
    ] as const;
    for (const [status, of] of worse) expect(statusOf(of, none, 1)).toBe(status);
    expect(statusOf(fine, { ...none, quarantined: 1 }, 1)).toBe('sync_errors');
    expect([60_000, 60_001].map((now) => statusOf(fine, { ...none, waitingSince: 0 }, now))).toEqual(['ok', 'sync_errors']);
  });
});

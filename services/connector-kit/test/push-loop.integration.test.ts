import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { keyOf } from '@evenkeel/contracts';
import type { PushResult } from '../src/marketplace.ts';
import { held, openBench, requested, store, tenant, until, version, withdrawn, type Bench } from './bench.ts';
import { createFakeMarketplace, failed, failure, type FakeMarketplace } from './fake-marketplace.ts';
import { versionText } from '../src/version.ts';

let fake: FakeMarketplace;
let bench: Bench;

/** A connected store with these listings, each showing 5. */
async function openStore(listings: readonly string[], overrides: Parameters<typeof createFakeMarketplace>[0] = {}): Promise<void> {
  fake = createFakeMarketplace(overrides);
  for (const listing of listings) fake.shop.listings.set(listing, { sku: `sku-${listing}`, quantity: 5 });
  bench = await openBench(fake);
  await bench.connect();
}

const shows = (listing: string): number | undefined => fake.shop.listings.get(listing)?.quantity;
const pushes = (): string[] => fake.shop.asked.filter((what) => what.startsWith('push:'));
/** What was asked after the first push: before it, every listing is looked at once. */
const readsAfterPush = (): string[] =>
  fake.shop.asked.slice(fake.shop.asked.findIndex((what) => what.startsWith('push:'))).filter((what) => !what.startsWith('push:'));
const settled = async (listing: string): Promise<boolean> => {
  const { outstanding, inFlight } = await bench.listing(listing);
  return !outstanding && !inFlight;
};
/** Its orders were read, and it may push. */
const running = async ({ stores }: ReturnType<Bench['start']>): Promise<void> =>
  until('the store runs', () => fake.shop.asked.includes('orders') && stores.hold(tenant, store) === null);
const callOf = async (key: string) => bench.collections.calls.findOne({ _id: key });

afterEach(async () => bench[Symbol.asyncDispose]());

describe('a push', () => {
  test('goes out once, with the newest wanted value, and is recorded as confirmed', async () => {
    await openStore(['A']);
    await bench.take(requested('A', 3, 1), requested('A', 2, 2));
    bench.start();
    await until('A is settled', () => settled('A'));
    expect(fake.shop.applied).toEqual([{ key: expect.any(String), listing: 'A', quantity: 2 }]);
    const { confirmed, wanted } = await bench.listing('A');
    expect(confirmed?.version).toBe(wanted?.version);
    const call = () => callOf(fake.shop.applied[0]?.key ?? '');
    await until('the call is recorded', async () => (await call())?.outcome === 'applied');
    expect(await call()).toMatchObject({ items: [{ listing: 'A', sku: 'sku-A', quantity: 2, version: confirmed?.version }] });
  });

  test('sends nothing below zero and nothing above the cap, and keeps what was wanted as it is', async () => {
    await openStore(['OVERSOLD', 'PLENTY']);
    await bench.take(requested('OVERSOLD', -4, 1), requested('PLENTY', 5_000, 1));
    bench.start();
    await until('both are settled', async () => (await settled('OVERSOLD')) && (await settled('PLENTY')));
    expect([shows('OVERSOLD'), shows('PLENTY')]).toEqual([0, 999]);
    expect((await bench.listing('OVERSOLD')).wanted?.quantity).toBe(-4);
  });

  test('takes the empty and the lowest first when there is more than fits into a call', async () => {
    const listings = Array.from({ length: 25 }, (_, index) => `L${index}`);
    await openStore(listings);
    await bench.take(...listings.map((listing, index) => requested(listing, 24 - index, 1)));
    bench.start();
    await until('all are settled', async () => (await Promise.all(listings.map(settled))).every(Boolean));
    expect(fake.shop.applied.map(({ quantity }) => quantity)).toEqual(listings.map((_, index) => index));
    expect(pushes()).toHaveLength(3);
  });

  test('that is requested late, with an older version, changes nothing', async () => {
    await openStore(['A']);
    bench.start();
    await bench.take(requested('A', 7, 9));
    await until('A shows 7', () => shows('A') === 7);
    await until('A is settled', () => settled('A'));
    await bench.take(requested('A', 1, 8), requested('A', 7, 9));
    expect((await bench.listing('A')).outstanding).toBeUndefined();
    expect(fake.shop.applied).toHaveLength(1);
  });

  test('for a listing that was mapped anew wins with a lower ledger sequence', async () => {
    await openStore(['A']);
    bench.start();
    await bench.take(requested('A', 7, version(900)));
    await until('A shows 7', () => shows('A') === 7);
    await bench.take(requested('A', 2, version(1, { mapping: 2 })));
    await until('A shows 2', () => shows('A') === 2);
    expect(fake.shop.applied.map(({ quantity }) => quantity)).toEqual([7, 2]);
  });

  test('that was withdrawn before it was sent is never sent, and neither is a late request from before', async () => {
    await openStore(['A', 'B']);
    await bench.take(requested('A', 1, 1), requested('B', 1, 1));
    await bench.take(withdrawn('A', version(1, { settings: 1 })));
    await bench.take(requested('A', 0, 1));
    bench.start();
    await until('B is settled', () => settled('B'));
    expect(fake.shop.applied.map(({ listing }) => listing)).toEqual(['B']);
    expect(await bench.listing('A')).toMatchObject({ wanted: null, withdrawn: { reason: 'sync_disabled' } });
    await bench.take(requested('A', 4, version(1, { settings: 2 })));
    await until('A shows 4', () => shows('A') === 4);
  });

  test('that takes long lets newer values wait, and then only the newest goes out', async () => {
    await openStore(['A']);
    const { promise: released, resolve: release } = Promise.withResolvers<void>();
    fake.shop.behaviour.before = () => released;
    bench.start();
    await bench.take(requested('A', 4, 1));
    await until('the first call is made', () => pushes().length === 1);
    for (const sequence of [2, 3, 4]) await bench.take(requested('A', sequence * 10, sequence));
    expect((await bench.listing('A')).inFlight).not.toBeNull();
    delete fake.shop.behaviour.before;
    release();
    await until('A shows 40', () => shows('A') === 40);
    expect(fake.shop.applied.map(({ quantity }) => quantity)).toEqual([4, 40]);
  });
});

describe('a movement that is held', () => {
  beforeEach(async () => openStore(['A', 'B']));
  const sent = () => fake.shop.applied.map(({ listing, quantity }) => `${listing} ${quantity}`);

  test('makes no push, and is what goes out where one was still to be made', async () => {
    await bench.take(requested('A', 100, 1), requested('B', 100, 1));
    await bench.take(held('A', 99, 2));
    bench.start();
    await until('both are settled', async () => (await settled('A')) && (await settled('B')));
    await bench.take(held('B', 98, 2));
    await bench.take(requested('A', 90, 3));
    await until('A shows 90', () => fake.shop.listings.get('A')?.quantity === 90);
    expect(new Set(sent())).toEqual(new Set(['A 99', 'B 100', 'A 90']));
    expect(sent()).toHaveLength(3);
    expect(await bench.listing('B')).toMatchObject({ instructed: versionText(version(1)), wanted: { quantity: 100 } });
  });

  test('makes no second push where the first is under way', async () => {
    fake.shop.behaviour.before = async () => {
      delete fake.shop.behaviour.before;
      await bench.take(held('A', 99, 2));
    };
    await bench.take(requested('A', 100, 1));
    bench.start();
    await until('A is settled', () => settled('A'));
    expect(sent()).toEqual(['A 100']);
  });

  test('because sync is off does not get past the withdrawal', async () => {
    await bench.take(requested('A', 100, 1));
    await bench.take(held('A', 99, version(2, { settings: 1 }), { reason: 'sync_disabled' }));
    await bench.take(withdrawn('A', version(1, { settings: 1 })), requested('B', 7, 1));
    bench.start();
    await until('B is settled', () => settled('B'));
    expect(sent()).toEqual(['B 7']);
  });
});

describe('a call without an answer', () => {
  test('is repeated with the same key and content before anything newer goes to its listings', async () => {
    await openStore(['A', 'B']);
    let lost = 0;
    fake.shop.behaviour.after = async () => {
      if ((lost += 1) > 1) return;
      await bench.take(requested('A', 1, 2));
      throw failed('transient', 'unknown', 'ECONNRESET');
    };
    await bench.take(requested('A', 3, 1), requested('B', 3, 1));
    bench.start();
    await until('A shows 1', () => shows('A') === 1);
    const [first, second] = pushes();
    expect(second).toBe(first);
    expect(fake.shop.applied.map(({ listing, quantity }) => [listing, quantity])).toEqual([['A', 3], ['B', 3], ['A', 1]]); // prettier-ignore
    expect((await callOf(first?.slice('push:'.length) ?? ''))?.outcome).toBe('applied');
  });

  test('that never reached the marketplace is repeated as well', async () => {
    await openStore(['A']);
    let lost = 0;
    fake.shop.behaviour.before = () => {
      if ((lost += 1) === 1) throw failed('transient', 'unknown', 'ECONNRESET');
    };
    await bench.take(requested('A', 3, 1));
    bench.start();
    await until('A is settled', () => settled('A'));
    expect(new Set(pushes()).size).toBe(1);
    expect(fake.shop.applied).toHaveLength(1);
  });

  test('leaves listings that were not part of it alone', async () => {
    await openStore(['A', 'B']);
    fake.shop.behaviour.before = ({ items }) => {
      if (items.some(({ listing }) => listing === 'A')) throw failed('transient', 'unknown');
    };
    await bench.take(requested('A', 3, 1));
    bench.start();
    await until('A is in flight', async () => (await bench.listing('A')).inFlight !== null);
    await bench.take(requested('B', 0, 1));
    await until('B shows 0', () => shows('B') === 0);
    expect(shows('A')).toBe(5);
  });

  test('is read back, never repeated, where the marketplace has no such key', async () => {
    await openStore(['A', 'B'], { idempotencyKey: null });
    let lost = 0;
    fake.shop.behaviour.after = () => {
      if ((lost += 1) === 1) throw failed('transient', 'unknown');
    };
    await bench.take(requested('A', 3, 1));
    bench.start();
    await until('A is settled', () => settled('A'));
    expect(readsAfterPush()).toEqual(['read-back']);
    expect(pushes()).toHaveLength(1);
    expect((await bench.listing('A')).confirmed?.quantity).toBe(3);
  });

  test('goes out anew after a read-back that shows something else', async () => {
    await openStore(['A'], { idempotencyKey: null });
    let lost = 0;
    fake.shop.behaviour.before = () => {
      if ((lost += 1) === 1) throw failed('transient', 'unknown');
    };
    await bench.take(requested('A', 3, 1));
    bench.start();
    await until('A is settled', () => settled('A'));
    expect(new Set(pushes()).size).toBe(2);
    expect(shows('A')).toBe(3);
  });

  test('that is withdrawn meanwhile is read back, never repeated', async () => {
    await openStore(['A']);
    fake.shop.behaviour.before = async () => {
      await bench.take(withdrawn('A', version(1, { settings: 1 })));
      throw failed('transient', 'unknown');
    };
    await bench.take(requested('A', 3, 1));
    bench.start();
    await until('A is settled', () => settled('A'));
    expect(pushes()).toHaveLength(1);
    expect(readsAfterPush()).toContain('read-back');
    expect(shows('A')).toBe(5);
  });

  test('whose repeat the marketplace calls wrong is read back', async () => {
    await openStore(['A']);
    let calls = 0;
    fake.shop.behaviour.after = () => {
      if ((calls += 1) === 1) throw failed('transient', 'unknown');
    };
    fake.shop.behaviour.refuse = ({ items }) =>
      calls === 0 ? null : items.map(({ listing }) => ({ listing, outcome: 'unknown', failure: failure('bug', 'KEY_MISMATCH') }));
    await bench.take(requested('A', 3, 1));
    bench.start();
    await until('A is settled', () => settled('A'));
    expect(readsAfterPush()).toContain('read-back');
    expect((await bench.listing('A')).confirmed?.quantity).toBe(3);
  });

  test('older than the key is kept is read back, never repeated', async () => {
    await openStore(['A'], { idempotencyKey: { retentionMilliseconds: 1 } });
    fake.shop.behaviour.after = () => {
      delete fake.shop.behaviour.after;
      throw failed('transient', 'unknown');
    };
    await bench.take(requested('A', 3, 1));
    bench.start();
    await until('A is settled', () => settled('A'));
    expect(pushes()).toHaveLength(1);
    expect(readsAfterPush()).toContain('read-back');
  });
});

describe('a new owner of a store', () => {
  test('finishes what the old one left in flight, with the old key, and then sends the newest', async () => {
    await openStore(['A']);
    const { promise: answer, resolve: hearOfIt } = Promise.withResolvers<void>();
    fake.shop.behaviour.after = () => answer; // it takes effect, and the old owner does not hear of it in time
    await bench.take(requested('A', 3, 1));
    const old = bench.start();
    await until('the call is made', () => fake.shop.applied.length === 1);
    old.freeze();
    delete fake.shop.behaviour.after;
    await bench.take(requested('A', 2, 2));
    bench.start();
    await until('A shows 2', () => shows('A') === 2);
    await until('A is settled', () => settled('A'));
    const [first, second, third] = pushes();
    expect(second).toBe(first);
    expect(third).not.toBe(first);
    expect(fake.shop.applied.map(({ quantity }) => quantity)).toEqual([3, 2]);
    hearOfIt();
    await old.stop();
    expect(await bench.listing('A')).toMatchObject({ confirmed: { quantity: 2 }, inFlight: null });
  });

  test('fences the old one: its marks are refused, and it may call again only when it has taken over anew', async () => {
    await openStore(['A']);
    const old = bench.start();
    await running(old);
    await bench.take(requested('A', 4, 1)); // what it shows is known from here on
    await until('A is settled', () => settled('A'));
    const { stores, listings, calls } = bench.collections;
    const later = ((await stores.findOne({ _id: keyOf(tenant, store) }))?.ownerEpoch ?? 0) + 1;
    await stores.updateOne({ _id: keyOf(tenant, store) }, { $set: { ownerEpoch: later } });
    await listings.updateMany({ tenant, store }, { $set: { ownerEpoch: later } });
    const forget = calls.deleteOne.bind(calls);
    let refusedMarks = 0;
    calls.deleteOne = async (filter) => {
      refusedMarks += 1;
      expect(pushes()).toHaveLength(1);
      return await forget(filter);
    };
    await bench.take(requested('A', 3, 2));
    await until('A shows 3', () => shows('A') === 3);
    expect(refusedMarks).toBe(1);
    expect((await bench.listing('A')).ownerEpoch).toBeGreaterThan(later);
  });

  test('fences the old one also where that one looks at a listing first, which it may not believe', async () => {
    await openStore(['A']);
    const old = bench.start();
    await running(old);
    const { stores, listings } = bench.collections;
    const later = ((await stores.findOne({ _id: keyOf(tenant, store) }))?.ownerEpoch ?? 0) + 1;
    await stores.updateOne({ _id: keyOf(tenant, store) }, { $set: { ownerEpoch: later } });
    await listings.updateMany({ tenant, store }, { $set: { ownerEpoch: later }, $unset: { expected: '' } });
    await bench.take(requested('A', 3, 1));
    await until('A shows 3', () => shows('A') === 3);
    expect((await bench.listing('A')).ownerEpoch).toBeGreaterThan(later);
  });

  test('is not fenced by one that has lost its lane and does not know when to stop', async () => {
    await openStore(['A']);
    const old = bench.start();
    await running(old);
    old.freeze();
    const owner = bench.start();
    await until('the new one runs', async () => (await bench.collections.stores.findOne({}))?.ownerEpoch === 3); // the first connected it
    old.stores.assigned(new Set(Array.from({ length: 12 }, (_, lane) => lane))); // it would open its stores anew
    await running(owner);
    await bench.take(requested('A', 3, 1));
    await until('A shows 3', () => shows('A') === 3);
    expect((await bench.collections.stores.findOne({}))?.ownerEpoch).toBe(3);
  });

  test('makes no call once its lane is lost', async () => {
    await openStore(['A']);
    const owner = bench.start();
    await running(owner);
    owner.freeze();
    await bench.take(requested('A', 3, 1));
    await owner.stop();
    expect(pushes()).toHaveLength(0);
    expect(await bench.listing('A')).toMatchObject({ outstanding: true, inFlight: null });
  });

  test.each(['after it is published', 'while it is being published'])(
    'reads the orders that were missed, and pushes when what they change has come back (%s)',
    async (when) => {
      await openStore(['A']);
      await bench.take(requested('A', 3, 1));
      fake.order('1', [{ listing: 'A' }], fake.shop.clock + 10);
      const comesBack = () => bench.take(requested('A', 2, 2, `shopify/${keyOf(tenant, store, '1')}`));
      if (when === 'while it is being published') bench.onSend = comesBack;
      bench.start({ ordersFirst: 60_000 });
      await until('the order is published', () => bench.published.some(({ event }) => event?.type === 'MarketplaceOrderRead'));
      if (when === 'after it is published') {
        expect(pushes()).toHaveLength(0);
        await comesBack();
      }
      await until('A shows 2', () => shows('A') === 2);
      expect(fake.shop.applied.map(({ quantity }) => quantity)).toEqual([2]);
    },
  );

  test('waits no longer than so long for what the orders change', async () => {
    await openStore(['A']);
    await bench.take(requested('A', 3, 1));
    fake.order('1', [{ listing: 'A' }], fake.shop.clock + 10);
    bench.start({ ordersFirst: 300 });
    await until('A shows 3', () => shows('A') === 3);
    expect(fake.shop.asked.indexOf('orders')).toBeLessThan(fake.shop.asked.findIndex((what) => what.startsWith('push:')));
  });
});

describe('a listing that cannot be written', () => {
  test('is quarantined with its reason, and the rest goes out under a new key', async () => {
    await openStore(['A', 'BAD', 'C']);
    fake.shop.behaviour.refuse = ({ items }): PushResult[] | null =>
      items.some(({ listing }) => listing === 'BAD')
        ? items.map(({ listing }) =>
            listing === 'BAD'
              ? { listing, outcome: 'rejected', failure: failure('permanent_listing', 'GONE') }
              : { listing, outcome: 'not_tried' },
          )
        : null;
    await bench.take(requested('A', 1, 1), requested('BAD', 1, 1), requested('C', 1, 1));
    bench.start();
    await until('A and C are settled', async () => (await settled('A')) && (await settled('C')));
    expect(await bench.listing('BAD')).toMatchObject({ quarantined: { code: 'GONE' }, inFlight: null });
    expect(new Set(pushes()).size).toBe(2);
    delete fake.shop.behaviour.refuse;
    await bench.take(requested('BAD', 2, 2));
    expect(shows('BAD')).toBe(5);
    await bench.desk.importListings(tenant, store);
    await until('BAD shows 2', () => shows('BAD') === 2);
  });

  test('is found by halving where the marketplace refuses a whole request as wrong', async () => {
    const listings = ['A', 'B', 'C', 'WRONG', 'E', 'F', 'G'];
    await openStore(listings);
    fake.shop.behaviour.before = ({ items }) => {
      if (items.some(({ listing }) => listing === 'WRONG')) throw failed('bug', 'no', 'INVALID_VARIABLE');
    };
    await bench.take(...listings.map((listing, index) => requested(listing, index, 1)));
    bench.start();
    await until('WRONG is quarantined', async () => (await bench.listing('WRONG')).quarantined !== null, 30_000);
    await until(
      'all others are settled',
      async () => (await Promise.all(listings.filter((each) => each !== 'WRONG').map(settled))).every(Boolean),
      30_000,
    );
    expect(pushes().length).toBeLessThan(20);
  });

  test('for reasons that nobody knows is tried some times, then quarantined', async () => {
    await openStore(['A']);
    fake.shop.behaviour.refuse = ({ items }) =>
      items.map(({ listing }) => ({ listing, outcome: 'rejected', failure: failure('transient', 'NEW_CODE') }));
    await bench.take(requested('A', 1, 1));
    bench.start();
    await until('A is quarantined', async () => (await bench.listing('A')).quarantined?.code === 'NEW_CODE', 30_000);
    expect(pushes()).toHaveLength(5);
  });
});

describe('a store whose marketplace', () => {
  test('has moved meanwhile is read for orders, and then pushed again', async () => {
    await openStore(['A']);
    bench.start();
    let refusals = 0;
    fake.shop.behaviour.refuse = ({ items }) =>
      (refusals += 1) === 1 ? items.map(({ listing }) => ({ listing, outcome: 'rejected', failure: failure('conflict') })) : null;
    await until('orders were read at the start', () => fake.shop.asked.includes('orders'));
    await bench.take(requested('A', 1, 1));
    await until('A is settled', () => settled('A'));
    const [first, ...after] = fake.shop.asked.slice(fake.shop.asked.findIndex((what) => what.startsWith('push:')));
    expect([first?.slice(0, 5), after[0], after[1], after[2]?.slice(0, 5)]).toEqual(['push:', 'read-back', 'orders', 'push:']);
  });

  test('refuses the credentials gets no call any more, until new ones are entered; then the newest goes out once', async () => {
    await openStore(['A']);
    const owner = bench.start({ orderPoll: 20 });
    const { stores } = owner;
    await running(owner);
    fake.shop.token = 'second';
    await bench.take(requested('A', 3, 1));
    await until('the gate is closed', async () => (await bench.collections.stores.findOne({}))?.gate !== null);
    const asked = fake.shop.asked.length;
    await bench.take(requested('A', 2, 2), requested('A', 1, 3));
    expect(stores.hold(tenant, store)).toBe('disconnected');
    await bench.desk.reenter(tenant, store, { token: 'second' });
    await until('A is settled', () => settled('A'));
    expect(fake.shop.asked.slice(asked, asked + 3)).toEqual(['probe', 'probe', 'orders']);
    expect(fake.shop.applied.map(({ quantity }) => quantity)).toEqual([1]);
    expect((await bench.collections.stores.findOne({}))?.gate).toBeNull();
  });

  test('throttles is not a failure: the push waits, and goes out', async () => {
    await openStore(['A']);
    let refusals = 0;
    fake.shop.behaviour.before = () => {
      if ((refusals += 1) <= 2)
        throw Object.assign(failed('throttled', 'no'), { failure: { ...failure('throttled'), waitMilliseconds: 20 } });
    };
    await bench.take(requested('A', 1, 1));
    bench.start();
    await until('A is settled', () => settled('A'));
    expect(pushes()).toHaveLength(3);
  });
});

import { afterEach, describe, expect, test } from '@jest/globals';
import type { EventOf } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { type Bench, openBench, requested, seeded, store, tenant, until, version } from './bench.ts';
import { createFakeMarketplace, failed, type FakeMarketplace } from './fake-marketplace.ts';

let fake: FakeMarketplace;
let bench: Bench;

/** A connected store with these listings, each showing 5. */
async function openStore(listings: readonly string[], overrides: Parameters<typeof createFakeMarketplace>[0] = {}): Promise<void> {
  fake = createFakeMarketplace(overrides);
  for (const listing of listings) fake.shop.listings.set(listing, { sku: `sku-${listing}`, quantity: 5 });
  bench = await openBench(fake);
  await bench.connect();
}

/** A store whose listing A shows 4, of which 2 are sold: the order, once it is read. */
async function soldTwoOfFour(): Promise<string> {
  await openStore(['A']);
  bench.start({ orderPoll: 20 });
  await bench.take(requested('A', 4, 1));
  await until('A is settled', () => settled('A'));
  const order = fake.sell('A', 2);
  await until('2 are expected', async () => (await bench.listing('A')).expected === 2);
  return order;
}

const shows = (listing: string): number | undefined => fake.shop.listings.get(listing)?.quantity;
const applied = (listing: string): number[] =>
  fake.shop.applied.filter((write) => write.listing === listing).map(({ quantity }) => quantity);
const settled = async (listing: string): Promise<boolean> => {
  const { outstanding, inFlight } = await bench.listing(listing);
  return !outstanding && !inFlight;
};
const ordersPublished = (): number => bench.published.filter(({ event }) => event?.type === 'MarketplaceOrderRead').length;
const ofOrder = (order: string): string => `shopify/${keyOf(tenant, store, order)}`;

afterEach(async () => bench[Symbol.asyncDispose]());

const kinds = [
  ['compares by itself', { compareAndSet: 'native' }],
  ['is read right before it is written', { compareAndSet: 'before_write', idempotencyKey: null, atomicBatch: false }],
] as const;

describe.each(kinds)('a push to a marketplace that %s', (_, overrides) => {
  test('does not put back the last units that were sold between our decision and our call', async () => {
    await openStore(['A'], overrides);
    bench.start({ patience: 10_000 });
    await bench.take(requested('A', 2, 1));
    await until('A shows 2', () => shows('A') === 2);
    let order = '';
    fake.shop.behaviour.before = () => {
      delete fake.shop.behaviour.before;
      order = fake.sell('A', 2);
    };
    await bench.take(requested('A', 4, 2)); // two were found in the warehouse
    await until('the order is told of', () => ordersPublished() === 1);
    expect(shows('A')).toBe(0);
    await bench.take(requested('A', 2, 3, ofOrder(order)));
    await until('A is settled', () => settled('A'));
    expect(applied('A')).toEqual([2, 2]);
    expect(shows('A')).toBe(2);
  });

  test('waits for what its own new orders change before it raises, and not at all to lower', async () => {
    await openStore(['A', 'B'], overrides);
    bench.start({ patience: 10_000, orderPoll: 20 });
    await bench.take(requested('A', 3, 1));
    await until('A is settled', () => settled('A'));
    const first = fake.sell('A', 1);
    await until('the first order is told of', () => ordersPublished() === 1);
    await bench.take(requested('A', 3, 2)); // from before the order: it would put the unit back
    await bench.take(requested('B', 9, 1));
    await until('B shows 9', () => shows('B') === 9);
    expect(shows('A')).toBe(2);
    await bench.take(requested('A', 1, 3)); // a sale in another store, and it has come back sooner
    await until('A shows 1', () => shows('A') === 1);
    expect(applied('A')).toEqual([3, 1]);
    await bench.take(requested('A', 9, 4));
    await bench.take(requested('A', 8, 5, ofOrder(first)));
    await until('A shows 8', () => shows('A') === 8);
    expect(applied('A')).toEqual([3, 1, 8]);
  });

  // Reservation was away for as long as it takes to be restarted, and goods were received: three seconds later what had been sold was on sale again.
  test('waits for what its own new orders change as long as a store that is opened does', async () => {
    await openStore(['A'], overrides);
    bench.start({ patience: 20, ownOrders: 60_000, orderPoll: 20 });
    await bench.take(requested('A', 3, 1));
    await until('A is settled', () => settled('A'));
    const order = fake.sell('A', 2);
    await until('the order is told of', () => ordersPublished() === 1);
    await bench.take(requested('A', 4, 2)); // received, and counted before the order has reached the books
    const noted = performance.now();
    await until('time passes', () => performance.now() > noted + 500);
    expect(shows('A')).toBe(1);
    await bench.take(requested('A', 2, 3, ofOrder(order)));
    await until('A shows 2', () => shows('A') === 2);
    expect(applied('A')).toEqual([3, 2]);
  });

  test('finds out by a look what a listing shows that was never pushed', async () => {
    await openStore(['A'], overrides);
    fake.shop.behaviour.before = () => {
      delete fake.shop.behaviour.before;
      fake.sell('A', 5);
    };
    const owner = bench.start({ patience: 10_000 });
    await bench.take(requested('A', 7, 1));
    await until('the order is told of', () => ordersPublished() === 1);
    await bench.take(requested('A', 2, 2, ofOrder('sale-1')));
    await until('A is settled', () => settled('A'));
    expect(applied('A')).toEqual([2]);
    await owner.stop();
  });
});

describe('a conflict', () => {
  test('of one listing holds up no other one of the store', async () => {
    await openStore(['A', 'B']);
    bench.start({ patience: 60_000 });
    await bench.take(requested('A', 2, 1), requested('B', 2, 1));
    await until('both are settled', async () => (await settled('A')) && (await settled('B')));
    fake.shop.behaviour.before = () => {
      delete fake.shop.behaviour.before;
      fake.sell('A', 2);
    };
    await bench.take(requested('A', 4, 2), requested('B', 3, 2));
    await until('B shows 3', () => shows('B') === 3);
    await bench.take(requested('B', 6, 3));
    await until('B shows 6', () => shows('B') === 6);
    expect([shows('A'), (await bench.listing('A')).outstanding]).toEqual([0, true]);
    await bench.take(requested('A', 1, 3, ofOrder('sale-1')));
    await until('A shows 1', () => shows('A') === 1);
  });

  test('that a number typed in by hand has made ends with the newest going over it, after a little while', async () => {
    await openStore(['A', 'B']);
    bench.start({ patience: 300 });
    await bench.take(requested('A', 3, 1), requested('B', 3, 1));
    await until('both are settled', async () => (await settled('A')) && (await settled('B')));
    fake.shop.listings.set('A', { sku: 'sku-A', quantity: 1 });
    fake.shop.listings.set('B', { sku: 'sku-B', quantity: 50 });
    await bench.take(requested('A', 4, 2), requested('B', 4, 2));
    await until('both are settled again', async () => (await settled('A')) && (await settled('B')));
    expect([shows('A'), shows('B')]).toEqual([4, 4]);
    expect(await bench.metric('evenkeel_listing_drift_total')).toBe(2);
  });

  test('by a sale whose order can be read only later waits for it', async () => {
    await openStore(['A']);
    bench.start({ patience: 1_000 });
    await bench.take(requested('A', 3, 1));
    await until('A is settled', () => settled('A'));
    const order = fake.sell('A', 3);
    const hidden = fake.shop.orders.get(order);
    fake.shop.orders.delete(order);
    let reads = 0;
    fake.shop.behaviour.read = () => {
      if ((reads += 1) === 2 && hidden) fake.shop.orders.set(order, hidden);
    };
    await bench.take(requested('A', 4, 2));
    await until('the order is told of', () => ordersPublished() === 1);
    await bench.take(requested('A', 1, 3, ofOrder(order)));
    await until('A is settled', () => settled('A'));
    expect(applied('A')).toEqual([3, 1]);
    expect(await bench.metric('evenkeel_listing_drift_total')).toBe(0);
  });

  test('is met again by a sale between the look at the listing and the reading of its orders', async () => {
    await openStore(['A']);
    bench.start({ patience: 10_000 });
    await bench.take(requested('A', 3, 1));
    await until('A is settled', () => settled('A'));
    const first = fake.sell('A', 1);
    let second = '';
    fake.shop.behaviour.read = () => {
      delete fake.shop.behaviour.read;
      second = fake.sell('A', 1);
    };
    await bench.take(requested('A', 2, 2, ofOrder(first)));
    await until('both orders are told of', () => ordersPublished() === 2);
    await bench.take(requested('A', 1, 3, ofOrder(second)));
    await until('A is settled', () => settled('A'));
    expect(shows('A')).toBe(1);
    expect(applied('A').every((quantity, index) => index === 0 || quantity <= 1)).toBe(true);
  });
});

test('an order that is cancelled gives back what its listing is expected to show', async () => {
  const order = await soldTwoOfFour();
  fake.shop.listings.set('A', { sku: 'sku-A', quantity: 3 });
  fake.order(order, [{ listing: 'A', quantity: 2, cancelled: 1 }], (fake.shop.clock += 1));
  await until('3 are expected', async () => (await bench.listing('A')).expected === 3);
  await bench.take(requested('A', 1, version(2)));
  await until('A is settled', () => settled('A'));
  expect(fake.shop.asked.filter((what) => what === 'read-back')).toHaveLength(1);
});

// Etsy takes anything that is not below what is expected: expecting too little would have hidden a sale.
test('an order that changes when it was forgotten long ago takes nothing off again', async () => {
  const order = await soldTwoOfFour();
  fake.shop.clock += 40 * 86_400_000;
  fake.sell('A', 1);
  await until('1 is expected', async () => (await bench.listing('A')).expected === 1);
  await bench.collections.seenOrders.deleteOne({ _id: keyOf(tenant, store, order) }); // as after thirty days
  const placed = fake.shop.orders.get(order);
  if (!placed) throw new Error(order);
  const lines = placed.lines.map((line) => ({ ...line, fulfilled: line.quantity }));
  fake.shop.orders.set(order, { ...placed, updatedAt: (fake.shop.clock += 1), lines });
  await until('it is told of again', () => ordersPublished() === 3);
  expect((await bench.listing('A')).expected).toBe(1);
});

test('an order that changes while the broker is away is taken off once', async () => {
  await openStore(['A']);
  bench.start({ orderPoll: 20 });
  await bench.take(requested('A', 4, 1));
  await until('A is settled', () => settled('A'));
  bench.sendFails = new Error('the broker is away');
  const order = fake.sell('A', 2);
  await until('2 are expected', async () => (await bench.listing('A')).expected === 2);
  fake.order(order, [{ listing: 'A', quantity: 2, fulfilled: 1 }], (fake.shop.clock += 1));
  const reads = () => fake.shop.asked.filter((what) => what === 'orders').length;
  const before = reads();
  await until('the change is read', () => reads() >= before + 2);
  bench.sendFails = null;
  await until('the order is told of', () => ordersPublished() === 1);
  expect((await bench.listing('A')).expected).toBe(2);
});

test('an owner that has lost its lane while it looked does not tell the next one what a listing shows', async () => {
  await openStore(['A']);
  const old = bench.start();
  await until('the store runs', () => fake.shop.asked.includes('orders') && old.stores.hold(tenant, store) === null);
  const { promise: stalled, resolve: goOn } = Promise.withResolvers<void>();
  fake.shop.behaviour.read = () => stalled;
  await bench.take(requested('A', 3, 1));
  await until('it looks', () => fake.shop.asked.at(-1) === 'orders' && fake.shop.asked.includes('read-back'));
  old.freeze();
  delete fake.shop.behaviour.read;
  bench.start();
  await until('A is settled', () => settled('A'));
  goOn();
  await old.stop();
  expect(await bench.listing('A')).toMatchObject({ confirmed: { quantity: 3 }, expected: 3 });
});

/**
 * Shoppers buy whatever is shown, at any moment, also in the middle of a call; the warehouse finds units; the books hear of orders late; answers get
 * lost; owners lose their lanes. As each SKU has one listing, its Available can only become negative if a push has put back what was sold.
 */
test.each([
  [1, {}],
  [2, {}],
  [3, { compareAndSet: 'before_write', idempotencyKey: null, atomicBatch: false }],
] as const)(
  'nothing is sold that is not there, whoever buys whenever (seed %i)',
  async (seed, overrides) => {
    const chance = seeded(seed);
    const listings = ['A', 'B', 'C', 'D'];
    await openStore(listings, { maxBatch: 3, ...overrides });
    const books = new Map(listings.map((listing) => [listing, { available: 5, sequence: 0 }]));
    const late: { correlation: string; listing: string; quantity: number }[] = [];
    bench.onSend = async () => {
      for (const { event } of bench.published.splice(0)) {
        if (event?.type !== 'MarketplaceOrderRead') continue;
        const { lines } = event.data as EventOf<'MarketplaceOrderRead'>['data'];
        late.push(...lines.map(({ listing, quantity }) => ({ correlation: event.correlation, listing: listing ?? '', quantity })));
      }
    };
    const lowest = () => Math.min(...[...books.values()].map(({ available }) => available));
    const move = async (listing: string, by: number, correlation: string): Promise<void> => {
      const book = books.get(listing);
      if (!book) throw new Error(listing);
      book.available += by;
      book.sequence += 1;
      await bench.take(requested(listing, book.available, book.sequence, correlation));
    };
    const shop = (): void => {
      const listing = listings[Math.floor(chance() * listings.length)] ?? 'A';
      const shown = shows(listing) ?? 0;
      if (shown > 0) fake.sell(listing, chance() < 0.7 ? shown : 1 + Math.floor(chance() * shown));
    };
    const trouble = (): void => {
      if (chance() < 0.5) shop();
      if (chance() < 0.08) throw failed('transient', 'unknown');
    };
    fake.shop.behaviour = { before: trouble, after: trouble, read: () => void (chance() < 0.3 && shop()) };
    const timing = { patience: 5_000, orderPoll: 15, circuit: { errorPercentage: 100, volume: 1_000, resetMilliseconds: 50 } };
    let owner = bench.start(timing);
    for (let round = 1; round <= 80; round += 1) {
      for (const listing of listings) if (chance() < 0.4) await move(listing, 1, 'warehouse');
      while (chance() < 0.6) shop();
      for (const { listing, quantity, correlation } of late.splice(0, chance() < 0.4 ? 2 : 0)) await move(listing, -quantity, correlation);
      expect(lowest()).toBeGreaterThanOrEqual(0);
      if (chance() < 0.08) {
        owner.freeze();
        const old = owner;
        owner = bench.start(timing);
        await old.stop();
      }
      await new Promise((resolve) => setTimeout(resolve, chance() * 20)); // time for things to overlap
    }
    fake.shop.behaviour = {};
    await until(
      'all is quiet',
      async () => {
        for (const { listing, quantity, correlation } of late.splice(0)) await move(listing, -quantity, correlation);
        const quiet = await Promise.all(listings.map(async (listing) => (await settled(listing)) && shows(listing) === books.get(listing)?.available)); // prettier-ignore
        return quiet.every(Boolean);
      },
      40_000,
    );
    expect(lowest()).toBeGreaterThanOrEqual(0);
    expect([...fake.shop.sold.values()].reduce((sum, units) => sum + units, 0)).toBeGreaterThan(20);
  },
  120_000,
);

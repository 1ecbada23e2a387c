import { describe, expect, test } from '@jest/globals';
import { arrivalsAtMost, arrivalsWaiting, catalogue, policy } from '../catalogue.ts';
import { chooseChore, chooseOrder, onHandAfter, pickingOf, wayOf, type Item } from '../choices.ts';
import { createRandom } from '../random.ts';
import { createMadeUpWorld } from './made-up-world.ts';

const ordersPerMinute = 180;
const choresPerMinute = 40;
const batchesPerMinute = 15;

const everyReason = [
  'first_count',
  'available_unchanged',
  'sync_disabled',
  'not_counted',
  'crossed_zero',
  'at_or_below_threshold',
  'significant_change',
  'every_nth',
  'throttled',
];

/** Lets shoppers and clerk loose; returns the world, and the reasons of each minute. */
function demoFor(minutes: number, seed: number) {
  const world = createMadeUpWorld();
  const random = createRandom(seed);
  const byMinute: Set<string>[] = [];
  let [orders, chores] = [0, 0];
  for (let minute = 0; minute < minutes; minute += 1) {
    world.reasons.length = 0;
    for (let second = 0; second < 60; second += 1) {
      for (; orders < ((minute * 60 + second + 1) * ordersPerMinute) / 60; orders += 1) {
        const shop = orders % 4;
        const lines = chooseOrder(orders, world.items(shop), random);
        if (lines) world.sell(shop, lines);
      }
      for (; chores < ((minute * 60 + second + 1) * choresPerMinute) / 60; chores += 1) {
        const chore = chooseChore(chores, world.items(null), random);
        if (chore) world.do(chore);
      }
    }
    byMinute.push(new Set(world.reasons));
  }
  return { world, byMinute };
}

describe('the demo seller', () => {
  test('sells some two hundred products, always the same ones', () => {
    const products = catalogue();
    expect(new Set(products.map(({ sku }) => sku)).size + arrivalsWaiting).toBe(200);
    expect(catalogue()).toEqual(products);
    for (const { role, usual } of products) {
      if (role === 'bestseller' || role === 'steady') expect(usual).toBeGreaterThan(3 * policy.realTimeAtOrBelow);
      if (role === 'low' || role === 'scarce') expect(usual).toBeLessThanOrEqual(policy.realTimeAtOrBelow);
    }
  });

  test.each([1, 2, 3])('shows every reason to push or to hold within each minute, for an hour (seed %d)', (seed) => {
    for (const reasons of demoFor(60, seed).byMinute) expect([...reasons].toSorted()).toEqual(everyReason.toSorted());
  });

  test('takes orders every way through the warehouse within a minute', () => {
    const turns = (count: number) => Array.from({ length: count }, (_, turn) => turn);
    expect(new Set(turns(ordersPerMinute).map(wayOf))).toEqual(new Set(['label', 'void', 'batch']));
    expect(new Set(turns(batchesPerMinute).map(pickingOf))).toEqual(new Set(['pick', 'short', 'removal', 'regret', 'cancel']));
  });

  test('goes on for hours: nothing runs empty for good, nothing piles up, as many products as ever', () => {
    const { world } = demoFor(300, 4);
    const items = world.items(null);
    expect(items.filter(({ role }) => role === 'arrival').length).toBeLessThanOrEqual(arrivalsAtMost + arrivalsWaiting);
    const far = items.filter(({ role }) => role === 'bestseller' || role === 'steady');
    expect(far.filter(({ sku, usual }) => world.available(sku) < usual / 4)).toEqual([]);
    for (const { sku, usual } of items) expect(world.available(sku)).toBeLessThan(2 * usual + 100);
  });

  test('does the same again with the same seed', () => {
    const levels = () => demoFor(3, 5).world.items(null);
    expect(levels()).toEqual(levels());
  });
});

describe('what a shopper buys', () => {
  const item: Item = { sku: 'A', role: 'steady', usual: 100, counted: true, synced: true, shown: 2 };

  test('is never more than the shop shows', () => {
    const random = createRandom(1);
    for (let turn = 0; turn < 300; turn += 1)
      for (const line of chooseOrder(turn, [item], random) ?? []) expect(line.quantity).toBeLessThanOrEqual(2);
  });

  test('is nothing where the shop has nothing', () => {
    expect(chooseOrder(0, [{ ...item, shown: 0 }], createRandom(1))).toBeNull();
  });
});

describe('what the clerk writes down', () => {
  test('a refill brings what can be sold to a level, whatever is promised to orders', () => {
    expect(onHandAfter({ kind: 'refill', sku: 'A', available: 4 }, 7, -2)).toBe(13);
  });

  test('a refill of what has enough is left alone', () => {
    expect(onHandAfter({ kind: 'refill', sku: 'A', available: 4 }, 7, 4)).toBeNull();
  });

  test('there is never less than nothing on a shelf', () => {
    expect(onHandAfter({ kind: 'deliver', sku: 'A', units: -60 }, 40, 10)).toBe(0);
  });
});

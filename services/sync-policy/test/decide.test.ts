import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decide, policyOf, type Movement, type Policy, type Watched } from '../src/domain.ts';

/** X 20, Y 5, N 3. */
const policy: Policy = { realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 3 };
const counted: Watched = { syncEnabled: true, counted: true, epoch: 1, sequence: 7, counter: 0 };
const from = (before: number, after: number, change: Partial<Movement> = {}): Movement => ({
  before,
  after,
  epoch: 1,
  sequence: 8,
  counted: true,
  ...change,
});
const pushed = (reason: string) => ({ decision: 'push', reason });
const held = (reason: string) => ({ decision: 'held', reason });

describe('when a movement is pushed', () => {
  test('the first count of a product is pushed', () => {
    expect(decide(policy, { ...counted, counted: false }, from(0, 100))).toEqual(pushed('first_count'));
  });
  test('a first count of the level that stood there already is pushed too', () => {
    expect(decide(policy, { ...counted, counted: false }, from(0, 0))).toEqual(pushed('first_count'));
  });
  test('a first count that follows lost movements is a first count', () => {
    expect(decide(policy, { ...counted, counted: false }, from(50, 60, { sequence: 12 }))).toEqual(pushed('first_count'));
  });
  test('a first count while sync is off stays here', () => {
    expect(decide(policy, { ...counted, counted: false, syncEnabled: false }, from(0, 100))).toEqual(held('sync_disabled'));
  });
  test('what leaves Available as it was is held, whatever else holds', () => {
    expect(decide(policy, counted, from(3, 3))).toEqual(held('available_unchanged'));
    expect(decide(policy, { ...counted, syncEnabled: false }, from(3, 3))).toEqual(held('available_unchanged'));
    expect(decide(policy, { ...counted, counted: false }, from(3, 3, { counted: false }))).toEqual(held('available_unchanged'));
  });
  test('with sync off nothing goes out, not even the last unit', () => {
    expect(decide(policy, { ...counted, syncEnabled: false }, from(1, 0))).toEqual(held('sync_disabled'));
  });
  test('a product that was never counted is not pushed: unknown is not zero', () => {
    expect(decide(policy, { ...counted, counted: false }, from(0, -1, { counted: false }))).toEqual(held('not_counted'));
  });
  test.each([
    [1, 0],
    [40, 0],
    [40, -3],
    [0, 1],
    [-5, 30],
  ])('from %i to %i crosses zero', (before, after) => {
    expect(decide(policy, counted, from(before, after))).toEqual(pushed('crossed_zero'));
  });
  test('from 0 to −1 does not cross zero: shoppers saw 0 before', () => {
    expect(decide(policy, counted, from(0, -1))).toEqual(pushed('at_or_below_threshold'));
  });
  test('exactly X is real-time, X + 1 is not', () => {
    expect(decide(policy, counted, from(21, 20))).toEqual(pushed('at_or_below_threshold'));
    expect(decide(policy, counted, from(22, 21))).toEqual(held('throttled'));
  });
  test('it is the level after the movement that is compared with X', () => {
    expect(decide(policy, counted, from(20, 21))).toEqual(held('throttled'));
  });
  test('without X every change is pushed', () => {
    expect(decide({ ...policy, realTimeAtOrBelow: null }, counted, from(1001, 1000))).toEqual(pushed('at_or_below_threshold'));
  });
  test('exactly Y units count as significant, Y − 1 do not, in both directions', () => {
    expect(decide(policy, counted, from(100, 95))).toEqual(pushed('significant_change'));
    expect(decide(policy, counted, from(95, 100))).toEqual(pushed('significant_change'));
    expect(decide(policy, counted, from(100, 96))).toEqual(held('throttled'));
    expect(decide(policy, counted, from(96, 100))).toEqual(held('throttled'));
  });
  test('without Y no change is significant by its size', () => {
    expect(decide({ ...policy, significantUnits: null }, counted, from(100_000, 100))).toEqual(held('throttled'));
  });
  test('the Nth counted transaction is pushed, the one before it is not', () => {
    expect(decide(policy, { ...counted, counter: 1 }, from(100, 99))).toEqual(held('throttled'));
    expect(decide(policy, { ...counted, counter: 2 }, from(100, 99))).toEqual(pushed('every_nth'));
  });
  test('N = 1 pushes every transaction', () => {
    expect(decide({ ...policy, everyNth: 1 }, counted, from(100, 99))).toEqual(pushed('every_nth'));
  });
  test('a lost movement is made good at once, also where this one changes nothing', () => {
    expect(decide(policy, counted, from(100, 99, { sequence: 9 }))).toEqual(pushed('gap'));
    expect(decide(policy, counted, from(100, 100, { sequence: 9 }))).toEqual(pushed('gap'));
    expect(decide(policy, counted, from(1, 0, { sequence: 9 }))).toEqual(pushed('gap'));
  });
  test('the ledger of another epoch is a gap, also where its numbers go on', () => {
    expect(decide(policy, counted, from(100, 99, { epoch: 2 }))).toEqual(pushed('gap'));
  });
  test('no gap is pushed while sync is off or the product was never counted', () => {
    expect(decide(policy, { ...counted, syncEnabled: false }, from(9, 9, { sequence: 10 }))).toEqual(held('sync_disabled'));
    expect(decide(policy, { ...counted, counted: false }, from(9, 9, { sequence: 10, counted: false }))).toEqual(held('not_counted'));
  });
  test("a product's very first movement is number 1; any other is a gap", () => {
    const untouched: Watched = { ...counted, epoch: 0, sequence: 0 };
    expect(decide(policy, untouched, from(100, 99, { sequence: 1, epoch: 3 }))).toEqual(held('throttled'));
    expect(decide(policy, untouched, from(100, 99, { sequence: 2 }))).toEqual(pushed('gap'));
  });
});

test("a SKU's own policy wins field by field, and N is 10 where nobody says", () => {
  const tenant = { realTimeAtOrBelow: 200, significantUnits: 50, everyNth: null };
  expect(policyOf(tenant)).toEqual({ realTimeAtOrBelow: 200, significantUnits: 50, everyNth: 10 });
  expect(policyOf(tenant, { realTimeAtOrBelow: 0, significantUnits: null, everyNth: 4 })).toEqual({
    realTimeAtOrBelow: 0,
    significantUnits: 50,
    everyNth: 4,
  });
});

/** The same rules written a second time, as a table: the first row whose conditions all hold. `~`: not; what a row does not name, it does not ask. */
type Fact = 'sync' | 'wasCounted' | 'counted' | 'same' | 'gap' | 'crossing' | 'low' | 'large' | 'nth';
const table: readonly (readonly [conditions: string, outcome: string])[] = [
  ['sync counted ~wasCounted', 'push first_count'],
  ['same ~gap', 'held available_unchanged'],
  ['~sync', 'held sync_disabled'],
  ['~counted', 'held not_counted'],
  ['gap', 'push gap'],
  ['crossing', 'push crossed_zero'],
  ['low', 'push at_or_below_threshold'],
  ['large', 'push significant_change'],
  ['nth', 'push every_nth'],
  ['', 'held throttled'],
];
function byTheTable({ realTimeAtOrBelow: x, significantUnits: y, everyNth: n }: Policy, sku: Watched, movement: Movement): string {
  const shown = [movement.before, movement.after].map((available) => (available > 0 ? 'on sale' : 'sold out'));
  const difference = movement.after > movement.before ? movement.after - movement.before : movement.before - movement.after;
  const facts: Record<Fact, boolean> = {
    sync: sku.syncEnabled,
    wasCounted: sku.counted,
    counted: movement.counted,
    same: difference === 0,
    gap: movement.sequence - sku.sequence !== 1 || (sku.epoch > 0 && movement.epoch !== sku.epoch),
    crossing: new Set(shown).size === 2,
    low: x === null || !(movement.after > x),
    large: y !== null && !(difference < y),
    nth: n - sku.counter <= 1,
  };
  const holds = (condition: string) => (condition.startsWith('~') ? !facts[condition.slice(1) as Fact] : facts[condition as Fact]);
  return table.find(([conditions]) => conditions.split(' ').filter(Boolean).every(holds))?.[1] ?? 'no rule';
}

test('decide and the table agree on every policy, product and movement', () => {
  const small = fc.integer({ min: -6, max: 30 });
  const aPolicy = fc.record({
    realTimeAtOrBelow: fc.option(fc.integer({ min: 0, max: 25 })),
    significantUnits: fc.option(fc.integer({ min: 1, max: 12 })),
    everyNth: fc.integer({ min: 1, max: 4 }),
  });
  const aSku = fc.record({
    syncEnabled: fc.boolean(),
    counted: fc.boolean(),
    epoch: fc.integer({ min: 0, max: 2 }),
    sequence: fc.integer({ min: 0, max: 3 }),
    counter: fc.integer({ min: 0, max: 4 }),
  });
  const aMovement = fc.record({
    before: small,
    after: small,
    epoch: fc.integer({ min: 1, max: 2 }),
    sequence: fc.integer({ min: 1, max: 4 }),
    counted: fc.boolean(),
  });
  fc.assert(
    fc.property(aPolicy, aSku, aMovement, (anyPolicy, sku, movement) => {
      const { decision, reason } = decide(anyPolicy, sku, movement);
      expect(`${decision} ${reason}`).toBe(byTheTable(anyPolicy, sku, movement));
    }),
    { numRuns: 5000 },
  );
});

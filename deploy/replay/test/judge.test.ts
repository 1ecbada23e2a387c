import { describe, expect, test } from '@jest/globals';
import { deviations } from '../judge.ts';

const thresholds = { realTimeAtOrBelow: 200, significantUnits: 50, everyNth: 10 };
const levels = new Map([
  ['LOW', { opening: 500, closing: 200 }],
  ['HIGH', { opening: 900, closing: 800 }],
]);
const judged = (low: number, high: number) =>
  deviations(
    levels,
    [{ name: 'north', most: 1_000_000 }],
    [
      { store: 'north', sku: 'LOW', available: low },
      { store: 'north', sku: 'HIGH', available: high },
      { store: 'north', sku: null, available: 7 },
    ],
    thresholds,
  );

describe('whether a listing shows what it should', () => {
  test('at or below the threshold it shows the level, to the unit', () => {
    expect(judged(200, 800)).toEqual([]);
    expect(judged(199, 800)).toEqual([{ store: 'north', sku: 'LOW', expected: 200, shown: 199, allowed: 0 }]);
  });

  test('above it, it is off by no more than what nine changes of 49 units amount to', () => {
    expect(judged(200, 800 + 441)).toEqual([]);
    expect(judged(200, 800 - 441)).toEqual([]);
    expect(judged(200, 800 + 442)).toEqual([{ store: 'north', sku: 'HIGH', expected: 800, shown: 1242, allowed: 441 }]);
  });

  test('where a marketplace takes no more, the most that it takes is right', () => {
    const many = new Map([['MANY', { opening: 9_000, closing: 5_000 }]]);
    const shown = (available: number) =>
      deviations(many, [{ name: 'north', most: 999 }], [{ store: 'north', sku: 'MANY', available }], thresholds);
    expect(shown(999)).toEqual([]);
    expect(shown(999 - 441)).toEqual([]);
    expect(shown(5_000)).toEqual([{ store: 'north', sku: 'MANY', expected: 999, shown: 5_000, allowed: 441 }]);
  });

  test('a SKU that a store does not show at all is named', () => {
    expect(deviations(levels, [{ name: 'north', most: 1_000_000 }], [{ store: 'north', sku: 'LOW', available: 200 }], thresholds)).toEqual([
      { store: 'north', sku: 'HIGH', expected: 800, shown: null, allowed: 441 },
    ]);
  });
});

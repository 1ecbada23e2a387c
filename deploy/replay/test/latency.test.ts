import { describe, expect, test } from '@jest/globals';
import { countReasons, percentile, saleLatencies, type Decided, type Move, type OwnSale, type OwnWrite, type Request } from '../latency.ts';

const move = (sequence: number, order: string, available = 4): Move => {
  const after = { onHand: available, orderReserve: 0, batchReserve: 0, available };
  return { sku: 'A', sequence, type: 'OrderReserve', order: { store: 'north', order }, after };
};
const sale = (order: string, at: number): OwnSale => ({ store: 'north', order, inventoryItem: 'north-A', at });
const write = (quantityAfter: number, at: number, store = 'south', quantityBefore = 0): OwnWrite => {
  return { store, inventoryItem: `${store}-A`, quantityBefore, quantityAfter, at };
};
const asked = (sequence: number, available: number): Request[] =>
  ['north', 'south'].map((store) => ({
    sku: 'A',
    store,
    listing: `${store}-A`,
    available,
    version: { mapping: 1, epoch: 1, sequence, settings: 0 },
  }));

/** Each of these was a decision to push. */
const decidedBy = (requests: readonly Request[]): Decided[] =>
  requests.map(({ sku, version: { sequence } }) => ({ sku, sequence, decision: 'push', reason: 'at_or_below_threshold' }));

describe('how long a sale takes to show on the other store', () => {
  test('until the other store has applied the first write with the sale in it, whatever its own store shows', () => {
    const requests = [...asked(1, 5), ...asked(2, 4)];
    const writes = [write(5, 10), write(4, 105, 'north'), write(4, 130)];
    expect(saleLatencies([move(2, 'x')], decidedBy(requests), requests, [sale('x', 100)], writes)).toEqual({
      milliseconds: [30],
      pushed: 1,
      sales: 1,
    });
  });

  test('a write that was on its way already does not count', () => {
    const requests = [...asked(1, 5), ...asked(2, 4), ...asked(3, 3)];
    const writes = [write(5, 10), write(4, 110), write(3, 150)];
    expect(saleLatencies([move(3, 'x')], decidedBy(requests), requests, [sale('x', 100)], writes).milliseconds).toEqual([50]);
  });

  test('a later level that went out in its place counts: the sale is in it', () => {
    const requests = [...asked(1, 5), ...asked(2, 4), ...asked(3, 3)];
    const writes = [write(5, 10), write(3, 160)];
    expect(
      saleLatencies([move(2, 'x'), move(3, 'y')], decidedBy(requests), requests, [sale('x', 100), sale('y', 120)], writes).milliseconds,
    ).toEqual([60, 40]);
  });

  test('a write that an earlier request of the same quantity may have caused does not count', () => {
    const requests = [...asked(1, 5), ...asked(2, 4), ...asked(3, 5), ...asked(4, 4)];
    const writes = [write(5, 10), write(4, 110), write(4, 170)];
    expect(saleLatencies([move(4, 'x')], decidedBy(requests), requests, [sale('x', 100)], writes).milliseconds).toEqual([]);
  });

  test('a push whose request a newer one overtook before it left is not missed', () => {
    const decided = decidedBy([...asked(1, 5), ...asked(2, 4), ...asked(3, 3)]);
    const requests = [...asked(1, 5), ...asked(3, 3)];
    expect(saleLatencies([move(2, 'x')], decided, requests, [sale('x', 100)], [write(3, 140)]).milliseconds).toEqual([40]);
  });

  test('where listings are written as a whole, what another one was written for does not count, nor does what is above the most', () => {
    const whole = () => ({ most: 5, isWhole: true });
    const requests = [...asked(1, 9), ...asked(2, 7), ...asked(3, 4)];
    const writes = [write(5, 10), write(5, 110, 'south', 5), write(4, 190, 'south', 5)];
    const moves = [move(2, 'x', 7), move(3, 'y', 4)];
    const sales = [sale('x', 100), sale('y', 150)];
    expect(saleLatencies(moves, decidedBy(requests), requests, sales, writes, whole).milliseconds).toEqual([40]);
  });

  test('a shop shows 0 for what is oversold', () => {
    const requests = [...asked(1, 1), ...asked(2, -1)];
    expect(
      saleLatencies([move(2, 'x')], decidedBy(requests), requests, [sale('x', 100)], [write(1, 10), write(0, 115)]).milliseconds,
    ).toEqual([15]);
  });

  test('a sale whose movement was held is counted apart', () => {
    expect(saleLatencies([move(2, 'x')], decidedBy(asked(1, 500)), asked(1, 500), [sale('x', 100)], [write(500, 10)])).toEqual({
      milliseconds: [],
      pushed: 0,
      sales: 1,
    });
  });

  test('two lines of a SKU in one order are one sale', () => {
    const lines = [sale('x', 100), sale('x', 100)];
    expect(
      saleLatencies([move(2, 'x')], decidedBy([...asked(1, 5), ...asked(2, 4)]), [...asked(1, 5), ...asked(2, 4)], lines, [write(4, 120)])
        .milliseconds,
    ).toEqual([20]);
  });
});

test('percentiles are values that were measured', () => {
  const values = Array.from({ length: 100 }, (_, index) => 100 - index);
  expect(percentile(values, 0.5)).toBe(50);
  expect(percentile(values, 0.99)).toBe(99);
  expect(percentile([7], 0.99)).toBe(7);
  expect(percentile([], 0.5)).toBeNull();
});

test('reasons are counted by what was decided', () => {
  const row = (sequence: number, decision: string, reason: string) => ({ sku: 'mug', sequence, decision, reason });
  const decided = [row(2, 'push', 'every_nth'), row(3, 'held', 'throttled'), row(4, 'push', 'crossed_zero'), row(5, 'push', 'every_nth')];
  expect([...countReasons(decided, 'push')]).toEqual([
    ['every_nth', 2],
    ['crossed_zero', 1],
  ]);
  expect([...countReasons(decided, 'held')]).toEqual([['throttled', 1]]);
});

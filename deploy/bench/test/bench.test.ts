import { describe, expect, test } from '@jest/globals';
import { latencyOf } from '../hops.ts';
import type { MovementRun } from '../movements.ts';
import { benchmarksText, verdictsOf, type Results } from '../report.ts';
import { median, quantile, seededRandom, spreadOf } from '../statistics.ts';
import { batchesOf, createStepClock } from '../steps.ts';

describe('several runs of one thing', () => {
  test('the median is the one in the middle, or between the two', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([1, 2, 3, 10])).toBe(2.5);
  });
  test('a quantile lies between its neighbours, whatever the order', () => {
    expect(quantile([30, 10, 20], 0.75)).toBe(25);
    expect(spreadOf([4, 2, 9])).toEqual({ median: 4, least: 2, most: 9 });
  });
  test('chance is the same for the same seed', () => {
    const [one, same, other] = [seededRandom(7), seededRandom(7), seededRandom(8)];
    const draw = (random: () => number) => Array.from({ length: 50 }, random);
    const drawn = draw(one);
    expect(drawn).toEqual(draw(same));
    expect(drawn).not.toEqual(draw(other));
    expect(drawn.every((value) => value >= 0 && value < 1)).toBe(true);
  });
});

describe('where the time goes', () => {
  test('each step takes what passed since the one before in its own lane, and idle is when no lane is at work', () => {
    let now = 0;
    const clock = createStepClock(() => now);
    const at = (time: number, step: Parameters<typeof clock.onStep>[0], lane: number) => {
      now = time;
      clock.onStep(step, { lane, events: [{ offset: 10 * lane }] });
    };
    at(5, 'begun', 3);
    now = 0;
    clock.begin();
    at(10, 'begun', 1);
    at(11, 'loaded', 1);
    at(12, 'begun', 2);
    at(13, 'folded', 1);
    at(19, 'inserted', 1);
    at(20, 'loaded', 2);
    at(20, 'folded', 2);
    at(21, 'published', 1);
    at(22, 'committed', 1);
    at(24, 'inserted', 2);
    at(28, 'published', 2);
    at(30, 'committed', 2);
    at(40, 'begun', 1);
    expect(clock.idleSeconds()).toBe(0.02);
    const shares = clock.shares(); // 30 ms in all: 12 of lane 1, 18 of lane 2
    expect(shares.load).toBeCloseTo(9 / 30);
    expect(shares.fold).toBeCloseTo(2 / 30);
    expect(shares.insert).toBeCloseTo(10 / 30);
    expect(shares.publish).toBeCloseTo(6 / 30);
    expect(shares.commit).toBeCloseTo(3 / 30);
    expect([...clock.sliceEnds()]).toEqual([
      [1, [10]],
      [2, [20]],
    ]);
  });
});

describe('the raw insert takes the batches that the engine took', () => {
  const document = (lane: number, offset: number) => ({ lane, source: { offset } });
  test('by lane and slice, in order', () => {
    const documents = [document(0, 12), document(1, 5), document(0, 3), document(0, 9)];
    const ends = new Map([
      [0, [9, 20]],
      [1, [5]],
    ]);
    expect(batchesOf(documents, ends)).toEqual([[[document(0, 3), document(0, 9)], [document(0, 12)]], [[document(1, 5)]]]);
  });
  test('a document of no slice is a mistake in the measuring', () => {
    expect(() => batchesOf([document(0, 3)], new Map())).toThrow('of no slice');
  });
});

const run = (engine: number, rawInsert: number): MovementRun => ({
  engine,
  rawInsert,
  rawPipe: 30_000,
  documents: 400,
  slices: 4,
  shares: { decode: 0.01, load: 0.05, fold: 0.04, insert: 0.7, publish: 0.15, commit: 0.05 },
  idleShare: 0.1,
  processorMicroseconds: 50,
});
const sale = (soldAt: number, took: number) => ({
  soldAt,
  records: [0, 1, 2, 3, 4].map((hop) => soldAt + 100 + hop * 4),
  shownAt: soldAt + 100 + took,
});
const results: Results = {
  date: '2026-11-22',
  machine: '2 cores',
  database: 'a database',
  events: 1_000,
  skus: 100,
  spread: [run(9_000, 10_000), run(8_000, 10_000), run(5_000, 10_000)],
  hot: [run(9_000, 40_000), run(7_000, 40_000), run(3_000, 40_000)],
  cold: [run(3_000, 10_000)],
  latency: latencyOf([sale(0, 20), sale(1_000, 24), sale(2_000, 30)], { hops: [1, 2, 3], inserts: [2, 2, 9] }),
};

describe('the aims', () => {
  test('each is judged by the median of its ratio, measured pair by pair', () => {
    expect(verdictsOf(results).map(({ holds }) => holds)).toEqual([true, false, true]);
    const [, hotOfSpread] = verdictsOf(results);
    expect(hotOfSpread?.short).toBe('13 % below the aim');
  });
  test('a sale may take 1.5 times its five hops, each one record through Kafka and one insert', () => {
    expect(results.latency).toMatchObject({ p50: 24, poll: 100, rawHop: 2, rawInsert: 2 });
    const [, , latency] = verdictsOf(results);
    expect(latency?.aim).toContain('1.5 × 5 hops × (raw hop + raw insert) = 30.0 ms');
  });
  test('the last hop ends at the call of the marketplace', () => {
    expect((results.latency as { hops: unknown }).hops).toEqual([
      ...['order', 'reservation', 'stock', 'sync-policy'].map((reader) => ({ reader, p50: 4 })),
      { reader: 'connector-shopify', p50: 8 },
    ]);
  });
  test('what was missed is said, with how much', () => {
    expect(benchmarksText(results)).toContain('0.88 (0.60–1.00) | **missed**: 13 % below the aim |');
  });
  test('what could not be measured is said, with the reason', () => {
    expect(benchmarksText({ ...results, latency: 'no broker.' })).toContain('Not measured: no broker.');
    expect(verdictsOf({ ...results, latency: 'no broker.' })).toHaveLength(2);
  });
});

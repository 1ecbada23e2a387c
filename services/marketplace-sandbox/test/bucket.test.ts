import { describe, expect, test } from '@jest/globals';
import { fullBucket, giveBack, refill, statusOf, take } from '../src/shopify/bucket.ts';

const limit = { maximumAvailable: 100, restoreRate: 10 };

describe('the leaky bucket of a shop', () => {
  test('refuses what it does not hold, and takes nothing then', () => {
    const bucket = { available: 9.5, at: 0 };
    expect(take(bucket, 10)).toBeUndefined();
    expect(take(bucket, 9)).toEqual({ available: 0.5, at: 0 });
  });

  test('fills by its rate, never above its brim', () => {
    expect(refill({ available: 20, at: 1_000 }, limit, 3_500)).toEqual({ available: 45, at: 3_500 });
    expect(refill({ available: 20, at: 0 }, limit, 60_000).available).toBe(100);
  });

  test('gets back what a query asked for and did not use', () => {
    expect(giveBack({ available: 40, at: 0 }, limit, 30).available).toBe(70);
    expect(giveBack(fullBucket(limit, 0), limit, 30).available).toBe(100);
  });

  test('shows whole points', () => {
    expect(statusOf({ available: 12.9, at: 0 }, limit)).toEqual({ maximumAvailable: 100, currentlyAvailable: 12, restoreRate: 10 });
  });
});

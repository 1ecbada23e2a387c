import { expect, test } from '@jest/globals';
import { createRateGovernor } from '../src/rate-governor.ts';

function governed() {
  const clock = { now: 0 };
  const governor = createRateGovernor({ now: () => clock.now });
  governor.learn([{ bucket: 'points', available: 100, maximum: 100, restorePerSecond: 10 }]);
  return { clock, governor };
}

test('a bucket that nobody has told of yet stops nothing', async () => {
  const governor = createRateGovernor();
  await governor.acquire({ points: 1_000_000 }, 'background');
  expect(governor.waitMilliseconds({ points: 1_000_000 }, 'background')).toBe(0);
});

test('what is spent comes back at the rate that the marketplace told', async () => {
  const { clock, governor } = governed();
  await governor.acquire({ points: 100 }, 'urgent');
  expect(governor.waitMilliseconds({ points: 10 }, 'urgent')).toBe(1_000);
  clock.now = 900;
  expect(Math.round(governor.waitMilliseconds({ points: 10 }, 'urgent'))).toBe(100);
  clock.now = 1_000;
  expect(governor.waitMilliseconds({ points: 10 }, 'urgent')).toBe(0);
});

test('a part is kept for listings near zero, and a larger one from what can wait', async () => {
  const { governor } = governed();
  await governor.acquire({ points: 75 }, 'urgent');
  expect(governor.waitMilliseconds({ points: 10 }, 'urgent')).toBe(0);
  expect(governor.waitMilliseconds({ points: 10 }, 'normal')).toBe(500);
  expect(governor.waitMilliseconds({ points: 10 }, 'background')).toBe(3_500);
});

test('what costs more than the bucket holds goes out when it is full', async () => {
  const { clock, governor } = governed();
  await governor.acquire({ points: 500 }, 'background');
  expect(governor.waitMilliseconds({ points: 500 }, 'urgent')).toBe(50_000);
  clock.now = 50_000;
  expect(governor.waitMilliseconds({ points: 500 }, 'urgent')).toBe(0);
});

test('the marketplace’s own account replaces ours', async () => {
  const { governor } = governed();
  governor.learn([{ bucket: 'points', available: 0, maximum: 100, restorePerSecond: 50 }]);
  expect(governor.waitMilliseconds({ points: 10 }, 'urgent')).toBe(200);
});

test('throttled, nothing goes out for as long as it said', () => {
  const { clock, governor } = governed();
  governor.pause(3_000);
  expect(governor.waitMilliseconds({}, 'urgent')).toBe(3_000);
  clock.now = 3_000;
  expect(governor.waitMilliseconds({}, 'urgent')).toBe(0);
});

test('waiting ends at once when it is called off', async () => {
  const { governor } = governed();
  governor.pause(60_000);
  const stop = new AbortController();
  const waiting = governor.acquire({}, 'urgent', stop.signal);
  stop.abort(new Error('called off'));
  await expect(waiting).rejects.toThrow('called off');
});

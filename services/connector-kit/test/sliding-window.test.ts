import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createRateGovernor, type Priority } from '../src/rate-governor.ts';

const day = 86_400;
const dayMilliseconds = day * 1_000;
const minute = 60_000;

/** A marketplace that counts each call for exactly a day, and a governor that hears of it. */
function governed(limit: number, spentBefore = 0) {
  const clock = { now: 0 };
  const calls: number[] = [];
  const governor = createRateGovernor({ now: () => clock.now });
  const lately = () => calls.filter((at) => at > clock.now - dayMilliseconds).length;
  const answer = (spent = lately()) => governor.learn([{ bucket: 'day', available: limit - spent, maximum: limit, windowSeconds: day }]);
  const wait = (priority: Priority, cost = 1) => governor.waitMilliseconds({ day: cost }, priority);
  answer(spentBefore);
  return { clock, calls, governor, lately, answer, wait };
}

describe('a limit that slides', () => {
  const aCall = fc.record({
    after: fc.integer({ min: 0, max: dayMilliseconds / 3 }),
    cost: fc.integer({ min: 1, max: 3 }),
    answered: fc.boolean(),
    patient: fc.boolean(),
    priority: fc.constantFrom<Priority>('urgent', 'normal', 'background'),
  });

  test('is never overrun in any day, whoever calls, answered or not', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 3, max: 20 }), fc.array(aCall, { maxLength: 60 }), async (limit, wanted) => {
        const { clock, calls, governor, lately, answer, wait } = governed(limit);
        for (const { after, cost, answered, patient, priority } of wanted) {
          clock.now += after;
          const waits = wait(priority, cost);
          if (waits > 0 && !patient) continue;
          clock.now += waits; // what it tells to wait is enough
          expect(wait(priority, cost)).toBe(0);
          await governor.acquire({ day: cost }, priority);
          calls.push(...Array.from({ length: cost }, () => clock.now));
          expect(lately()).toBeLessThanOrEqual(limit);
          if (answered) answer();
        }
      }),
    );
  });

  test('gives nothing back before a day has passed, and then all of that minute at once', async () => {
    const { clock, governor, wait } = governed(10);
    await governor.acquire({ day: 10 }, 'urgent');
    clock.now = dayMilliseconds / 2; // a leaky bucket would have five again
    expect(wait('urgent')).toBe(dayMilliseconds / 2 + minute);
    clock.now = dayMilliseconds + minute;
    expect(wait('urgent', 10)).toBe(0);
  });

  test('keeps a part for listings near zero, and a larger one from what can wait', async () => {
    const { governor, wait } = governed(100);
    await governor.acquire({ day: 55 }, 'urgent');
    expect([wait('urgent'), wait('normal')]).toEqual([0, 0]);
    expect(wait('background')).toBe(dayMilliseconds + minute);
    await governor.acquire({ day: 30 }, 'urgent');
    expect(wait('normal')).toBe(dayMilliseconds + minute);
    await governor.acquire({ day: 15 }, 'urgent');
    expect(wait('urgent')).toBe(dayMilliseconds + minute);
  });

  test('counts what others of the same app spend as spent now', async () => {
    const { clock, governor, answer, wait } = governed(10);
    await governor.acquire({ day: 1 }, 'urgent');
    clock.now = dayMilliseconds / 2;
    answer(10);
    expect(wait('urgent')).toBe(dayMilliseconds / 2 + minute);
    expect(wait('urgent', 2)).toBe(dayMilliseconds + minute);
  });

  test('believes the marketplace that more is left, but for calls that it may not have counted yet', async () => {
    const { clock, governor, answer, wait } = governed(10);
    await governor.acquire({ day: 5 }, 'urgent');
    clock.now = 10 * minute;
    await governor.acquire({ day: 5 }, 'urgent');
    answer(0);
    expect(wait('urgent', 5)).toBe(0);
    expect(wait('urgent', 6)).toBeGreaterThan(0);
  });

  test('that was spent before we came comes back through the day, not all of it at its end', () => {
    const { wait } = governed(1_440, 1_440);
    expect(wait('urgent')).toBe(minute);
    expect(wait('normal')).toBeLessThanOrEqual(0.2 * dayMilliseconds + 2 * minute);
  });

  test('lets what costs more than all of it go when nothing is spent', async () => {
    const { governor, wait } = governed(3);
    await governor.acquire({ day: 9 }, 'background');
    expect(wait('urgent')).toBe(dayMilliseconds + minute);
  });
});

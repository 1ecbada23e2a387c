import type { EtsySettings } from '../control-client.ts';

export interface Remaining {
  thisSecond: number;
  today: number;
}

const daySeconds = 86_400;

export type Spending = ReturnType<typeof createSpending>;

/** What was called of late: in this second, and in the sliding day before it. */
export function createSpending() {
  const bySecond = new Map<number, number>(); // oldest first
  let today = 0;
  return {
    /**
     * One more call at this second of a monotonic clock, or how long to wait: the limit per second is judged before the one per day, and a
     * refused call takes nothing.
     */
    spend(
      { requestsPerSecond, requestsPerDay }: Pick<EtsySettings, 'requestsPerSecond' | 'requestsPerDay'>,
      second: number,
    ): Remaining | { retryAfterSeconds: number } {
      for (const [at, calls] of bySecond) {
        if (at > second - daySeconds) break;
        bySecond.delete(at);
        today -= calls;
      }
      const now = bySecond.get(second) ?? 0;
      if (now >= requestsPerSecond) return { retryAfterSeconds: 1 };
      const [oldest = second] = bySecond.keys();
      if (today >= requestsPerDay) return { retryAfterSeconds: Math.max(1, oldest + daySeconds - second) };
      bySecond.set(second, now + 1);
      today += 1;
      return { thisSecond: requestsPerSecond - now - 1, today: requestsPerDay - today };
    },
  };
}

import { pauseFor } from './rate-governor.ts';

/** A loop's waiting: idle until woken, or pause in any case. Both reject with the signal's reason when that is given. */
export function createWake(signal: AbortSignal) {
  let woken = false;
  let stop: AbortController | null = null;
  return {
    wake(): void {
      woken = true;
      stop?.abort();
    },
    /** Until woken, at the latest after so long; returns at once where it was woken since the last idle. */
    async idle(milliseconds: number): Promise<void> {
      if (!woken) {
        stop = new AbortController();
        try {
          await pauseFor(milliseconds, AbortSignal.any([signal, stop.signal]));
        } catch (error) {
          if (signal.aborted) throw error;
        } finally {
          stop = null;
        }
      }
      woken = false;
    },
    pause: (milliseconds: number): Promise<void> => pauseFor(milliseconds, signal),
  };
}

const firstMilliseconds = 250;
const longestMilliseconds = 30_000;

/** Waits that double from a quarter of a second to half a minute, spread by a quarter so that stores don't beat in time. */
export function createBackoff({ random = Math.random }: { random?: () => number } = {}) {
  let attempt = 0;
  return {
    next: (): number => Math.min(longestMilliseconds, firstMilliseconds * 2 ** attempt++) * (0.75 + random() / 4),
    reset: (): void => void (attempt = 0),
  };
}

const freeTries = 2;

/** What is to be left alone for a while: at once after the first tries, then with a growing pause. Times are of the wall clock. */
export function createPatience() {
  const held = new Map<string, { until: number; tries: number; backoff: ReturnType<typeof createBackoff> }>();
  const of = (key: string) => {
    const known = held.get(key) ?? { until: 0, tries: 0, backoff: createBackoff() };
    held.set(key, known);
    return known;
  };
  return {
    until: (key: string, now: number): number => Math.max(now, held.get(key)?.until ?? 0),
    hold: (key: string, until: number): void => void (of(key).until = until),
    /** It did not work out. */
    tried(key: string, now: number): void {
      const known = of(key);
      known.tries += 1;
      if (known.tries > freeTries) known.until = now + known.backoff.next();
    },
    done: (key: string): void => void held.delete(key),
  };
}

import { createSlidingWindow, type SlidingWindow } from './sliding-window.ts';

/** Points per bucket; a bucket that the marketplace has not told of yet takes anything. */
export type Costs = Readonly<Record<string, number>>;

/** urgent: a listing near zero; normal: other pushes and orders; background: imports and read-backs. */
export type Priority = 'urgent' | 'normal' | 'background';

/**
 * What an answer says of one bucket, by how what was spent comes back.
 * - restorePerSecond: evenly (a leaky bucket)
 * - windowSeconds: each unit when it is as old as the window (a sliding window)
 */
export type BucketReading = { readonly bucket: string; readonly available: number; readonly maximum: number } & (
  { readonly restorePerSecond: number } | { readonly windowSeconds: number }
);

/** The share of a bucket that each priority leaves untouched. */
const reserve: Record<Priority, number> = { urgent: 0, normal: 0.2, background: 0.5 };

/** One per store, held by its owner: spends what the answers say is there. */
export interface RateGovernor {
  /** Waits until the costs can be paid, and pays them. Rejects with the signal's reason. */
  acquire(costs: Costs, priority: Priority, signal?: AbortSignal): Promise<void>;
  /** The marketplace's own account replaces ours. */
  learn(readings: readonly BucketReading[]): void;
  /** Throttled: nothing for so long. */
  pause(milliseconds: number): void;
  /** How long {@link acquire} would wait now. */
  waitMilliseconds(costs: Costs, priority: Priority): number;
}

/** `now`: a monotonic clock in milliseconds. */
export function createRateGovernor({ now = () => performance.now() }: { now?: () => number } = {}): RateGovernor {
  const buckets = new Map<string, LeakyBucket | SlidingWindow>();
  let pausedUntil = 0;

  function waitMilliseconds(costs: Costs, priority: Priority): number {
    let wait = Math.max(0, pausedUntil - now());
    for (const [name, cost] of Object.entries(costs)) {
      const bucket = buckets.get(name);
      if (!bucket) continue;
      // What is dearer than the bucket less its reserve goes out when the bucket is full.
      const needed = Math.min(bucket.maximum, cost + reserve[priority] * bucket.maximum);
      wait = Math.max(wait, bucket.waitMilliseconds(needed));
    }
    return wait;
  }

  async function acquire(costs: Costs, priority: Priority, signal?: AbortSignal): Promise<void> {
    for (let wait = waitMilliseconds(costs, priority); wait > 0; wait = waitMilliseconds(costs, priority))
      await pauseFor(Math.min(wait, 1_000), signal); // looks again each second: an answer may have told otherwise
    signal?.throwIfAborted();
    for (const [name, cost] of Object.entries(costs)) buckets.get(name)?.pay(cost);
  }

  function learnOne({ bucket: name, ...reading }: BucketReading): void {
    if (reading.maximum <= 0) return;
    if ('restorePerSecond' in reading) {
      if (reading.restorePerSecond > 0) buckets.set(name, createLeakyBucket(reading, now));
      return;
    }
    const known = buckets.get(name);
    if (known && 'learn' in known) known.learn(reading);
    else buckets.set(name, createSlidingWindow(reading.windowSeconds * 1_000, reading, now));
  }

  return {
    acquire,
    waitMilliseconds,
    learn(readings) {
      for (const reading of readings) learnOne(reading);
    },
    pause: (milliseconds) => void (pausedUntil = Math.max(pausedUntil, now() + milliseconds)),
  };
}

type LeakyBucket = ReturnType<typeof createLeakyBucket>;

/** Each reading replaces it: its account is the marketplace's. */
function createLeakyBucket(reading: { available: number; maximum: number; restorePerSecond: number }, now: () => number) {
  const { maximum, restorePerSecond } = reading;
  let { available } = reading;
  let at = now();
  function flow(): void {
    const later = now();
    available = Math.min(maximum, available + ((later - at) / 1_000) * restorePerSecond);
    at = later;
  }
  return {
    maximum,
    pay(cost: number): void {
      flow();
      available -= cost;
    },
    waitMilliseconds(needed: number): number {
      flow();
      return available < needed ? ((needed - available) / restorePerSecond) * 1_000 : 0;
    },
  };
}

/** Waits so long; rejects at once with the signal's reason when that is given. */
export async function pauseFor(milliseconds: number, signal?: AbortSignal): Promise<void> {
  signal?.throwIfAborted();
  await new Promise<void>((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(
      () => {
        signal?.removeEventListener('abort', stop);
        resolve();
      },
      Math.max(1, Math.ceil(milliseconds)),
    );
    signal?.addEventListener('abort', stop, { once: true });
  });
}

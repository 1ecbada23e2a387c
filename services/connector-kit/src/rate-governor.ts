/** Points per bucket; a bucket that the marketplace has not told of yet takes anything. */
export type Costs = Readonly<Record<string, number>>;

/** urgent: a listing near zero; normal: other pushes and orders; background: imports and read-backs. */
export type Priority = 'urgent' | 'normal' | 'background';

/** What an answer says of one bucket. */
export interface BucketReading {
  readonly bucket: string;
  readonly available: number;
  readonly maximum: number;
  readonly restorePerSecond: number;
}

/** The share of a bucket that each priority leaves untouched. */
const reserve: Record<Priority, number> = { urgent: 0, normal: 0.2, background: 0.5 };

interface Bucket {
  available: number;
  maximum: number;
  restorePerSecond: number;
  at: number;
}

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
  const buckets = new Map<string, Bucket>();
  let pausedUntil = 0;

  function flow(bucket: Bucket): void {
    const at = now();
    bucket.available = Math.min(bucket.maximum, bucket.available + ((at - bucket.at) / 1_000) * bucket.restorePerSecond);
    bucket.at = at;
  }

  function waitMilliseconds(costs: Costs, priority: Priority): number {
    let wait = Math.max(0, pausedUntil - now());
    for (const [name, cost] of Object.entries(costs)) {
      const bucket = buckets.get(name);
      if (!bucket) continue;
      flow(bucket);
      // What is dearer than the bucket less its reserve goes out when the bucket is full.
      const needed = Math.min(bucket.maximum, cost + reserve[priority] * bucket.maximum);
      if (bucket.available < needed) wait = Math.max(wait, ((needed - bucket.available) / bucket.restorePerSecond) * 1_000);
    }
    return wait;
  }

  async function acquire(costs: Costs, priority: Priority, signal?: AbortSignal): Promise<void> {
    for (let wait = waitMilliseconds(costs, priority); wait > 0; wait = waitMilliseconds(costs, priority))
      await pauseFor(Math.min(wait, 1_000), signal); // looks again each second: an answer may have told otherwise
    signal?.throwIfAborted();
    for (const [name, cost] of Object.entries(costs)) {
      const bucket = buckets.get(name);
      if (bucket) bucket.available -= cost;
    }
  }

  return {
    acquire,
    waitMilliseconds,
    learn(readings) {
      for (const { bucket, ...reading } of readings) {
        if (reading.restorePerSecond > 0 && reading.maximum > 0) buckets.set(bucket, { ...reading, at: now() });
      }
    },
    pause: (milliseconds) => void (pausedUntil = Math.max(pausedUntil, now() + milliseconds)),
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

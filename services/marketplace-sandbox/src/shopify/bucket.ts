import type { RateLimit } from '../control-client.ts';

/** A leaky bucket as it was at a moment of a monotonic clock, in milliseconds. */
export interface Bucket {
  available: number;
  at: number;
}

export interface ThrottleStatus {
  maximumAvailable: number;
  currentlyAvailable: number;
  restoreRate: number;
}

export const fullBucket = (limit: RateLimit, now: number): Bucket => ({ available: limit.maximumAvailable, at: now });

/** What has flowed back since. A limit that was lowered meanwhile also lowers what is there. */
export function refill(bucket: Bucket, limit: RateLimit, now: number): Bucket {
  const restored = bucket.available + ((now - bucket.at) / 1_000) * limit.restoreRate;
  return { available: Math.min(limit.maximumAvailable, restored), at: now };
}

/** Takes the requested cost before a query runs, or undefined: throttled, nothing taken. */
export function take(bucket: Bucket, cost: number): Bucket | undefined {
  return bucket.available >= cost ? { ...bucket, available: bucket.available - cost } : undefined;
}

/** Gives back what was requested and not used. */
export function giveBack(bucket: Bucket, limit: RateLimit, cost: number): Bucket {
  return { ...bucket, available: Math.min(limit.maximumAvailable, bucket.available + cost) };
}

export const statusOf = (bucket: Bucket, limit: RateLimit): ThrottleStatus => ({
  maximumAvailable: limit.maximumAvailable,
  currentlyAvailable: Math.floor(bucket.available),
  restoreRate: limit.restoreRate,
});

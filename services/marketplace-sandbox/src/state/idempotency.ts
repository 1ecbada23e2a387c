import { createHash } from 'node:crypto';
import type { Database } from './database.ts';

/** How long the marketplace remembers a key. */
export const retentionMilliseconds = 24 * 60 * 60 * 1_000;

export interface KeyRow {
  fingerprint: string;
  /** What the attempt applied; null when it was refused. */
  change_group: number | null;
  at: number;
}

export type Attempt = { kind: 'first' } | { kind: 'replay'; group: number } | { kind: 'mismatch' } | { kind: 'previous_failed' };

/** What a call with this key is, given what is remembered of the key. `now` and `at` in milliseconds on the shop's clock. */
export function judgeAttempt(remembered: KeyRow | undefined, fingerprint: string, now: number): Attempt {
  if (remembered === undefined || now - remembered.at >= retentionMilliseconds) return { kind: 'first' };
  if (remembered.fingerprint !== fingerprint) return { kind: 'mismatch' };
  if (remembered.change_group === null) return { kind: 'previous_failed' };
  return { kind: 'replay', group: remembered.change_group };
}

/** The same for the same mutation and arguments, whatever the order of an object's fields. */
export function fingerprintOf(mutation: string, parameters: unknown): string {
  return createHash('sha256')
    .update(`${mutation} ${canonical(parameters)}`)
    .digest('base64');
}

function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const fields = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{${fields.map(([name, field]) => `${JSON.stringify(name)}:${canonical(field)}`).join(',')}}`;
}

export type IdempotencyKeys = ReturnType<typeof createIdempotencyKeys>;

export function createIdempotencyKeys(database: Database) {
  const find = database.prepare<KeyRow>('SELECT fingerprint, change_group, at FROM idempotency_keys WHERE shop = ? AND key = ?');
  const put = database.prepare('INSERT OR REPLACE INTO idempotency_keys VALUES (?, ?, ?, ?, ?)');
  return {
    judge: (shop: string, key: string, fingerprint: string, now: number): Attempt => judgeAttempt(find.get(shop, key), fingerprint, now),
    remember: (shop: string, key: string, fingerprint: string, group: number | null, now: number): void => {
      put.run(shop, key, fingerprint, group, now);
    },
  };
}

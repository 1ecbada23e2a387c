import { createHash } from 'node:crypto';
import type { Connection } from 'mongoose';
import { problem } from './problem.ts';

/** An answer as it is stored and given again. */
export interface StoredAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What is known of a changing request. */
interface Claim {
  /** `first`: never seen. `repeat`: seen with the same body. `other_body`: the key was used for something else. */
  readonly kind: 'first' | 'repeat' | 'other_body';
  /** When the first one came, in milliseconds. */
  readonly at: number;
  readonly answer?: StoredAnswer;
}

/** Remembers, per cause, which body came with it. A claim is no lock: after a crash the repeat must be able to finish the work. */
export interface IdempotencyStore {
  claim(cause: string, bodyHash: string, at: number): Promise<Claim>;
  /** Stores the answer; the first one stays. Returns the one that stands. */
  settle(cause: string, answer: StoredAnswer): Promise<StoredAnswer>;
}

const sha256 = (value: string): string => createHash('sha256').update(value).digest('hex');

/** `command/<tenant>/<hash>`: the id of the command that a request becomes. The scope of a key is method and full path, with the query. */
export const causeOf = (tenant: string, method: string, path: string, key: string): string =>
  `command/${encodeURIComponent(tenant)}/${sha256(`${method.toUpperCase()} ${path}\n${key}`).slice(0, 32)}`;

/** One path has many spellings (`%7E`, `~`); a repeat may use another. Expects that it can be decoded. */
export function canonicalPath(url: string): string {
  const [path = '', ...query] = url.replace(/^https?:\/\/[^/?]*/i, '').split('?');
  const spelled = path
    .split('/')
    .map((part) => encodeURIComponent(decodeURIComponent(part)))
    .join('/');
  return query.length > 0 ? `${spelled}?${query.join('?')}` : spelled;
}

/** Equal for equal JSON, whatever the order of its keys. */
export const hashOfBody = (body: unknown): string => sha256(JSON.stringify(sorted(body)) ?? '');

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** The header's value. Throws a 400 where it is missing or malformed. */
export function requireKey(header: string | undefined): string {
  if (header !== undefined && /^[\x21-\x7e]{1,255}$/.test(header)) return header;
  throw problem(400, {
    type: 'idempotency-key-needed',
    detail: `The header Idempotency-Key is ${header === undefined ? 'missing' : 'not 1–255 visible ASCII characters'}. Send a new one, such as a UUID, with each new wish, and the same one when you repeat it.`,
  });
}

interface ClaimDocument {
  readonly _id: string;
  readonly bodyHash: string;
  readonly at: Date;
  /** A {@link StoredAnswer} as JSON text: a repeat gets the same bytes. */
  readonly answer?: string;
}

const compare = ({ bodyHash, at, answer }: Omit<ClaimDocument, '_id'>, sent: string): Claim => ({
  kind: bodyHash === sent ? 'repeat' : 'other_body',
  at: at.getTime(),
  ...(answer === undefined ? {} : { answer: JSON.parse(answer) as StoredAnswer }),
});

/** How long a key's body is compared; the effect itself stays once for good, by its cause. */
const keptSeconds = 90 * 24 * 3_600;
const duplicateKey = 11_000;

/** Claims in the collection `idempotency` of the service's own database. */
export async function openIdempotencyStore(connection: Connection): Promise<IdempotencyStore> {
  const claims = connection
    .getClient()
    .db(connection.name)
    .collection<ClaimDocument>('idempotency', {
      writeConcern: { w: 'majority', journal: true },
      readConcern: { level: 'majority' },
      readPreference: 'primary',
    });
  await claims.createIndex({ at: 1 }, { name: 'kept', expireAfterSeconds: keptSeconds });
  const find = async (cause: string): Promise<ClaimDocument> => {
    const known = await claims.findOne({ _id: cause });
    if (known) return known;
    // Another replica's claim that a majority does not have yet.
    throw problem(503, {
      type: 'unavailable',
      detail: 'The same request is being taken in just now. Try again, with the same Idempotency-Key.',
      headers: { 'Retry-After': '1' },
    });
  };
  return {
    async claim(cause, bodyHash, at) {
      try {
        await claims.insertOne({ _id: cause, bodyHash, at: new Date(at) });
        return { kind: 'first', at };
      } catch (error) {
        if (!isDuplicate(error)) throw error;
        return compare(await find(cause), bodyHash);
      }
    },
    async settle(cause, answer) {
      const text = JSON.stringify(answer);
      const { modifiedCount } = await claims.updateOne({ _id: cause, answer: { $exists: false } }, { $set: { answer: text } });
      return JSON.parse(modifiedCount === 1 ? text : ((await find(cause)).answer ?? text)) as StoredAnswer;
    },
  };
}

const isDuplicate = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === duplicateKey;

/** The same, in memory: for tests of one process. */
export function createMemoryIdempotencyStore(): IdempotencyStore {
  const claims = new Map<string, Omit<ClaimDocument, '_id'>>();
  return {
    async claim(cause, bodyHash, at) {
      const known = claims.get(cause);
      if (known) return compare(known, bodyHash);
      claims.set(cause, { bodyHash, at: new Date(at) });
      return { kind: 'first', at };
    },
    async settle(cause, answer) {
      const known = claims.get(cause);
      const text = known?.answer ?? JSON.stringify(answer);
      if (known) claims.set(cause, { ...known, answer: text });
      return JSON.parse(text) as StoredAnswer;
    },
  };
}

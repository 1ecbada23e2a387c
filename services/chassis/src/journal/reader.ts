import type { EventName } from '@evenkeel/contracts';
import type { Aggregate, JournalEntry } from './aggregate.ts';
import type { JournalCollections } from './documents.ts';
import { alike, chunks, keysPerQuery, loadAggregates } from './load.ts';

/** Some aggregates, in the order of their keys. */
export type Page<State> = readonly { readonly key: string; readonly state: State }[];

/** What people and commands may ask of the journal; read from the database, so any replica answers. */
export interface JournalReader<Data, State> {
  /** The initial state and 0 where nothing is known of the aggregate. */
  state(key: string): Promise<{ readonly state: State; readonly sequence: number }>;
  /** Of many aggregates at once, by key; one that nobody knows has its initial state. */
  states(keys: readonly string[]): Promise<Map<string, { readonly state: State; readonly sequence: number }>>;
  /** The newest entry, by sequence, whose time is not after this one; null where there is none. */
  entryAt(key: string, at: number): Promise<JournalEntry<Data> | null>;
  /** The same of many aggregates at once, by key. `heads`: the number of each one's newest entry, as far as its reader knows. */
  entriesAt(heads: ReadonlyMap<string, number>, at: number): Promise<Map<string, JournalEntry<Data> | null>>;
  /** Entries below a sequence, newest first. */
  entries(key: string, page?: { readonly before?: number; readonly limit?: number }): Promise<JournalEntry<Data>[]>;
  /** The aggregates whose key begins so, by pages in the order of their keys; `after`: only those above this key. Memory holds one page, and keys of some more. */
  pages(prefix: string, from?: { readonly lane?: number; readonly after?: string }): AsyncIterable<Page<State>>;
  /** All entries of this cause, of whichever aggregate, in sequence order; none while it is not in the journal. */
  caused(cause: string): Promise<JournalEntry<Data>[]>;
  /** Waits until the cause is in the journal; null after the deadline. */
  answered(cause: string, timeoutMilliseconds?: number): Promise<JournalEntry<Data>[] | null>;
  /** Waits until all of these causes are in the journal; after the deadline those that are, by cause. */
  answeredAll(causes: readonly string[], timeoutMilliseconds?: number): Promise<ReadonlyMap<string, readonly JournalEntry<Data>[]>>;
}

const pageSize = 200;
/** Keys are small. SecantusDB sorts all that are left each time it is asked for the next: of 20,000 aggregates that was most of the work. */
const keysAtOnce = 5_000;
/** Of many ledgers at once only the newest entries are read together: a past moment is seldom longer ago, and a ledger may be long. */
const newestEntries = 20;

/** The first text that does not begin so and is above all that do. */
const endOf = (prefix: string): string => prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1);

/** This replica is woken when it journals the cause itself; this is for another one's. */
const pollMilliseconds = [20, 40, 80, 160, 250];

export function createReader<Names extends EventName, Data, State, Context>(
  aggregate: Aggregate<Names, Data, State, Context>,
  collections: JournalCollections<Data, State>,
): JournalReader<Data, State> & { inserted(causes: readonly string[]): void } {
  const { journal } = collections;
  const waiting = new Map<string, Set<() => void>>();
  const nothingCommitted: ReadonlyMap<string, number> = new Map();

  async function caused(cause: string): Promise<JournalEntry<Data>[]> {
    const documents = await journal.find({ causes: cause } as never).toArray();
    const entries = documents.flatMap((document) => document.entries as JournalEntry<Data>[]);
    return entries.filter((entry) => entry.cause === cause).toSorted((a, b) => a.sequence - b.sequence);
  }

  async function causedByAny(causes: readonly string[]): Promise<Map<string, JournalEntry<Data>[]>> {
    const documents = [];
    for (const some of chunks(causes, keysPerQuery))
      documents.push(...(await journal.find({ causes: { $in: [...some] } } as never).toArray()));
    const wanted = new Set(causes);
    const entries = documents.flatMap((document) => document.entries as JournalEntry<Data>[]);
    return Map.groupBy(
      entries.filter(({ cause }) => wanted.has(cause)),
      ({ cause }) => cause,
    );
  }

  /** Every aggregate has one document from 1. */
  async function* pages(prefix: string, { lane, after = prefix }: { readonly lane?: number; readonly after?: string } = {}) {
    for (let last = after; ;) {
      const aggregateKey = { $gt: last, $lt: endOf(prefix) };
      const filter = { from: 1, aggregate: aggregateKey, ...(lane === undefined ? {} : { lane }) };
      const found = await journal
        .find(filter as never, { projection: { aggregate: 1, _id: 0 } })
        .sort({ aggregate: 1 })
        .limit(keysAtOnce)
        .toArray();
      const keys = found.map((document) => document.aggregate);
      if (keys.length === 0) return;
      for (const some of chunks(keys, pageSize)) {
        const loaded = await loadAggregates(aggregate, collections, some, nothingCommitted);
        yield [...loaded].map(([key, { state }]) => ({ key, state }));
      }
      last = keys.at(-1) ?? last;
    }
  }

  /** Resolves when this replica journals the cause, or when it is time to ask the database whether another one has. */
  async function wake(cause: string, milliseconds: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const wakers = waiting.get(cause) ?? new Set();
      waiting.set(cause, wakers);
      const done = () => {
        clearTimeout(timer);
        wakers.delete(done);
        if (wakers.size === 0) waiting.delete(cause);
        resolve();
      };
      const timer = setTimeout(done, milliseconds);
      wakers.add(done);
    });
  }

  async function entryAt(key: string, at: number): Promise<JournalEntry<Data> | null> {
    const filter = { aggregate: key, 'entries.at': { $lte: at } } as never;
    const [document] = await journal.find(filter).sort({ from: -1 }).limit(1).toArray();
    return (document?.entries as JournalEntry<Data>[] | undefined)?.findLast((entry) => entry.at <= at) ?? null;
  }

  async function entriesAt(heads: readonly (readonly [key: string, head: number])[], at: number) {
    const filter = { aggregate: { $in: heads.map(([key]) => key) }, from: { $gt: (heads[0]?.[1] ?? 0) - newestEntries } };
    const documents = (await journal.find(filter as never).toArray()).toSorted((one, other) => one.from - other.from);
    const documentsOf = Map.groupBy(documents, (document) => document.aggregate);
    const found = heads.map(async ([key]) => {
      const known = documentsOf.get(key) ?? [];
      const entry = known.flatMap(({ entries }) => entries as JournalEntry<Data>[]).findLast((each) => each.at <= at);
      return [key, entry ?? (known[0]?.from === 1 ? null : await entryAt(key, at))] as const;
    });
    return Promise.all(found);
  }

  return {
    async state(key) {
      const loaded = (await loadAggregates(aggregate, collections, [key], nothingCommitted)).get(key);
      return { state: loaded?.state ?? aggregate.initial(key), sequence: loaded?.sequence ?? 0 };
    },
    states: (keys) => loadAggregates(aggregate, collections, keys, nothingCommitted),
    entryAt,
    async entriesAt(heads, at) {
      const found = [];
      for (const some of alike(heads)) found.push(...(await entriesAt(some, at)));
      return new Map(found);
    },
    async entries(key, { before = Number.MAX_SAFE_INTEGER, limit = 100 } = {}) {
      const entries: JournalEntry<Data>[] = [];
      const documents = journal.find({ aggregate: key, from: { $lt: before } } as never).sort({ from: -1 });
      for await (const document of documents) {
        entries.push(...(document.entries as JournalEntry<Data>[]).filter(({ sequence }) => sequence < before).toReversed());
        if (entries.length >= limit) break;
      }
      return entries.slice(0, limit);
    },
    pages,
    caused,
    async answered(cause, timeoutMilliseconds = 10_000) {
      const end = performance.now() + timeoutMilliseconds;
      for (let turn = 0; ; turn += 1) {
        const found = await caused(cause);
        if (found.length > 0) return found;
        const left = end - performance.now();
        if (left <= 0) return null;
        await wake(cause, Math.min(left, pollMilliseconds[Math.min(turn, pollMilliseconds.length - 1)] ?? 250));
      }
    },
    async answeredAll(causes, timeoutMilliseconds = 10_000) {
      const end = performance.now() + timeoutMilliseconds;
      const found = new Map<string, readonly JournalEntry<Data>[]>();
      for (let turn = 0; ; turn += 1) {
        const missing = causes.filter((cause) => !found.has(cause));
        for (const [cause, entries] of await causedByAny(missing)) found.set(cause, entries);
        const waited = missing.find((cause) => !found.has(cause));
        const left = end - performance.now();
        if (waited === undefined || left <= 0) return found;
        await wake(waited, Math.min(left, pollMilliseconds[Math.min(turn, pollMilliseconds.length - 1)] ?? 250));
      }
    },
    inserted(causes) {
      if (waiting.size > 0) for (const cause of causes) waiting.get(cause)?.forEach((done) => done());
    },
  };
}

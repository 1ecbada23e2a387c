import type { EventName } from '@evenkeel/contracts';
import type { Aggregate, JournalEntry } from './aggregate.ts';
import type { JournalCollections } from './documents.ts';
import { loadAggregates } from './load.ts';

/** What people and commands may ask of the journal; read from the database, so any replica answers. */
export interface JournalReader<Data, State> {
  /** The initial state and 0 where nothing is known of the aggregate. */
  state(key: string): Promise<{ readonly state: State; readonly sequence: number }>;
  /** Entries below a sequence, newest first. */
  entries(key: string, page?: { readonly before?: number; readonly limit?: number }): Promise<JournalEntry<Data>[]>;
  /** All entries of this cause, of whichever aggregate, in sequence order; none while it is not in the journal. */
  caused(cause: string): Promise<JournalEntry<Data>[]>;
  /** Waits until the cause is in the journal; null after the deadline. */
  answered(cause: string, timeoutMilliseconds?: number): Promise<JournalEntry<Data>[] | null>;
}

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

  return {
    async state(key) {
      const loaded = (await loadAggregates(aggregate, collections, [key], nothingCommitted)).get(key);
      return { state: loaded?.state ?? aggregate.initial(key), sequence: loaded?.sequence ?? 0 };
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
    inserted(causes) {
      if (waiting.size > 0) for (const cause of causes) waiting.get(cause)?.forEach((done) => done());
    },
  };
}

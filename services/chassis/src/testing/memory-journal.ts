import type { EventName } from '@evenkeel/contracts';
import type { EventOf, Outgoing } from '../events.ts';
import type { Aggregate, JournalEntry } from '../journal/aggregate.ts';
import { foldEvents } from '../journal/fold.ts';
import { chunks } from '../journal/load.ts';
import type { JournalReader } from '../journal/reader.ts';
import type { Sender } from '../kafka/sender.ts';

interface Kept<Data, State> {
  readonly state: State;
  readonly sequence: number;
  readonly entries: readonly JournalEntry<Data>[];
}

/** Small, so that tests see several pages. */
const pageSize = 2;

/**
 * A journal in memory, for tests of one service without broker and database: the engine's own fold, at once and in order. What is sent is
 * taken in; an event whose fold throws throws here. `hold`: commands that are sent stay unanswered, as when their owner is away.
 */
export function createMemoryJournal<Names extends EventName, Data, State, Context = undefined>(
  aggregate: Aggregate<Names, Data, State, Context>,
  context: Context,
) {
  const aggregates = new Map<string, Kept<Data, State>>();
  const published: Outgoing[] = [];
  const sent: Outgoing[] = [];
  let held = false;

  const kept = (key: string): Kept<Data, State> => aggregates.get(key) ?? { state: aggregate.initial(key), sequence: 0, entries: [] };

  function take(...events: readonly EventOf<Names>[]): void {
    for (const event of events) {
      const key = aggregate.keyOf(event);
      const before = kept(key);
      const known = new Set(before.entries.map(({ cause }) => cause));
      const folded = foldEvents(aggregate, key, before, [{ event, offset: 0 }], { context, known, check: () => undefined });
      if (folded.broken) throw folded.broken.error;
      aggregates.set(key, { state: folded.state, sequence: folded.sequence, entries: [...before.entries, ...folded.entries] });
      published.push(...folded.outgoing);
    }
  }

  const caused = (cause: string) => [...aggregates.values()].flatMap(({ entries }) => entries.filter((entry) => entry.cause === cause));

  const entryAt = (key: string, at: number) => kept(key).entries.findLast((entry) => entry.at <= at) ?? null;

  const journal: JournalReader<Data, State> = {
    state: async (key) => kept(key),
    states: async (keys) => new Map(keys.map((key) => [key, kept(key)])),
    entryAt: async (key, at) => entryAt(key, at),
    entriesAt: async (heads, at) => new Map([...heads.keys()].map((key) => [key, entryAt(key, at)])),
    entries: async (key, { before = Infinity, limit = 100 } = {}) =>
      kept(key)
        .entries.filter(({ sequence }) => sequence < before)
        .toReversed()
        .slice(0, limit),
    async *pages(prefix, { after = prefix } = {}) {
      const keys = [...aggregates.keys()].filter((key) => key.startsWith(prefix) && key > after).toSorted();
      for (const some of chunks(keys, pageSize)) yield some.map((key) => ({ key, state: kept(key).state }));
    },
    caused: async (cause) => caused(cause),
    answeredAll: async (causes) => {
      const wanted = new Set(causes);
      const entries = [...aggregates.values()].flatMap(({ entries: all }) => all.filter(({ cause }) => wanted.has(cause)));
      return Map.groupBy(entries, ({ cause }) => cause);
    },
    answered: async (cause) => {
      const entries = caused(cause);
      return entries.length > 0 ? entries : null;
    },
  };
  const sender: Pick<Sender, 'send'> = {
    async send(messages) {
      sent.push(...messages);
      if (!held) take(...messages.flatMap(({ event }) => (event ? [event as unknown as EventOf<Names>] : [])));
    },
  };
  return { journal, sender, take, published, sent, hold: (on = true) => void (held = on) };
}

import type { EventName } from '@evenkeel/contracts';
import type { Outgoing } from '../events.ts';
import type { Aggregate } from './aggregate.ts';
import type { JournalCollections, JournalDocument } from './documents.ts';
import { replay, type Standing } from './fold.ts';

/** An aggregate as the database has it. */
export interface Loaded<Data, State> extends Standing<State> {
  /** Documents that may never have been published: to be published before anything newer of the aggregate. */
  readonly unpublished: readonly {
    readonly document: JournalDocument<Data>;
    readonly outgoing: readonly Outgoing[];
    readonly state: State;
  }[];
  /** Causes in the documents that were read. */
  readonly causes: ReadonlySet<string>;
}

export const keysPerQuery = 200;

/** The same items in their order, in parts of at most this size; of none, no part. */
export function* chunks<T>(items: readonly T[], size: number): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += size) yield items.slice(start, start + size);
}

const nearSequences = 20;

/**
 * Aggregates with sequences so near to each other that one query reads them from the least on, which comes first. Not an $or of each one's own:
 * SecantusDB goes through the collection once for each of its branches, which is minutes for a slice of a large journal.
 */
export function* alike(sequences: ReadonlyMap<string, number>): Generator<readonly (readonly [key: string, sequence: number])[]> {
  let some: [string, number][] = [];
  for (const [key, sequence] of [...sequences].toSorted(([, one], [, other]) => one - other)) {
    if (some.length === keysPerQuery || sequence - (some[0]?.[1] ?? sequence) > nearSequences) {
      yield some;
      some = [];
    }
    some.push([key, sequence]);
  }
  if (some.length > 0) yield some;
}

/** The journal's documents after each snapshot, in sequence order per aggregate. */
async function documentsAfter<Data>(
  collections: JournalCollections<Data, unknown>,
  after: ReadonlyMap<string, number>,
): Promise<JournalDocument<Data>[]> {
  const filters = [...alike(after)].map((some) => ({ aggregate: { $in: some.map(([key]) => key) }, from: { $gt: some[0]?.[1] ?? 0 } }));
  const found = await Promise.all(filters.map((filter) => collections.journal.find(filter as never, { projection: { _id: 0 } }).toArray()));
  const documents = (found.flat() as unknown as JournalDocument<Data>[]).filter(
    ({ aggregate, from }) => from > (after.get(aggregate) ?? 0),
  );
  return documents.toSorted((a, b) => a.from - b.from);
}

/** Which documents, of whichever aggregate, hold one of these causes. */
export async function documentsOfCauses<Data>(
  journal: JournalCollections<Data, unknown>['journal'],
  causes: readonly string[],
): Promise<Pick<JournalDocument<Data>, 'aggregate' | 'causes'>[]> {
  const found: Pick<JournalDocument<Data>, 'aggregate' | 'causes'>[] = [];
  for (const some of chunks(causes, keysPerQuery))
    found.push(
      ...(await journal.find({ causes: { $in: [...some] } } as never, { projection: { aggregate: 1, causes: 1, _id: 0 } }).toArray()),
    );
  return found;
}

/**
 * Loads aggregates: snapshots, then the journal after each. A document is to be published again exactly where its source offset is at or after the
 * lane's committed offset, never because a cause was repeated: a late repeat would put an old level last in a compacted topic.
 */
export async function loadAggregates<Names extends EventName, Data, State, Context>(
  aggregate: Aggregate<Names, Data, State, Context>,
  collections: JournalCollections<Data, State>,
  keys: readonly string[],
  committed: ReadonlyMap<string, number>,
): Promise<Map<string, Loaded<Data, State>>> {
  const parts = [...chunks(keys, keysPerQuery)].map((some) => collections.snapshots.find({ _id: { $in: [...some] } } as never).toArray());
  const { stateVersion = 1 } = aggregate;
  const snapshots = (await Promise.all(parts)).flat().filter(({ version = 1 }) => version === stateVersion);
  const snapshotOf = new Map(snapshots.map((snapshot) => [snapshot._id as string, snapshot]));
  const documents = await documentsAfter<Data>(collections as never, new Map(keys.map((key) => [key, snapshotOf.get(key)?.sequence ?? 0])));
  const documentsOf = Map.groupBy(documents, (document) => document.aggregate);
  return new Map(
    keys.map((key) => {
      const snapshot = snapshotOf.get(key);
      let state = (snapshot?.state as State | undefined) ?? aggregate.initial(key);
      let sequence = snapshot?.sequence ?? 0;
      const mine = documentsOf.get(key) ?? [];
      const unpublished = [];
      for (const document of mine) {
        if (document.from !== sequence + 1)
          throw new Error(`The journal of ${key} has a gap: ${sequence} is followed by ${document.from}.`);
        sequence = document.to;
        if (document.source.offset < (committed.get(document.source.topic) ?? 0)) {
          state = document.entries.reduce((before, entry) => aggregate.evolve(before, entry), state);
          continue;
        }
        const step = replay(aggregate, key, state, document.entries);
        ({ state } = step);
        unpublished.push({ document, ...step });
      }
      return [key, { state, sequence, documents: mine.length, unpublished, causes: new Set(mine.flatMap(({ causes }) => causes ?? [])) }];
    }),
  );
}

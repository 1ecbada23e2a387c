import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { Aggregate, JournalEntry } from '../src/journal/aggregate.ts';
import type { JournalCollections } from '../src/journal/documents.ts';
import { alike, loadAggregates } from '../src/journal/load.ts';

/** Adds up; its state once was a number, and is now told with its unit. */
const tally: Aggregate<'UpdateStock', number, { readonly units: number }> = {
  stateVersion: 2,
  keyOf: () => 't/mug',
  initial: () => ({ units: 0 }),
  decide: () => [1],
  evolve: ({ units }, { data }) => ({ units: units + data }),
  publish: () => [],
};

const entry = (sequence: number): JournalEntry<number> => ({ sequence, cause: `c${sequence}`, correlation: '', at: 0, data: 10 });
const documents = [1, 2].map((from) => ({
  aggregate: 't/mug',
  lane: 0,
  from,
  to: from,
  source: { topic: 'in', partition: 0, offset: from },
  entries: [entry(from)],
}));
const listOf = (items: readonly unknown[]) => ({ find: () => ({ toArray: async () => items }) });
const collectionsWith = (snapshot: object) =>
  ({ journal: listOf(documents), snapshots: listOf([snapshot]), parked: listOf([]) }) as unknown as JournalCollections<
    number,
    { readonly units: number }
  >;
const everything = new Map([['in', 99]]);

test('a snapshot of an older shape of the state is left aside, and the journal is read from its beginning', async () => {
  const old = { _id: 't/mug', lane: 0, sequence: 1, state: 10 };
  const loaded = await loadAggregates(tally, collectionsWith(old), ['t/mug'], everything);
  expect(loaded.get('t/mug')).toMatchObject({ sequence: 2, state: { units: 20 }, unpublished: [] });
});

test('what a query brought along from before a snapshot is not counted again', async () => {
  const snapshot = { _id: 't/mug', lane: 0, version: 2, sequence: 1, state: { units: 10 } };
  const loaded = await loadAggregates(tally, collectionsWith(snapshot), ['t/mug'], everything);
  expect(loaded.get('t/mug')).toMatchObject({ sequence: 2, documents: 1, state: { units: 20 } });
});

test('aggregates are read together where little is read in vain: each once, by few queries, the least sequence first', () => {
  // One query with a condition for each aggregate took minutes on SecantusDB.
  const aSequence = fc.oneof(fc.nat(40), fc.nat(100_000));
  fc.assert(
    fc.property(fc.dictionary(fc.string(), aSequence, { maxKeys: 600 }), (sequences) => {
      const parts = [...alike(new Map(Object.entries(sequences)))];
      expect(Object.fromEntries(parts.flat())).toEqual(sequences);
      for (const part of parts) {
        const all = part.map(([, sequence]) => sequence);
        expect(part.length).toBeLessThanOrEqual(200);
        expect(all[0]).toBe(Math.min(...all));
        expect(Math.max(...all) - Math.min(...all)).toBeLessThanOrEqual(20);
      }
    }),
  );
  const many = new Map(Array.from({ length: 500 }, (_, index) => [`t/${index}`, index % 3]));
  expect([...alike(many)]).toHaveLength(3);
});

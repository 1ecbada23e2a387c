import type { Collection, Document } from 'mongodb';
import type { Connection } from 'mongoose';
import type { JournalEntry } from './aggregate.ts';

/** One aggregate's entries of one slice: written in whole or not at all. */
export interface JournalDocument<Data> {
  readonly aggregate: string;
  /** Partition number of the topics that feed it. */
  readonly lane: number;
  readonly from: number;
  readonly to: number;
  /** Where the last event that is in it came from. */
  readonly source: { readonly topic: string; readonly partition: number; readonly offset: number };
  /** Absent where the source's own sequence tells a repeat. */
  readonly causes?: readonly string[];
  readonly entries: readonly JournalEntry<Data>[];
}

export interface Snapshot<State> {
  readonly _id: string;
  readonly lane: number;
  readonly sequence: number;
  /** The aggregate's `stateVersion`; absent: 1. */
  readonly version?: number;
  readonly state: State;
}

/** An aggregate whose fold threw: its events go to the dead-letter topic, in order, until a person has looked. */
export interface Parked {
  readonly _id: string;
  readonly lane: number;
  readonly reason: string;
  readonly at: Date;
}

export interface JournalCollections<Data, State> {
  readonly journal: Collection<JournalDocument<Data>>;
  readonly snapshots: Collection<Snapshot<State>>;
  readonly parked: Collection<Parked>;
}

const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority', journal: true } } as const;

/**
 * The journal's collections, with their unique indexes: they must exist before the group is joined. `purpose`: begins their names where a service
 * keeps more than one journal.
 */
export async function openCollections<Data, State>(connection: Connection, purpose?: string): Promise<JournalCollections<Data, State>> {
  const database = connection.getClient().db(connection.name);
  const open = <T extends Document>(name: string) => database.collection<T>(purpose === undefined ? name : `${purpose}_${name}`, majority);
  const journal = open<JournalDocument<Data>>('journal');
  await journal.createIndexes([
    { key: { aggregate: 1, from: 1 }, name: 'one_writer', unique: true },
    { key: { causes: 1, aggregate: 1 }, name: 'one_effect', unique: true, partialFilterExpression: { causes: { $exists: true } } },
    // Who asks for a cause alone would have SecantusDB read the whole collection: it leaves partial indexes aside.
    { key: { causes: 1 }, name: 'by_cause' },
    { key: { lane: 1, aggregate: 1 }, name: 'aggregates_of_lane', partialFilterExpression: { from: 1 } },
  ]);
  return { journal, snapshots: open<Snapshot<State>>('snapshots'), parked: open<Parked>('parked') };
}

import type { EventName } from '@evenkeel/contracts';
import type { EventOf, Outgoing } from '../events.ts';

/** What every journal entry carries beside the service's own data. */
export interface EntryEnvelope {
  /** Id of the event or command that caused it. */
  readonly cause: string;
  readonly correlation: string;
  /** The cause's time, in milliseconds. */
  readonly at: number;
}

/** One row of an aggregate's journal. */
export interface JournalEntry<Data> extends EntryEnvelope {
  /** From 1, without a gap. */
  readonly sequence: number;
  readonly data: Data;
}

/**
 * What a service brings to the journal: pure functions, no clock, no I/O, no randomness.
 * `Names`: events it reads. `Data`: what it writes to the journal; `State`: what it remembers, plain JSON. `Context`: settings read beside the journal.
 */
export interface Aggregate<Names extends EventName, Data, State, Context = undefined> {
  /** Raised when `State` has another shape, or another meaning: snapshots of another version are left aside, and the journal is read instead. 1 where absent. */
  readonly stateVersion?: number;
  /** The aggregate that an event concerns, as {@link keyOf} writes it; the same key parts as the input topics'. */
  keyOf(event: EventOf<Names>): string;
  /** The state before the first entry. */
  initial(key: string): State;
  /**
   * True where the source's own sequence says that the event is already in (order → reservation, stock → sync-policy). For such events no cause
   * is stored: the state keeps the last sequence seen. Null: not such an event; its id is its cause, and the journal's unique index makes a repeat harmless.
   */
  seen?(state: State, event: EventOf<Names>): boolean | null;
  /** True where the event itself says that its aggregate is new, so that nothing need be loaded. A wrong "true" is corrected by the index. */
  isNew?(event: EventOf<Names>): boolean;
  /** At least one entry: a refusal and "nothing changed" are entries too, so that every repeat finds its answer. */
  decide(state: State, event: EventOf<Names>, context: Context): readonly [Data, ...Data[]];
  /** The state after an entry. */
  evolve(state: State, entry: JournalEntry<Data>): State;
  /** The records that an entry is published as. `state` is the state right after the entry. */
  publish(key: string, entry: JournalEntry<Data>, state: State): readonly Outgoing[];
  /** The newest records of the aggregate in compacted topics, exactly as {@link publish} wrote them; republished in a slow trickle. */
  heads?(key: string, state: State): readonly Outgoing[];
}

import type { EventName } from '@evenkeel/contracts';
import type { EventOf, Outgoing } from '../events.ts';
import type { Aggregate, JournalEntry } from './aggregate.ts';

/** An aggregate as it stands in memory. */
export interface Standing<State> {
  readonly state: State;
  /** Of the last entry; 0 where there is none. */
  readonly sequence: number;
  /** Documents since the last snapshot. */
  readonly documents: number;
}

/** What the events of one slice make of one aggregate. */
export interface Folded<Names extends EventName, Data, State> {
  readonly entries: readonly JournalEntry<Data>[];
  readonly causes: readonly string[];
  readonly outgoing: readonly Outgoing[];
  readonly sequence: number;
  readonly state: State;
  /** The last event that is in it; undefined where nothing was new. */
  readonly last: { readonly event: EventOf<Names>; readonly offset: number } | undefined;
  /** The fold or the encoding of this event threw; it and all later ones were not folded. */
  readonly broken: { readonly at: number; readonly error: Error } | undefined;
}

export interface Sourced<Names extends EventName> {
  readonly event: EventOf<Names>;
  readonly offset: number;
}

/**
 * Folds events into one aggregate: pure. Every cause takes at least one sequence number. `known`: causes that are in the journal already;
 * a cause that comes twice within the slice is dropped here, for the unique index does not see repeats inside one document.
 */
export function foldEvents<Names extends EventName, Data, State, Context>(
  aggregate: Aggregate<Names, Data, State, Context>,
  key: string,
  standing: Pick<Standing<State>, 'state' | 'sequence'>,
  events: readonly Sourced<Names>[],
  { context, known, check }: { context: Context; known: ReadonlySet<string>; check: (outgoing: readonly Outgoing[]) => void },
): Folded<Names, Data, State> {
  let { state, sequence } = standing;
  const entries: JournalEntry<Data>[] = [];
  const causes = new Set<string>();
  const outgoing: Outgoing[] = [];
  let last: Sourced<Names> | undefined;
  for (const [at, sourced] of events.entries()) {
    const { event } = sourced;
    try {
      const seen = aggregate.seen?.(state, event) ?? null;
      if (seen ?? (known.has(event.id) || causes.has(event.id))) continue;
      const step = foldOne(aggregate, key, { state, sequence }, event, context);
      check(step.outgoing);
      entries.push(...step.entries);
      outgoing.push(...step.outgoing);
      ({ state, sequence } = step);
      if (seen === null) causes.add(event.id);
      last = sourced;
    } catch (error) {
      return { entries, causes: [...causes], outgoing, state, sequence, last, broken: { at, error: error as Error } };
    }
  }
  return { entries, causes: [...causes], outgoing, state, sequence, last, broken: undefined };
}

function foldOne<Names extends EventName, Data, State, Context>(
  aggregate: Aggregate<Names, Data, State, Context>,
  key: string,
  { state: before, sequence: from }: { state: State; sequence: number },
  event: EventOf<Names>,
  context: Context,
) {
  const decided = aggregate.decide(before, event, context);
  if (decided.length === 0) throw new Error('A decision without an entry: a repeat would not find its answer.');
  const envelope = { cause: event.id, correlation: event.correlation, at: event.time };
  const entries = decided.map((data, index) => ({ sequence: from + index + 1, ...envelope, data }));
  return { entries, ...replay(aggregate, key, before, entries), sequence: from + entries.length };
}

/** What entries make of a state, and what they are published as: the same at the first time and at every repeat. */
export function replay<Names extends EventName, Data, State, Context>(
  aggregate: Aggregate<Names, Data, State, Context>,
  key: string,
  before: State,
  entries: readonly JournalEntry<Data>[],
): { readonly state: State; readonly outgoing: readonly Outgoing[] } {
  let state = before;
  const outgoing: Outgoing[] = [];
  for (const entry of entries) {
    state = aggregate.evolve(state, entry);
    outgoing.push(...aggregate.publish(key, entry, state));
  }
  return { state, outgoing };
}

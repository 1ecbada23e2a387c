import { keyOf, type IncidentChanged, type Topic } from '@evenkeel/contracts';
import type { EventName } from '@evenkeel/contracts';
import type { Outgoing } from '../events.ts';
import type { Aggregate, JournalEntry } from '../journal/aggregate.ts';

/** Within this time an incident that comes back is the same one, counted again. */
export const sameIncidentMilliseconds = 3_600_000;

/** What a person needs to act. */
export type IncidentDetails = IncidentChanged['details'];

/** What is remembered of one kind of incident about one subject: the present opening, or the last one. */
export interface Incident extends Pick<IncidentChanged, 'state' | 'count' | 'openedAt' | 'closedAt' | 'details'> {
  /** Sequence, time and correlation of what opened or closed it. */
  readonly sequence: number;
  readonly at: number;
  readonly correlation: string;
}

/** When it was found: times are the causes' own, so that a replay comes to the same incident. */
export type IncidentMoment = Pick<Incident, 'sequence' | 'at' | 'correlation'>;

/**
 * One incident per subject and kind, opened and closed by state, reopened rather than doubled within an hour. `details`: what is wrong now;
 * null: nothing. Returns `before` itself where neither opens nor closes anything.
 */
export function incidentAfter(before: Incident | undefined, details: IncidentDetails | null, moment: IncidentMoment): Incident | undefined {
  const { sequence, at, correlation } = moment;
  if ((details !== null) === (before?.state === 'open')) return before;
  if (details === null) return before && { ...before, state: 'closed', closedAt: at, sequence, at, correlation };
  const isSame = before !== undefined && before.closedAt !== null && at - before.closedAt <= sameIncidentMilliseconds;
  const { count, openedAt } = isSame ? { count: before.count + 1, openedAt: before.openedAt } : { count: 1, openedAt: at };
  return { state: 'open', count, openedAt, closedAt: null, details, sequence, at, correlation };
}

/** A state with the incidents that it has led to, by kind. */
export interface WithIncidents {
  readonly incidents: Readonly<Record<string, Incident>>;
}

/** Whom an incident concerns. */
export interface IncidentSubject {
  readonly tenant: string;
  readonly subject: string;
}

export interface IncidentRules<Data, State> {
  readonly topic: Topic<'IncidentChanged'>;
  readonly subjectOf: (key: string) => IncidentSubject;
  /** By kind: what is wrong with the aggregate right after an entry; null: nothing. Pure. */
  readonly kinds: Readonly<Record<string, (state: State, entry: JournalEntry<Data>) => IncidentDetails | null>>;
}

/** An aggregate that also opens and closes its incidents, several kinds of them, and publishes each change. */
export function withIncidents<Names extends EventName, Data, State extends object, Context>(
  aggregate: Aggregate<Names, Data, State, Context>,
  { topic, subjectOf, kinds }: IncidentRules<Data, State>,
): Aggregate<Names, Data, State & WithIncidents, Context> {
  const rules = Object.entries(kinds);

  function incidentsAfter(before: WithIncidents['incidents'], state: State, entry: JournalEntry<Data>): WithIncidents['incidents'] {
    let after = before;
    for (const [kind, wrongWith] of rules) {
      const incident = incidentAfter(before[kind], wrongWith(state, entry), entry);
      if (incident && incident !== before[kind]) after = { ...after, [kind]: incident };
    }
    return after;
  }

  function recordOf(key: string, kind: string, incident: Incident): Outgoing {
    const { tenant, subject } = subjectOf(key);
    return incidentRecord(topic, `${topic.owner}/${key}/${incident.sequence}/${kind}`, { tenant, kind, subject }, incident);
  }

  const recordsOf = (key: string, { incidents }: WithIncidents, isWanted: (incident: Incident) => boolean = () => true): Outgoing[] => {
    const records: Outgoing[] = [];
    for (const [kind] of rules) {
      const incident = incidents[kind];
      if (incident && isWanted(incident)) records.push(recordOf(key, kind, incident));
    }
    return records;
  };

  return {
    ...aggregate,
    initial: (key) => ({ ...aggregate.initial(key), incidents: {} }),
    evolve(before, entry) {
      const state = aggregate.evolve(before, entry);
      return { ...state, incidents: incidentsAfter(before.incidents, state, entry) };
    },
    publish(key, entry, state) {
      const records = recordsOf(key, state, ({ sequence }) => sequence === entry.sequence);
      const own = aggregate.publish(key, entry, state);
      return records.length === 0 ? own : [...own, ...records];
    },
    heads: (key, state) => [...(aggregate.heads?.(key, state) ?? []), ...recordsOf(key, state)],
  };
}

/** The record of an incident as it stands. `id`: the same at every publish of this opening or closing. */
export function incidentRecord(
  topic: Topic<'IncidentChanged'>,
  id: string,
  { tenant, kind, subject }: IncidentSubject & { readonly kind: string },
  { state, count, openedAt, closedAt, details, at, correlation }: Incident,
): Outgoing {
  const data = { tenant, kind, subject, state, count, openedAt, closedAt, details, at };
  return { topic, key: [tenant, kind, subject], event: { id, type: 'IncidentChanged', time: at, correlation, data } };
}

/** The key of an incident, in its topic and in its collection. */
export const incidentKey = ({ tenant, kind, subject }: IncidentSubject & { readonly kind: string }): string => keyOf(tenant, kind, subject);

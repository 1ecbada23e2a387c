import type { Topic } from '@evenkeel/contracts';
import { keyOf } from '@evenkeel/contracts';
import type { Projected } from '../journal/journal.ts';
import type { Sender } from '../kafka/sender.ts';
import type { Metrics } from '../metrics.ts';
import { putNewer, type MongoHandle } from '../mongo.ts';
import {
  incidentAfter,
  incidentKey,
  incidentRecord,
  type Incident,
  type IncidentDetails,
  type IncidentSubject,
  type WithIncidents,
} from './rule.ts';

/** Which incident. */
export interface IncidentName extends IncidentSubject {
  readonly kind: string;
}

/** That somebody has seen the present opening; it closes nothing. */
export interface Acknowledgement {
  readonly user: string;
  readonly at: Date;
  /** Of the opening that was seen. */
  readonly openedAt: Date;
  readonly count: number;
}

/** One incident, as people read it. */
export interface IncidentDocument extends IncidentName {
  /** `keyOf(tenant, kind, subject)`, as the topic has it. */
  readonly _id: string;
  readonly state: 'open' | 'closed';
  readonly count: number;
  readonly openedAt: Date;
  readonly closedAt: Date | null;
  readonly details: IncidentDetails;
  /** Of what opened or closed it: an older one never overwrites a newer. */
  readonly sequence: number;
  readonly at: Date;
  readonly correlation: string;
  /** Of whichever opening: see {@link acknowledgementOf}. */
  readonly acknowledged?: Acknowledgement;
}

export interface IncidentFilter {
  readonly tenant: string;
  readonly state?: 'open' | 'closed' | undefined;
  readonly kind?: string | undefined;
  /** The last key of the page before. */
  readonly after?: string | undefined;
  readonly limit: number;
}

export interface IncidentStore {
  /** Idempotent by sequence, so that a repeat or an older one changes nothing. */
  record(incidents: readonly (IncidentName & Incident)[]): Promise<void>;
  find(name: IncidentName): Promise<IncidentDocument | null>;
  /** Of one tenant, by key. */
  page(filter: IncidentFilter): Promise<IncidentDocument[]>;
  /** Notes that somebody has seen the present opening. Null where there is none, or where it closed meanwhile. */
  acknowledge(name: IncidentName, by: { readonly user: string; readonly at: number }): Promise<IncidentDocument | null>;
  open(kind: string): Promise<number>;
}

/** The acknowledgement of the present opening; an earlier opening's says nothing of this one. */
export function acknowledgementOf({ state, count, openedAt, acknowledged }: IncidentDocument): Acknowledgement | null {
  const isOfThisOne = acknowledged?.count === count && acknowledged.openedAt.getTime() === openedAt.getTime();
  return state === 'open' && acknowledged && isOfThisOne ? acknowledged : null;
}

const majority = { readConcern: { level: 'majority' }, writeConcern: { w: 'majority', journal: true } } as const;

/** Opens the collection `incidents` with its indexes. */
export async function openIncidentStore({ connection }: MongoHandle): Promise<IncidentStore> {
  const incidents = connection.getClient().db(connection.name).collection<IncidentDocument>('incidents', majority);
  await incidents.createIndexes([
    { key: { tenant: 1, state: 1, _id: 1 }, name: 'by_tenant' },
    { key: { kind: 1, state: 1 }, name: 'by_kind' },
  ]);
  const find = (name: IncidentName) => incidents.findOne({ _id: incidentKey(name) });

  return {
    find,
    record: (changed) => putNewer(incidents, 'sequence', changed.map(documentOf)),
    page({ tenant, state, kind, after = '', limit }) {
      const prefix = kind === undefined ? keyOf(tenant) : keyOf(tenant, kind);
      // '0' is the character behind '/', which separates the parts of a key.
      const range = { $gt: after > `${prefix}/` ? after : `${prefix}/`, $lt: `${prefix}0` };
      return incidents
        .find({ tenant, _id: range, ...(state ? { state } : {}) })
        .sort({ _id: 1 })
        .limit(limit)
        .toArray();
    },
    async acknowledge(name, { user, at }) {
      const found = await find(name);
      if (found?.state !== 'open') return null;
      const { openedAt, count } = found;
      const seen = { _id: found._id, state: 'open', openedAt, count } as const;
      const { matchedCount } = await incidents.updateOne(seen, {
        $set: { acknowledged: { user, at: new Date(at), openedAt, count } },
      });
      return matchedCount === 1 ? find(name) : null;
    },
    open: (kind) => incidents.countDocuments({ kind, state: 'open' }),
  };
}

function documentOf({ tenant, kind, subject, openedAt, closedAt, at, ...rest }: IncidentName & Incident): IncidentDocument {
  const { state, count, details, sequence, correlation } = rest;
  const times = { openedAt: new Date(openedAt), closedAt: closedAt === null ? null : new Date(closedAt), at: new Date(at) };
  return { _id: incidentKey({ tenant, kind, subject }), tenant, kind, subject, state, count, ...times, details, sequence, correlation };
}

function incidentIn({ state, count, details, sequence, correlation, openedAt, closedAt, at }: IncidentDocument): Incident {
  const times = { openedAt: openedAt.getTime(), closedAt: closedAt?.getTime() ?? null, at: at.getTime() };
  return { state, count, details, sequence, correlation, ...times };
}

/** The incidents that opened or closed in what a journal projects: what its `project` has the store record. */
export const incidentsIn = (
  documents: readonly Projected<unknown, WithIncidents>[],
  subjectOf: (key: string) => IncidentSubject,
): (IncidentName & Incident)[] =>
  documents.flatMap(({ key, entries, state }) => {
    const from = entries[0]?.sequence ?? 0;
    const changed = Object.entries(state.incidents).filter(([, { sequence }]) => sequence >= from);
    return changed.map(([kind, incident]) => ({ ...subjectOf(key), kind, ...incident }));
  });

export interface IncidentReport extends IncidentName {
  /** What is wrong now; null: nothing. */
  readonly details: IncidentDetails | null;
  readonly at: number;
  readonly correlation: string;
}

/**
 * For a service without a journal of what goes wrong: opens and closes an incident by what it reports, level-triggered, in the store and in its topic. One
 * writer per incident. A crash between the two leads to the same report again.
 */
export const createIncidentReporter =
  ({ store, sender, topic }: { store: IncidentStore; sender: Pick<Sender, 'send'>; topic: Topic<'IncidentChanged'> }) =>
  async ({ tenant, kind, subject, details, at, correlation }: IncidentReport): Promise<void> => {
    const name = { tenant, kind, subject };
    const found = await store.find(name);
    const before = found ? incidentIn(found) : undefined;
    const after = incidentAfter(before, details, { sequence: (before?.sequence ?? 0) + 1, at, correlation });
    if (!after || after === before) return;
    await sender.send([incidentRecord(topic, `${topic.owner}/${incidentKey(name)}/${after.sequence}/${kind}`, name, after)]);
    await store.record([{ ...name, ...after }]);
  };

/** Shows how many incidents of these kinds are open, over all replicas. */
export function showOpenIncidents(metrics: Metrics, store: Pick<IncidentStore, 'open'>, kinds: readonly string[]): void {
  metrics.gauge({
    name: 'evenkeel_incidents_open',
    help: 'Incidents that are open, over all replicas.',
    labels: ['kind'],
    // A database that is away costs these numbers, not the whole page.
    async collect(gauge) {
      for (const kind of kinds) {
        const open = await store.open(kind).catch(() => null);
        if (open !== null) gauge.set({ kind }, open);
      }
    },
  });
}

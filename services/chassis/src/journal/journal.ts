import { deadLetterTopicOf, type EventName, type Topic } from '@evenkeel/contracts';
import { LRUCache } from 'lru-cache';
import { MongoBulkWriteError, MongoError } from 'mongodb';
import type { EventOf, Outgoing } from '../events.ts';
import { Abandoned, Unavailable } from '../kafka/failures.ts';
import type { KafkaHandle } from '../kafka/kafka.ts';
import { openLanes, type Lanes, type LanesOptions, type Slice } from '../kafka/lanes.ts';
import type { Sender } from '../kafka/sender.ts';
import { encode, partitionOf, withoutSuperseded, type Encoded } from '../kafka/wire.ts';
import type { MongoHandle } from '../mongo.ts';
import type { Aggregate, JournalEntry } from './aggregate.ts';
import { openCollections, type JournalDocument } from './documents.ts';
import { foldEvents, type Folded, type Sourced, type Standing } from './fold.ts';
import { documentsOfCauses, loadAggregates } from './load.ts';
import { correlationsOf } from '../log.ts';
import { createReader, type JournalReader, type Page } from './reader.ts';
import { createSnapshots } from './snapshots.ts';
import { startTrickle } from './trickle.ts';

/** What was journaled and published of one aggregate; given at least once, in sequence order. */
export interface Projected<Data, State> {
  readonly key: string;
  readonly entries: readonly JournalEntry<Data>[];
  /** After the last of these entries. */
  readonly state: State;
}

/** What was just done to a slice: where a test may hold or kill a replica, and where its time can be measured. */
export type Step = 'begun' | 'loaded' | 'folded' | 'inserted' | 'published' | 'committed';

/** The lane that a control record came in, for as long as it is dealt with: nothing else happens in it meanwhile. */
export interface ControlledLane<State> {
  /** Partition number. */
  readonly number: number;
  /** False once the lane is, or may be, somebody else's. */
  alive(): boolean;
  /** The lane's aggregates whose key begins so, as they are after all that came before the control record. */
  pages(prefix: string): AsyncIterable<Page<State>>;
}

export interface JournalOptions<Names extends EventName, Data, State, Context> extends Pick<
  LanesOptions<Names>,
  | 'group'
  | 'topics'
  | 'sessionTimeoutMilliseconds'
  | 'rebalanceTimeoutMilliseconds'
  | 'onFatal'
  | 'onDeadLetter'
  | 'sliceEvents'
  | 'sliceEventsOfOneKey'
> {
  readonly kafka: KafkaHandle;
  readonly sender: Sender;
  readonly mongo: MongoHandle;
  readonly aggregate: Aggregate<Names, Data, State, Context>;
  /** Of a service's second journal: begins the names of its collections. */
  readonly purpose?: string;
  /** Settings that decisions need beside the journal, read once per slice, or between two control records of one. */
  readonly context?: (events: readonly EventOf<Names>[], lane: number) => Promise<Context>;
  /**
   * Control records: they concern the lane, not an aggregate, and are not journaled. Each is dealt with after what came before it is published
   * and before what came after it is decided; at least once.
   */
  readonly controls?: { readonly [Name in Names]?: (event: EventOf<Name>, lane: ControlledLane<State>) => Promise<void> };
  /** The group has a new generation: what was remembered of any lane beside the journal is void. */
  readonly onAssigned?: () => void;
  /** Called after publish and before commit, at least once: must be idempotent by sequence. */
  readonly project?: (documents: readonly Projected<Data, State>[]) => Promise<void>;
  /** One aggregate's heads are republished each so many milliseconds; 0: never. */
  readonly trickleMilliseconds?: number;
  readonly onStep?: (step: Step, slice: Slice<Names>) => Promise<void> | void;
  /** Aggregates kept in memory, at most. */
  readonly aggregatesInMemory?: number;
}

export interface Journal<Data, State> extends JournalReader<Data, State>, AsyncDisposable {
  readonly lanes: Pick<Lanes, 'owned' | 'alive' | 'live'>;
}

const snapshotDocuments = 16;

/** The database answers "no", or not at all: nothing of the code. */
const asUnavailable = (error: unknown): unknown =>
  error instanceof MongoError ? new Unavailable('The database did not answer.', { cause: error }) : error;

/** What one slice is doing to one aggregate. */
interface Work<Names extends EventName, Data, State> {
  readonly key: string;
  readonly events: readonly Sourced<Names>[];
  standing: Standing<State>;
  known: ReadonlySet<string>;
  folded?: Folded<Names, Data, State>;
}

/** Opens the engine: Kafka in, journal, Kafka out. Each numbered step is one of ARCHITECTURE.md, "The journal". */
export async function openJournal<Names extends EventName, Data, State, Context = undefined>(
  options: JournalOptions<Names, Data, State, Context>,
): Promise<Journal<Data, State>> {
  const { kafka, sender, mongo, aggregate, group, onStep = () => undefined } = options;
  const collections = await openCollections<Data, State>(mongo.connection, options.purpose);
  const reader = createReader(aggregate, collections);
  const snapshots = createSnapshots<State>(collections.snapshots, kafka.log);
  const memory = new LRUCache<string, { lane: number; standing: Standing<State> }>({ max: options.aggregatesInMemory ?? 100_000 });
  let parked = new Map<number, Promise<Map<string, string>>>();

  function forget(lane?: number): void {
    if (lane === undefined) memory.clear();
    else for (const [key, value] of memory.entries()) if (value.lane === lane) memory.delete(key);
  }

  async function parkedIn(lane: number): Promise<Map<string, string>> {
    const found =
      parked.get(lane) ??
      collections.parked
        .find({ lane })
        .toArray()
        .then((documents) => new Map(documents.map(({ _id, reason }) => [_id, reason])));
    parked.set(lane, found);
    return found.catch((error: unknown) => {
      parked.delete(lane);
      throw error;
    });
  }

  const encodeAll = (outgoing: readonly Outgoing[]): Encoded[] => outgoing.map((message) => encode(kafka.codec, message));

  /** 2. What is not in memory, and what was perhaps never published of it. */
  async function load(committed: ReadonlyMap<string, number>, keys: readonly string[], republished: Republished<Data, State>) {
    const loaded = await loadAggregates(aggregate, collections, keys, committed);
    for (const [key, { unpublished }] of loaded) {
      for (const { document, outgoing, state } of unpublished) {
        if ((republished.sequences.get(key) ?? 0) >= document.to) continue;
        republished.sequences.set(key, document.to);
        republished.messages.push(...encodeAll(outgoing));
        republished.projected.push({ key, entries: document.entries, state });
      }
    }
    return loaded;
  }

  async function standings(
    slice: Slice<Names>,
    groups: ReadonlyMap<string, readonly Sourced<Names>[]>,
    republished: Republished<Data, State>,
  ) {
    const works: Work<Names, Data, State>[] = [];
    const missing: Work<Names, Data, State>[] = [];
    for (const [key, events] of groups) {
      const remembered = memory.get(key)?.standing;
      const first = events[0]?.event;
      const fresh = remembered === undefined && first !== undefined && (aggregate.isNew?.(first) ?? false);
      const standing = remembered ?? { state: aggregate.initial(key), sequence: 0, documents: 0 };
      const work: Work<Names, Data, State> = { key, events, known: new Set(), standing };
      works.push(work);
      if (remembered === undefined && !fresh) missing.push(work);
    }
    await reload(slice, missing, republished);
    return works;
  }

  async function reload(
    slice: Slice<Names>,
    works: readonly Work<Names, Data, State>[],
    republished: Republished<Data, State>,
  ): Promise<void> {
    if (works.length === 0) return;
    const loaded = await load(
      await slice.committed(),
      works.map(({ key }) => key),
      republished,
    );
    for (const work of works) {
      const found = loaded.get(work.key);
      if (found) [work.standing, work.known] = [found, new Set([...work.known, ...found.causes])];
    }
  }

  /** After a refused document: which of the causes are in the journal, however long ago. */
  async function learnCauses(works: readonly Work<Names, Data, State>[]): Promise<void> {
    const documents = await documentsOfCauses(
      collections.journal,
      works.flatMap(({ folded }) => folded?.causes ?? []),
    );
    const known = Map.groupBy(documents, ({ aggregate: key }) => key);
    for (const work of works) work.known = new Set([...work.known, ...(known.get(work.key) ?? []).flatMap(({ causes }) => causes ?? [])]);
  }

  function documentOf(slice: Slice<Names>, work: Work<Names, Data, State>, folded: Folded<Names, Data, State>): JournalDocument<Data> {
    return {
      aggregate: work.key,
      lane: slice.lane,
      from: work.standing.sequence + 1,
      to: folded.sequence,
      source: { topic: slice.topic, partition: slice.lane, offset: folded.last?.offset ?? 0 },
      ...(folded.causes.length > 0 && { causes: folded.causes }),
      entries: folded.entries,
    };
  }

  /** 4. One unordered call: the commit point. Returns the indices of the refused documents. */
  async function insert(documents: readonly JournalDocument<Data>[]): Promise<Set<number>> {
    try {
      await collections.journal.insertMany([...documents] as never, { ordered: false, forceServerObjectId: true });
      return new Set();
    } catch (error) {
      const refusals = error instanceof MongoBulkWriteError ? [error.writeErrors].flat() : [];
      const outcomeKnown =
        error instanceof MongoBulkWriteError &&
        refusals.length > 0 &&
        refusals.every(({ code }) => code === 11_000) &&
        !error.result.getWriteConcernError();
      if (!outcomeKnown) throw error;
      return new Set(refusals.map(({ index }) => index));
    }
  }

  /** 3 and 4, until every document is in or has nothing new. Returns what is now in the journal. */
  async function foldAndInsert(
    slice: Slice<Names>,
    works: readonly Work<Names, Data, State>[],
    context: Context,
    republished: Republished<Data, State>,
  ) {
    const accepted: { work: Work<Names, Data, State>; folded: Folded<Names, Data, State>; messages: Encoded[] }[] = [];
    for (let pending = works; pending.length > 0;) {
      const folds = pending.map((work) => {
        const messages: Encoded[] = [];
        const folded = foldEvents(aggregate, work.key, work.standing, work.events, {
          context,
          known: work.known,
          check: (outgoing) => messages.push(...encodeAll(outgoing)),
        });
        work.folded = folded;
        return { work, folded, messages };
      });
      const fresh = folds.filter(({ folded }) => folded.entries.length > 0);
      accepted.push(...folds.filter(({ folded }) => folded.entries.length === 0));
      if (fresh.length === 0) break;
      await onStep('folded', slice);
      if (!slice.alive()) throw new Abandoned('the lane is no longer ours before the insert');
      const refused = await insert(fresh.map(({ work, folded }) => documentOf(slice, work, folded)));
      accepted.push(...fresh.filter((_, index) => !refused.has(index)));
      pending = fresh.filter((_, index) => refused.has(index)).map(({ work }) => work);
      await learnCauses(pending);
      await reload(slice, pending, republished);
    }
    return accepted;
  }

  /** An aggregate whose fold threw is parked: this event and all later ones wait in the dead-letter topic, in order; the lane flows. */
  async function park(slice: Slice<Names>, key: string, events: readonly Sourced<Names>[], reason: string): Promise<void> {
    const known = await parkedIn(slice.lane);
    if (!known.has(key)) {
      kafka.log.error(
        { group, aggregate: key, reason },
        'An aggregate is parked: its events go to the dead-letter topic until they are replayed.',
      );
      await collections.parked.updateOne({ _id: key }, { $setOnInsert: { lane: slice.lane, reason, at: new Date() } }, { upsert: true });
      known.set(key, reason);
      options.onDeadLetter?.('parked');
    }
    const target = deadLetterTopicOf(group);
    const origin = options.topics.find(({ name }) => name === slice.topic) as Topic;
    const messages = events.map(({ event, offset }) => {
      const encoded = encode(kafka.codec, { topic: origin, key: [key], event: event as EventOf<EventName> });
      const place = { dlq_reason: reason, dlq_topic: slice.topic, dlq_partition: String(slice.lane), dlq_offset: String(offset) };
      return { ...encoded, topic: target.name, key, partition: partitionOf(target, [key]), headers: { ...encoded.headers, ...place } };
    });
    await sender.sendEncoded(messages, { alive: slice.alive });
  }

  async function groupByAggregate(slice: Slice<Names>): Promise<Map<string, Sourced<Names>[]>> {
    const groups = new Map<string, Sourced<Names>[]>();
    const waiting = await parkedIn(slice.lane);
    for (const sourced of slice.events) {
      const key = aggregate.keyOf(sourced.event);
      const reason = waiting.get(key);
      if (reason !== undefined) await park(slice, key, [sourced], reason);
      else if (groups.has(key)) groups.get(key)?.push(sourced);
      else groups.set(key, [sourced]);
    }
    return groups;
  }

  function remember(
    lane: number,
    { key, standing }: Work<Names, Data, State>,
    { state, sequence, entries }: Folded<Names, Data, State>,
  ): void {
    const documents = standing.documents + (entries.length > 0 ? 1 : 0);
    const due = documents >= snapshotDocuments;
    if (due) snapshots.write({ _id: key, lane, sequence, version: aggregate.stateVersion ?? 1, state });
    memory.set(key, { lane, standing: { state, sequence, documents: due ? 0 : documents } });
  }

  /** One line a slice: at an ordinary pace it names every order that passed; of a large slice the first few. */
  function tell({ lane, topic, events }: Slice<Names>, documents: number): void {
    const correlations = correlationsOf(events.map(({ event }) => event));
    kafka.log.info({ lane, topic, events: events.length, documents, correlations }, 'Journaled and published.');
  }

  async function processSlice(slice: Slice<Names>): Promise<void> {
    await onStep('begun', slice);
    const groups = await groupByAggregate(slice);
    const republished: Republished<Data, State> = { messages: [], projected: [], sequences: new Map() };
    const works = await standings(slice, groups, republished);
    await onStep('loaded', slice);
    const context = (await options.context?.(
      slice.events.map(({ event }) => event),
      slice.lane,
    )) as Context;
    const accepted = await foldAndInsert(slice, works, context, republished);
    reader.inserted(accepted.flatMap(({ folded }) => folded.causes));
    await onStep('inserted', slice);
    const messages = [...republished.messages, ...accepted.flatMap((one) => one.messages)];
    await sender.sendEncoded(withoutSuperseded(messages), { alive: slice.alive });
    await onStep('published', slice);
    const fresh = accepted.filter(({ folded }) => folded.entries.length > 0);
    const projected = [
      ...republished.projected,
      ...fresh.map(({ work: { key }, folded: { entries, state } }) => ({ key, entries, state })),
    ];
    if (projected.length > 0) await options.project?.(projected);
    tell(slice, fresh.length);
    for (const { work, folded } of accepted) {
      remember(slice.lane, work, folded);
      if (folded.broken)
        await park(slice, work.key, work.events.slice(folded.broken.at), `${folded.broken.error.name}: ${folded.broken.error.message}`);
    }
  }

  type Control = (event: EventOf<Names>, lane: ControlledLane<State>) => Promise<void>;
  const controlOf = ({ type }: EventOf<Names>) => options.controls?.[type as Names] as Control | undefined;

  /** A control record keeps its place: the slice ends before it and begins anew behind it. */
  async function processInOrder(slice: Slice<Names>): Promise<void> {
    const lane = { number: slice.lane, alive: slice.alive, pages: (prefix: string) => reader.pages(prefix, { lane: slice.lane }) };
    let begin = 0;
    for (const [at, { event }] of slice.events.entries()) {
      const control = controlOf(event);
      if (!control) continue;
      if (at > begin) await processSlice({ ...slice, events: slice.events.slice(begin, at) });
      await control(event, lane);
      begin = at + 1;
    }
    if (begin === 0 || begin < slice.events.length) await processSlice({ ...slice, events: slice.events.slice(begin) });
  }

  /** Whatever goes wrong, nothing that was touched stays in memory: the next slice loads it as the database has it. */
  async function onSlice(slice: Slice<Names>): Promise<void> {
    try {
      await processInOrder(slice);
    } catch (error) {
      forget(slice.lane);
      throw asUnavailable(error);
    }
  }

  const lanes = await openLanes<Names>({
    ...options,
    onSlice,
    onCommitted: (slice) => onStep('committed', slice),
    onAssigned() {
      forget();
      parked = new Map();
      options.onAssigned?.();
    },
  });

  /** The newest records of one aggregate once more; with them whatever of it was perhaps never published. */
  async function republishHeads(lane: number, key: string): Promise<void> {
    await lanes.exclusively(lane, async () => {
      const republished: Republished<Data, State> = { messages: [], projected: [], sequences: new Map() };
      const standing = memory.get(key)?.standing ?? (await load(await lanes.committed(lane), [key], republished)).get(key);
      if (!standing || !lanes.alive(lane)) return;
      const heads = encodeAll(aggregate.heads?.(key, standing.state) ?? []);
      await sender.sendEncoded(withoutSuperseded([...republished.messages, ...heads]), { alive: () => lanes.alive(lane) });
    });
  }

  const trickle = startTrickle({
    milliseconds: aggregate.heads ? (options.trickleMilliseconds ?? 500) : 0,
    journal: collections.journal as never,
    owned: lanes.owned,
    republishHeads,
    log: kafka.log,
  });

  return {
    ...reader,
    lanes,
    async [Symbol.asyncDispose]() {
      await trickle.stop();
      await lanes[Symbol.asyncDispose]();
      await snapshots.settled();
    },
  };
}

interface Republished<Data, State> {
  readonly messages: Encoded[];
  readonly projected: Projected<Data, State>[];
  /** Up to where each aggregate is in `messages`. */
  readonly sequences: Map<string, number>;
}

import { deadLetterTopicOf, UnreadableMessage, type EventName, type Topic } from '@evenkeel/contracts';
import type { Consumer, EachBatchPayload, IHeaders, KafkaMessage } from 'kafkajs';
import type { EventOf } from '../events.ts';
import { Abandoned, Unavailable } from './failures.ts';
import type { KafkaHandle } from './kafka.ts';
import { laneAssigner } from './lane-assigner.ts';
import type { Sender } from './sender.ts';
import { decode, partitionOf } from './wire.ts';

/** A run of events of one topic in one lane, in order. */
export interface Slice<Names extends EventName = EventName> {
  /** Partition number; a lane is this partition of all topics. */
  readonly lane: number;
  readonly topic: string;
  readonly events: readonly { readonly event: EventOf<Names>; readonly offset: number }[];
  /** False once the lane is, or may be, somebody else's. */
  alive(): boolean;
  /** First offsets of the lane that are not committed, by topic. */
  committed(): Promise<ReadonlyMap<string, number>>;
}

export interface LanesOptions<Names extends EventName> {
  readonly kafka: KafkaHandle;
  readonly sender: Sender;
  readonly group: string;
  /** Same partition count, same leading key parts. */
  readonly topics: readonly Topic<Names>[];
  readonly sessionTimeoutMilliseconds: number;
  /** How long a member may take to finish its slice when the group rebalances. */
  readonly rebalanceTimeoutMilliseconds?: number;
  /** Returns when all of it is done: then its offsets are committed. Throws Unavailable: the partition waits and the slice comes again. */
  onSlice(slice: Slice<Names>): Promise<void>;
  onCommitted?(slice: Slice<Names>): Promise<void> | void;
  /** The group has a new generation: whatever was remembered of any lane is void. */
  onAssigned?(lanes: ReadonlySet<number>): void;
  /** Something that no retry mends: the process must end. */
  onFatal(error: Error): void;
  onDeadLetter?(reason: string): void;
  readonly sliceEvents?: number;
  readonly sliceEventsOfOneKey?: number;
}

export interface Lanes extends AsyncDisposable {
  owned(): ReadonlySet<number>;
  /** Same generation, still owned, last heartbeat younger than 0.7 of the session. */
  alive(lane: number): boolean;
  /** Whether the consume loop makes progress, or is legitimately idle or paused. */
  live(): boolean;
  /** First offsets that are not committed, by topic: known from the assignment on. */
  committed(lane: number): Promise<ReadonlyMap<string, number>>;
  /** Waits for what this lane is doing, then does this alone. */
  exclusively<T>(lane: number, work: () => Promise<T>): Promise<T>;
}

/** Where a slice ends: events in all, and of one key. */
export const sliceLimits = { ofAll: 2_000, ofOneKey: 1_000 } as const;

const liveMilliseconds = 60_000;
const pauseMilliseconds = 1_000;
const coordinatorMilliseconds = 30_000;
const aliveShare = 0.7;

const rebalanceTypes = new Set([
  'REBALANCE_IN_PROGRESS',
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'NOT_COORDINATOR_FOR_GROUP',
  'FENCED_INSTANCE_ID',
]);
const isKafkaError = (error: unknown): error is Error => error instanceof Error && error.name.startsWith('KafkaJS');
const isRebalance = (error: unknown): boolean => isKafkaError(error) && 'type' in error && rebalanceTypes.has(String(error.type));

/** Kafka allows a header without a value; kafkajs reads one, and fails at each attempt to send it. */
const sendable = (headers: KafkaMessage['headers'] = {}): IHeaders =>
  Object.fromEntries(Object.entries(headers).map(([name, of]) => [name, [of].flat().map((value) => value ?? '')]));

/** Consumes topics lane by lane: one slice at a time in each, offsets committed only behind the work. */
export async function openLanes<Names extends EventName>(options: LanesOptions<Names>): Promise<Lanes> {
  const { kafka, sender, group, topics, sessionTimeoutMilliseconds, onSlice, onFatal } = options;
  const { sliceEvents = sliceLimits.ofAll, sliceEventsOfOneKey = sliceLimits.ofOneKey } = options;
  const log = kafka.log.child({ group });
  const namesOf = new Map<string, readonly Names[]>(topics.map((topic) => [topic.name, topic.events]));
  const heartbeatInterval = Math.min(1_000, Math.floor(sessionTimeoutMilliseconds / 5));

  let generation = 0;
  let settled = false; // false while the group rebalances
  let owned: ReadonlySet<number> = new Set();
  let committedOffsets: Promise<Map<number, Map<string, number>>> = Promise.resolve(new Map());
  let lastHeartbeat = performance.now();
  let lastSign = performance.now();
  const mutexes = new Map<number, Promise<unknown>>();
  const resumes = new Set<NodeJS.Timeout>();

  const consumer: Consumer = kafka.client.consumer({
    groupId: group,
    partitionAssigners: [laneAssigner],
    sessionTimeout: sessionTimeoutMilliseconds,
    rebalanceTimeout: options.rebalanceTimeoutMilliseconds ?? 30_000,
    heartbeatInterval,
    maxWaitTimeInMs: 500,
    minBytes: 1,
    maxBytesPerPartition: 1_048_576,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 60, restartOnFailure: async () => false },
  });
  const admin = kafka.client.admin();

  const sign = () => (lastSign = performance.now());
  const heard = () => (lastHeartbeat = sign());

  function alive(lane: number, asOf = generation): boolean {
    return settled && generation === asOf && owned.has(lane) && performance.now() - lastHeartbeat < aliveShare * sessionTimeoutMilliseconds;
  }

  async function readCommitted(): Promise<Map<number, Map<string, number>>> {
    const found = await admin.fetchOffsets({ groupId: group, topics: topics.map(({ name }) => name) });
    const lanes = new Map<number, Map<string, number>>();
    for (const { topic, partitions } of found)
      for (const { partition, offset } of partitions) {
        if (!lanes.has(partition)) lanes.set(partition, new Map());
        lanes.get(partition)?.set(topic, Math.max(0, Number(offset)));
      }
    return lanes;
  }

  consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
    generation += 1;
    owned = new Set(Object.values(payload.memberAssignment).flat());
    settled = true;
    heard();
    committedOffsets = readCommitted();
    committedOffsets.catch(() => undefined); // whoever needs them sees the failure
    log.info({ lanes: [...owned].toSorted((a, b) => a - b), generation }, 'Assigned.');
    options.onAssigned?.(owned);
  });
  consumer.on(consumer.events.REBALANCING, () => void (settled = false));
  consumer.on(consumer.events.HEARTBEAT, () => {
    heard();
    settled = true; // the coordinator still knows us, in this generation
  });
  consumer.on(consumer.events.FETCH_START, sign);
  consumer.on(consumer.events.FETCH, sign);
  consumer.on(consumer.events.STOP, () => void (settled = false));
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    settled = false;
    if (!payload.restart) onFatal(new Error(`The consumer of ${group} has ended and will not come back.`, { cause: payload.error }));
  });

  async function exclusively<T>(lane: number, work: () => Promise<T>): Promise<T> {
    const before = mutexes.get(lane) ?? Promise.resolve();
    const mine = before.then(work, work);
    mutexes.set(
      lane,
      mine.catch(() => undefined),
    );
    return mine;
  }

  async function committed(lane: number): Promise<Map<string, number>> {
    try {
      const lanes = await committedOffsets;
      if (!lanes.has(lane)) lanes.set(lane, new Map());
      return lanes.get(lane) as Map<string, number>;
    } catch (error) {
      committedOffsets = readCommitted();
      throw new Unavailable('The committed offsets could not be read.', { cause: error });
    }
  }

  /** Puts a message that nobody can read where a person finds it; later messages of its key go on. */
  async function deadLetter(topic: string, lane: number, message: KafkaMessage, reason: string): Promise<void> {
    log.error({ topic, partition: lane, offset: message.offset, reason }, 'A message was put into the dead-letter topic.');
    const target = deadLetterTopicOf(group);
    const key = message.key?.toString() ?? '';
    await sender.sendEncoded([
      {
        topic: target.name,
        partition: partitionOf(target, [key]),
        key,
        value: message.value,
        headers: {
          ...sendable(message.headers),
          dlq_reason: reason,
          dlq_topic: topic,
          dlq_partition: String(lane),
          dlq_offset: message.offset,
        },
        supersedable: null,
      },
    ]);
    options.onDeadLetter?.('unreadable');
  }

  /** The next slice of a batch, from an index: ends at either cap. */
  function endOfSlice(messages: readonly KafkaMessage[], start: number): number {
    const ofKey = new Map<string, number>();
    const limit = Math.min(messages.length, start + sliceEvents);
    for (let end = start; end < limit; end += 1) {
      const key = messages[end]?.key?.toString() ?? '';
      const count = (ofKey.get(key) ?? 0) + 1;
      if (count > sliceEventsOfOneKey) return end;
      ofKey.set(key, count);
    }
    return limit;
  }

  async function readSlice(topic: string, lane: number, messages: readonly KafkaMessage[]) {
    const events: { event: EventOf<Names>; offset: number }[] = [];
    for (const message of messages) {
      try {
        const event = await decode(kafka.codec, namesOf.get(topic) ?? [], message);
        if (event) events.push({ event, offset: Number(message.offset) });
      } catch (error) {
        if (!(error instanceof UnreadableMessage)) throw new Unavailable('The schema registry did not answer.', { cause: error });
        await deadLetter(topic, lane, message, error.message);
      }
    }
    return events;
  }

  async function handle(payload: EachBatchPayload, start: number, end: number, asOf: number): Promise<void> {
    const { topic, partition: lane, messages } = payload.batch;
    const last = Number(messages[end - 1]?.offset);
    const still = () => alive(lane, asOf);
    await exclusively(lane, async () => {
      if (!still()) throw new Abandoned('the lane is no longer ours');
      const events = await readSlice(topic, lane, messages.slice(start, end));
      const slice = { lane, topic, events, alive: still, committed: async () => committed(lane) };
      await onSlice(slice);
      if (!still()) throw new Abandoned('the lane is no longer ours before the commit');
      await payload.commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition: lane, offset: String(last + 1) }] }] });
      (await committed(lane)).set(topic, last + 1);
      await options.onCommitted?.(slice);
    });
    payload.resolveOffset(String(last));
  }

  /** The partition waits, the others go on; nothing sleeps inside a handler, for kafkajs waits for every batch of its last fetch. */
  function pause({ topic, partition }: { topic: string; partition: number }, error: Error): void {
    log.warn({ error, topic, partition }, `A dependency is sick: the partition waits ${pauseMilliseconds} ms.`);
    consumer.pause([{ topic, partitions: [partition] }]);
    const timer = setTimeout(() => {
      resumes.delete(timer);
      consumer.resume([{ topic, partitions: [partition] }]);
    }, pauseMilliseconds);
    resumes.add(timer);
  }

  async function eachBatch(payload: EachBatchPayload): Promise<void> {
    const asOf = generation;
    const beat = setInterval(() => {
      payload.heartbeat().then(sign, () => {
        settled = false;
      });
    }, heartbeatInterval);
    try {
      const { messages } = payload.batch;
      for (let start = 0; start < messages.length && payload.isRunning();) {
        const end = endOfSlice(messages, start);
        await handle(payload, start, end, asOf);
        start = end;
        await payload.heartbeat();
      }
    } catch (error) {
      if (error instanceof Unavailable) return pause(payload.batch, error);
      if (error instanceof Abandoned) {
        log.info({ reason: error.message, topic: payload.batch.topic, partition: payload.batch.partition }, 'A slice was abandoned.');
        return await payload.heartbeat(); // tells kafkajs of the rebalance, if that is why
      }
      if (isRebalance(error)) throw error; // kafkajs joins the group again
      if (isKafkaError(error)) return pause(payload.batch, error);
      onFatal(error instanceof Error ? error : new Error(String(error)));
      throw error;
    } finally {
      clearInterval(beat);
    }
  }

  /** A broker that has just started is still loading the group's coordinator, and kafkajs takes that for the end of the consumer. */
  async function untilCoordinated(): Promise<void> {
    for (const end = performance.now() + coordinatorMilliseconds; ;) {
      try {
        return void (await readCommitted());
      } catch (error) {
        if (performance.now() > end) throw error;
        await new Promise((resolve) => setTimeout(resolve, 250));
      }
    }
  }

  await admin.connect();
  await untilCoordinated();
  await consumer.connect();
  await consumer.subscribe({ topics: topics.map(({ name }) => name), fromBeginning: true });
  await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, partitionsConsumedConcurrently: 4, eachBatch });

  return {
    owned: () => owned,
    alive: (lane) => alive(lane),
    live: () => performance.now() - lastSign < liveMilliseconds,
    committed,
    exclusively,
    async [Symbol.asyncDispose]() {
      resumes.forEach(clearTimeout);
      await consumer.disconnect();
      await Promise.all(mutexes.values());
      await admin.disconnect();
    },
  };
}

import type { MongoHandle } from '@evenkeel/chassis';
import type { Document, IndexDescription } from 'mongodb';
import { CompressionTypes, Kafka, logLevel, type Message } from 'kafkajs';

/** As many lanes at once as the engine works on. */
const lanesAtOnce = 4;

const databaseOf = ({ connection }: MongoHandle) => connection.getClient().db(connection.name);

/** Works through lanes, some at once, in each one batch after the other. */
async function laneByLane<Batch>(lanes: readonly (readonly Batch[])[], work: (batch: Batch) => Promise<void>): Promise<void> {
  const waiting = [...lanes];
  const worker = async () => {
    for (let lane = waiting.shift(); lane; lane = waiting.shift()) for (const batch of lane) await work(batch);
  };
  await Promise.all(Array.from({ length: lanesAtOnce }, worker));
}

/**
 * What the database alone takes: the engine's own documents, in the engine's own batches, into another collection with the same indexes.
 * `before`: what the journal held already, put in untimed. Returns seconds.
 */
export async function rawInsertSeconds(
  mongo: MongoHandle,
  {
    name,
    indexes,
    before,
    lanes,
  }: { name: string; indexes: readonly IndexDescription[]; before: readonly Document[]; lanes: readonly (readonly Document[])[][] },
): Promise<number> {
  const collection = databaseOf(mongo).collection(name, { writeConcern: { w: 'majority', journal: true } });
  await collection.createIndexes([...indexes]);
  const insert = async (documents: readonly Document[]) => {
    await collection.insertMany([...documents], { ordered: false, forceServerObjectId: true });
  };
  for (let start = 0; start < before.length; start += 1_000) await insert(before.slice(start, start + 1_000));
  const began = performance.now();
  await laneByLane(lanes, insert);
  return (performance.now() - began) / 1_000;
}

/** One record that the engine published. */
export interface Published extends Message {
  readonly topic: string;
  readonly partition: number;
}

/**
 * What Kafka alone takes: the engine's own input consumed, and for each slice of it the records that the engine published for as many events
 * produced to other topics, acknowledged, the offsets committed. Returns seconds.
 */
export async function rawPipeSeconds(options: {
  brokers: readonly string[];
  group: string;
  input: string;
  events: number;
  sliceEvents: number;
  /** Of each partition, what each event was published as, in order. */
  published: ReadonlyMap<number, readonly (readonly Published[])[]>;
}): Promise<number> {
  const client = new Kafka({ clientId: 'bench', brokers: [...options.brokers], logLevel: logLevel.NOTHING });
  const producer = client.producer({ idempotent: true, maxInFlightRequests: 1 });
  const consumer = client.consumer({ groupId: options.group, maxWaitTimeInMs: 500, minBytes: 1, maxBytesPerPartition: 1_048_576 });
  await Promise.all([producer.connect(), consumer.connect()]);
  await consumer.subscribe({ topic: options.input, fromBeginning: true });
  const next = new Map<number, number>();
  let left = options.events;
  const { promise: all, resolve, reject } = Promise.withResolvers<void>();
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
  await consumer.run({
    autoCommit: false,
    eachBatchAutoResolve: false,
    partitionsConsumedConcurrently: lanesAtOnce,
    eachBatch: async ({ batch: { topic, partition, messages }, resolveOffset, heartbeat, commitOffsetsIfNecessary }) => {
      for (let start = 0; start < messages.length; start += options.sliceEvents) {
        const slice = messages.slice(start, start + options.sliceEvents);
        const from = next.get(partition) ?? 0;
        next.set(partition, from + slice.length);
        const records = (options.published.get(partition) ?? []).slice(from, from + slice.length).flat();
        const topicMessages = [...Map.groupBy(records, (record) => record.topic)].map(([name, ofTopic]) => ({
          topic: name,
          messages: ofTopic,
        }));
        await producer.sendBatch({ acks: -1, compression: CompressionTypes.None, topicMessages });
        const offset = String(Number(slice.at(-1)?.offset) + 1);
        await commitOffsetsIfNecessary({ topics: [{ topic, partitions: [{ partition, offset }] }] });
        resolveOffset(String(slice.at(-1)?.offset));
        await heartbeat();
        left -= slice.length;
        if (left <= 0) resolve();
      }
    },
  });
  const began = performance.now();
  await all;
  const seconds = (performance.now() - began) / 1_000;
  await Promise.all([consumer.disconnect(), producer.disconnect()]);
  return seconds;
}

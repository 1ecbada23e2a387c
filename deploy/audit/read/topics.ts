import { createHash, randomUUID } from 'node:crypto';
import { SchemaRegistry } from '@kafkajs/confluent-schema-registry';
import { Kafka, logLevel, type Admin, type Consumer, type EachBatchPayload, type IHeaders } from 'kafkajs';
import { Unreachable } from './unreachable.ts';

/** A record as it lies in its topic, decoded by the schema that the registry has for it. */
export interface RawRecord {
  readonly key: string;
  readonly id: string;
  readonly type: string;
  readonly digest: string;
  readonly value: unknown;
}

export interface TopicsRead {
  /** By topic; in order within each partition, which is in order for each key. */
  readonly records: ReadonlyMap<string, readonly RawRecord[]>;
  /** Topics that no longer begin at their first record. */
  readonly trimmed: ReadonlySet<string>;
}

interface Undecoded {
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders | undefined;
}

interface Range {
  readonly topic: string;
  readonly partition: number;
  readonly low: number;
  readonly high: number;
}

/** A partition from which nothing comes for so long is given up. */
const silenceMilliseconds = 30_000;

export function createKafka(brokers: readonly string[]): Kafka {
  return new Kafka({
    clientId: 'evenkeel-audit',
    brokers: [...brokers],
    connectionTimeout: 3_000,
    requestTimeout: 15_000,
    // Rides out a broker that has just started; one that is not there is given up after some seconds.
    retry: { initialRetryTime: 100, maxRetryTime: 1_500, retries: 8 },
    logLevel: logLevel.NOTHING,
  });
}

/**
 * Reads these topics from their first record to the end that they have now. The group it reads with is its own, commits nothing and is removed.
 * Throws {@link Unreachable} where broker or registry do not answer, or a record cannot be decoded.
 */
export async function readTopics(kafka: Kafka, registryUrl: string, topics: readonly string[]): Promise<TopicsRead> {
  const admin = kafka.admin();
  await Unreachable.where('Kafka', () => admin.connect());
  try {
    // One after another: kafkajs may answer two at once from what it knows of the other one's topic.
    const ranges: Range[] = [];
    for (const topic of topics) ranges.push(...(await rangesOf(admin, topic)));
    const raw = await consume(kafka, admin, ranges);
    return {
      records: await decodeAll(registryUrl, raw),
      trimmed: new Set(ranges.filter(({ low }) => low > 0).map(({ topic }) => topic)),
    };
  } finally {
    await admin.disconnect();
  }
}

async function rangesOf(admin: Admin, topic: string): Promise<Range[]> {
  const offsets = await Unreachable.where(`the topic ${topic}`, () => admin.fetchTopicOffsets(topic));
  return offsets.map(({ partition, low, high }) => ({ topic, partition, low: Number(low), high: Number(high) }));
}

const nameOf = (topic: string, partition: number) => `${topic} [${partition}]`;

async function consume(kafka: Kafka, admin: Admin, ranges: readonly Range[]): Promise<Map<string, Undecoded[]>> {
  const missing = new Map(ranges.filter(({ low, high }) => high > low).map((range) => [nameOf(range.topic, range.partition), range]));
  const found = new Map<string, Undecoded[]>(ranges.map(({ topic, partition }) => [nameOf(topic, partition), []]));
  if (missing.size > 0) {
    const groupId = `evenkeel-audit-${randomUUID()}`;
    const consumer = kafka.consumer({ groupId, sessionTimeout: 30_000, maxBytesPerPartition: 4_194_304, maxWaitTimeInMs: 200 });
    try {
      await consumer.connect();
      const topics = [...new Set([...missing.values()].map(({ topic }) => topic))];
      await consumer.subscribe({ topics, fromBeginning: true });
      await untilRead(consumer, missing, found);
    } finally {
      await consumer.disconnect();
      await admin.deleteGroups([groupId]).catch(() => undefined); // an empty group without offsets: the broker forgets it by itself
    }
  }
  const byTopic = new Map<string, Undecoded[]>();
  for (const { topic, partition } of ranges) {
    const all = byTopic.get(topic) ?? [];
    for (const record of found.get(nameOf(topic, partition)) ?? []) all.push(record);
    byTopic.set(topic, all);
  }
  return byTopic;
}

async function untilRead(consumer: Consumer, missing: Map<string, Range>, found: ReadonlyMap<string, Undecoded[]>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  const waitOn = () => {
    clearTimeout(timer);
    const left = [...missing.keys()].slice(0, 3).join(', ');
    timer = setTimeout(
      () => reject(new Unreachable('Kafka', `nothing came from ${left} for ${silenceMilliseconds / 1_000} s`)),
      silenceMilliseconds,
    );
  };
  const take = ({ batch }: EachBatchPayload) => {
    waitOn();
    const name = nameOf(batch.topic, batch.partition);
    const range = missing.get(name);
    if (!range) return;
    for (const { key, value, headers, offset } of batch.messages)
      if (Number(offset) < range.high) found.get(name)?.push({ key, value, headers });
    if (Number(batch.lastOffset()) >= range.high - 1) missing.delete(name);
    if (missing.size === 0) resolve();
  };
  consumer.on(consumer.events.CRASH, ({ payload }) => reject(new Unreachable('Kafka', payload.error.message)));
  waitOn();
  try {
    // What fails at the start must not wait for the timer; what runs on ends with the consumer.
    await Promise.race([
      promise,
      consumer.run({ autoCommit: false, partitionsConsumedConcurrently: 4, eachBatch: async (batch) => take(batch) }),
    ]);
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

async function decodeAll(registryUrl: string, raw: ReadonlyMap<string, readonly Undecoded[]>): Promise<Map<string, RawRecord[]>> {
  const registry = new SchemaRegistry({ host: registryUrl, retry: { retries: 3, initialRetryTimeInSecs: 0.1, maxRetryTimeInSecs: 1 } });
  const records = new Map<string, RawRecord[]>();
  for (const [topic, messages] of raw) {
    const decoded: RawRecord[] = [];
    for (const { key, value, headers } of messages)
      decoded.push({
        key: key?.toString() ?? '',
        id: header(headers, 'ce_id'),
        type: header(headers, 'ce_type'),
        digest: value === null ? '' : createHash('sha1').update(value).digest('base64'),
        value: value === null ? null : await Unreachable.where(`the schemas of ${topic}`, () => registry.decode(value) as Promise<unknown>),
      });
    records.set(topic, decoded);
  }
  return records;
}

function header(headers: IHeaders | undefined, name: string): string {
  const value = headers?.[name];
  return (Array.isArray(value) ? value[0] : value)?.toString() ?? '';
}

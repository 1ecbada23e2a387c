import { randomUUID } from 'node:crypto';
import { partsOf, topics, type Topic } from '@evenkeel/contracts';
import { Kafka, logLevel, type IHeaders } from 'kafkajs';
import type { System } from '../system.ts';
import { until } from './seller.ts';

export interface Recorded {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
  /** When it was produced; in milliseconds. */
  readonly at: number;
}

/** What comes into the system from outside: marketplace orders, commands and listing changes. */
const inputs: readonly Topic[] = [
  topics.marketplaceOrders,
  topics.orderCommands,
  topics.reservationCommands,
  topics.stockCommands,
  topics.purchaseCommands,
  topics.policyCommands,
  topics.listingChanges,
];

const clientOf = ({ brokers }: System) => new Kafka({ clientId: 'recording', brokers: brokers.split(','), logLevel: logLevel.ERROR });

/** Everything in some topics, in order per partition, up to what is there now. */
export async function recordsOf(system: System, from: readonly Topic[], tenant: string): Promise<Recorded[]> {
  const client = clientOf(system);
  const admin = client.admin();
  await admin.connect();
  const left = new Map<string, number>();
  for (const { name } of from)
    for (const { partition, high, low } of await admin.fetchTopicOffsets(name))
      if (Number(high) > Number(low)) left.set(`${name}/${partition}`, Number(high));
  await admin.disconnect();
  const records: Recorded[] = [];
  if (left.size === 0) return records;
  const consumer = client.consumer({ groupId: `recording-${randomUUID()}` });
  await consumer.connect();
  await consumer.subscribe({ topics: from.map(({ name }) => name), fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        autoCommit: false,
        eachMessage: async ({ topic, partition, message }) => {
          const { key, value, headers = {}, timestamp } = message;
          if (partsOf(key?.toString() ?? '')[0] === tenant) records.push({ topic, partition, key, value, headers, at: Number(timestamp) });
          if (Number(message.offset) + 1 >= (left.get(`${topic}/${partition}`) ?? Infinity)) left.delete(`${topic}/${partition}`);
          if (left.size === 0) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return records;
}

/** The recorded inputs of one seller. */
export const recordInputs = async (system: System, tenant: string): Promise<Recorded[]> => recordsOf(system, inputs, tenant);

/** Puts records on their topics as they were, in the order given. */
export async function produceAgain(system: System, records: readonly Recorded[]): Promise<void> {
  const producer = clientOf(system).producer({ idempotent: true, maxInFlightRequests: 1 });
  await producer.connect();
  for (const { topic, partition, key, value, headers } of records)
    await producer.send({ topic, messages: [{ partition, key, value, headers }] });
  await producer.disconnect();
}

const reads: Readonly<Record<string, readonly Topic[]>> = {
  order: [topics.marketplaceOrders, topics.orderCommands],
  reservation: [topics.orderEvents, topics.reservationCommands],
  'stock.purchasing': [topics.purchaseCommands],
  stock: [topics.reservationEvents, topics.stockCommands],
  'sync-policy': [topics.stockMovements, topics.listingChanges, topics.policyCommands],
  'connector-shopify': [topics.shopifyPushRequests],
};

/** Waits until every service has read all there is, in the order in which they feed each other. */
export async function drained(system: System, within = 60_000): Promise<void> {
  const admin = clientOf(system).admin();
  await admin.connect();
  const lag = async (): Promise<string[]> => {
    const behind: string[] = [];
    for (const [group, of] of Object.entries(reads)) {
      const committed = await admin.fetchOffsets({ groupId: group, topics: of.map(({ name }) => name) });
      for (const { topic, partitions } of committed) {
        const ends = new Map((await admin.fetchTopicOffsets(topic)).map(({ partition, high }) => [partition, Number(high)]));
        if (partitions.some(({ partition, offset }) => Math.max(0, Number(offset)) < (ends.get(partition) ?? 0)))
          behind.push(`${group} of ${topic}`);
      }
    }
    return behind;
  };
  try {
    await until('every service to have read everything', lag, (behind) => behind.length === 0, within);
    // What the last one wrote while the first was looked at is read by then, too.
    await until('every service to have read everything', lag, (behind) => behind.length === 0, within);
  } finally {
    await admin.disconnect();
  }
}

/** A seeded shuffle that interleaves: the order within each topic and key stays, as Kafka keeps it. */
export function interleave(records: readonly Recorded[], seed: number): Recorded[] {
  let state = seed;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0; // Numerical Recipes' generator: repeatable, and good enough to mix
    return state % below;
  };
  const queues = [...Map.groupBy(records, ({ topic, key }) => `${topic}/${key?.toString()}`).values()].map((queue) => [...queue]);
  const mixed: Recorded[] = [];
  while (queues.length > 0) {
    const at = random(queues.length);
    const next = queues[at]?.shift();
    if (next) mixed.push(next);
    if (queues[at]?.length === 0) queues.splice(at, 1);
  }
  return mixed;
}

/** What takes units from a shelf, and what says how many are on it: in another order they come to something else. */
const picks = new Set<string>([topics.orderCommands.name, topics.reservationCommands.name]);
const counts = new Set<string>([topics.stockCommands.name]);

/**
 * A recorded run in parts that follow one another: of each order and each SKU the records stay in their order, although no broker keeps it between topics. Within
 * a part there is no order but that of a topic's key.
 */
export function inParts(records: readonly Recorded[]): Recorded[][] {
  const parts: Recorded[][] = [];
  let part: Recorded[] = [];
  for (const record of records.toSorted((one, other) => one.at - other.at)) {
    if (part.some((earlier) => mustFollow(earlier, record))) {
      parts.push(part);
      part = [];
    }
    part.push(record);
  }
  return part.length === 0 ? parts : [...parts, part];
}

function mustFollow(earlier: Recorded, later: Recorded): boolean {
  if (earlier.topic === later.topic) return false;
  if (earlier.key?.toString() === later.key?.toString()) return true;
  return (picks.has(earlier.topic) && counts.has(later.topic)) || (counts.has(earlier.topic) && picks.has(later.topic));
}

import { randomUUID } from 'node:crypto';
import { createServer, connect, type Socket } from 'node:net';
import { keyOf, type Codec, type Topic } from '@evenkeel/contracts';
import { Kafka, logLevel } from 'kafkajs';
import mongoose from 'mongoose';
import { pino } from 'pino';
import {
  openJournal,
  openKafka,
  openMongo,
  openProjection,
  openSender,
  type Aggregate,
  type EventOf,
  type JournalOptions,
  type Outgoing,
  type Sender,
} from '../src/index.ts';
import { encode } from '../src/kafka/wire.ts';

/** A small aggregate of its own: a tally per key, with a refusal (above the limit) and a cause without effect (adding nothing). */
export interface Tally {
  readonly total: number;
  readonly head: Outgoing | null;
}
export type TallyEntry = { readonly added: number; readonly refused: boolean };
/** `onHand` is what is added; `seen` numbers the events of a key. */
export type Added = EventOf<'UpdateStock'>;

const limit = 1_000_000;

/** The payload in JSON: these tests are of the engine, not of the schemas. */
const codec: Codec = {
  encode: (_name, data) => Buffer.from(JSON.stringify(data)),
  decode: async (_name, bytes) => JSON.parse(bytes.toString()) as never,
};

export const added = (sku: string, amount: number, id: string = randomUUID()): Added => ({
  id: `test/${id}`,
  type: 'UpdateStock',
  time: 1_700_000_000_000,
  correlation: id,
  data: { tenant: 't', sku, location: '', seen: 0, onHand: amount, reason: null, user: { kind: 'system', id: 'test' }, at: 0 },
});

function tallyOf(movements: Topic, levels: Topic): Aggregate<'UpdateStock', TallyEntry, Tally> {
  const level = (key: string, sequence: number, state: Tally): Outgoing => ({
    topic: levels,
    key: [key],
    event: {
      id: `tally/${key}/${sequence}`,
      type: 'StockLevelChanged',
      time: 0,
      correlation: '',
      data: { sequence, total: state.total },
    } as never,
  });
  return {
    keyOf: ({ data }) => keyOf(data.tenant, data.sku),
    initial: () => ({ total: 0, head: null }),
    isNew: ({ correlation }) => correlation.startsWith('first'),
    decide({ total }, { data }) {
      if (data.onHand === 666) throw new Error('the beast');
      const refused = total + data.onHand > limit;
      return [{ added: refused ? 0 : data.onHand, refused }];
    },
    evolve: ({ total }, { sequence, data }) => {
      const state = { total: total + data.added, head: null };
      return { ...state, head: { ...level('', sequence, state) } };
    },
    publish: (key, { sequence, cause, data }, state) => [
      {
        topic: movements,
        key: [key],
        event: {
          id: `tally/${key}/${sequence}`,
          type: 'StockMoved',
          time: 0,
          correlation: '',
          data: { sequence, cause, ...data },
        } as never,
      },
      level(key, sequence, state),
    ],
    heads: (key, state) => {
      const sequence = (state.head?.event?.data as { sequence?: number } | undefined)?.sequence ?? 0;
      return [level(key, sequence, state)];
    },
  };
}

/** A record of the tally's topics, as a consumer that starts from nothing reads it. */
export interface Read {
  readonly key: string;
  readonly partition: number;
  readonly data: { sequence: number; total: number; cause: string; added: number; refused: boolean };
}

/** Topics, a database and replicas of the tally, all its own. */
export async function openTallyBench({
  partitions = 1,
  brokers = process.env.KAFKA_BROKERS ?? '',
}: { partitions?: number; brokers?: string } = {}) {
  const log = pino({ level: process.env.LOG_LEVEL ?? 'fatal' });
  const id = randomUUID().slice(0, 8);
  const topic = (name: string, events: Topic['events'], cleanup: Topic['cleanup'] = 'delete'): Topic => ({
    name: `${name}-${id}`,
    key: ['tenant', 'sku'],
    owner: 'test',
    partitions,
    cleanup,
    retentionDays: null,
    ordering: '',
    duplicates: '',
    events,
  });
  const inputs = [topic('adds', ['UpdateStock']), topic('more-adds', ['UpdateStock'])] as [Topic<'UpdateStock'>, Topic<'UpdateStock'>];
  const movements = topic('moves', ['StockMoved']);
  const levels = topic('levels', ['StockLevelChanged'], 'compact');
  const group = `tally-${id}`;
  const all = [...inputs, movements, levels, { ...topic('', []), name: `${group}.dlq.v1`, partitions: 3 }];

  const client = new Kafka({ clientId: 'test', brokers: brokers.split(','), logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  await admin.createTopics({
    waitForLeaders: false, // kafkajs gives up where the broker has not heard of the topic yet
    topics: all.map(({ name, partitions: numPartitions, cleanup }) => ({
      topic: name,
      numPartitions,
      configEntries: [{ name: 'cleanup.policy', value: cleanup }],
    })),
  });
  const everyLeaderAnswers = async () => Promise.all(all.map(async ({ name }) => admin.fetchTopicOffsets(name)));
  await until(async () => everyLeaderAnswers().then(Boolean, () => false), { what: 'the leaders of the topics' });
  const database = `test_tally_${id}`;
  const producer = client.producer();
  await producer.connect();
  const opened: AsyncDisposable[] = [];

  async function replica(
    options: Partial<JournalOptions<'UpdateStock', TallyEntry, Tally, undefined>> & {
      brokers?: string;
      wrap?: (sender: Sender) => Sender;
    } = {},
  ) {
    await using stack = new AsyncDisposableStack();
    const kafka = await openKafka({ brokers: (options.brokers ?? brokers).split(','), clientId: 'tally', codec, log, topics: all });
    const mongo = stack.use(await openMongo({ url: process.env.MONGO_URL ?? '', database }));
    const real = stack.use(await openSender(kafka));
    const fatal: Error[] = [];
    const journal = stack.use(
      await openJournal({
        group,
        kafka,
        mongo,
        sender: options.wrap?.(real) ?? real,
        topics: inputs,
        aggregate: tallyOf(movements, levels),
        sessionTimeoutMilliseconds: 6_000,
        trickleMilliseconds: 0,
        onFatal: (error) => void fatal.push(error),
        ...options,
      }),
    );
    const moved = stack.move();
    const running = { journal, fatal, [Symbol.asyncDispose]: async () => moved.disposeAsync() };
    opened.push(running);
    return running;
  }

  /** A read model of the levels, in a group of its own. */
  async function projection() {
    await using stack = new AsyncDisposableStack();
    const kafka = await openKafka({ brokers: brokers.split(','), clientId: 'tally', codec, log, topics: all });
    const mongo = stack.use(await openMongo({ url: process.env.MONGO_URL ?? '', database }));
    const sender = stack.use(await openSender(kafka));
    stack.use(
      await openProjection({
        group,
        kafka,
        mongo,
        sender,
        topic: levels as Topic<'StockLevelChanged'>,
        collection: 'totals',
        sessionTimeoutMilliseconds: 6_000,
        onFatal: () => undefined,
        documentOf({ id: eventId, data }) {
          const { sequence, total } = data as unknown as Read['data'];
          return { _id: eventId.split('/').slice(1, -1).join('/'), version: sequence, total };
        },
      }),
    );
    const moved = stack.move();
    const totals = mongo.connection.collection<{ _id: string; version: number; total: number }>('totals');
    return {
      totals: async () => new Map((await totals.find().toArray()).map(({ _id, total }) => [_id, total])),
      empty: async () => void (await totals.deleteMany({})),
      [Symbol.asyncDispose]: async () => moved.disposeAsync(),
    };
  }

  /** Everything in a topic, in order per partition, up to what is there now. */
  async function readAll(from: Topic): Promise<Read[]> {
    const ends = await admin.fetchTopicOffsets(from.name);
    const wanted = new Map(
      ends.filter(({ high, low }) => Number(high) > Number(low)).map(({ partition, high }) => [partition, Number(high)]),
    );
    const records: Read[] = [];
    if (wanted.size === 0) return records;
    const consumer = client.consumer({ groupId: `reader-${randomUUID()}` });
    await consumer.connect();
    await consumer.subscribe({ topic: from.name, fromBeginning: true });
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          autoCommit: false,
          eachMessage: async ({ partition, message }) => {
            records.push({
              key: message.key?.toString() ?? '',
              partition,
              data: JSON.parse(message.value?.toString() ?? 'null') as Read['data'],
            });
            if (Number(message.offset) + 1 >= (wanted.get(partition) ?? 0)) wanted.delete(partition);
            if (wanted.size === 0) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    return records;
  }

  return {
    inputs,
    /** A sender all of whose connections go to this address, whatever the broker calls itself. */
    async openSenderThrough(address: string): Promise<Sender> {
      const [host = '', port = ''] = address.split(':');
      const socketFactory = ({ onConnect }: { onConnect: () => void }) => connect(Number(port), host, onConnect);
      const through = new Kafka({ clientId: 'through', brokers: [address], logLevel: logLevel.NOTHING, socketFactory });
      return openSender({ client: through, codec, log });
    },
    movements,
    levels,
    group,
    admin,
    replica,
    projection,
    readAll,
    deadLetters: { ...topic('', []), name: `${group}.dlq.v1`, partitions: 3 } as Topic,
    /** What the ledger says, straight from the database. */
    async documents() {
      const connection = await mongoose.createConnection(process.env.MONGO_URL ?? '', { dbName: database }).asPromise();
      try {
        return await connection.collection('journal').find().sort({ aggregate: 1, from: 1 }).toArray();
      } finally {
        await connection.close();
      }
    },
    async produce(to: Topic, events: readonly Added[]): Promise<void> {
      const messages = events.map((event) => {
        const { partition, key, value, headers } = encode(codec, { topic: to, key: [event.data.tenant, event.data.sku], event });
        return { partition, key, value, headers };
      });
      await producer.send({ topic: to.name, messages });
    },
    async produceRaw(
      to: Topic,
      messages: { key: string; value: string; partition: number; headers?: Record<string, string> }[],
    ): Promise<void> {
      await producer.send({ topic: to.name, messages });
    },
    /** True once the group has committed everything in its inputs. */
    async caughtUp(): Promise<boolean> {
      const committed = await admin.fetchOffsets({ groupId: group, topics: inputs.map(({ name }) => name) });
      for (const { topic: name, partitions: offsets } of committed) {
        const ends = new Map((await admin.fetchTopicOffsets(name)).map(({ partition, high }) => [partition, Number(high)]));
        if (offsets.some(({ partition, offset }) => Math.max(0, Number(offset)) < (ends.get(partition) ?? 0))) return false;
      }
      return true;
    },
    async [Symbol.asyncDispose]() {
      for (const running of opened.reverse()) await running[Symbol.asyncDispose]();
      await producer.disconnect();
      await admin.deleteTopics({ topics: all.map(({ name }) => name) });
      await admin.disconnect();
      const connection = await mongoose.createConnection(process.env.MONGO_URL ?? '', { dbName: database }).asPromise();
      await connection.dropDatabase();
      await connection.close();
    },
  };
}

/** Waits until a condition holds; fails with what was seen last. */
export async function until(condition: () => Promise<boolean> | boolean, { within = 30_000, what = 'the condition' } = {}): Promise<void> {
  const end = performance.now() + within;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`Waited ${within} ms in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** A way to the broker that can swallow its answers: what was sent arrives and is stored, but nobody is told. */
export async function openDeafProxy(target: string) {
  const [host = '', port = ''] = target.split(':');
  const sockets = new Set<Socket>();
  let deaf = false;
  let swallowed = 0;
  const server = createServer((client) => {
    const broker = connect(Number(port), host);
    for (const socket of [client, broker]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => [client, broker].forEach((each) => each.destroy()));
    }
    client.on('data', (data) => broker.write(data));
    broker.on('data', (data) => {
      if (deaf) {
        swallowed += 1;
        client.destroy();
      } else client.write(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as { port: number }).port}`,
    deafen: (value: boolean) => void (deaf = value),
    swallowed: () => swallowed,
    async [Symbol.asyncDispose]() {
      sockets.forEach((socket) => socket.destroy());
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

import { randomUUID } from 'node:crypto';
import {
  createLogger,
  openJournal,
  openKafka,
  openMongo,
  openSender,
  type KafkaHandle,
  type MongoHandle,
  type Outgoing,
  type Sender,
  sliceLimits,
} from '@evenkeel/chassis';
import { deadLetterTopicOf, keyOf, openCodec, topicDifferences, topics, type Codec, type Topic } from '@evenkeel/contracts';
import { stockAggregate, stockInputs } from '@evenkeel/stock/handlers';
import { Kafka, logLevel, type Admin } from 'kafkajs';
import { waitFor } from '../local/wait.ts';
import { rawInsertSeconds, rawPipeSeconds, type Published } from './raw.ts';
import { seededRandom } from './statistics.ts';
import { batchesOf, createStepClock, type Part } from './steps.ts';

/** What is sold: so many reservations over so many SKUs, by chance but the same in every run. */
export interface Load {
  readonly events: number;
  readonly skus: number;
  /** The engine has just started and must load every SKU first; otherwise it has them in memory, as a service that runs. */
  readonly cold?: boolean;
}

/** One run of the stock service's engine, and of what stands beside it, right after another. Rates are movements per second. */
export interface MovementRun {
  readonly engine: number;
  readonly rawInsert: number;
  readonly rawPipe: number;
  readonly documents: number;
  readonly slices: number;
  readonly shares: Readonly<Record<Part, number>>;
  /** Of the clock's time, when no lane had anything to do. */
  readonly idleShare: number;
  /** Processor time of the engine's process for one movement. */
  readonly processorMicroseconds: number;
}

export interface Surroundings {
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly mongoUrl: string;
}

const tenant = 'bench';
const opening = 1_000_000;
const patienceMilliseconds = 120_000;
/** Only what ends it: kafkajs calls every wait for a new topic's leader an error. */
const log = createLogger('bench', 'fatal', process.stderr);

const skuAt = (index: number): string => `SKU-${String(index).padStart(5, '0')}`;
const user = { kind: 'marketplace', id: 'shopify' } as const;

function countOf(sku: string, to: Topic): Outgoing {
  const at = Date.now();
  const data = {
    tenant,
    sku,
    location: 'default',
    seen: 0,
    onHand: opening,
    reason: null,
    user: { kind: 'person', id: 'clerk' },
    at,
  } as const;
  return {
    topic: to,
    key: [tenant, sku],
    event: { id: `command/${tenant}/${sku}`, type: 'UpdateStock', time: at, correlation: sku, data },
  };
}

/** The reservation of one order's only line, with an id as the reservation service writes it: rising in time. */
function reservedOf(number: number, sku: string, to: Topic): Outgoing {
  const at = Date.now();
  const order = { marketplace: 'shopify', store: 'main', order: `gid://shopify/Order/${1_000_000 + number}` };
  const id = `reservation/${keyOf(tenant, order.store, order.order)}/1/${encodeURIComponent(sku)}`;
  const data = { tenant, sku, order, sequence: 1, quantity: 1 + (number % 3), user, at };
  return { topic: to, key: [tenant, sku], event: { id, type: 'UnitsReserved', time: at, correlation: id, data } };
}

/** The real aggregate, publishing to topics of this run. */
function into(own: (topic: Topic) => Topic): typeof stockAggregate {
  const moved = (outgoing: readonly Outgoing[]) => outgoing.map((message) => ({ ...message, topic: own(message.topic) }));
  return {
    ...stockAggregate,
    publish: (key, entry, state) => moved(stockAggregate.publish(key, entry, state)),
    heads: (key, state) => moved(stockAggregate.heads?.(key, state) ?? []),
  };
}

/** A sender that keeps what passes it, and tells when so many movements were acknowledged. */
function createRecorder(movements: string) {
  let published = new Map<number, Published[][]>();
  let left = 0;
  let resolve = (): void => undefined;
  const record = (messages: readonly Published[]) => {
    let ofLane: Published[][] = [];
    for (const message of messages) {
      if (message.topic === movements) {
        ofLane = published.get(message.partition) ?? [];
        published.set(message.partition, ofLane);
        ofLane.push([]);
        left -= 1;
      }
      ofLane.at(-1)?.push(message);
    }
    if (left <= 0) resolve();
  };
  return {
    around: (sender: Sender): Sender => ({
      ...sender,
      async sendEncoded(messages, options) {
        await sender.sendEncoded(messages, options);
        record(messages);
      },
    }),
    /** Begins anew. Resolves when so many movements have been acknowledged since. */
    acknowledged: async (wanted: number): Promise<void> => {
      [published, left] = [new Map(), wanted];
      return new Promise<void>((done) => (resolve = done));
    },
    /** Of each lane, what each event was published as, in order. */
    published: (): ReadonlyMap<number, readonly (readonly Published[])[]> => published,
  };
}

/** Holds slices back until what they are to be measured with is there. */
function createGate() {
  let open = Promise.withResolvers<void>();
  let reached = Promise.withResolvers<void>();
  open.resolve();
  return {
    close(): void {
      open = Promise.withResolvers<void>();
      reached = Promise.withResolvers<void>();
    },
    async pass(): Promise<void> {
      reached.resolve();
      await open.promise;
    },
    reached: async (): Promise<void> => reached.promise,
    open: (): void => open.resolve(),
  };
}

async function within<T>(work: Promise<T>, what: string, failed: Promise<never>): Promise<T> {
  const late = new AbortController();
  const patience = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} took longer than ${patienceMilliseconds / 1_000} s.`)), patienceMilliseconds);
    late.signal.addEventListener('abort', () => clearTimeout(timer));
  });
  try {
    return await Promise.race([work, patience, failed]);
  } finally {
    late.abort();
  }
}

/** One load through the real stock aggregate on the real engine, then through what is beside it. Leaves nothing behind. */
export async function measureMovements(surroundings: Surroundings, load: Load): Promise<MovementRun> {
  await using stack = new AsyncDisposableStack();
  const run = await openRun(surroundings, stack);
  const counts = Array.from({ length: load.skus }, (_, index) => countOf(skuAt(index), run.own(topics.stockCommands)));
  await run.sender.send(counts);
  await using engine = await run.openEngine();
  await engine.through(load.skus);
  if (load.cold) await engine.reopen();

  engine.hold();
  const random = seededRandom(load.skus);
  const chosen = Array.from({ length: load.events }, () => skuAt(Math.floor(random() * load.skus)));
  await run.sender.send(chosen.map((sku, number) => reservedOf(number, sku, run.own(topics.reservationEvents))));
  const { seconds, processorSeconds } = await engine.through(load.events);
  const { clock, published } = engine;
  await engine[Symbol.asyncDispose]();
  await run.verify(load);

  const database = run.mongo.connection.getClient().db(run.mongo.connection.name);
  const documents = await database
    .collection('journal')
    .find<Documents>({}, { projection: { _id: 0 } })
    .toArray();
  const [fresh, before] = [topics.reservationEvents, topics.stockCommands].map((topic) =>
    documents.filter(({ source }) => source.topic === run.own(topic).name),
  ) as [Documents[], Documents[]];
  const lanes = batchesOf(fresh, clock.sliceEnds());
  const indexes = (await database.collection('journal').indexes()).filter(({ name }) => name !== '_id_').map(({ v: _, ...index }) => index);
  const insertSeconds = await rawInsertSeconds(run.mongo, { name: 'raw', indexes, before, lanes });
  const pipeSeconds = await rawPipeSeconds({
    brokers: surroundings.brokers,
    group: run.rawGroup,
    input: run.own(topics.reservationEvents).name,
    events: load.events,
    sliceEvents: load.skus === 1 ? sliceLimits.ofOneKey : sliceLimits.ofAll,
    published: run.redirected(published()),
  });
  return {
    engine: load.events / seconds,
    rawInsert: load.events / insertSeconds,
    rawPipe: load.events / pipeSeconds,
    documents: fresh.length,
    slices: lanes.reduce((sum, lane) => sum + lane.length, 0),
    shares: clock.shares(),
    idleShare: clock.idleSeconds() / seconds,
    processorMicroseconds: (processorSeconds / load.events) * 1_000_000,
  };
}

interface Documents {
  readonly lane: number;
  readonly source: { readonly topic: string; readonly offset: number };
  readonly entries: readonly unknown[];
}

/** Topics and a database of one run; they go with the stack. */
async function openRun({ brokers, registryUrl, mongoUrl }: Surroundings, stack: AsyncDisposableStack) {
  const id = `bench-${randomUUID().slice(0, 8)}`;
  const own = <Of extends Topic>(topic: Of): Of => ({ ...topic, name: `${topic.name}.${id}` });
  const written = [topics.stockMovements, topics.stockLevels, topics.stockIncidents].map(own);
  const rawOf = (name: string) => `${name}.raw`;
  const deadLetters = { ...deadLetterTopicOf(id), cleanup: 'delete' as const };
  const all = [...stockInputs.map(own), ...written, ...written.map((topic) => ({ ...topic, name: rawOf(topic.name) })), deadLetters];
  const rawGroup = `${id}.raw`;

  const admin: Admin = new Kafka({ clientId: 'bench', brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  stack.defer(() => admin.disconnect());
  await admin.createTopics({
    waitForLeaders: false, // kafkajs gives up where the broker has not heard of the topic yet
    topics: all.map(({ name, partitions, cleanup }) => ({
      topic: name,
      numPartitions: partitions,
      configEntries: [{ name: 'cleanup.policy', value: cleanup }],
    })),
  });
  await waitFor('The topics', async () => (await topicDifferences(admin, all)).length === 0, { seconds: 30 });
  const everyLeaderAnswers = async () => Promise.all(all.map(async ({ name }) => admin.fetchTopicOffsets(name)));
  await waitFor('The leaders of the topics', everyLeaderAnswers, { seconds: 30 });
  stack.defer(async () => {
    await admin.deleteTopics({ topics: all.map(({ name }) => name) });
    await admin.deleteGroups([id, rawGroup]).catch(() => undefined); // one that failed early was never there
  });
  const codec = await openCodec(registryUrl);
  const kafka = await openKafka({ brokers, clientId: 'bench', codec, log, topics: all });
  const mongo = stack.use(await openMongo({ url: mongoUrl, database: id.replaceAll('-', '_') }));
  stack.defer(async () => mongo.connection.dropDatabase());
  const sender = stack.use(await openSender(kafka));
  const movements = own(topics.stockMovements).name;

  return {
    own,
    mongo,
    sender,
    rawGroup,
    openEngine: async () => openEngine({ kafka, codec, mongo, own, group: id, movements }),
    /** The same records, for the raw topics. */
    redirected: (published: ReadonlyMap<number, readonly (readonly Published[])[]>) =>
      new Map(
        [...published].map(([lane, events]) => [lane, events.map((event) => event.map((one) => ({ ...one, topic: rawOf(one.topic) })))]),
      ),
    /** Throws where the topic or the ledger lacks a movement, or has one too many. */
    async verify({ events, skus }: Load): Promise<void> {
      const ends = await admin.fetchTopicOffsets(movements);
      const records = ends.reduce((sum, { high }) => sum + Number(high), 0);
      const documents = await mongo.connection.collection('journal').find<Documents>({}).toArray();
      const entries = documents.reduce((sum, document) => sum + document.entries.length, 0);
      if (records !== events + skus || entries !== events + skus)
        throw new Error(`${events + skus} movements were to be made: the ledger has ${entries}, the topic ${records}.`);
    },
  };
}

interface EngineOptions {
  readonly kafka: KafkaHandle;
  readonly codec: Codec;
  readonly mongo: MongoHandle;
  readonly own: (topic: Topic) => Topic;
  readonly group: string;
  readonly movements: string;
}

/** The stock service's engine, as the service opens it, with a clock on its steps. */
async function openEngine({ own, group, mongo, movements, kafka, codec }: EngineOptions) {
  const clock = createStepClock();
  const gate = createGate();
  const recorder = createRecorder(movements);
  const { promise: failed, reject } = Promise.withResolvers<never>();
  failed.catch(() => undefined);

  async function open(): Promise<AsyncDisposableStack> {
    await using stack = new AsyncDisposableStack();
    const handle = { ...kafka, codec: clock.timed(codec) };
    const sender = recorder.around(stack.use(await openSender(handle)));
    stack.use(
      await openJournal({
        group,
        kafka: handle,
        mongo,
        sender,
        topics: stockInputs.map(own) as unknown as typeof stockInputs,
        aggregate: into(own),
        sessionTimeoutMilliseconds: 10_000,
        sliceEvents: sliceLimits.ofAll,
        sliceEventsOfOneKey: sliceLimits.ofOneKey,
        trickleMilliseconds: 0,
        onFatal: reject,
        async onStep(step, slice) {
          if (step === 'begun') await gate.pass();
          clock.onStep(step, slice);
        },
      }),
    );
    return stack.move();
  }

  let running = await open();
  return {
    clock,
    published: recorder.published,
    /** Begins no slice until the next `through`. */
    hold: gate.close,
    /** With nothing in memory. */
    async reopen(): Promise<void> {
      await running.disposeAsync();
      running = await open();
    },
    /** Until so many movements are acknowledged on their topic. The time begins when what waits there has arrived. */
    async through(wanted: number): Promise<{ seconds: number; processorSeconds: number }> {
      const done = recorder.acknowledged(wanted);
      await within(gate.reached(), 'The first slice', failed);
      clock.begin();
      const began = performance.now();
      const processor = process.cpuUsage();
      gate.open();
      await within(done, `${wanted} movements`, failed);
      const { user: inCode, system } = process.cpuUsage(processor);
      return { seconds: (performance.now() - began) / 1_000, processorSeconds: (inCode + system) / 1_000_000 };
    },
    [Symbol.asyncDispose]: async () => running.disposeAsync(),
  };
}

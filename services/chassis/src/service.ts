import { deadLetterTopicOf, groups, openCodec, type EventName, type Group, type Topic } from '@evenkeel/contracts';
import type { commonConfig, Config } from './config.ts';
import { failpointAt } from './failpoint.ts';
import { allHealthy } from './health.ts';
import { openIdempotencyStore } from './http/idempotency.ts';
import { createIdentity } from './http/identity.ts';
import type { Route } from './http/routes.ts';
import { openHttp } from './http/server.ts';
import { openJournal, type Journal, type JournalOptions } from './journal/journal.ts';
import { openKafka, type KafkaHandle } from './kafka/kafka.ts';
import { openSender, type Sender } from './kafka/sender.ts';
import { createLogger, type Logger } from './log.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { openMongo, type MongoHandle } from './mongo.ts';
import { openProjection, type ProjectedDocument, type ProjectionOptions } from './projection.ts';

export interface ServiceOptions {
  /** Its consumer group, and the name in its log. */
  readonly name: Group;
  readonly config: Config<ReturnType<typeof commonConfig>>;
  /** What it reads and what it writes. */
  readonly topics: readonly Topic[];
  /** As `runService` gives them. */
  readonly running: AsyncDisposableStack;
  readonly fail: (error: unknown) => void;
}

type OwnJournal<Names extends EventName, Data, State, Context> = Pick<
  JournalOptions<Names, Data, State, Context>,
  'topics' | 'aggregate' | 'purpose' | 'context' | 'controls' | 'onAssigned' | 'project' | 'trickleMilliseconds' | 'sliceEventsOfOneKey'
>;

type OwnProjection<Name extends EventName, Document extends ProjectedDocument> = Pick<
  ProjectionOptions<Name, Document>,
  'topic' | 'collection' | 'documentOf'
> & { readonly purpose: string };

/** What a service that keeps a journal is made of; whatever it opens closes in reverse with `running`. */
export interface Service {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly mongo: MongoHandle;
  readonly kafka: KafkaHandle;
  readonly sender: Sender;
  /**
   * Joins the group: call it when all that its functions need is open. A second journal has a `purpose`: its group is `<service>.<purpose>`, its
   * collections `<purpose>_journal` and so on.
   */
  journal<Names extends EventName, Data, State, Context = undefined>(
    options: OwnJournal<Names, Data, State, Context>,
  ): Promise<Journal<Data, State>>;
  /** Keeps a collection of what a compacted topic says now, in the group `<service>.<purpose>`. */
  projection<Name extends EventName, Document extends ProjectedDocument>(options: OwnProjection<Name, Document>): Promise<void>;
  /** `live`: of what it runs beside a journal. */
  serve(options: { readonly title: string; readonly routes: readonly Route[]; readonly live?: () => boolean }): Promise<void>;
}

/** What a service sends is what it says that it sends: its documents are made of that. */
export function within(sender: Sender, topics: ReadonlySet<string>): Sender {
  const check = (names: readonly string[]) => {
    const foreign = names.find((name) => !topics.has(name));
    if (foreign !== undefined) throw new Error(`This service does not say that it writes to ${foreign}: add the topic to its api.ts.`);
  };
  return {
    async send(messages, options) {
      check(messages.map(({ topic }) => topic.name));
      await sender.send(messages, options);
    },
    async sendEncoded(messages, options) {
      check(messages.map(({ topic }) => topic));
      await sender.sendEncoded(messages, options);
    },
    [Symbol.asyncDispose]: () => sender[Symbol.asyncDispose](),
  };
}

/** Opens log, metrics, database, Kafka and the sender. Throws where one cannot be had, or where a topic is not as the contracts say. */
export async function openService({ name, config, topics, running, fail }: ServiceOptions): Promise<Service> {
  const log = createLogger(name, config.logLevel);
  const metrics = createMetrics();
  const mongo = running.use(await openMongo({ url: config.mongoUrl, database: config.mongoDatabase }));
  const codec = await openCodec(config.schemaRegistryUrl);
  const own = groups.filter((group) => group === name || group.startsWith(`${name}.`));
  const checked = [...topics, ...own.map(deadLetterTopicOf)];
  const kafka = await openKafka({ brokers: config.kafkaBrokers, clientId: name, codec, log, topics: checked });
  const sender = within(running.use(await openSender(kafka)), new Set(checked.map((topic) => topic.name)));
  const deadLetters = metrics.counter({
    name: 'evenkeel_dead_letters_total',
    help: 'Messages that could not be read or folded, and wait in the dead-letter topic.',
    labels: ['reason'],
  });
  const live: (() => boolean)[] = [];
  const onStep = failpointAt(config.failpointPath);

  /** What all its consumer groups have in common. */
  const consuming = (purpose?: string) => ({
    kafka,
    sender,
    mongo,
    group: groupOf(name, purpose),
    sessionTimeoutMilliseconds: config.kafkaSessionTimeoutMilliseconds,
    onFatal: fail,
    onDeadLetter: (reason: string) => deadLetters.inc({ reason }),
  });

  return {
    log,
    metrics,
    mongo,
    kafka,
    sender,
    async journal(options) {
      const journal = running.use(await openJournal({ ...consuming(options.purpose), ...(onStep && { onStep }), ...options }));
      live.push(() => journal.lanes.live());
      return journal;
    },
    async projection({ purpose, ...options }) {
      const projection = running.use(await openProjection({ ...consuming(purpose), ...options }));
      live.push(() => projection.live());
    },
    async serve({ title, routes, live: alsoLive }) {
      if (alsoLive) live.push(alsoLive);
      running.use(
        await openHttp({
          port: config.httpPort,
          host: config.httpHost,
          title,
          routes,
          identity: createIdentity({ issuerUrl: config.jwtIssuerUrl, audience: config.jwtAudience }),
          idempotency: await openIdempotencyStore(mongo.connection),
          health: allHealthy({ live: () => live.every((check) => check()) || 'The consume loop has stood still for too long.' }),
          log,
          metrics,
        }),
      );
    },
  };
}

/** Each group has a dead-letter topic, so the contracts must know it. */
function groupOf(name: Group, purpose?: string): Group {
  const group = groups.find((known) => known === (purpose === undefined ? name : `${name}.${purpose}`));
  if (group) return group;
  throw new Error(`There is no group ${name}.${purpose}: add it to contracts/src/topics.ts.`);
}

import { deadLetterTopicOf, openCodec, type EventName, type Group, type Topic } from '@evenkeel/contracts';
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
  'topics' | 'aggregate' | 'context' | 'controls' | 'project' | 'trickleMilliseconds'
>;

/** What a service that keeps a journal is made of; whatever it opens closes in reverse with `running`. */
export interface Service {
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly mongo: MongoHandle;
  readonly kafka: KafkaHandle;
  readonly sender: Sender;
  /** Joins the group: call it when all that its functions need is open. */
  journal<Names extends EventName, Data, State, Context = undefined>(
    options: OwnJournal<Names, Data, State, Context>,
  ): Promise<Journal<Data, State>>;
  /** `live`: of what it runs beside a journal. */
  serve(options: { readonly title: string; readonly routes: readonly Route[]; readonly live?: () => boolean }): Promise<void>;
}

/** Opens log, metrics, database, Kafka and the sender. Throws where one cannot be had, or where a topic is not as the contracts say. */
export async function openService({ name, config, topics, running, fail }: ServiceOptions): Promise<Service> {
  const log = createLogger(name, config.logLevel);
  const metrics = createMetrics();
  const mongo = running.use(await openMongo({ url: config.mongoUrl, database: config.mongoDatabase }));
  const codec = await openCodec(config.schemaRegistryUrl);
  const checked = [...topics, deadLetterTopicOf(name)];
  const kafka = await openKafka({ brokers: config.kafkaBrokers, clientId: name, codec, log, topics: checked });
  const sender = running.use(await openSender(kafka));
  const deadLetters = metrics.counter({
    name: 'evenkeel_dead_letters_total',
    help: 'Messages that could not be read or folded, and wait in the dead-letter topic.',
    labels: ['reason'],
  });
  const live: (() => boolean)[] = [];
  const onStep = failpointAt(config.failpointPath);

  return {
    log,
    metrics,
    mongo,
    kafka,
    sender,
    async journal(options) {
      const journal = running.use(
        await openJournal({
          kafka,
          sender,
          mongo,
          group: name,
          sessionTimeoutMilliseconds: config.kafkaSessionTimeoutMilliseconds,
          onFatal: fail,
          onDeadLetter: (reason) => deadLetters.inc({ reason }),
          ...(onStep && { onStep }),
          ...options,
        }),
      );
      live.push(() => journal.lanes.live());
      return journal;
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

import { topicDifferences, type Codec, type Topic } from '@evenkeel/contracts';
import { Kafka, logLevel, type LogEntry } from 'kafkajs';
import type { Logger } from 'pino';

/** A connection's settings to the broker, shared by the sender and the consumers of one process. */
export interface KafkaHandle {
  readonly client: Kafka;
  readonly codec: Codec;
  readonly log: Logger;
}

/** Rides out a broker's restart: some twenty seconds of attempts before an operation fails. */
const retry = { initialRetryTime: 100, maxRetryTime: 2_000, retries: 30 };

const pinoLevel = { [logLevel.ERROR]: 'error', [logLevel.WARN]: 'warn', [logLevel.INFO]: 'debug', [logLevel.DEBUG]: 'trace' } as const;

/** Said of every producer that we open on purpose with few retries (sender.ts). */
const expected = 'Limiting retries for the idempotent producer may invalidate EoS guarantees';

/** kafkajs's own log lines through ours; what it calls INFO is chatter of every rebalance. */
const logCreator = (log: Logger) => () => (entry: LogEntry) => {
  if (entry.log.message === expected) return;
  const { message, timestamp: _timestamp, logger: _logger, stack: _stack, ...fields } = entry.log;
  const level = pinoLevel[entry.level as keyof typeof pinoLevel] ?? 'debug';
  log[level]({ kafka: fields, namespace: entry.namespace }, message);
};

/**
 * Settings of the broker and the codec. `topics`: those that the service reads or writes.
 * Throws where one of them is missing or has another partition count than the contracts say.
 */
export async function openKafka({
  brokers,
  clientId,
  codec,
  log,
  topics,
}: {
  brokers: readonly string[];
  clientId: string;
  codec: Codec;
  log: Logger;
  topics: readonly Pick<Topic, 'name' | 'partitions'>[];
}): Promise<KafkaHandle> {
  const client = new Kafka({
    clientId,
    brokers: [...brokers],
    retry,
    requestTimeout: 8_000,
    logLevel: logLevel.INFO,
    logCreator: logCreator(log),
  });
  const admin = client.admin();
  await admin.connect();
  try {
    const differences = await topicDifferences(admin, topics);
    if (differences.length > 0) throw new Error(differences.join('\n'));
  } finally {
    await admin.disconnect();
  }
  return { client, codec, log };
}

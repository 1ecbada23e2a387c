import { Kafka, logLevel, type Admin } from 'kafkajs';
import { registerSchemas } from './codec.ts';
import { allTopics, deadLetterTopics, type Topic } from './topics.ts';

const dayMilliseconds = 86_400_000;
const leadersMilliseconds = 30_000;

/** What is created: a typed topic, or a dead-letter topic. */
type Creatable = Pick<Topic, 'name' | 'partitions' | 'cleanup' | 'retentionDays'>;

const configOf = ({ cleanup, retentionDays }: Creatable) => [
  { name: 'cleanup.policy', value: cleanup },
  ...(retentionDays === null ? [] : [{ name: 'retention.ms', value: String(retentionDays * dayMilliseconds) }]),
];

/** How the broker's topics differ from the catalogue, one sentence each; partition counts are fixed per topic version. */
export async function topicDifferences(admin: Admin, wanted: readonly Pick<Topic, 'name' | 'partitions'>[] = allTopics): Promise<string[]> {
  const existing = new Set(await admin.listTopics());
  const missing = wanted
    .filter(({ name }) => !existing.has(name))
    .map(({ name }) => `The topic ${name} does not exist: run the deployment step.`);
  const { topics: found } = await admin.fetchTopicMetadata({ topics: wanted.map(({ name }) => name).filter((name) => existing.has(name)) });
  const partitions = new Map(found.map((topic) => [topic.name, topic.partitions.length]));
  const differing = wanted
    .filter(({ name, partitions: count }) => existing.has(name) && partitions.get(name) !== count)
    .map(
      ({ name, partitions: count }) =>
        `The topic ${name} has ${partitions.get(name)} partitions instead of ${count}: growing means a new version of the topic.`,
    );
  return [...missing, ...differing];
}

/** Waits some time for topics that were just created: each partition needs its leader. */
async function settledDifferences(admin: Admin, wanted: readonly Creatable[]): Promise<string[]> {
  const names = wanted.map(({ name }) => name);
  for (const end = performance.now() + leadersMilliseconds; ;) {
    try {
      const { topics } = await admin.fetchTopicMetadata({ topics: names });
      if (topics.every(({ partitions }) => partitions.every(({ leader }) => leader >= 0))) return await topicDifferences(admin, wanted);
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    if (performance.now() > end) return [`Some partitions have no leader after ${leadersMilliseconds / 1_000} s: is the cluster healthy?`];
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/**
 * The deployment step: creates what topics are missing and registers every schema. Safe to repeat.
 * Throws where a topic has another partition count, or a schema is incompatible with an earlier version.
 */
export async function deployContracts({
  brokers,
  registryUrl,
  replicationFactor = 1,
}: {
  brokers: string[];
  registryUrl: string;
  replicationFactor?: number;
}) {
  const admin = new Kafka({ clientId: 'evenkeel-deploy', brokers, logLevel: logLevel.ERROR }).admin();
  await admin.connect();
  try {
    const wanted: Creatable[] = [...allTopics, ...deadLetterTopics];
    const existing = new Set(await admin.listTopics());
    const missing = wanted.filter(({ name }) => !existing.has(name));
    await admin.createTopics({
      waitForLeaders: false, // kafkajs's own wait fails on a busy broker that does not know the topic yet
      topics: missing.map((topic) => ({
        topic: topic.name,
        numPartitions: topic.partitions,
        replicationFactor,
        configEntries: configOf(topic),
      })),
    });
    const differences = await settledDifferences(admin, wanted);
    if (differences.length > 0) throw new Error(differences.join('\n'));
  } finally {
    await admin.disconnect();
  }
  await registerSchemas(registryUrl);
}

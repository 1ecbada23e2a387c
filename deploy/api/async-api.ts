import type { ServiceApi } from '@evenkeel/chassis';
import { deadLetterTopicOf, deadLetterTopics, groups, loadSchemas, type Topic } from '@evenkeel/contracts';

const dayMilliseconds = 86_400_000;
const kafka = { bindingVersion: '0.5.0' };
const schemas = new Map(loadSchemas().map((schema) => [schema.name, schema]));

/** CloudEvents in binary mode: the envelope is in the record's headers. */
const headers = {
  type: 'object',
  required: ['ce_specversion', 'ce_id', 'ce_type', 'ce_source', 'ce_time', 'ce_correlationid', 'content-type'],
  properties: {
    ce_specversion: { const: '1.0' },
    ce_id: { type: 'string', description: 'The same at every publish of the same event.' },
    ce_type: { type: 'string', description: "The event's name." },
    ce_source: { type: 'string' },
    ce_time: { type: 'string', format: 'date-time' },
    ce_correlationid: { type: 'string', description: 'Of all that one order, or one request, brings about.' },
    ce_supersededcorrelationids: {
      type: 'string',
      description:
        'Of push requests: a JSON array of the correlations of those that this one superseded before they left. Absent where it did none.',
    },
    'content-type': { const: 'application/avro' },
  },
};

function messageOf(name: string) {
  const schema = schemas.get(name);
  if (!schema) throw new Error(`There is no schema of ${name} in contracts/avro.`);
  return {
    name,
    title: name,
    summary: schema.doc,
    contentType: 'application/avro',
    headers: { $ref: '#/components/schemas/Headers' },
    payload: { schemaFormat: 'application/vnd.apache.avro;version=1.9.0', schema },
    bindings: { kafka: { schemaIdLocation: 'payload', schemaIdPayloadEncoding: 'confluent', ...kafka } },
  };
}

const configuration = (cleanup: string, retentionDays: number | null) => ({
  'cleanup.policy': [cleanup],
  ...(retentionDays === null ? {} : { 'retention.ms': retentionDays * dayMilliseconds }),
});

function channelOf(topic: Topic) {
  const chosenBy = topic.key.slice(0, topic.partitionParts ?? topic.key.length);
  return {
    address: topic.name,
    description: [
      `Key: ${topic.key.join(', ')}, each percent-encoded and joined by a slash. Partition: murmur2 of ${chosenBy.join(', ')}.`,
      ...Object.entries(topic.keyEnds ?? {}).map(([event, end]) => `Of ${event} the key ends in one part more: ${end}.`),
      `Written by ${topic.owner} alone.`,
      `Order: ${topic.ordering}`,
      `Repeats: ${topic.duplicates}`,
    ].join('\n\n'),
    messages: Object.fromEntries(topic.events.map((name) => [name, { $ref: `#/components/messages/${name}` }])),
    bindings: {
      kafka: { partitions: topic.partitions, topicConfiguration: configuration(topic.cleanup, topic.retentionDays), ...kafka },
    },
  };
}

const deadLetterChannelOf = (group: string, { name, partitions, cleanup, retentionDays }: (typeof deadLetterTopics)[number]) => ({
  address: name,
  description: `What the group ${group} could not read or fold: original key and bytes; reason and origin in the headers.`,
  messages: { DeadLetter: { $ref: '#/components/messages/DeadLetter' } },
  bindings: { kafka: { partitions, topicConfiguration: configuration(cleanup, retentionDays), ...kafka } },
});

/** A consumer group of a service is called as the service is, or with a purpose after a dot. */
const deadLetterChannelsOf = (service: string) =>
  groups
    .filter((group) => group === service || group.startsWith(`${service}.`))
    .flatMap((group) => {
      const { name } = deadLetterTopicOf(group);
      return deadLetterTopics.filter((topic) => topic.name === name).map((topic) => deadLetterChannelOf(group, topic));
    });

const deadLetter = {
  name: 'DeadLetter',
  title: 'A message that waits for a person',
  contentType: 'application/octet-stream',
  headers: {
    type: 'object',
    required: ['dlq_reason', 'dlq_topic', 'dlq_partition', 'dlq_offset'],
    properties: {
      dlq_reason: { type: 'string' },
      dlq_topic: { type: 'string' },
      dlq_partition: { type: 'string' },
      dlq_offset: { type: 'string' },
    },
  },
};

const operations = (action: 'receive' | 'send', names: readonly string[]) =>
  names.map((name) => [`${action}-${name}`, { action, channel: { $ref: `#/channels/${name}` } }] as const);

/** The AsyncAPI 3 document of what a service reads from Kafka and writes there. */
export function asyncApiOf({ name, title, reads, writes }: ServiceApi) {
  const topics = [...new Set([...reads, ...writes])];
  const deadLetters = deadLetterChannelsOf(name);
  const events = [...new Set(topics.flatMap((topic) => [...topic.events]))].toSorted();
  return {
    asyncapi: '3.0.0',
    info: { title, version: '1', license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' } },
    defaultContentType: 'application/avro',
    channels: Object.fromEntries([
      ...topics.map((topic) => [topic.name, channelOf(topic)] as const),
      ...deadLetters.map((channel) => [channel.address, channel] as const),
    ]),
    operations: Object.fromEntries([
      ...operations(
        'receive',
        reads.map((topic) => topic.name),
      ),
      ...operations('send', [...writes.map((topic) => topic.name), ...deadLetters.map(({ address }) => address)]),
    ]),
    components: {
      schemas: { Headers: headers },
      messages: {
        ...Object.fromEntries(events.map((event) => [event, messageOf(event)])),
        ...(deadLetters.length > 0 ? { DeadLetter: deadLetter } : {}),
      },
    },
  };
}

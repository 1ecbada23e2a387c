import { keyOf, type Codec, type EventName } from '@evenkeel/contracts';
import { UnreadableMessage } from '@evenkeel/contracts';
import { Partitioners, type IHeaders, type KafkaMessage } from 'kafkajs';
import type { EventOf, Outgoing } from '../events.ts';

/** An {@link Outgoing} as the broker takes it. */
export interface Encoded {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
}

const choose = Partitioners.DefaultPartitioner();

/** The partition that a record key belongs to: murmur2 of the parts that choose it, as the Java client does. */
export function partitionOf(
  topic: { readonly name: string; readonly partitions: number; readonly partitionParts?: number },
  key: readonly string[],
): number {
  const partitionMetadata = Array.from({ length: topic.partitions }, (_, partitionId) => ({ partitionId, leader: 0 }));
  const chosenBy = keyOf(...key.slice(0, topic.partitionParts ?? key.length));
  return choose({ topic: topic.name, partitionMetadata: partitionMetadata as never, message: { key: chosenBy, value: null } });
}

const text = (value: IHeaders[string]): string | undefined => (Array.isArray(value) ? value[0] : value)?.toString();

/** CloudEvents headers, Kafka binding, binary mode. */
const headersOf = (event: EventOf<EventName>): IHeaders => ({
  ce_specversion: '1.0',
  ce_id: event.id,
  ce_type: event.type,
  ce_source: event.id.slice(0, event.id.indexOf('/')),
  ce_time: new Date(event.time).toISOString(),
  ce_correlationid: event.correlation,
  'content-type': 'application/avro',
});

/** Throws where the data does not fit its schema. */
export function encode(codec: Codec, { topic, key, event, partition }: Outgoing): Encoded {
  return {
    topic: topic.name,
    partition: partition ?? partitionOf(topic, key),
    key: keyOf(...key),
    value: event === null ? null : codec.encode(event.type, event.data),
    headers: event === null ? {} : headersOf(event),
  };
}

/** Null for a tombstone. Throws {@link UnreadableMessage} for what no retry will mend. */
export async function decode<Names extends EventName>(
  codec: Codec,
  names: readonly Names[],
  message: KafkaMessage,
): Promise<EventOf<Names> | null> {
  if (message.value === null) return null;
  const headers = message.headers ?? {};
  const [id, type, time, correlation] = ['ce_id', 'ce_type', 'ce_time', 'ce_correlationid'].map((name) => text(headers[name]));
  if (!id || !type) throw new UnreadableMessage('The message has no ce_id or no ce_type header.');
  if (!names.includes(type as Names)) throw new UnreadableMessage(`${type} is not an event of this topic.`);
  const at = Date.parse(time ?? '');
  if (Number.isNaN(at)) throw new UnreadableMessage('The ce_time header is not a time.');
  const data = await codec.decode(type as Names, message.value);
  return { id, type, time: at, correlation: correlation ?? id, data } as unknown as EventOf<Names>;
}

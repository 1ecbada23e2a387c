import { keyOf, type Codec, type EventName, type Topic } from '@evenkeel/contracts';
import { UnreadableMessage } from '@evenkeel/contracts';
import type { IHeaders, KafkaMessage } from 'kafkajs';
import { z } from 'zod';
import type { EventOf, Outgoing } from '../events.ts';

/** An {@link Outgoing} as the broker takes it. */
export interface Encoded {
  readonly topic: string;
  readonly partition: number;
  readonly key: string;
  readonly value: Buffer | null;
  readonly headers: IHeaders;
  /** Whether a later record of the same key makes this one worthless; `but_correlation`: somebody waits for that. */
  readonly supersedable: 'wholly' | 'but_correlation' | null;
}

const correlationHeader = 'ce_correlationid';
const supersededHeader = 'ce_supersededcorrelationids';

/** Leaves out what a later record of the same compacted key supersedes anyway; the order of the rest stays. */
export function withoutSuperseded(messages: readonly Encoded[]): Encoded[] {
  const supersedable = messages.filter((message) => message.supersedable !== null);
  const ofKey = Map.groupBy(supersedable, ({ topic, key }) => `${topic}/${key}`);
  const leaving = new Map([...ofKey.values()].map((of) => [of.at(-1), newestOf(of)]));
  return messages.flatMap((message) => (message.supersedable === null ? message : (leaving.get(message) ?? [])));
}

/** The last of these, which share a key; with the correlations of the others where somebody waits for them. */
function newestOf(messages: readonly Encoded[]): Encoded[] {
  const [newest] = messages.slice(-1);
  if (newest?.supersedable !== 'but_correlation') return newest ? [newest] : [];
  const superseded = new Set(messages.flatMap(({ headers }) => text(headers[correlationHeader]) ?? []));
  superseded.delete(text(newest.headers[correlationHeader]) ?? '');
  if (superseded.size === 0) return [newest];
  return [{ ...newest, headers: { ...newest.headers, [supersededHeader]: JSON.stringify([...superseded]) } }];
}

/** murmur2 as the Java client has it, in 32-bit arithmetic; kafkajs's own works on BigInts, at a tenth of the speed. */
function murmur2(data: Buffer): number {
  const multiplier = 0x5bd1e995;
  const whole = data.length & ~3;
  let hash = 0x9747b28c ^ data.length;
  for (let at = 0; at < whole; at += 4) {
    let word = Math.imul(data.readInt32LE(at), multiplier);
    word = Math.imul(word ^ (word >>> 24), multiplier);
    hash = Math.imul(hash, multiplier) ^ word;
  }
  if (whole < data.length) hash = Math.imul(hash ^ data.readUIntLE(whole, data.length - whole), multiplier);
  hash = Math.imul(hash ^ (hash >>> 13), multiplier);
  return hash ^ (hash >>> 15);
}

/** The partition that a record key belongs to: murmur2 of the parts that choose it, as the Java client does. */
export function partitionOf(
  topic: { readonly name: string; readonly partitions: number; readonly partitionParts?: number },
  key: readonly string[],
): number {
  const chosenBy = keyOf(...key.slice(0, topic.partitionParts ?? key.length));
  return (murmur2(Buffer.from(chosenBy)) & 0x7fffffff) % topic.partitions;
}

const text = (value: IHeaders[string]): string | undefined => (Array.isArray(value) ? value[0] : value)?.toString();

/** CloudEvents headers, Kafka binding, binary mode. */
const headersOf = (event: EventOf<EventName>): IHeaders => ({
  ce_specversion: '1.0',
  ce_id: event.id,
  ce_type: event.type,
  ce_source: event.id.slice(0, event.id.indexOf('/')),
  ce_time: new Date(event.time).toISOString(),
  [correlationHeader]: event.correlation,
  'content-type': 'application/avro',
});

function supersedableIn({ cleanup, everyRecord, correlationsKept }: Topic): Encoded['supersedable'] {
  if (cleanup !== 'compact' || everyRecord) return null;
  return correlationsKept ? 'but_correlation' : 'wholly';
}

/** Below what a broker takes by default, with room for key and headers. */
const recordBytes = 900_000;

/** Throws where the data does not fit its schema, or where no broker would take the record: neither must ever be journaled. */
export function encode(codec: Codec, { topic, key, event, partition }: Outgoing): Encoded {
  const value = event === null ? null : codec.encode(event.type, event.data);
  if (value && value.length > recordBytes)
    throw new RangeError(`A record of ${topic.name} would have ${value.length} bytes: ${recordBytes} at most.`);
  return {
    topic: topic.name,
    partition: partition ?? partitionOf(topic, key),
    key: keyOf(...key),
    value,
    headers: event === null ? {} : headersOf(event),
    supersedable: supersedableIn(topic),
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
  const [id, type, time, correlation] = ['ce_id', 'ce_type', 'ce_time', correlationHeader].map((name) => text(headers[name]));
  if (!id || !type) throw new UnreadableMessage('The message has no ce_id or no ce_type header.');
  if (!names.includes(type as Names)) throw new UnreadableMessage(`${type} is not an event of this topic.`);
  const at = Date.parse(time ?? '');
  if (Number.isNaN(at)) throw new UnreadableMessage('The ce_time header is not a time.');
  const data = await codec.decode(type as Names, message.value);
  const superseded = supersededIn(headers);
  return { id, type, time: at, correlation: correlation ?? id, ...(superseded && { superseded }), data } as unknown as EventOf<Names>;
}

function supersededIn(headers: IHeaders): string[] | null {
  const listed = text(headers[supersededHeader]);
  if (listed === undefined) return null;
  try {
    return z.array(z.string()).parse(JSON.parse(listed));
  } catch {
    throw new UnreadableMessage(`The ${supersededHeader} header is not a list of texts.`);
  }
}

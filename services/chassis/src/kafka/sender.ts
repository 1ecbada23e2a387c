import { Partitioners, type Producer, type TopicMessages } from 'kafkajs';
import type { Outgoing } from '../events.ts';
import { Abandoned, deadline } from './failures.ts';
import type { KafkaHandle } from './kafka.ts';
import { encodeRecordsAtOnce } from './records.ts';
import { encode, type Encoded } from './wire.ts';

export interface SendOptions {
  /** Asked right before each attempt; once false, the send is given up with {@link Abandoned}. */
  readonly alive?: () => boolean;
  /** Gives up waiting after so long; the records may still arrive. */
  readonly timeoutMilliseconds?: number;
}

/** The one ordered way out of a process: records leave in the order in which they were handed in. */
export interface Sender extends AsyncDisposable {
  /** Resolves once the broker has acknowledged all. Rejects with {@link Abandoned}, with Unavailable after the time-out, or where a record cannot be encoded. */
  send(messages: readonly Outgoing[], options?: SendOptions): Promise<void>;
  sendEncoded(messages: readonly Encoded[], options?: SendOptions): Promise<void>;
}

interface Job {
  readonly messages: readonly Encoded[];
  readonly alive: () => boolean;
  readonly done: () => void;
  readonly failed: (error: Error) => void;
}

/** kafkajs never splits a batch, and the broker refuses one above 1 MB. */
const partitionBytes = 900_000;
const requestMessages = 20_000;
const attemptMilliseconds = 20_000;

const bytesOf = ({ key, value }: Encoded): number => key.length + (value?.length ?? 0) + 300;

/** Cuts records into requests of at most `partitionBytes` a partition, in order. */
export function* requestsOf(messages: readonly Encoded[]): Generator<Encoded[]> {
  let request: Encoded[] = [];
  let sizes = new Map<string, number>();
  for (const message of messages) {
    const place = `${message.topic}/${message.partition}`;
    const size = (sizes.get(place) ?? 0) + bytesOf(message);
    if (request.length > 0 && (size > partitionBytes || request.length >= requestMessages)) {
      yield request;
      request = [];
      sizes = new Map();
    }
    sizes.set(place, request.length === 0 ? bytesOf(message) : size);
    request.push(message);
  }
  if (request.length > 0) yield request;
}

function topicMessagesOf(request: readonly Encoded[]): TopicMessages[] {
  const byTopic = Map.groupBy(request, ({ topic }) => topic);
  return [...byTopic].map(([topic, messages]) => ({
    topic,
    messages: messages.map(({ partition, key, value, headers }) => ({ partition, key, value, headers })),
  }));
}

/** Opens the sender. One request is in flight at a time and takes all that was handed in meanwhile. */
export async function openSender(kafka: KafkaHandle): Promise<Sender> {
  encodeRecordsAtOnce();
  // kafkajs asks for at least one retry; both attempts end (requestTimeout) before ours is given up, so that no late one of a replaced
  // producer puts old records behind newer ones.
  const create = () =>
    kafka.client.producer({
      createPartitioner: Partitioners.DefaultPartitioner, // unused: every record names its partition; naming it silences a warning
      idempotent: true,
      maxInFlightRequests: 1,
      retry: { initialRetryTime: 50, retries: 1 },
    });
  let producer: Producer = create();
  await producer.connect();
  const queue: Job[] = [];
  let closed = false;
  let running: Promise<void> = Promise.resolve();
  let idle = true;

  /**
   * kafkajs rolls its sequence number back when a send fails; if the records were stored all the same, the broker takes the next send
   * of the same size for a repeat, acknowledges it and drops it. So after any failure a new producer sends the same records again.
   */
  async function replaceProducer(): Promise<void> {
    const old = producer;
    void old.disconnect().catch(() => undefined);
    producer = create();
    await deadline(producer.connect(), attemptMilliseconds);
  }

  async function attempt(request: readonly Encoded[]): Promise<void> {
    await deadline(producer.sendBatch({ acks: -1, topicMessages: topicMessagesOf(request) }), attemptMilliseconds);
  }

  /** Sends jobs until none is left alive or all are acknowledged. */
  async function deliver(jobs: readonly Job[]): Promise<void> {
    let waitMilliseconds = 50;
    for (let left = jobs; left.length > 0;) {
      const dead = left.filter((job) => !job.alive());
      dead.forEach((job) => job.failed(new Abandoned('no longer the owner at the send')));
      left = left.filter((job) => !dead.includes(job));
      try {
        for (const request of requestsOf(left.flatMap((job) => job.messages))) await attempt(request);
        left.forEach((job) => job.done());
        return;
      } catch (error) {
        kafka.log.warn(
          { error, records: left.reduce((sum, job) => sum + job.messages.length, 0) },
          'A send failed: the same records go out again through a new producer.',
        );
        await replaceProducer().catch((cause: unknown) => kafka.log.warn({ error: cause }, 'A new producer could not connect.'));
        if (closed) {
          left.forEach((job) => job.failed(new Abandoned('the process is stopping', { cause: error })));
          return;
        }
        await new Promise((resolve) => setTimeout(resolve, waitMilliseconds));
        waitMilliseconds = Math.min(waitMilliseconds * 2, 2_000);
      }
    }
  }

  async function run(): Promise<void> {
    while (queue.length > 0) await deliver(queue.splice(0));
    idle = true;
  }

  async function sendEncoded(messages: readonly Encoded[], { alive = () => true, timeoutMilliseconds }: SendOptions = {}): Promise<void> {
    if (messages.length === 0) return;
    if (closed) throw new Abandoned('the process is stopping');
    const sent = new Promise<void>((done, failed) => queue.push({ messages, alive, done, failed }));
    if (idle) {
      idle = false;
      running = run();
    }
    await (timeoutMilliseconds === undefined ? sent : deadline(sent, timeoutMilliseconds));
  }

  return {
    sendEncoded,
    send: async (messages, options) =>
      sendEncoded(
        messages.map((message) => encode(kafka.codec, message)),
        options,
      ),
    async [Symbol.asyncDispose]() {
      await deadline(running, attemptMilliseconds).catch(() => undefined);
      closed = true;
      await producer.disconnect();
    },
  };
}

import { randomUUID } from 'node:crypto';
import { keyOf, marketplaces, openCodec, pushRequestsOf, topics, type StockMoved } from '@evenkeel/contracts';
import { Kafka, logLevel, type Admin, type KafkaMessage } from 'kafkajs';
import type { Request } from './latency.ts';

/** What the services have said about one tenant since the observer was opened, each thing once and in order per SKU or listing. */
export interface Observer extends AsyncDisposable {
  readonly moves: readonly StockMoved[];
  readonly requests: readonly Request[];
  /** How many movements of a SKU an order has made. */
  movedBy(store: string, order: string, sku: string): number;
  /** When the last new movement came, in milliseconds since the epoch. */
  lastMoveAt(): number;
  /** Rejects once reading has failed for good. */
  check(): void;
}

const watched = [topics.stockMovements, ...marketplaces.map(pushRequestsOf)];

/** Reads `stock.movements.v1` and the push requests from where they end now, in a group of its own that commits nothing. */
export async function openObserver(brokers: string, registryUrl: string, tenant: string): Promise<Observer> {
  const codec = await openCodec(registryUrl);
  const kafka = new Kafka({
    clientId: 'replay',
    brokers: brokers.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 30, maxRetryTime: 2_000 },
  });
  const groupId = `evenkeel-replay-${randomUUID()}`;
  await using opening = new AsyncDisposableStack();
  const admin = opening.adopt(kafka.admin(), (it) => it.disconnect());
  await admin.connect();
  await beginAtTheEnd(admin, groupId);
  opening.defer(async () => void (await admin.deleteGroups([groupId]).catch(() => undefined))); // else the broker forgets it in a week
  const consumer = opening.adopt(kafka.consumer({ groupId, maxWaitTimeInMs: 200 }), (it) => it.disconnect());
  await consumer.connect();
  await consumer.subscribe({ topics: watched.map(({ name }) => name) });

  const moves = createOnce<StockMoved>(({ sku, epoch, sequence }) => [JSON.stringify([sku]), [epoch, sequence]]);
  const requests = createOnce<Request>(({ store, listing, version: { mapping, epoch, sequence, settings } }) => [
    JSON.stringify([store, listing]),
    [mapping, epoch, sequence, settings],
  ]);
  const byOrder = new Map<string, number>();
  let lastMoveAt = Date.now();
  let failure: Error | undefined;
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) failure = payload.error;
  });

  async function take({ value, headers }: KafkaMessage): Promise<void> {
    const type = headers?.['ce_type']?.toString();
    if (value === null) return;
    if (type === 'StockMoved') {
      const moved = await codec.decode(type, value);
      if (moved.tenant !== tenant || !moves.add(moved)) return;
      lastMoveAt = Date.now();
      const { order, sku } = moved;
      if (order) byOrder.set(keyOf(order.store, order.order, sku), (byOrder.get(keyOf(order.store, order.order, sku)) ?? 0) + 1);
    } else if (type === 'PushRequested' || type === 'PushHeld') {
      // What is held may be what goes out where something is still to be sent.
      const requested = await codec.decode(type, value);
      if (requested.tenant === tenant) requests.add(requested);
    }
  }
  await consumer.run({
    autoCommit: false,
    eachBatch: async ({ batch, heartbeat }) => {
      for (const message of batch.messages) await take(message);
      await heartbeat();
    },
  });
  const open = opening.move();
  return {
    moves: moves.all,
    requests: requests.all,
    movedBy: (...parts) => byOrder.get(keyOf(...parts)) ?? 0,
    lastMoveAt: () => lastMoveAt,
    check() {
      if (failure) throw new Error(`Kafka can no longer be read: ${failure.message}`, { cause: failure });
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

async function beginAtTheEnd(admin: Admin, groupId: string): Promise<void> {
  for (const { name: topic } of watched) {
    const partitions = (await admin.fetchTopicOffsets(topic)).map(({ partition, high: offset }) => ({ partition, offset }));
    await admin.setOffsets({ groupId, topic, partitions });
  }
}

/** Keeps what is newer than the newest of its key: a record may be published again, at any later time. */
function createOnce<T>(placeOf: (value: T) => [key: string, place: readonly number[]]) {
  const all: T[] = [];
  const newest = new Map<string, readonly number[]>();
  return {
    all,
    add(value: T): boolean {
      const [key, place] = placeOf(value);
      const known = newest.get(key);
      if (known && compare(place, known) <= 0) return false;
      newest.set(key, place);
      all.push(value);
      return true;
    },
  };
}

function compare(one: readonly number[], other: readonly number[]): number {
  const index = one.findIndex((part, at) => part !== other[at]);
  return index === -1 ? 0 : (one[index] ?? 0) - (other[index] ?? 0);
}

import type { EventName, Topic } from '@evenkeel/contracts';
import { MongoError, type Document } from 'mongodb';
import type { EventOf } from './events.ts';
import { Unavailable } from './kafka/failures.ts';
import type { KafkaHandle } from './kafka/kafka.ts';
import { openLanes, type LanesOptions } from './kafka/lanes.ts';
import type { Sender } from './kafka/sender.ts';
import { putNewer, type MongoHandle } from './mongo.ts';

/** A document of a projection: an older version never overwrites a newer one. */
export interface ProjectedDocument extends Document {
  readonly _id: string;
  /** Rises with every record of the same `_id` that says something newer. */
  readonly version: number;
}

export interface ProjectionOptions<Name extends EventName, Projected extends ProjectedDocument> extends Pick<
  LanesOptions<Name>,
  'group' | 'sessionTimeoutMilliseconds' | 'onFatal' | 'onDeadLetter'
> {
  readonly kafka: KafkaHandle;
  readonly sender: Sender;
  readonly mongo: MongoHandle;
  /** Compacted: who starts from nothing comes to know everything. Tombstones are passed over. */
  readonly topic: Topic<Name>;
  readonly collection: string;
  /** What an event says, as a document; null: nothing that is kept. Pure. */
  readonly documentOf: (event: EventOf<Name>) => Projected | null;
}

export interface Projection extends AsyncDisposable {
  live(): boolean;
}

/**
 * Keeps a collection of what a compacted topic says now, off the hot path of whoever writes that topic: written in bulk, filtered on an older
 * version, offsets committed after the write. Emptied by hand, or restored from a backup, it begins again at the first record.
 */
export async function openProjection<Name extends EventName, Projected extends ProjectedDocument>(
  options: ProjectionOptions<Name, Projected>,
): Promise<Projection> {
  const { mongo, topic, documentOf, kafka, group } = options;
  const { connection } = mongo;
  const collection = connection.getClient().db(connection.name).collection<Projected>(options.collection);
  if ((await collection.estimatedDocumentCount()) === 0) await beginAgain(kafka, group, topic);

  return openLanes<Name>({
    ...options,
    topics: [topic],
    async onSlice({ events }) {
      const newest = new Map<string, Projected>();
      for (const { event } of events) {
        const document = documentOf(event);
        if (document && document.version >= (newest.get(document._id)?.version ?? 0)) newest.set(document._id, document);
      }
      try {
        await putNewer(collection as never, 'version', [...newest.values()]);
      } catch (error) {
        throw error instanceof MongoError ? new Unavailable('The database did not answer.', { cause: error }) : error;
      }
    },
  });
}

/** Where the collection has nothing, what was committed says nothing. Another replica that runs already keeps the group, and has filled it. */
async function beginAgain(kafka: KafkaHandle, group: string, { name }: Topic): Promise<void> {
  const admin = kafka.client.admin();
  await admin.connect();
  try {
    const [offsets] = await admin.fetchOffsets({ groupId: group, topics: [name] });
    const hasCommitted = offsets?.partitions.some(({ offset }) => Number(offset) > 0) ?? false;
    if (hasCommitted) await admin.resetOffsets({ groupId: group, topic: name, earliest: true });
  } catch (error) {
    kafka.log.warn({ error, group }, 'The projection is empty and goes on from where its group is: is another replica filling it?');
  } finally {
    await admin.disconnect();
  }
}

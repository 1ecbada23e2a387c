import { MongoBulkWriteError, type AnyBulkWriteOperation, type Collection, type Document } from 'mongodb';
import mongoose, { type Connection } from 'mongoose';

/** A service's own database. Writes are majority and journaled: what is acknowledged survives a kill -9. */
export interface MongoHandle extends AsyncDisposable {
  readonly connection: Connection;
}

/** Throws within some seconds where the database does not answer. */
export async function openMongo({ url, database }: { url: string; database: string }): Promise<MongoHandle> {
  const connection = await mongoose
    .createConnection(url, {
      dbName: database,
      autoCreate: false,
      autoIndex: false,
      maxPoolSize: 20,
      serverSelectionTimeoutMS: 5_000,
      socketTimeoutMS: 30_000,
      retryWrites: false, // an unknown outcome is ours to resolve: the journal's unique indexes tell
      writeConcern: { w: 'majority', journal: true },
    })
    .asPromise();
  return { connection, [Symbol.asyncDispose]: async () => connection.close() };
}

const duplicateKey = 11_000;

/**
 * Writes documents in one call, each unless what is there is as new or newer by the `field`, a number that rises; what else is in a document there stays.
 * A repeat, or an older one that comes late, changes nothing.
 */
export async function putNewer<Kept extends Document & { readonly _id: string }>(
  collection: Collection<Kept>,
  field: keyof Kept & string,
  documents: readonly Kept[],
): Promise<void> {
  if (documents.length === 0) return;
  const operations = documents.map(({ _id, ...values }) => ({
    updateOne: { filter: { _id, [field]: { $lt: (values as Document)[field] as number } }, update: { $set: values }, upsert: true },
  }));
  try {
    await collection.bulkWrite(operations as unknown as AnyBulkWriteOperation<Kept>[], { ordered: false });
  } catch (error) {
    // Not older than ours, so not found, so inserted, so refused: it is the newer one, or the same.
    const isNewerThere = error instanceof MongoBulkWriteError && [error.writeErrors].flat().every(({ code }) => code === duplicateKey);
    if (!isNewerThere) throw error;
  }
}

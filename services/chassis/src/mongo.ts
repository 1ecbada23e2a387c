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

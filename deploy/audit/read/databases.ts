import { MongoClient, type Db, type Document, type Filter } from 'mongodb';
import { z } from 'zod';
import { joinKey } from '../keys.ts';
import type { connectors } from './connectors.ts';
import { journalDocument, type AnyDocument } from './shapes.ts';
import { Unreachable } from './unreachable.ts';

export type ServiceName = 'order' | 'reservation' | 'stock' | 'sync-policy' | (typeof connectors)[number];

/** The services' databases, read and never written. */
export interface Databases extends AsyncDisposable {
  /** A service's journal, of one tenant or of all. `collection`: of its second one. */
  journal(service: ServiceName, tenant: string | null, collection?: string): Promise<AnyDocument[]>;
  /** How many documents a journal has: rises with all that happens. */
  journalSize(service: ServiceName, tenant: string | null, collection?: string): Promise<number>;
  /** Documents of any other collection, each read by its shape. */
  documents<Shape extends z.ZodType>(
    service: ServiceName,
    collection: string,
    shape: Shape,
    filter?: Filter<Document>,
  ): Promise<z.infer<Shape>[]>;
  count(service: ServiceName, collection: string, filter: Filter<Document>): Promise<number>;
}

/** Throws {@link Unreachable} where the database does not answer. `prefix`: of every database's name. */
export async function openDatabases(url: string, prefix: string): Promise<Databases> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 5_000, readConcernLevel: 'majority', appName: 'evenkeel-audit' });
  await Unreachable.where('the database', () => client.connect());
  const open = (service: ServiceName): Db => client.db(`${prefix}${service.replaceAll('-', '_')}`);
  const read = <Value>(service: ServiceName, work: (database: Db) => Promise<Value>) =>
    Unreachable.where(`the database of ${service}`, () => work(open(service)));

  const documents: Databases['documents'] = (service, collection, shape, filter = {}) =>
    read(service, async (database) => {
      const found: z.infer<typeof shape>[] = [];
      for await (const document of database.collection(collection).find(filter).batchSize(1_000)) {
        const parsed = shape.safeParse(document);
        if (!parsed.success)
          throw new Error(
            `${collection} holds a document that the auditor does not understand (${String(document._id)}): ${z.prettifyError(parsed.error)}`,
          );
        found.push(parsed.data);
      }
      return found;
    });

  return {
    documents,
    journal: (service, tenant, collection = 'journal') => documents(service, collection, journalDocument, ofTenant(tenant)),
    journalSize: (service, tenant, collection = 'journal') =>
      read(service, (database) => database.collection(collection).countDocuments(ofTenant(tenant))),
    count: (service, collection, filter) => read(service, (database) => database.collection(collection).countDocuments(filter)),
    [Symbol.asyncDispose]: () => client.close(),
  };
}

/** Aggregates begin with their tenant and a slash; `0` is the character after the slash. */
const ofTenant = (tenant: string | null): Filter<Document> =>
  tenant === null ? {} : { aggregate: { $gte: `${joinKey(tenant)}/`, $lt: `${joinKey(tenant)}0` } };

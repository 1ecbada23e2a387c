import { openIdempotencyStore, openMongo } from '../src/index.ts';
import { describeIdempotencyStore } from './idempotency-contract.ts';

describeIdempotencyStore('in the database', async () => {
  const url = process.env['MONGO_URL'];
  if (!url) throw new Error('MONGO_URL is not set: run this with the integration project.');
  const mongo = await openMongo({ url, database: `evenkeel_test_idempotency_${process.pid}_${Date.now()}` });
  const store = await openIdempotencyStore(mongo.connection);
  return {
    store,
    async [Symbol.asyncDispose]() {
      await mongo.connection.dropDatabase();
      await mongo[Symbol.asyncDispose]();
    },
  };
});

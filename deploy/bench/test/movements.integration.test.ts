import { expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { measureMovements } from '../movements.ts';

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
const surroundings = { brokers, registryUrl: process.env.SCHEMA_REGISTRY_URL ?? '', mongoUrl: process.env.MONGO_URL ?? '' };

test.each([60, 1])('every movement of a load over %i SKUs is measured, and no topic stays behind', async (skus) => {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const before = await admin.listTopics();
  const measured = await measureMovements(surroundings, { events: 600, skus });
  expect(Math.min(measured.engine, measured.rawInsert, measured.rawPipe)).toBeGreaterThan(0);
  expect(measured.documents).toBeGreaterThanOrEqual(skus);
  expect(Object.values(measured.shares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
  expect((await admin.listTopics()).filter((name) => name.includes('.bench-') && !before.includes(name))).toEqual([]);
  await admin.disconnect();
});

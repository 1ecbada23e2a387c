import { expect, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { measureMovements } from '../movements.ts';

const brokers = (process.env.KAFKA_BROKERS ?? '').split(',');
const surroundings = { brokers, registryUrl: process.env.SCHEMA_REGISTRY_URL ?? '', mongoUrl: process.env.MONGO_URL ?? '' };

test.each([
  { skus: 60, cold: false },
  { skus: 60, cold: true },
  { skus: 1, cold: false },
])('every movement of $skus SKUs (just started: $cold) is measured, and no topic stays behind', async (load) => {
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  const before = await admin.listTopics();
  const measured = await measureMovements(surroundings, { events: 600, ...load });
  expect(Math.min(measured.engine, measured.rawInsert, measured.rawPipe)).toBeGreaterThan(0);
  expect(measured.documents).toBeGreaterThanOrEqual(load.skus);
  expect(Object.values(measured.shares).reduce((sum, share) => sum + share, 0)).toBeCloseTo(1);
  expect((await admin.listTopics()).filter((name) => name.includes('.bench-') && !before.includes(name))).toEqual([]);
  await admin.disconnect();
});

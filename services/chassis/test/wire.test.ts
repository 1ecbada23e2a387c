import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Partitioners } from 'kafkajs';
import { keyOf } from '@evenkeel/contracts';
import { partitionOf } from '../src/kafka/wire.ts';

const ofKafkajs = Partitioners.DefaultPartitioner();

test('a record is where every other Kafka client would look for it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: 'binary-ascii' }), { minLength: 1, maxLength: 3 }),
      fc.integer({ min: 1, max: 50 }),
      (key, partitions) => {
        const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({ partitionId, leader: 0 })) as never;
        const expected = ofKafkajs({ topic: 't', partitionMetadata, message: { key: keyOf(...key), value: null } });
        expect(partitionOf({ name: 't', partitions }, key)).toBe(expected);
      },
    ),
    { numRuns: 2_000 },
  );
});

test('only the leading parts choose the partition where the topic says so', () => {
  const topic = { name: 't', partitions: 12, partitionParts: 2 };
  expect(partitionOf(topic, ['tenant', 'store', 'listing', 'sku'])).toBe(partitionOf({ name: 't', partitions: 12 }, ['tenant', 'store']));
});

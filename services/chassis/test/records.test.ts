import { createRequire } from 'node:module';
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { encodeRecord, type EncodedRecord, type RecordParts } from '../src/kafka/records.ts';

const ofKafkajs = createRequire(import.meta.url)('kafkajs/src/protocol/recordBatch/record/v0/index.js') as (
  parts: RecordParts,
) => EncodedRecord;

const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const text = fc.string({ unit: 'binary', maxLength: 200 });
const anyPart = fc.oneof(fc.constant(null), bytes, text);
const anyHeader = fc.oneof(text, bytes, fc.array(fc.oneof(text, bytes), { maxLength: 3 }));
const anyRecord = fc.record({
  offsetDelta: fc.nat(20_000),
  timestampDelta: fc.oneof(fc.nat(), fc.nat({ max: 2 ** 40 })),
  key: anyPart,
  value: fc.oneof(anyPart, fc.constant(Buffer.alloc(70_000, 'x'))),
  headers: fc.dictionary(text, anyHeader, { maxKeys: 9 }),
});

test('a record has the very bytes that kafkajs gives it', () => {
  fc.assert(
    fc.property(anyRecord, (record) => {
      expect(encodeRecord(record).buffer.equals(ofKafkajs(record).buffer)).toBe(true);
    }),
    { numRuns: 1_000 },
  );
});

test('a record without anything in it has the very bytes that kafkajs gives it', () => {
  for (const nothing of [{}, { key: null, value: null, headers: {} }, { key: '', value: '' }])
    expect(encodeRecord(nothing).buffer.equals(ofKafkajs(nothing).buffer)).toBe(true);
});

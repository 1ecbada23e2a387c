import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { requestsOf } from '../src/kafka/sender.ts';
import { withoutSuperseded, type Encoded } from '../src/kafka/wire.ts';
import { within } from '../src/service.ts';

const partitionBytes = 900_000;

const record = ({ partition, bytes, key }: { partition: number; bytes: number; key: string }): Encoded => ({
  topic: 'levels',
  partition,
  key,
  value: Buffer.alloc(bytes),
  headers: {},
  supersedable: null,
});

const aRecord = fc.record({ partition: fc.nat(2), bytes: fc.nat(500_000), key: fc.string({ maxLength: 20 }) }).map(record);

// kafkajs never splits a batch, and a broker refuses one above a megabyte.
test('records leave in requests that a broker takes, all of them, in their order', () => {
  fc.assert(
    fc.property(fc.array(aRecord, { maxLength: 60 }), (records) => {
      const requests = [...requestsOf(records)];
      expect(requests.flat()).toEqual(records);
      for (const request of requests) {
        expect(request.length).toBeGreaterThan(0);
        const ofPartition = Map.groupBy(request, ({ partition }) => partition);
        for (const batch of ofPartition.values()) {
          const bytes = batch.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
          expect(bytes).toBeLessThanOrEqual(partitionBytes);
        }
      }
    }),
  );
});

test('of a compacted topic only the newest record of a key leaves, of any other topic every one', () => {
  const of = (key: string, supersedable: Encoded['supersedable']) => ({ ...record({ partition: 0, bytes: 1, key }), supersedable });
  const [old, move, other, newest] = [of('mug', 'wholly'), of('mug', null), of('cup', 'wholly'), of('mug', 'wholly')];
  expect(withoutSuperseded([old, move, other, newest])).toEqual([move, other, newest]);
});

// A store that is connected waited half a minute for the first of two open orders of one SKU: only the second one's correlation ever came back.
test('where somebody waits for correlations, the record that leaves names those of the records that it supersedes, once each', () => {
  const of = (key: string, correlation: string): Encoded => ({
    ...record({ partition: 0, bytes: 1, key }),
    headers: { ce_correlationid: correlation },
    supersedable: 'but_correlation',
  });
  const all = [of('mug', 'order 1'), of('cup', 'order 1'), of('mug', 'order 2'), of('mug', 'order 1'), of('mug', 'order 3')];
  expect(withoutSuperseded(all).map(({ key, headers }) => ({ key, headers }))).toEqual([
    { key: 'cup', headers: { ce_correlationid: 'order 1' } },
    { key: 'mug', headers: { ce_correlationid: 'order 3', ce_supersededcorrelationids: '["order 1","order 2"]' } },
  ]);
});

test('a service sends to no topic that it does not declare', async () => {
  const sent: string[] = [];
  const sender = {
    send: async () => undefined,
    sendEncoded: async (messages: readonly Encoded[]) => void sent.push(...messages.map(({ topic }) => topic)),
    [Symbol.asyncDispose]: async () => undefined,
  };
  const restricted = within(sender, new Set(['levels']));
  const level = record({ partition: 0, bytes: 1, key: 'a' });
  await restricted.sendEncoded([level]);
  await expect(restricted.sendEncoded([level, { ...level, topic: 'secrets' }])).rejects.toThrow(
    'writes to secrets: add the topic to its api.ts',
  );
  expect(sent).toEqual(['levels']);
});

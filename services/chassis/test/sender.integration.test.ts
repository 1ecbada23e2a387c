import { expect, test } from '@jest/globals';
import { added, openDeafProxy, openTallyBench, until } from './tally.ts';

// kafkajs rolls its sequence number back after a failed send; the broker then took the next send of the same size for a repeat,
// acknowledged it and stored nothing.
test('a send that timed out but was stored loses nothing that is acknowledged afterwards', async () => {
  await using bench = await openTallyBench();
  await using proxy = await openDeafProxy(process.env.KAFKA_BROKERS?.split(',')[0] ?? '');
  await using sender = await bench.openSenderThrough(proxy.address);
  const of = (number: number) => ({
    topic: bench.inputs[0],
    key: ['t', 'mug'],
    event: added('mug', number, `same-size-${String(number).padStart(4, '0')}`),
  });
  await sender.send([of(1)]);
  proxy.deafen(true);
  const second = sender.send([of(2)]);
  await until(() => proxy.swallowed() > 0, { what: 'the broker to answer into the void' });
  proxy.deafen(false);
  await second;
  await sender.send([of(3)]);
  await sender.send([of(4)]);
  const stored = (await bench.readAll(bench.inputs[0])).map(({ data }) => (data as unknown as { onHand: number }).onHand);
  expect([...new Set(stored)]).toEqual([1, 2, 3, 4]);
});

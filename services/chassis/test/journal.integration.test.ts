import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { added, openTallyBench, until, type Read } from './tally.ts';

const newestOf = (records: readonly Read[]) => new Map(records.map((record) => [record.key, record.data]));

/** Sequences per key, in the order in which they stand in the topic. */
const sequencesOf = (records: readonly Read[]) => {
  const found = new Map<string, number[]>();
  for (const { key, data } of records) found.set(key, [...(found.get(key) ?? []), data.sequence]);
  return found;
};

const counted = (length: number) => Array.from({ length }, (_, index) => index + 1);

test('the same cause twice in one slice takes effect once', async () => {
  await using bench = await openTallyBench();
  const twice = added('mug', 5);
  await bench.produce(bench.inputs[0], [twice, added('mug', 1), twice]);
  await using _replica = await bench.replica();
  await until(() => bench.caughtUp());
  const moves = await bench.readAll(bench.movements);
  expect(moves.map(({ data }) => data.added)).toEqual([5, 1]);
  expect(newestOf(await bench.readAll(bench.levels)).get('t%2Fmug')?.total).toBe(6);
  expect(await bench.documents()).toHaveLength(1);
});

test('a cause without effect takes a number, so that its repeat finds its answer', async () => {
  await using bench = await openTallyBench();
  const [nothing, tooMuch] = [added('mug', 0), added('mug', 2_000_000)];
  await using replica = await bench.replica();
  await bench.produce(bench.inputs[0], [nothing, tooMuch]);
  const answer = await replica.journal.answered(tooMuch.id);
  expect(answer).toMatchObject([{ sequence: 2, data: { added: 0, refused: true } }]);
  await bench.produce(bench.inputs[0], [tooMuch, nothing]);
  await until(() => bench.caughtUp());
  expect(await replica.journal.answered(tooMuch.id)).toEqual(answer);
  expect((await replica.journal.entries('t/mug')).map(({ sequence }) => sequence)).toEqual([2, 1]);
});

test('a late repeat of an old cause leaves the newest record last in the compacted topic', async () => {
  await using bench = await openTallyBench();
  const old = added('mug', 1);
  {
    await using _first = await bench.replica();
    await bench.produce(bench.inputs[0], [old, added('mug', 2), added('mug', 3)]);
    await until(() => bench.caughtUp());
  }
  // A fresh replica has nothing in memory: it loads the aggregate because of the repeat, and must publish nothing because of it.
  await using _second = await bench.replica();
  await bench.produce(bench.inputs[1], [old]);
  await until(() => bench.caughtUp());
  // Levels that a later one of the same slice supersedes never left; what matters is that nothing came behind the newest.
  const levels = (await bench.readAll(bench.levels)).map(({ data }) => data.sequence);
  expect(levels.at(-1)).toBe(3);
  expect(levels).toEqual(levels.toSorted((a, b) => a - b));
});

test('what says that its aggregate is new, and is wrong, counts on from what is there; its repeat changes nothing', async () => {
  await using bench = await openTallyBench();
  const first = added('mug', 5, 'first');
  {
    await using _first = await bench.replica();
    await bench.produce(bench.inputs[0], [first]);
    await until(() => bench.caughtUp());
  }
  await using _second = await bench.replica(); // remembers nothing
  await bench.produce(bench.inputs[0], [first, added('mug', 1, 'first-again')]);
  await until(() => bench.caughtUp());
  expect((await bench.readAll(bench.movements)).map(({ data }) => [data.sequence, data.added])).toEqual([
    [1, 5],
    [2, 1],
  ]);
  expect((await bench.readAll(bench.levels)).map(({ data }) => data.total)).toEqual([5, 6]);
});

test('what was journaled but not published goes out first, from whoever owns the key next', async () => {
  await using bench = await openTallyBench();
  let stalled = false;
  let release = (): void => undefined;
  const hold = new Promise<void>((resolve) => (release = resolve));
  const first = await bench.replica({
    rebalanceTimeoutMilliseconds: 1_500,
    onStep: async (step) => {
      if (step !== 'inserted') return;
      stalled = true;
      await hold;
    },
  });
  await bench.produce(bench.inputs[0], [added('mug', 1), added('mug', 2)]);
  await until(() => stalled);
  expect(await bench.readAll(bench.movements)).toHaveLength(0);
  await using _second = await bench.replica({ rebalanceTimeoutMilliseconds: 1_500 }); // the group's is the longest of its members'
  await bench.produce(bench.inputs[0], [added('mug', 3)]);
  await until(() => bench.caughtUp());
  expect(sequencesOf(await bench.readAll(bench.movements)).get('t%2Fmug')).toEqual([1, 2, 3]);
  release(); // its alive check refuses the send
  await until(() => first.journal.lanes.owned().size === 0 || first.journal.lanes.alive(0), { what: 'the first to join again' });
  expect(sequencesOf(await bench.readAll(bench.movements)).get('t%2Fmug')).toEqual([1, 2, 3]);
  expect(first.fatal).toEqual([]);
});

test('a replica that wakes up after its partitions moved and publishes late does not change what a newcomer learns', async () => {
  await using bench = await openTallyBench();
  let wake = (): void => undefined;
  const asleep = new Promise<void>((resolve) => (wake = resolve));
  let sleeping = false;
  let published = false;
  // It falls asleep between its alive check and its send: the one place that no check can close.
  await bench.replica({
    rebalanceTimeoutMilliseconds: 1_500,
    wrap: (sender) => ({
      ...sender,
      async sendEncoded(messages) {
        sleeping = true;
        await asleep;
        await sender.sendEncoded(messages);
        published = true;
      },
    }),
  });
  await bench.produce(bench.inputs[0], [added('mug', 1)]);
  await until(() => sleeping);
  await using second = await bench.replica({ trickleMilliseconds: 20, rebalanceTimeoutMilliseconds: 1_500 });
  await until(() => second.journal.lanes.owned().size === 1, { what: 'the partition to move' });
  await bench.produce(bench.inputs[0], [added('mug', 2)]);
  await until(async () => (await bench.readAll(bench.levels)).some(({ data }) => data.sequence === 2));
  wake();
  await until(() => published);
  await until(async () => (await bench.readAll(bench.levels)).at(-1)?.data.sequence === 2, {
    what: 'the owner to put its head last again',
  });
  const documents = await bench.documents();
  expect(documents.map(({ from, to }) => [from, to])).toEqual([
    [1, 1],
    [2, 2],
  ]);
});

test('five replicas, twelve partitions and two input topics: every key has one writer and no number twice', async () => {
  await using bench = await openTallyBench({ partitions: 12 });
  const keys = counted(60).map((number) => `sku-${number}`);
  const produceSome = async (amount: number) => {
    await bench.produce(
      bench.inputs[0],
      keys.map((key) => added(key, amount)),
    );
    await bench.produce(
      bench.inputs[1],
      keys.map((key) => added(key, amount * 10)),
    );
  };
  await produceSome(1);
  const replicas = [];
  for (let number = 0; number < 5; number += 1) {
    replicas.push(await bench.replica({ rebalanceTimeoutMilliseconds: 5_000 }));
    await produceSome(1); // while the group rebalances
  }
  await replicas[0]?.[Symbol.asyncDispose]();
  await produceSome(1);
  await until(() => bench.caughtUp(), { within: 50_000, what: 'all replicas to catch up' });
  const lanes = replicas.slice(1).flatMap(({ journal }) => [...journal.lanes.owned()]);
  expect(lanes.toSorted((a, b) => a - b)).toEqual(counted(12).map((number) => number - 1));
  const ledger = Map.groupBy(await bench.documents(), ({ aggregate }) => aggregate as string);
  for (const key of keys) {
    const entries = (ledger.get(`t/${key}`) ?? []).flatMap(
      (document) => document.entries as { sequence: number; cause: string; data: { added: number } }[],
    );
    expect(entries.map(({ sequence }) => sequence)).toEqual(counted(14));
    expect(new Set(entries.map(({ cause }) => cause)).size).toBe(14);
    expect(entries.reduce((sum, { data }) => sum + data.added, 0)).toBe(77);
  }
  expect(replicas.flatMap(({ fatal }) => fatal)).toEqual([]);
}, 90_000);

test('a message that nobody can read waits in the dead-letter topic, and later ones of its key go on', async () => {
  await using bench = await openTallyBench();
  await bench.produceRaw(bench.inputs[0], [{ key: 't/mug', value: 'not ours', partition: 0 }]);
  await bench.produce(bench.inputs[0], [added('mug', 1)]);
  await using _replica = await bench.replica();
  await until(() => bench.caughtUp());
  expect((await bench.readAll(bench.movements)).map(({ data }) => data.added)).toEqual([1]);
  const ends = await bench.admin.fetchTopicOffsets(bench.deadLetters.name);
  expect(ends.reduce((sum, { high }) => sum + Number(high), 0)).toBe(1);
});

test('a message that nobody can read goes the same way with a header that has no value, which kafkajs itself cannot send', async () => {
  await using bench = await openTallyBench();
  const sender = fileURLToPath(new URL('fixtures/send-valueless-header.ts', import.meta.url));
  await promisify(execFile)(process.execPath, [sender, process.env.KAFKA_BROKERS ?? '', bench.inputs[0].name, 't/mug']);
  await bench.produce(bench.inputs[0], [added('mug', 1)]);
  await using _replica = await bench.replica();
  await until(() => bench.caughtUp());
  expect((await bench.readAll(bench.movements)).map(({ data }) => data.added)).toEqual([1]);
  const ends = await bench.admin.fetchTopicOffsets(bench.deadLetters.name);
  expect(ends.reduce((sum, { high }) => sum + Number(high), 0)).toBe(1);
});

test('an aggregate whose fold throws is parked with all its later events, and the lane flows', async () => {
  await using bench = await openTallyBench();
  await bench.produce(bench.inputs[0], [added('mug', 1), added('mug', 666), added('mug', 2), added('cup', 3)]);
  await using _replica = await bench.replica();
  await until(() => bench.caughtUp());
  await bench.produce(bench.inputs[1], [added('mug', 4), added('cup', 5)]);
  await until(() => bench.caughtUp());
  const moves = await bench.readAll(bench.movements);
  expect(moves.map(({ key, data }) => [key, data.added])).toEqual([
    ['t%2Fmug', 1],
    ['t%2Fcup', 3],
    ['t%2Fcup', 5],
  ]);
  const dead = await bench.readAll(bench.deadLetters);
  expect(dead.map(({ data }) => (data as unknown as { onHand: number }).onHand)).toEqual([666, 2, 4]);
});

import { expect, test } from '@jest/globals';
import { added, openTallyBench, until } from './tally.ts';

test('a read model has the newest of each key, comes to know what was there before it, and is not led astray by what is old', async () => {
  await using bench = await openTallyBench();
  {
    await using replica = await bench.replica();
    await bench.produce(bench.inputs[0], [added('mug', 5), added('mug', 2), added('cup', 1)]);
    await until(() => bench.caughtUp());
    expect(await replica.journal.state('t/mug')).toMatchObject({ sequence: 2 });
  }
  await using model = await bench.projection();
  await until(async () => (await model.totals()).size === 2);
  expect(await model.totals()).toEqual(
    new Map([
      ['t/mug', 7],
      ['t/cup', 1],
    ]),
  );
  // An old level that comes late, as from a replica that stalled, and a new one behind it, so that both have been seen.
  const late = { sequence: 1, total: 5 };
  const headers = { ce_id: 'tally/t/mug/1', ce_type: 'StockLevelChanged', ce_time: new Date(0).toISOString() };
  await bench.produceRaw(bench.levels, [{ key: 't', value: JSON.stringify(late), partition: 0, headers }]);
  const next = { ce_id: 'tally/t/cup/2', ce_type: 'StockLevelChanged', ce_time: new Date(0).toISOString() };
  const newer = JSON.stringify({ sequence: 2, total: 9 });
  await bench.produceRaw(bench.levels, [{ key: 't', value: newer, partition: 0, headers: next }]);
  await until(async () => (await model.totals()).get('t/cup') === 9);
  expect((await model.totals()).get('t/mug')).toBe(7);
});

test('a read model that was emptied begins again at the first record', async () => {
  await using bench = await openTallyBench();
  {
    await using _replica = await bench.replica();
    await bench.produce(bench.inputs[0], [added('mug', 5)]);
    await until(() => bench.caughtUp());
  }
  {
    await using model = await bench.projection();
    await until(async () => (await model.totals()).get('t/mug') === 5);
    await model.empty();
  }
  await using again = await bench.projection();
  await until(async () => (await again.totals()).size > 0, { what: 'the total to be known again' });
  expect(await again.totals()).toEqual(new Map([['t/mug', 5]]));
});

test("a service's second journal keeps its own books", async () => {
  await using bench = await openTallyBench();
  await using second = await bench.replica({ purpose: 'second' });
  await bench.produce(bench.inputs[0], [added('mug', 5)]);
  await until(() => bench.caughtUp());
  expect(await second.journal.state('t/mug')).toMatchObject({ sequence: 1, state: { total: 5 } });
  expect(await bench.documents()).toEqual([]);
});

import { expect, test } from '@jest/globals';
import { planOf } from '../plan.ts';
import { batchesOf, play } from '../player.ts';

const row = (invoice: string, sku: string, quantity: number) => ({ invoice, sku, quantity });

/** Notes what a shop and a clerk are asked to do. */
function observed(steps: ReturnType<typeof planOf>['steps']) {
  const seen: string[] = [];
  const onHand = new Map<string, number>();
  const placeOrders = async (_store: string, orders: readonly { name?: string }[]) => {
    seen.push(...orders.map(({ name }) => `order ${name}`));
    return orders.map(({ name }) => ({ accepted: true as const, order: { id: name } as never }));
  };
  const updateOnHand = async (sku: string, decide: (onHand: number, inventory: never) => number | null, reason: string | null) => {
    const before = onHand.get(sku) ?? 0;
    seen.push(`${reason} ${sku}`);
    await Promise.resolve();
    onHand.set(sku, decide(before, undefined as never) ?? before);
    return true;
  };
  const done = play({ steps, rate: 'max', stores: ['one'], sandbox: { placeOrders }, seller: { updateOnHand }, onProgress: () => {} });
  return { seen, onHand, done };
}

test('orders and returns are played in the order of the file', async () => {
  const { steps } = planOf([row('1', 'A', 1), row('2', 'B', 1), row('C3', 'A', -1), row('4', 'A', 1)]);
  const { seen, done } = observed(steps);
  const answered = await done;
  expect(seen).toEqual(['order 1', 'order 2', 'return A', 'order 4']);
  expect([...(answered.get('one') ?? new Map<string, number>()).keys()]).toEqual(['1', '2', '4']);
});

test('returns of one SKU never overtake each other, so that each sees what the one before has left', async () => {
  const { steps } = planOf([row('C1', 'A', -1), row('C1', 'A', -2), row('C2', 'A', -4), row('C2', 'B', -8)]);
  const { onHand, done } = observed(steps);
  await done;
  expect(Object.fromEntries(onHand)).toEqual({ A: 7, B: 8 });
});

test('an update that fails ends the play', async () => {
  const { steps } = planOf([row('C1', 'A', -1), row('2', 'A', 1)]);
  const placeOrders = async () => [];
  const updateOnHand = () => Promise.reject(new Error('stock is gone'));
  await expect(
    play({ steps, rate: 'max', stores: ['one'], sandbox: { placeOrders }, seller: { updateOnHand }, onProgress: () => {} }),
  ).rejects.toThrow('stock is gone');
});

test('orders that follow one another go together, so many at most', () => {
  const { steps } = planOf([row('1', 'A', 1), row('2', 'A', 1), row('3', 'A', 1), row('C4', 'A', -1), row('5', 'A', 1)]);
  const batches = batchesOf(steps, 2).map((batch) => batch.map(({ invoice }) => invoice));
  expect(batches).toEqual([['1', '2'], ['3'], ['C4'], ['5']]);
});

import { expect, test } from '@jest/globals';
import type { NewOrder, OrderEdit } from '@evenkeel/marketplace-sandbox/control';
import { waitFor } from '../../local/wait.ts';
import { planOf } from '../plan.ts';
import { batchesOf, play } from '../player.ts';

const row = (invoice: string, sku: string, quantity: number, customer = '') => ({ invoice, sku, quantity, customer });

/** Notes what a shop and a clerk are asked to do. */
function observed(steps: ReturnType<typeof planOf>['steps']) {
  const seen: string[] = [];
  const onHand = new Map<string, number>();
  /** What is in the books, by order. */
  const books = new Map<string, number>();
  const sandbox = {
    async placeOrders(_store: string, orders: readonly NewOrder[]) {
      seen.push(...orders.map(({ name }) => `order ${name}`));
      return orders.map(({ name = '', lines }) => {
        const order = { id: name, lines: lines.map(({ quantity }, index) => ({ id: `${name}.${index}`, currentQuantity: quantity })) };
        return { accepted: true as const, order: order as never };
      });
    },
    async cancelOrder(_store: string, order: string) {
      seen.push(`cancel ${order}`);
      return undefined as never;
    },
    async editOrder(_store: string, order: string, { lines = [] }: OrderEdit) {
      seen.push(`edit ${order}: ${lines.map(({ line, quantity }) => `${line} = ${quantity}`).join(', ')}`);
      return undefined as never;
    },
  };
  const updateOnHand = async (sku: string, decide: (onHand: number, inventory: never) => number | null, reason: string | null) => {
    const before = onHand.get(sku) ?? 0;
    seen.push(`${reason} ${sku}`);
    await Promise.resolve();
    onHand.set(sku, decide(before, undefined as never) ?? before);
    return true;
  };
  const moved = (_store: string, order: string) => books.get(order) ?? 0;
  const done = play({ steps, rate: 'max', stores: ['one'], sandbox, seller: { updateOnHand }, moved, onProgress: () => {} });
  return { seen, onHand, books, done };
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

test('what is given back is taken off its order once that is in the books, one after the other; the last of it cancels the order', async () => {
  const { steps } = planOf([row('1', 'A', 3, 'ann'), row('C2', 'A', -1, 'ann'), row('C3', 'A', -2, 'ann'), row('4', 'B', 1)]);
  const { seen, books, done } = observed(steps);
  await new Promise((resolve) => setImmediate(resolve));
  expect(seen).toEqual(['order 1', 'order 4']);
  books.set('1', 1);
  await waitFor('the first one', async () => seen.length === 3, { seconds: 5, everyMilliseconds: 10 });
  expect(seen.at(-1)).toBe('edit 1: 1.0 = 2');
  books.set('1', 2);
  await done;
  expect(seen.at(-1)).toBe('cancel 1');
});

test('an update that fails ends the play', async () => {
  const { steps } = planOf([row('C1', 'A', -1), row('2', 'A', 1)]);
  const nothing = async () => undefined as never;
  const sandbox = { placeOrders: async () => [], cancelOrder: nothing, editOrder: nothing };
  const updateOnHand = () => Promise.reject(new Error('stock is gone'));
  await expect(
    play({ steps, rate: 'max', stores: ['one'], sandbox, seller: { updateOnHand }, moved: () => 0, onProgress: () => {} }),
  ).rejects.toThrow('stock is gone');
});

test('orders that follow one another go together, so many at most', () => {
  const { steps } = planOf([row('1', 'A', 1), row('2', 'A', 1), row('3', 'A', 1), row('C4', 'A', -1), row('5', 'A', 1)]);
  const batches = batchesOf(steps, 2).map((batch) => batch.map(({ invoice }) => invoice));
  expect(batches).toEqual([['1', '2'], ['3'], ['C4'], ['5']]);
});

import { describe, expect, test } from '@jest/globals';
import { fingerprintOf, judgeAttempt, retentionMilliseconds } from '../src/state/idempotency.ts';
import { openTestShop, quantitiesInput, setQuantitiesMutation } from './test-sandbox.ts';

interface Answered {
  readonly data: { readonly inventorySetQuantities: { readonly userErrors: readonly { readonly code: string }[] } };
}

describe('an idempotency key', () => {
  test('is new, replayed, mismatched or spent on a failure', () => {
    const remembered = { fingerprint: 'a', change_group: 7, at: 1_000 };
    expect(judgeAttempt(undefined, 'a', 0)).toEqual({ kind: 'first' });
    expect(judgeAttempt(remembered, 'a', 2_000)).toEqual({ kind: 'replay', group: 7 });
    expect(judgeAttempt(remembered, 'b', 2_000)).toEqual({ kind: 'mismatch' });
    expect(judgeAttempt({ ...remembered, change_group: null }, 'a', 2_000)).toEqual({ kind: 'previous_failed' });
    expect(judgeAttempt(remembered, 'b', 1_000 + retentionMilliseconds)).toEqual({ kind: 'first' });
  });

  test('does not care in which order the fields of an input come', () => {
    expect(fingerprintOf('m', { a: 1, b: [{ c: null, d: 'x' }] })).toBe(fingerprintOf('m', { b: [{ d: 'x', c: null }], a: 1 }));
    expect(fingerprintOf('m', { a: 1 })).not.toBe(fingerprintOf('m', { a: 2 }));
  });

  test('sent again is answered as before, and the shop is not written again, also when it sold meanwhile', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 10);
    const first = await tea.setAvailable([{ product, quantity: 4 }], 'key-1');
    await tea.control.placeOrder('tea', { lines: [{ sku: 'TEA', quantity: 1 }] });
    const second = await tea.setAvailable([{ product, quantity: 4 }], 'key-1');

    expect(second.data).toEqual(first.data);
    expect(first.data.inventorySetQuantities.inventoryAdjustmentGroup.changes[0]).toMatchObject({ name: 'available', delta: -6 });
    expect(await tea.available(product)).toBe(3);
    expect((await tea.control.writes('tea')).rows).toHaveLength(1);
  });

  test('is forgotten after 24 hours', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 10);
    await tea.setAvailable([{ product, quantity: 4 }], 'key-1');
    await tea.control.configure('tea', { clockOffsetMilliseconds: retentionMilliseconds });
    const again = await tea.setAvailable([{ product, quantity: 9 }], 'key-1');
    expect(again.data.inventorySetQuantities.userErrors).toEqual([]);
    expect(await tea.available(product)).toBe(9);
  });

  test('with other parameters is a mismatch, and after a refusal it is spent', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 10);
    await tea.setAvailable([{ product, quantity: 4 }], 'key-1');
    const mismatch = await tea.setAvailable([{ product, quantity: 5 }], 'key-1');
    expect(mismatch.data.inventorySetQuantities.userErrors[0].code).toBe('IDEMPOTENCY_KEY_PARAMETER_MISMATCH');

    const stale = [{ product, quantity: 5, changeFrom: 99 }];
    expect((await tea.setAvailable(stale, 'key-2')).data.inventorySetQuantities.userErrors[0].code).toBe('CHANGE_FROM_QUANTITY_STALE');
    const spent = await tea.setAvailable(stale, 'key-2');
    expect(spent.data.inventorySetQuantities.userErrors[0].code).toBe('IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED');
    expect(await tea.available(product)).toBe(4);
  });

  test('that is still being worked on is refused as concurrent', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 10);
    await tea.control.configure('tea', { latencyMilliseconds: 200 });
    const body = { query: setQuantitiesMutation, variables: { input: quantitiesInput([{ product, quantity: 4 }]), key: 'key-1' } };
    const answers = await Promise.all([tea.post(body), tea.post(body)].map(async (answer) => (await (await answer).json()) as Answered));
    const codes = answers.map(({ data }) => data.inventorySetQuantities.userErrors[0]?.code ?? 'applied');
    expect(new Set(codes)).toEqual(new Set(['IDEMPOTENCY_CONCURRENT_REQUEST', 'applied']));
    expect((await tea.control.writes('tea')).rows).toHaveLength(1);
  });

  test('can be repeated after the answer was lost: the change is there once', async () => {
    await using tea = await openTestShop();
    const product = await tea.put('TEA', 10);
    await tea.control.setFaults('tea', { dropAnswerOfNextMutations: 1 });
    await expect(tea.setAvailable([{ product, quantity: 4 }], 'key-1')).rejects.toThrow('fetch failed');
    expect(await tea.available(product)).toBe(4);
    expect((await tea.setAvailable([{ product, quantity: 4 }], 'key-1')).data.inventorySetQuantities.userErrors).toEqual([]);
    expect((await tea.control.writes('tea')).rows).toHaveLength(1);
  });
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { IdempotencyStore } from '../src/index.ts';

/** What every store of idempotency keys holds to. */
export function describeIdempotencyStore(name: string, open: () => Promise<{ store: IdempotencyStore } & AsyncDisposable>): void {
  describe(`keys of repeats, ${name}`, () => {
    let opened: Awaited<ReturnType<typeof open>>;
    beforeAll(async () => {
      opened = await open();
    });
    afterAll(async () => {
      await opened[Symbol.asyncDispose]();
    });

    test('the first is the first, the same again is a repeat with the time of the first', async () => {
      expect(await opened.store.claim('command/a/1', 'h', 1_000)).toEqual({ kind: 'first', at: 1_000 });
      expect(await opened.store.claim('command/a/1', 'h', 2_000)).toEqual({ kind: 'repeat', at: 1_000 });
    });

    test('another body is told apart, and changes nothing', async () => {
      await opened.store.claim('command/a/2', 'h', 1_000);
      expect(await opened.store.claim('command/a/2', 'other', 2_000)).toMatchObject({ kind: 'other_body' });
      expect(await opened.store.claim('command/a/2', 'h', 3_000)).toEqual({ kind: 'repeat', at: 1_000 });
    });

    test('of many at once exactly one is the first', async () => {
      const kinds = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => (await opened.store.claim('command/a/3', 'h', index)).kind),
      );
      expect(kinds.filter((kind) => kind === 'first')).toHaveLength(1);
      expect(kinds.filter((kind) => kind === 'repeat')).toHaveLength(19);
    });

    test('an answer is kept as it was, the first one for good', async () => {
      await opened.store.claim('command/a/4', 'h', 1_000);
      const answer = { status: 201, body: { b: 1, a: ['x', null], $set: { 'a.b': 2 } }, headers: { Location: '/a' } };
      expect(JSON.stringify(await opened.store.settle('command/a/4', answer))).toBe(JSON.stringify(answer));
      expect(await opened.store.settle('command/a/4', { status: 409, body: null })).toEqual(answer);
      const again = await opened.store.claim('command/a/4', 'h', 2_000);
      expect(JSON.stringify(again.answer)).toBe(JSON.stringify(answer));
    });

    test('an answer without a body stays one', async () => {
      await opened.store.claim('command/a/5', 'h', 1_000);
      await opened.store.settle('command/a/5', { status: 204, body: undefined });
      expect((await opened.store.claim('command/a/5', 'h', 2_000)).answer).toEqual({ status: 204 });
    });
  });
}

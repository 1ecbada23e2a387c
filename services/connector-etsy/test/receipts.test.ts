import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { EtsyApi } from '../src/etsy-api.ts';
import { pagesOfReceipts } from '../src/receipts.ts';

/** A shop with receipts by their second, of which some change between two pages: then they are the last. */
function openShop(seconds: readonly number[], changesBetweenPages: readonly number[]) {
  const receipts = seconds.map((second, index) => ({
    receipt_id: index + 1,
    status: 'paid',
    is_shipped: false,
    created_timestamp: second,
    updated_timestamp: second,
    transactions: [],
  }));
  const changes = [...changesBetweenPages];
  let now = Math.max(0, ...seconds) + 1;
  const api: EtsyApi = {
    async run({ path, data }) {
      const query = new URLSearchParams(path.split('?')[1]);
      const [from, offset, limit] = ['min_last_modified', 'offset', 'limit'].map((name) => Number(query.get(name)));
      const inOrder = receipts
        .filter(({ updated_timestamp: updated }) => updated >= (from ?? 0))
        .toSorted((a, b) => a.updated_timestamp - b.updated_timestamp || a.receipt_id - b.receipt_id);
      const results = structuredClone(inOrder.slice(offset, (offset ?? 0) + (limit ?? 0)));
      for (let left = changes.shift() ?? 0; left > 0; left -= 1)
        Object.assign(inOrder[left - 1] ?? {}, { updated_timestamp: now, is_shipped: true });
      now += 1;
      return { data: data.parse({ count: inOrder.length, results }), date: 0 };
    },
    close: () => Promise.resolve(),
  };
  return { api, receipts };
}

async function readAll(api: EtsyApi) {
  const read = new Set<number>();
  const query = { shopId: 1, by: 'updated', from: 0, unshippedOnly: false } as const;
  for await (const page of pagesOfReceipts(api, query, { priority: 'normal' })) for (const { receipt_id: id } of page) read.add(id);
  return read;
}

describe('the receipts of a shop', () => {
  // Those that were shipped while their second was read shifted the rest, which was not read at all.
  test('are all read, however many changed within a second, and though some change again while they are read', async () => {
    const aSecond = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 260 }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(aSecond, { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 0, max: 10 }), { maxLength: 6 }),
        async (seconds, changes) => {
          const { api, receipts } = openShop(
            seconds.flatMap(([second, many]) => Array.from({ length: many }, () => second)),
            changes,
          );
          const read = await readAll(api);
          for (const { receipt_id: id } of receipts) expect(read.has(id)).toBe(true);
        },
      ),
      { numRuns: 60 },
    );
  });
});

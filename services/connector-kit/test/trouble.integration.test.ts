import { afterEach, expect, test } from '@jest/globals';
import { versionOf } from '../src/version.ts';
import { type Bench, openBench, requested, seeded, until, version, withdrawn } from './bench.ts';
import { createFakeMarketplace, failed, type FakeMarketplace } from './fake-marketplace.ts';

let fake: FakeMarketplace;
let bench: Bench;
afterEach(async () => bench[Symbol.asyncDispose]());

const listings = Array.from({ length: 12 }, (_, index) => `L${index}`);

/**
 * Answers get lost before and after taking effect, calls are throttled, owners lose their lanes in the middle of a call and others take over,
 * while requests come in any order and now and then are withdrawn. Versions may only rise, and in the end every listing shows the newest.
 */
test.each([1, 2, 3])(
  'whatever goes wrong, versions only rise on a listing and the newest is shown in the end (seed %i)',
  async (seed) => {
    const chance = seeded(seed);
    fake = createFakeMarketplace({ maxBatch: 4, ...(seed === 3 ? { idempotencyKey: null } : {}) });
    for (const listing of listings) fake.shop.listings.set(listing, { sku: `sku-${listing}`, quantity: 5 });
    bench = await openBench(fake);
    await bench.connect();
    const trouble = (applied: 'before' | 'after') => {
      const drawn = chance();
      if (drawn < 0.1) throw failed('transient', 'unknown');
      if (applied === 'before' && drawn < 0.15) throw failed('throttled', 'no');
      if (applied === 'before' && drawn < 0.2) throw failed('transient', 'no');
    };
    fake.shop.behaviour = { before: () => trouble('before'), after: () => trouble('after') };
    const timing = { circuit: { errorPercentage: 100, volume: 1_000, resetMilliseconds: 50 } };

    const newest = new Map<string, { sequence: number; settings: number; quantity: number | null }>();
    let owner = bench.start(timing);
    for (let round = 1; round <= 60; round += 1) {
      const sent = listings.flatMap((listing) => {
        if (chance() < 0.5) return [];
        const { settings = 0 } = newest.get(listing) ?? {};
        const off = chance() < 0.05;
        const of = { sequence: round, settings: settings + (off ? 1 : 0), quantity: off ? null : Math.floor(chance() * 100) };
        newest.set(listing, of);
        const late = requested(listing, 777, version(Math.max(0, round - 1), { settings }));
        return [
          ...(chance() < 0.2 ? [late] : []),
          of.quantity === null ? withdrawn(listing, version(round, of)) : requested(listing, of.quantity, version(round, of)),
        ];
      });
      await bench.take(...sent);
      if (chance() < 0.15) {
        const old = owner;
        old.freeze();
        owner = bench.start(timing);
      }
      await new Promise((resolve) => setTimeout(resolve, chance() * 20));
    }
    fake.shop.behaviour = {};
    const last = new Map(listings.map((listing) => [listing, newest.get(listing)?.quantity ?? null]));
    await until('nothing is outstanding or in flight', async () => (await bench.collections.listings.countDocuments({ $or: [{ outstanding: true }, { inFlight: { $ne: null } }] })) === 0, 40_000); // prettier-ignore

    for (const [listing, quantity] of last)
      if (quantity !== null) expect([listing, fake.shop.listings.get(listing)?.quantity]).toEqual([listing, quantity]);
    // One that was withdrawn in the end may never have been pushed: whatever it was wanted at went by while nothing could be sent.
    await expectRisingVersions([...last.values()].filter((quantity) => quantity !== null).length);
  },
  120_000,
);

/** Joins what the marketplace applied, in its order, with our record of each call. */
async function expectRisingVersions(pushedAtLeast: number): Promise<void> {
  const calls = new Map((await bench.collections.calls.find().toArray()).map((call) => [call._id, call]));
  const highest = new Map<string, string>();
  expect(fake.shop.applied.length).toBeGreaterThanOrEqual(pushedAtLeast);
  for (const { key, listing, quantity } of fake.shop.applied) {
    const item = calls.get(key)?.items.find((each) => each.listing === listing);
    if (!item) throw new Error(`The marketplace applied ${key} to ${listing}, and nobody recorded that call.`);
    expect(item.quantity).toBe(quantity);
    expect(versionOf(item.version).mapping).toBe(1);
    expect([listing, item.version >= (highest.get(listing) ?? '')]).toEqual([listing, true]);
    highest.set(listing, item.version);
  }
}

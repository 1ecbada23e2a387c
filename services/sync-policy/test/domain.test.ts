import type { ListingMapped, StockMoved, User } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decideInventorySync,
  decideMapped,
  decideMovement,
  decideSkuPolicy,
  decideUnmapped,
  evolve,
  hasSeen,
  newSku,
  requestFor,
  type PolicyEntry,
  type PolicySettings,
  type SkuState,
  type TenantPolicy,
} from '../src/domain.ts';

const where = { tenant: 'acme', sku: 'MUG' };
const ann: User = { kind: 'person', id: 'ann' };
/** X 20, Y 5, N 3. */
const tenant: TenantPolicy = { revision: 4, realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 3 };
const nothingOfItsOwn: PolicySettings = { realTimeAtOrBelow: null, significantUnits: null, everyNth: null };

const moved = (sequence: number, before: number, after: number, counted = true, epoch = 1): StockMoved => ({
  ...where,
  epoch,
  sequence,
  type: 'OrderReserve',
  reason: null,
  refused: null,
  change: { onHand: 0, orderReserve: before - after, batchReserve: 0, available: after - before },
  after: { onHand: 0, orderReserve: -after, batchReserve: 0, available: after },
  location: null,
  locationOnHand: null,
  order: null,
  counted,
  user: ann,
  batch: null,
  label: null,
  reverses: null,
  purchaseOrder: null,
  cause: 'test',
  at: 0,
});
const mapped = (listing: string, mapping = 1): ListingMapped => ({
  ...where,
  store: 's1',
  marketplace: 'shopify',
  listing,
  mapping,
  at: 0,
});

type Step = (sku: SkuState) => PolicyEntry;
const move =
  (...args: Parameters<typeof moved>): Step =>
  (sku) =>
    decideMovement(sku, moved(...args), tenant);
const map =
  (listing: string, mapping = 1): Step =>
  (sku) =>
    decideMapped(sku, mapped(listing, mapping), tenant, true);
const unmap =
  (listing: string, mapping = 2): Step =>
  (sku) =>
    decideUnmapped(sku, mapped(listing, mapping), tenant);
const sync =
  (enabled: boolean): Step =>
  (sku) =>
    decideInventorySync(sku, { ...where, enabled, user: ann, at: 0 }, tenant);
const setPolicy =
  (settings: Partial<PolicySettings>): Step =>
  (sku) =>
    decideSkuPolicy(sku, { ...where, ...nothingOfItsOwn, ...settings, user: ann, at: 0 }, tenant);

/** Plays the steps on a new SKU. */
function play(...steps: readonly Step[]): { sku: SkuState; entries: PolicyEntry[]; last: PolicyEntry | undefined } {
  let sku = newSku;
  const entries = steps.map((step, index) => {
    const data = step(sku);
    sku = evolve(sku, { sequence: index + 1, at: 1000 + index, correlation: `c${index + 1}`, data });
    return data;
  });
  return { sku, entries, last: entries.at(-1) };
}
const said = (entry: PolicyEntry | undefined) => `${entry?.decision} ${entry?.reason}`;
const listingsOf = (entry: PolicyEntry | undefined) => entry?.listings.map(({ listing }) => listing);

describe('pushes that no movement causes', () => {
  const onSale = [map('a'), map('b'), move(1, 0, 100)] as const;

  test('turning sync on sends the current value once, also if the number is the same', () => {
    const { entries, sku } = play(...onSale, sync(false), sync(true));
    expect(said(entries[3])).toBe('withdrawn sync_disabled');
    expect(listingsOf(entries[3])).toEqual(['a', 'b']);
    expect(said(entries[4])).toBe('push sync_enabled');
    expect(entries[4]?.inputs.after).toBe(100);
    expect(sku.settings).toBe(2);
  });
  test('what moved while sync was off goes out as one value when it is on again', () => {
    const { entries, last } = play(...onSale, sync(false), move(2, 100, 90), move(3, 90, 10), sync(true));
    expect(entries.map(said).slice(4, 6)).toEqual(['held sync_disabled', 'held sync_disabled']);
    expect(last).toMatchObject({ decision: 'push', reason: 'sync_enabled', inputs: { after: 10, sequence: 3 } });
  });
  test('turning sync on pushes nothing of a product that was never counted', () => {
    expect(said(play(map('a'), sync(true)).last)).toBe('held not_counted');
  });
  test('a count while sync is off is known when it is turned on', () => {
    const { entries, last } = play(map('a'), sync(false), move(1, 0, 8), sync(true));
    expect(said(entries[2])).toBe('held sync_disabled');
    expect(said(last)).toBe('push sync_enabled');
  });
  test('mapping one listing pushes all listings of the product', () => {
    const { last } = play(...onSale, map('c'));
    expect(said(last)).toBe('push listing_mapped');
    expect(listingsOf(last)).toEqual(['a', 'b', 'c']);
  });
  test('mapping a listing to a product that was never counted empties nothing', () => {
    expect(said(play(map('a')).last)).toBe('held not_counted');
  });
  test('mapping a listing while sync is off pushes nothing', () => {
    expect(said(play(...onSale, sync(false), map('c')).last)).toBe('held sync_disabled');
  });
  test('a mapping older than the known one, or the same once more, changes nothing', () => {
    for (const revision of [2, 3]) {
      const before = play(map('a', 3), move(1, 0, 100));
      const after = play(map('a', 3), move(1, 0, 100), map('a', revision));
      expect(said(after.last)).toBe('ignored stale_mapping');
      expect(after.sku).toEqual(before.sku);
    }
  });
  test('a remap to the same product raises the version of its listing', () => {
    const { sku, last } = play(map('a', 1), move(1, 0, 100), map('a', 3));
    expect(last?.listings).toEqual([{ store: 's1', marketplace: 'shopify', listing: 'a', mapping: 3 }]);
    expect(sku.listings).toHaveLength(1);
  });
  test('a mapping of a marketplace that no topic carries is recorded, and stops nothing', () => {
    const entry = decideMapped(newSku, { ...mapped('a'), marketplace: 'bazaar' }, tenant, false);
    expect(said(entry)).toBe('ignored unknown_marketplace');
  });
});

describe('unmapping', () => {
  test('withdraws what that listing has not been sent yet, and leaves the others', () => {
    const { last, sku } = play(map('a'), map('b'), move(1, 0, 100), unmap('a'), move(2, 100, 10));
    expect(listingsOf(last)).toEqual(['b']);
    expect(sku.listings.map(({ listing }) => listing)).toEqual(['b']);
  });
  test('carries the mapping revision that the product knew, so that the next product can ask for more', () => {
    const { last } = play(map('a', 1), unmap('a', 2));
    expect(last).toMatchObject({ decision: 'withdrawn', reason: 'unmapped', listings: [{ listing: 'a', mapping: 1 }] });
  });
  test('of a listing that is not mapped, or mapped anew since, changes nothing', () => {
    expect(said(play(unmap('a')).last)).toBe('ignored not_mapped');
    expect(said(play(map('a', 5), unmap('a', 4)).last)).toBe('ignored stale_mapping');
  });
});

describe('a policy of its own', () => {
  const throttled = [map('a'), move(1, 0, 100), move(2, 100, 99)] as const;

  test('is pushed when something is throttled and the new X covers the level, exactly X included', () => {
    expect(said(play(...throttled, setPolicy({ realTimeAtOrBelow: 99 })).last)).toBe('push policy_changed');
    expect(said(play(...throttled, setPolicy({ realTimeAtOrBelow: 98 })).last)).toBe('held throttled');
  });
  test('is pushed when something is throttled and the new Y or N is smaller', () => {
    expect(said(play(...throttled, setPolicy({ significantUnits: 4 })).last)).toBe('push policy_changed');
    expect(said(play(...throttled, setPolicy({ everyNth: 2 })).last)).toBe('push policy_changed');
    expect(said(play(...throttled, setPolicy({ significantUnits: 5, everyNth: 3 })).last)).toBe('held throttled');
    expect(said(play(...throttled, setPolicy({ significantUnits: 6, everyNth: 4 })).last)).toBe('held throttled');
  });
  test('pushes nothing when nothing is throttled', () => {
    expect(said(play(map('a'), move(1, 0, 100), setPolicy({ realTimeAtOrBelow: 500 })).last)).toBe('held nothing_throttled');
  });
  test('pushes nothing while sync is off or the product was never counted', () => {
    expect(said(play(...throttled, sync(false), setPolicy({ realTimeAtOrBelow: 500 })).last)).toBe('held sync_disabled');
    expect(said(play(map('a'), setPolicy({ realTimeAtOrBelow: 500 })).last)).toBe('held not_counted');
  });
  test('applies from the next movement on, and names its revisions', () => {
    const { last } = play(...throttled, setPolicy({ realTimeAtOrBelow: 50, everyNth: 9 }), move(3, 99, 50));
    expect(said(last)).toBe('push at_or_below_threshold');
    expect(last?.inputs.policy).toEqual({ realTimeAtOrBelow: 50, significantUnits: 5, everyNth: 9, revision: 4, settings: 1 });
  });
  test('a decision about settings does not count as a transaction', () => {
    const { sku } = play(...throttled, setPolicy({ everyNth: 4 }));
    expect(sku.counter).toBe(1);
  });
});

describe('the counter', () => {
  test('N = 3: two transactions wait, the third goes out, and it begins anew', () => {
    const { entries } = play(map('a'), move(1, 0, 100), ...[2, 3, 4, 5, 6, 7].map((n) => move(n, 102 - n, 101 - n)));
    expect(entries.slice(2).map(said)).toEqual([
      'held throttled',
      'held throttled',
      'push every_nth',
      'held throttled',
      'held throttled',
      'push every_nth',
    ]);
  });
  test('is zeroed by any push, by decision and not by acknowledgement, also where no listing is there to push', () => {
    const { sku, last } = play(move(1, 0, 100), move(2, 100, 99), move(3, 99, 94));
    expect(last).toMatchObject({ decision: 'push', reason: 'significant_change', listings: [] });
    expect(sku.counter).toBe(0);
  });
  test('does not count what changed nothing, what sync held, and what was never counted', () => {
    expect(play(move(1, 0, 100), move(2, 100, 100)).sku.counter).toBe(0);
    expect(play(move(1, 0, 100), sync(false), move(2, 100, 99)).sku.counter).toBe(0);
    expect(play(move(1, 0, -1, false)).sku.counter).toBe(0);
  });
});

test('a movement seen before, or an older one, is a repeat; a newer epoch is not', () => {
  const { sku } = play(move(1, 0, 100), move(2, 100, 99));
  expect([1, 2, 3].map((sequence) => hasSeen(sku, moved(sequence, 0, 0)))).toEqual([true, true, false]);
  expect(hasSeen(sku, moved(1, 0, 0, true, 2))).toBe(false);
  expect(hasSeen(sku, moved(9, 0, 0, true, 0))).toBe(true);
});

describe('what the listings are asked for', () => {
  /** The newest event of each listing, as published along the way. */
  function published(steps: readonly Step[]): Map<string, unknown> {
    let sku = newSku;
    const newest = new Map<string, unknown>();
    steps.forEach((step, index) => {
      const data = step(sku);
      const entry = { sequence: index + 1, at: 1000 + index, correlation: `c${index + 1}`, data };
      sku = evolve(sku, entry);
      for (const { id, listing, event } of announcements(entry, data)) newest.set(listing, { id, event });
      if (data.reason === 'unmapped' && data.trigger === 'listing_unmapped') newest.delete(data.listing.listing);
    });
    return newest;
  }
  const announcements = (entry: { sequence: number; at: number; correlation: string }, data: PolicyEntry) =>
    (data.decision === 'held' ? [] : data.listings).map((listing) => ({
      listing: listing.listing,
      id: entry.sequence,
      event: requestFor(where, listing, {
        decided: entry.sequence,
        at: entry.at,
        correlation: entry.correlation,
        withdrawn: data.decision === 'withdrawn',
        reason: data.reason as 'gap',
        available: data.inputs.after,
        version: { epoch: data.inputs.epoch, sequence: data.inputs.sequence, settings: data.inputs.policy.settings },
      }),
    }));

  const aStep: fc.Arbitrary<(sequence: number) => Step> = fc.oneof(
    fc.integer({ min: -3, max: 60 }).map((after) => (sequence: number) => move(sequence, 30, after)),
    fc.boolean().map((enabled) => () => sync(enabled)),
    fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 4 })).map(
      ([listing, revision]) =>
        () =>
          map(listing, revision),
    ),
    fc.tuple(fc.constantFrom('a', 'b'), fc.integer({ min: 1, max: 4 })).map(
      ([listing, revision]) =>
        () =>
          unmap(listing, revision),
    ),
    fc.integer({ min: 1, max: 50 }).map((x) => () => setPolicy({ realTimeAtOrBelow: x })),
  );

  test('can be said again from what the product remembers, exactly as it was said', () => {
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 25 }), (made) => {
        const steps = made.map((make, index) => make(index + 1));
        const { sku } = play(...steps);
        const heads = new Map<string, unknown>();
        for (const { announced, ...listing } of sku.listings) {
          if (announced === null || sku.announced === null) continue;
          const event = requestFor(where, { ...listing, mapping: announced }, sku.announced);
          heads.set(listing.listing, { id: sku.announced.decided, event });
        }
        expect(heads).toEqual(published(steps));
      }),
      { numRuns: 500 },
    );
  });

  test('never has a lower version than before, while the listing stays', () => {
    const rank = ({ mapping, epoch, sequence, settings }: { mapping: number; epoch: number; sequence: number; settings: number }) =>
      ((mapping * 10 + epoch) * 1000 + sequence) * 1000 + settings;
    fc.assert(
      fc.property(fc.array(aStep, { maxLength: 25 }), (made) => {
        const last = new Map<string, number>();
        const { entries } = play(...made.map((make, index) => make(index + 1)));
        for (const { listings, inputs, trigger } of entries) {
          for (const { listing, mapping } of listings) {
            const version = rank({ mapping, epoch: inputs.epoch, sequence: inputs.sequence, settings: inputs.policy.settings });
            expect(version).toBeGreaterThanOrEqual(last.get(listing) ?? 0);
            last.set(listing, trigger === 'listing_unmapped' ? 0 : version);
          }
        }
      }),
    );
  });
});

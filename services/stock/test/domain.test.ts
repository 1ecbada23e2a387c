import type { UnitsAutoPicked, UnitsReleased, UnitsReserved, UpdateStock, User } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decideAutoPicked,
  decideReleased,
  decideReserved,
  decideUpdate,
  evolve,
  incidentOf,
  levelOf,
  mostLocations,
  mostOnHand,
  movedBy,
  movementsSince,
  onHandAt,
  sameIncidentMilliseconds,
  unknownSku,
  type LedgerRow,
  type SequencedRow,
  type SkuStock,
} from '../src/domain.ts';

const parts = { tenant: 'acme', sku: 'MUG' };
const ann: User = { kind: 'person', id: 'ann' };
const shopify: User = { kind: 'marketplace', id: 'shopify' };
const order = { store: 's1', order: '1001' };
const units = (quantity: number, fromBatchReserve = 0) => ({
  ...parts,
  order,
  sequence: 1,
  quantity,
  fromBatchReserve,
  user: shopify,
  at: 0,
});

type Step = (sku: SkuStock) => LedgerRow;
const reserve =
  (quantity: number): Step =>
  (sku) =>
    decideReserved(sku, units(quantity) satisfies UnitsReserved);
const release =
  (quantity: number, fromBatchReserve = 0): Step =>
  (sku) =>
    decideReleased(sku, units(quantity, fromBatchReserve) satisfies UnitsReleased);
const pick =
  (quantity: number, location: string | null = null): Step =>
  (sku) =>
    decideAutoPicked(sku, { ...units(quantity), location, label: 'l1', user: ann } satisfies UnitsAutoPicked);
const update =
  (seen: number, onHand: number, { location = 'default', reason = null }: { location?: string; reason?: string | null } = {}): Step =>
  (sku) =>
    decideUpdate(sku, { ...parts, location, seen, onHand, reason, user: ann, at: 0 } satisfies UpdateStock);
const count = (onHand: number): Step => update(0, onHand);

/** Plays the steps on a SKU that nobody created; a number is a wait of so many milliseconds. */
function play(...steps: readonly (Step | number)[]): { sku: SkuStock; rows: SequencedRow[]; last: LedgerRow } {
  let sku = unknownSku;
  let at = 1_000;
  const rows: SequencedRow[] = [];
  for (const step of steps) {
    if (typeof step === 'number') {
      at += step;
      continue;
    }
    const row = { sequence: rows.length + 1, cause: `cause ${rows.length + 1}`, correlation: 'c', at, data: step(sku) };
    rows.push(row);
    sku = evolve(sku, row);
  }
  return { sku, rows, last: rows.at(-1)?.data as LedgerRow };
}
const changed = ({ change: { onHand, orderReserve, batchReserve, available } }: LedgerRow) => [
  onHand,
  orderReserve,
  batchReserve,
  available,
];

describe('how quantities move: On Hand, Order Reserve, Batch Reserve, Available', () => {
  test('an order reserves its units', () => {
    const { last } = play(count(5), reserve(2));
    expect(last).toMatchObject({ type: 'OrderReserve', order, user: shopify, location: null, locationOnHand: null });
    expect(changed(last)).toEqual([0, 2, 0, -2]);
  });
  test('a cancelled unit is released, from whichever reserve held it', () => {
    expect(changed(play(count(5), reserve(2), release(1)).last)).toEqual([0, -1, 0, 1]);
    expect(changed(play(count(5), reserve(3), release(3, 1)).last)).toEqual([0, -2, -1, 3]);
    expect(play(count(5), reserve(2), release(1)).last.type).toBe('OrderRelease');
  });
  test('a label takes On Hand and reserve together, and leaves Available as it was', () => {
    const { last } = play(update(0, 5, { location: 'back' }), reserve(2), pick(2, 'back'));
    expect(last).toMatchObject({ type: 'AutoPick', location: 'back', locationOnHand: 3, user: ann });
    expect(changed(last)).toEqual([-2, -2, 0, 0]);
  });
  test('a label without a location takes from the default one, which may go below zero', () => {
    const { sku, last } = play(update(0, 5, { location: 'back' }), reserve(2), pick(2));
    expect(last).toMatchObject({ location: 'default', locationOnHand: -2 });
    expect(sku.quantities).toEqual({ onHand: 3, orderReserve: 0, batchReserve: 0, available: 3 });
  });
  test('a stock update moves On Hand and Available by the difference', () => {
    const { last } = play(count(5), update(5, 9));
    expect(last).toMatchObject({ type: 'StockUpdate', location: 'default', locationOnHand: 9, refused: null });
    expect(changed(last)).toEqual([4, 0, 0, 4]);
  });
  test('On Hand of a product is the sum over its locations', () => {
    const { sku } = play(count(5), update(0, 7, { location: 'back' }), pick(1, 'back'));
    expect(sku.quantities.onHand).toBe(11);
    expect(levelOf(parts, sku).locations).toEqual({ default: 5, back: 6 });
  });
  test('an order for more than there is reserves in full, and Available goes below zero', () => {
    const { sku } = play(count(1), reserve(3));
    expect(sku.quantities).toEqual({ onHand: 1, orderReserve: 3, batchReserve: 0, available: -2 });
  });
});

describe('a stock update', () => {
  test('to the value that it has is recorded, and changes nothing', () => {
    const { last, rows } = play(count(5), update(5, 5));
    expect(changed(last)).toEqual([0, 0, 0, 0]);
    expect(last.refused).toBeNull();
    expect(rows).toHaveLength(2);
  });
  test('is refused when On Hand at its location has changed since it was seen, and then changes nothing', () => {
    const { last, sku } = play(count(5), update(5, 4, { reason: 'damaged' }), update(5, 9));
    expect(last).toMatchObject({ refused: 'on_hand_changed', locationOnHand: 4 });
    expect(changed(last)).toEqual([0, 0, 0, 0]);
    expect(sku.quantities.onHand).toBe(4);
  });
  test('is not refused because reserves or other locations moved in between', () => {
    expect(play(count(5), reserve(2), update(0, 3, { location: 'back' }), update(5, 9)).last.refused).toBeNull();
  });
  test('is refused after a pick at its location, for that took a unit', () => {
    expect(play(count(5), reserve(1), pick(1), update(5, 9)).last.refused).toBe('on_hand_changed');
  });
  test('below zero is refused; from below zero it may come back', () => {
    expect(play(count(5), update(5, -1)).last.refused).toBe('negative');
    expect(play(reserve(2), pick(2), update(-2, 0)).last).toMatchObject({ refused: null, locationOnHand: 0 });
  });
  test('beyond what any shelf holds is refused', () => {
    expect(play(count(mostOnHand)).last.refused).toBeNull();
    expect(play(count(mostOnHand), update(0, 1, { location: 'back' })).last.refused).toBe('too_large');
  });
  test('at yet another location is refused when there are too many already; at a known one it is not', () => {
    const locations = Array.from({ length: mostLocations }, (_, index) => update(0, 1, { location: `shelf ${index}` }));
    expect(play(...locations, update(0, 1, { location: 'one more' })).last.refused).toBe('too_many_locations');
    expect(play(...locations, update(1, 2, { location: 'shelf 3' })).last.refused).toBeNull();
  });
  test('refused leaves no location behind', () => {
    expect(play(update(3, 9, { location: 'nowhere' })).sku.locations).toEqual([]);
  });
});

describe('being counted', () => {
  test('comes from a stock update without a reason, also of the same value, and stays', () => {
    expect(play(count(0)).sku.counted).toBe(true);
    expect(play(count(0), reserve(1)).last.counted).toBe(true);
  });
  test('does not come from an order, a pick, an update with a reason, or a refused one', () => {
    expect(play(reserve(1), pick(1), update(-1, 4, { reason: 'return' }), update(9, 9)).sku.counted).toBe(false);
  });
});

describe('the oversold incident', () => {
  test('opens when Available falls below zero, and closes itself at zero', () => {
    const { rows, sku } = play(count(1), reserve(1), reserve(1), 5, reserve(2), 5, count(1), update(1, 4));
    expect(rows.map(({ data }) => data.incident)).toEqual([null, null, 'opened', null, null, 'closed']);
    expect(sku.oversold).toMatchObject({ state: 'closed', count: 1, openedAt: 1_000, closedAt: 1_010 });
  });
  test('says what there is, what is promised, and the newest order', () => {
    const { sku } = play(count(1), reserve(3));
    expect(sku.oversold && incidentOf(parts, sku.oversold)).toEqual({
      tenant: 'acme',
      kind: 'oversold',
      subject: 'MUG',
      state: 'open',
      count: 1,
      openedAt: 1_000,
      closedAt: null,
      details: { available: '-2', onHand: '1', reserved: '3', store: 's1', order: '1001' },
      at: 1_000,
    });
  });
  test('that comes back within an hour is the same one, counted again', () => {
    const { sku } = play(reserve(1), 50, release(1), sameIncidentMilliseconds, reserve(1));
    expect(sku.oversold).toMatchObject({ state: 'open', count: 2, openedAt: 1_000, closedAt: null });
  });
  test('that comes back later is a new one', () => {
    const { sku } = play(reserve(1), 50, release(1), sameIncidentMilliseconds + 1, reserve(1));
    expect(sku.oversold).toMatchObject({ state: 'open', count: 1, openedAt: 1_000 + 50 + sameIncidentMilliseconds + 1 });
  });
});

describe('the movements since what a user had seen', () => {
  const since = (rows: readonly SequencedRow[], location: string, seen: number) =>
    movementsSince(rows.toReversed(), location, seen).map(({ sequence }) => sequence);

  test('are those that changed On Hand at that location, newest first, back to that value', () => {
    const { rows } = play(
      count(5),
      update(5, 6),
      reserve(2),
      update(0, 3, { location: 'back' }),
      pick(1),
      update(9, 9),
      update(5, 5),
      pick(1),
    );
    expect(since(rows, 'default', 6)).toEqual([8, 5]);
    expect(since(rows, 'default', 7)).toEqual([8, 5, 2, 1]);
  });
  test('are a hundred at most', () => {
    const { rows } = play(...Array.from({ length: 120 }, () => pick(1)));
    expect(since(rows, 'default', 7)).toHaveLength(100);
  });
});

const anUpdate = fc.record({
  seen: fc.integer({ min: -3, max: 9 }),
  onHand: fc.integer({ min: -2, max: 9 }),
  location: fc.constantFrom('default', 'back'),
});
const aStep: fc.Arbitrary<Step> = fc.oneof(
  fc.integer({ min: 1, max: 4 }).map(reserve),
  fc.integer({ min: 1, max: 4 }).map((quantity) => release(quantity)),
  fc.tuple(fc.integer({ min: 1, max: 4 }), fc.constantFrom(null, 'back')).map(([quantity, location]) => pick(quantity, location)),
  anUpdate.map(({ seen, onHand, location }) => update(seen, onHand, { location })),
  // One that was seen rightly.
  anUpdate.map(
    ({ onHand, location }) =>
      (sku: SkuStock) =>
        update(onHandAt(sku, location), onHand, { location })(sku),
  ),
);

test('every row satisfies the formula, and is the row before it plus its change, whatever happens', () => {
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 40 }), (steps) => {
      const { rows, sku } = play(...steps);
      let before = unknownSku.quantities;
      for (const row of rows) {
        const { after, change, refused } = movedBy(parts, row);
        expect(after.available).toBe(after.onHand - after.orderReserve - after.batchReserve);
        for (const name of ['onHand', 'orderReserve', 'batchReserve', 'available'] as const) {
          expect(after[name]).toBe(before[name] + change[name]);
          if (refused) expect(change[name]).toBe(0);
        }
        before = after;
      }
      expect(sku.quantities).toEqual(before);
      expect(sku.quantities.onHand).toBe(sku.locations.reduce((sum, { onHand }) => sum + onHand, 0));
      expect(sku.oversold?.state === 'open').toBe(sku.quantities.available < 0);
    }),
  );
});

test('fulfilment never changes what can be sold', () => {
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 20 }), fc.integer({ min: 1, max: 9 }), (steps, quantity) => {
      const before = play(...steps).sku.quantities.available;
      expect(play(...steps, pick(quantity)).sku.quantities.available).toBe(before);
    }),
  );
});

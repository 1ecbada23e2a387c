import type { UnitsAutoPicked, UnitsReleased, UnitsReserved, UpdateStock, User } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  createShortfall,
  decide,
  decideAutoPicked,
  decideReleased,
  decideReserved,
  decideUpdate,
  evolve,
  levelOf,
  lowStock,
  mostLocations,
  mostOnHand,
  movedBy,
  movementsSince,
  negativeOnHand,
  onHandAt,
  oversold,
  unknownSku,
  type LedgerRow,
  type Product,
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
const batched = { ...parts, order, sequence: 1, batch: 'b1', user: ann, at: 0 };
const assign =
  (quantity: number): Step =>
  (sku) =>
    decide(sku, { type: 'UnitsAssignedToBatch', data: { ...batched, quantity } });
const takeOut =
  (quantity: number): Step =>
  (sku) =>
    decide(sku, { type: 'UnitsReleasedFromBatch', data: { ...batched, quantity } });
const batchPick =
  (quantity: number, location: string | null = null): Step =>
  (sku) =>
    decide(sku, { type: 'UnitsBatchPicked', data: { ...batched, quantity, location } });
const miss =
  (quantity: number, location: string | null = null): Step =>
  (sku) =>
    decide(sku, { type: 'UnitsMissing', data: { ...batched, quantity, location } });
const unpick =
  (quantity: number, location: string | null = null): Step =>
  (sku) =>
    decide(sku, { type: 'UnitsUnpicked', data: { ...units(quantity), location, label: 'l1', reverses: 'pick 7', user: ann } });
const putBack =
  (quantity: number, location: string | null = null): Step =>
  (sku) =>
    decide(sku, { type: 'UnitsPutBack', data: { ...units(quantity), location, user: ann } });
const putAway =
  (quantity: number, location: string | null = null): Step =>
  (sku) =>
    decide(sku, { type: 'PutAwayUnits', data: { ...parts, purchaseOrder: 'po1', location, quantity, user: ann, at: 0 } });
const product =
  (settings: Partial<Product>): Step =>
  (sku) =>
    decide(sku, { type: 'SetProduct', data: { ...parts, ...sku.product, ...settings, user: ann, at: 0 } });

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

describe('pick batches, voids, put back and purchasing', () => {
  test('units assigned to a pick batch move from one reserve to the other, and back when they are taken out of it', () => {
    const { last } = play(count(5), reserve(3), assign(2));
    expect(last).toMatchObject({ type: 'BatchReserve', batch: 'b1', order, location: null });
    expect(changed(last)).toEqual([0, -2, 2, 0]);
    const back = play(count(5), reserve(3), assign(2), takeOut(2)).last;
    expect(back.type).toBe('BatchRelease');
    expect(changed(back)).toEqual([0, 2, -2, 0]);
  });
  test('units picked in a batch leave On Hand and the Batch Reserve', () => {
    const { last } = play(count(5), reserve(3), assign(3), batchPick(2));
    expect(last).toMatchObject({ type: 'BatchPick', batch: 'b1', location: 'default', locationOnHand: 3 });
    expect(changed(last)).toEqual([-2, 0, -2, 0]);
  });
  test('a short pick takes what is not there off On Hand, and the order is promised it all the same; it is no count', () => {
    const { last } = play(count(5), reserve(3), assign(3), miss(2));
    expect(last).toMatchObject({ type: 'StockUpdate', reason: 'short_pick', batch: 'b1', locationOnHand: 3 });
    expect(changed(last)).toEqual([-2, 2, -2, -2]);
    expect(play(reserve(3), assign(3), miss(2)).last.counted).toBe(false);
  });
  test('a voided label brings its units back on the shelf and into the reserve, and names what it reverses', () => {
    const { last } = play(count(5), reserve(2), pick(2), unpick(2));
    expect(last).toMatchObject({ type: 'AutoPick', label: 'l1', reverses: 'pick 7', locationOnHand: 5 });
    expect(changed(last)).toEqual([2, 2, 0, 0]);
  });
  test('units put back can be sold again', () => {
    const { last } = play(count(5), reserve(2), pick(2), putBack(2, 'back'));
    expect(last).toMatchObject({ type: 'StockUpdate', reason: 'put_back', location: 'back', locationOnHand: 2 });
    expect(changed(last)).toEqual([2, 0, 0, 2]);
  });
  test('units put away are On Hand, and counted', () => {
    const { last } = play(putAway(4, 'back'));
    expect(last).toMatchObject({ type: 'PurchaseReceiving', purchaseOrder: 'po1', location: 'back', locationOnHand: 4, counted: true });
    expect(changed(last)).toEqual([4, 0, 0, 4]);
    expect(play(count(mostOnHand), putAway(1)).last).toMatchObject({ refused: 'too_large' });
  });
  test("whoever names no location means the product's own default", () => {
    const kept = product({ defaultLocation: 'shelf 3' });
    for (const step of [pick(1), batchPick(1), miss(1), unpick(1), putBack(1), putAway(1)])
      expect(play(kept, step).last.location).toBe('shelf 3');
    for (const step of [pick(1, 'back'), batchPick(1, 'back'), putAway(1, 'back')]) expect(play(kept, step).last.location).toBe('back');
  });
  test('a row says in its record which batch, label or purchase order it is of', () => {
    const { rows } = play(count(5), reserve(2), assign(1), pick(1), putAway(1));
    expect(rows.map((row) => movedBy(parts, row)).map(({ batch, label, purchaseOrder }) => [batch, label, purchaseOrder])).toEqual([
      [null, null, null],
      [null, null, null],
      ['b1', null, null],
      [null, 'l1', null],
      [null, null, 'po1'],
    ]);
  });
});

describe("a product's settings", () => {
  test('are a row of its ledger that changes no quantity, and stand in its level', () => {
    const { last, sku } = play(count(5), product({ title: 'Mug, blue', defaultLocation: 'back', lowStockAtOrBelow: 2 }));
    expect(last.type).toBe('ProductChange');
    expect(changed(last)).toEqual([0, 0, 0, 0]);
    expect(levelOf(parts, sku)).toMatchObject({
      sequence: 2,
      title: 'Mug, blue',
      defaultLocation: 'back',
      lowStockAtOrBelow: 2,
      retired: false,
      counted: true,
    });
    expect(play(product({ title: 'Mug' })).sku.counted).toBe(false);
  });
  test('retire it only when nothing is on a shelf or promised; then it goes on in sequence when it comes back', () => {
    expect(play(count(1), product({ retired: true })).last).toMatchObject({ refused: 'still_in_use' });
    expect(play(reserve(1), product({ retired: true })).sku.product.retired).toBe(false);
    const { sku, rows } = play(count(1), update(1, 0), product({ retired: true }), product({ retired: false, title: 'again' }), count(7));
    expect(sku).toMatchObject({ product: { retired: false, title: 'again' }, quantities: { onHand: 7 } });
    expect(rows.map(({ data }) => data.refused)).toEqual([null, null, null, null, null]);
  });
  test('of a retired product can change although an order came for it', () => {
    const late = play(product({ retired: true }), reserve(1), product({ retired: true, title: 'Mug, old' }));
    expect(late.last).toMatchObject({ refused: null, type: 'ProductChange' });
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

describe("what needs a person's eye", () => {
  test('oversold: Available is below zero; it says what there is and what is promised', () => {
    expect(oversold(play(count(1), reserve(3)).sku)).toEqual({ available: '-2', onHand: '1', reserved: '3' });
    expect(oversold(play(count(3), reserve(3)).sku)).toBeNull();
  });
  test('not oversold: a product that was never counted, however much of it is promised; its first count tells', () => {
    expect(oversold(play(reserve(3)).sku)).toBeNull();
    expect(oversold(play(reserve(3), count(2)).sku)).toMatchObject({ available: '-1' });
  });
  test('low on stock: Available is at or below what the product names, never without a count or once it is retired', () => {
    const low = product({ lowStockAtOrBelow: 2 });
    expect(lowStock(play(low, count(3)).sku)).toBeNull();
    expect(lowStock(play(low, count(3), reserve(1)).sku)).toEqual({ available: '2', lowStockAtOrBelow: '2' });
    expect(lowStock(play(low, reserve(1)).sku)).toBeNull();
    expect(lowStock(play(count(0), product({ lowStockAtOrBelow: 2, retired: true })).sku)).toBeNull();
    expect(lowStock(play(count(0)).sku)).toBeNull();
  });
  test('On Hand below zero: it names the location and how much is missing there', () => {
    const shop = play(update(0, 5, { location: 'back' }), reserve(4), pick(2));
    expect(shop.sku.quantities.available).toBe(1);
    expect(negativeOnHand(shop.sku)).toEqual({ location: 'default', onHand: '-2' });
    expect(negativeOnHand(play(update(0, 1, { location: 'back' }), pick(2, 'back'), pick(3)).sku)).toEqual({
      location: 'default',
      onHand: '-3',
      alsoBelowZero: 'back -1',
    });
    expect(negativeOnHand(play(count(5), pick(2)).sku)).toBeNull();
  });
});

describe('whose units are short', () => {
  /** Orders by number: what each reserved, gave up or took, oldest first. */
  const life = (
    ...steps: readonly (readonly [order: number, step: 'reserve' | 'release' | 'pick' | 'void' | 'assign', quantity: number])[]
  ) =>
    play(
      count(0),
      ...steps.map(([number, step, quantity]): Step => {
        const data = { ...batched, order: { store: 's1', order: String(number) }, quantity, fromBatchReserve: 0 };
        const at = { location: null, label: null, reverses: 'x' };
        const types = {
          reserve: { type: 'UnitsReserved', data },
          release: { type: 'UnitsReleased', data },
          pick: { type: 'UnitsAutoPicked', data: { ...data, ...at } },
          void: { type: 'UnitsUnpicked', data: { ...data, ...at } },
          assign: { type: 'UnitsAssignedToBatch', data },
        } as const;
        return (sku) => decide(sku, types[step]);
      }),
    ).rows;
  const beyond = (rows: readonly SequencedRow[], short: number) => {
    const shortfall = createShortfall(short);
    for (const row of rows.toReversed()) if (shortfall.take(row) === 'enough') break;
    return shortfall.found.map((found) => [Number(found.order.order), found.reserved, found.short]);
  };

  test('are the newest reservations, until the shortfall is covered', () => {
    expect(beyond(life([1, 'reserve', 5], [2, 'reserve', 2], [3, 'reserve', 3]), 4)).toEqual([
      [3, 3, 3],
      [2, 2, 1],
    ]);
  });
  test('are none that were cancelled or shipped since; what is in a pick batch is still promised', () => {
    const rows = life(
      [1, 'reserve', 2],
      [2, 'reserve', 2],
      [3, 'reserve', 3],
      [4, 'reserve', 1],
      [3, 'release', 1],
      [4, 'pick', 1],
      [2, 'assign', 2],
    );
    expect(beyond(rows, 4)).toEqual([
      [3, 2, 2],
      [2, 2, 2],
    ]);
  });
  test('are those again whose label was voided', () => {
    expect(beyond(life([1, 'reserve', 2], [1, 'pick', 2], [1, 'void', 1]), 1)).toEqual([[1, 1, 1]]);
  });
  test('in all are what is reserved', () => {
    const anOrder = fc.tuple(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.constantFrom('reserve', 'release', 'pick', 'void', 'assign'), { maxLength: 9 }),
    );
    fc.assert(
      fc.property(fc.array(anOrder, { maxLength: 12 }), (orders) => {
        const held = new Map<number, { reserved: number; picked: number }>();
        // One unit a step, and only what the order can give up or bring back.
        const steps = orders.flatMap(([number, wishes]) =>
          wishes.flatMap((wish) => {
            const { reserved, picked } = held.get(number) ?? { reserved: 0, picked: 0 };
            if ((wish === 'release' || wish === 'pick' || wish === 'assign') && reserved === 0) return [];
            if (wish === 'void' && picked === 0) return [];
            const more = { reserve: 1, release: -1, pick: -1, void: 1, assign: 0 }[wish];
            held.set(number, {
              reserved: reserved + more,
              picked: picked + { reserve: 0, release: 0, pick: 1, void: -1, assign: 0 }[wish],
            });
            return [[number, wish, 1] as const];
          }),
        );
        const ofOrder = new Map<number, number>();
        for (const [number, reserved] of beyond(life(...steps), Infinity))
          ofOrder.set(number as number, (ofOrder.get(number as number) ?? 0) + (reserved as number));
        expect(ofOrder).toEqual(
          new Map([...held].filter(([, { reserved }]) => reserved > 0).map(([number, { reserved }]) => [number, reserved])),
        );
      }),
    );
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
  fc
    .tuple(fc.constantFrom(assign, takeOut, batchPick, miss, unpick, putBack, putAway), fc.integer({ min: 1, max: 4 }))
    .map(([step, quantity]) => step(quantity)),
  fc.constantFrom(null, 'back').map((place) => product({ defaultLocation: place })),
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
      expect(oversold(sku) !== null).toBe(sku.counted && sku.quantities.available < 0);
    }),
  );
});

test('fulfilment never changes what can be sold', () => {
  const aFulfilment = fc.constantFrom(assign, takeOut, batchPick, pick, unpick);
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 20 }), aFulfilment, fc.integer({ min: 1, max: 9 }), (steps, fulfil, quantity) => {
      const before = play(...steps).sku.quantities.available;
      expect(play(...steps, fulfil(quantity)).sku.quantities.available).toBe(before);
    }),
  );
});

test('nothing that was sold, picked, shipped or put back is refused, whatever the ledger says: it has happened', () => {
  const aDeed = fc.constantFrom(reserve, release, assign, takeOut, batchPick, miss, pick, unpick, putBack);
  fc.assert(
    fc.property(fc.array(aStep, { maxLength: 20 }), aDeed, fc.integer({ min: 1, max: mostOnHand }), (steps, deed, quantity) => {
      const { last } = play(...steps, deed(quantity));
      expect(last.refused).toBeNull();
      expect(changed(last).map(Math.abs)).toContain(quantity);
    }),
  );
});

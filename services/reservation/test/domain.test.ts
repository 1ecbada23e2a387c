import type { Label, OrderChanged, OrderLine, User } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { decideOrder, eventOf, evolve, hasSeen, nothingReserved, openOf, type Reservation, type ReservationEntry } from '../src/domain.ts';

const ann: User = { kind: 'person', id: 'ann' };
const shopify: User = { kind: 'marketplace', id: 'shopify' };
const line = (id: string, sku: string | null, quantity: number, more: Partial<OrderLine> = {}): OrderLine => ({
  line: id,
  listing: null,
  sku,
  quantity,
  cancelled: 0,
  fulfilled: 0,
  shippedBefore: 0,
  fulfilledBy: 'seller',
  ...more,
});
const label = (id: string, lines: Record<string, number>, location: string | null = null): Label => ({
  label: id,
  location,
  user: ann,
  voids: [],
  lines: Object.entries(lines).map(([of, quantity]) => ({ line: of, quantity })),
});
const order = (sequence: number, lines: readonly OrderLine[], labels: readonly Label[] = []): OrderChanged => ({
  tenant: 'acme',
  store: 's1',
  marketplace: 'shopify',
  order: '1001',
  name: '#1001',
  sequence,
  placedAt: 1,
  updatedAt: sequence,
  cancelledAt: null,
  lines,
  labels,
  at: 0,
});

/** Plays order events as the engine does: those that were seen are dropped. */
function play(...orders: readonly OrderChanged[]): { held: Reservation; entries: ReservationEntry[]; last: readonly ReservationEntry[] } {
  let held = nothingReserved;
  let last: readonly ReservationEntry[] = [];
  const entries: ReservationEntry[] = [];
  for (const event of orders) {
    if (hasSeen(held, event)) continue;
    last = decideOrder(held, event);
    for (const entry of last) held = evolve(held, entry);
    entries.push(...last);
  }
  return { held, entries, last };
}
/** Entries as a shopkeeper would say them. */
const said = (entries: readonly ReservationEntry[]): string[] =>
  entries.map((entry) => {
    if (entry.type === 'unchanged') return 'unchanged';
    if (entry.type !== 'picked') return `${entry.type} ${entry.quantity} ${entry.sku}`;
    const quantity = entry.lines.reduce((sum, other) => sum + other.quantity, 0);
    return `picked ${quantity} ${entry.sku} by ${entry.label ?? entry.user.id}`;
  });
const lastSaid = (...orders: readonly OrderChanged[]) => said(play(...orders).last);

describe('an order', () => {
  test('first seen reserves its open units', () => {
    expect(lastSaid(order(1, [line('a', 'MUG', 3, { cancelled: 1 }), line('b', 'CUP', 1)]))).toEqual(['reserved 2 MUG', 'reserved 1 CUP']);
  });
  test('with two lines of one SKU is one reservation of their sum', () => {
    expect(lastSaid(order(1, [line('a', 'MUG', 2), line('b', 'MUG', 3)]))).toEqual(['reserved 5 MUG']);
  });
  test('edited before pick reserves or releases the difference', () => {
    expect(lastSaid(order(1, [line('a', 'MUG', 2)]), order(2, [line('a', 'MUG', 5)]))).toEqual(['reserved 3 MUG']);
    expect(lastSaid(order(1, [line('a', 'MUG', 5)]), order(2, [line('a', 'MUG', 5, { cancelled: 2 })]))).toEqual(['released 2 MUG']);
  });
  test('of which one line gives what the other takes changes nothing', () => {
    const events = [
      order(1, [line('a', 'MUG', 3), line('b', 'MUG', 1)]),
      order(2, [line('a', 'MUG', 3, { cancelled: 2 }), line('b', 'MUG', 3)]),
    ];
    expect(lastSaid(...events)).toEqual(['unchanged']);
  });
  test('cancelled before its label releases everything', () => {
    const { held, last } = play(order(1, [line('a', 'MUG', 2)]), order(2, [line('a', 'MUG', 2, { cancelled: 2 })]));
    expect(said(last)).toEqual(['released 2 MUG']);
    expect(held).toEqual({ orderSequence: 2, open: [], picked: [] });
  });
  test('first seen already cancelled: nothing', () => {
    expect(lastSaid(order(1, [line('a', 'MUG', 2, { cancelled: 2 })]))).toEqual(['unchanged']);
  });
  test('first seen already shipped reserves and picks', () => {
    expect(lastSaid(order(1, [line('a', 'MUG', 2, { fulfilled: 2 })]))).toEqual(['reserved 2 MUG', 'picked 2 MUG by shopify']);
  });
  test('of which a line has no SKU waits for it, and is reserved when it has one', () => {
    expect(lastSaid(order(1, [line('a', null, 2), line('b', 'CUP', 1)]))).toEqual(['reserved 1 CUP']);
    expect(lastSaid(order(1, [line('a', null, 2)]))).toEqual(['unchanged']);
    expect(lastSaid(order(1, [line('a', null, 2)]), order(2, [line('a', 'MUG', 2)]))).toEqual(['reserved 2 MUG']);
  });
  test('seen again, or an older one after a newer, is dropped', () => {
    const { held } = play(order(1, [line('a', 'MUG', 2)]), order(4, [line('a', 'MUG', 5)]));
    expect([1, 3, 4, 5].map((sequence) => hasSeen(held, order(sequence, [])))).toEqual([true, true, true, false]);
  });
});

describe('a label', () => {
  test('picks its units where it says, for its user', () => {
    const { last, held } = play(order(1, [line('a', 'MUG', 2)]), order(2, [line('a', 'MUG', 2)], [label('l1', { a: 2 }, 'back')]));
    expect(last).toEqual([
      { type: 'picked', sku: 'MUG', label: 'l1', location: 'back', user: ann, lines: [{ line: 'a', quantity: 2 }], orderSequence: 2 },
    ]);
    expect(held).toEqual({ orderSequence: 2, open: [], picked: [{ line: 'a', sku: 'MUG', label: 'l1', quantity: 2 }] });
  });
  test('for two lines of one SKU is one pick of their sum', () => {
    const lines = [line('a', 'MUG', 2), line('b', 'MUG', 1)];
    expect(lastSaid(order(1, lines), order(2, lines, [label('l1', { a: 2, b: 1 })]))).toEqual(['picked 3 MUG by l1']);
  });
  test('twice is a split shipment', () => {
    const lines = [line('a', 'MUG', 3)];
    const first = label('l1', { a: 1 });
    const { entries } = play(order(1, lines), order(2, lines, [first]), order(3, lines, [first, label('l2', { a: 2 })]));
    expect(said(entries)).toEqual(['reserved 3 MUG', 'picked 1 MUG by l1', 'picked 2 MUG by l2']);
  });
  test('whose units the marketplace then reports as shipped moves nothing more', () => {
    const labels = [label('l1', { a: 2 })];
    const events = [order(1, [line('a', 'MUG', 2)], labels), order(2, [line('a', 'MUG', 2, { fulfilled: 2 })], labels)];
    expect(lastSaid(...events)).toEqual(['unchanged']);
  });
  test('of which the units were cancelled afterwards stays picked: they are to be put back', () => {
    const labels = [label('l1', { a: 2 })];
    const events = [order(1, [line('a', 'MUG', 2)], labels), order(2, [line('a', 'MUG', 2, { cancelled: 2 })], labels)];
    expect(lastSaid(...events)).toEqual(['unchanged']);
  });
  test('made where others are shipped by the marketplace: each unit is picked once', () => {
    const fulfilled = line('a', 'MUG', 3, { fulfilled: 1 });
    const labels = [label('l1', { a: 2 })];
    const { entries, held } = play(
      order(1, [fulfilled]),
      order(2, [fulfilled], labels),
      order(3, [line('a', 'MUG', 3, { fulfilled: 3 })], labels),
    );
    // Deducted = the greater of what is on labels and what is reported: with the label 2, with the last report 3.
    expect(said(entries)).toEqual(['reserved 3 MUG', 'picked 1 MUG by shopify', 'picked 1 MUG by l1', 'picked 1 MUG by l1']);
    expect(held.open).toEqual([]);
  });
});

test('the marketplace ships what nobody picked here, and is named as its user', () => {
  const { last } = play(order(1, [line('a', 'MUG', 2)]), order(2, [line('a', 'MUG', 2, { fulfilled: 1 })]));
  expect(last).toMatchObject([{ type: 'picked', label: null, location: null, user: shopify }]);
});

test('each entry but an empty one is one event of its SKU, with the sequence of the entry', () => {
  const { entries } = play(order(1, [line('a', 'MUG', 3, { fulfilled: 1 })]), order(2, [line('a', 'MUG', 2, { fulfilled: 1 })]));
  const events = entries.map((data, index) => eventOf('acme', { store: 's1', order: '1001' }, { sequence: index + 1, at: 7, data }));
  const about = { tenant: 'acme', sku: 'MUG', order: { store: 's1', order: '1001' }, user: shopify, quantity: 1, at: 7 };
  expect(events).toEqual([
    { type: 'UnitsReserved', data: { ...about, sequence: 1, quantity: 3 } },
    { type: 'UnitsAutoPicked', data: { ...about, sequence: 2, fromBatchReserve: 0, location: null, label: null } },
    { type: 'UnitsReleased', data: { ...about, sequence: 3, fromBatchReserve: 0 } },
  ]);
  expect(eventOf('acme', { store: 's1', order: '1001' }, { sequence: 1, at: 7, data: { type: 'unchanged', orderSequence: 1 } })).toBeNull();
});

/** The life of an order whose shipped units never come back: each event adds labels or shipped units, and edits at will. */
interface Week {
  readonly edits: readonly (readonly [quantity: number, cancelled: number])[];
  readonly shipped: readonly number[];
  readonly labelled: readonly number[];
}
const ids = ['a', 'b', 'c'] as const;
const skuOfLine = { a: 'MUG', b: 'MUG', c: 'CUP' } as const;
const small = fc.integer({ min: 0, max: 3 });
const ofEach = <T>(arbitrary: fc.Arbitrary<T>) => fc.tuple(arbitrary, arbitrary, arbitrary);
const aWeek: fc.Arbitrary<Week> = fc.record({
  edits: ofEach(fc.tuple(fc.integer({ min: 0, max: 6 }), small)),
  shipped: ofEach(small),
  labelled: ofEach(small),
});
function lifeOf(weeks: readonly Week[]): OrderChanged[] {
  const fulfilled = [0, 0, 0];
  const labels: Label[] = [];
  return weeks.map(({ edits, shipped, labelled }, week) => {
    shipped.forEach((units, index) => (fulfilled[index] = (fulfilled[index] ?? 0) + units));
    const onLabel = Object.fromEntries(ids.map((id, index) => [id, labelled[index] ?? 0]).filter(([, units]) => units !== 0));
    if (Object.keys(onLabel).length > 0) labels.push(label(`l${week + 1}`, onLabel));
    const lines = ids.map((id, index) => {
      const [quantity, cancelled] = edits[index] ?? [0, 0];
      return line(id, skuOfLine[id], quantity, { cancelled: Math.min(quantity, cancelled), fulfilled: fulfilled[index] ?? 0 });
    });
    return order(week + 1, lines, [...labels]);
  });
}
const totals = ({ open, picked }: Reservation) => ({
  open: open.toSorted((one, other) => (one.sku < other.sku ? -1 : 1)),
  picked: Object.fromEntries(
    ids.map((id) => [id, picked.filter(({ line: of }) => of === id).reduce((sum, { quantity }) => sum + quantity, 0)]),
  ),
});
const aLife = fc.array(aWeek, { minLength: 1, maxLength: 8 }).map(lifeOf);

test('lost, doubled and swapped order events end at the same reservation, as long as the last one comes', () => {
  const withLosses = aLife.chain((life) => fc.tuple(fc.constant(life), fc.array(fc.constantFrom(...life), { maxLength: 12 })));
  fc.assert(
    fc.property(withLosses, ([life, arrived]) => {
      const newest = life.slice(-1);
      expect(totals(play(...arrived, ...newest, ...arrived).held)).toEqual(totals(play(...life).held));
    }),
  );
});

test('what is held is what is open of the order, and every unit that left was reserved first', () => {
  fc.assert(
    fc.property(aLife, (life) => {
      const { held, entries } = play(...life);
      const running = new Map<string, number>();
      for (const entry of entries) {
        if (entry.type === 'unchanged') continue;
        const quantity = entry.type === 'picked' ? entry.lines.reduce((sum, other) => sum + other.quantity, 0) : entry.quantity;
        expect(quantity).toBeGreaterThan(0);
        const now = (running.get(entry.sku) ?? 0) + (entry.type === 'reserved' ? quantity : -quantity);
        expect(now).toBeGreaterThanOrEqual(0);
        running.set(entry.sku, now);
      }
      for (const sku of ['MUG', 'CUP']) expect(openOf(held, sku)).toBe(running.get(sku) ?? 0);
      const last = life.at(-1) as OrderChanged;
      for (const { sku, quantity } of held.open) {
        const units = last.lines.filter((other) => other.sku === sku).reduce((sum, other) => sum + other.quantity - other.cancelled, 0);
        expect(quantity).toBeLessThanOrEqual(units);
      }
    }),
  );
});

test('no label ever deducts more units than it has', () => {
  fc.assert(
    fc.property(aLife, (life) => {
      const labels = life.at(-1)?.labels ?? [];
      for (const { label: id, line: of, quantity } of play(...life).held.picked) {
        if (id === null) continue;
        const has = labels.find((other) => other.label === id)?.lines.find((other) => other.line === of)?.quantity ?? 0;
        expect(quantity).toBeLessThanOrEqual(has);
      }
    }),
  );
});

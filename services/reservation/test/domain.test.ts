import type { Label, LabelLine, OrderChanged, OrderLine, User } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  decideCommand,
  decideOrder,
  eventOf,
  evolve,
  hasSeen,
  inBatches,
  nothingReserved,
  openOf,
  toPutBackOf,
  type Command,
  type HeldLine,
  type Reservation,
  type ReservationEntry,
} from '../src/domain.ts';

const ann: User = { kind: 'person', id: 'ann' };
const bob: User = { kind: 'person', id: 'bob' };
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
const unitsOf = (lines: Record<string, number>): LabelLine[] => Object.entries(lines).map(([of, quantity]) => ({ line: of, quantity }));
const label = (id: string, lines: Record<string, number>, location: string | null = null): Label => ({
  label: id,
  location,
  user: ann,
  voids: [],
  lines: unitsOf(lines),
});
const voided = (of: Label, lines: Record<string, number>): Label => ({ ...of, voids: [...of.voids, { user: bob, lines: unitsOf(lines) }] });
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

const about = { tenant: 'acme', store: 's1', order: '1001', user: ann, at: 0 };
const linesOf = (lines: Record<string, number> | null) => lines && unitsOf(lines);
const assign = (batch: string, lines: Record<string, number> | null = null): Command => ({
  type: 'AssignToBatch',
  data: { ...about, batch, lines: linesOf(lines) },
});
const release = (batch: string, lines: Record<string, number> | null = null): Command => ({
  type: 'ReleaseFromBatch',
  data: { ...about, batch, lines: linesOf(lines) },
});
const pick = (batch: string, lines: Record<string, number> | null = null, location: string | null = null): Command => ({
  type: 'PickBatchUnits',
  data: { ...about, batch, lines: linesOf(lines), location },
});
const miss = (batch: string, lines: Record<string, number>): Command => ({
  type: 'ReportShortPick',
  data: { ...about, batch, lines: unitsOf(lines), location: null },
});
const putBack = (lines: Record<string, number> | null = null, lost = false): Command => ({
  type: 'PutBackUnits',
  data: { ...about, lines: linesOf(lines), location: 'returns', lost },
});

type Step = OrderChanged | Command;
const isCommand = (step: Step): step is Command => 'type' in step;
const idOf = (sequence: number, sku: string) => `reservation/1001/${sequence}/${sku}`;

/** Plays order events and commands as the engine does: events that were seen are dropped. */
function play(...steps: readonly Step[]): { held: Reservation; entries: ReservationEntry[]; last: readonly ReservationEntry[] } {
  let held = nothingReserved;
  let last: readonly ReservationEntry[] = [];
  const entries: ReservationEntry[] = [];
  for (const step of steps) {
    if (!isCommand(step) && hasSeen(held, step)) continue;
    last = isCommand(step) ? decideCommand(held, step) : decideOrder(held, step, idOf);
    for (const data of last) {
      entries.push(data);
      held = evolve(held, { sequence: entries.length, at: entries.length, data });
    }
  }
  return { held, entries, last };
}
/** Entries as a shopkeeper would say them. */
function say(entry: ReservationEntry): string {
  switch (entry.type) {
    case 'unchanged':
    case 'rearranged':
      return entry.type;
    case 'refused':
      return `refused: ${entry.refused}`;
    case 'picked':
    case 'unpicked':
      return `${entry.type} ${entry.quantity} ${entry.sku} by ${entry.label ?? entry.user.id}${fromBatches(entry)}`;
    case 'assigned':
    case 'unassigned':
    case 'batch_picked':
    case 'missing':
      return `${entry.type} ${entry.quantity} ${entry.sku} in ${entry.batch}`;
    case 'released':
      return `released ${entry.quantity} ${entry.sku}${fromBatches(entry)}`;
    default:
      return `${entry.type} ${entry.quantity} ${entry.sku}`;
  }
}
const fromBatches = (entry: object): string =>
  'fromBatchReserve' in entry && entry.fromBatchReserve !== 0 ? `, ${String(entry.fromBatchReserve)} of them out of batches` : '';
const said = (entries: readonly ReservationEntry[]): string[] => entries.map(say);
const lastSaid = (...steps: readonly Step[]) => said(play(...steps).last);
/** What of a line is in the Order Reserve, in batches, picked, and to be put back. */
const places = ({ lines }: Reservation, id = 'a') => {
  const held = lines.find((other) => other.line === id) as HeldLine;
  return [held.orderReserve, inBatches(held), held.picked.reduce((sum, { quantity }) => sum + quantity, 0), toPutBackOf(held)];
};

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
    expect(lastSaid(...events)).toEqual(['rearranged']);
  });
  test('cancelled before its label releases everything', () => {
    const { held, last } = play(order(1, [line('a', 'MUG', 2)]), order(2, [line('a', 'MUG', 2, { cancelled: 2 })]));
    expect(said(last)).toEqual(['released 2 MUG']);
    expect(places(held)).toEqual([0, 0, 0, 0]);
  });
  test('first seen already cancelled: nothing', () => {
    expect(lastSaid(order(1, [line('a', 'MUG', 2, { cancelled: 2 })]))).toEqual(['unchanged']);
  });
  test('first seen already shipped reserves and picks', () => {
    expect(lastSaid(order(1, [line('a', 'MUG', 2, { fulfilled: 2 })]))).toEqual(['reserved 2 MUG', 'picked 2 MUG by shopify']);
  });
  test('of which the marketplace ships a line from its own warehouse holds nothing for it', () => {
    expect(lastSaid(order(1, [line('a', 'MUG', 2, { fulfilledBy: 'marketplace', fulfilled: 2 })]))).toEqual(['unchanged']);
  });
  test('that had shipped before its store was connected holds nothing for it, and what ships later is picked', () => {
    const first = line('a', 'MUG', 3, { fulfilled: 2, shippedBefore: 2 });
    expect(lastSaid(order(1, [first]))).toEqual(['reserved 1 MUG']);
    expect(lastSaid(order(1, [first]), order(2, [{ ...first, fulfilled: 3 }]))).toEqual(['picked 1 MUG by shopify']);
  });
  test('refunded without a cancellation moves nothing', () => {
    expect(lastSaid(order(1, [line('a', 'MUG', 2)]), order(2, [line('a', 'MUG', 2)]))).toEqual(['unchanged']);
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
    expect(last).toMatchObject([
      { type: 'picked', sku: 'MUG', label: 'l1', location: 'back', user: ann, lines: [{ line: 'a', quantity: 2 }], quantity: 2 },
    ]);
    expect(held.lines).toMatchObject([{ orderReserve: 0, picked: [{ label: 'l1', batch: null, quantity: 2, toPutBack: 0 }] }]);
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
  test('of which the units were cancelled afterwards stays picked: they are to be put back, and nothing moves', () => {
    const labels = [label('l1', { a: 2 })];
    const events = [order(1, [line('a', 'MUG', 2)], labels), order(2, [line('a', 'MUG', 2, { cancelled: 2 })], labels)];
    expect(lastSaid(...events)).toEqual(['to_put_back 2 MUG']);
    expect(places(play(...events).held)).toEqual([0, 0, 0, 2]);
  });
  test('deducts its own units, where it says, though an older one waits for a pick batch', () => {
    const labels = [label('l1', { a: 1 }, 'front'), label('l2', { a: 1 }, 'attic')] as const;
    const steps = [order(1, two), assign('b1', { a: 1 }), order(2, two, labels.slice(0, 1)), order(3, two, labels)];
    expect(play(...steps).last).toMatchObject([{ type: 'picked', quantity: 1, label: 'l2', location: 'attic' }]);
    expect(play(...steps, order(4, two, [labels[0], voided(labels[1], { a: 1 })])).last).toMatchObject([
      { type: 'unpicked', quantity: 1, label: 'l2', location: 'attic' },
    ]);
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
    expect(openOf(held, 'MUG')).toBe(0);
  });
});

test('the marketplace ships what nobody picked here, and is named as its user', () => {
  const { last } = play(order(1, [line('a', 'MUG', 2)]), order(2, [line('a', 'MUG', 2, { fulfilled: 1 })]));
  expect(last).toMatchObject([{ type: 'picked', label: null, location: null, user: shopify }]);
});

test('each entry but an empty one is one event of its SKU, with the sequence of the entry', () => {
  const { entries } = play(order(1, [line('a', 'MUG', 3, { fulfilled: 1 })]), order(2, [line('a', 'MUG', 2, { fulfilled: 1 })]));
  const events = entries.map((data, index) => eventOf('acme', { store: 's1', order: '1001' }, { sequence: index + 1, at: 7, data }));
  const common = { tenant: 'acme', sku: 'MUG', order: { store: 's1', order: '1001' }, user: shopify, quantity: 1, at: 7 };
  expect(events).toEqual([
    { type: 'UnitsReserved', data: { ...common, sequence: 1, quantity: 3 } },
    { type: 'UnitsAutoPicked', data: { ...common, sequence: 2, fromBatchReserve: 0, location: null, label: null } },
    { type: 'UnitsReleased', data: { ...common, sequence: 3, fromBatchReserve: 0 } },
  ]);
  expect(eventOf('acme', { store: 's1', order: '1001' }, { sequence: 1, at: 7, data: { type: 'unchanged' } })).toBeNull();
});

const two = [line('a', 'MUG', 2)];
const cancelled = (units: number, of = 2) => [line('a', 'MUG', of, { cancelled: units })];

describe('a pick batch', () => {
  test('takes units out of the Order Reserve, and gives them back when they are taken out or it is cancelled', () => {
    expect(lastSaid(order(1, two), assign('b1'))).toEqual(['assigned 2 MUG in b1']);
    expect(lastSaid(order(1, two), assign('b1'), release('b1', { a: 1 }))).toEqual(['unassigned 1 MUG in b1']);
    const { held } = play(order(1, two), assign('b1', { a: 1 }), release('b1'));
    expect(places(held)).toEqual([2, 0, 0, 0]);
  });
  test('that is picked deducts its units, where it says', () => {
    const { held, last } = play(order(1, two), assign('b1'), pick('b1', { a: 1 }, 'attic'));
    expect(last).toMatchObject([{ type: 'batch_picked', quantity: 1, location: 'attic', user: ann }]);
    expect(places(held)).toEqual([0, 1, 1, 0]);
  });
  test('with two lines of one SKU moves their sum in one step', () => {
    const lines = [line('a', 'MUG', 2), line('b', 'MUG', 1), line('c', 'CUP', 1)];
    expect(lastSaid(order(1, lines), assign('b1'))).toEqual(['assigned 3 MUG in b1', 'assigned 1 CUP in b1']);
  });
  test("of which units are not there: they are the order's again, and it waits for stock", () => {
    const { held, last } = play(order(1, two), assign('b1'), miss('b1', { a: 1 }));
    expect(said(last)).toEqual(['missing 1 MUG in b1']);
    expect(places(held)).toEqual([1, 1, 0, 0]);
  });
  test('is the last to give when the order becomes less: the Order Reserve gives first', () => {
    const steps = [order(1, [line('a', 'MUG', 3)]), assign('b1', { a: 2 })];
    expect(lastSaid(...steps, order(2, cancelled(1, 3)))).toEqual(['released 1 MUG']);
    expect(lastSaid(...steps, order(2, cancelled(2, 3)))).toEqual(['released 2 MUG, 1 of them out of batches']);
  });
  test('gives the Order Reserve of another line of the SKU first', () => {
    const lines = (cancelledOfA: number) => [line('a', 'MUG', 1, { cancelled: cancelledOfA }), line('b', 'MUG', 1)];
    const { held, last } = play(order(1, lines(0)), assign('b1', { a: 1 }), order(2, lines(1)));
    expect(said(last)).toEqual(['released 1 MUG']);
    expect([places(held, 'a'), places(held, 'b')]).toEqual([
      [0, 0, 0, 0],
      [0, 1, 0, 0],
    ]);
  });
  test('covers a label until it is picked: nothing moves before', () => {
    const labels = [label('l1', { a: 2 })];
    const steps = [order(1, two), assign('b1'), order(2, two, labels)];
    expect(lastSaid(...steps)).toEqual(['unchanged']);
    expect(lastSaid(...steps, pick('b1'))).toEqual(['batch_picked 2 MUG in b1']);
    expect(lastSaid(...steps, pick('b1'), order(3, two, labels))).toEqual(['unchanged']);
  });
  test('that is cancelled leaves its labelled units to their labels: they are deducted at once', () => {
    const steps = [order(1, two), assign('b1'), order(2, two, [label('l1', { a: 1 }, 'back')]), release('b1')];
    expect(lastSaid(...steps)).toEqual(['unassigned 2 MUG in b1', 'picked 1 MUG by l1']);
    expect(play(...steps).last[1]).toMatchObject({ location: 'back', user: ann });
  });
  test('of a labelled unit that is not there: the label deducts it, for it was promised a parcel', () => {
    const steps = [order(1, two), assign('b1'), order(2, two, [label('l1', { a: 2 })]), miss('b1', { a: 1 })];
    expect(lastSaid(...steps)).toEqual(['missing 1 MUG in b1', 'picked 1 MUG by l1']);
  });
  test('whose units the marketplace reports as shipped loses them', () => {
    const steps = [order(1, [line('a', 'MUG', 3)]), assign('b1', { a: 2 }), order(2, [line('a', 'MUG', 3, { fulfilled: 2 })])];
    expect(lastSaid(...steps)).toEqual(['picked 2 MUG by shopify, 1 of them out of batches']);
    expect(places(play(...steps).held)).toEqual([0, 1, 2, 0]);
  });
  test('of units that are in another batch already gets only what is left', () => {
    const { held } = play(order(1, two), assign('b1', { a: 1 }), assign('b2'));
    expect(held.lines[0]?.batches).toEqual([
      { batch: 'b1', quantity: 1 },
      { batch: 'b2', quantity: 1 },
    ]);
  });
  test('is remembered with what it had, what was picked and what was missing', () => {
    const { held } = play(order(1, [line('a', 'MUG', 4)]), assign('b1'), pick('b1', { a: 2 }), miss('b1', { a: 1 }));
    expect(held.tallies).toEqual([{ batch: 'b1', sku: 'MUG', assigned: 4, picked: 2, missing: 1 }]);
  });
});

describe('a label made after the Batch Pick', () => {
  const picked = [order(1, two), assign('b1'), pick('b1')];
  test('moves nothing, nor does its void', () => {
    expect(lastSaid(...picked, order(2, two, [label('l1', { a: 2 })]))).toEqual(['unchanged']);
    const steps = [...picked, order(2, two, [label('l1', { a: 2 })]), order(3, two, [voided(label('l1', { a: 2 }), { a: 2 })])];
    expect(lastSaid(...steps)).toEqual(['unchanged']);
  });
});

describe('a void', () => {
  const l1 = label('l1', { a: 2 }, 'back');
  const labelled = [order(1, two), order(2, two, [l1])];
  test('after the Auto Pick puts its units back on the shelf and into the Order Reserve, and names what it takes back', () => {
    const { held, last } = play(...labelled, order(3, two, [voided(l1, { a: 1 })]));
    expect(last).toMatchObject([
      { type: 'unpicked', quantity: 1, label: 'l1', location: 'back', reverses: 'reservation/1001/2/MUG', user: bob },
    ]);
    expect(places(held)).toEqual([1, 0, 1, 0]);
  });
  test('lets the units be labelled anew', () => {
    const steps = [...labelled, order(3, two, [voided(l1, { a: 2 })]), order(4, two, [voided(l1, { a: 2 }), label('l2', { a: 2 })])];
    expect(lastSaid(...steps)).toEqual(['picked 2 MUG by l2']);
  });
  test('of cancelled units moves nothing: they are on the put-back list', () => {
    const { held, last } = play(...labelled, order(3, cancelled(2), [l1]), order(4, cancelled(2), [voided(l1, { a: 2 })]));
    expect(said(last)).toEqual(['unchanged']);
    expect(places(held)).toEqual([0, 0, 0, 2]);
  });
  test('of a label of which one unit was cancelled takes back only the other', () => {
    const { held, last } = play(...labelled, order(3, cancelled(1), [l1]), order(4, cancelled(1), [voided(l1, { a: 2 })]));
    expect(said(last)).toEqual(['unpicked 1 MUG by l1']);
    expect(places(held)).toEqual([1, 0, 0, 1]);
  });
  test('of one of two labels, after a unit was cancelled, takes that one for the cancelled', () => {
    const [one, other] = [label('l1', { a: 1 }), label('l2', { a: 1 })];
    const steps = [order(1, two), order(2, two, [one, other]), order(3, cancelled(1), [one, other])];
    const { held, last } = play(...steps, order(4, cancelled(1), [voided(one, { a: 1 }), other]));
    expect(said(last)).toEqual(['unchanged']);
    expect(places(held)).toEqual([0, 0, 1, 1]);
  });
  test('of units that the marketplace reports as shipped moves nothing', () => {
    const shipped = [line('a', 'MUG', 2, { fulfilled: 2 })];
    expect(lastSaid(...labelled, order(3, shipped, [l1]), order(4, shipped, [voided(l1, { a: 2 })]))).toEqual(['unchanged']);
  });
  test('of units that the marketplace reports as shipped takes them back once it no longer does', () => {
    const [shipped, gone] = [[line('a', 'MUG', 2, { fulfilled: 2 })], [voided(l1, { a: 2 })]];
    const steps = [...labelled, order(3, shipped, [l1]), order(4, shipped, gone), order(5, two, gone)];
    const { held, last } = play(...steps);
    expect(last).toMatchObject([{ type: 'unpicked', quantity: 2, label: 'l1', reverses: 'reservation/1001/2/MUG', user: bob }]);
    expect(places(held)).toEqual([2, 0, 0, 0]);
    expect(lastSaid(...steps, assign('b1'))).toEqual(['assigned 2 MUG in b1']);
  });
  test('of a label whose unit the marketplace has shipped leaves the greater of what is on labels and what is shipped', () => {
    const shipped = [line('a', 'MUG', 2, { fulfilled: 1 })];
    const [one, other] = [label('l1', { a: 1 }), label('l2', { a: 1 })];
    const steps = [order(1, shipped), order(2, shipped, [one]), order(3, shipped, [one, other])];
    expect(said(play(...steps).entries)).toEqual(['reserved 2 MUG', 'picked 1 MUG by shopify', 'unchanged', 'picked 1 MUG by l2']);
    const { held, last } = play(...steps, order(4, shipped, [voided(one, { a: 1 }), other]));
    expect(last).toMatchObject([{ type: 'unpicked', quantity: 1, user: bob }]);
    expect(places(held)).toEqual([1, 0, 1, 0]);
  });
  test('after the marketplace no longer reports its units as shipped takes them back, out of whichever reserve they were deducted', () => {
    const shipped = [line('a', 'MUG', 2, { fulfilled: 2 })];
    const inBatch = [order(1, two), assign('b1'), order(2, two, [l1]), order(3, shipped, [l1])];
    expect(lastSaid(...inBatch)).toEqual(['picked 2 MUG by shopify, 2 of them out of batches']);
    expect(lastSaid(...inBatch, order(4, two, [l1]))).toEqual(['unchanged']);
    const { held, last } = play(...inBatch, order(4, two, [l1]), order(5, two, [voided(l1, { a: 2 })]));
    expect(said(last)).toEqual(['unpicked 2 MUG by bob']);
    expect(places(held)).toEqual([2, 0, 0, 0]);
  });
  test('while other units were picked in a batch takes back what its label had deducted', () => {
    const three = [line('a', 'MUG', 3)];
    const steps = [order(1, three), order(2, three, [l1]), assign('b1'), pick('b1'), order(3, three, [voided(l1, { a: 2 })])];
    expect(lastSaid(...steps)).toEqual(['unpicked 2 MUG by l1']);
  });
  test('of a label on units in an unpicked batch moves nothing', () => {
    const steps = [order(1, two), assign('b1'), order(2, two, [l1]), order(3, two, [voided(l1, { a: 2 })])];
    expect(lastSaid(...steps)).toEqual(['unchanged']);
    expect(lastSaid(...steps, release('b1'))).toEqual(['unassigned 2 MUG in b1']);
  });
});

describe('a shipped unit that is refunded', () => {
  const sold = (fulfilled: number, of = 0) => [line('a', 'MUG', 3, { cancelled: of, fulfilled })];
  test('is to be put back, while another unit of its line stays promised', () => {
    const { held, last } = play(order(1, sold(0)), order(2, sold(2)), order(3, sold(1, 1)));
    expect(said(last)).toEqual(['to_put_back 1 MUG']);
    expect(places(held)).toEqual([1, 0, 1, 1]);
  });
  test('and stands on a label is not made up for by a unit that is still open', () => {
    const labels = [label('l1', { a: 2 })];
    const steps = [order(1, sold(0)), order(2, sold(0), labels), order(3, sold(2), labels), order(4, sold(1, 1), labels)];
    const { held, last } = play(...steps);
    expect(said(last)).toEqual(['to_put_back 1 MUG']);
    expect(places(held)).toEqual([1, 0, 1, 1]);
  });
  test('and was picked in a batch leaves the rest of the batch as it is', () => {
    const { held, last } = play(order(1, sold(0)), assign('b1'), pick('b1', { a: 2 }), order(2, sold(2)), order(3, sold(1, 1)));
    expect(said(last)).toEqual(['to_put_back 1 MUG']);
    expect(places(held)).toEqual([0, 1, 1, 1]);
  });
});

describe('what the marketplace reports as shipped', () => {
  const shipped = (units: number) => [line('a', 'MUG', 2, { fulfilled: units })];
  test('and takes back is on the shelf again', () => {
    const { last } = play(order(1, shipped(2)), order(2, shipped(1)));
    expect(last).toMatchObject([{ type: 'unpicked', quantity: 1, label: null, reverses: 'reservation/1001/2/MUG', user: shopify }]);
  });
  test('stays shipped when the rest is picked in a batch', () => {
    expect(lastSaid(order(1, shipped(1)), assign('b1'), pick('b1'), order(2, shipped(1)))).toEqual(['unchanged']);
  });
});

describe('units that were cancelled after they had been picked', () => {
  const picked = [order(1, two), assign('b1'), pick('b1'), order(2, cancelled(2))];
  test('are put back by a person, in part or all, and are on the shelf from then on', () => {
    expect(lastSaid(...picked)).toEqual(['to_put_back 2 MUG']);
    const { last, held } = play(...picked, putBack({ a: 1 }));
    expect(last).toMatchObject([{ type: 'put_back', quantity: 1, location: 'returns', user: ann }]);
    expect(places(held)).toEqual([0, 0, 0, 1]);
    expect(lastSaid(...picked, putBack({ a: 1 }), putBack())).toEqual(['put_back 1 MUG']);
  });
  test('serve the order again when it wants them before they are put back', () => {
    expect(lastSaid(...picked, order(3, cancelled(1)))).toEqual(['to_put_back -1 MUG']);
    expect(lastSaid(...picked, putBack(), order(3, cancelled(1)))).toEqual(['reserved 1 MUG']);
  });
  test('of which a person says that they will not come back leave the list, and nothing moves', () => {
    const { held, last } = play(...picked, putBack({ a: 2 }, true));
    expect(said(last)).toEqual(['written_off 2 MUG']);
    expect(places(held)).toEqual([0, 0, 0, 0]);
  });
  test('are listed since they were cancelled', () => {
    expect(play(...picked).held.toPutBackSince).toEqual([{ line: 'a', at: 4 }]);
    expect(play(...picked, putBack()).held.toPutBackSince).toEqual([]);
  });
});

test.each<[what: string, refused: string, steps: Step[]]>([
  ['an order that nobody knows', 'unknown_order', [assign('b1')]],
  ['a line that it does not have', 'unknown_line', [order(1, two), assign('b1', { z: 1 })]],
  ['no unit', 'absurd_quantity', [order(1, two), assign('b1', { a: 0 })]],
  ['half a unit', 'absurd_quantity', [order(1, two), assign('b1', { a: 0.5 })]],
  ['more than is in the Order Reserve', 'more_than_reserved', [order(1, two), assign('b1', { a: 3 })]],
  ['an order of which everything is in a batch', 'nothing_to_assign', [order(1, two), assign('b1'), assign('b2')]],
  ['a line that was cancelled', 'nothing_to_assign', [order(1, cancelled(2)), assign('b1', { a: 1 })]],
  ['a pick of what is not in the batch', 'not_in_batch', [order(1, two), assign('b1'), pick('b2')]],
  ['a pick of more than is in the batch', 'more_than_in_batch', [order(1, two), assign('b1', { a: 1 }), pick('b1', { a: 2 })]],
  ['a release of what was picked', 'not_in_batch', [order(1, two), assign('b1'), pick('b1'), release('b1')]],
  ['a short pick of more than is in the batch', 'more_than_in_batch', [order(1, two), assign('b1', { a: 1 }), miss('b1', { a: 2 })]],
  ['a put-back of what was never picked', 'nothing_to_put_back', [order(1, two), putBack()]],
  [
    'a put-back of more than was cancelled',
    'more_than_to_put_back',
    [order(1, two), assign('b1'), pick('b1'), order(2, cancelled(1)), putBack({ a: 2 })],
  ],
])('%s is refused, and changes nothing', (_, refused, steps) => {
  const { held, last } = play(...steps);
  expect(said(last)).toEqual([`refused: ${refused}`]);
  expect(held).toEqual(play(...steps.slice(0, -1)).held);
});

/** The life of an order: edits, cancellations, labels, voids, shipments, and what people do in the warehouse, in any order. */
interface Week {
  readonly edits: readonly (readonly [quantity: number, cancelled: number])[];
  readonly fulfilled: readonly number[];
  readonly labelled: readonly number[];
  readonly voids: readonly (readonly [of: number, units: number])[];
}
const ids = ['a', 'b', 'c'] as const;
const skuOfLine = { a: 'MUG', b: 'MUG', c: 'CUP' } as const;
const small = fc.integer({ min: 0, max: 3 });
const ofEach = <T>(arbitrary: fc.Arbitrary<T>) => fc.tuple(arbitrary, arbitrary, arbitrary);
const aWeek: fc.Arbitrary<Week> = fc.record({
  edits: ofEach(fc.tuple(fc.integer({ min: 0, max: 6 }), small)),
  fulfilled: ofEach(small),
  labelled: ofEach(small),
  voids: fc.array(fc.tuple(fc.nat({ max: 5 }), small), { maxLength: 2 }),
});
function lifeOf(weeks: readonly Week[]): OrderChanged[] {
  let labels: Label[] = [];
  return weeks.map(({ edits, fulfilled, labelled, voids }, week) => {
    const onLabel = Object.fromEntries(ids.map((id, index) => [id, labelled[index] ?? 0]).filter(([, units]) => units !== 0));
    for (const [of, units] of voids) labels = labels.map((each, index) => (index === of ? voidedBy(each, units) : each));
    if (Object.keys(onLabel).length > 0) labels.push(label(`l${week + 1}`, onLabel));
    const lines = ids.map((id, index) => {
      const [quantity, less] = edits[index] ?? [0, 0];
      const shipped = Math.min(quantity, fulfilled[index] ?? 0);
      return line(id, skuOfLine[id], quantity, { cancelled: Math.min(quantity, less), fulfilled: shipped });
    });
    return order(week + 1, lines, [...labels]);
  });
}
function voidedBy(of: Label, units: number): Label {
  const left = of.lines.map(({ line: id, quantity }) => {
    const gone = of.voids
      .flatMap(({ lines }) => lines.filter((other) => other.line === id))
      .reduce((sum, other) => sum + other.quantity, 0);
    return { line: id, quantity: Math.min(units, quantity - gone) };
  });
  const lines = left.filter(({ quantity }) => quantity > 0);
  return lines.length === 0 ? of : { ...of, voids: [...of.voids, { user: bob, lines }] };
}
const aLife = fc.array(aWeek, { minLength: 1, maxLength: 8 }).map(lifeOf);
const aBatch = fc.constantFrom('b1', 'b2');
const someLines = fc.option(fc.tuple(fc.constantFrom(...ids), fc.integer({ min: 1, max: 3 })).map(([id, units]) => ({ [id]: units })));
const aCommand: fc.Arbitrary<Command> = fc.oneof(
  fc.tuple(aBatch, someLines).map(([batch, lines]) => assign(batch, lines)),
  fc.tuple(aBatch, someLines).map(([batch, lines]) => release(batch, lines)),
  fc.tuple(aBatch, someLines).map(([batch, lines]) => pick(batch, lines)),
  fc.tuple(aBatch, someLines).map(([batch, lines]) => miss(batch, lines ?? { a: 1 })),
  fc.tuple(someLines, fc.boolean()).map(([lines, lost]) => putBack(lines, lost)),
);
/** Order events, some of them lost, doubled or late, among commands. */
const aFullLife: fc.Arbitrary<Step[]> = aLife.chain((life) => fc.array(fc.oneof(aCommand, fc.constantFrom(...life)), { maxLength: 30 }));

/** What order and warehouse together leave in each reserve, by the events that stock is told, and what is out of the shelf. */
function booksOf(entries: readonly ReservationEntry[]) {
  const books = new Map<string, { orderReserve: number; batchReserve: number; out: number }>();
  entries.forEach((data, index) => {
    const event = eventOf('acme', { store: 's1', order: '1001' }, { sequence: index + 1, at: 0, data });
    if (!event) return;
    const { sku, quantity: q } = event.data;
    expect(q).toBeGreaterThan(0);
    const from = 'fromBatchReserve' in event.data ? event.data.fromBatchReserve : 0;
    const [orderReserve, batchReserve, out] = {
      UnitsReserved: [q, 0, 0],
      UnitsReleased: [from - q, -from, 0],
      UnitsAutoPicked: [from - q, -from, q],
      UnitsUnpicked: [q, 0, -q],
      UnitsAssignedToBatch: [-q, q, 0],
      UnitsReleasedFromBatch: [q, -q, 0],
      UnitsBatchPicked: [0, -q, q],
      UnitsMissing: [q, -q, 0],
      UnitsPutBack: [0, 0, -q],
    }[event.type] as [number, number, number];
    const before = books.get(sku) ?? { orderReserve: 0, batchReserve: 0, out: 0 };
    const after = {
      orderReserve: before.orderReserve + orderReserve,
      batchReserve: before.batchReserve + batchReserve,
      out: before.out + out,
    };
    expect(Math.min(after.orderReserve, after.batchReserve, after.out)).toBeGreaterThanOrEqual(0);
    books.set(sku, after);
  });
  return books;
}
const total = (held: Reservation, sku: string, unitsOfLine: (line: HeldLine) => number) =>
  held.lines.filter((each) => each.sku === sku).reduce((sum, each) => sum + unitsOfLine(each), 0);
const pickedOf = ({ picked }: HeldLine) => picked.reduce((sum, { quantity }) => sum + quantity, 0);

test('what the events say of each reserve is what is held, no unit is in two of them, and none goes below zero', () => {
  fc.assert(
    fc.property(aFullLife, (life) => {
      const { held, entries } = play(...life);
      const books = booksOf(entries);
      const writtenOff = (sku: string) =>
        entries.reduce((sum, entry) => sum + (entry.type === 'written_off' && entry.sku === sku ? entry.quantity : 0), 0);
      for (const sku of ['MUG', 'CUP'])
        expect({ sku, ...(books.get(sku) ?? { orderReserve: 0, batchReserve: 0, out: 0 }) }).toEqual({
          sku,
          orderReserve: total(held, sku, ({ orderReserve }) => orderReserve),
          batchReserve: total(held, sku, inBatches),
          out: total(held, sku, (each) => pickedOf(each) + toPutBackOf(each)) + writtenOff(sku),
        });
      for (const { orderReserve, batches, picked } of held.lines)
        for (const units of [orderReserve, ...batches.map(({ quantity }) => quantity), ...picked.flatMap((p) => [p.quantity, p.toPutBack])])
          expect(units).toBeGreaterThanOrEqual(0);
    }),
    { numRuns: 1_000 },
  );
});

test('each unit that the order takes is reserved, in a batch or picked, whatever was lost, doubled or done in the warehouse before', () => {
  fc.assert(
    fc.property(aFullLife, (life) => {
      const { held } = play(...life);
      for (const { line: id, wanted, fulfilled } of held.facts?.lines ?? []) {
        const found = held.lines.find((other) => other.line === id);
        const serving = found ? found.orderReserve + inBatches(found) + pickedOf(found) : 0;
        expect({ id, serving }).toEqual({ id, serving: Math.max(wanted, fulfilled) });
        expect(found ? pickedOf(found) : 0).toBeGreaterThanOrEqual(fulfilled);
      }
    }),
    { numRuns: 1_000 },
  );
});

test('a refund of a shipped unit changes nothing of what can be sold, whatever else was done with its order', () => {
  fc.assert(
    fc.property(aFullLife, fc.constantFrom(...ids), (life, id) => {
      const newest = life.findLast((step) => !isCommand(step));
      fc.pre(newest !== undefined && !isCommand(newest));
      const sequence = 1 + life.reduce((most, step) => (isCommand(step) ? most : Math.max(most, step.sequence)), 0);
      const told = { ...newest, sequence };
      const sold = told.lines.find((other) => other.line === id);
      fc.pre(sold !== undefined && sold.fulfilled > 0 && sold.quantity - sold.cancelled >= sold.fulfilled);
      const lines = told.lines.map((of) => (of.line === id ? { ...of, cancelled: of.cancelled + 1, fulfilled: of.fulfilled - 1 } : of));
      const { last } = play(...life, told, { ...told, sequence: sequence + 1, lines });
      expect(last.filter(({ type }) => type === 'reserved' || type === 'released')).toEqual([]);
    }),
    { numRuns: 500 },
  );
});

test('units on labels are deducted or wait in a batch, as far as they are wanted', () => {
  fc.assert(
    fc.property(aFullLife, (life) => {
      const { held } = play(...life);
      for (const each of held.lines) {
        const onLabels = (held.facts?.labels ?? [])
          .flatMap(({ lines }) => lines)
          .reduce((sum, l) => sum + (l.line === each.line ? l.quantity : 0), 0);
        // What is to be put back has left the shelf, too.
        expect(each.orderReserve === 0 || onLabels <= pickedOf(each) + toPutBackOf(each) + inBatches(each)).toBe(true);
      }
    }),
  );
});

test('an order that is shipped or cancelled, and whose batches are done, holds nothing', () => {
  fc.assert(
    fc.property(aFullLife, fc.boolean(), (life, ships) => {
      const last = play(...life).held.facts?.sequence ?? 0;
      const lines = ids.map((id) => line(id, skuOfLine[id], 4, ships ? { fulfilled: 4 } : { cancelled: 4 }));
      const { held } = play(...life, order(last + 1, lines));
      for (const sku of ['MUG', 'CUP']) expect(openOf(held, sku)).toBe(0);
    }),
  );
});

test('lost, doubled and swapped order events end at the same reservation where nothing was cancelled, voided or done by hand', () => {
  const rising = fc.array(fc.tuple(small, small, small), { minLength: 1, maxLength: 6 }).map((steps) => {
    let [quantity, shipped] = [0, 0];
    const labels: Label[] = [];
    return steps.map(([more, ship, onLabel], index) => {
      quantity += more;
      shipped = Math.min(quantity, shipped + ship);
      if (onLabel > 0) labels.push(label(`l${index}`, { a: onLabel }));
      return order(index + 1, [line('a', 'MUG', quantity, { fulfilled: shipped })], [...labels]);
    });
  });
  const withLosses = rising.chain((life) => fc.tuple(fc.constant(life), fc.array(fc.constantFrom(...life), { maxLength: 12 })));
  fc.assert(
    fc.property(withLosses, ([life, arrived]) => {
      const newest = life.slice(-1);
      const totals = (held: Reservation) => (held.lines.length === 0 ? [0, 0, 0, 0] : places(held));
      expect(totals(play(...arrived, ...newest, ...arrived).held)).toEqual(totals(play(...life).held));
    }),
  );
});

test('no label ever has more units picked for the order than it was made for', () => {
  fc.assert(
    fc.property(aFullLife, (life) => {
      const labels = life.flatMap((step) => (isCommand(step) ? [] : step.labels));
      for (const { line: of, picked } of play(...life).held.lines)
        for (const { label: id, quantity } of picked) {
          if (id === null) continue;
          const made = labels.find((other) => other.label === id)?.lines.find((other) => other.line === of)?.quantity ?? 0;
          expect(quantity).toBeLessThanOrEqual(made);
        }
    }),
    { numRuns: 500 },
  );
});

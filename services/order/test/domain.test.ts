import type { LabelLine, MarketplaceOrderRead, OrderLine, User } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  changedOf,
  decideLabel,
  decideRead,
  decideVoid,
  evolve,
  labelled,
  left,
  mostLines,
  mostUnits,
  onLabel,
  taken,
  unknownOrder,
  type OrderEntry,
  type OrderState,
} from '../src/domain.ts';

const ann: User = { kind: 'person', id: 'ann' };
const parts = ['acme', 's1', '1001'] as const;
const line = (id: string, quantity: number, more: Partial<OrderLine> = {}): OrderLine => ({
  line: id,
  listing: `listing-${id}`,
  sku: `sku-${id}`,
  quantity,
  cancelled: 0,
  fulfilled: 0,
  shippedBefore: 0,
  fulfilledBy: 'seller',
  ...more,
});

type Step = (state: OrderState, index: number) => OrderEntry;
const read =
  (updatedAt: number, lines: readonly OrderLine[], more: Partial<MarketplaceOrderRead> = {}): Step =>
  (state) =>
    decideRead(state, {
      tenant: 'acme',
      connectedAt: null,
      store: 's1',
      order: '1001',
      marketplace: 'shopify',
      name: '#1001',
      placedAt: 1,
      updatedAt,
      cancelledAt: null,
      lines,
      at: 0,
      ...more,
    });
const label =
  (lines: readonly LabelLine[] | null = null, location: string | null = null): Step =>
  (state, index) =>
    decideLabel(state, { tenant: 'acme', store: 's1', order: '1001', lines, location, user: ann, at: 0 }, `label-${index}`);

const voiding =
  (id: string, lines: readonly LabelLine[] | null = null): Step =>
  (state) =>
    decideVoid(state, { tenant: 'acme', store: 's1', order: '1001', label: id, lines, user: ann, at: 0 });

function play(...steps: readonly Step[]): { state: OrderState; entries: OrderEntry[]; last: OrderEntry | undefined } {
  let state = unknownOrder;
  const entries = steps.map((step, index) => {
    const data = step(state, index + 1);
    state = evolve(state, { sequence: index + 1, at: 100 + index, correlation: 'c', data });
    return data;
  });
  return { state, entries, last: entries.at(-1) };
}
const linesOf = (state: OrderState) =>
  state.order?.lines.map(({ line: id, quantity, cancelled, fulfilled }) => [id, quantity, cancelled, fulfilled]);

describe('an order that is read', () => {
  test('is taken whole', () => {
    const { state, last } = play(read(10, [line('a', 2), line('b', 1, { sku: null })]));
    expect(last?.type).toBe('changed');
    expect(changedOf(parts, state)).toEqual({
      tenant: 'acme',
      store: 's1',
      marketplace: 'shopify',
      order: '1001',
      name: '#1001',
      sequence: 1,
      placedAt: 1,
      updatedAt: 10,
      cancelledAt: null,
      lines: [line('a', 2), line('b', 1, { sku: null })],
      labels: [],
      at: 100,
    });
  });
  test('older than what is known is stale and changes nothing', () => {
    const { state, last } = play(read(10, [line('a', 2)]), read(9, [line('a', 5, { cancelled: 1 })]));
    expect(last).toEqual({ type: 'stale', updatedAt: 9 });
    expect(linesOf(state)).toEqual([['a', 2, 0, 0]]);
  });
  test('cancel seen before create: the late create is stale', () => {
    const { state, last } = play(read(10, [line('a', 2)], { cancelledAt: 10 }), read(5, [line('a', 2)]));
    expect(last?.type).toBe('stale');
    expect(linesOf(state)).toEqual([['a', 2, 2, 0]]);
  });
  test('three times is the same order once', () => {
    const once = read(10, [line('a', 2)]);
    const { entries, state } = play(once, once, once);
    expect(entries.map(({ type }) => type)).toEqual(['changed', 'unchanged', 'unchanged']);
    expect(state.newest.sequence).toBe(1);
  });
  test('at the same time lets cancelled and fulfilled units only rise', () => {
    const { state } = play(
      read(10, [line('a', 5, { cancelled: 2, fulfilled: 1 })]),
      read(10, [line('a', 5, { cancelled: 1, fulfilled: 3 })]),
    );
    expect(linesOf(state)).toEqual([['a', 5, 2, 3]]);
  });
  test('newer replaces, also where that is less', () => {
    const { state } = play(read(10, [line('a', 5, { cancelled: 2, fulfilled: 1 })]), read(11, [line('a', 4, { cancelled: 1 })]));
    expect(linesOf(state)).toEqual([['a', 4, 1, 0]]);
  });
  test('without a line that was there has wholly cancelled it, and a new line joins', () => {
    const { state } = play(read(10, [line('a', 2), line('b', 3)]), read(11, [line('b', 3), line('c', 1)]));
    expect(linesOf(state)).toEqual([
      ['a', 2, 2, 0],
      ['b', 3, 0, 0],
      ['c', 1, 0, 0],
    ]);
  });
  test("keeps a line's SKU once it is known, whatever its listing is mapped to later", () => {
    const skuAfter = (...skus: (string | null)[]) =>
      play(...skus.map((sku, n) => read(n, [line('a', 1, { sku })]))).state.order?.lines[0]?.sku;
    expect(skuAfter(null, 'MUG')).toBe('MUG');
    expect(skuAfter('MUG', 'CUP')).toBe('MUG');
    expect(skuAfter('MUG', null)).toBe('MUG');
  });
  test('cancelled as a whole cancels whatever the marketplace does not report as shipped, on a label or not', () => {
    const lines = [line('a', 5, { fulfilled: 1 }), line('b', 3)];
    const { state } = play(read(10, lines), label([{ line: 'a', quantity: 2 }]), read(11, lines, { cancelledAt: 11 }));
    expect(linesOf(state)).toEqual([
      ['a', 5, 4, 1],
      ['b', 3, 3, 0],
    ]);
  });
  test('first, and placed before its store was connected: what had shipped by then stays out of it for good', () => {
    const before = { placedAt: 1, connectedAt: 5 };
    const { state } = play(
      read(10, [line('a', 5, { fulfilled: 2 }), line('b', 1)], before),
      read(11, [line('a', 5, { fulfilled: 3 }), line('b', 1), line('c', 1, { fulfilled: 1 })], before),
    );
    expect(state.order?.lines.map(({ shippedBefore }) => shippedBefore)).toEqual([2, 0, 0]);
    expect(state.order && state.order.lines.map((each) => left(state.order as never, each))).toEqual([2, 1, 0]);
  });
  test.each([
    ['is refunded later, leaves the open units open', line('a', 3, { cancelled: 1, fulfilled: 1 }), 1],
    ['is shipped no longer, is ours to ship', line('a', 3), 3],
  ])('of which a unit that had shipped before its store was connected %s', (_, then, open) => {
    const before = { placedAt: 1, connectedAt: 5 };
    const { order } = play(read(10, [line('a', 3, { fulfilled: 2 })], before), read(11, [then], before)).state;
    expect(order && order.lines.map((each) => [left(order, each), taken(each)])).toEqual([[open, open]]);
  });
  test.each([
    ['placed after its store was connected', { placedAt: 5, connectedAt: 5 }],
    ['of a store of which nobody knows since when it is connected', { placedAt: 1, connectedAt: null }],
  ])('%s, already shipped: the units are ours', (_, more) => {
    expect(play(read(10, [line('a', 2, { fulfilled: 2 })], more)).state.order?.lines[0]?.shippedBefore).toBe(0);
  });
  test('never counts more units cancelled or shipped than were ordered', () => {
    expect(linesOf(play(read(10, [line('a', 2, { cancelled: 9, fulfilled: 9 })])).state)).toEqual([['a', 2, 2, 2]]);
  });
  test.each([
    ['a negative quantity', [line('a', -1)], 'absurd_quantity'],
    ['an absurd quantity', [line('a', mostUnits + 1)], 'absurd_quantity'],
    ['a negative number of cancelled units', [line('a', 1, { cancelled: -1 })], 'absurd_quantity'],
    ['half a unit', [line('a', 1.5)], 'absurd_quantity'],
    ['one line twice', [line('a', 1), line('a', 1)], 'line_twice'],
    ['too many lines', Array.from({ length: mostLines + 1 }, (_, n) => line(String(n), 1)), 'too_many_lines'],
  ])('with %s is refused, and leaves what is known as it was', (_, lines, refused) => {
    const { state, last } = play(read(10, [line('a', 2)]), read(11, lines));
    expect(last).toEqual({ type: 'read_refused', refused });
    expect(linesOf(state)).toEqual([['a', 2, 0, 0]]);
    expect(play(read(11, lines)).state.order).toBeNull();
  });
});

describe('a label', () => {
  test('covers all that is left when nobody says what', () => {
    const { last, state } = play(
      read(10, [line('a', 5, { cancelled: 1, fulfilled: 2 }), line('b', 1, { cancelled: 1 }), line('c', 2)]),
      label(null, 'back'),
    );
    expect(last).toEqual({
      type: 'labelled',
      label: {
        label: 'label-2',
        location: 'back',
        user: ann,
        lines: [
          { line: 'a', quantity: 2 },
          { line: 'c', quantity: 2 },
        ],
        voids: [],
      },
    });
    expect(changedOf(parts, state)).toMatchObject({ sequence: 2, at: 101, labels: [{ label: 'label-2' }] });
  });
  test('twice is a split shipment', () => {
    const { entries, state } = play(read(10, [line('a', 3)]), label([{ line: 'a', quantity: 1 }]), label(), label());
    expect(entries.slice(1)).toMatchObject([
      { type: 'labelled', label: { lines: [{ line: 'a', quantity: 1 }] } },
      { type: 'labelled', label: { lines: [{ line: 'a', quantity: 2 }] } },
      { type: 'label_refused', refused: 'nothing_left' },
    ]);
    expect(state.order?.labels).toHaveLength(2);
  });
  test('that names a line twice covers the sum', () => {
    const twice = (quantity: number) => [
      { line: 'a', quantity },
      { line: 'a', quantity: 1 },
    ];
    expect(play(read(10, [line('a', 2)]), label(twice(1))).last).toMatchObject({ label: { lines: [{ line: 'a', quantity: 2 }] } });
    expect(play(read(10, [line('a', 2)]), label(twice(2))).last).toMatchObject({ refused: 'more_than_left' });
  });
  const anOrder = read(10, [line('a', 2), line('b', 1, { cancelled: 1 })]);
  test.each<[what: string, steps: Step[], refused: string]>([
    ['an unknown order', [label()], 'unknown_order'],
    ['a line that the order does not have', [anOrder, label([{ line: 'z', quantity: 1 }])], 'unknown_line'],
    ['more than is left', [anOrder, label([{ line: 'a', quantity: 3 }])], 'more_than_left'],
    ['a cancelled line', [anOrder, label([{ line: 'b', quantity: 1 }])], 'nothing_left'],
    ['no line', [anOrder, label([])], 'nothing_left'],
    ['no unit', [anOrder, label([{ line: 'a', quantity: 0 }])], 'absurd_quantity'],
    ['a cancelled order', [read(10, [line('a', 2)], { cancelledAt: 10 }), label()], 'nothing_left'],
    [
      'a line that the marketplace ships itself',
      [read(10, [line('a', 2, { fulfilledBy: 'marketplace' })]), label([{ line: 'a', quantity: 1 }])],
      'shipped_by_marketplace',
    ],
    ['an order that the marketplace reports as shipped', [read(10, [line('a', 2, { fulfilled: 2 })]), label()], 'nothing_left'],
  ])('for %s is refused and changes nothing', (_, steps, refused) => {
    const { last, state } = play(...steps);
    expect(last).toEqual({ type: 'label_refused', refused, user: ann });
    expect(state).toEqual(play(...steps.slice(0, -1)).state);
  });
});

describe('a void', () => {
  const shipped = [read(10, [line('a', 3), line('b', 1)]), label()];
  test('takes back all that is left on the label, which may then be labelled again', () => {
    const { last, state } = play(...shipped, voiding('label-2', [{ line: 'a', quantity: 1 }]), voiding('label-2'));
    const lines = [
      { line: 'a', quantity: 2 },
      { line: 'b', quantity: 1 },
    ];
    expect(last).toEqual({ type: 'voided', label: 'label-2', void: { user: ann, lines } });
    expect(changedOf(parts, state)).toMatchObject({ sequence: 4, labels: [{ voids: [{}, { lines }] }] });
    expect(play(...shipped, voiding('label-2'), label()).last).toMatchObject({ label: { lines: [{ quantity: 3 }, { quantity: 1 }] } });
  });
  test('of a label of cancelled units is taken down too', () => {
    const { last } = play(...shipped, read(11, [line('a', 3), line('b', 1)], { cancelledAt: 11 }), voiding('label-2'));
    expect(last?.type).toBe('voided');
  });
  test.each<[what: string, steps: Step[], refused: string]>([
    ['an unknown order', [voiding('label-2')], 'unknown_order'],
    ['a label that the order does not have', [...shipped, voiding('label-9')], 'unknown_label'],
    ['a line that is not on it', [...shipped, voiding('label-2', [{ line: 'z', quantity: 1 }])], 'not_on_label'],
    ['more than is on it', [...shipped, voiding('label-2', [{ line: 'a', quantity: 4 }])], 'more_than_on_label'],
    ['what was voided before', [...shipped, voiding('label-2'), voiding('label-2')], 'nothing_on_label'],
    ['no unit', [...shipped, voiding('label-2', [{ line: 'a', quantity: 0 }])], 'absurd_quantity'],
  ])('of %s is refused and changes nothing', (_, steps, refused) => {
    const { last, state } = play(...steps);
    expect(last).toMatchObject({ type: 'void_refused', refused, user: ann });
    expect(state).toEqual(play(...steps.slice(0, -1)).state);
  });
});

test('labels without end are refused before the order is too large to be told, and what is on labels can still be voided', () => {
  const names = Array.from({ length: 400 }, (_, index) => String(index).padStart(128, 'x'));
  const one = names.map((name) => ({ line: name, quantity: 1 }));
  const { state, entries, last } = play(
    read(
      10,
      names.map((name) => line(name, 9)),
    ),
    ...names.slice(0, 9).map(() => label(one)),
  );
  const made = entries.filter(({ type }) => type === 'labelled').length;
  expect(made).toBeGreaterThan(2);
  expect(last).toMatchObject({ refused: 'too_many_labels' });
  let after = state;
  for (const { label: id } of state.order?.labels ?? []) {
    const data = voiding(id)(after, 0);
    expect(data.type).toBe('voided');
    after = evolve(after, { sequence: 100, at: 0, correlation: 'c', data });
  }
  expect(JSON.stringify(changedOf(parts, after)).length).toBeLessThan(900_000);
});

const aLine = fc
  .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 }))
  .map(([quantity, cancelled, fulfilled]) => ({
    quantity,
    cancelled: Math.min(quantity, cancelled),
    fulfilled: Math.min(quantity, fulfilled),
  }));
const someLines = (ids: readonly string[]) =>
  fc.tuple(...ids.map(() => aLine)).map((lines) => lines.map(({ quantity, ...more }, index) => line(ids[index] as string, quantity, more)));
const theirLines = fc.subarray(['a', 'b', 'c']).chain(someLines);
const aVoid = fc.integer({ min: 0, max: 25 }).map((of) => voiding(`label-${of}`));
const aRead = fc
  .tuple(fc.integer({ min: 1, max: 4 }), theirLines, fc.boolean())
  .map(([updatedAt, lines, isCancelled]) => read(updatedAt, lines, { cancelledAt: isCancelled ? updatedAt : null }));
const aLabel = fc
  .option(fc.array(fc.record({ line: fc.constantFrom('a', 'b', 'z'), quantity: fc.integer({ min: 0, max: 4 }) }), { maxLength: 3 }))
  .map((lines) => label(lines));

test('no label ever covers a unit that was not there to be shipped when it was made', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(aRead, aLabel, aVoid), { maxLength: 25 }), (steps) => {
      let state = unknownOrder;
      steps.forEach((step, index) => {
        const before = state;
        const data = step(before, index + 1);
        state = evolve(before, { sequence: index + 1, at: 0, correlation: 'c', data });
        if (data.type !== 'labelled') return;
        for (const { line: id, quantity } of data.label.lines) {
          const known = before.order?.lines.find((other) => other.line === id) as OrderLine;
          const shipped = Math.max(known.fulfilled, labelled(before.order ?? { labels: [] }, id));
          expect(quantity).toBeGreaterThan(0);
          expect(quantity + shipped + known.cancelled).toBeLessThanOrEqual(known.quantity);
        }
      });
    }),
  );
});

test('no more units are voided than a label has', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(aRead, aLabel, aVoid), { maxLength: 25 }), (steps) => {
      const { order } = play(...steps).state;
      for (const each of order?.labels ?? []) for (const { line: id } of each.lines) expect(onLabel(each, id)).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('reading again whatever was read before, in any order, changes nothing', () => {
  const life = fc.array(theirLines, { minLength: 1, maxLength: 8 }).map((told) => told.map((lines, index) => read(index, lines)));
  fc.assert(
    fc.property(
      life.chain((reads) => fc.tuple(fc.constant(reads), fc.shuffledSubarray(reads))),
      ([reads, again]) => {
        expect(play(...reads, ...again).state).toEqual(play(...reads).state);
      },
    ),
  );
});

test('two reads of the same time come to the same in either order', () => {
  fc.assert(
    fc.property(someLines(['a', 'b']), someLines(['a', 'b']), (one, other) => {
      expect(linesOf(play(read(10, one), read(10, other)).state)).toEqual(linesOf(play(read(10, other), read(10, one)).state));
    }),
  );
});

// The books of order, reservation and stock together, by their pure decisions alone: what must be true however orders are edited, shipped, voided
// and cancelled, whatever the warehouse does meanwhile, and however events are lost, doubled or swapped.
import { describe, expect, test } from '@jest/globals';
import type { MarketplaceOrderRead, OrderChanged, OrderLine, StockMoved, User } from '@evenkeel/contracts';
import {
  changedOf,
  decideLabel,
  decideRead,
  decideVoid,
  evolve as evolveOrder,
  labelled,
  taken,
  unknownOrder,
} from '@evenkeel/order/domain';
import {
  decideCommand,
  decideOrder,
  eventOf,
  evolve as evolveReservation,
  hasSeen,
  inBatches,
  nothingReserved,
  openOf,
  type Command,
  type Reservation,
  type ReservationEvent,
} from '@evenkeel/reservation/domain';
import { decide, evolve as evolveStock, movedBy, onHandAt, unknownSku, type LedgerRow } from '@evenkeel/stock/domain';
import fc from 'fast-check';

const tenant = 'acme';
const store = 's1';
const ann: User = { kind: 'person', id: 'ann' };
const skus = ['MUG', 'CUP'] as const;
const skuOfLine = { a: 'MUG', b: 'MUG', c: 'CUP' } as const;
const lineIds = ['a', 'b', 'c'] as const;

interface Units {
  readonly line: string;
  readonly quantity: number;
}
type Step =
  | { readonly kind: 'read'; readonly lines: readonly OrderLine[]; readonly updatedAt: number; readonly isCancelled: boolean }
  | { readonly kind: 'label'; readonly lines: readonly Units[] | null }
  | { readonly kind: 'void'; readonly of: number; readonly lines: readonly Units[] | null }
  | { readonly kind: Command['type']; readonly batch: string; readonly lines: readonly Units[] | null };
/** A step of one order's life; `lost`: the order event that it makes never reaches reservation, unless a later one does. */
interface Happening {
  readonly step: Step;
  readonly lost: boolean;
}

const upTo = (maximum: number) => fc.integer({ min: 0, max: maximum });
const aLine = (line: keyof typeof skuOfLine) =>
  fc.tuple(upTo(5), upTo(3), upTo(2), upTo(9)).map(([quantity, cancelled, fulfilled, dice]) => ({
    line,
    listing: null,
    sku: dice === 1 ? null : skuOfLine[line],
    quantity,
    cancelled: Math.min(quantity, cancelled),
    fulfilled: Math.min(quantity, fulfilled),
    shippedBefore: 0,
    fulfilledBy: dice === 0 ? ('marketplace' as const) : ('seller' as const),
  }));
const someUnits = fc.option(
  fc.array(fc.record({ line: fc.constantFrom(...lineIds), quantity: fc.integer({ min: 1, max: 3 }) }), { minLength: 1, maxLength: 2 }),
);
const aRead: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('read' as const),
  lines: fc.subarray([...lineIds]).chain((lines) => fc.tuple(...lines.map(aLine))),
  updatedAt: upTo(9),
  isCancelled: fc.integer({ min: 0, max: 9 }).map((dice) => dice === 0),
});
const anOrderStep: fc.Arbitrary<Step> = fc.oneof(
  aRead,
  fc.record({ kind: fc.constant('label' as const), lines: someUnits }),
  fc.record({ kind: fc.constant('void' as const), of: upTo(9), lines: someUnits }),
);
/** What moves goods without selling or missing any: none of it may change Available. */
const fulfilment = ['AssignToBatch', 'ReleaseFromBatch', 'PickBatchUnits'] as const;
const commandsOf = (kinds: readonly Command['type'][]): fc.Arbitrary<Step> =>
  fc.record({ kind: fc.constantFrom(...kinds), batch: fc.constantFrom('b1', 'b2'), lines: someUnits });
const aStep = fc.oneof(anOrderStep, commandsOf([...fulfilment, ...fulfilment, 'ReportShortPick', 'PutBackUnits']));
const happening = (step: fc.Arbitrary<Step>): fc.Arbitrary<Happening> =>
  fc.record({ step, lost: fc.integer({ min: 0, max: 3 }).map((dice) => dice === 0) });

const readOf = (order: string, { lines, updatedAt, isCancelled }: Extract<Step, { kind: 'read' }>): MarketplaceOrderRead => ({
  tenant,
  store,
  marketplace: 'shopify',
  connectedAt: order === 'old' ? 5 : null,
  order,
  name: order,
  placedAt: 0,
  updatedAt,
  cancelledAt: isCancelled ? updatedAt : null,
  lines,
  at: 0,
});

function commandOf(order: string, { kind: type, batch, lines }: Extract<Step, { batch: string }>): Command {
  const about = { tenant, store, order, user: ann, at: 0 };
  switch (type) {
    case 'AssignToBatch':
    case 'ReleaseFromBatch':
      return { type, data: { ...about, batch, lines } };
    case 'PickBatchUnits':
      return { type, data: { ...about, batch, lines, location: null } };
    case 'ReportShortPick':
      return { type, data: { ...about, batch, lines: lines ?? [{ line: 'a', quantity: 1 }], location: null } };
    case 'PutBackUnits':
      return { type, data: { ...about, lines, location: null, lost: false } };
  }
}

/** One order's life through order and reservation: what is held in the end, and what stock is told. */
function live(order: string, life: readonly Happening[]) {
  let state = unknownOrder;
  let held: Reservation = nothingReserved;
  let sequence = 0;
  let newest: OrderChanged | null = null;
  const told: ReservationEvent[] = [];
  const take = (step: OrderChanged | Command): void => {
    if (!('data' in step) && hasSeen(held, step)) return;
    const entries = 'data' in step ? decideCommand(held, step) : decideOrder(held, step, (number) => `${order}/${number}`);
    for (const data of entries) {
      sequence += 1;
      held = evolveReservation(held, { sequence, at: 0, data });
      const telling = eventOf(tenant, { store, order }, { sequence, at: 0, data });
      if (telling) told.push(telling);
    }
  };
  life.forEach(({ step, lost }, index) => {
    if ('batch' in step) return take(commandOf(order, step));
    const about = { tenant, store, order, user: ann, at: 0 };
    const label = 'of' in step ? (state.order?.labels[step.of]?.label ?? 'none') : '';
    const data =
      step.kind === 'read'
        ? decideRead(state, readOf(order, step))
        : step.kind === 'void'
          ? decideVoid(state, { ...about, label, lines: step.lines })
          : decideLabel(state, { ...about, lines: step.lines, location: null }, `label ${index}`);
    state = evolveOrder(state, { sequence: index + 1, at: index, correlation: 'c', data });
    const changed = changedOf([tenant, store, order], state);
    if (changed?.sequence !== index + 1) return;
    newest = changed;
    if (!lost) take(changed);
  });
  if (newest) take(newest);
  return { order: state.order, held, told };
}

const idOf = ({ data }: ReservationEvent) => `${data.order.order}/${data.sequence}`;

/** The ledger of one SKU; a cause that it has is dropped, as the engine does. Between the events its clerk counts. */
function keepBooks(sku: string, arrived: readonly ReservationEvent[], counts: readonly number[]) {
  let state = unknownSku;
  const rows: StockMoved[] = [];
  const causes = new Set<string>();
  const write = (cause: string, data: LedgerRow) => {
    const row = { sequence: rows.length + 1, cause, correlation: 'c', at: 0, data };
    state = evolveStock(state, row);
    rows.push(movedBy({ tenant, sku }, row));
  };
  arrived.forEach((event, index) => {
    if (event.data.sku !== sku || causes.has(idOf(event))) return;
    causes.add(idOf(event));
    write(idOf(event), decide(state, event));
    const onHand = counts[index % counts.length];
    if (onHand === undefined) return;
    const seen = onHandAt(state, 'default');
    const data = { tenant, sku, location: 'default', seen, onHand, reason: null, user: ann, at: 0 };
    write(`count ${index}`, decide(state, { type: 'UpdateStock', data }));
  });
  return { state, rows };
}

/** Each at least once, in any order. */
const doubledAndSwapped = <T>(events: readonly T[]) =>
  fc
    .tuple(fc.shuffledSubarray([...events], { minLength: events.length }), fc.subarray([...events]))
    .map(([all, again]) => [...all, ...again]);

const aLife = (step: fc.Arbitrary<Step>) => fc.array(happening(step), { minLength: 1, maxLength: 14 });
const weekOf = (step: fc.Arbitrary<Step>) =>
  fc.tuple(aLife(step), aLife(step), aLife(step)).chain(([one, other, old]) => {
    const orders = [live('1', one), live('2', other), live('old', old)];
    const told = orders.flatMap((order) => order.told);
    return fc.record({
      orders: fc.constant(orders),
      told: fc.constant(told),
      arrived: doubledAndSwapped(told),
      counts: fc.array(upTo(6), { maxLength: 3 }),
    });
  });
const aWeek = weekOf(aStep);
const runs = { numRuns: 300 };

describe('in random lives of many orders, batches and edits, whatever is lost, doubled or swapped on the way', () => {
  test('the open reservations of all orders are the reserves of the ledger, Order Reserve and Batch Reserve each', () => {
    fc.assert(
      fc.property(aWeek, ({ orders, arrived, counts }) => {
        for (const sku of skus) {
          const lines = orders.flatMap(({ held }) => held.lines.filter((line) => line.sku === sku));
          const { orderReserve, batchReserve } = keepBooks(sku, arrived, counts).state.quantities;
          expect(orderReserve).toBe(lines.reduce((sum, line) => sum + line.orderReserve, 0));
          expect(batchReserve).toBe(lines.reduce((sum, line) => sum + inBatches(line), 0));
        }
      }),
      runs,
    );
  });

  test('no unit is in two places: what serves an order is exactly what it takes', () => {
    fc.assert(
      fc.property(aWeek, ({ orders }) => {
        for (const { order, held } of orders)
          for (const { line, sku, quantity, cancelled, fulfilled, shippedBefore, fulfilledBy } of order?.lines ?? []) {
            if (sku === null) continue;
            const known = held.lines.find((other) => other.line === line);
            const picked = known?.picked.reduce((sum, pick) => sum + pick.quantity, 0) ?? 0;
            const serving = known ? known.orderReserve + inBatches(known) + picked : 0;
            const takes = Math.max(0, quantity - cancelled - shippedBefore, fulfilled - shippedBefore);
            expect(serving).toBe(fulfilledBy === 'marketplace' ? 0 : takes);
          }
      }),
      runs,
    );
  });

  test('where nothing is picked in batches, what is deducted is the greater of what is on labels and what the marketplace says is shipped', () => {
    const byLabels = fc.array(happening(fc.oneof(anOrderStep, commandsOf(['PutBackUnits']))), { minLength: 3, maxLength: 14 });
    fc.assert(
      fc.property(byLabels, (life) => {
        const { order, held } = live('1', life);
        for (const line of order?.lines ?? []) {
          if (!order || line.sku === null || line.fulfilledBy === 'marketplace') continue;
          const picked = held.lines.find((other) => other.line === line.line)?.picked ?? [];
          const deducted = picked.reduce((sum, { quantity }) => sum + quantity, 0);
          const due = (onLabels: number) => Math.min(taken(line), Math.max(onLabels, line.fulfilled));
          // Of what was picked and is to be put back, a label may still speak: or it is the one that was voided.
          const toPutBack = picked.reduce((sum, units) => sum + units.toPutBack, 0);
          expect(deducted).toBeLessThanOrEqual(due(labelled(order, line.line)));
          expect(deducted).toBeGreaterThanOrEqual(due(labelled(order, line.line) - toPutBack));
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('every row of every ledger satisfies the formula and follows from the row before it', () => {
    fc.assert(
      fc.property(aWeek, ({ arrived, counts }) => {
        for (const sku of skus) {
          let before = unknownSku.quantities;
          keepBooks(sku, arrived, counts).rows.forEach(({ sequence, change, after, refused, cause }, index) => {
            expect(sequence).toBe(index + 1);
            expect(after.available).toBe(after.onHand - after.orderReserve - after.batchReserve);
            expect(after).toEqual({
              onHand: before.onHand + change.onHand,
              orderReserve: before.orderReserve + change.orderReserve,
              batchReserve: before.batchReserve + change.batchReserve,
              available: before.available + change.available,
            });
            if (!cause.startsWith('count')) expect(refused).toBeNull();
            before = after;
          });
        }
      }),
      runs,
    );
  });

  test('a ledger comes to the same quantities in whatever order, and however often, the same reservation events arrive', () => {
    fc.assert(
      fc.property(aWeek, ({ told, arrived }) => {
        for (const sku of skus) expect(keepBooks(sku, arrived, []).state.quantities).toEqual(keepBooks(sku, told, []).state.quantities);
      }),
      runs,
    );
  });

  test('in their own order neither reserve of an order ever goes below zero', () => {
    fc.assert(
      fc.property(aWeek, ({ orders }) => {
        for (const { told } of orders)
          for (const sku of skus)
            for (const { after } of keepBooks(sku, told, []).rows) {
              expect(after.orderReserve).toBeGreaterThanOrEqual(0);
              expect(after.batchReserve).toBeGreaterThanOrEqual(0);
            }
      }),
      runs,
    );
  });

  test('when every order is shipped or cancelled, every reserve is zero', () => {
    const ended = fc.tuple(aLife(aStep), aLife(aStep), fc.boolean()).map(([one, other, ships]) => {
      const lines = lineIds.map((line) => {
        const [cancelled, fulfilled] = ships ? [0, 4] : [4, 0];
        return {
          line,
          listing: null,
          sku: skuOfLine[line],
          quantity: 4,
          cancelled,
          fulfilled,
          shippedBefore: 0,
          fulfilledBy: 'seller',
        } as const;
      });
      const end: Happening = { step: { kind: 'read', lines, updatedAt: 99, isCancelled: !ships }, lost: false };
      return [live('1', [...one, end]), live('old', [...other, end])];
    });
    fc.assert(
      fc.property(ended, (orders) => {
        for (const { held } of orders) for (const sku of skus) expect(openOf(held, sku)).toBe(0);
        const told = orders.flatMap((order) => order.told);
        for (const sku of skus) expect(keepBooks(sku, told, []).state.quantities).toMatchObject({ orderReserve: 0, batchReserve: 0 });
      }),
      runs,
    );
  });
});

test('no step of fulfilment changes Available: between the order and its last parcel every row says the same', () => {
  const lines = lineIds.map((line) => {
    return {
      line,
      listing: null,
      sku: skuOfLine[line],
      quantity: 4,
      cancelled: 0,
      fulfilled: 0,
      shippedBefore: 0,
      fulfilledBy: 'seller',
    } as const;
  });
  const sold: Happening = { step: { kind: 'read', lines, updatedAt: 0, isCancelled: false }, lost: false };
  /** Only ever more of the order is shipped, by label, by batch, or by the marketplace's word. */
  const shipped = fc.array(fc.tuple(upTo(4), upTo(4), upTo(4)), { minLength: 1, maxLength: 3 }).map((told) =>
    told.map((units, index): Step => {
      const more = lines.map((line, at) => ({
        ...line,
        fulfilled: Math.max(...told.slice(0, index + 1).map((each) => each[at] ?? 0), units[at] ?? 0),
      }));
      return { kind: 'read', lines: more, updatedAt: index + 1, isCancelled: false };
    }),
  );
  const labels = fc.oneof(
    fc.record({ kind: fc.constant('label' as const), lines: someUnits }),
    fc.record({ kind: fc.constant('void' as const), of: upTo(5), lines: someUnits }),
  );
  const shipping = fc
    .tuple(shipped, fc.array(fc.oneof(labels, commandsOf(fulfilment)), { maxLength: 20 }), fc.infiniteStream(fc.nat()))
    .map(([reads, steps, dice]) => {
      const mixed = [...steps];
      let at = 0;
      for (const read of reads) {
        at += ((dice.next().value as number) ?? 0) % (mixed.length - at + 1);
        mixed.splice(at, 0, read);
        at += 1;
      }
      return mixed.map((step): Happening => ({ step, lost: false }));
    });
  fc.assert(
    fc.property(shipping, (life) => {
      const { told } = live('1', [sold, ...life]);
      for (const sku of skus) {
        const rows = keepBooks(sku, told, []).rows;
        expect(rows.slice(1).map(({ change }) => change.available)).toEqual(rows.slice(1).map(() => 0));
      }
    }),
    { numRuns: 500 },
  );
});

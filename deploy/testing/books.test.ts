// The books of order, reservation and stock together, by their pure decisions alone: what must be true however events are lost, doubled or swapped.
import { expect, test } from '@jest/globals';
import type { MarketplaceOrderRead, OrderChanged, OrderLine, StockMoved, User } from '@evenkeel/contracts';
import { changedOf, decideLabel, decideRead, evolve as evolveOrder, unknownOrder } from '@evenkeel/order/domain';
import {
  decideOrder,
  eventOf,
  evolve as evolveReservation,
  hasSeen,
  nothingReserved,
  openOf,
  type ReservationEvent,
} from '@evenkeel/reservation/domain';
import {
  decideAutoPicked,
  decideReleased,
  decideReserved,
  decideUpdate,
  evolve as evolveStock,
  movedBy,
  onHandAt,
  unknownSku,
  type LedgerRow,
  type SkuStock,
} from '@evenkeel/stock/domain';
import fc from 'fast-check';

const tenant = 'acme';
const store = 's1';
const ann: User = { kind: 'person', id: 'ann' };
const skus = ['MUG', 'CUP'] as const;
const skuOfLine = { a: 'MUG', b: 'MUG', c: 'CUP' } as const;

type Step =
  | { readonly kind: 'read'; readonly lines: readonly OrderLine[]; readonly updatedAt: number; readonly isCancelled: boolean }
  | { readonly kind: 'label'; readonly lines: readonly { readonly line: string; readonly quantity: number }[] | null };

const upTo = (maximum: number) => fc.integer({ min: 0, max: maximum });
const aLine = (line: keyof typeof skuOfLine) =>
  fc.tuple(upTo(5), upTo(3), upTo(2)).map(([quantity, cancelled, fulfilled]) => ({
    line,
    listing: null,
    sku: skuOfLine[line],
    quantity,
    cancelled: Math.min(quantity, cancelled),
    fulfilled: Math.min(quantity, fulfilled),
    shippedBefore: 0,
    fulfilledBy: 'seller' as const,
  }));
const aStep: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('read' as const),
    lines: fc.subarray(['a', 'b', 'c'] as const).chain((lines) => fc.tuple(...lines.map(aLine))),
    updatedAt: upTo(9),
    isCancelled: fc.integer({ min: 0, max: 5 }).map((dice) => dice === 0),
  }),
  fc.record({
    kind: fc.constant('label' as const),
    lines: fc.option(
      fc.array(fc.record({ line: fc.constantFrom('a', 'b', 'c'), quantity: fc.integer({ min: 1, max: 3 }) }), { maxLength: 2 }),
    ),
  }),
);

/** What the order service publishes of one life: each time it changed, the whole order. */
function ordersOf(order: string, steps: readonly Step[]): OrderChanged[] {
  let state = unknownOrder;
  const published: OrderChanged[] = [];
  steps.forEach((step, index) => {
    const data =
      step.kind === 'read'
        ? decideRead(state, readOf(order, step))
        : decideLabel(state, { tenant, store, order, lines: step.lines, location: null, user: ann, at: 0 }, `label ${index}`);
    state = evolveOrder(state, { sequence: index + 1, at: index, correlation: 'c', data });
    const changed = changedOf([tenant, store, order], state);
    if (changed?.sequence === index + 1) published.push(changed);
  });
  return published;
}
const readOf = (order: string, { lines, updatedAt, isCancelled }: Extract<Step, { kind: 'read' }>): MarketplaceOrderRead => ({
  tenant,
  store,
  marketplace: 'shopify',
  connectedAt: null,
  order,
  name: order,
  placedAt: 0,
  updatedAt,
  cancelledAt: isCancelled ? updatedAt : null,
  lines,
  at: 0,
});

/** What reservation holds after these order events, as they arrive, and what it tells stock. */
function reserve(order: string, arrived: readonly OrderChanged[]) {
  let held = nothingReserved;
  let sequence = 0;
  const told: ReservationEvent[] = [];
  for (const event of arrived) {
    if (hasSeen(held, event)) continue;
    for (const data of decideOrder(held, event)) {
      sequence += 1;
      held = evolveReservation(held, data);
      const telling = eventOf(tenant, { store, order }, { sequence, at: 0, data });
      if (telling) told.push(telling);
    }
  }
  return { held, told };
}

const idOf = ({ data }: ReservationEvent) => `${data.order.order}/${data.sequence}`;

function rowOf(sku: SkuStock, event: ReservationEvent): LedgerRow {
  switch (event.type) {
    case 'UnitsReserved':
      return decideReserved(sku, event.data);
    case 'UnitsReleased':
      return decideReleased(sku, event.data);
    case 'UnitsAutoPicked':
      return decideAutoPicked(sku, event.data);
  }
}

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
    write(idOf(event), rowOf(state, event));
    const onHand = counts[index % counts.length];
    if (onHand === undefined) return;
    const seen = onHandAt(state, 'default');
    write(`count ${index}`, decideUpdate(state, { tenant, sku, location: 'default', seen, onHand, reason: null, user: ann, at: 0 }));
  });
  return { state, rows };
}

const aLife = fc.array(aStep, { minLength: 1, maxLength: 10 });
/** Some of them, in their order: the others were lost on the way, but for the last. */
const losing = <T>(events: readonly T[]) => fc.subarray(events.slice(0, -1)).map((some) => [...some, ...events.slice(-1)]);
/** Each at least once, in any order. */
const doubledAndSwapped = <T>(events: readonly T[]) =>
  fc
    .tuple(fc.shuffledSubarray([...events], { minLength: events.length }), fc.subarray([...events]))
    .map(([all, again]) => [...all, ...again]);

const aWeek = fc.tuple(aLife, aLife).chain(([one, other]) =>
  fc.tuple(losing(ordersOf('1', one)), losing(ordersOf('2', other))).chain(([first, second]) => {
    const reservations = [reserve('1', first), reserve('2', second)];
    const told = reservations.flatMap((reservation) => reservation.told);
    return fc.tuple(fc.constant(reservations), fc.constant(told), doubledAndSwapped(told), fc.array(upTo(6), { maxLength: 3 }));
  }),
);

test('the open reservations of all orders are the reserves of the ledger, whatever is lost, doubled or swapped on the way', () => {
  fc.assert(
    fc.property(aWeek, ([reservations, , arrived, counts]) => {
      for (const sku of skus) {
        const { orderReserve, batchReserve } = keepBooks(sku, arrived, counts).state.quantities;
        expect(orderReserve + batchReserve).toBe(reservations.reduce((sum, { held }) => sum + openOf(held, sku), 0));
      }
    }),
    { numRuns: 300 },
  );
});

test('every row of every ledger satisfies the formula and follows from the row before it', () => {
  fc.assert(
    fc.property(aWeek, ([, , arrived, counts]) => {
      for (const sku of skus) {
        let before = unknownSku.quantities;
        keepBooks(sku, arrived, counts).rows.forEach(({ sequence, change, after }, index) => {
          expect(sequence).toBe(index + 1);
          expect(after.available).toBe(after.onHand - after.orderReserve - after.batchReserve);
          expect(after).toEqual({
            onHand: before.onHand + change.onHand,
            orderReserve: before.orderReserve + change.orderReserve,
            batchReserve: before.batchReserve + change.batchReserve,
            available: before.available + change.available,
          });
          before = after;
        });
      }
    }),
    { numRuns: 300 },
  );
});

test('a ledger comes to the same quantities in whatever order, and however often, the same reservation events arrive', () => {
  fc.assert(
    fc.property(aWeek, ([, told, arrived]) => {
      for (const sku of skus) expect(keepBooks(sku, arrived, []).state.quantities).toEqual(keepBooks(sku, told, []).state.quantities);
    }),
    { numRuns: 300 },
  );
});

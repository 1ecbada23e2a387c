import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planOf, storeOf } from '../plan.ts';
import { isReturn, type SaleRow } from '../sales.ts';

const row = (invoice: string, sku: string, quantity: number, customer = ''): SaleRow => ({ invoice, sku, quantity, customer });
const levelsOf = (rows: readonly SaleRow[]) => Object.fromEntries(planOf(rows).levels);

describe('what is played', () => {
  test('consecutive rows of one invoice are one order, also where a SKU stands on two of them', () => {
    const { steps, movements } = planOf([row('1', 'A', 2), row('1', 'B', 1), row('1', 'A', 3), row('2', 'A', 1)]);
    expect(steps).toEqual([
      {
        kind: 'order',
        invoice: '1',
        lines: [
          { sku: 'A', quantity: 2 },
          { sku: 'B', quantity: 1 },
          { sku: 'A', quantity: 3 },
        ],
      },
      { kind: 'order', invoice: '2', lines: [{ sku: 'A', quantity: 1 }] },
    ]);
    expect(movements).toBe(3);
  });

  test('a return puts units back, a write-off takes them away, each where it stands in the file', () => {
    const { steps } = planOf([row('1', 'A', 2), row('C2', 'A', -2), row('3', 'A', -1), row('4', 'A', 1)]);
    expect(steps.map((step) => (step.kind === 'update' ? [step.sku, step.change, step.reason] : step.invoice))).toEqual([
      '1',
      ['A', 2, 'return'],
      ['A', -1, 'adjustment'],
      '4',
    ]);
  });

  const cancelled = (rows: readonly SaleRow[], canEdit?: (invoice: string) => boolean) =>
    planOf(rows, canEdit).steps.flatMap((step) =>
      step.kind === 'cancel' ? [[step.order.invoice, step.line, step.quantity, step.isLast ? 'whole' : 'part']] : [],
    );

  test('what a customer gives back is taken off the newest order of theirs that has enough of it left', () => {
    const rows = [row('1', 'A', 5, 'ann'), row('2', 'B', 1, 'ann'), row('2', 'A', 2, 'ann'), row('3', 'A', 9, 'bob')];
    expect(cancelled([...rows, row('C4', 'A', -2, 'ann'), row('C5', 'A', -2, 'ann'), row('C6', 'A', -3, 'ann')])).toEqual([
      ['2', 1, 2, 'part'],
      ['1', 0, 2, 'part'],
      ['1', 0, 3, 'whole'],
    ]);
  });

  test.each([
    ['more than was bought at once', [row('1', 'A', 2, 'ann'), row('2', 'A', 2, 'ann'), row('C3', 'A', -3, 'ann')]],
    ['what somebody else has bought', [row('1', 'A', 2, 'bob'), row('C2', 'A', -1, 'ann')]],
    ['what was bought before the file begins', [row('C1', 'A', -1, 'ann'), row('2', 'A', 1, 'ann')]],
    ['what nobody knows the customer of', [row('1', 'A', 2), row('C2', 'A', -1)]],
  ])('a return is put on the shelf as a Stock Update: %s', (_what, rows) => {
    expect(cancelled(rows)).toEqual([]);
    expect(planOf(rows).steps.filter((step) => step.kind === 'update')).toMatchObject([{ sku: 'A', reason: 'return' }]);
  });

  test('where orders cannot be edited one goes as a whole, or stays', () => {
    const rows = [row('1', 'A', 2, 'ann'), row('2', 'A', 2, 'ann'), row('2', 'B', 1, 'ann'), row('C3', 'A', -2, 'ann')];
    expect(cancelled(rows, () => false)).toEqual([['1', 0, 2, 'whole']]);
    expect(cancelled([...rows, row('C4', 'A', -1, 'ann')], () => false)).toEqual([['1', 0, 2, 'whole']]);
  });

  test('an invoice that comes again further down is another order', () => {
    const { orders, invoices, lines, orderLines } = planOf([row('1', 'A', 2), row('2', 'A', 1), row('1', 'A', 2)]);
    expect({ orders, invoices, lines, orderLines }).toEqual({ orders: 3, invoices: 3, lines: 3, orderLines: 3 });
  });
});

describe('what must come of it', () => {
  test('a SKU opens with the least with which it never goes below zero', () => {
    const rows = [row('1', 'A', 5), row('C2', 'A', -3), row('3', 'A', 4), row('4', 'B', -2), row('C5', 'C', -6), row('6', 'C', 1)];
    expect(levelsOf(rows)).toEqual({
      A: { opening: 6, closing: 0 },
      B: { opening: 2, closing: 0 },
      C: { opening: 0, closing: 5 },
    });
  });

  test('SKUs that differ in case only are two', () => {
    expect(levelsOf([row('1', '85123a', 1), row('1', '85123A', 2)])).toEqual({
      '85123a': { opening: 1, closing: 0 },
      '85123A': { opening: 2, closing: 0 },
    });
  });

  test('whatever the file says: no SKU ever goes below zero, with one unit less it would, and nothing is lost', () => {
    const sale = fc.record({
      invoice: fc.constantFrom('1', '2', '3'),
      sku: fc.constantFrom('A', 'B'),
      quantity: fc.integer({ min: 1, max: 9 }),
      customer: fc.constantFrom('ann', 'bob', ''),
    });
    const back = sale.map((of): SaleRow => ({ ...of, invoice: `C${of.invoice}`, quantity: 0 - of.quantity }));
    const writeOff = sale.map((of): SaleRow => ({ ...of, quantity: 0 - of.quantity }));
    fc.assert(
      fc.property(fc.array(fc.oneof(sale, back, writeOff), { minLength: 1 }), (rows) => {
        for (const [sku, { opening, closing }] of planOf(rows).levels) {
          let level = opening;
          let lowest = opening;
          for (const { invoice, quantity } of rows.filter((each) => each.sku === sku)) {
            level += isReturn(invoice) ? Math.abs(quantity) : -Math.abs(quantity);
            lowest = Math.min(lowest, level);
          }
          expect(lowest).toBe(opening === 0 ? Math.max(0, lowest) : 0);
          expect(closing).toBe(level);
        }
      }),
    );
  });

  test('whatever the file says: what is played adds up to it, and no more is taken off an order than was on it', () => {
    const line = fc.record({
      invoice: fc.constantFrom('1', '2', '3', 'C1', 'C2'),
      sku: fc.constantFrom('A', 'B'),
      quantity: fc.integer({ min: 1, max: 5 }),
      customer: fc.constantFrom('ann', 'bob'),
    });
    const file = fc.array(line, { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(file, fc.boolean(), (lines, canEdit) => {
        const rows = lines.map((each) => ({ ...each, quantity: isReturn(each.invoice) ? -each.quantity : each.quantity }));
        const { steps, levels } = planOf(rows, () => canEdit);
        const available = new Map([...levels].map(([sku, { opening }]) => [sku, opening]));
        const left = new Map<unknown, number[]>();
        const move = (sku: string, by: number) => void available.set(sku, (available.get(sku) ?? 0) + by);
        for (const step of steps) {
          if (step.kind === 'order') {
            left.set(
              step,
              step.lines.map(({ quantity }) => quantity),
            );
            for (const { sku, quantity } of step.lines) move(sku, -quantity);
          } else if (step.kind === 'update') move(step.sku, step.change);
          else {
            const units = left.get(step.order) ?? [];
            units[step.line] = (units[step.line] ?? 0) - step.quantity;
            expect(Math.min(...units)).toBeGreaterThanOrEqual(0);
            expect(step.isLast).toBe(units.every((each) => each === 0));
            if (!canEdit) expect(step.isLast).toBe(true);
            move(step.sku, step.quantity);
          }
        }
        expect(Object.fromEntries(available)).toEqual(Object.fromEntries([...levels].map(([sku, { closing }]) => [sku, closing])));
      }),
    );
  });
});

test('an invoice is always bought at the same store, and every store gets its share', () => {
  const stores = ['one', 'two', 'three', 'four'];
  const invoices = Array.from({ length: 200 }, (_, index) => String(536_365 + index));
  const at = invoices.map((invoice) => storeOf(invoice, stores));
  expect(invoices.map((invoice) => storeOf(invoice, stores))).toEqual(at);
  for (const store of stores) expect(at.filter((each) => each === store).length).toBeGreaterThan(30);
});

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { planOf, storeOf } from '../plan.ts';
import { isReturn, type SaleRow } from '../sales.ts';

const row = (invoice: string, sku: string, quantity: number): SaleRow => ({ invoice, sku, quantity });
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
    expect(steps.map((step) => (step.kind === 'order' ? step.invoice : [step.sku, step.change, step.reason]))).toEqual([
      '1',
      ['A', 2, 'return'],
      ['A', -1, 'adjustment'],
      '4',
    ]);
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
});

test('an invoice is always bought at the same store, and every store gets its share', () => {
  const stores = ['one', 'two'];
  const invoices = Array.from({ length: 200 }, (_, index) => String(536_365 + index));
  const at = invoices.map((invoice) => storeOf(invoice, stores));
  expect(invoices.map((invoice) => storeOf(invoice, stores))).toEqual(at);
  expect(at.filter((store) => store === 'one').length).toBeGreaterThan(70);
  expect(at.filter((store) => store === 'two').length).toBeGreaterThan(70);
});

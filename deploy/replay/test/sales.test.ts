import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { planOf } from '../plan.ts';
import { readSales } from '../sales.ts';

const heading = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';
let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'replay-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(...rows: string[]): string {
  const path = join(folder, `${rows.length}-${Math.random()}.csv`);
  writeFileSync(path, [heading, ...rows].join('\r\n'));
  return path;
}

describe('reading a file', () => {
  test('a row is an invoice, a SKU byte for byte, and a quantity', async () => {
    const path = file('536365,85123a,"HEART, WHITE",6,2010-12-01 08:26:00,2.55,17850.0,United Kingdom', 'C536379, D,Discount,-1,,27.5,,');
    expect(await readSales([path])).toEqual([
      { invoice: '536365', sku: '85123a', quantity: 6, customer: '17850.0' },
      { invoice: 'C536379', sku: ' D', quantity: -1, customer: '' },
    ]);
  });

  test('several files are played one after the other', async () => {
    const rows = await readSales([file('2,A,,1,,,,'), file('1,A,,1,,,,')]);
    expect(rows.map(({ invoice }) => invoice)).toEqual(['2', '1']);
  });

  test.each([
    ['1,,,1,,,,', 'a StockCode'],
    ['1,A,,0,,,,', 'Quantity is a whole number other than 0'],
    ['1,A,,1.5,,,,', 'Quantity is a whole number other than 0'],
    ['1,A,,2000000,,,,', 'Quantity is a whole number other than 0'],
    ['C1,A,,2,,,,', 'on a return'],
    [',A,,2,,,,', 'an InvoiceNo'],
    ['1,A,,2', '8 fields are expected'],
  ])('the row %s is refused, with its line', async (bad, why) => {
    await expect(readSales([file('1,A,,1,,,,', bad)])).rejects.toThrow(new RegExp(`line 3: .*${why}`));
  });
});

const day = fileURLToPath(new URL('../../../../shared/data/online-retail/2010-12-01.csv', import.meta.url));
const present = existsSync(day);
(present ? test : test.skip)(
  `a real day is what it is known to be${present ? '' : ' (skipped: ../shared/data is not there)'}`,
  async () => {
    const { lines, invoices, levels, orders, steps, cancellations } = planOf(await readSales([day]));
    expect({ lines, invoices, skus: levels.size }).toEqual({ lines: 3108, invoices: 143, skus: 1351 });
    const updates = steps.filter((step) => step.kind === 'update');
    expect(updates.filter(({ reason }) => reason === 'return')).toHaveLength(25);
    expect(updates.filter(({ reason }) => reason === 'adjustment')).toEqual([
      { kind: 'update', invoice: '536589', sku: '21777', change: -10, reason: 'adjustment' },
    ]);
    expect(Math.max(...steps.map((step) => (step.kind === 'order' ? step.lines.length : 0)))).toBe(592);
    expect(cancellations).toBe(1);
    expect(orders).toBeLessThan(invoices);
  },
);

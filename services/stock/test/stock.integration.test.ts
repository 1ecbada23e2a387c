import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { until } from '@evenkeel/chassis/testing';
import { openStockProcess } from './stock-process.ts';

let stock: Awaited<ReturnType<typeof openStockProcess>>;
beforeAll(async () => {
  stock = await openStockProcess();
}, 60_000);
afterAll(async () => {
  await stock?.[Symbol.asyncDispose]();
});

interface Listed {
  readonly sku: string;
  readonly sequence: number;
  readonly quantities: { readonly onHand: number; readonly available: number };
}
const listed = async (query: string) => (await stock.call('GET', `/products?${query}`)).body as { products: Listed[]; next: string | null };
const skusOf = async (query: string) => (await listed(query)).products.map(({ sku }) => sku);
const count = async (sku: string, onHand: number, location = 'default', seen = 0) =>
  stock.call('PUT', `/products/${encodeURIComponent(sku)}/locations/${location}/on-hand`, { seen, onHand });
/** The table follows the ledger: waits until it shows that row. */
const shown = async (sku: string, sequence: number) =>
  until(
    async () => (await listed(`search=${encodeURIComponent(sku)}`)).products.find((one) => one.sequence >= sequence),
    `${sku} in the table`,
  );

describe('the inventory table', () => {
  beforeAll(async () => {
    await stock.call('PUT', '/products/MUG-1', { title: 'Mug, blue', lowStockAtOrBelow: 5 });
    await stock.call('PUT', '/products/MUG-2', { title: 'Mug, red (large)' });
    await stock.call('PUT', '/products/CUP-1', { title: '=Cup' });
    await count('MUG-1', 3);
    await count('MUG-1', 4, 'back');
    await count('MUG-2', 30);
    await stock.call('PUT', '/products/OLD-1', { title: 'Mug of last year', retired: true });
    await shown('MUG-1', 3);
    await shown('MUG-2', 2);
    await shown('CUP-1', 1);
    await until(async () => (await skusOf('retired=true')).length === 1, 'the retired product');
  }, 60_000);

  test('shows what there is; retired products only when they are asked for', async () => {
    const { products } = await listed('search=MUG-1');
    expect(products).toMatchObject([
      {
        sku: 'MUG-1',
        title: 'Mug, blue',
        quantities: { onHand: 7, orderReserve: 0, batchReserve: 0, available: 7 },
        counted: true,
        low: false,
        oversold: false,
        retired: false,
      },
    ]);
    expect(await skusOf('')).toEqual(['CUP-1', 'MUG-1', 'MUG-2']);
    expect(await skusOf('retired=true')).toEqual(['OLD-1']);
  });
  test('is searched by the beginning of the SKU or a part of the title, in any case, and a pattern is only a text', async () => {
    expect(await skusOf('search=mug-')).toEqual(['MUG-1', 'MUG-2']);
    expect(await skusOf('search=RED')).toEqual(['MUG-2']);
    expect(await skusOf('search=(large)')).toEqual(['MUG-2']);
    expect(await skusOf('search=.*')).toEqual([]);
  });
  test('is filtered by what is counted and what is low', async () => {
    expect(await skusOf('counted=false')).toEqual(['CUP-1']);
    expect(await skusOf('low=true')).toEqual([]);
    await count('MUG-1', 1, 'default', 3);
    await shown('MUG-1', 4);
    expect(await skusOf('low=true')).toEqual(['MUG-1']);
    expect((await stock.call('GET', '/incidents/low_stock/MUG-1')).body).toMatchObject({
      incident: { state: 'open', details: { available: '5', lowStockAtOrBelow: '5' } },
    });
  });
  test.each(['sku', 'title', 'onHand', 'orderReserve', 'batchReserve', 'available'])(
    'is sorted by %s both ways, and its pages miss nothing',
    async (sort) => {
      const whole = await skusOf(`sort=${sort}`);
      expect(whole.toSorted()).toEqual(['CUP-1', 'MUG-1', 'MUG-2']);
      expect(await skusOf(`sort=${sort}&order=descending`)).toEqual(whole.toReversed());
      for (const order of ['ascending', 'descending']) {
        const paged: string[] = [];
        for (let after = ''; ;) {
          const { products, next } = await listed(`sort=${sort}&order=${order}&limit=1${after}`);
          paged.push(...products.map(({ sku }) => sku));
          if (next === null) break;
          after = `&after=${next}`;
        }
        expect(paged).toEqual(order === 'ascending' ? whole : whole.toReversed());
      }
    },
  );
  test('goes out as CSV, a line for each location, with nothing that a spreadsheet would run', async () => {
    const { status, body } = await stock.call('GET', '/products.csv');
    expect(status).toBe(200);
    const lines = String(body).trimEnd().split('\r\n');
    expect(lines[0]).toMatch(/^sku,title,location,on_hand,/);
    expect(lines.slice(1)).toEqual([
      "CUP-1,'=Cup,,,,,0,0,0,false,false",
      expect.stringMatching(/^MUG-1,"Mug, blue",default,1,5,,0,0,5,true,false$/),
      expect.stringMatching(/^MUG-1,"Mug, blue",back,4,5,,0,0,5,true,false$/),
      'MUG-2,"Mug, red (large)",default,30,,,0,0,30,true,false',
    ]);
  });
  test('knows the locations', async () => {
    expect((await stock.call('GET', '/locations')).body).toEqual({
      locations: [
        { location: 'back', products: 1, units: 4 },
        { location: 'default', products: 2, units: 31 },
      ],
    });
  });
  test('is there for any past moment, as JSON and as CSV', async () => {
    const before = new Date().toISOString();
    await new Promise((resolve) => setTimeout(resolve, 2)); // the next row must have a later millisecond
    await count('MUG-2', 12, 'default', 30);
    await shown('MUG-2', 3);
    const at = encodeURIComponent(before);
    const onHandAt = async (moment: string) => {
      const { body } = await stock.call('GET', `/stock-snapshots?at=${moment}`);
      return (body as { products: Listed[] }).products.map(({ sku, quantities }) => [sku, quantities.onHand]);
    };
    const then = [
      ['CUP-1', 0],
      ['MUG-1', 5],
      ['MUG-2', 30],
      ['OLD-1', 0],
    ];
    expect(await onHandAt(at)).toEqual(then);
    expect(await onHandAt(encodeURIComponent(new Date().toISOString()))).toContainEqual(['MUG-2', 12]);
    expect(await onHandAt('2020-01-01T00:00:00Z')).toEqual(then.map(([sku]) => [sku, 0]));
    const { body } = await stock.call('GET', `/stock-snapshots.csv?at=${at}`);
    expect(String(body)).toContain('MUG-2,"Mug, red (large)",30,0,0,30,true\r\n');
    expect((await stock.call('GET', `/products/MUG-2?at=${at}`)).body).toMatchObject({ sequence: 2, quantities: { onHand: 30 } });
    // Of many products at once only the newest rows are read together; a product that has moved more often since must not stand there with zeros.
    for (let rows = 0; rows < 25; rows += 1) await count('MUG-2', 13 + rows, 'default', 12 + rows);
    await shown('MUG-2', 28);
    expect(await onHandAt(at)).toEqual(then);
  });
});

describe('purchasing', () => {
  const onHandOf = async (sku: string) =>
    ((await stock.call('GET', `/products/${sku}`)).body as { quantities: { onHand: number } }).quantities.onHand;

  test('what is put away becomes On Hand at its location, what only came in does not', async () => {
    const created = await stock.call('POST', '/purchase-orders', {
      purchaseOrder: 'PO 1',
      lines: [
        { sku: 'BOWL', quantity: 10 },
        { sku: 'JUG', quantity: 2 },
      ],
    });
    expect(created.status).toBe(201);
    await stock.call('POST', '/purchase-orders/PO%201/receipts', { lines: [{ sku: 'BOWL', quantity: 6 }], putAway: false });
    await stock.call('POST', '/purchase-orders/PO%201/receipts', { lines: [{ sku: 'JUG', quantity: 2 }], location: 'back' });
    await until(async () => (await onHandOf('JUG')) === 2, 'the jugs');
    expect(await onHandOf('BOWL')).toBe(0);
    await stock.call('POST', '/purchase-orders/PO%201/put-aways', {});
    await until(async () => (await onHandOf('BOWL')) === 6, 'the bowls');
    expect((await stock.call('GET', '/products/JUG/movements')).body).toMatchObject({
      movements: [
        { type: 'PurchaseReceiving', purchaseOrder: 'PO 1', location: 'back', change: { onHand: 2, available: 2 }, user: { id: 'olga' } },
      ],
    });
    expect((await stock.call('GET', '/purchase-orders/PO%201')).body).toMatchObject({
      purchaseOrder: {
        state: 'open',
        lines: [
          { sku: 'BOWL', received: 6, putAway: 6, toCome: 4 },
          { sku: 'JUG', toCome: 0 },
        ],
      },
    });
  });
  test('purchase orders are listed newest first, in pages', async () => {
    for (const name of ['PO 2', 'PO 3'])
      await stock.call('POST', '/purchase-orders', { purchaseOrder: name, lines: [{ sku: 'BOWL', quantity: 1 }] });
    await stock.call('POST', '/purchase-orders/PO%202/close');
    const page = async (query: string) =>
      (await stock.call('GET', `/purchase-orders?${query}`)).body as { purchaseOrders: { purchaseOrder: string }[]; next: string | null };
    const names = async (query: string) => (await page(query)).purchaseOrders.map(({ purchaseOrder }) => purchaseOrder);
    expect(await names('')).toEqual(['PO 3', 'PO 2', 'PO 1']);
    expect(await names('state=open')).toEqual(['PO 3', 'PO 1']);
    const { next } = await page('limit=2');
    expect(await names(`limit=2&after=${next}`)).toEqual(['PO 1']);
  });
  // Each step has the whole purchase order; those of one burst had become one document, too large for the database, and ended the service again and again.
  test('hundreds of scans at once of a delivery with a thousand products are all taken in', async () => {
    const lines = Array.from({ length: 1_000 }, (_, index) => ({ sku: `DELIVERED-PRODUCT-${index}`, quantity: 1_000 }));
    expect((await stock.call('POST', '/purchase-orders', { purchaseOrder: 'PO 9', lines })).status).toBe(201);
    const scan = async (_: unknown, index: number) => {
      const scanned = { lines: [{ sku: `DELIVERED-PRODUCT-${index}`, quantity: 1 }] };
      return (await stock.call('POST', '/purchase-orders/PO%209/receipts', scanned)).status;
    };
    const answers = await Promise.all(Array.from({ length: 300 }, scan));
    expect(answers.filter((status) => status !== 200 && status !== 202)).toEqual([]);
    const received = async () => {
      const { body } = await stock.call('GET', '/purchase-orders/PO%209');
      return (body as { purchaseOrder: { lines: { received: number }[] } }).purchaseOrder.lines.reduce(
        (sum, line) => sum + line.received,
        0,
      );
    };
    await until(async () => (await received()) === 300, 'all that was scanned');
  }, 120_000);
});

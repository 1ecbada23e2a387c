import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { until } from '@evenkeel/chassis/testing';
import { openStockProcess } from './stock-process.ts';

let stock: Awaited<ReturnType<typeof openStockProcess>>;
beforeAll(async () => {
  stock = await openStockProcess();
}, 60_000);
afterAll(async () => {
  await stock?.[Symbol.asyncDispose]();
});

interface Import {
  readonly id: string;
  readonly state: string;
  readonly changes: number;
  readonly applied: number;
  readonly errorCount: number;
  readonly errors: readonly unknown[];
  readonly refused: readonly unknown[];
}
const importIn = (body: unknown) => (body as { import: Import }).import;
const send = async (text: string) => importIn((await stock.call('POST', '/product-imports', text)).body);
const apply = async (id: string, body: unknown = {}) => stock.call('POST', `/product-imports/${id}/apply`, body);
const read = async (id: string) => importIn((await stock.call('GET', `/product-imports/${id}`)).body);
const applied = async (id: string, seconds?: number) =>
  until(
    async () => {
      const now = await read(id);
      return now.state === 'applied' && now;
    },
    'the import to be applied',
    seconds,
  );
const productOf = async (sku: string) => (await stock.call('GET', `/products/${sku}`)).body;

test('a file is looked at, changes nothing until it is applied, and is then in the ledgers', async () => {
  const { id, ...preview } = await send('sku,title,location,on_hand,low_stock_at_or_below\nMUG,Mug,back,3,1\nMUG,,shop,2,\nCUP,Cup,,,\n');
  expect(preview).toMatchObject({ state: 'previewed', rows: 3, changes: 3, errors: [], applied: 0 });
  expect(await productOf('MUG')).toMatchObject({ sequence: 0 });
  expect((await apply(id)).status).toBe(202);
  expect(await applied(id)).toMatchObject({ applied: 3, refused: [] });
  expect(await productOf('MUG')).toMatchObject({
    title: 'Mug',
    lowStockAtOrBelow: 1,
    counted: true,
    locations: { back: 3, shop: 2 },
    quantities: { onHand: 5 },
  });
  expect(await productOf('CUP')).toMatchObject({ title: 'Cup', counted: false });
  // Applied again, and looked at again: nothing more to do.
  await apply(id);
  expect(await productOf('MUG')).toMatchObject({ sequence: 3 });
  const { body } = await stock.call('GET', '/products.csv');
  expect(await send(String(body))).toMatchObject({ changes: 0, errorCount: 0 });
});

test('a count that somebody made meanwhile is not overwritten, and the row is reported', async () => {
  const { id } = await send('sku,on_hand\nJUG,7\nPOT,1\n');
  await stock.call('PUT', '/products/JUG/locations/default/on-hand', { seen: 0, onHand: 5 });
  await apply(id);
  expect(await applied(id)).toMatchObject({ applied: 1, refused: [{ line: 2, sku: 'JUG', reason: 'on_hand_changed' }] });
  expect(await productOf('JUG')).toMatchObject({ quantities: { onHand: 5 } });
  expect(await productOf('POT')).toMatchObject({ quantities: { onHand: 1 } });
});

test('a setting that somebody changed meanwhile, and that the file says nothing of, is left as it is', async () => {
  // An import sent all settings as they were when the file was looked at.
  const named = { title: 'Vase', defaultLocation: null, lowStockAtOrBelow: null, retired: false };
  await stock.call('PUT', '/products/VASE', named);
  const { id } = await send('sku,low_stock_at_or_below\nVASE,4\n');
  await stock.call('PUT', '/products/VASE', { ...named, title: 'Vase, tall' });
  await apply(id);
  expect(await applied(id)).toMatchObject({ applied: 1, refused: [] });
  expect(await productOf('VASE')).toMatchObject({ title: 'Vase, tall', lowStockAtOrBelow: 4 });
});

test('rows that are wrong hold the file back, unless the others are wanted alone', async () => {
  const { id, ...preview } = await send('sku,on_hand\nPAN,one\nLID,2\n');
  expect(preview).toMatchObject({ errorCount: 1, errors: [{ line: 2, column: 'on_hand' }], changes: 1 });
  expect(await apply(id)).toMatchObject({ status: 409, body: { type: 'urn:evenkeel:problem:rows-are-wrong' } });
  await apply(id, { skipErrors: true });
  expect(await applied(id)).toMatchObject({ applied: 1 });
  expect(await productOf('PAN')).toMatchObject({ sequence: 0 });
  expect(await stock.call('POST', '/product-imports', 'colour\nblue\n')).toMatchObject({
    status: 400,
    body: { type: 'urn:evenkeel:problem:unreadable-csv' },
  });
  expect(await apply('nothing')).toMatchObject({ status: 404 });
  expect(await stock.call('GET', '/product-imports/nothing')).toMatchObject({ status: 404 });
});

test('a file that is sent again while it is still looked at is one import, whole, and applied once', async () => {
  // Both requests kept their parts under the same names: one was answered 500, or the other lost rows.
  const text = ['sku,on_hand', ...Array.from({ length: 1_200 }, (_, index) => `TWICE-${index},${index % 7}`)].join('\n');
  const answers = await Promise.all(Array.from({ length: 4 }, () => stock.call('POST', '/product-imports', text, 'sent-again')));
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
  const [first, ...others] = answers.map(({ body }) => importIn(body));
  expect(first).toMatchObject({ changes: 1_200, errorCount: 0 });
  expect(others).toEqual(others.map(() => first));
  await apply(first?.id ?? '');
  expect(await applied(first?.id ?? '', 120)).toMatchObject({ applied: 1_200, refused: [] });
  for (const index of [0, 600, 1_199])
    expect(await productOf(`TWICE-${index}`)).toMatchObject({ sequence: 1, quantities: { onHand: index % 7 } });
}, 180_000);

test('ten thousand products can be looked at', async () => {
  const rows = Array.from({ length: 10_000 }, (_, index) => `MANY-${index},${index % 90}`);
  expect(await send(['sku,on_hand', ...rows].join('\n'))).toMatchObject({ rows: 10_000, changes: 10_000, errorCount: 0 });
}, 60_000);

test('thousands of products are taken in, also when the service is killed in the middle, each row once', async () => {
  const rows = Array.from({ length: 2_000 }, (_, index) => `BULK-${String(index).padStart(5, '0')},Product ${index},${index % 90}`);
  const preview = await send(['sku,title,on_hand', ...rows].join('\n'));
  await apply(preview.id);
  await until(async () => (await read(preview.id)).applied > 0, 'the first rows');
  await stock.kill();
  await stock.start();
  expect(await applied(preview.id, 240)).toMatchObject({ applied: 2_000, refused: [] });
  // A setting and a count, whatever was sent again.
  for (const index of [0, 499, 500, 1_999]) {
    const sku = `BULK-${String(index).padStart(5, '0')}`;
    expect(await productOf(sku)).toMatchObject({ sequence: 2, title: `Product ${index}`, quantities: { onHand: index % 90 } });
  }
}, 300_000);

import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { csvLine } from '../src/csv.ts';
import { unknownSku, type SkuStock } from '../src/domain.ts';
import { mostImportRows, planRows, readImport, UnreadableImport, type KnownProduct } from '../src/imports.ts';

const known = (state: Partial<SkuStock> = {}, sequence = 0): KnownProduct => ({ state: { ...unknownSku, ...state }, sequence });
const planOf = (text: string, products: Readonly<Record<string, KnownProduct>> = {}) => {
  const { rows, errors } = readImport(text);
  const plan = planRows(rows, new Map(rows.map(({ sku }) => [sku, products[sku] ?? known()])));
  return { planned: plan.planned, errors: [...errors, ...plan.errors] };
};

describe('reading a file of products', () => {
  test('columns may come in any order, and some may be left out; an empty cell says nothing', () => {
    expect(readImport('title,SKU,on_hand\r\n"Mug, ""blue""",MUG,3\r\n,CUP,\r\n')).toEqual({
      rows: [
        { line: 2, sku: 'MUG', title: 'Mug, "blue"', location: null, onHand: 3, lowStockAtOrBelow: null, defaultLocation: null },
        { line: 3, sku: 'CUP', title: null, location: null, onHand: null, lowStockAtOrBelow: null, defaultLocation: null },
      ],
      errors: [],
    });
  });
  test('a mark at the beginning, semicolons, empty lines and what an export has beside it do no harm', () => {
    expect(readImport('\ufeffsku;title;available\nMUG;Mug;3\n\n').rows).toMatchObject([{ sku: 'MUG', title: 'Mug' }]);
  });
  test('lines are those of the file, whatever its line breaks are, and whether one is quoted; what is empty below the table does no harm', () => {
    const text = '\ufeffsku,title,on_hand\r\nMUG,"Mug\r\nblue",1\nCUP,Täßchen,2\rJUG,Jug,x\r\n,,\r\n\r\nPOT,Pot,y';
    const { rows, errors } = readImport(text);
    expect(rows.map(({ line, sku }) => [line, sku])).toEqual([[4, 'CUP']]);
    expect(errors.map(({ line, column }) => [line, column])).toEqual([
      [3, 'title'],
      [5, 'on_hand'],
      [8, 'on_hand'],
    ]);
  });
  test('what an export wrote is read as it was, also what looks like a formula', () => {
    const aText = fc.string({ minLength: 1, maxLength: 30 }).filter((text) => text === text.trim() && !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(aText, aText, (sku, title) => {
        const { rows, errors } = readImport(csvLine(['sku', 'title']) + csvLine([sku, title]));
        expect(errors).toEqual([]);
        expect(rows).toMatchObject([{ sku, title }]);
      }),
    );
  });
  test.each([
    ['nothing', ''],
    ['no header', 'MUG,3\n'],
    ['no column sku', 'title,on_hand\nMug,3\n'],
    ['a column that is not known', 'sku,colour\nMUG,blue\n'],
    ['a column twice', 'sku,sku\nMUG,MUG\n'],
    ['an open quote', 'sku,title\nMUG,"Mug\n'],
    ['too many rows', `sku\n${'MUG\n'.repeat(mostImportRows + 1)}`],
  ])('a file with %s is refused as a whole', (_, text) => {
    expect(() => readImport(text)).toThrow(UnreadableImport);
  });
  test('each row that is wrong says its line, its column and what to do; the others are read', () => {
    const text = [
      'sku,title,location,on_hand,low_stock_at_or_below',
      'MUG,Mug,,3,',
      ',Nameless,,1,',
      'CUP,,,three,',
      'JUG,,,-1,',
      'POT,,,1.5,',
      'PAN,,__proto__,1,',
      ' LID,,,1,',
      'TOP,,,1,,extra',
      `${'X'.repeat(256)},,,1,`,
      'BIN,,,1000000001,',
    ].join('\n');
    const { planned, errors } = planOf(text);
    expect(planned.map(({ sku }) => sku)).toEqual(['MUG']);
    expect(errors.toSorted((one, other) => one.line - other.line).map(({ line, column }) => [line, column])).toEqual([
      [3, 'sku'],
      [4, 'on_hand'],
      [5, 'on_hand'],
      [6, 'on_hand'],
      [7, 'location'],
      [8, 'sku'],
      [9, 'sku'],
      [10, 'sku'],
      [11, 'on_hand'],
    ]);
    for (const { message } of errors) expect(message).toMatch(/;|name/);
  });
});

describe('what a file would do', () => {
  test('a new product is set and counted; a count says what On Hand was when the file was looked at', () => {
    expect(planOf('sku,title,on_hand,default_location\nMUG,Mug,3,back\n').planned).toEqual([
      {
        line: 2,
        sku: 'MUG',
        settings: { title: 'Mug', defaultLocation: 'back', lowStockAtOrBelow: null, retired: false },
        said: { title: 'Mug', defaultLocation: 'back' },
        count: { location: 'back', seen: 0, onHand: 3 },
      },
    ]);
  });
  test('a product that is only named comes to be, and one that is known keeps what the file does not say', () => {
    expect(planOf('sku\nMUG\n').planned).toMatchObject([{ sku: 'MUG', settings: { title: null }, count: null }]);
    const product = { title: 'Mug', defaultLocation: null, lowStockAtOrBelow: 4, retired: false };
    expect(planOf('sku,title\nMUG,Mug blue\n', { MUG: known({ product }, 3) }).planned).toMatchObject([
      { settings: { title: 'Mug blue', lowStockAtOrBelow: 4 } },
    ]);
  });
  test('what is so already is left out: the same file again does nothing', () => {
    const product = { title: 'Mug', defaultLocation: null, lowStockAtOrBelow: null, retired: false };
    const mug = known({ product, counted: true, locations: [{ location: 'default', onHand: 3 }] }, 2);
    expect(planOf('sku,title,on_hand\nMUG,Mug,3\n', { MUG: mug }).planned).toEqual([]);
    expect(planOf('sku,on_hand\nMUG,0\n').planned).toMatchObject([{ count: { seen: 0, onHand: 0 } }]);
  });
  test('white space around a name is wrong, unless the product or its location is called just that already', () => {
    const product = { title: ' Mug', defaultLocation: 'back ', lowStockAtOrBelow: null, retired: false };
    const mug = known({ product, counted: true, locations: [{ location: ' shop', onHand: 3 }] }, 2);
    const text = 'sku,title,location,default_location,on_hand\nMUG , Mug, shop,back ,4\n';
    expect(planOf(text, { 'MUG ': mug })).toMatchObject({
      planned: [{ sku: 'MUG ', settings: null, count: { location: ' shop' } }],
      errors: [],
    });
    expect(planOf(text).errors.map(({ column }) => column)).toEqual(['sku', 'title', 'location', 'default_location']);
    expect(planOf(text).planned).toEqual([]);
  });
  test('several lines of a product are its locations; one location twice, or two titles, are wrong', () => {
    expect(planOf('sku,location,on_hand\nMUG,back,3\nMUG,shop,2\n').planned.map(({ count }) => count?.location)).toEqual(['back', 'shop']);
    expect(planOf('sku,location,on_hand\nMUG,,3\nMUG,default,2\n').errors).toMatchObject([{ line: 3, column: 'location' }]);
    expect(planOf('sku,title\nMUG,Mug\nMUG,Cup\n')).toMatchObject({ planned: [], errors: [{ line: 3, column: 'title' }] });
  });
});

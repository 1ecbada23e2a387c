import { createHash } from 'node:crypto';
import { describe, expect, test } from '@jest/globals';
import type { Level } from '../src/pick-list.ts';
import { openWarehouse, tenant } from './warehouse.ts';

const problemOf = (type: string) => ({ type: `urn:evenkeel:problem:${type}` });
const all = (...orders: string[]) => orders.map((order) => ({ store: 's1', order }));
type Warehouse = Awaited<ReturnType<typeof openWarehouse>>;
async function batchOf(warehouse: Warehouse, ...orders: string[]): Promise<string> {
  const { body } = await warehouse.http.call('POST', '/pick-batches', { name: 'Monday', orders: all(...orders) });
  return (body as { batch: string }).batch;
}

describe('a pick batch', () => {
  test('is made of orders, and says of each what it got or why not', async () => {
    await using warehouse = await openWarehouse();
    warehouse.order('1', [
      ['a', 'MUG', 2],
      ['b', 'CUP', 1],
    ]);
    warehouse.order('2', [['a', 'MUG', 1, { cancelled: 1 }]]);
    const { status, body } = await warehouse.http.call('POST', '/pick-batches', { orders: all('1', '2', '3') });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      orders: [
        {
          order: '1',
          status: 'done',
          units: [
            { line: 'a', sku: 'MUG', quantity: 2 },
            { line: 'b', sku: 'CUP', quantity: 1 },
          ],
        },
        { order: '2', status: 'refused', reason: 'nothing_to_assign' },
        { order: '3', status: 'refused', reason: 'unknown_order' },
      ],
    });
  });
  test('asked for again with the same key is the same batch with the same answer, and nothing is assigned twice', async () => {
    await using warehouse = await openWarehouse();
    warehouse.order('1', [['a', 'MUG', 2]]);
    const wish = { orders: [{ store: 's1', order: '1', lines: [{ line: 'a', quantity: 1 }] }] };
    const first = await warehouse.http.call('POST', '/pick-batches', wish, 'monday');
    const again = await warehouse.http.call('POST', '/pick-batches', wish, 'monday');
    expect(again).toMatchObject({ status: 201, body: first.body as object });
    expect(await warehouse.places('1')).toEqual([1, 1, 0, 0]);
    expect(warehouse.sent).toHaveLength(1);
  });
  test('that nobody has decided yet is pending, and a repeat with the same key finds its answer', async () => {
    await using warehouse = await openWarehouse();
    warehouse.order('1', [['a', 'MUG', 2]]);
    warehouse.hold();
    const wish = { orders: all('1') };
    expect((await warehouse.http.call('POST', '/pick-batches', wish, 'later')).body).toMatchObject({ orders: [{ status: 'pending' }] });
    warehouse.hold(false);
    expect((await warehouse.http.call('POST', '/pick-batches', wish, 'later')).body).toMatchObject({ orders: [{ status: 'done' }] });
  });
  test('can be read with its orders, and the newest stands first in the list', async () => {
    await using warehouse = await openWarehouse();
    warehouse.order('1', [['a', 'MUG', 4]]);
    const batch = await batchOf(warehouse, '1');
    await warehouse.http.call('POST', `/pick-batches/${batch}/picks`, {
      orders: [{ store: 's1', order: '1', lines: [{ line: 'a', quantity: 1 }] }],
    });
    await warehouse.http.call('POST', `/pick-batches/${batch}/short-picks`, {
      orders: [{ store: 's1', order: '1', lines: [{ line: 'a', quantity: 1 }] }],
    });
    expect((await warehouse.http.call('GET', `/pick-batches/${batch}`)).body).toMatchObject({
      batch,
      name: 'Monday',
      state: 'open',
      createdBy: 'ann',
      orders: [
        {
          order: '1',
          name: '#1',
          lines: [{ line: 'a', sku: 'MUG', toPick: 2, picked: 1 }],
          products: [{ sku: 'MUG', assigned: 4, picked: 1, missing: 1, left: 0 }],
        },
      ],
      next: null,
    });
    expect((await warehouse.http.call('GET', '/pick-batches?state=open')).body).toMatchObject({ batches: [{ batch }], next: null });
    expect((await warehouse.http.call('GET', '/pick-batches?state=cancelled')).body).toMatchObject({ batches: [] });
  });
  test('says of which line its units are, also after another line of the product was cancelled, and is picked by what it says', async () => {
    await using warehouse = await openWarehouse();
    const lines = (cancelledOfA: number) => [['a', 'MUG', 1, { cancelled: cancelledOfA }] as const, ['b', 'MUG', 1] as const];
    warehouse.order('1', lines(0));
    const a = { store: 's1', order: '1', lines: [{ line: 'a', quantity: 1 }] };
    const made = (await warehouse.http.call('POST', '/pick-batches', { orders: [a] })).body as { batch: string };
    warehouse.order('1', lines(1));
    const { body } = await warehouse.http.call('GET', `/pick-batches/${made.batch}`);
    const [found] = (body as { orders: { lines: { line: string; toPick: number }[] }[] }).orders;
    expect(found?.lines).toMatchObject([{ line: 'b', toPick: 1 }]);
    const named = found?.lines.map(({ line, toPick }) => ({ line, quantity: toPick }));
    const picks = { orders: [{ store: 's1', order: '1', lines: named }] };
    expect((await warehouse.http.call('POST', `/pick-batches/${made.batch}/picks`, picks)).body).toMatchObject({
      orders: [{ status: 'done' }],
    });
  });
  test('takes more orders, gives some back, and is picked as a whole where it says', async () => {
    await using warehouse = await openWarehouse();
    for (const order of ['1', '2', '3']) warehouse.order(order, [['a', 'MUG', 1]]);
    const batch = await batchOf(warehouse, '1');
    await warehouse.http.call('POST', `/pick-batches/${batch}/orders`, { orders: all('2', '3') });
    await warehouse.http.call('POST', `/pick-batches/${batch}/removals`, { orders: all('3') });
    const picks = await warehouse.http.call('POST', `/pick-batches/${batch}/picks`, { location: 'attic' }, 'all');
    expect(picks).toMatchObject({
      status: 200,
      body: {
        orders: [
          { order: '1', status: 'done' },
          { order: '2', status: 'done' },
        ],
      },
    });
    expect((await warehouse.http.call('POST', `/pick-batches/${batch}/picks`, { location: 'attic' }, 'all')).body).toEqual(picks.body);
    expect(await Promise.all(['1', '2', '3'].map(warehouse.places))).toEqual([
      [0, 0, 1, 0],
      [0, 0, 1, 0],
      [1, 0, 0, 0],
    ]);
    expect(warehouse.published.at(-1)?.event).toMatchObject({ type: 'UnitsBatchPicked', data: { location: 'attic', batch } });
  });
});

test('picks of all that a batch holds, asked for again, do not take what was put into it meanwhile', async () => {
  await using warehouse = await openWarehouse();
  for (const order of ['1', '2']) warehouse.order(order, [['a', 'MUG', 1]]);
  const batch = await batchOf(warehouse, '1');
  const picks = await warehouse.http.call('POST', `/pick-batches/${batch}/picks`, {}, 'all');
  await warehouse.http.call('POST', `/pick-batches/${batch}/orders`, { orders: all('2') });
  expect((await warehouse.http.call('POST', `/pick-batches/${batch}/picks`, {}, 'all')).body).toEqual(picks.body);
  expect(await warehouse.places('2')).toEqual([0, 1, 0, 0]);
});

describe('a cancelled pick batch', () => {
  test('gives back what is not picked, and takes nothing any more', async () => {
    await using warehouse = await openWarehouse();
    for (const order of ['1', '2', '3']) warehouse.order(order, [['a', 'MUG', 2]]);
    const batch = await batchOf(warehouse, '1', '2');
    await warehouse.http.call('POST', `/pick-batches/${batch}/picks`, { orders: all('1') });
    expect(await warehouse.http.call('POST', `/pick-batches/${batch}/cancel`)).toMatchObject({
      status: 200,
      body: { state: 'cancelled', cancelledBy: 'ann', leaving: 1 },
    });
    expect(await Promise.all(['1', '2'].map(warehouse.places))).toEqual([
      [0, 0, 2, 0],
      [2, 0, 0, 0],
    ]);
    expect(await warehouse.http.call('POST', `/pick-batches/${batch}/orders`, { orders: all('3') })).toMatchObject({
      status: 409,
      body: problemOf('batch-cancelled'),
    });
  });
  test('to which an assignment was still on its way gives that back, too', async () => {
    await using warehouse = await openWarehouse();
    for (const order of ['1', '2']) warehouse.order(order, [['a', 'MUG', 2]]);
    const batch = await batchOf(warehouse, '1');
    await warehouse.http.call('POST', `/pick-batches/${batch}/cancel`);
    const data = { tenant, store: 's1', order: '2', batch, lines: null, user: { kind: 'person', id: 'bob' }, at: 9 } as const;
    warehouse.take({ id: 'late', type: 'AssignToBatch', time: 9, correlation: 'c', data });
    expect(await warehouse.places('2')).toEqual([0, 2, 0, 0]);
    await warehouse.releaseLate();
    expect(await warehouse.places('2')).toEqual([2, 0, 0, 0]);
  });
  test('of which the release was lost in a crash is found again', async () => {
    await using warehouse = await openWarehouse();
    warehouse.order('1', [['a', 'MUG', 2]]);
    const batch = await batchOf(warehouse, '1');
    await warehouse.batches.cancel(tenant, batch, { user: 'ann', at: 7 });
    await warehouse.releaseForgotten();
    expect(await warehouse.places('1')).toEqual([2, 0, 0, 0]);
    expect(await warehouse.batches.unsettled(10)).toEqual([]);
  });
});

describe('refused in words', () => {
  test.each([
    ['an order twice', 'POST', '/pick-batches', { orders: all('1', '1') }, 400, 'invalid-request'],
    ['no order', 'POST', '/pick-batches', { orders: [] }, 400, 'invalid-request'],
    [
      'no unit',
      'POST',
      '/pick-batches',
      { orders: [{ store: 's1', order: '1', lines: [{ line: 'a', quantity: 0 }] }] },
      400,
      'invalid-request',
    ],
    ['a batch that nobody made', 'GET', '/pick-batches/none', undefined, 404, 'unknown-batch'],
    ['picks of a batch that nobody made', 'POST', '/pick-batches/none/picks', {}, 404, 'unknown-batch'],
    ['a pick list of a batch that nobody made', 'GET', '/pick-batches/none/pick-list', undefined, 404, 'unknown-batch'],
    ['a page of a batch that nobody made', 'GET', '/pick-batches/none/pick-list.html', undefined, 404, 'unknown-batch'],
    ['a cancellation of a batch that nobody made', 'POST', '/pick-batches/none/cancel', undefined, 404, 'unknown-batch'],
    ['a put-back of an unknown order', 'POST', '/stores/s1/orders/9/put-backs', {}, 404, 'unknown-order'],
    ['a put-back where there is none', 'POST', '/stores/s1/orders/1/put-backs', {}, 409, 'nothing-to-put-back'],
  ])('%s', async (_, method, path, body, status, type) => {
    await using warehouse = await openWarehouse();
    warehouse.order('1', [['a', 'MUG', 2]]);
    expect(await warehouse.http.call(method, path, body)).toMatchObject({ status, body: problemOf(type) });
  });
  test('a batch by somebody who is not of the warehouse', async () => {
    await using warehouse = await openWarehouse({ roles: ['clerk'] });
    expect((await warehouse.http.call('POST', '/pick-batches', { orders: all('1') })).status).toBe(403);
  });
});

describe('units that were cancelled after they had been picked', () => {
  async function cancelled(warehouse: Warehouse) {
    for (const order of ['1', '2']) warehouse.order(order, [['a', 'MUG', 3]]);
    const batch = await batchOf(warehouse, '1', '2');
    await warehouse.http.call('POST', `/pick-batches/${batch}/picks`, {});
    for (const order of ['1', '2']) warehouse.order(order, [['a', 'MUG', 3, { cancelled: 2 }]]);
  }
  test('are listed until they are put back', async () => {
    await using warehouse = await openWarehouse();
    await cancelled(warehouse);
    const since = new Date(5).toISOString();
    expect((await warehouse.http.call('GET', '/to-put-back?limit=1')).body).toEqual({
      units: [{ store: 's1', order: '1', name: '#1', line: 'a', sku: 'MUG', quantity: 2, since }],
      next: 'acme/s1/1',
    });
    expect((await warehouse.http.call('GET', '/to-put-back?after=acme%2Fs1%2F1')).body).toMatchObject({ units: [{ order: '2' }] });
    const put = await warehouse.http.call('POST', '/stores/s1/orders/1/put-backs', { location: 'returns' });
    expect(put).toMatchObject({ status: 201, body: { units: [{ line: 'a', sku: 'MUG', quantity: 2 }] } });
    expect(warehouse.published.at(-1)?.event).toMatchObject({ type: 'UnitsPutBack', data: { quantity: 2, location: 'returns' } });
    expect((await warehouse.http.call('GET', '/to-put-back')).body).toMatchObject({ units: [{ order: '2' }] });
  });
  test('that will not come back leave the list, and stock hears nothing of it', async () => {
    await using warehouse = await openWarehouse();
    await cancelled(warehouse);
    const told = warehouse.published.length;
    expect((await warehouse.http.call('POST', '/stores/s1/orders/1/put-backs', { lost: true })).status).toBe(201);
    expect(warehouse.published).toHaveLength(told);
    expect((await warehouse.http.call('GET', '/to-put-back')).body).toMatchObject({ units: [{ order: '2' }] });
  });
});

describe('a pick list', () => {
  const level = (sku: string, more: Partial<Level>): Level => ({
    _id: `acme/${sku}`,
    version: 1,
    tenant,
    sku,
    title: null,
    defaultLocation: null,
    locations: [],
    ...more,
  });
  const levels = [
    level('MUG', { title: 'Mug <blue>', defaultLocation: 'B2', locations: [{ location: 'B2', onHand: 2 }] }),
    level('CUP', {
      locations: [
        { location: 'A1', onHand: 1 },
        { location: 'C3', onHand: 9 },
      ],
    }),
  ];
  async function listed(warehouse: Warehouse) {
    warehouse.order('1', [
      ['a', 'CUP', 1],
      ['b', 'MUG', 2],
    ]);
    warehouse.order('2', [
      ['a', 'MUG', 1],
      ['b', 'TEA', 1],
    ]);
    return batchOf(warehouse, '1', '2');
  }
  test('says where to go, in the order of the locations, for which product, how many, and for which orders', async () => {
    await using warehouse = await openWarehouse({ levels });
    const batch = await listed(warehouse);
    const { body } = await warehouse.http.call('GET', `/pick-batches/${batch}/pick-list`);
    expect(body).toEqual({
      batch,
      name: 'Monday',
      rows: [
        {
          location: 'B2',
          sku: 'MUG',
          title: 'Mug <blue>',
          quantity: 3,
          onHand: 2,
          orders: [
            { store: 's1', order: '1', name: '#1', quantity: 2 },
            { store: 's1', order: '2', name: '#2', quantity: 1 },
          ],
        },
        { location: 'C3', sku: 'CUP', title: null, quantity: 1, onHand: 9, orders: [{ store: 's1', order: '1', name: '#1', quantity: 1 }] },
        {
          location: 'default',
          sku: 'TEA',
          title: null,
          quantity: 1,
          onHand: null,
          orders: [{ store: 's1', order: '2', name: '#2', quantity: 1 }],
        },
      ],
    });
  });
  test('leaves out what is picked', async () => {
    await using warehouse = await openWarehouse({ levels });
    const batch = await listed(warehouse);
    await warehouse.http.call('POST', `/pick-batches/${batch}/picks`, { orders: all('1') });
    const { body } = await warehouse.http.call('GET', `/pick-batches/${batch}/pick-list`);
    expect((body as { rows: { sku: string; quantity: number }[] }).rows.map(({ sku, quantity }) => [sku, quantity])).toEqual([
      ['MUG', 1],
      ['TEA', 1],
    ]);
  });
  test('is a page to print, in which no name of a product can be more than a name', async () => {
    await using warehouse = await openWarehouse({ levels });
    const batch = await listed(warehouse);
    const { headers, body } = await warehouse.http.call('GET', `/pick-batches/${batch}/pick-list.html`);
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(body).toContain('Mug &lt;blue&gt;');
    expect(body).not.toContain('Mug <blue>');
    expect(body).toContain('#1&nbsp;×&nbsp;2, #2&nbsp;×&nbsp;1');
    expect(body).toContain('Still to be picked: 5 units of 3 products at 3 locations.');
  });
  test('has a box to tick for each product, under the name of each location, and the browser is allowed its style', async () => {
    await using warehouse = await openWarehouse({ levels });
    const batch = await listed(warehouse);
    const page = async () => {
      const { headers, body } = await warehouse.http.call('GET', `/pick-batches/${batch}/pick-list.html`);
      const style = /<style>([^]*)<\/style>/.exec(body as string)?.[1] ?? '';
      const hash = createHash('sha256').update(style).digest('base64');
      expect(headers.get('content-security-policy')).toBe(`default-src 'none'; style-src 'sha256-${hash}'; frame-ancestors 'none'`);
      return body as string;
    };
    expect((await page()).match(/<th colspan="5">[^<]*|<td class="box">/g)).toEqual(
      ['B2', 'C3', 'default'].flatMap((location) => [`<th colspan="5">${location}`, '<td class="box">']),
    );
    await warehouse.http.call('POST', `/pick-batches/${batch}/picks`, {});
    expect(await page()).toContain('Nothing is left to be picked.');
  });
});

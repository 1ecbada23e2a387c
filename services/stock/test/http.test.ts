import { absent, type IncidentDocument, type IncidentStore, type Outgoing } from '@evenkeel/chassis';
import { createMemoryJournal, openRoutes } from '@evenkeel/chassis/testing';
import { keyOf } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stockAggregate } from '../src/handlers.ts';
import { stockRoutes, type StockParts } from '../src/http.ts';
import { planRows, readImport, type KnownProduct } from '../src/imports.ts';
import { productOf, type ProductDocument, type ProductStore } from '../src/products.ts';

const sku = 'mug/blue 100%';
const product = `/products/${encodeURIComponent(sku)}`;
const onHand = `${product}/locations/default/on-hand`;
const noIncidents: IncidentStore = {
  record: async () => undefined,
  find: async () => null,
  page: async () => [],
  acknowledge: async () => null,
  open: async () => 0,
};
const noProducts: ProductStore = { page: async () => [], every: async function* () {}, locations: async () => [] };

/** The inventory table of what was published. */
const tableOf = (published: readonly Outgoing[]): ProductDocument[] => {
  const levels = published.flatMap(({ event }) => (event?.type === 'StockLevelChanged' ? [productOf(event)] : []));
  return [...new Map(levels.map((level) => [level._id, level])).values()];
};

async function openStock(incidents = noIncidents) {
  const memory = createMemoryJournal(stockAggregate, undefined);
  const products: ProductStore = {
    ...noProducts,
    async *every() {
      yield tableOf(memory.published);
    },
  };
  const parts: StockParts = {
    ...memory,
    incidents,
    products,
    purchasing: absent(),
    purchases: absent(),
    imports: absent(),
    applyImports: absent(),
  };
  const http = await openRoutes(stockRoutes(parts), { tenant: 'acme', user: 'ann', roles: ['clerk'] });
  let events = 0;
  const reserve = (quantity: number) => {
    events += 1;
    const order = { store: 's1', order: String(events) };
    const data = { tenant: 'acme', sku, order, sequence: 1, quantity, user: { kind: 'marketplace', id: 'shopify' }, at: 7 } as const;
    memory.take({ id: `reservation/${events}`, type: 'UnitsReserved', time: 7, correlation: 'c', data });
  };
  return { ...memory, http, reserve, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
}

describe('the inventory of a product', () => {
  test('that nobody created was never counted', async () => {
    await using stock = await openStock();
    expect(await stock.http.call('GET', product)).toMatchObject({
      status: 200,
      body: {
        sku,
        epoch: 1,
        sequence: 0,
        counted: false,
        locations: {},
        quantities: { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 },
      },
    });
  });
  test('says what is there, where, and what is promised', async () => {
    await using stock = await openStock();
    await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 });
    await stock.http.call('PUT', `${product}/locations/back%20room/on-hand`, { seen: 0, onHand: 2 });
    stock.reserve(3);
    expect((await stock.http.call('GET', product)).body).toMatchObject({
      sequence: 3,
      counted: true,
      locations: { default: 5, 'back room': 2 },
      quantities: { onHand: 7, orderReserve: 3, batchReserve: 0, available: 4 },
    });
  });
});

describe('setting On Hand', () => {
  test('answers with the movement, and again with the same one for the same key', async () => {
    await using stock = await openStock();
    const first = await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 }, 'monday');
    expect(first).toMatchObject({
      status: 200,
      body: { movement: { sequence: 1, type: 'StockUpdate', location: 'default', locationOnHand: 5, user: { kind: 'person', id: 'ann' } } },
    });
    await stock.http.call('PUT', onHand, { seen: 5, onHand: 6 });
    const again = await stock.http.call('PUT', onHand, { onHand: 5, seen: 0 }, 'monday');
    expect([again.status, again.body]).toEqual([first.status, first.body]);
    expect(stock.sent).toHaveLength(2);
  });
  test('that changed meanwhile is refused, with the movements since and what the same difference would give; also when asked again', async () => {
    await using stock = await openStock();
    await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 });
    stock.reserve(1);
    await stock.http.call('PUT', onHand, { seen: 5, onHand: 9, reason: 'return' });
    await stock.http.call('PUT', onHand, { seen: 9, onHand: 8, reason: 'damaged' });
    const refused = await stock.http.call('PUT', onHand, { seen: 5, onHand: 7 }, 'late');
    expect(refused).toMatchObject({
      status: 409,
      body: {
        type: 'urn:evenkeel:problem:on-hand-changed',
        onHand: 8,
        sameDifferenceWouldGive: 10,
        movements: [
          { sequence: 4, reason: 'damaged' },
          { sequence: 3, reason: 'return' },
        ],
      },
    });
    await stock.http.call('PUT', onHand, { seen: 8, onHand: 1 });
    const again = await stock.http.call('PUT', onHand, { seen: 5, onHand: 7 }, 'late');
    expect([again.status, again.body]).toEqual([refused.status, refused.body]);
  });
  test.each([
    ['below zero', { seen: 0, onHand: -1 }],
    ['half a unit', { seen: 0, onHand: 1.5 }],
    ['a text', { seen: 0, onHand: '5' }],
    ['an absurd number', { seen: 0, onHand: 1e12 }],
    ['an operator', { seen: { $ne: 1 }, onHand: 5 }],
    ['a tenant in the body', { seen: 0, onHand: 5, tenant: 'other' }],
    ['without what was seen', { onHand: 5 }],
  ])('to %s is a bad request that changes nothing', async (_, body) => {
    await using stock = await openStock();
    expect(await stock.http.call('PUT', onHand, body)).toMatchObject({
      status: 400,
      body: { type: 'urn:evenkeel:problem:invalid-request' },
    });
    expect(stock.sent).toEqual([]);
  });
  test('beyond what all locations together may hold is refused in words', async () => {
    await using stock = await openStock();
    await stock.http.call('PUT', onHand, { seen: 0, onHand: 1_000_000_000 });
    const answer = await stock.http.call('PUT', `${product}/locations/back/on-hand`, { seen: 0, onHand: 1 });
    expect(answer).toMatchObject({ status: 409, body: { type: 'urn:evenkeel:problem:too-large' } });
  });
  test('that is not decided yet is 202, with where to look', async () => {
    await using stock = await openStock();
    stock.hold();
    const answer = await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 });
    expect(answer.status).toBe(202);
    expect(answer.headers.get('location')).toBe(`${product}/movements`);
  });
});

describe('the transactions of a product', () => {
  const sequences = (body: unknown) => (body as { movements: { sequence: number }[] }).movements.map(({ sequence }) => sequence);

  test('leave out movements of reserves, unless they are asked for', async () => {
    await using stock = await openStock();
    await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 });
    stock.reserve(1);
    stock.reserve(1);
    await stock.http.call('PUT', onHand, { seen: 5, onHand: 6 });
    const list = async (query: string) => sequences((await stock.http.call('GET', `${product}/movements${query}`)).body);
    expect(await list('')).toEqual([4, 1]);
    expect(await list('?include=reserves')).toEqual([4, 3, 2, 1]);
    expect(await list('?type=OrderReserve')).toEqual([3, 2]);
  });
  test('come in pages that miss nothing', async () => {
    await using stock = await openStock();
    for (let units = 0; units < 5; units += 1) await stock.http.call('PUT', onHand, { seen: units, onHand: units + 1 });
    const seen: number[] = [];
    for (let query = '?limit=2'; query !== '';) {
      const { body } = await stock.http.call('GET', `${product}/movements${query}`);
      seen.push(...sequences(body));
      const { next } = body as { next: number | null };
      query = next === null ? '' : `?limit=2&before=${next}`;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);
  });
});

describe('the transactions of a product, narrowed down', () => {
  test('by location, user and time; each says its batch, label and purchase order', async () => {
    await using stock = await openStock();
    const user = { kind: 'person', id: 'bob' } as const;
    const about = { tenant: 'acme', sku, purchaseOrder: 'po1', quantity: 4, user };
    stock.take({ id: 'p1', type: 'PutAwayUnits', time: 1_000, correlation: 'c', data: { ...about, location: 'back', at: 1_000 } });
    stock.take({ id: 'p2', type: 'PutAwayUnits', time: 9_000, correlation: 'c', data: { ...about, location: null, at: 9_000 } });
    await stock.http.call('PUT', onHand, { seen: 4, onHand: 6 });
    const list = async (query: string) => {
      const { body } = await stock.http.call('GET', `${product}/movements?${query}`);
      return (body as { movements: { sequence: number }[] }).movements.map(({ sequence }) => sequence);
    };
    expect(await list('location=back')).toEqual([1]);
    expect(await list('user=bob')).toEqual([2, 1]);
    expect(await list('user=ann')).toEqual([3]);
    expect(await list('from=1970-01-01T00:00:02Z')).toEqual([3, 2]);
    expect(await list('to=1970-01-01T00:00:02Z')).toEqual([1]);
    expect((await stock.http.call('GET', `${product}/movements?location=back`)).body).toMatchObject({
      movements: [{ type: 'PurchaseReceiving', purchaseOrder: 'po1', batch: null, label: null }],
    });
    expect(await stock.http.call('GET', `${product}/movements?from=yesterday`)).toMatchObject({ status: 400 });
  });
});

test('a product at a past moment is what its ledger said then', async () => {
  await using stock = await openStock();
  const put = (id: string, at: number) => {
    const data = { tenant: 'acme', sku, purchaseOrder: 'po1', location: null, quantity: 4, user: { kind: 'person', id: 'bob' } } as const;
    stock.take({ id, type: 'PutAwayUnits', time: at, correlation: 'c', data: { ...data, at } });
  };
  put('p1', 1_000);
  put('p2', 3_000);
  const at = async (moment: number) =>
    (await stock.http.call('GET', `${product}?at=${encodeURIComponent(new Date(moment).toISOString())}`)).body;
  expect(await at(999)).toMatchObject({ sequence: 0, at: null, counted: false, quantities: { onHand: 0 } });
  expect(await at(1_000)).toMatchObject({ sequence: 1, counted: true, quantities: { onHand: 4 }, locations: null });
  expect(await at(2_999)).toMatchObject({ sequence: 1, quantities: { onHand: 4 } });
  expect(await at(3_000)).toMatchObject({ sequence: 2, quantities: { onHand: 8 }, locations: { default: 8 } });
});

describe("a product's settings", () => {
  test('are set all at once, and stand in its inventory; the same request again is the same answer', async () => {
    await using stock = await openStock();
    const settings = { title: 'Mug, blue', defaultLocation: 'back', lowStockAtOrBelow: 2 };
    const first = await stock.http.call('PUT', product, settings, 'monday');
    expect(first).toMatchObject({ status: 200, body: { product: { sku, sequence: 1, ...settings, retired: false } } });
    expect((await stock.http.call('PUT', product, settings, 'monday')).body).toEqual(first.body);
    expect((await stock.http.call('GET', product)).body).toMatchObject({ ...settings, counted: false });
  });
  test('do not retire it while units are on a shelf or promised, and say so', async () => {
    await using stock = await openStock();
    await stock.http.call('PUT', onHand, { seen: 0, onHand: 5 });
    expect(await stock.http.call('PUT', product, { retired: true })).toMatchObject({
      status: 409,
      body: { type: 'urn:evenkeel:problem:still-in-use', quantities: { onHand: 5 } },
    });
    await stock.http.call('PUT', onHand, { seen: 5, onHand: 0 });
    expect(await stock.http.call('PUT', product, { retired: true })).toMatchObject({ status: 200, body: { product: { retired: true } } });
  });
  test('do not retire it while one location has what another lacks', async () => {
    await using stock = await openStock();
    await stock.http.call('PUT', onHand, { seen: 0, onHand: 1 });
    const order = { store: 's1', order: '1' };
    const picked = { tenant: 'acme', sku, order, sequence: 1, quantity: 1, fromBatchReserve: 0, location: 'back', label: 'l1', at: 7 };
    const data = { ...picked, user: { kind: 'person', id: 'bob' } } as const;
    stock.reserve(1);
    stock.take({ id: 'pick', type: 'UnitsAutoPicked', time: 7, correlation: 'c', data });
    expect((await stock.http.call('GET', product)).body).toMatchObject({ quantities: { onHand: 0 }, locations: { default: 1, back: -1 } });
    expect(await stock.http.call('PUT', product, { retired: true })).toMatchObject({ status: 409 });
  });
  test.each([
    ['a location that is none', { defaultLocation: '' }],
    ['a threshold below zero', { lowStockAtOrBelow: -1 }],
    ['an unknown field', { colour: 'blue' }],
  ])('with %s are a bad request', async (_, body) => {
    await using stock = await openStock();
    expect(await stock.http.call('PUT', product, body)).toMatchObject({ status: 400 });
  });
});

test('the table of products as CSV can be taken in again, and changes nothing: what was never counted stays unknown', async () => {
  const names = fc.constantFrom('back', ' back ', '=1+1', "'a'", 'a,"b"', '-1', 'ä;ö');
  const aName = fc.option(names);
  const units = fc.integer({ min: 1, max: 3 });
  const order = { store: 's1', order: '1' };
  const someone = { kind: 'person', id: 'bob' } as const;
  const event = fc.oneof(
    fc.record({ title: aName, defaultLocation: aName, lowStockAtOrBelow: fc.option(units), retired: fc.constant(false) }),
    fc.record({ seen: fc.constant(0), onHand: units, location: names, reason: fc.option(fc.constant('found')) }),
    fc.record({ quantity: units, location: aName, label: fc.constant('l1') }),
    fc.record({ quantity: units, location: aName, label: fc.constant('l1'), reverses: fc.constant('r') }),
  );
  const events = fc.array(fc.tuple(names, event), { maxLength: 8 });
  await using stock = await openStock();
  let round = 0;
  await fc.assert(
    fc.asyncProperty(events, async (happened) => {
      stock.published.length = 0;
      round += 1;
      for (const [index, [name, told]] of happened.entries()) {
        const type =
          'title' in told ? 'SetProduct' : 'seen' in told ? 'UpdateStock' : 'reverses' in told ? 'UnitsUnpicked' : 'UnitsAutoPicked';
        // A product of this round, with what is special at either end of its name.
        const about = { tenant: 'acme', sku: name.slice(0, 1) + String(round) + name.slice(1), order, user: someone };
        const data = { ...about, sequence: index, fromBatchReserve: 0, at: index, ...told };
        stock.take({ id: `${round}/${index}`, type, time: index, correlation: 'c', data } as never);
      }
      const { rows, errors } = readImport(String((await stock.http.call('GET', '/products.csv')).body));
      const known = new Map<string, KnownProduct>();
      for (const { sku: name } of rows) known.set(name, await stock.journal.state(keyOf('acme', name)));
      const plan = planRows(rows, known);
      const isBelowZero = tableOf(stock.published).some(({ counted, locations }) => counted && locations.some((place) => place.onHand < 0));
      if (isBelowZero) expect(errors.every(({ column }) => column === 'on_hand')).toBe(true);
      else expect({ errors, plan }).toEqual({ errors: [], plan: { planned: [], errors: [] } });
    }),
  );
});

test('the oversold incident names the newest orders that go beyond what there is', async () => {
  const open: IncidentDocument = {
    _id: keyOf('acme', 'oversold', sku),
    tenant: 'acme',
    kind: 'oversold',
    subject: sku,
    state: 'open',
    count: 1,
    openedAt: new Date(7),
    closedAt: null,
    details: { available: '-1' },
    sequence: 3,
    at: new Date(7),
    correlation: 'c',
  };
  await using stock = await openStock({ ...noIncidents, find: async () => open, page: async () => [open] });
  await stock.http.call('PUT', onHand, { seen: 0, onHand: 3 });
  for (const quantity of [2, 1, 2]) stock.reserve(quantity);
  const explanation = {
    quantities: { onHand: 3, orderReserve: 5, batchReserve: 0, available: -2 },
    orders: [{ store: 's1', order: '3', reserved: 2, short: 2, at: '1970-01-01T00:00:00.007Z' }],
  };
  const path = `/incidents/oversold/${encodeURIComponent(sku)}`;
  expect((await stock.http.call('GET', path)).body).toMatchObject({ incident: { explanation } });
  expect((await stock.http.call('GET', '/incidents')).body).toMatchObject({ incidents: [{ explanation }] });
});

test('each row is published as a movement and a level of the same number, and an incident only when it opens or closes', async () => {
  await using stock = await openStock();
  await stock.http.call('PUT', onHand, { seen: 0, onHand: 1 });
  stock.reserve(2);
  stock.reserve(1);
  await stock.http.call('PUT', onHand, { seen: 1, onHand: 9 });
  const id = 'stock/acme/mug%2Fblue%20100%25';
  expect(stock.published.map(({ topic, event }) => [topic.name, event?.id])).toEqual([
    ['stock.movements.v1', `${id}/1`],
    ['stock.levels.v1', `${id}/1`],
    ['stock.movements.v1', `${id}/2`],
    ['stock.levels.v1', `${id}/2`],
    ['stock.incidents.v1', `${id}/2/oversold`],
    ['stock.movements.v1', `${id}/3`],
    ['stock.levels.v1', `${id}/3`],
    ['stock.movements.v1', `${id}/4`],
    ['stock.levels.v1', `${id}/4`],
    ['stock.incidents.v1', `${id}/4/oversold`],
  ]);
  const key = `acme/${encodeURIComponent(sku)}`;
  const { state } = await stock.journal.state(key);
  expect(stockAggregate.heads?.(key, state)).toEqual(stock.published.slice(-2));
});

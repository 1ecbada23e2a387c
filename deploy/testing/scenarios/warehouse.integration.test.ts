// Every row of the table of ARCHITECTURE.md, "How quantities move", through Kafka and HTTP, as ledger rows that a person can read.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventOf } from '@evenkeel/chassis';
import { decode } from '@evenkeel/chassis/testing';
import { keyOf, openCodec, topics, type MarketplaceOrderRead, type OrderLine } from '@evenkeel/contracts';
import { printFinding } from '../../audit/report.ts';
import { runAudit } from '../../audit/run.ts';
import { openSystem, type System } from '../system.ts';
import { recordsOf } from './recording.ts';
import { openSeller, until, type Answer, type Seller } from './seller.ts';

const store = 'amber';
const stock = 10;
const skus = Array.from({ length: 23 }, (_, index) => `mug-${index + 1}`);
let system: System;
let seller: Seller;
let taken = 0;

beforeAll(async () => {
  system = await openSystem({ serviceEnv: { 'connector-shopify': { ORDER_POLL_SECONDS: '0.5' } } });
  seller = await openSeller(system, { stores: [store] });
  await seller.open(skus);
  for (const sku of skus) await seller.count(sku, stock);
  for (const sku of skus) {
    await seller.show(sku, stock);
    await seller.quiet(sku);
  }
}, 240_000);
afterAll(async () => system[Symbol.asyncDispose](), 60_000);

interface Row {
  readonly sequence: number;
  readonly type: string;
  readonly reason: string | null;
  readonly change: { readonly onHand: number; readonly orderReserve: number; readonly batchReserve: number; readonly available: number };
  readonly location: string | null;
  readonly user: { readonly kind: string; readonly id: string };
  readonly label: string | null;
  readonly batch: string | null;
  readonly reverses: string | null;
  readonly cause: string;
}
type Outcomes = Answer<{ batch: string; orders: { status: string; reason: string | null }[] }>;

/** A row as it stands in the table: type, On Hand, Order Reserve, Batch Reserve, Available. */
const said = ({ type, reason, change: { onHand, orderReserve, batchReserve, available } }: Row): string =>
  [reason ? `${type} (${reason})` : type, onHand, orderReserve, batchReserve, available].join(' ');

/** One order of one product that nobody else sells in this test. */
function sale(lines: readonly Partial<OrderLine>[] = [{ quantity: 2 }]) {
  const sku = lines[0]?.sku ?? (skus[taken] as string);
  taken += 1;
  const order = `order-${taken}`;
  const path = `/stores/${store}/orders/${order}`;
  let updates = 0;
  const one = (more: Record<string, unknown> = {}) => ({ orders: [{ store, order, ...more }] });
  const of = {
    sku,
    order,
    /** What the marketplace says now, as the owner of the store publishes it. */
    async told(now: readonly Partial<OrderLine>[] = lines, more: Partial<MarketplaceOrderRead> = {}): Promise<void> {
      updates += 1;
      const told = {
        tenant: seller.tenant,
        store,
        marketplace: 'shopify',
        order,
        name: `#${order}`,
        placedAt: 1_000,
        updatedAt: 1_000 * updates,
      };
      const plain = { listing: 'item', sku, quantity: 1, cancelled: 0, fulfilled: 0, shippedBefore: 0, fulfilledBy: 'seller' } as const;
      const all = now.map((line, index) => ({ ...plain, line: `line-${index}`, ...line }));
      const data: MarketplaceOrderRead = { ...told, cancelledAt: null, lines: all, connectedAt: null, at: updates, ...more };
      const id = `shopify/${keyOf(seller.tenant, store, order)}/${updates}/test`;
      const event = { id, type: 'MarketplaceOrderRead', time: updates, correlation: order, data } as const;
      await seller.produce([{ topic: topics.marketplaceOrders, key: [seller.tenant, store, order], event }]);
    },
    async rows(): Promise<Row[]> {
      const rows = (await seller.movements(sku)) as unknown as Row[];
      return rows.filter(({ type, reason }) => !(type === 'StockUpdate' && reason === null)).toReversed();
    },
    /** Waits until the ledger says just this, and that it is so at the end. */
    async rowsAre(...wanted: string[]): Promise<Row[]> {
      return until(
        `the ledger of ${sku} to say ${JSON.stringify(wanted)}`,
        of.rows,
        (rows) => JSON.stringify(rows.map(said)) === JSON.stringify(wanted),
      );
    },
    async reserved(...rows: string[]): Promise<void> {
      await of.told();
      await of.rowsAre(...(rows.length > 0 ? rows : ['OrderReserve 0 2 0 -2']));
    },
    async label(body: unknown = {}): Promise<string> {
      const { status, body: answer } = await seller.label(store, order, body);
      expect(status).toBe(201);
      return (answer as { label: string }).label;
    },
    async voids(label: string, body: unknown = {}): Promise<void> {
      expect((await seller.call('order', 'POST', `${path}/labels/${label}/voids`, body)).status).toBe(201);
    },
    async batch(more: Record<string, unknown> = {}): Promise<string> {
      const answer: Outcomes = await seller.call('reservation', 'POST', '/pick-batches', one(more));
      expect(answer).toMatchObject({ status: 201, body: { orders: [{ status: 'done' }] } });
      return answer.body.batch;
    },
    async does(batch: string, what: 'picks' | 'short-picks' | 'removals' | 'orders', more: Record<string, unknown> = {}): Promise<void> {
      const answer: Outcomes = await seller.call('reservation', 'POST', `/pick-batches/${batch}/${what}`, one(more));
      expect(answer).toMatchObject({ status: 200, body: { orders: [{ status: 'done' }] } });
    },
    async cancels(batch: string): Promise<void> {
      expect((await seller.call('reservation', 'POST', `/pick-batches/${batch}/cancel`)).status).toBe(200);
    },
    toPutBack: async (): Promise<{ line: string; quantity: number }[]> => {
      const { body } = await seller.call<{ units: { order: string; line: string; quantity: number }[] }>(
        'reservation',
        'GET',
        '/to-put-back',
      );
      return body.units.filter((units) => units.order === order).map(({ line, quantity }) => ({ line, quantity }));
    },
    /** That the marketplace's last word has been acted on, also where it moved nothing. */
    async settled(): Promise<void> {
      const sequence = (await seller.call<{ sequence: number }>('order', 'GET', path)).body.sequence;
      await until(
        `reservation to have seen entry ${sequence} of ${order}`,
        async () => (await seller.call<{ orderSequence: number }>('reservation', 'GET', `${path}/reservations`)).body.orderSequence,
        (seen) => seen >= sequence,
      );
    },
    /** Waits until the order service has taken in the marketplace's last word. */
    async known(): Promise<void> {
      await until(
        `${order} as of its update ${updates}`,
        async () => (await seller.call<{ updatedAt?: string }>('order', 'GET', path)).body.updatedAt,
        (at) => at === new Date(1_000 * updates).toISOString(),
      );
      await of.settled();
    },
  };
  return of;
}
const reserve = 'OrderReserve 0 2 0 -2';
const assigned = 'BatchReserve 0 -2 2 0';

describe('an order', () => {
  test('first seen reserves its open units', async () => {
    const order = sale([{ quantity: 3, cancelled: 1 }]);
    await order.reserved(reserve);
  });
  test('edited before the pick to more, then to less, reserves and releases the difference', async () => {
    const order = sale();
    await order.reserved();
    await order.told([{ quantity: 5 }]);
    await order.rowsAre(reserve, 'OrderReserve 0 3 0 -3');
    await order.told([{ quantity: 5, cancelled: 4 }]);
    await order.rowsAre(reserve, 'OrderReserve 0 3 0 -3', 'OrderRelease 0 -4 0 4');
  });
  test('edited to less while units are in a batch gives the Order Reserve first, then the Batch Reserve', async () => {
    const order = sale([{ quantity: 3 }]);
    await order.reserved('OrderReserve 0 3 0 -3');
    await order.batch({ lines: [{ line: 'line-0', quantity: 2 }] });
    await order.told([{ quantity: 3, cancelled: 2 }]);
    await order.rowsAre('OrderReserve 0 3 0 -3', 'BatchReserve 0 -2 2 0', 'OrderRelease 0 -1 -1 2');
  });
  test('with two lines of one SKU is one reservation of their sum', async () => {
    const order = sale([{ quantity: 2 }, { quantity: 3 }]);
    await order.reserved('OrderReserve 0 5 0 -5');
  });
  test('first seen already shipped reserves and is picked by the marketplace', async () => {
    const order = sale([{ quantity: 2, fulfilled: 2 }]);
    await order.told();
    const rows = await order.rowsAre(reserve, 'AutoPick -2 -2 0 0');
    expect(rows[1]?.user).toEqual({ kind: 'marketplace', id: 'shopify' });
  });
  test('first seen cancelled, shipped before the store was connected, or shipped by the marketplace itself: nothing', async () => {
    const order = sale([
      { quantity: 2, fulfilled: 2 },
      { quantity: 1, cancelled: 1 },
      { quantity: 1, fulfilledBy: 'marketplace' },
    ]);
    await order.told(undefined, { connectedAt: 5_000 });
    await order.known();
    expect(await order.rows()).toEqual([]);
  });
  test('of which a line is not mapped is kept with an incident, and reserved when it is mapped', async () => {
    const order = sale([{ quantity: 2, sku: null }]);
    await order.told();
    await order.known();
    const open = async () =>
      (await seller.call<{ incidents: { kind: string; subject: string }[] }>('order', 'GET', '/incidents?state=open')).body.incidents;
    const isOurs = ({ subject }: { subject: string }) => subject === keyOf(store, order.order);
    await until('the incident', open, (incidents) => incidents.some(isOurs));
    expect(await order.rows()).toEqual([]);
    await order.told([{ quantity: 2 }]);
    await order.rowsAre(reserve);
    await until('the incident to close', open, (incidents) => !incidents.some(isOurs));
  });
});

describe('a pick batch', () => {
  test('is picked where it says, and a label after that moves nothing, nor does its void', async () => {
    const order = sale();
    await order.reserved();
    const batch = await order.batch();
    await order.does(batch, 'picks', {});
    const label = await order.label();
    await order.voids(label);
    await order.settled();
    const rows = await order.rowsAre(reserve, assigned, 'BatchPick -2 0 -2 0');
    expect(rows[2]).toMatchObject({ batch, user: { kind: 'person', id: 'clara' } });
  });
  test('gives back what is taken out of it, and all when it is cancelled', async () => {
    const order = sale();
    await order.reserved();
    const batch = await order.batch();
    await order.does(batch, 'removals', { lines: [{ line: 'line-0', quantity: 1 }] });
    await order.rowsAre(reserve, assigned, 'BatchRelease 0 1 -1 0');
    await order.cancels(batch);
    await order.rowsAre(reserve, assigned, 'BatchRelease 0 1 -1 0', 'BatchRelease 0 1 -1 0');
    const late = await seller.call('reservation', 'POST', `/pick-batches/${batch}/orders`, { orders: [{ store, order: order.order }] });
    expect(late.status).toBe(409);
  });
  test('in which a unit is not there takes it off On Hand, and the order waits for it', async () => {
    const order = sale();
    await order.reserved();
    const batch = await order.batch();
    await order.does(batch, 'short-picks', { lines: [{ line: 'line-0', quantity: 1 }] });
    await order.rowsAre(reserve, assigned, 'StockUpdate (short_pick) -1 1 -1 -1');
  });
  test('covers a label: its units are deducted when they are picked', async () => {
    const order = sale();
    await order.reserved();
    const batch = await order.batch();
    await order.label();
    await order.settled();
    await order.rowsAre(reserve, assigned);
    await order.does(batch, 'picks');
    await order.rowsAre(reserve, assigned, 'BatchPick -2 0 -2 0');
  });
  test('that is cancelled leaves labelled units to their label: Auto Pick then', async () => {
    const order = sale();
    await order.reserved();
    const batch = await order.batch();
    const label = await order.label();
    await order.settled();
    await order.cancels(batch);
    const rows = await order.rowsAre(reserve, assigned, 'BatchRelease 0 2 -2 0', 'AutoPick -2 -2 0 0');
    expect(rows[3]?.label).toBe(label);
  });
  test('whose units the marketplace reports as shipped loses them', async () => {
    const order = sale();
    await order.reserved();
    await order.batch({ lines: [{ line: 'line-0', quantity: 1 }] });
    await order.told([{ quantity: 2, fulfilled: 2 }]);
    await order.rowsAre(reserve, 'BatchReserve 0 -1 1 0', 'AutoPick -2 -1 -1 0');
  });
  test('stands on a list to print, with the orders', async () => {
    const order = sale();
    await order.reserved();
    const batch = await order.batch();
    const list = await seller.call('reservation', 'GET', `/pick-batches/${batch}/pick-list`);
    expect(list.body).toMatchObject({ rows: [{ sku: order.sku, quantity: 2, orders: [{ name: `#${order.order}`, quantity: 2 }] }] });
    const [row] = (list.body as { rows: { location: string }[] }).rows;
    expect(row?.location).toBe('default');
  });
});

describe('a label', () => {
  test('on units in no batch picks them where it says; its void takes them back and names what it reverses', async () => {
    const order = sale();
    await order.reserved();
    const label = await order.label({ location: 'attic' });
    await order.rowsAre(reserve, 'AutoPick -2 -2 0 0');
    await order.voids(label, { lines: [{ line: 'line-0', quantity: 1 }] });
    const [, picked, voided] = await order.rowsAre(reserve, 'AutoPick -2 -2 0 0', 'AutoPick 1 1 0 0');
    expect(picked).toMatchObject({ label, location: 'attic' });
    expect(voided).toMatchObject({ label, location: 'attic', reverses: picked?.cause });
  });
  test('twice is a split shipment', async () => {
    const order = sale();
    await order.reserved();
    await order.label({ lines: [{ line: 'line-0', quantity: 1 }] });
    await order.label();
    await order.rowsAre(reserve, 'AutoPick -1 -1 0 0', 'AutoPick -1 -1 0 0');
  });
  test('that the marketplace then reports as shipped moves nothing more', async () => {
    const order = sale();
    await order.reserved();
    await order.label();
    await order.told([{ quantity: 2, fulfilled: 2 }]);
    await order.known();
    await order.rowsAre(reserve, 'AutoPick -2 -2 0 0');
  });
});

describe('a cancellation', () => {
  test('before the pick releases everything, also out of a batch', async () => {
    const order = sale();
    await order.reserved();
    await order.batch();
    await order.told([{ quantity: 2, cancelled: 2 }]);
    await order.rowsAre(reserve, assigned, 'OrderRelease 0 0 -2 2');
  });
  test('of the whole order after the pick moves nothing and joins the put-back list; put back, the units are on the shelf', async () => {
    const order = sale();
    await order.reserved();
    const label = await order.label();
    await order.rowsAre(reserve, 'AutoPick -2 -2 0 0');
    await order.told(undefined, { cancelledAt: 9_000 });
    await until('the put-back list', order.toPutBack, (units) => units.length > 0);
    await order.voids(label);
    await order.settled();
    await order.rowsAre(reserve, 'AutoPick -2 -2 0 0');
    expect(await order.toPutBack()).toEqual([{ line: 'line-0', quantity: 2 }]);
    const put = await seller.call('reservation', 'POST', `/stores/${store}/orders/${order.order}/put-backs`, {});
    expect(put.status).toBe(201);
    await order.rowsAre(reserve, 'AutoPick -2 -2 0 0', 'StockUpdate (put_back) 2 0 0 2');
    expect(await order.toPutBack()).toEqual([]);
  });
});

describe('what comes in', () => {
  const user = { kind: 'person', id: 'clara' } as const;
  const purchase = async (event: EventOf<'CreatePurchaseOrder' | 'ReceivePurchase' | 'PutAwayPurchase'>): Promise<void> =>
    seller.produce([{ topic: topics.purchaseCommands, key: [seller.tenant, event.data.purchaseOrder], event }]);
  test('on a purchase order is not sellable before it is put away; put away, it is On Hand there', async () => {
    const { sku, rowsAre } = sale();
    const about = { tenant: seller.tenant, purchaseOrder: 'po-1', user, at: 1 };
    const envelope = (id: string) => ({ id: `test/${seller.tenant}/${id}`, time: 1, correlation: 'po-1' });
    const lines = [{ sku, quantity: 6 }];
    await purchase({ ...envelope('create'), type: 'CreatePurchaseOrder', data: { ...about, supplier: null, note: null, lines } });
    const some = [{ sku, quantity: 4 }];
    await purchase({
      ...envelope('receive'),
      type: 'ReceivePurchase',
      data: { ...about, lines: some, putAway: false, location: null, allowOver: false },
    });
    await purchase({
      ...envelope('put-away'),
      type: 'PutAwayPurchase',
      data: { ...about, lines: [{ sku, quantity: 3 }], location: 'attic' },
    });
    const [row] = await rowsAre('PurchaseReceiving 3 0 0 3');
    expect(row).toMatchObject({ location: 'attic', user });
  });
  test('or goes out by hand: stock set from 10 to 7 at one location', async () => {
    const { sku, rowsAre } = sale();
    expect((await seller.setOnHand(sku, stock, 7, 'damaged')).status).toBe(200);
    await rowsAre('StockUpdate (damaged) -3 0 0 -3');
  });
});

test('between the batch and the last label every record of the SKU carries the same Available, and nothing is pushed', async () => {
  const order = sale([{ quantity: 4 }]);
  await order.reserved('OrderReserve 0 4 0 -4');
  await seller.show(order.sku, stock - 4);
  await seller.quiet(order.sku);
  const [before, { sequence: from }] = [await seller.pushes(order.sku), await seller.level(order.sku)];
  const one = { lines: [{ line: 'line-0', quantity: 1 }] };
  const batch = await order.batch({ lines: [{ line: 'line-0', quantity: 3 }] });
  await order.does(batch, 'removals', one);
  await order.does(batch, 'picks', one);
  const label = await order.label({ lines: [{ line: 'line-0', quantity: 2 }] });
  await order.voids(label, one);
  await order.label({ lines: [{ line: 'line-0', quantity: 3 }] });
  await order.cancels(batch);
  await seller.levelIs(order.sku, { onHand: stock - 4, orderReserve: 0, batchReserve: 0, available: stock - 4 });
  const { sequence: to } = await seller.level(order.sku);
  await seller.decided(order.sku, to);

  const codec = await openCodec(system.registryUrl);
  const wanted = [topics.stockMovements, topics.stockLevels];
  const records = await recordsOf(system, wanted, seller.tenant);
  const events = await Promise.all(records.map((record) => decode(codec, ['StockMoved', 'StockLevelChanged'], record as never)));
  const seen = events.flatMap((event) => {
    if (event?.data.sku !== order.sku || event.data.sequence < from || event.data.sequence > to) return [];
    return [event.type === 'StockMoved' ? event.data.after.available : event.data.quantities.available];
  });
  expect(seen.length).toBeGreaterThan(to - from);
  expect(new Set(seen)).toEqual(new Set([stock - 4]));
  await seller.quiet(order.sku);
  expect(await seller.pushes(order.sku)).toEqual(before);
});

test('batches that are cancelled while more is assigned to them, and while reservation is killed: in the end none holds a unit', async () => {
  const sku = skus[taken] as string;
  const orders = Array.from({ length: 8 }, (_, index) => sale([{ sku, quantity: 1, line: `line-${index}` }]));
  const inBatch = ({ order }: { order: string }) => ({ orders: [{ store, order }] });
  for (const order of orders) await order.told();
  await seller.levelIs(sku, { orderReserve: 8 });
  const [first, second] = [orders.slice(0, 4), orders.slice(4)];
  const batches: string[] = [];
  for (const order of first) batches.push(await order.batch());
  const attempt = (path: string, body?: unknown) =>
    seller.call('reservation', 'POST', `/pick-batches/${path}`, body).catch(() => undefined);
  const attempts = batches.flatMap((batch, index) => [
    attempt(`${batch}/cancel`),
    attempt(`${batch}/orders`, inBatch(second[index] as never)),
  ]);
  await Promise.race(attempts);
  await system.processes.reservation.kill();
  await Promise.all(attempts);
  await system.processes.reservation.restart();
  interface Content {
    readonly state: string;
    readonly orders: readonly { readonly lines: readonly { readonly toPick: number }[] }[];
  }
  const content = async (batch: string) => (await seller.call<Content>('reservation', 'GET', `/pick-batches/${batch}`)).body;
  const left = async () => (await Promise.all(batches.map(content))).filter(({ state }) => state === 'cancelled');
  const isEmpty = ({ orders: all }: Content) => all.every(({ lines }) => lines.every(({ toPick }) => toPick === 0));
  await until('what is cancelled to hold nothing', left, (cancelled) => cancelled.length > 0 && cancelled.every(isEmpty));
  // What the crash left open is cancelled now, as its user would.
  for (const batch of batches) expect((await seller.call('reservation', 'POST', `/pick-batches/${batch}/cancel`)).status).toBe(200);
  await until('every batch to hold nothing', left, (cancelled) => cancelled.length === batches.length && cancelled.every(isEmpty));
  await seller.levelIs(sku, { orderReserve: 8, batchReserve: 0, available: stock - 8 });
});

test('after all that the auditor finds nothing wrong', async () => {
  const { registryUrl, mongoUrl, sandbox } = system;
  const where = { brokers: system.brokers.split(','), registryUrl, mongoUrl, controlUrl: sandbox.controlUrl, databasePrefix: 'evenkeel_' };
  const { violations } = await runAudit({ ...where, tenant: seller.tenant, waitSeconds: 30, json: false, help: false }, () => undefined);
  expect(violations.map(printFinding)).toEqual([]);
});

// Every row of the table of ARCHITECTURE.md, "How quantities move", and every sentence below it in the design, as ledger rows that a person can read:
// sold, edited, cancelled and shipped at the marketplace, read by its connector, through Kafka and HTTP.
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventOf } from '@evenkeel/chassis';
import { decode } from '@evenkeel/chassis/testing';
import { keyOf, openCodec, topics } from '@evenkeel/contracts';
import { printFinding } from '../../audit/report.ts';
import { runAudit } from '../../audit/run.ts';
import { openSystem, type System } from '../system.ts';
import { recordsOf } from './recording.ts';
import { openSale, rowsAre, rowsOf, settled } from './sale.ts';
import { openSeller, until, type Seller } from './seller.ts';

const [amber, birch, cedar] = ['amber', 'birch', 'cedar'];
const stock = 10;
/** Each test sells products that no other sells. */
const skus = Array.from({ length: 40 }, (_, index) => `mug-${index + 1}`);
const skusOnEtsy = ['pot-1', 'pot-2', 'pot-3'];
let system: System;
/** Of the Shopify store amber. */
let seller: Seller;
/** Of the Etsy store cedar. */
let potter: Seller;

beforeAll(async () => {
  const pollOften = { ORDER_POLL_SECONDS: '0.2' };
  system = await openSystem({ serviceEnv: { 'connector-shopify': pollOften, 'connector-etsy': pollOften } });
  seller = await openSeller(system, { stores: [amber] });
  potter = await openSeller(system, { stores: [], etsyStores: [cedar] });
  for (const [of, products] of [
    [seller, skus],
    [potter, skusOnEtsy],
  ] as const) {
    await of.open(products);
    for (const sku of products) await of.count(sku, stock);
    for (const sku of products) {
      await of.show(sku, stock);
      await of.quiet(sku);
    }
  }
}, 240_000);
afterAll(async () => system[Symbol.asyncDispose](), 60_000);

const left = skus.values();
function nextSku(): string {
  const { value } = left.next();
  if (value === undefined) throw new Error('Every product is sold already: list more of them.');
  return value;
}
/** A shopper orders so many units of a product that nobody else sells in this test, a line for each number. */
const sale = async (units: readonly number[] = [2], more: Partial<Parameters<typeof openSale>[2]> = {}) =>
  openSale(seller, amber, { sku: nextSku(), units, ...more });

/** What happens at the marketplace while the connector sleeps: it sees the order for the first time as it is then. */
async function unseen<T>(work: () => Promise<T>): Promise<T> {
  const { pid } = system.processes['connector-shopify'];
  if (pid === undefined) throw new Error('The connector does not run.');
  process.kill(pid, 'SIGSTOP');
  try {
    await seller.control.shops(); // by then what it had asked before is answered
    return await work();
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

const reserve = 'OrderReserve 0 2 0 -2';
const assigned = 'BatchReserve 0 -2 2 0';
const labelled = 'AutoPick -2 -2 0 0';

describe('an order', () => {
  test('first seen reserves its open units, paid or not', async () => {
    const order = await sale([2], { financialStatus: 'PENDING' });
    await order.rowsAre(reserve);
    const edited = await unseen(async () => {
      const placed = await sale([3]);
      await placed.isEdited(2);
      return placed;
    });
    await edited.rowsAre(reserve);
  });
  test('edited before the pick to more, then to less, reserves and releases the difference', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    await order.isEdited(5);
    await order.rowsAre(reserve, 'OrderReserve 0 3 0 -3');
    await order.isEdited(1);
    await order.rowsAre(reserve, 'OrderReserve 0 3 0 -3', 'OrderRelease 0 -4 0 4');
  });
  test('edited to less while units are in a batch gives the Order Reserve first, then the Batch Reserve', async () => {
    const order = await sale([3]);
    await order.rowsAre('OrderReserve 0 3 0 -3');
    await order.batch(order.of(2));
    await order.isEdited(1);
    await order.rowsAre('OrderReserve 0 3 0 -3', 'BatchReserve 0 -2 2 0', 'OrderRelease 0 -1 -1 2');
  });
  test('with two lines of one SKU is one reservation of their sum', async () => {
    const order = await sale([2, 3]);
    await order.rowsAre('OrderReserve 0 5 0 -5');
  });
  test('of two products holds and ships each of them', async () => {
    const [one, other] = [nextSku(), nextSku()];
    const { id } = await seller.buy(amber, [
      [one, 1],
      [other, 2],
    ]);
    await rowsAre(seller, one, 'OrderReserve 0 1 0 -1');
    await rowsAre(seller, other, reserve);
    expect((await seller.label(amber, id)).status).toBe(201);
    await rowsAre(seller, one, 'OrderReserve 0 1 0 -1', 'AutoPick -1 -1 0 0');
    await rowsAre(seller, other, reserve, labelled);
  });
  test('for more than there is reserves in full; shoppers see 0, and an incident names the order until stock comes', async () => {
    const { sku, order, rowsAre: itsRowsAre } = await sale([13]);
    await itsRowsAre('OrderReserve 0 13 0 -13');
    await seller.levelIs(sku, { onHand: stock, orderReserve: 13, available: stock - 13 });
    await seller.show(sku, 0);
    const incident = async () =>
      (await seller.call<{ incident?: { state: string; explanation: unknown } }>('stock', 'GET', `/incidents/oversold/${sku}`)).body
        .incident;
    const seen = await until('the incident', incident, (found) => found?.state === 'open');
    expect(seen?.explanation).toMatchObject({ orders: [{ store: amber, order, reserved: 13, short: 3 }] });
    await seller.count(sku, 13);
    await until('the incident to close', incident, (found) => found?.state === 'closed');
  });
  test('refunded without a cancellation moves nothing', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    await order.isRefunded();
    await order.known();
    await order.rowsAre(reserve);
  });
  test('of which a shipped unit is refunded moves nothing: a person says whether it comes back', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    await order.isShippedThere();
    await order.rowsAre(reserve, labelled);
    await order.isRefunded(order.of(1));
    await order.known();
    expect(await until('the put-back list', order.toPutBack, (units) => units.length > 0)).toEqual(order.of(1).lines);
    await order.isPutBack({ lost: true });
    await until('it to be off the list', order.toPutBack, (units) => units.length === 0);
    await order.rowsAre(reserve, labelled);
  });
  test('first seen already shipped reserves and is picked by the marketplace', async () => {
    const order = await unseen(async () => {
      const placed = await sale();
      await placed.isShippedThere();
      return placed;
    });
    const rows = await order.rowsAre(reserve, labelled);
    expect(rows[1]?.user).toEqual({ kind: 'marketplace', id: 'shopify' });
    expect(await order.steps()).toEqual(['seen']);
  });
  test('first seen already cancelled: nothing', async () => {
    const order = await unseen(async () => {
      const placed = await sale();
      await placed.isCancelled();
      return placed;
    });
    await order.known();
    expect(await order.rows()).toEqual([]);
    expect(await order.steps()).toEqual(['seen']);
  });
  test('of which units had shipped before its store was connected holds nothing for them', async () => {
    const [sku, shop] = [nextSku(), seller.shopOf(birch)];
    const entered = await seller.createShop(birch);
    await seller.list(birch, [sku], stock);
    await seller.control.configure(shop, { clockOffsetMilliseconds: -3_600_000 });
    const [some, all] = [await openSale(seller, birch, { sku, units: [3] }), await openSale(seller, birch, { sku, units: [4] })];
    await some.isShippedThere(some.of(2));
    await all.isShippedThere();
    await seller.control.configure(shop, { clockOffsetMilliseconds: 0 });
    await seller.connect(birch, entered);
    await some.rowsAre('OrderReserve 0 1 0 -1');
    await some.isShippedThere();
    await some.rowsAre('OrderReserve 0 1 0 -1', 'AutoPick -1 -1 0 0');
  });
  test('of which the marketplace ships a line from its own warehouse holds nothing for it', async () => {
    const [sku, order] = [nextSku(), 'sold-by-fba'];
    // Neither Shopify nor Etsy has a warehouse of its own to ship from. What the connector of a marketplace that has one, as Amazon has, would write:
    const plain = { sku, listing: 'item', cancelled: 0, fulfilled: 0, shippedBefore: 0 };
    const lines = [
      { ...plain, line: 'from-theirs', quantity: 3, fulfilledBy: 'marketplace' },
      { ...plain, line: 'from-ours', quantity: 2, fulfilledBy: 'seller' },
    ] as const;
    const about = { tenant: seller.tenant, store: amber, marketplace: 'shopify', order, name: order };
    const read = (updatedAt: number, fulfilled: number): EventOf<'MarketplaceOrderRead'> => ({
      id: `shopify/${keyOf(seller.tenant, amber, order)}/${updatedAt}/test`,
      type: 'MarketplaceOrderRead',
      time: updatedAt,
      correlation: order,
      data: {
        ...about,
        ...{ placedAt: 1, updatedAt, cancelledAt: null, connectedAt: null, at: updatedAt },
        lines: lines.map((line) => (line.fulfilledBy === 'marketplace' ? { ...line, fulfilled } : line)),
      },
    });
    const send = async (event: EventOf<'MarketplaceOrderRead'>) =>
      seller.produce([{ topic: topics.marketplaceOrders, key: [seller.tenant, amber, order], event }]);
    await send(read(1, 0));
    await rowsAre(seller, sku, reserve);
    expect(await seller.label(amber, order, { lines: [{ line: 'from-theirs', quantity: 1 }] })).toMatchObject({
      status: 409,
      body: { type: 'urn:evenkeel:problem:shipped-by-marketplace' },
    });
    await send(read(2, 3));
    await until(
      'their parcel to be known',
      async () => (await seller.call<{ lines: { fulfilled: number }[] }>('order', 'GET', `/stores/${amber}/orders/${order}`)).body.lines,
      ([theirs]) => theirs?.fulfilled === 3,
    );
    await settled(seller, amber, order);
    await rowsAre(seller, sku, reserve);
  });
  test('of a listing that is not mapped is kept with an incident, reserved when it is mapped, and stays with that product', async () => {
    const [sku, other] = [nextSku(), nextSku()];
    const [listed] = await seller.control.putProducts(seller.shopOf(amber), [{ sku: null, quantity: stock }]);
    const item = listed?.inventoryItem ?? '';
    const order = await openSale(seller, amber, { sku, item });
    await order.known();
    const open = async () =>
      (await seller.call<{ incidents: { kind: string; subject: string }[] }>('order', 'GET', '/incidents?state=open')).body.incidents;
    const isOurs = ({ subject }: { subject: string }) => subject === keyOf(amber, order.order);
    await until('the incident', open, (incidents) => incidents.some(isOurs));
    expect(await order.rows()).toEqual([]);
    const mapTo = async (product: string) => {
      const path = `/stores/${amber}/listings/${encodeURIComponent(item)}/mapping`;
      expect((await seller.call('connector-shopify', 'PUT', path, { sku: product })).status).toBe(200);
    };
    await mapTo(sku);
    await order.rowsAre(reserve);
    await until('the incident to close', open, (incidents) => !incidents.some(isOurs));
    await mapTo(other);
    await order.isEdited(3);
    await order.rowsAre(reserve, 'OrderReserve 0 1 0 -1');
    expect(await rowsOf(seller, other)).toEqual([]);
  });
});

/** An order's part of a row of a pick list. */
const partOf = ({ order, name }: { order: string; name: string }, quantity: number) => ({ store: amber, order, name, quantity });

describe('a pick batch', () => {
  test('is picked where it says, and a label after that moves nothing, nor does its void', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    const batch = await order.batch();
    await order.does(batch, 'picks', {}, { location: 'attic' });
    const label = await order.label();
    await order.voids(label);
    await order.settled();
    const rows = await order.rowsAre(reserve, assigned, 'BatchPick -2 0 -2 0');
    expect(rows[2]).toMatchObject({ batch, location: 'attic', user: { kind: 'person', id: 'clara' } });
  });
  test('gives back what is taken out of it, and all when it is cancelled', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    const batch = await order.batch();
    await order.does(batch, 'removals', order.of(1));
    await order.rowsAre(reserve, assigned, 'BatchRelease 0 1 -1 0');
    await order.cancelsBatch(batch);
    await order.rowsAre(reserve, assigned, 'BatchRelease 0 1 -1 0', 'BatchRelease 0 1 -1 0');
    const late = await seller.call('reservation', 'POST', `/pick-batches/${batch}/orders`, {
      orders: [{ store: amber, order: order.order }],
    });
    expect(late.status).toBe(409);
  });
  test('in which a unit is not there takes it off On Hand, and the order waits for it', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    const batch = await order.batch();
    await order.does(batch, 'short-picks', order.of(1));
    await order.rowsAre(reserve, assigned, 'StockUpdate (short_pick) -1 1 -1 -1');
  });
  test('covers a label: its units are deducted when they are picked, from the default location where nobody says which', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    const batch = await order.batch();
    await order.label();
    await order.settled();
    await order.rowsAre(reserve, assigned);
    await order.does(batch, 'picks');
    const rows = await order.rowsAre(reserve, assigned, 'BatchPick -2 0 -2 0');
    expect(rows[2]?.location).toBe('default');
  });
  test('that is cancelled leaves labelled units to their label: Auto Pick then', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    const batch = await order.batch();
    const label = await order.label();
    await order.settled();
    await order.cancelsBatch(batch);
    const rows = await order.rowsAre(reserve, assigned, 'BatchRelease 0 2 -2 0', labelled);
    expect(rows[3]?.label).toBe(label);
  });
  test('whose units the marketplace reports as shipped loses them', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    await order.batch(order.of(1));
    await order.isShippedThere();
    const rows = await order.rowsAre(reserve, 'BatchReserve 0 -1 1 0', 'AutoPick -2 -1 -1 0');
    expect(rows[2]?.user).toEqual({ kind: 'marketplace', id: 'shopify' });
  });
  test('stands on a list to print, in the order of the locations, and is picked there', async () => {
    const [first, second] = [await sale(), await sale([1])];
    await first.rowsAre(reserve);
    await second.rowsAre('OrderReserve 0 1 0 -1');
    const keep = async (sku: string, title: string, defaultLocation: string) =>
      expect((await seller.call('stock', 'PUT', `/products/${sku}`, { title, defaultLocation })).status).toBe(200);
    await keep(first.sku, 'Mug, blue', 'shelf-b');
    await keep(second.sku, 'Mug, red', 'shelf-a');
    const made = await seller.call<{ batch: string }>('reservation', 'POST', '/pick-batches', {
      orders: [first, second].map(({ order }) => ({ store: amber, order })),
    });
    expect(made).toMatchObject({ status: 201, body: { orders: [{ status: 'done' }, { status: 'done' }] } });
    const path = `/pick-batches/${made.body.batch}`;
    const listed = async () => (await seller.call<{ rows: { location: string }[] }>('reservation', 'GET', `${path}/pick-list`)).body.rows;
    const rows = await until('the shelves to be known', listed, (found) => found.every(({ location }) => location.startsWith('shelf')));
    expect(rows).toEqual([
      { location: 'shelf-a', sku: second.sku, title: 'Mug, red', quantity: 1, onHand: 0, orders: [partOf(second, 1)] },
      { location: 'shelf-b', sku: first.sku, title: 'Mug, blue', quantity: 2, onHand: 0, orders: [partOf(first, 2)] },
    ]);
    expect(await seller.call('reservation', 'POST', `${path}/picks`, {})).toMatchObject({ status: 200 });
    const isPick = ({ type }: { type: string }) => type === 'BatchPick';
    const picks = await until('the pick', first.rows, (found) => found.some(isPick));
    expect(picks.filter(isPick)).toMatchObject([{ change: { onHand: -2, batchReserve: -2 }, location: 'shelf-b' }]);
    await until('nothing to be left on the list', listed, (found) => found.length === 0);
  });
});

describe('a label', () => {
  const open = async (sku: string) =>
    until(
      `an incident about ${sku}`,
      async () => (await seller.incidents()).filter(({ subject }) => subject === sku),
      (found) => found.length > 0,
    );
  test('on units in no batch picks them where it says, though none is there; its void takes them back and names what it reverses', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    const label = await order.label({ location: 'attic' });
    await order.rowsAre(reserve, labelled);
    expect(await open(order.sku)).toMatchObject([{ kind: 'negative_on_hand', details: { location: 'attic', onHand: '-2' } }]);
    await order.voids(label, order.of(1));
    const [, picked, voided] = await order.rowsAre(reserve, labelled, 'AutoPick 1 1 0 0');
    expect(picked).toMatchObject({ label, location: 'attic' });
    expect(voided).toMatchObject({ label, location: 'attic', reverses: picked?.cause });
  });
  test('twice is a split shipment, each from the default location where it names none', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    await order.label(order.of(1));
    await order.label();
    const rows = await order.rowsAre(reserve, 'AutoPick -1 -1 0 0', 'AutoPick -1 -1 0 0');
    expect(rows.map(({ location }) => location)).toEqual([null, 'default', 'default']);
  });
  test('that the marketplace then reports as shipped moves nothing more; what it ships beyond is deducted', async () => {
    const order = await sale([3]);
    await order.rowsAre('OrderReserve 0 3 0 -3');
    await order.label(order.of(2));
    await order.isShippedThere(order.of(2));
    await order.known();
    await order.rowsAre('OrderReserve 0 3 0 -3', labelled);
    await order.isShippedThere();
    const rows = await order.rowsAre('OrderReserve 0 3 0 -3', labelled, 'AutoPick -1 -1 0 0');
    expect(rows[2]).toMatchObject({ user: { kind: 'marketplace', id: 'shopify' }, label: null });
  });
});

describe('a cancellation', () => {
  test('before the pick releases everything, also out of a batch', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    await order.batch();
    await order.isCancelled();
    await order.rowsAre(reserve, assigned, 'OrderRelease 0 0 -2 2');
  });
  test('of the whole order after the pick moves nothing and joins the put-back list; put back, the units are on the shelf', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    const label = await order.label();
    await order.rowsAre(reserve, labelled);
    await order.isCancelled();
    await until('the put-back list', order.toPutBack, (units) => units.length > 0);
    await order.voids(label);
    await order.settled();
    await order.rowsAre(reserve, labelled);
    expect(await order.toPutBack()).toEqual(order.of(2).lines);
    await order.isPutBack();
    await order.rowsAre(reserve, labelled, 'StockUpdate (put_back) 2 0 0 2');
    await until('it to be off the list', order.toPutBack, (units) => units.length === 0);
  });
  test('of one unit after the Batch Pick concerns that unit alone, and it can be put back elsewhere', async () => {
    const order = await sale();
    await order.rowsAre(reserve);
    await order.does(await order.batch(), 'picks');
    const picked = [reserve, assigned, 'BatchPick -2 0 -2 0'];
    await order.rowsAre(...picked);
    await order.isCancelled(order.of(1));
    await until('the put-back list', order.toPutBack, (units) => units.length > 0);
    expect(await order.toPutBack()).toEqual(order.of(1).lines);
    await order.isPutBack({ location: 'attic' });
    const rows = await order.rowsAre(...picked, 'StockUpdate (put_back) 1 0 0 1');
    expect(rows.at(-1)?.location).toBe('attic');
  });
});

describe('on Etsy, which ships and cancels whole orders', () => {
  const left = skusOnEtsy.values();
  const soldThere = async (units: readonly number[]) => openSale(potter, cedar, { sku: left.next().value ?? '', units });

  test('one unit is reserved, picked in a batch and labelled; when Etsy says that it is shipped, nothing moves', async () => {
    const order = await soldThere([1]);
    await order.rowsAre('OrderReserve 0 1 0 -1');
    const batch = await order.batch();
    await order.does(batch, 'picks');
    await order.label();
    await order.isShippedThere();
    await order.known();
    await order.rowsAre('OrderReserve 0 1 0 -1', 'BatchReserve 0 -1 1 0', 'BatchPick -1 0 -1 0');
    await potter.show(order.sku, stock - 1);
  });
  test('what nobody has picked here is deducted when Etsy says that it is shipped', async () => {
    const order = await soldThere([2]);
    await order.rowsAre(reserve);
    await order.isShippedThere();
    const rows = await order.rowsAre(reserve, labelled);
    expect(rows[1]?.user).toEqual({ kind: 'marketplace', id: 'etsy' });
  });
  test('an order that is cancelled after its label is put back, and on sale again', async () => {
    const order = await soldThere([2]);
    await order.rowsAre(reserve);
    await order.label();
    await order.rowsAre(reserve, labelled);
    await order.isCancelled();
    await until('the put-back list', order.toPutBack, (units) => units.length > 0);
    await order.isPutBack();
    await order.rowsAre(reserve, labelled, 'StockUpdate (put_back) 2 0 0 2');
    await potter.show(order.sku, stock);
  });
});

describe('what comes in', () => {
  const purchase = async (path: string, body: unknown) => seller.call('stock', 'POST', `/purchase-orders${path}`, body);
  const units = (sku: string, quantity: number) => ({ lines: [{ sku, quantity }] });

  test('on a purchase order is not sellable before it is put away; put away, it is On Hand there', async () => {
    const sku = nextSku();
    expect((await purchase('', { purchaseOrder: 'po-1', ...units(sku, 6) })).status).toBe(201);
    const received = await purchase('/po-1/receipts', { ...units(sku, 4), putAway: false });
    expect(received).toMatchObject({ status: 200, body: { purchaseOrder: { lines: [{ toCome: 2, toPutAway: 4 }] } } });
    const put = await purchase('/po-1/put-aways', { ...units(sku, 3), location: 'attic' });
    expect(put).toMatchObject({ status: 200, body: { purchaseOrder: { state: 'open', lines: [{ toCome: 2, toPutAway: 1 }] } } });
    const [row] = await rowsAre(seller, sku, 'PurchaseReceiving 3 0 0 3');
    expect(row).toMatchObject({ location: 'attic', user: { kind: 'person', id: 'clara' } });
    await seller.show(sku, stock + 3);
  });
  test('is put away as it is received where nobody says otherwise; more than was ordered only where that is allowed', async () => {
    const sku = nextSku();
    await purchase('', { purchaseOrder: 'po-2', ...units(sku, 2) });
    expect(await purchase('/po-2/receipts', units(sku, 3))).toMatchObject({
      status: 409,
      body: { type: 'urn:evenkeel:problem:over-received' },
    });
    expect((await purchase('/po-2/receipts', { ...units(sku, 3), allowOver: true })).status).toBe(200);
    const [row] = await rowsAre(seller, sku, 'PurchaseReceiving 3 0 0 3');
    expect(row?.location).toBe('default');
  });
  test('or goes out by hand: stock set from 10 to 7 at one location, and never below zero', async () => {
    const sku = nextSku();
    expect((await seller.setOnHand(sku, stock, 7, 'damaged')).status).toBe(200);
    await rowsAre(seller, sku, 'StockUpdate (damaged) -3 0 0 -3');
    expect((await seller.setOnHand(sku, 7, -1, 'damaged')).status).toBe(400);
  });
});

test('between the batch and the last label every record of the SKU carries the same Available, and nothing is pushed', async () => {
  const order = await sale([4]);
  await order.rowsAre('OrderReserve 0 4 0 -4');
  // The sale itself has lowered the listing: its push, which comes after that of the count, may still be on its way.
  await until(
    'the sale to be pushed',
    async () => seller.pushes(order.sku),
    (pushes) => pushes.every((count) => count === 2),
  );
  await seller.quiet(order.sku);
  const [before, { sequence: from }] = [await seller.pushes(order.sku), await seller.level(order.sku)];
  const batch = await order.batch(order.of(3));
  await order.does(batch, 'removals', order.of(1));
  await order.does(batch, 'picks', order.of(1));
  const label = await order.label(order.of(2));
  await order.voids(label, order.of(1));
  await order.label(order.of(3));
  await order.cancelsBatch(batch);
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
  const sku = nextSku();
  const orders: Awaited<ReturnType<typeof openSale>>[] = [];
  for (let index = 0; index < 8; index += 1) orders.push(await openSale(seller, amber, { sku, units: [1] }));
  const inBatch = ({ order }: { order: string }) => ({ orders: [{ store: amber, order }] });
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
  for (const { tenant } of [seller, potter]) {
    const { violations } = await runAudit({ ...where, tenant, waitSeconds: 30, json: false, help: false }, () => undefined);
    expect(violations.map(printFinding)).toEqual([]);
  }
});

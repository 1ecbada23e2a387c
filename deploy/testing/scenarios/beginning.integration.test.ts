import { expect, test } from '@jest/globals';
import { openCodec, topics } from '@evenkeel/contracts';
import { openOwnBacking } from '../backing.ts';
import { openSystem, type System } from '../system.ts';
import { drained, inParts, interleave, produceAgain, recordInputs, recordsOf, type Recorded } from './recording.ts';
import { openSeller, until, type Seller } from './seller.ts';

const skus = ['cup', 'pot', 'lid/red'];
const stores = ['amber', 'birch'] as const;
const quickly = { serviceEnv: { 'connector-shopify': { ORDER_POLL_SECONDS: '0.2' } } };

/** A name that no seller of another test has, and the same in both systems. */
const tenant = `again-${process.pid}`;

/** Sold in both stores, batched, picked short, labelled, voided, cancelled, put back, bought in, counted, refused; every change is pushed. */
async function someDays(seller: Seller): Promise<string[]> {
  await seller.open(skus);
  for (const sku of skus) await seller.count(sku, 40);
  for (const sku of skus) await seller.show(sku, 40);
  const orders: { store: string; id: string }[] = [];
  for (let number = 0; number < 12; number += 1) {
    const store = stores[number % 2] ?? 'amber';
    const { id } = await seller.buy(
      store,
      skus.slice(number % 3).map((sku) => [sku, 1 + (number % 2)] as const),
    );
    orders.push({ store, id });
  }
  for (const [number, { store, id }] of orders.entries()) {
    await seller.knows(store, id);
    if (number % 4 === 0) await seller.label(store, id);
    if (number % 4 === 1) await seller.control.cancelOrder(seller.shopOf(store), id);
    if (number % 4 === 2) await voided(seller, store, id);
    if (number % 8 === 3) await seller.control.fulfilOrder(seller.shopOf(store), id);
  }
  for (const [number, order] of orders.entries()) {
    if (number % 4 === 1) await told(seller, order, ({ cancelledAt }) => cancelledAt !== null);
    if (number % 8 === 3) await told(seller, order, ({ lines }) => lines.every(({ fulfilled, quantity }) => fulfilled === quantity));
  }
  await picked(
    seller,
    [7, 10, 6].flatMap((number) => orders[number] ?? []),
  );
  await received(seller);
  await seller.setOnHand('cup', 3, 50); // refused: nobody has seen 3
  await seller.sync('pot', false);
  await seller.sync('pot', true);
  return orders.map(({ store, id }) => `/stores/${store}/orders/${encodeURIComponent(id)}/reservations`);
}

interface Batched {
  readonly batch: string;
  readonly orders: readonly { readonly units: readonly { readonly line: string }[] }[];
}

async function must<Body>(seller: Seller, service: 'reservation' | 'stock', path: string, body: object): Promise<Body> {
  const answer = await seller.call<Body>(service, 'POST', path, body);
  if (answer.status >= 300) throw new Error(`${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body;
}

/** A pick batch of some orders: one unit is not there, one order is taken out, the rest is picked; the last one is cancelled after that, and put back. */
async function picked(seller: Seller, orders: readonly { store: string; id: string }[]): Promise<void> {
  const names = orders.map(({ store, id }) => ({ store, order: id }));
  const [short, out, regretted] = names;
  if (!short || !out || !regretted) throw new Error('Name three orders.');
  const { batch, orders: batched } = await must<Batched>(seller, 'reservation', '/pick-batches', { orders: names });
  const line = batched[0]?.units[0]?.line;
  await must(seller, 'reservation', `/pick-batches/${batch}/short-picks`, { orders: [{ ...short, lines: [{ line, quantity: 1 }] }] });
  await must(seller, 'reservation', `/pick-batches/${batch}/removals`, { orders: [out] });
  await must(seller, 'reservation', `/pick-batches/${batch}/picks`, {});
  await seller.control.cancelOrder(seller.shopOf(regretted.store), regretted.order);
  await told(seller, { store: regretted.store, id: regretted.order }, ({ cancelledAt }) => cancelledAt !== null);
  await until(
    'the units to be put back',
    async () => (await seller.call<{ units: { order: string }[] }>('reservation', 'GET', '/to-put-back')).body.units,
    (units) => units.some(({ order }) => order === regretted.order),
  );
  await must(seller, 'reservation', `/stores/${regretted.store}/orders/${encodeURIComponent(regretted.order)}/put-backs`, {});
}

/** Half of what was ordered from a supplier comes and is put away, the rest comes and waits. */
async function received(seller: Seller): Promise<void> {
  await must(seller, 'stock', '/purchase-orders', { purchaseOrder: 'po-1', lines: [{ sku: 'pot', quantity: 10 }] });
  await must(seller, 'stock', '/purchase-orders/po-1/receipts', { lines: [{ sku: 'pot', quantity: 6 }] });
  await must(seller, 'stock', '/purchase-orders/po-1/receipts', { putAway: false });
}

interface Told {
  readonly cancelledAt: string | null;
  readonly lines: readonly { readonly quantity: number; readonly fulfilled: number }[];
}

/** Waits until the order service knows what the marketplace has done to an order. */
const told = async (seller: Seller, { store, id }: { store: string; id: string }, holds: (order: Told) => boolean) =>
  until(
    `what became of the order ${id}`,
    async () => (await seller.call<Told>('order', 'GET', `/stores/${store}/orders/${encodeURIComponent(id)}`)).body,
    holds,
  );

/** A label for all, then a void of all of it. */
async function voided(seller: Seller, store: string, order: string): Promise<void> {
  const { body } = await seller.label(store, order);
  const { label } = body as { label: string };
  const path = `/stores/${store}/orders/${encodeURIComponent(order)}/labels/${encodeURIComponent(label)}/voids`;
  expect(await seller.call('order', 'POST', path, {})).toMatchObject({ status: 201 });
}

/** All that must be the same, however things are numbered. */
async function outcome(system: System, seller: Seller, orders: readonly string[]) {
  for (const sku of skus) await seller.quiet(sku);
  const rows = await changesOf(system);
  const bySku = skus.map(async (sku) => ({
    sku,
    ...(await seller.level(sku)),
    // Of two rows from different orders or commands either may come last: the number and the time of the newest are its own.
    sequence: 'any',
    at: 'any',
    rows: rows.filter((row) => row.sku === sku).map(({ text }) => text),
    shown: await Promise.all(stores.map(async (store) => seller.shown(store, sku))),
  }));
  const byOrder = orders.map(async (path) => ({ ...(await seller.call('reservation', 'GET', path)).body, orderSequence: 'any' }));
  return { skus: await Promise.all(bySku), orders: await Promise.all(byOrder) };
}

/** Every ledger row as what caused it and what it changed, once however often it was published. */
async function changesOf(system: System): Promise<{ sku: string; text: string }[]> {
  const codec = await openCodec(system.registryUrl);
  const rows = new Map<string, { sku: string; text: string }>();
  for (const { value } of await recordsOf(system, [topics.stockMovements], tenant)) {
    const { sku, sequence, cause, type, refused, change } = await codec.decode('StockMoved', value ?? Buffer.of());
    rows.set(`${sku} ${sequence}`, { sku, text: JSON.stringify([cause, type, refused, change]) });
  }
  return [...rows.values()].toSorted((one, other) => (one.text < other.text ? -1 : 1));
}

/** A recorded run, played into a system in which nothing has ever happened. */
async function playedIntoEmpty(records: readonly Recorded[], orders: readonly string[], seed: number) {
  await using backing = await openOwnBacking();
  await using system = await openSystem({ backing, ...quickly });
  const seller = await openSeller(system, { tenant });
  await seller.open(skus);
  for (const part of inParts(records)) {
    await produceAgain(system, interleave(part, seed));
    await drained(system);
  }
  return await outcome(system, seller, orders);
}

test('a recorded run, played from its beginning into an empty system in three interleavings, comes to the same quantities, movements, reservations and listings', async () => {
  let records: Recorded[] = [];
  let orders: string[] = [];
  let before: unknown;
  {
    await using system = await openSystem(quickly);
    const seller = await openSeller(system, { tenant });
    orders = await someDays(seller);
    await drained(system);
    before = await outcome(system, seller, orders);
    records = await recordInputs(system, tenant);
  }
  for (const seed of [1, 2, 3]) expect(await playedIntoEmpty(records, orders, seed)).toEqual(before);
}, 600_000);

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { keyOf } from '@evenkeel/contracts';
import type { ServiceName } from '../../local/application.ts';
import { openSystem, type System } from '../system.ts';
import { openSeller, until, type Seller } from './seller.ts';

let system: System;
beforeAll(async () => {
  system = await openSystem({ serviceEnv: { 'connector-shopify': { ORDER_POLL_SECONDS: '0.2' } } });
}, 120_000);
afterAll(async () => system[Symbol.asyncDispose](), 60_000);

const everyChange = { realTimeAtOrBelow: null, significantUnits: null, everyNth: 10 };
const mug = 'mug/blue';

/** A seller of these SKUs, each counted to `onHand` and shown by both stores. */
async function sellerOf(skus: readonly string[], onHand?: number): Promise<Seller> {
  const seller = await openSeller(system);
  await seller.open(skus);
  if (onHand !== undefined)
    for (const sku of skus) {
      await seller.count(sku, onHand);
      await seller.show(sku, onHand);
      await seller.quiet(sku);
    }
  return seller;
}

describe('a sale on one store changes what every store shows', () => {
  test('one of two units is ordered, and later labelled: it is reserved, shown as one everywhere, then picked without a push', async () => {
    const seller = await sellerOf([mug], 2);
    const order = await seller.buy('amber', [[mug, 1]]);
    await seller.levelIs(mug, { onHand: 2, orderReserve: 1, available: 1 });
    await seller.show(mug, 1);
    await seller.quiet(mug);
    const pushes = await seller.pushes(mug);

    await seller.knows('amber', order.id);
    const label = await seller.label('amber', order.id);
    expect(label.status).toBe(201);
    const level = await seller.levelIs(mug, { onHand: 1, orderReserve: 0, available: 1 });
    const picks = (await seller.movements(mug)).filter(({ type }) => type === 'AutoPick');
    expect(picks).toMatchObject([
      { change: { onHand: -1, orderReserve: -1, available: 0 }, location: 'default', user: { kind: 'person', id: 'clara' } },
    ]);
    expect(await seller.decided(mug, level.sequence)).toMatchObject({ decision: 'held', reason: 'available_unchanged' });
    await seller.quiet(mug);
    expect(await seller.pushes(mug)).toEqual(pushes);
    expect(await seller.shown('birch', mug)).toBe(1);
  });

  test('an order for more than there is: Available goes below zero, shoppers see 0, and the incident closes itself', async () => {
    const seller = await sellerOf([mug], 1);
    await seller.buy('birch', [[mug, 3]]);
    await seller.levelIs(mug, { onHand: 1, orderReserve: 3, available: -2 });
    await seller.show(mug, 0);
    expect(await seller.incidents()).toMatchObject([{ kind: 'oversold', subject: mug }]);
    await seller.count(mug, 5);
    await seller.show(mug, 2);
    await until(
      'the incident to close',
      async () => seller.incidents(),
      (open) => open.length === 0,
    );
    expect(await seller.incidents('closed')).toMatchObject([{ kind: 'oversold', subject: mug }]);
  });
});

describe('a Stock Update', () => {
  test('says the On Hand that its user had seen, and changes it', async () => {
    const seller = await sellerOf([mug], 5);
    const answer = await seller.setOnHand(mug, 5, 8);
    expect(answer).toMatchObject({
      status: 200,
      body: { movement: { type: 'StockUpdate', change: { onHand: 3 }, after: { onHand: 8, available: 8 }, user: { id: 'clara' } } },
    });
    await seller.show(mug, 8);
  });

  test('is refused when On Hand changed meanwhile: with the movements since, and what the same difference would give', async () => {
    const seller = await sellerOf([mug], 5);
    await seller.count(mug, 9);
    const answer = await seller.setOnHand(mug, 5, 8);
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ movements: [{ type: 'StockUpdate', change: { onHand: 4 } }], sameDifferenceWouldGive: 12 });
    expect(await seller.level(mug)).toMatchObject({ onHand: 9, available: 9 });
  });

  test('is not refused because a reserve moved in between', async () => {
    const seller = await sellerOf([mug], 5);
    await seller.buy('amber', [[mug, 2]]);
    await seller.levelIs(mug, { orderReserve: 2 });
    expect((await seller.setOnHand(mug, 5, 6)).status).toBe(200);
    await seller.show(mug, 4);
  });

  test('to the value it already has is recorded, and changes nothing', async () => {
    const seller = await sellerOf([mug], 5);
    const before = await seller.level(mug);
    const pushes = await seller.pushes(mug);
    expect(await seller.setOnHand(mug, 5, 5)).toMatchObject({ status: 200, body: { movement: { change: { onHand: 0, available: 0 } } } });
    const level = await seller.level(mug);
    expect(level).toEqual({ ...before, sequence: before.sequence + 1, at: expect.any(String) });
    expect(await seller.decided(mug, level.sequence)).toMatchObject({ decision: 'held', reason: 'available_unchanged' });
    expect(await seller.pushes(mug)).toEqual(pushes);
  });

  test('with the same idempotency key gets the same answer; with another body it is refused', async () => {
    const seller = await sellerOf([mug], 5);
    const path = `/products/${encodeURIComponent(mug)}/locations/default/on-hand`;
    const key = { 'idempotency-key': 'count-of-tuesday' };
    const first = await seller.call('stock', 'PUT', path, { seen: 5, onHand: 6 }, key);
    const again = await seller.call('stock', 'PUT', path, { onHand: 6, seen: 5 }, key);
    expect(again).toEqual(first);
    expect((await seller.call('stock', 'PUT', path, { seen: 5, onHand: 7 }, key)).status).toBe(422);
    expect(await seller.level(mug)).toMatchObject({ onHand: 6 });
  });
});

describe('Inventory Sync', () => {
  test('off: Available moves and nothing goes out; on: the current value once', async () => {
    const seller = await sellerOf([mug], 5);
    await seller.sync(mug, false);
    const pushes = await seller.pushes(mug);
    await seller.count(mug, 9);
    const level = await seller.levelIs(mug, { available: 9 });
    expect(await seller.decided(mug, level.sequence)).toMatchObject({ decision: 'held', reason: 'sync_disabled' });
    await seller.quiet(mug);
    expect(await seller.pushes(mug)).toEqual(pushes);
    expect(await seller.shown('amber', mug)).toBe(5);

    await seller.sync(mug, true);
    await seller.show(mug, 9);
    await seller.quiet(mug);
    expect(await seller.pushes(mug)).toEqual(pushes.map((count) => count + 1));
  });

  test('turned on again it pushes also the number that was shown before, for the seller may have edited the listing', async () => {
    const seller = await sellerOf([mug], 5);
    await seller.sync(mug, false);
    const pushes = await seller.pushes(mug);
    await seller.control.drift(seller.shopOf('amber'), { inventoryItem: seller.itemOf('amber', mug), available: 77 });
    await seller.sync(mug, true);
    await seller.show(mug, 5);
    await seller.quiet(mug);
    expect(await seller.pushes(mug)).toEqual(pushes.map((count) => count + 1));
  });

  test('off takes back what was still waiting for a store that does not answer', async () => {
    const seller = await sellerOf([mug], 5);
    const pushes = await seller.pushes(mug);
    for (const store of ['amber', 'birch'])
      await seller.control.setFaults(seller.shopOf(store), { failNext: { calls: 1_000_000, status: 503 } });
    await seller.count(mug, 6);
    await until(
      'the push to wait',
      async () => seller.listings(mug),
      (listings) => listings.every(({ outstanding }) => outstanding),
    );
    await seller.sync(mug, false);
    await seller.quiet(mug);
    for (const store of ['amber', 'birch']) await seller.control.setFaults(seller.shopOf(store), {});
    expect(await seller.pushes(mug)).toEqual(pushes);
    await seller.sync(mug, true);
    await seller.show(mug, 6);
  });
});

describe('when a push happens', () => {
  const policy = { realTimeAtOrBelow: 20, significantUnits: 10, everyNth: 3 };

  test('above X only every Nth transaction goes out, at or below X each one, and Y units at once; every decision is readable', async () => {
    const seller = await openSeller(system);
    await seller.policy(policy);
    await seller.open([mug]);
    await seller.count(mug, 100);
    await seller.show(mug, 100);
    const change = async (to: number) => {
      await seller.count(mug, to);
      const { sequence } = await seller.level(mug);
      const { decision, reason } = await seller.decided(mug, sequence);
      return `${decision} ${reason}`;
    };
    expect(await change(99)).toBe('held throttled');
    expect(await change(98)).toBe('held throttled');
    expect(await change(97)).toBe('push every_nth');
    await seller.show(mug, 97); // a push that still waits would carry the newest number
    expect(await change(88)).toBe('held throttled');
    expect(await change(78)).toBe('push significant_change');
    expect(await change(21)).toBe('push significant_change');
    expect(await change(20)).toBe('push at_or_below_threshold');
    expect(await change(19)).toBe('push at_or_below_threshold');
    expect(await change(0)).toBe('push crossed_zero');
    expect(await change(0)).toBe('held available_unchanged');
    expect(await change(25)).toBe('push crossed_zero');
    await seller.show(mug, 25);
    const [latest] = await seller.decisions(mug);
    expect(latest).toMatchObject({
      inputs: { before: 0, after: 25, counter: 0, policy: { realTimeAtOrBelow: 20, significantUnits: 10, everyNth: 3, revision: 1 } },
    });
    await seller.quiet(mug);
    const writes = (await seller.writes('birch', mug)).map(({ quantityAfter }) => quantityAfter);
    expect(writes.filter((quantity) => [99, 98, 88].includes(quantity))).toEqual([]);
    expect(writes.at(-1)).toBe(25);
  });

  test('a SKU may have its own policy, changed while it is selling: what was throttled and is covered now goes out', async () => {
    const [own, other] = ['own', 'other'];
    const seller = await openSeller(system);
    await seller.policy({ realTimeAtOrBelow: 5, significantUnits: 50, everyNth: 10 });
    await seller.open([own, other]);
    for (const sku of [own, other]) {
      await seller.count(sku, 30);
      await seller.show(sku, 30);
      await seller.count(sku, 29);
    }
    expect(await seller.decided(own, 2)).toMatchObject({ decision: 'held', reason: 'throttled' });
    await seller.skuPolicy(own, { realTimeAtOrBelow: 40, significantUnits: null, everyNth: null });
    await seller.show(own, 29);
    expect((await seller.decisions(own))[0]).toMatchObject({ trigger: 'sku_policy', decision: 'push', reason: 'policy_changed' });
    await seller.count(own, 28);
    await seller.show(own, 28);
    expect(await seller.decided(other, 2)).toMatchObject({ reason: 'throttled' });
    expect(await seller.shown('amber', other)).toBe(30);
  });

  test('a product that was never counted is not pushed; its first count is', async () => {
    const seller = await openSeller(system);
    await seller.policy(everyChange);
    await seller.open([mug], 12);
    await seller.buy('amber', [[mug, 1]]);
    const level = await seller.levelIs(mug, { counted: false, orderReserve: 1, available: -1 });
    expect(await seller.decided(mug, level.sequence)).toMatchObject({ decision: 'held', reason: 'not_counted' });
    await seller.quiet(mug);
    expect(await seller.pushes(mug)).toEqual([0, 0]);
    expect(await seller.shown('birch', mug)).toBe(12);
    await seller.count(mug, 10);
    await seller.show(mug, 9);
    expect(await seller.decided(mug, level.sequence + 1)).toMatchObject({ decision: 'push', reason: 'first_count' });
  });
});

describe('the life of an order', () => {
  test('cancelled before its label: the units can be sold again', async () => {
    const seller = await sellerOf([mug], 4);
    const order = await seller.buy('amber', [[mug, 3]]);
    await seller.show(mug, 1);
    await seller.control.cancelOrder(seller.shopOf('amber'), order.id);
    await seller.levelIs(mug, { onHand: 4, orderReserve: 0, available: 4 });
    await seller.show(mug, 4);
  });

  test('edited by its buyer: the reserve follows, up and down', async () => {
    const seller = await sellerOf([mug], 9);
    const order = await seller.buy('birch', [[mug, 2]]);
    const line = order.lines[0]?.id ?? '';
    await seller.levelIs(mug, { orderReserve: 2 });
    await seller.control.editOrder(seller.shopOf('birch'), order.id, { lines: [{ line, quantity: 1 }] });
    await seller.levelIs(mug, { orderReserve: 1, available: 8 });
    await seller.control.editOrder(seller.shopOf('birch'), order.id, { add: [{ sku: mug, quantity: 3 }] });
    await seller.levelIs(mug, { orderReserve: 4, available: 5 });
    await seller.show(mug, 5);
  });

  test('two lines of one SKU are one reservation of their sum', async () => {
    const seller = await sellerOf([mug], 9);
    await seller.buy('amber', [
      [mug, 2],
      [mug, 3],
    ]);
    await seller.levelIs(mug, { orderReserve: 5, available: 4 });
    const reserved = (await seller.movements(mug)).filter(({ type }) => type === 'OrderReserve');
    expect(reserved.map(({ change }) => change.orderReserve)).toEqual([5]);
  });

  test('labelled in two parcels: each takes what is on it, and a third finds nothing left', async () => {
    const seller = await sellerOf([mug], 9);
    const order = await seller.buy('amber', [[mug, 3]]);
    await seller.knows('amber', order.id);
    const lines = [{ line: order.lines[0]?.id, quantity: 1 }];
    expect((await seller.label('amber', order.id, { lines, location: 'attic' })).status).toBe(201);
    await seller.levelIs(mug, { onHand: 8, orderReserve: 2, available: 6 });
    expect((await seller.label('amber', order.id)).status).toBe(201);
    await seller.levelIs(mug, { onHand: 6, orderReserve: 0, available: 6 });
    expect((await seller.label('amber', order.id)).status).toBe(409);
    expect((await seller.movements(mug)).filter(({ type }) => type === 'AutoPick').map(({ location }) => location)).toEqual([
      'default',
      'attic',
    ]);
  });
});

test('one order can be followed from the marketplace to the push, by one correlation id in every log', async () => {
  const seller = await sellerOf([mug], 5);
  const order = await seller.buy('amber', [[mug, 1]]);
  await seller.show(mug, 4);
  await seller.quiet(mug);
  const correlation = JSON.stringify(`shopify/${keyOf(seller.tenant, 'amber', order.id)}`);
  const saying = (service: ServiceName) =>
    readFileSync(system.processes[service].logPath, 'utf8')
      .split('\n')
      .filter((line) => line.includes(correlation))
      .map((line) => (JSON.parse(line) as { msg: string }).msg);
  for (const service of ['order', 'reservation', 'stock', 'sync-policy'] as const)
    expect(saying(service)).toContain('Journaled and published.');
  expect(saying('connector-shopify')).toEqual(expect.arrayContaining(['Orders were read.', 'Pushed.']));
});

test('two sellers with the same SKU and the same order numbers never touch', async () => {
  const [one, other] = [await sellerOf([mug], 5), await sellerOf([mug], 5)];
  const [first, second] = [await one.buy('amber', [[mug, 2]]), await other.buy('amber', [[mug, 1]])];
  expect(first.name).toBe(second.name);
  await one.show(mug, 3);
  await other.show(mug, 4);
  await one.knows('amber', first.id);
  expect((await one.label('amber', first.id)).status).toBe(201);
  expect(await other.level(mug)).toMatchObject({ onHand: 5, orderReserve: 1 });
  await one.levelIs(mug, { onHand: 3, orderReserve: 0, available: 3 });
  expect((await one.listings(mug)).map(({ store }) => store).toSorted()).toEqual(['amber', 'birch']);
});

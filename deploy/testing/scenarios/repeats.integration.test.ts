import { existsSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { EventOf, Outgoing } from '@evenkeel/chassis';
import { keyOf, topics, type MarketplaceOrderRead, type OrderLine, type StockMoved } from '@evenkeel/contracts';
import { openSystem, type System } from '../system.ts';
import { drained, interleave, produceAgain, recordInputs, recordsOf } from './recording.ts';
import { openSeller, until, type Seller } from './seller.ts';

const failpoints = mkdtempSync(join(tmpdir(), 'evenkeel-failpoints-'));
const failpointOf = (service: string) => join(failpoints, service);

let system: System;
beforeAll(async () => {
  const withFailpoint = (service: string, more = {}) => ({ [service]: { FAILPOINT_PATH: failpointOf(service), ...more } });
  system = await openSystem({
    env: { KAFKA_SESSION_TIMEOUT_MILLISECONDS: '6000' },
    serviceEnv: {
      ...withFailpoint('order'),
      ...withFailpoint('reservation'),
      ...withFailpoint('stock'),
      ...withFailpoint('sync-policy'),
      'connector-shopify': { ORDER_POLL_SECONDS: '0.2' },
    },
  });
}, 120_000);
afterAll(async () => system[Symbol.asyncDispose](), 60_000);

const mug = 'mug';

async function sellerOf(skus: readonly string[], onHand: number): Promise<Seller> {
  const seller = await openSeller(system);
  await seller.open(skus);
  for (const sku of skus) {
    await seller.count(sku, onHand);
    await seller.show(sku, onHand);
    await seller.quiet(sku);
  }
  return seller;
}

/** An order as a connector would have read it, for what the sandbox cannot be made to do. */
function orderRead(
  seller: Seller,
  order: string,
  updatedAt: number,
  lines: readonly Partial<OrderLine>[],
  cancelledAt: number | null = null,
): Outgoing {
  const data: MarketplaceOrderRead = {
    tenant: seller.tenant,
    store: 'amber',
    marketplace: 'shopify',
    order,
    name: order,
    placedAt: 1_000,
    updatedAt,
    cancelledAt,
    lines: lines.map((line, index) => ({
      line: `line-${index}`,
      listing: 'somewhere',
      sku: mug,
      quantity: 1,
      cancelled: 0,
      fulfilled: 0,
      shippedBefore: 0,
      fulfilledBy: 'seller',
      ...line,
    })),
    connectedAt: null,
    at: updatedAt,
  };
  const key = keyOf(seller.tenant, 'amber', order);
  const event: EventOf<'MarketplaceOrderRead'> = {
    id: `shopify/${key}/${updatedAt}/test`,
    type: 'MarketplaceOrderRead',
    time: updatedAt,
    correlation: order,
    data,
  };
  return { topic: topics.marketplaceOrders, key: [seller.tenant, 'amber', order], event };
}

const reserves = async (seller: Seller) =>
  (await seller.movements(mug))
    .filter(({ type }) => type.startsWith('Order'))
    .map(({ type, change }) => [type, change.orderReserve])
    .toReversed();

describe('what a marketplace tells in the wrong order, or too often', () => {
  test('cancelled before it was seen at all: nothing moves', async () => {
    const seller = await sellerOf([mug], 5);
    await seller.produce([
      orderRead(seller, '1', 2_000, [{ quantity: 2, cancelled: 2 }], 2_000),
      orderRead(seller, '1', 1_000, [{ quantity: 2 }]),
    ]);
    await drained(system);
    expect(await reserves(seller)).toEqual([]);
    expect(await seller.level(mug)).toMatchObject({ onHand: 5, available: 5 });
  });

  test('the same order three times is one order', async () => {
    const seller = await sellerOf([mug], 5);
    const order = orderRead(seller, '1', 1_000, [{ quantity: 2 }]);
    await seller.produce([order, order]);
    await seller.levelIs(mug, { orderReserve: 2 });
    await seller.produce([order]);
    await drained(system);
    expect(await reserves(seller)).toEqual([['OrderReserve', 2]]);
  });

  test('an older state of an order that comes late is ignored', async () => {
    const seller = await sellerOf([mug], 9);
    await seller.produce([
      orderRead(seller, '1', 2_000, [{ quantity: 5 }]),
      orderRead(seller, '1', 1_000, [{ quantity: 2 }]),
      orderRead(seller, '1', 3_000, [{ quantity: 4, cancelled: 1 }]),
    ]);
    await drained(system);
    expect(await seller.level(mug)).toMatchObject({ orderReserve: 3, available: 6 });
  });

  test('two sellers whose orders have the same number keep them apart', async () => {
    const [one, other] = [await sellerOf([mug], 5), await sellerOf([mug], 5)];
    await one.produce([orderRead(one, '1', 1_000, [{ quantity: 2 }])]);
    await other.produce([orderRead(other, '1', 1_000, [{ quantity: 1 }])]);
    await one.levelIs(mug, { orderReserve: 2, available: 3 });
    await other.levelIs(mug, { orderReserve: 1, available: 4 });
  });

  test('an order that makes no sense is refused, and later ones of its listing go on', async () => {
    const seller = await sellerOf([mug], 5);
    await seller.produce([
      orderRead(seller, '1', 1_000, [{ quantity: -3 }]),
      orderRead(seller, '2', 1_000, [{ quantity: 2_000_000_000 }]),
      orderRead(seller, '3', 1_000, [{ quantity: 1 }]),
    ]);
    await seller.levelIs(mug, { orderReserve: 1, available: 4 });
    await drained(system);
    expect(await reserves(seller)).toEqual([['OrderReserve', 1]]);
  });
});

/** All that a seller could see of the outcome. */
async function outcome(seller: Seller, skus: readonly string[]) {
  const ofSku = async (sku: string) => ({
    sku,
    level: await seller.level(sku),
    movements: (await seller.movements(sku)).length,
    decisions: (await seller.decisions(sku)).length,
    pushes: await seller.pushes(sku),
    listings: (await seller.listings(sku)).map(({ store, listing, confirmed, outstanding }) => ({
      store,
      listing,
      // Its age goes on while the run is played again.
      confirmed: confirmed && { ...confirmed, ageSeconds: undefined },
      outstanding,
    })),
  });
  return Promise.all(skus.map(ofSku));
}

test('a recorded run produced again, each input twice, in three interleavings, changes nothing', async () => {
  const skus = ['cup', 'pot', 'lid/red'];
  const seller = await sellerOf(skus, 40);
  await seller.policy({ realTimeAtOrBelow: 10, significantUnits: 15, everyNth: 4 });
  const orders = [];
  for (let number = 0; number < 12; number += 1)
    orders.push(
      await seller.buy(
        number % 2 === 0 ? 'amber' : 'birch',
        skus.slice(number % 3).map((sku) => [sku, 1 + (number % 2)] as const),
      ),
    );
  await seller.knows('birch', orders.at(-1)?.id ?? '');
  for (const [number, order] of orders.entries()) {
    const store = number % 2 === 0 ? 'amber' : 'birch';
    if (number % 3 === 0) await seller.label(store, order.id);
    if (number % 3 === 1) await seller.control.cancelOrder(seller.shopOf(store), order.id);
  }
  await seller.setOnHand('cup', 3, 50); // refused: nobody has seen 3
  await seller.sync('pot', false);
  await seller.sync('pot', true);
  await seller.skuPolicy('cup', { realTimeAtOrBelow: 30, significantUnits: null, everyNth: null });
  for (const [number, { id }] of orders.entries())
    if (number % 3 === 1)
      await until(
        `the cancellation of ${id}`,
        async () => seller.call('order', 'GET', `/stores/${number % 2 === 0 ? 'amber' : 'birch'}/orders/${encodeURIComponent(id)}`),
        ({ body }) => typeof body['cancelledAt'] === 'string',
      );
  await drained(system);
  for (const sku of skus) await seller.quiet(sku);
  const before = await outcome(seller, skus);
  const inputs = await recordInputs(system, seller.tenant);
  expect(new Set(inputs.map(({ topic }) => topic)).size).toBe(5);

  for (const seed of [1, 2, 3]) {
    await produceAgain(system, interleave([...inputs, ...inputs], seed));
    await drained(system);
    for (const sku of skus) await seller.quiet(sku);
    expect({ seed, outcome: await outcome(seller, skus) }).toEqual({ seed, outcome: before });
  }
}, 180_000);

test('a movement that was lost on the way makes the next one go out at once, where only every tenth would have', async () => {
  const seller = await openSeller(system);
  await seller.policy({ realTimeAtOrBelow: 0, significantUnits: 1_000, everyNth: 10 });
  await seller.open([mug]);
  await seller.count(mug, 100);
  await seller.show(mug, 100);
  const [{ sequence }, [counted]] = [await seller.level(mug), await recordsOf(system, [topics.stockMovements], seller.tenant)];
  expect(counted).toBeDefined();
  const quantities = { onHand: 97, orderReserve: 0, batchReserve: 0, available: 97 };
  const moved: StockMoved = {
    tenant: seller.tenant,
    sku: mug,
    epoch: 1,
    sequence: sequence + 2,
    type: 'StockUpdate',
    reason: null,
    refused: null,
    change: { onHand: -1, orderReserve: 0, batchReserve: 0, available: -1 },
    after: quantities,
    location: 'default',
    locationOnHand: 97,
    order: null,
    counted: true,
    user: { kind: 'system', id: 'test' },
    batch: null,
    label: null,
    reverses: null,
    purchaseOrder: null,
    cause: 'test/gap',
    at: 1_000,
  };
  const id = `stock/${keyOf(seller.tenant, mug)}/${sequence + 2}`;
  await seller.produce([
    {
      topic: topics.stockMovements,
      key: [seller.tenant, mug],
      event: { id, type: 'StockMoved', time: 1_000, correlation: id, data: moved },
    },
  ]);
  expect(await seller.decided(mug, sequence + 2)).toMatchObject({ decision: 'push', reason: 'gap' });
  await seller.show(mug, 97);
});

describe.each(['order', 'reservation', 'stock', 'sync-policy'] as const)('%s is killed', (service) => {
  test.each([
    ['between writing its journal and publishing', 'inserted'],
    ['between publishing and committing', 'published'],
  ])(
    '%s: the sale still takes effect once, and every store shows it',
    async (_when, step) => {
      const seller = await sellerOf([mug], 20);
      writeFileSync(failpointOf(service), step);
      await seller.buy('amber', [[mug, 3]]);
      await until(
        `${service} to be killed`,
        async () => system.processes[service].pid,
        (pid) => pid === undefined,
      );
      expect(existsSync(failpointOf(service))).toBe(false);
      await system.processes[service].restart();
      await seller.levelIs(mug, { onHand: 20, orderReserve: 3, available: 17 });
      await seller.show(mug, 17);
      await drained(system);
      expect(await reserves(seller)).toEqual([['OrderReserve', 3]]);
      const moved = (await recordsOf(system, [topics.stockMovements], seller.tenant)).map(({ headers }) => headers.ce_id?.toString());
      expect([...new Set(moved)]).toHaveLength(2); // the count and the reservation, however often each was published
    },
    90_000,
  );
});

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openSystem, type System } from '../system.ts';
import { openSeller, until } from './seller.ts';

let system: System;
beforeAll(async () => {
  // Etsy's orders are polled so seldom that only a webhook, or what a push finds, tells of them.
  const pollSeldom = { 'connector-shopify': { ORDER_POLL_SECONDS: '0.2' }, 'connector-etsy': { ORDER_POLL_SECONDS: '600' } };
  system = await openSystem({ serviceEnv: pollSeldom });
}, 240_000);
afterAll(async () => system[Symbol.asyncDispose](), 60_000);

const open = async (skus: readonly string[]) => {
  const seller = await openSeller(system, { stores: ['amber'], etsyStores: ['cedar'] });
  await seller.open(skus, 1);
  for (const sku of skus) {
    await seller.count(sku, 5);
    await seller.show(sku, 5);
  }
  return seller;
};

describe('a seller with a shop on Shopify and one on Etsy', () => {
  test('sells on either, and both show what is left as soon as Etsy has told of its sale', async () => {
    const seller = await open(['mug']);
    await seller.buy('amber', [['mug', 1]]);
    await seller.show('mug', 4);
    const { id } = await seller.buy('cedar', [['mug', 2]]);
    expect(await seller.webhook('cedar', id)).toBe(202);
    await seller.show('mug', 2);
    expect(await seller.levelIs('mug', { orderReserve: 3, available: 2 })).toMatchObject({ onHand: 5 });
  }, 120_000);

  test('never has a sale on Etsy undone by a push that was decided before it was seen', async () => {
    const seller = await open(['jug']);
    await seller.buy('cedar', [['jug', 4]]); // nobody has read it yet
    expect((await seller.setOnHand('jug', 5, 6, 'found one more')).status).toBe(200);
    await seller.show('jug', 2);
    await seller.levelIs('jug', { onHand: 6, orderReserve: 4, available: 2 });
    const writes = await seller.writes('cedar', 'jug');
    expect(writes.filter(({ quantityAfter }) => quantityAfter > 5)).toEqual([]);
  }, 120_000);

  test('whose last unit goes has nothing on sale on Etsy, and is back with the next one', async () => {
    const seller = await open(['pot', 'pan']);
    await seller.buy('amber', [['pot', 5]]);
    await seller.show('pot', 0);
    const state = async () => {
      const [item = ''] = seller.itemOf('cedar', 'pot').split('/');
      return (await seller.control.listing(seller.shopOf('cedar'), Number(item))).state;
    };
    await until('it is off sale', state, (seen) => seen === 'inactive');
    const { id } = await seller.buy('cedar', [['pan', 5]]); // sold out there, which Etsy does by itself
    await seller.webhook('cedar', id);
    await seller.show('pan', 0);
    for (const sku of ['pot', 'pan']) {
      expect((await seller.setOnHand(sku, 5, 8, 'found')).status).toBe(200);
      await seller.show(sku, 3);
    }
    expect(await until('it is on sale', state, (seen) => seen === 'active')).toBe('active');
    const again = await seller.buy('cedar', [['pan', 1]]);
    await seller.webhook('cedar', again.id);
    await seller.show('pan', 2);
  }, 120_000);
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { openSystem, type System } from '../system.ts';
import { openPostOffice, type Letter } from './post-office.ts';
import { openSeller, until, type Seller } from './seller.ts';

const [amber, cedar] = ['amber', 'cedar'];
/** Each sale is of a SKU of its own. */
const skus = ['told', 'twice', 'behind', 'forged', 'meanwhile', 'lost'].flatMap((what) => [`${what}-${amber}`, `${what}-${cedar}`]);

let system: System;
let office: Awaited<ReturnType<typeof openPostOffice>>;
let seller: Seller;

beforeAll(async () => {
  const pollHourly = { ORDER_POLL_SECONDS: '3600' };
  system = await openSystem({ serviceEnv: { 'connector-shopify': pollHourly, 'connector-etsy': pollHourly } });
  office = await openPostOffice();
  seller = await openSeller(system, { stores: [amber], etsyStores: [cedar] });
  await seller.open(skus, 5);
  for (const store of [amber, cedar]) {
    const connector = seller.connectorOf(store);
    const { body } = await seller.call<{ webhooks: { path: string; secretEntered: boolean } }>(connector, 'GET', `/stores/${store}`);
    expect(body.webhooks).toEqual({ path: `/webhooks/${seller.tenant}/${store}`, secretEntered: true });
    await seller.sendWebhooks(store, office.forward(store, `${system.services[connector]}${body.webhooks.path}`));
  }
  await Promise.all(skus.map(async (sku) => seller.count(sku, 5)));
  for (const sku of skus) await seller.quiet(sku);
}, 240_000);
afterAll(async () => {
  await office[Symbol.asyncDispose]();
  await system[Symbol.asyncDispose]();
}, 60_000);

/** How the webhooks for a store were answered, from the one after so many on, once there are so many. */
const answered = async (store: string, from: number, count: number) => {
  const seen = await until(
    `${count} webhooks for ${store}`,
    async () => office.lettersOf(store).slice(from),
    (letters) => letters.length >= count,
  );
  return seen.map(({ status }) => status);
};
const reserves = async (sku: string) =>
  (await seller.movements(sku)).filter(({ type, refused }) => type.startsWith('Order') && refused === null).map(({ type }) => type);

describe.each([
  ['Shopify', amber, cedar],
  ['Etsy', cedar, amber],
])('what %s tells of by webhook, its orders being polled once an hour,', (_marketplace, store, other) => {
  const sku = (what: string) => `${what}-${store}`;

  test('is reserved, and shown by the other store', async () => {
    const from = office.lettersOf(store).length;
    await seller.buy(store, [[sku('told'), 2]]);
    await seller.show(sku('told'), 3);
    await seller.levelIs(sku('told'), { onHand: 5, orderReserve: 2, available: 3 });
    expect(await answered(store, from, 1)).toEqual([202]);
    expect((await seller.writes(other, sku('told'))).at(-1)).toMatchObject({ quantityBefore: 5, quantityAfter: 3 });
  });

  test('has one effect when it is told twice', async () => {
    const from = office.lettersOf(store).length;
    await seller.control.setFaults(seller.shopOf(store), { duplicateNextWebhooks: 1 });
    await seller.buy(store, [[sku('twice'), 2]]);
    expect(await answered(store, from, 2)).toEqual([202, 200]);
    await seller.show(sku('twice'), 3);
    const renamed = store === amber ? { 'x-shopify-webhook-id': randomUUID() } : {}; // which Shopify does not sign
    expect(await again(office.lettersOf(store)[from], renamed)).toBe(200);
    await sellOne('twice', 2);
    expect(await reserves(sku('twice'))).toEqual(['OrderReserve', 'OrderReserve']);
  });

  test('stands as it is now, whatever is told late or once more', async () => {
    const from = office.lettersOf(store).length;
    await seller.control.setFaults(seller.shopOf(store), { reorderNextWebhooks: 1 });
    const { id } = await seller.buy(store, [[sku('behind'), 2]]);
    await seller.control.cancelOrder(seller.shopOf(store), id, { restock: true });
    expect(await answered(store, from, 2)).toEqual([202, 202]); // that it was cancelled, then that it was placed
    const [, placed] = office.lettersOf(store).slice(from);
    expect(await again(placed)).toBe(200);
    await sellOne('behind', 4);
    await seller.levelIs(sku('behind'), { onHand: 5, orderReserve: 1, available: 4 });
  });

  test('is refused where it was forged, and nothing is read for it', async () => {
    const from = office.lettersOf(store).length;
    office.keep(store, true);
    const { id } = await seller.buy(store, [[sku('forged'), 2]]);
    await answered(store, from, 1);
    office.keep(store, false);
    const genuine = office.lettersOf(store)[from];
    if (!genuine) throw new Error('There is none.');
    for (const letter of forged(genuine)) expect(await office.deliver(letter)).toBe(401);
    // What the other store sells meanwhile comes all the way round; nobody has looked at what this one has sold.
    await seller.buy(other, [[`meanwhile-${other}`, 1]]);
    await seller.show(`meanwhile-${other}`, 4);
    expect((await seller.call('order', 'GET', `/stores/${store}/orders/${encodeURIComponent(id)}`)).status).toBe(404);
    expect(await again(genuine)).toBe(202); // the forger has not used it up
    await seller.show(sku('forged'), 3);
  });

  /** Another sale of the SKU, told of as ever: what was on its way before it has come when it has. */
  async function sellOne(what: string, left: number): Promise<void> {
    await seller.buy(store, [[sku(what), 1]]);
    await seller.show(sku(what), left);
    await seller.quiet(sku(what));
  }
});

describe('what is lost on its way', () => {
  test.each([
    ['Shopify', amber, cedar],
    ['Etsy', cedar, amber],
  ])('from %s costs a poll interval, and nothing else', async (_marketplace, store, other) => {
    const sku = `lost-${store}`;
    const from = office.lettersOf(store).length;
    const connector = seller.connectorOf(store);
    await system.processes[connector].restart({ ORDER_POLL_SECONDS: '4' });
    await seller.buy(other, [[sku, 1]]);
    await seller.show(sku, 4); // the store is in its owner's hands again, who has read its orders
    await seller.control.setFaults(seller.shopOf(store), { dropNextWebhooks: 1 });
    await seller.buy(store, [[sku, 2]]);
    await seller.show(sku, 2);
    expect(office.lettersOf(store)).toHaveLength(from); // nobody has told of it
    await seller.levelIs(sku, { onHand: 5, orderReserve: 3, available: 2 });
    await seller.buy(store, [[sku, 1]]);
    expect(await answered(store, from, 1)).toEqual([202]);
    await seller.show(sku, 1);
    await seller.quiet(sku);
    expect(await reserves(sku)).toEqual(['OrderReserve', 'OrderReserve', 'OrderReserve']);
    expect((await seller.call(connector, 'GET', '/incidents?state=open')).body['incidents']).toEqual([]);
  });
});

const again = async (letter: Letter | undefined, headers: Record<string, string> = {}): Promise<number> => {
  if (!letter) throw new Error('There is no such webhook.');
  return office.deliver({ ...letter, headers: { ...letter.headers, ...headers } });
};

/** What somebody could make of a genuine webhook who does not know the secret. */
function forged(letter: Letter): Letter[] {
  const signature = letter.store === amber ? 'x-shopify-hmac-sha256' : 'webhook-signature';
  const { [signature]: right = '', ...unsigned } = letter.headers;
  const otherwise = (text: string, at: number) => `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`;
  const body = letter.body.toString('utf8');
  const aboutAnother = otherwise(body, body.search(/[0-9][,"]/)); // its last digit
  const withHeaders = (headers: Record<string, string>): Letter => ({ ...letter, headers });
  return [
    withHeaders(unsigned),
    withHeaders({ ...unsigned, [signature]: otherwise(right, 10) }),
    { ...letter, body: Buffer.from(aboutAnother) },
    ...(letter.store === cedar ? [withHeaders({ ...letter.headers, 'webhook-id': `msg_${randomUUID()}` })] : []),
  ];
}

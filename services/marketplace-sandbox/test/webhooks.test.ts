import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openTestShop, type TestShop } from './test-sandbox.ts';

interface Received {
  readonly headers: Record<string, unknown>;
  readonly body: Buffer;
}

let tea: TestShop;
let received: Received[];
let answers: number[];
let url: string;
const secret = 'hush-hush-hush';
let closing: AsyncDisposableStack;

beforeEach(async () => {
  received = [];
  answers = [];
  closing = new AsyncDisposableStack();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      received.push({ headers: request.headers, body: Buffer.concat(parts) });
      response.writeHead(answers.shift() ?? 202).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  tea = await openTestShop();
  closing.use(tea);
  closing.defer(() => {
    server.closeAllConnections();
    server.close();
  });
});
afterEach(async () => closing.disposeAsync());

async function until(check: () => boolean): Promise<void> {
  for (const end = performance.now() + 10_000; performance.now() < end; await new Promise((resolve) => setTimeout(resolve, 10))) if (check()) return; // prettier-ignore
  throw new Error(`It never came: ${received.length} were received.`);
}

const topics = () => received.map(({ headers }) => headers['x-shopify-topic']);
const ordersOf = () => received.map(({ body }) => (JSON.parse(body.toString()) as { admin_graphql_api_id: string }).admin_graphql_api_id);

test('what happens to an order is told to the shop’s webhook address, signed over the bytes of the body', async () => {
  await tea.control.configure('tea', { webhook: { url, secret } });
  const product = await tea.put('GREEN', 10);
  const order = await tea.control.placeOrder('tea', { lines: [{ inventoryItem: product.inventoryItem, quantity: 2 }] });
  await tea.control.cancelOrder('tea', order.id);
  await until(() => received.length === 2);
  expect(topics()).toEqual(['orders/create', 'orders/cancelled']);
  const [{ headers, body } = { headers: {}, body: Buffer.alloc(0) }] = received;
  expect(headers).toMatchObject({
    'x-shopify-hmac-sha256': createHmac('sha256', secret).update(body).digest('base64'),
    'x-shopify-shop-domain': 'tea.myshopify.com',
    'x-shopify-webhook-id': expect.any(String),
    'x-shopify-triggered-at': expect.any(String),
  });
  expect(JSON.parse(body.toString())).toMatchObject({ admin_graphql_api_id: order.id, line_items: [{ sku: 'GREEN', quantity: 2 }] });
});

test('one that is not taken is sent again, the same', async () => {
  answers = [500];
  await tea.control.configure('tea', { webhook: { url, secret } });
  const { inventoryItem } = await tea.put('GREEN', 10);
  await tea.control.placeOrder('tea', { lines: [{ inventoryItem, quantity: 1 }] });
  await until(() => received.length === 2);
  expect(new Set(received.map(({ headers }) => headers['x-shopify-webhook-id'])).size).toBe(1);
});

test('they can be dropped, doubled and put out of order', async () => {
  await tea.control.configure('tea', { webhook: { url, secret } });
  const { inventoryItem } = await tea.put('GREEN', 10);
  await tea.control.setFaults('tea', { dropNextWebhooks: 1, duplicateNextWebhooks: 1, reorderNextWebhooks: 1 });
  const ids: string[] = [];
  for (let orders = 0; orders < 4; orders += 1)
    ids.push((await tea.control.placeOrder('tea', { lines: [{ inventoryItem, quantity: 1 }] })).id);
  await until(() => received.length === 4);
  const [, doubled, held, last] = ids;
  expect(ordersOf()).toEqual([doubled, doubled, last, held]);
});

test('a shopper can buy right before a push takes effect, which its comparison then finds out', async () => {
  const product = await tea.put('GREEN', 2);
  await tea.control.setFaults('tea', { sellBeforeNextMutation: { lines: [{ inventoryItem: product.inventoryItem, quantity: 2 }] } });
  const answer = await tea.setAvailable([{ product, quantity: 4, changeFrom: 2 }], 'k1');
  expect(answer.data.inventorySetQuantities.userErrors).toMatchObject([{ code: 'CHANGE_FROM_QUANTITY_STALE' }]);
  expect(await tea.available(product)).toBe(0);
  expect((await tea.setAvailable([{ product, quantity: 1, changeFrom: 0 }], 'k2')).data.inventorySetQuantities.userErrors).toEqual([]);
});

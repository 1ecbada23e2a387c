import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from '@jest/globals';
import { serviceNames, type ServiceName } from '../application.ts';
import { createSeller } from '../seller.ts';

interface Asked {
  readonly what: string;
  readonly authorization: string;
  readonly key: string;
  readonly body: unknown;
}

/** Every service and the issuer in one, that answers by turns: [status, body]. */
async function openServices(...answers: (readonly [status: number, body: unknown])[]) {
  const asked: Asked[] = [];
  let tokens = 0;
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const say = (status: number, body: unknown) =>
        response.writeHead(status, { 'content-type': 'application/json' }).end(body === undefined ? '' : JSON.stringify(body));
      if (request.url === '/token') return say(200, { token: `token ${(tokens += 1)}` });
      const header = (name: string) => String(request.headers[name] ?? '');
      const body = text === '' ? undefined : (JSON.parse(text) as unknown);
      asked.push({
        what: `${request.method} ${request.url}`,
        authorization: header('authorization'),
        key: header('idempotency-key'),
        body,
      });
      const [status, answer] = answers.shift() ?? [500, undefined];
      say(status, answer);
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const services = Object.fromEntries(serviceNames.map((name) => [name, url])) as Record<ServiceName, string>;
  const seller = createSeller({ addresses: { issuerUrl: url, services }, tenant: 'acme', user: 'ann', roles: ['operator'] });
  return { seller, asked, [Symbol.asyncDispose]: async () => void (await new Promise((resolve) => server.close(resolve))) };
}

test('a wish is repeated under its key until it is answered, with a new token where the old one is refused', async () => {
  await using shop = await openServices([503, {}], [202, undefined], [401, {}], [200, { label: 'l1' }]);
  await shop.seller.voidLabel('s1', 'order/1', 'l1', 'once');
  expect(shop.asked.map(({ what, key, body }) => [what, key, body])).toEqual(
    Array.from({ length: 4 }, () => ['POST /stores/s1/orders/order%2F1/labels/l1/voids', 'once', {}]),
  );
  expect(shop.asked.map(({ authorization }) => authorization)).toEqual([
    ...Array.from({ length: 3 }, () => 'Bearer token 1'),
    'Bearer token 2',
  ]);
});

test('a label that cannot be had says why, and anything else that is refused is thrown', async () => {
  const no = (status: number) => [status, { type: 'urn:evenkeel:problem:no', title: 'No', status, detail: 'Not so.' }] as const;
  await using shop = await openServices([201, { label: 'l1' }], no(409), no(404), no(403));
  expect(await shop.seller.createLabel('s1', '1', 'a')).toEqual({ label: 'l1' });
  expect(await shop.seller.createLabel('s1', '1', 'b')).toBe('nothing_left');
  expect(await shop.seller.createLabel('s1', '1', 'c')).toBe('unknown_order');
  await expect(shop.seller.createLabel('s1', '1', 'd')).rejects.toThrow('was refused (403): Not so.');
});

test('a count whose On Hand has moved is made anew on what is there now', async () => {
  const at = (onHand: number) => [200, { sku: 'mug', locations: { default: onHand } }] as const;
  const moved = [409, { type: 'urn:evenkeel:problem:on-hand-changed', detail: 'It changed.' }] as const;
  await using shop = await openServices(at(5), moved, at(4), [200, { movement: {} }]);
  expect(await shop.seller.updateOnHand('mug', (onHand) => onHand + 10, null, 'k')).toBe(true);
  expect(shop.asked.filter(({ body }) => body).map(({ key, body }) => [key, body])).toEqual([
    ['k-1', { seen: 5, onHand: 15, reason: null }],
    ['k-2', { seen: 4, onHand: 14, reason: null }],
  ]);
});

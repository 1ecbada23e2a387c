import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { createOpenApi } from '../src/http/openapi.ts';
import { problem } from '../src/http/problem.ts';
import { defineRoute, defineSignedRoute, reply } from '../src/http/routes.ts';
import { openHttp } from '../src/http/server.ts';
import { createMemoryIdempotencyStore } from '../src/http/idempotency.ts';
import { createLogger } from '../src/log.ts';
import { createMetrics } from '../src/metrics.ts';

const received: Buffer[] = [];
const routes = [
  defineSignedRoute({
    path: '/webhooks/:store',
    summary: 'Takes a webhook in',
    params: z.strictObject({ store: z.string().regex(/^[a-z]+$/, 'expected letters') }),
    responses: { 202: { description: 'Taken in' } },
    handle({ params, body, header }) {
      if (header('X-Signature') !== params.store) throw problem(401, { type: 'not-signed', detail: 'Sign it.' });
      received.push(body);
      return reply(202);
    },
  }),
  defineRoute({ method: 'get', path: '/other', summary: 'Needs a token', roles: [], responses: { 200: { description: 'ok' } }, handle: () => reply(200) }), // prettier-ignore
];

const open = () =>
  openHttp({
    port: 0,
    title: 'Under test',
    routes,
    identity: async () => {
      throw problem(401, { type: 'unauthorized', detail: 'A token is needed.' });
    },
    idempotency: createMemoryIdempotencyStore(),
    health: { live: () => true, ready: () => true },
    log: createLogger('test', 'silent'),
    metrics: createMetrics({ processMetrics: false }),
  });

const post = (port: number, path: string, body: string | Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST', body, headers });

test('a signed request needs neither a token nor a key, and its body arrives byte for byte', async () => {
  await using http = await open();
  const bytes = new Uint8Array([0x7b, 0x20, 0xff, 0x00, 0x7d]);
  const answer = await post(http.port, '/webhooks/tea', bytes, { 'x-signature': 'tea', 'content-type': 'application/json' });
  expect(answer.status).toBe(202);
  expect(received.splice(0)).toEqual([Buffer.from(bytes)]);
  expect((await post(http.port, '/webhooks/tea', '', { 'x-signature': 'tea' })).status).toBe(202);
  expect(received.splice(0)).toEqual([Buffer.alloc(0)]);
});

test('every other route needs its token all the same', async () => {
  await using http = await open();
  expect((await fetch(`http://127.0.0.1:${http.port}/other`, { headers: { 'x-signature': 'tea' } })).status).toBe(401);
});

test.each([
  ['unsigned', '/webhooks/tea', '{}', 401],
  ['to an address that nobody has', '/webhooks/T%C3%A9a', '{}', 400],
  ['with a query that is not UTF-8', '/webhooks/tea?a=%ff', '{}', 400],
  ['larger than any webhook is', '/webhooks/tea', 'x'.repeat(300_000), 413],
])('one that is %s gets a problem that says so', async (_, path, body, status) => {
  await using http = await open();
  const answer = await post(http.port, path, body);
  expect(answer.status).toBe(status);
  expect(answer.headers.get('content-type')).toContain('application/problem+json');
  expect(received).toEqual([]);
});

test('the OpenAPI document says that it is not for those with a token', () => {
  const { paths } = createOpenApi({ title: 'Under test', routes });
  expect(paths?.['/webhooks/{store}']?.post).toMatchObject({ security: [], responses: { 202: {}, 401: {}, 413: {} } });
  expect(paths?.['/other']?.get?.security).toBeUndefined();
});

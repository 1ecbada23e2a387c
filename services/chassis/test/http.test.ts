import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createMemoryIdempotencyStore, openHttp, createLogger, createMetrics, Unavailable } from '../src/index.ts';
import { openShop, type Shop } from './http-harness.ts';

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(async () => {
  await shop[Symbol.asyncDispose]();
});

const aProblem = (type: string, status: number) =>
  expect.objectContaining({ type: `urn:evenkeel:problem:${type}`, status, detail: expect.any(String) });
const fieldsOf = (json: { errors: { field: string }[] }) => json.errors.map(({ field }) => field);

describe('who may do what', () => {
  test('without a token nothing is told, and the answer says what to send', async () => {
    const answer = await shop.call('GET', '/products/a', { token: null });
    expect(answer.status).toBe(401);
    expect(answer.headers.get('www-authenticate')).toBe('Bearer realm="evenkeel"');
    expect(answer.headers.get('content-type')).toContain('application/problem+json');
    expect(answer.json).toEqual(aProblem('unauthorized', 401));
  });

  test('the role that is missing is named', async () => {
    const answer = await shop.call('PUT', '/products/a', { roles: ['warehouse'], body: { onHand: 1 } });
    expect(answer.status).toBe(403);
    expect(answer.json).toMatchObject({
      detail: expect.stringContaining('clerk or operator'),
      requiredRoles: ['clerk', 'operator'],
    });
  });

  test('the tenant is the token’s', async () => {
    expect((await shop.call('GET', '/products/a', { tenant: 'other' })).json).toEqual({ sku: 'a', tenant: 'other', limit: null });
  });
});

describe('addresses', () => {
  test.each(['a/b', 'ä ö%2F', '..%', '😀', 'a+b?c#d'])('the SKU %s comes through as it is', async (sku) => {
    expect((await shop.call('GET', `/products/${encodeURIComponent(sku)}`)).json).toMatchObject({ sku });
  });

  test.each(['/products/%zz', '/products/%C3', '/products/a%'])('%s is malformed: 400', async (path) => {
    const answer = await shop.call('GET', path);
    expect([answer.status, answer.json.type]).toEqual([400, 'urn:evenkeel:problem:malformed-address']);
  });

  test('a NUL in an address is refused by name', async () => {
    expect(fieldsOf((await shop.call('GET', '/products/a%00b')).json)).toEqual(['path.sku']);
  });

  test('an unknown address is 404, another method 405 with what is allowed', async () => {
    expect((await shop.call('GET', '/nothing')).json).toEqual(aProblem('unknown-route', 404));
    expect((await shop.call('GET', '/Products/a')).status).toBe(404);
    const wrong = await shop.call('PATCH', '/products/a', { body: {} });
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT, DELETE']);
    expect((await shop.call('POST', '/metrics')).headers.get('allow')).toBe('GET, HEAD');
  });

  test('a query is numbers and text, never structure, and nothing unknown', async () => {
    expect((await shop.call('GET', '/products/a?limit=5')).json).toMatchObject({ limit: 5 });
    for (const query of ['limit=5x', 'limit=0', 'limit=101', 'limit=1&limit=2', 'limit[$gt]=1', 'other=1', 'limit=%zz', '__proto__=1'])
      expect([query, (await shop.call('GET', `/products/a?${query}`)).status]).toEqual([query, 400]);
  });
});

describe('bodies', () => {
  const put = (options: Parameters<Shop['call']>[2]) => shop.call('PUT', '/products/a', options);

  test('each wrong field is named, with what is expected there', async () => {
    const answer = await put({ body: { onHand: 'many', unknown: 1, lines: [{ name: 'x' }, { name: 7 }] } });
    expect(answer.status).toBe(400);
    expect(answer.json.errors).toEqual([
      { field: 'body.onHand', message: 'expected number, received string' },
      { field: 'body.lines[1].name', message: 'expected string, received number' },
      { field: 'body.unknown', message: 'is not known here; leave it out' },
    ]);
    expect(answer.json.detail).toContain('body.onHand: expected number');
  });

  test('what is missing is called missing', async () => {
    expect((await put({ body: {} })).json.errors).toEqual([{ field: 'body.onHand', message: 'is missing: expected number' }]);
    expect(fieldsOf((await put({})).json)).toEqual(['body']);
  });

  test('a database operator in place of a value is a wrong type', async () => {
    expect(fieldsOf((await put({ body: { onHand: { $gt: '' } } })).json)).toEqual(['body.onHand']);
    expect(fieldsOf((await put({ body: { onHand: 1, note: { $ne: null } } })).json)).toEqual(['body.note']);
  });

  test.each([
    ['a NUL', '{"onHand":1,"note":"a\\u0000b"}', 'body.note'],
    ['half a surrogate pair', '{"onHand":1,"note":"\\ud800"}', 'body.note'],
    ['a text far too long', JSON.stringify({ onHand: 1, note: 'x'.repeat(9_000) }), 'body.note'],
    ['a number beyond 32 bits', '{"onHand":99999999999}', 'body.onHand'],
    ['an infinite number', '{"onHand":1e999}', 'body.onHand'],
    ['a prototype', '{"onHand":1,"__proto__":{"admin":true}}', 'body.__proto__'],
    ['a list in place of an object', '[]', 'body'],
    ['null', 'null', 'body'],
    ['bytes that are not UTF-8', new Uint8Array([0x7b, 0xff, 0x7d]), 'body'],
  ])('%s is refused by name', async (_what, raw, field) => {
    const answer = await put({ raw });
    expect([answer.status, fieldsOf(answer.json)]).toEqual([400, [field]]);
  });

  test('a thousand levels of brackets are refused', async () => {
    const answer = await put({ raw: `{"onHand":${'['.repeat(50_000)}${']'.repeat(50_000)}}` });
    expect([answer.status, answer.json.errors[0].message]).toEqual([400, 'expected at most 16 levels']);
  });

  test('broken JSON is 400, another type 415, a packed body 415, too much 413', async () => {
    expect((await put({ raw: '{"onHand":' })).json).toEqual(aProblem('broken-json', 400));
    expect((await put({ raw: 'a=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } })).json).toEqual(
      aProblem('unsupported-content', 415),
    );
    expect((await put({ raw: '{}', headers: { 'content-encoding': 'gzip' } })).status).toBe(415);
    const large = await put({ body: { onHand: 1, note: 'x'.repeat(300_000) } });
    expect(large.json).toEqual(aProblem('body-too-large', 413));
  });

  test('a body where none is expected is refused', async () => {
    expect((await shop.call('DELETE', '/products/a', { body: {} })).status).toBe(400);
    expect((await shop.call('DELETE', '/products/a')).status).toBe(204);
  });
});

describe('repeats', () => {
  test('a change without a usable key is refused', async () => {
    for (const key of [null, 'a b', 'x'.repeat(256)]) {
      const answer = await shop.call('PUT', '/products/a', { key, body: { onHand: 1 } });
      expect(answer.json).toEqual(aProblem('idempotency-key-needed', 400));
    }
  });

  test('the same key and body give the same answer and one effect', async () => {
    const before = shop.effects.length;
    const first = await shop.call('PUT', '/products/r', { key: 'k1', body: { onHand: 5, note: 'n' } });
    const again = await shop.call('PUT', '/products/r', { key: 'k1', body: { note: 'n', onHand: 5 } });
    expect([first.status, first.headers.get('idempotency-replayed')]).toEqual([200, null]);
    expect([again.status, again.text, again.headers.get('idempotency-replayed')]).toEqual([200, first.text, 'true']);
    expect(shop.effects.length).toBe(before + 1);
  });

  test('the same key with another body is 422', async () => {
    await shop.call('PUT', '/products/r', { key: 'k2', body: { onHand: 5 } });
    expect((await shop.call('PUT', '/products/r', { key: 'k2', body: { onHand: 6 } })).json).toEqual(
      aProblem('idempotency-key-reused', 422),
    );
  });

  test('a key belongs to its tenant, method and full path', async () => {
    const ask = (path: string, tenant: string) => shop.call('PUT', path, { key: 'k3', tenant, body: { onHand: path.length } });
    expect((await ask('/products/one', 'acme')).status).toBe(200);
    expect((await ask('/products/three', 'acme')).status).toBe(200);
    expect((await shop.call('PUT', '/products/one', { key: 'k3', tenant: 'other', body: { onHand: 1 } })).status).toBe(200);
    expect((await shop.call('DELETE', '/products/one', { key: 'k3' })).status).toBe(204);
  });

  test('another spelling of the same address is a repeat', async () => {
    const first = await shop.call('PUT', '/products/a-b', { key: 'k4', body: { onHand: 5 } });
    expect((await shop.call('PUT', '/products/a%2Db', { key: 'k4', body: { onHand: 5 } })).text).toBe(first.text);
  });

  test('a "no" is repeated as it was', async () => {
    const first = await shop.call('PUT', '/products/r', { key: 'k5', body: { onHand: 409 } });
    const again = await shop.call('PUT', '/products/r', { key: 'k5', body: { onHand: 409 } });
    expect([first.status, first.json.movements]).toEqual([409, [1, 2]]);
    expect([again.status, again.text]).toEqual([409, first.text]);
  });

  test('a request that was refused as malformed does not use its key up', async () => {
    expect((await shop.call('PUT', '/products/r', { key: 'k6', body: { onHand: -1 } })).status).toBe(400);
    expect((await shop.call('PUT', '/products/r', { key: 'k6', body: { onHand: 1 } })).status).toBe(200);
  });

  test('after a failure half-way the repeat does the work', async () => {
    shop.fail(1);
    const failed = await shop.call('PUT', '/products/r', { key: 'k7', body: { onHand: 1 } });
    expect(failed.json).toEqual(aProblem('unexpected', 500));
    expect(failed.text).not.toContain('hunter2');
    expect((await shop.call('PUT', '/products/r', { key: 'k7', body: { onHand: 1 } })).status).toBe(200);
  });

  test('a stored answer is given again without running twice, a "no" too', async () => {
    for (const [key, value, status] of [
      ['s1', 'blue', 201],
      ['s2', 13, 409],
    ] as const) {
      const before = shop.effects.length;
      const first = await shop.call('POST', '/settings', { key, body: { value } });
      const again = await shop.call('POST', '/settings', { key, body: { value } });
      expect([first.status, again.status, again.text]).toEqual([status, status, first.text]);
      expect(again.headers.get('content-type')).toBe(first.headers.get('content-type'));
      expect(again.headers.get('location')).toBe(first.headers.get('location'));
      expect(shop.effects.length).toBe(before + 1);
    }
  });

  test('a database that does not answer is 503 and worth another try', async () => {
    const store = { ...createMemoryIdempotencyStore(), claim: () => Promise.reject(new Unavailable('down')) };
    await using other = await openShop({ store });
    const answer = await other.call('PUT', '/products/r', { body: { onHand: 1 } });
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '1']);
  });
});

describe('what every answer has', () => {
  test('the caller’s correlation id comes back and is in the log; a useless one is replaced', async () => {
    const answer = await shop.call('GET', '/products/a', { headers: { 'x-correlation-id': 'order-17' } });
    expect(answer.headers.get('x-correlation-id')).toBe('order-17');
    expect(shop.logged.some((line) => line.includes('"correlation":"order-17"') && line.includes('"route":"/products/:sku"'))).toBe(true);
    const useless = await shop.call('GET', '/products/a', { headers: { 'x-correlation-id': 'a b' } });
    expect(useless.headers.get('x-correlation-id')).toMatch(/^[0-9a-f-]{36}$/);
  });

  test('it is not cached, not sniffed, and does not say what serves it', async () => {
    const { headers } = await shop.call('GET', '/products/a');
    expect([headers.get('cache-control'), headers.get('x-content-type-options'), headers.get('x-powered-by'), headers.get('etag')]).toEqual(
      ['no-store', 'nosniff', null, null],
    );
  });

  test('HEAD is GET without a body', async () => {
    const answer = await shop.call('HEAD', '/products/a');
    expect([answer.status, answer.text]).toEqual([200, '']);
  });

  test('no token is ever logged', () => {
    expect(shop.logged.length).toBeGreaterThan(0);
    expect(shop.logged.join('')).not.toMatch(/eyJ|Bearer [^[]/);
  });

  test('a head that is too large is answered, not hung up on', async () => {
    const socket = connect(Number(new URL(shop.base).port), '127.0.0.1');
    socket.write(`GET / HTTP/1.1\r\nHost: x\r\nX-Large: ${'x'.repeat(20_000)}\r\n\r\n`);
    const answer = (await socket.setEncoding('utf8').toArray()).join('');
    expect(answer).toMatch(/^HTTP\/1\.1 431 [\s\S]*application\/problem\+json[\s\S]*malformed-request/);
  });
});

describe('for the operator', () => {
  test('requests are measured by route, never by address', async () => {
    const { text, headers } = await shop.call('GET', '/metrics', { token: null });
    expect(headers.get('content-type')).toContain('text/plain');
    expect(text).toContain('evenkeel_http_request_seconds_count{route="/products/:sku",method="GET",status="200"}');
    expect(text).toContain('route="none",method="GET",status="404"');
    expect(text).not.toContain('/products/a');
  });

  test('livez and readyz say what is wrong', async () => {
    await using sick = await openShop({
      health: { live: () => 'the consume loop stands still since 70 s', ready: () => Promise.reject(new Error('no schema')) },
    });
    const live = await sick.call('GET', '/livez', { token: null });
    expect([live.status, live.json]).toEqual([503, { ok: false, detail: 'the consume loop stands still since 70 s' }]);
    expect((await sick.call('GET', '/readyz', { token: null })).status).toBe(503);
    expect((await shop.call('GET', '/livez', { token: null })).json).toEqual({ ok: true });
  });

  // Node closes one after five seconds by itself: a load balancer that keeps it for a minute would send a request into a closed connection.
  test('a connection is kept for longer than load balancers keep it', async () => {
    const { headers } = await fetch(`${shop.base}/livez`);
    expect(headers.get('keep-alive')).toBe('timeout=75');
  });
  test('a port in use is named', async () => {
    const port = Number(new URL(shop.base).port);
    const opening = openHttp({
      port,
      routes: [],
      title: 'Second',
      identity: () => Promise.reject(new Error('unused')),
      idempotency: createMemoryIdempotencyStore(),
      health: { live: () => true, ready: () => true },
      log: createLogger('second', 'silent'),
      metrics: createMetrics({ processMetrics: false }),
    });
    await expect(opening).rejects.toThrow(`127.0.0.1:${port}`);
  });
});

describe('closing', () => {
  test('a request under way gets its answer, a new one none', async () => {
    let arrived: () => void = () => undefined;
    let finish: () => void = () => undefined;
    const inside = new Promise<void>((resolve) => (arrived = resolve));
    const gate = new Promise<void>((resolve) => (finish = resolve));
    const memory = createMemoryIdempotencyStore();
    const closing = await openShop({
      store: {
        ...memory,
        async claim(...claim) {
          arrived();
          await gate;
          return memory.claim(...claim);
        },
      },
    });
    const slow = closing.call('PUT', '/products/r', { body: { onHand: 1 } });
    await inside;
    const closed = closing[Symbol.asyncDispose]();
    await expect(fetch(`${closing.base}/livez`)).rejects.toThrow();
    finish();
    expect((await slow).status).toBe(200);
    await closed;
  });
});

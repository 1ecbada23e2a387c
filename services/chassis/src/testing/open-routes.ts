import { randomUUID } from 'node:crypto';
import { createMemoryIdempotencyStore } from '../http/idempotency.ts';
import type { Identity } from '../http/identity.ts';
import type { Route } from '../http/routes.ts';
import { openHttp } from '../http/server.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
}

/** Serves routes on a free port to one identity that needs no token, for tests of a service's HTTP. */
export async function openRoutes(routes: readonly Route[], identity: Identity) {
  const http = await openHttp({
    port: 0,
    title: 'Under test',
    routes,
    identity: async () => identity,
    idempotency: createMemoryIdempotencyStore(),
    health: { live: () => true, ready: () => true },
    log: createLogger('test', 'silent'),
    metrics: createMetrics({ processMetrics: false }),
  });
  const url = `http://127.0.0.1:${http.port}`;
  return {
    url,
    /** `body`: text is sent as CSV, anything else as JSON. `key`: an Idempotency-Key; a new one where absent. */
    async call(method: string, path: string, body?: unknown, key: string = randomUUID()): Promise<Answer> {
      const contentType = typeof body === 'string' ? 'text/csv' : 'application/json';
      const headers = { 'idempotency-key': key, ...(body === undefined ? {} : { 'content-type': contentType }) };
      const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) };
      const response = await fetch(`${url}${path}`, { method, headers, ...sent });
      const text = await response.text();
      const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
      const answered = text === '' ? undefined : isJson ? (JSON.parse(text) as unknown) : text;
      return { status: response.status, headers: response.headers, body: answered };
    },
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

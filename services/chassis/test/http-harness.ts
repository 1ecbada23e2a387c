import { z } from 'zod';
import {
  createIdentity,
  createLogger,
  createMemoryIdempotencyStore,
  createMetrics,
  defineRoute,
  integerText,
  openHttp,
  problem,
  reply,
  text,
  type Health,
  type IdempotencyStore,
  type Metrics,
  type Route,
} from '../src/index.ts';
import { openTokenIssuer, type TokenIssuer } from '../src/testing/index.ts';

/** A shelf that counts: enough routes to show every edge. */
export function createShelf() {
  const effects: string[] = [];
  const byCause = new Map<string, number>();
  let failNext = 0;
  const product = z.strictObject({ sku: text(64) });
  const stocked = z.object({ sku: z.string(), onHand: z.int(), times: z.int(), at: z.int() });
  const routes: Route[] = [
    defineRoute({
      method: 'get',
      path: '/products/:sku',
      summary: 'One product',
      roles: [],
      params: product,
      query: z.strictObject({ limit: integerText({ minimum: 1, maximum: 100 }).optional() }),
      responses: {
        200: { description: 'The product', schema: z.object({ sku: z.string(), tenant: z.string(), limit: z.int().nullable() }) },
      },
      handle: ({ params, identity, query }) => reply(200, { sku: params.sku, tenant: identity.tenant, limit: query.limit ?? null }),
    }),
    defineRoute({
      method: 'put',
      path: '/products/:sku',
      summary: 'Set what is on hand',
      roles: ['clerk', 'operator'],
      params: product,
      body: z.strictObject({
        onHand: z.int32().min(0),
        note: text(200).optional(),
        lines: z
          .array(z.strictObject({ name: text(20) }))
          .max(3)
          .optional(),
      }),
      responses: { 200: { description: 'As set', schema: stocked }, 409: { description: 'Changed meanwhile' } },
      handle({ params, body, idempotency, at }) {
        if (failNext > 0) {
          failNext -= 1;
          throw new Error('the shelf fell down, password hunter2');
        }
        if (body.onHand === 409) return problem(409, { type: 'on-hand-changed', detail: 'It changed. Look again.', movements: [1, 2] });
        const times = byCause.get(idempotency.cause) ?? byCause.size + 1;
        if (!byCause.has(idempotency.cause)) effects.push(`${params.sku}=${body.onHand}`);
        byCause.set(idempotency.cause, times);
        return reply(200, { sku: params.sku, onHand: body.onHand, times, at });
      },
    }),
    defineRoute({
      method: 'post',
      path: '/settings',
      summary: 'Answers differently each time, so the answer is stored',
      roles: ['operator'],
      body: z.strictObject({ value: z.union([z.int(), text(10)]) }),
      responses: { 201: { description: 'Stored', schema: z.object({ run: z.int() }) } },
      answer: 'stored',
      handle: ({ body }) => {
        effects.push(`setting ${body.value}`);
        return body.value === 13
          ? problem(409, { type: 'unlucky', detail: `Run ${effects.length}. Choose another.` })
          : reply(201, { run: effects.length }, { Location: '/settings' });
      },
    }),
    defineRoute({
      method: 'delete',
      path: '/products/:sku',
      summary: 'Retire',
      roles: ['clerk'],
      params: product,
      responses: { 204: { description: 'Gone' } },
      handle: () => reply(204),
    }),
  ];
  return { routes, effects, fail: (times: number) => (failNext = times) };
}

export interface Shop extends AsyncDisposable {
  readonly base: string;
  readonly effects: string[];
  readonly logged: string[];
  readonly metrics: Metrics;
  readonly issuer: TokenIssuer;
  fail(times: number): void;
  call(method: string, path: string, options?: CallOptions): Promise<Called>;
}

export interface CallOptions {
  readonly roles?: readonly string[];
  readonly tenant?: string;
  /** Null: no token. */
  readonly token?: string | null;
  /** Null: no key. Absent: a new one. */
  readonly key?: string | null;
  readonly body?: unknown;
  /** As it stands, not JSON. */
  readonly raw?: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Called {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- tests look into answers freely
  readonly json: any;
}

/** Serves the shelf on a free port, with an issuer. */
export async function openShop({
  health,
  store,
  issuerUrl,
}: { health?: Partial<Health>; store?: IdempotencyStore; issuerUrl?: string } = {}): Promise<Shop> {
  await using opening = new AsyncDisposableStack();
  const issuer = opening.use(await openTokenIssuer());
  const shelf = createShelf();
  const logged: string[] = [];
  const metrics = createMetrics({ processMetrics: false });
  const http = opening.use(
    await openHttp({
      port: 0,
      routes: shelf.routes,
      title: 'Shelf',
      identity: createIdentity({ issuerUrl: issuerUrl ?? issuer.issuerUrl, audience: 'evenkeel' }),
      idempotency: store ?? createMemoryIdempotencyStore(),
      health: { live: () => true, ready: () => true, ...health },
      log: createLogger('shelf', 'debug', { write: (line) => void logged.push(line) }),
      metrics,
    }),
  );
  const base = `http://127.0.0.1:${http.port}`;
  const running = opening.move();
  return {
    base,
    effects: shelf.effects,
    logged,
    metrics,
    issuer,
    fail: shelf.fail,
    call: (method, path, options = {}) => call(base, issuer, method, path, options),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

async function call(base: string, issuer: TokenIssuer, method: string, path: string, options: CallOptions): Promise<Called> {
  const { roles = ['clerk', 'operator'], tenant = 'acme', key, body, raw } = options;
  const token = options.token === undefined ? await issuer.token({ tenant, user: 'ann', roles }) : options.token;
  const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
  if (key !== null && method !== 'GET') headers['idempotency-key'] = key ?? crypto.randomUUID();
  const sent = raw ?? (body === undefined ? null : JSON.stringify(body));
  if (sent !== null) headers['content-type'] = 'application/json';
  const response = await fetch(base + path, { method, headers: { ...headers, ...options.headers }, body: sent });
  const answered = await response.text();
  return { status: response.status, headers: response.headers, text: answered, json: parse(answered) };
}

function parse(answered: string): unknown {
  try {
    return JSON.parse(answered);
  } catch {
    return undefined;
  }
}

import { randomUUID } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createMemoryIdempotencyStore } from '../http/idempotency.ts';
import { createIdentity } from '../http/identity.ts';
import { createOpenApi } from '../http/openapi.ts';
import { changesSomething, type Route } from '../http/routes.ts';
import { openHttp, type Http } from '../http/server.ts';
import { createLogger } from '../log.ts';
import { createMetrics } from '../metrics.ts';
import { aMess, aValueOf, type JsonSchema } from './arbitrary-input.ts';
import { openTokenIssuer, type TokenIssuer } from './tokens.ts';

export interface DescribeRoutesOptions {
  /** The routes are made of absent parts: what gets as far as one of them is answered 503. */
  readonly partsAreAbsent?: boolean;
  /** Requests per route. */
  readonly runs?: number;
}

interface Wish {
  readonly path: Readonly<Record<string, unknown>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
}
interface Sent {
  readonly method: string;
  readonly target: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}
interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly text: string;
  /** The connection ended before the answer did. */
  readonly cutOff: boolean;
}

const problemType = 'application/problem+json';
const common = [400, 413, 415, 422];
/** Below this the head of a request fits into what Node takes (16 KiB), whatever else is in it. */
const headCharacters = 12_000;
const nameOf = ({ method, path }: Route): string => `${method.toUpperCase()} ${path}`;

/** As written: `fetch` would tidy the address up. */
function ask(port: number, { method, target, token, headers, body }: Sent): Promise<Answered> {
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const length = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) };
  return new Promise((resolve, reject) => {
    const options = { host: '127.0.0.1', port, method, path: target, headers: { ...authorization, ...length, ...headers }, agent: false };
    const sending = httpRequest(options, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('error', () => undefined); // told by `complete`
      response.on('close', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, cutOff: !response.complete }),
      );
    });
    sending.on('error', reject).end(body);
  });
}

/** That it is a problem, and says what happened and what to do. */
function expectProblem({ headers, status, text }: Answered): void {
  expect(headers['content-type']).toContain(problemType);
  expect(JSON.parse(text)).toMatchObject({
    type: expect.stringMatching(/^urn:evenkeel:problem:[a-z0-9-]+$/),
    title: expect.stringMatching(/./),
    status,
    detail: expect.stringMatching(/.{10,}/s),
  });
}

const encoded = (value: unknown): string =>
  encodeURIComponent((typeof value === 'string' ? value : (JSON.stringify(value) ?? '')).toWellFormed()).replace(/^\.{1,2}$/, 'dots');

function targetOf({ path }: Route, wish: Pick<Wish, 'path' | 'query'>): string {
  const filled = path.replaceAll(/:(\w+)/g, (_, name: string) => encoded(wish.path[name] ?? 'x') || 'x');
  const query = Object.entries(wish.query).map(([name, value]) => `${encoded(name)}=${encoded(value)}`);
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
}

const leadsTo = ({ path }: Route, target: string): boolean => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`).test(target);

/** Every route of a service, whatever is sent: never a 5xx, every mistake a problem that says what to do. New routes are found by themselves. */
export function describeRoutes(
  service: string,
  open: () => readonly Route[],
  { partsAreAbsent = false, runs = 60 }: DescribeRoutesOptions = {},
): void {
  const routes = open();
  const schemas = wishSchemasOf(routes);
  let issuer: TokenIssuer;
  let http: Http;
  const tokens = new Map<string, string>();
  /** A token with these roles. */
  const tokenOf = async (roles: readonly string[]): Promise<string> => {
    const key = roles.join(' ');
    const token = tokens.get(key) ?? (await issuer.token({ tenant: 'acme', user: 'ann', roles }));
    tokens.set(key, token);
    return token;
  };
  beforeAll(async () => {
    issuer = await openTokenIssuer();
    http = await openHttp({
      port: 0,
      title: service,
      routes,
      identity: createIdentity({ issuerUrl: issuer.issuerUrl, audience: 'evenkeel' }),
      idempotency: createMemoryIdempotencyStore(),
      health: { live: () => true, ready: () => true },
      log: createLogger('test', 'silent'),
      metrics: createMetrics({ processMetrics: false }),
    });
  });
  afterAll(async () => {
    await http[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });

  const bare = { path: {}, query: {} };
  const keyFor = ({ method }: Route): Record<string, string> => (changesSomething(method) ? { 'idempotency-key': randomUUID() } : {});
  const contentTypeOf = ({ accepts }: Route): string => accepts?.contentType ?? 'application/json';

  describe.each(routes.map((route) => [nameOf(route), route] as const))(`${service}: %s`, (_, route) => {
    const method = route.method.toUpperCase();

    const isSigned = route.access === 'signature';

    test('believes nobody without a token, or where it takes signatures, without one', async () => {
      const answer = await ask(http.port, { method, target: targetOf(route, bare), headers: keyFor(route) });
      if (isSigned) {
        expect(partsAreAbsent ? [400, 401, 404, 503] : [400, 401, 404]).toContain(answer.status);
        return expectProblem(answer);
      }
      expect([answer.status, answer.headers['www-authenticate']]).toEqual([401, expect.stringContaining('Bearer')]);
      expectProblem(answer);
    });

    test('needs one of its roles', async () => {
      if (route.roles.length === 0) return expect(route.roles).toEqual([]);
      const token = await tokenOf(['visitor']);
      const answer = await ask(http.port, { method, target: targetOf(route, bare), token, headers: keyFor(route) });
      expect(answer.status).toBe(403);
      expectProblem(answer);
      for (const role of route.roles) expect(answer.text).toContain(role);
    });

    test('knows no other method, and no other parameter', async () => {
      const token = await tokenOf(route.roles);
      // Another route may have a word where this one has a parameter.
      const here = routes.filter((other) => leadsTo(other, targetOf(route, bare))).map((other) => other.method);
      for (const other of (['get', 'post', 'put', 'patch', 'delete'] as const).filter((name) => !here.includes(name))) {
        const answer = await ask(http.port, { method: other.toUpperCase(), target: targetOf(route, bare), token });
        expect([answer.status, answer.headers['allow']]).toEqual([405, expect.stringContaining(method)]);
        expectProblem(answer);
      }
      if (isSigned) return; // its caller's address is its own affair
      const unknown = targetOf(route, { path: {}, query: { 'no-such-parameter': '1' } });
      const answer = await ask(http.port, { method, target: unknown, token, headers: keyFor(route) });
      expect(answer.status).toBe(400);
      expectProblem(answer);
    });

    test('is changed only under an Idempotency-Key, and takes only the body that it names', async () => {
      if (isSigned) return expect(route.body).toBeUndefined();
      const token = await tokenOf(route.roles);
      const target = targetOf(route, bare);
      if (changesSomething(route.method)) {
        const keyless = await ask(http.port, { method, target, token, headers: { 'content-type': 'application/json' }, body: '{}' });
        expect([keyless.status, keyless.text]).toEqual([400, expect.stringContaining('Idempotency-Key')]);
      }
      const headers = { ...keyFor(route), 'content-type': 'application/x-www-form-urlencoded' };
      const answer = await ask(http.port, { method, target, token, headers, body: 'a=b' });
      expect(answer.status).toBe(route.body ? 415 : 400);
      expectProblem(answer);
    });

    test('answers every mistake with what to do, and everything else as documented', async () => {
      const token = await tokenOf(route.roles);
      const documented = [...Object.keys(route.responses).map(Number), ...common, ...(partsAreAbsent ? [503] : [])];
      const aWish = wishesOf(schemas.get(route));
      await fc.assert(
        fc.asyncProperty(aWish, async (wish) => {
          const body = route.body ? bodyText(route, wish.body) : undefined;
          const headers = { ...keyFor(route), ...(body === undefined ? {} : { 'content-type': contentTypeOf(route) }) };
          const target = targetOf(route, wish);
          const answer = await ask(http.port, { method, target, token, headers, body });
          // No route sees a request whose head is too large for HTTP itself.
          const refusals = target.length > headCharacters ? [400, 413, 431] : [400, 413];
          expect([...documented, ...refusals]).toContain(answer.status);
          // Made piece by piece, it can fail in the middle; half an answer must not look like a whole one.
          if (!(partsAreAbsent && route.responses[answer.status]?.contentType)) expect(answer.cutOff).toBe(false);
          if (answer.status >= 400) expectProblem(answer);
          if (route.body && body !== undefined && !fits(route, body)) expect(refusals).toContain(answer.status);
        }),
        { numRuns: runs },
      );
    });
  });

  test(`${service}: what is at no address is 404`, async () => {
    const answer = await ask(http.port, { method: 'GET', target: '/no/such/address/here', token: await tokenOf([]) });
    expect(answer.status).toBe(404);
    expectProblem(answer);
  });
}

const bodyText = ({ accepts }: Route, body: unknown): string => (accepts && typeof body === 'string' ? body : (JSON.stringify(body) ?? ''));

/** By the route's own schema; what is no JSON fits nothing. */
function fits({ body: schema, accepts }: Route, sent: string): boolean {
  if (sent === '') return schema?.safeParse(undefined).success ?? true;
  if (accepts) return schema?.safeParse(sent).success ?? true;
  return schema?.safeParse(JSON.parse(sent)).success ?? true;
}

interface WishSchemas {
  readonly path: Readonly<Record<string, JsonSchema>>;
  readonly query: Readonly<Record<string, JsonSchema>>;
  readonly body: JsonSchema | undefined;
}
interface DocumentedOperation {
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: JsonSchema }[];
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>> };
}

/** What each route takes, as the service's own document says it. */
function wishSchemasOf(routes: readonly Route[]): Map<Route, WishSchemas> {
  const { paths = {} } = createOpenApi({ title: 'Under test', routes });
  return new Map(
    routes.map((route) => {
      const documented = paths[route.path.replaceAll(/:(\w+)/g, '{$1}')]?.[route.method] as DocumentedOperation | undefined;
      const parameters = (where: string) =>
        Object.fromEntries((documented?.parameters ?? []).filter((one) => one.in === where).map(({ name, schema }) => [name, schema]));
      const [body] = Object.values(documented?.requestBody?.content ?? {});
      return [route, { path: parameters('path'), query: parameters('query'), body: body?.schema }];
    }),
  );
}

const mostly = (schema: JsonSchema): fc.Arbitrary<unknown> =>
  fc.oneof({ weight: 4, arbitrary: aValueOf(schema) }, { weight: 1, arbitrary: aMess() });

/** Mostly well-formed, with something wrong here and there. */
function wishesOf({ path = {}, query = {}, body }: Partial<WishSchemas> = {}): fc.Arbitrary<Wish> {
  const partly = (schemas: Readonly<Record<string, JsonSchema>>, all: boolean) => {
    const values = Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, mostly(schema)]));
    return all ? fc.record(values) : fc.record(values, { requiredKeys: [] });
  };
  const aBody = body ? mostly(body) : fc.constant(undefined);
  return fc.record({ path: partly(path, true), query: partly(query, false), body: aBody });
}

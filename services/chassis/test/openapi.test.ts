import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { booleanText, defineRoute, reply } from '../src/index.ts';
import { createOpenApi } from '../src/http/openapi.ts';
import { createShelf, openShop } from './http-harness.ts';

interface Operation {
  readonly operationId: string;
  readonly parameters?: readonly { name: string; in: string; required?: boolean; schema: Record<string, unknown> }[];
  readonly requestBody?: unknown;
  readonly responses: Record<string, { description: string; content?: Record<string, unknown> }>;
}
interface Document {
  readonly openapi: string;
  readonly paths: Record<string, Record<string, Operation>>;
  readonly components: { securitySchemes: unknown; schemas: Record<string, unknown> };
  readonly security: unknown;
}

async function read(): Promise<Document> {
  await using shop = await openShop();
  return (await shop.call('GET', '/openapi.json', { token: null })).json as Document;
}

test('every route stands in the document, with its parameters', async () => {
  const document = await read();
  expect(document.openapi).toMatch(/^3\.1\./);
  const documented = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  );
  expect(documented).toEqual(
    createShelf()
      .routes.map(({ method, path }) => `${method} ${path.replaceAll(/:(\w+)/g, '{$1}')}`)
      .toSorted((a, b) => documented.indexOf(a) - documented.indexOf(b)),
  );
  const operations = Object.values(document.paths).flatMap((each) => Object.values(each));
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  for (const [path, each] of Object.entries(document.paths))
    for (const { parameters = [] } of Object.values(each))
      expect(parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => `{${name}}`)).toEqual(
        path.match(/\{\w+\}/g) ?? [],
      );
});

test('a change needs an Idempotency-Key and a token, a read only the token', async () => {
  const { paths, security, components } = await read();
  expect(paths['/products/{sku}']?.['put']?.parameters).toContainEqual(
    expect.objectContaining({ name: 'Idempotency-Key', in: 'header', required: true }),
  );
  expect(paths['/products/{sku}']?.['get']?.parameters?.map(({ name }) => name)).toEqual(['sku', 'limit']);
  expect(paths['/products/{sku}']?.['get']?.parameters?.[1]?.schema).toMatchObject({ type: 'integer', minimum: 1, maximum: 100 });
  expect(security).toEqual([{ token: [] }]);
  expect(components.securitySchemes).toEqual({ token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } });
});

test('every "no" is documented as a problem, and every reference leads somewhere', async () => {
  const document = await read();
  const { responses = {} } = document.paths['/products/{sku}']?.['put'] ?? {};
  expect(Object.keys(responses)).toEqual(['200', '400', '401', '403', '409', '413', '415', '422', '503']);
  expect(responses['409']?.content).toEqual({ 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } });
  for (const [, name = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g))
    expect(document.components.schemas).toHaveProperty(name);
});

test('a route’s answers are typed by its document', () => {
  const responses = { 200: { description: 'fine', schema: z.object({ state: z.enum(['open', 'closed']) }) } };
  const about = { method: 'get', path: '/a', summary: 'a', roles: [], responses } as const;
  const good = defineRoute({ ...about, handle: () => reply(200, { state: 'open' }) });
  // @ts-expect-error -- another status than documented
  const wrongStatus = defineRoute({ ...about, handle: () => reply(201, { state: 'open' }) });
  // @ts-expect-error -- another body than documented
  const wrongBody = defineRoute({ ...about, handle: () => reply(200, { state: 'ajar' }) });
  expect([good, wrongStatus, wrongBody].map(({ path }) => path)).toEqual(['/a', '/a', '/a']);
  expect(() => createOpenApi({ title: 'A', routes: [good] })).not.toThrow();
  expect(() => defineRoute({ ...about, path: '/a*', handle: () => reply(200, { state: 'open' }) })).toThrow('/a*');
});

test('true or false in a query is a boolean of the document: one that had to be one of two texts could be nothing at all', () => {
  const query = z.strictObject({ open: booleanText().optional() });
  const route = defineRoute({
    method: 'get',
    path: '/a',
    summary: 'a',
    roles: [],
    query,
    responses: { 200: { description: 'fine' } },
    handle: () => reply(200),
  });
  const [parameter] = createOpenApi({ title: 'A', routes: [route] }).paths?.['/a']?.get?.parameters ?? [];
  expect(parameter).toMatchObject({ name: 'open', schema: { type: 'boolean' } });
  expect(JSON.stringify(parameter)).not.toContain('enum');
});

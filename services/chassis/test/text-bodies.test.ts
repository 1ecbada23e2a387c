import { expect, test } from '@jest/globals';
import { z } from 'zod';
import { createOpenApi } from '../src/http/openapi.ts';
import { defineRoute, reply } from '../src/http/routes.ts';
import { openRoutes } from '../src/testing/open-routes.ts';

async function* rows(count: number, failsAt = Infinity) {
  yield 'sku,on hand\r\n';
  for (let row = 0; row < count; row += 1) {
    if (row === failsAt) throw new Error('the database went away');
    yield `MUG ${row},${row}\r\n`;
  }
}

const routes = [
  defineRoute({
    method: 'get',
    path: '/list.csv',
    summary: 'A list',
    roles: [],
    query: z.strictObject({ failsAt: z.coerce.number().optional() }),
    responses: { 200: { description: 'Rows', contentType: 'text/csv' } },
    handle: ({ query }) => reply(200, rows(20_000, query.failsAt), { 'Content-Disposition': 'attachment; filename="list.csv"' }),
  }),
  defineRoute({
    method: 'get',
    path: '/page',
    summary: 'A page',
    roles: [],
    responses: { 200: { description: 'To print', contentType: 'text/html' } },
    handle: () => reply(200, '<p>Möbel</p>'),
  }),
  defineRoute({
    method: 'post',
    path: '/lists',
    summary: 'Takes a list in',
    roles: [],
    accepts: { contentType: 'text/csv', maximumBytes: 1_000_000 },
    body: z.string(),
    responses: { 200: { description: 'How long it is', schema: z.object({ length: z.int() }) } },
    handle: ({ body }) => reply(200, { length: body.length }),
  }),
];
const open = () => openRoutes(routes, { tenant: 'acme', user: 'ann', roles: [] });

test('a list is sent as CSV, piece by piece; a page as HTML', async () => {
  await using http = await open();
  const list = await http.call('GET', '/list.csv');
  expect(list.status).toBe(200);
  expect(list.headers.get('content-type')).toBe('text/csv; charset=utf-8');
  expect(list.headers.get('content-disposition')).toContain('list.csv');
  expect(list.headers.get('transfer-encoding')).toBe('chunked');
  expect(String(list.body).split('\r\n')).toHaveLength(20_002);
  const page = await http.call('GET', '/page');
  expect([page.headers.get('content-type'), page.body]).toEqual(['text/html; charset=utf-8', '<p>Möbel</p>']);
  expect(await http.call('HEAD', '/list.csv')).toMatchObject({ status: 200, body: undefined });
});

test('a list that breaks off does not look whole', async () => {
  await using http = await open();
  await expect(http.call('GET', '/list.csv?failsAt=15000')).rejects.toThrow('terminated');
  expect((await http.call('GET', '/page')).status).toBe(200);
});

test('text comes in as what the route accepts, up to its own limit; the same again is a repeat, another text under its key is not', async () => {
  await using http = await open();
  const text = 'sku\n'.repeat(200_000);
  const first = await http.call('POST', '/lists', text, 'monday');
  expect(first).toMatchObject({ status: 200, body: { length: 800_000 } });
  expect((await http.call('POST', '/lists', text, 'monday')).headers.get('idempotency-replayed')).toBe('true');
  expect(await http.call('POST', '/lists', 'other', 'monday')).toMatchObject({ status: 422 });
  expect(await http.call('POST', '/lists', text.repeat(2))).toMatchObject({ status: 413, body: { maximumBodyBytes: 1_000_000 } });
  expect(await http.call('POST', '/lists', { sku: 'MUG' })).toMatchObject({ status: 415 });
  expect(await http.call('POST', '/lists')).toMatchObject({ status: 400 });
});

test('the OpenAPI document says what is not JSON', () => {
  const { paths } = createOpenApi({ title: 'Lists', routes }) as unknown as { paths: Record<string, Record<string, unknown>> };
  expect(paths['/list.csv']?.['get']).toMatchObject({ responses: { 200: { content: { 'text/csv': { schema: { type: 'string' } } } } } });
  expect(paths['/lists']?.['post']).toMatchObject({ requestBody: { content: { 'text/csv': { schema: { type: 'string' } } } } });
});

import { expect, test } from '@jest/globals';
import { createOpenApi, defineRoute, reply } from '@evenkeel/chassis';
import { z } from 'zod';
import { clientTypesOf, type OpenApi } from '../client-types.ts';

test('a shape with a name stands in the client once, whoever answers with it, and one that only it names as well', () => {
  const unit = z.object({ sku: z.string() }).meta({ id: 'Unit' });
  const box = z.object({ units: z.array(unit) }).meta({ id: 'Box' });
  const about = { method: 'get', summary: 'A box', roles: [], responses: { 200: { description: 'It', schema: box } } } as const;
  const routes = ['/box', '/other-box'].map((path) => defineRoute({ ...about, path, handle: () => reply(200, { units: [] }) }));
  const types = clientTypesOf('shelf', createOpenApi({ title: 'Shelf', routes }) as unknown as OpenApi);
  expect(types.match(/export \w+ \w+/g)).toEqual(['export type Box', 'export type Unit', 'export interface ShelfHttp']);
  expect(types.match(/readonly 200: Box;/g)).toHaveLength(2);
  expect(types.match(/readonly sku: string;/g)).toHaveLength(1);
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { OpenAPIBackend } from 'openapi-backend';

// The marketplace's own description is not part of this project: where it lies beside the repository, ours is held against it. What is known of it
// without that is written down here, each fact by itself.
const folder = new URL('../../../../shared/contracts/etsy/', import.meta.url);
const present = existsSync(folder);
const withContract = present ? test : test.skip;
const why = present ? '' : ' (SKIPPED: ../shared/contracts/etsy is not here)';

type Schema = {
  properties?: Record<string, Schema>;
  required?: string[];
  items?: Schema;
  type?: string;
  nullable?: boolean;
  maximum?: number;
  enum?: unknown[];
};
type Media = Record<string, { schema?: Schema }>;
interface Operation {
  parameters?: { name: string; in: string; required?: boolean }[];
  requestBody?: { content: Media };
  responses: Record<string, { content?: Media }>;
}
type Definition = NonNullable<ConstructorParameters<typeof OpenAPIBackend>[0]>['definition'];
type Paths = Record<string, Record<string, Operation>>;

async function loadOwn(): Promise<Paths> {
  const definition = new URL('../src/etsy/openapi.yaml', import.meta.url).pathname;
  const api = new OpenAPIBackend({ definition, strict: true });
  await api.init();
  return api.definition.paths as unknown as Paths;
}

const bodyOf = ({ requestBody }: Operation): Schema => Object.values(requestBody?.content ?? {})[0]?.schema ?? {};
const answerOf = ({ responses }: Operation): Schema => Object.values(responses['200']?.content ?? {})[0]?.schema ?? {};
const names = (schema: Schema | undefined) => Object.keys(schema?.properties ?? {}).toSorted();
const operationsOf = (paths: Paths) =>
  Object.entries(paths).flatMap(([path, methods]) =>
    ['get', 'put', 'patch', 'post'].flatMap((method) => {
      const operation = methods[method];
      return operation
        ? [{ name: `${method} ${path}`, operation, shared: (methods['parameters'] ?? []) as unknown as Operation['parameters'] }]
        : [];
    }),
  );

describe('our description of the Etsy API says what is known of the real one', () => {
  const own = loadOwn();
  const operation = async (path: string, method: string) => (await own)[path]?.[method] as Operation;

  test('a listing is put as a whole: products with their values and offerings, and by what they differ', async () => {
    const put = bodyOf(await operation('/application/listings/{listing_id}/inventory', 'put'));
    expect(names(put)).toEqual(['price_on_property', 'products', 'quantity_on_property', 'readiness_state_on_property', 'sku_on_property']);
    const product = put.properties?.['products']?.items;
    expect(names(product)).toEqual(['offerings', 'property_values', 'sku']);
    expect(names(product?.properties?.['property_values']?.items)).toEqual([
      'property_id',
      'property_name',
      'scale_id',
      'value_ids',
      'values',
    ]);
    const offering = product?.properties?.['offerings']?.items;
    expect(names(offering)).toEqual(['is_enabled', 'price', 'quantity', 'readiness_state_id']);
    expect(offering?.required).toContain('readiness_state_id');
    expect(offering?.properties).toMatchObject({
      price: { type: 'number' },
      quantity: { maximum: 999 },
      readiness_state_id: { nullable: true },
    });
  });

  test('it is read with more than may be written: ids, what is deleted, and the price as an amount', async () => {
    const product = answerOf(await operation('/application/listings/{listing_id}/inventory', 'get')).properties?.['products']?.items;
    expect(names(product)).toEqual(expect.arrayContaining(['product_id', 'is_deleted', 'sku']));
    expect(names(product?.properties?.['property_values']?.items)).toContain('scale_name');
    const offering = product?.properties?.['offerings']?.items;
    expect(names(offering)).toEqual(expect.arrayContaining(['offering_id', 'is_deleted', 'quantity']));
    expect(names(offering?.properties?.['price'])).toEqual(expect.arrayContaining(['amount', 'divisor']));
  });

  test('receipts are found by when they last changed, and say what was sold of which product', async () => {
    const receipts = await operation('/application/shops/{shop_id}/receipts', 'get');
    expect(receipts.parameters?.map(({ name }) => name)).toEqual(expect.arrayContaining(['min_last_modified', 'was_shipped']));
    const transaction = answerOf(receipts).properties?.['results']?.items?.properties?.['transactions']?.items;
    expect(names(transaction)).toEqual(expect.arrayContaining(['transaction_id', 'listing_id', 'product_id', 'sku', 'quantity']));
  });

  test('a listing is taken off sale and put back by its state; a token is renewed by a refresh token', async () => {
    expect(bodyOf(await operation('/application/shops/{shop_id}/listings/{listing_id}', 'patch')).properties?.['state']?.enum).toContain(
      'inactive',
    );
    expect(bodyOf(await operation('/public/oauth/token', 'post')).required).toEqual(['grant_type', 'client_id', 'refresh_token']);
  });

  test('every refusal is an error text, with a description at most', async () => {
    for (const { operation: each } of operationsOf(await own))
      expect(names(Object.values(each.responses['default']?.content ?? {})[0]?.schema)).toEqual(['error', 'error_description']);
  });
});

describe(`our description of the Etsy API beside the official one${why}`, () => {
  withContract('has no operation and no field of a caller that the official one lacks', async () => {
    const [file] = readdirSync(folder).filter((name) => name.endsWith('.json'));
    const official = JSON.parse(readFileSync(new URL(file ?? '', folder), 'utf8')) as object;
    const api = new OpenAPIBackend({ definition: official as Definition, strict: false });
    await api.init();
    const theirs = new Map(operationsOf(api.definition.paths as unknown as Paths).map((each) => [each.name.replace('/v3', ''), each]));
    for (const { name, operation, shared = [] } of operationsOf(await loadOwn())) {
      if (name.includes('/public/')) continue; // the token endpoint is described elsewhere
      const known = theirs.get(name);
      expect([name, known !== undefined]).toEqual([name, true]);
      const parameters = [...(known?.operation.parameters ?? []), ...(known?.shared ?? [])].map((each) => each.name);
      expect(parameters).toEqual(expect.arrayContaining([...shared, ...(operation.parameters ?? [])].map((each) => each.name)));
      expect(names(known && bodyOf(known.operation))).toEqual(expect.arrayContaining(names(bodyOf(operation))));
    }
  });
});

import { pino } from 'pino';
import { createSandboxControl, type NewShop, type Product, type SandboxControl, type Shop } from '../src/control-client.ts';
import { openSandbox } from '../src/sandbox.ts';

interface GraphqlAnswer {
  errors?: { message: string; extensions: Record<string, unknown>; path?: unknown[] }[];
  // A test reads what it asked for; the schema is what the sandbox checks.
  // eslint-disable-next-line typescript/no-explicit-any
  data?: any;
  extensions?: { cost: { requestedQueryCost: number; actualQueryCost: number | null; throttleStatus: Record<string, number> } };
}

/** A shop called `tea` with a token, and a way to talk to its Admin API as a connector would. */
export interface TestShop {
  control: SandboxControl;
  shop: Shop;
  contractUrl: string;
  logged: Record<string, unknown>[];
  post: (body: unknown, headers?: Record<string, string>) => Promise<Response>;
  query: (query: string, variables?: object) => Promise<GraphqlAnswer>;
  setAvailable: (quantities: { product: Product; quantity: number; changeFrom?: number | null }[], key: string) => Promise<GraphqlAnswer>;
  available: (product: Product) => Promise<number | undefined>;
  put: (sku: string | null, quantity: number) => Promise<Product>;
  [Symbol.asyncDispose](): Promise<void>;
}

const token = 'shpat_test';

export const setQuantitiesMutation = `mutation Push($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id createdAt reason changes { name delta quantityAfterChange item { id } location { id } } }
    userErrors { code field message }
  }
}`;

export const quantitiesInput = (quantities: { product: Product; quantity: number; changeFrom?: number | null }[]) => ({
  name: 'available',
  reason: 'correction',
  quantities: quantities.map(({ product, quantity, changeFrom = null }) => ({
    inventoryItemId: product.inventoryItem,
    locationId: product.location,
    quantity,
    changeFromQuantity: changeFrom,
  })),
});

export async function openTestShop(options: Partial<NewShop> = {}, statePath = ':memory:'): Promise<TestShop> {
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>) });
  const sandbox = await openSandbox({ host: '127.0.0.1', contractPort: 0, controlPort: 0, statePath }, log);
  const control = createSandboxControl(sandbox.controlUrl);
  const shop = await control.createShop({ name: 'tea', token, ...options });

  const post = (body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${sandbox.contractUrl}/${shop.name}/admin/api/2026-10/graphql.json`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-shopify-access-token': token, ...headers },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
  const query = async (text: string, variables: object = {}) => (await (await post({ query: text, variables })).json()) as GraphqlAnswer;
  return {
    control,
    shop,
    contractUrl: sandbox.contractUrl,
    logged,
    post,
    query,
    setAvailable: (quantities, key) => query(setQuantitiesMutation, { input: quantitiesInput(quantities), key }),
    async available(product) {
      const { rows } = await control.quantities(shop.name);
      return rows.find((row) => row.inventoryItem === product.inventoryItem)?.available;
    },
    async put(sku, quantity) {
      const [product] = await control.putProducts(shop.name, [{ sku, quantity }]);
      if (product === undefined) throw new Error('the sandbox put no product');
      return product;
    },
    [Symbol.asyncDispose]: async () => sandbox[Symbol.asyncDispose](),
  };
}

export async function collect<Row>(rows: AsyncIterable<Row>): Promise<Row[]> {
  const read: Row[] = [];
  for await (const row of rows) read.push(row);
  return read;
}

import { pino } from 'pino';
import { createSandboxControl, type EtsyShop, type EtsyTokens, type NewEtsyShop, type SandboxControl } from '../src/control-client.ts';
import { openSandbox } from '../src/sandbox.ts';

/** An Etsy shop called `tea`, and a way to talk to its API as a connector would. */
export interface TestEtsyShop extends AsyncDisposable {
  control: SandboxControl;
  shop: EtsyShop;
  tokens: EtsyTokens;
  contractUrl: string;
  logged: Record<string, unknown>[];
  /** `path` below /v3/application; a body goes as JSON, a form as a form. */
  call: (
    method: string,
    path: string,
    sent?: { body?: unknown; form?: Record<string, string>; headers?: Record<string, string> },
  ) => Promise<Answer>;
  renew: (refreshToken: string, keystring?: string) => Promise<Answer>;
}

export interface Answer {
  status: number;
  headers: Headers;
  // A test reads what it asked for; our description of the API is what the sandbox checks.
  // eslint-disable-next-line typescript/no-explicit-any
  body: any;
}

const app = { keystring: 'teaapp', sharedSecret: 'secret' };

export async function openEtsyShop(options: Partial<NewEtsyShop> = {}): Promise<TestEtsyShop> {
  const logged: Record<string, unknown>[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => void logged.push(JSON.parse(line) as Record<string, unknown>) });
  const sandbox = await openSandbox({ host: '127.0.0.1', contractPort: 0, controlPort: 0, statePath: ':memory:' }, log);
  const control = createSandboxControl(sandbox.controlUrl);
  const { shop, tokens } = await control.createEtsyShop({ name: 'tea', ...app, ...options });
  const answered = async (response: Response): Promise<Answer> => ({
    status: response.status,
    headers: response.headers,
    body: await response.json(),
  });
  return {
    control,
    shop,
    tokens,
    contractUrl: sandbox.contractUrl,
    logged,
    async call(method, path, { body, form, headers = {} } = {}) {
      const sent = form ? new URLSearchParams(form) : body === undefined ? undefined : JSON.stringify(body);
      return answered(
        await fetch(`${sandbox.contractUrl}/v3/application${path}`, {
          method,
          headers: {
            'x-api-key': `${app.keystring}:${app.sharedSecret}`,
            authorization: `Bearer ${tokens.accessToken}`,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(sent === undefined ? {} : { body: sent }),
        }),
      );
    },
    async renew(refreshToken, keystring = app.keystring) {
      const form = { grant_type: 'refresh_token', client_id: keystring, refresh_token: refreshToken };
      return answered(await fetch(`${sandbox.contractUrl}/v3/public/oauth/token`, { method: 'POST', body: new URLSearchParams(form) }));
    },
    [Symbol.asyncDispose]: async () => sandbox[Symbol.asyncDispose](),
  };
}

interface Inventory {
  products: {
    sku: string;
    offerings: { price: { amount: number; divisor: number }; quantity: number; is_enabled: boolean; readiness_state_id: number | null }[];
    property_values: Record<string, unknown>[];
  }[];
  price_on_property: number[];
  quantity_on_property: number[];
  sku_on_property: number[];
  readiness_state_on_property: number[];
}

/** What a listing's inventory, as it was read, has to look like to be put: with other quantities, in the order of its products. */
export function putOf(inventory: Inventory, quantities: number[]) {
  const { price_on_property, quantity_on_property, sku_on_property, readiness_state_on_property } = inventory;
  const products = inventory.products.map(({ sku, offerings, property_values: values }, index) => ({
    sku,
    property_values: values.map(({ scale_name: _scale, ...value }) => value),
    offerings: offerings.map(({ price, is_enabled, readiness_state_id }) => ({
      price: price.amount / price.divisor,
      quantity: quantities[index],
      is_enabled,
      readiness_state_id,
    })),
  }));
  return { products, price_on_property, quantity_on_property, sku_on_property, readiness_state_on_property };
}

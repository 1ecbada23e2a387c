import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { openSandboxProcess, type ConnectorHarness, type HarnessStore } from '@evenkeel/connector-kit/testing';
import { createSandboxControl, type SandboxControl } from '@evenkeel/marketplace-sandbox/control';
import { createShopify } from '../src/shopify.ts';

export interface RunningSandbox extends AsyncDisposable {
  readonly control: SandboxControl;
  /** For SHOPIFY_URL_TEMPLATE. */
  readonly urlTemplate: string;
}

const main = fileURLToPath(new URL('../../marketplace-sandbox/src/main.ts', import.meta.url));

export async function openShopifySandbox(): Promise<RunningSandbox> {
  const sandbox = await openSandboxProcess(main);
  return {
    control: createSandboxControl(sandbox.controlUrl),
    urlTemplate: `${sandbox.contractUrl}/{shop}`,
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

const dayMilliseconds = 86_400_000;
let shops = 0;

/** A new shop with one location and a generous rate, and its harness. */
async function createShop(control: SandboxControl): Promise<HarnessStore & { readonly shop: string }> {
  const shop = `shop-${(shops += 1)}-${Math.random().toString(36).slice(2, 8)}`;
  const token = `shpat_${shop}`;
  const { locations } = await control.createShop({ name: shop, token, plan: 'enterprise', acceptEverySale: true });
  const sell: HarnessStore['sell'] = async (lines) =>
    (await control.placeOrder(shop, { lines: lines.map(({ listing, quantity }) => ({ inventoryItem: listing, quantity })) })).id;
  return {
    shop,
    entered: { shop, accessToken: token },
    addListings: async (listings) => (await control.putProducts(shop, [...listings])).map(({ inventoryItem }) => inventoryItem),
    removeListing: (listing) => control.deleteProduct(shop, listing),
    sell,
    async sellLongAgo(lines) {
      await control.configure(shop, { clockOffsetMilliseconds: -365 * dayMilliseconds });
      const order = await sell(lines);
      await control.configure(shop, { clockOffsetMilliseconds: 0 });
      return order;
    },
    cancel: async (order) => void (await control.cancelOrder(shop, order)),
    fulfil: async (order) => void (await control.fulfilOrder(shop, order)),
    setActive: async (active) => void (await control.configure(shop, { inactiveLocations: active ? [] : locations.map(({ id }) => id) })),
    async shown(listing) {
      for await (const quantity of control.allQuantities(shop)) if (quantity.inventoryItem === listing) return quantity.available;
      throw new Error(`${listing} is not there.`);
    },
    async writes() {
      const writes = [];
      for await (const { idempotencyKey: key, inventoryItem: listing, quantityAfter: quantity } of control.allWrites(shop)) writes.push({ key, listing, quantity }); // prettier-ignore
      return writes;
    },
    calls: async () => (await control.calls(shop)).calls,
    loseNextAnswer: () => control.setFaults(shop, { dropAnswerOfNextMutations: 1 }),
    loseNextPush: () => control.setFaults(shop, { dropNextMutations: 1 }),
    failNext: (calls, status) => control.setFaults(shop, calls > 0 ? { failNext: { calls, status } } : {}),
    async renewCredentials() {
      const renewed = `${token}-${Math.random().toString(36).slice(2, 8)}`;
      await control.configure(shop, { token: renewed });
      return { accessToken: renewed };
    },
    limitRate: async () => void (await control.configure(shop, { rateLimit: { maximumAvailable: 20, restoreRate: 50 } })),
    async sendWebhooksTo(url) {
      const secret = `shpss_${randomBytes(16).toString('hex')}`;
      await control.configure(shop, { webhook: { url, secret } });
      return secret;
    },
  };
}

export async function openShopifyHarness(): Promise<ConnectorHarness> {
  const sandbox = await openShopifySandbox();
  return {
    marketplace: createShopify({ urlTemplate: sandbox.urlTemplate }),
    createStore: () => createShop(sandbox.control),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

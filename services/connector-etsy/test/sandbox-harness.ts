import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { openSandboxProcess, type ConnectorHarness, type HarnessStore } from '@evenkeel/connector-kit/testing';
import { createSandboxControl, type EtsyTokens, type NewListing, type SandboxControl } from '@evenkeel/marketplace-sandbox/control';
import { createEtsy, type EtsyOptions } from '../src/etsy.ts';

/** The app that the connector is at the marketplace. */
const app = { keystring: 'evenkeeltest', sharedSecret: 'sharedsecret' };

export interface RunningSandbox extends AsyncDisposable {
  readonly control: SandboxControl;
  /** How the connector reaches it, as the app that its shops are created for. */
  readonly etsy: EtsyOptions;
}

const main = fileURLToPath(new URL('../../marketplace-sandbox/src/main.ts', import.meta.url));

export async function openEtsySandbox(): Promise<RunningSandbox> {
  const sandbox = await openSandboxProcess(main);
  const { contractUrl, controlUrl } = sandbox;
  return {
    control: createSandboxControl(controlUrl),
    etsy: { ...app, apiUrl: `${contractUrl}/v3/application`, tokenUrl: `${contractUrl}/v3/public/oauth/token` },
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

const dayMilliseconds = 86_400_000;
let shops = 0;
/** Variants of one Etsy listing: what is added together can be pushed together. */
const variantsOfListing = 100;

const consentOf = ({ accessToken, refreshToken }: EtsyTokens) => ({ accessToken, refreshToken });

/** A new shop with a generous rate, and its harness. */
async function createStore(control: SandboxControl): Promise<HarnessStore> {
  const shop = `shop-${(shops += 1)}-${Math.random().toString(36).slice(2, 8)}`;
  const { tokens } = await control.createEtsyShop({ name: shop, ...app, requestsPerSecond: 1_000, acceptEverySale: true });
  let clock = 0;
  /** Etsy's times are whole seconds: whatever happens, happens a second after what was before. */
  const aSecondLater = () => control.configure(shop, { clockOffsetMilliseconds: (clock += 1_000) });
  const place: HarnessStore['sell'] = async (lines) =>
    (await control.placeOrder(shop, { lines: lines.map(({ listing, quantity }) => ({ inventoryItem: listing, quantity })) })).id;

  async function addListings(listings: readonly { sku: string | null; quantity: number }[]): Promise<string[]> {
    const wanted: NewListing[] = [];
    for (let from = 0; from < listings.length; from += variantsOfListing) {
      const variants = listings
        .slice(from, from + variantsOfListing)
        .map((listing, index) => ({ ...listing, values: { Number: `${index}` } }));
      wanted.push({ title: `Listing from ${from}`, variants });
    }
    return (await control.putListings(shop, wanted)).flatMap(({ offerings }) => offerings.map(({ inventoryItem }) => inventoryItem));
  }

  async function shown(listing: string): Promise<number> {
    const { state, offerings } = await control.listing(shop, Number(listing.split('/')[0]));
    const offering = offerings.find(({ inventoryItem }) => inventoryItem === listing);
    if (!offering) throw new Error(`${listing} is not there.`);
    return state === 'active' ? offering.quantity : 0;
  }

  return {
    entered: { ...consentOf(tokens), renewSoldOut: true },
    addListings,
    removeListing: (listing) => control.deleteProduct(shop, listing),
    async sell(lines) {
      await aSecondLater();
      return await place(lines);
    },
    async sellLongAgo(lines) {
      await control.configure(shop, { clockOffsetMilliseconds: (clock += 1_000) - 365 * dayMilliseconds });
      const order = await place(lines);
      await control.configure(shop, { clockOffsetMilliseconds: clock });
      return order;
    },
    async cancel(order) {
      await aSecondLater();
      await control.cancelOrder(shop, order);
    },
    async fulfil(order) {
      await aSecondLater();
      await control.fulfilOrder(shop, order);
    },
    setActive: async (active) => void (await control.configureEtsy(shop, { vacation: !active })),
    shown,
    async writes() {
      const writes = [];
      // A write is one of the whole listing: what it left as it was is not what it was about.
      for await (const { idempotencyKey: key, inventoryItem: listing, quantityBefore, quantityAfter: quantity } of control.allWrites(shop))
        if (quantity !== quantityBefore) writes.push({ key, listing, quantity });
      return writes;
    },
    calls: async () => (await control.calls(shop)).calls,
    loseNextAnswer: () => control.setFaults(shop, { dropAnswerOfNextMutations: 1 }),
    loseNextPush: () => control.setFaults(shop, { dropNextMutations: 1 }),
    failNext: (calls, status) => control.setFaults(shop, calls > 0 ? { failNext: { calls, status } } : {}),
    async renewCredentials() {
      await control.revokeTokens(shop);
      return consentOf(await control.issueTokens(shop));
    },
    limitRate: async () => void (await control.configureEtsy(shop, { requestsPerSecond: 3 })),
    expireCredentials: () => control.expireTokens(shop),
    async sendWebhooksTo(url) {
      const secret = `whsec_${randomBytes(24).toString('base64')}`;
      await control.configure(shop, { webhook: { url, secret } });
      return secret;
    },
  };
}

export async function openEtsyHarness(): Promise<ConnectorHarness> {
  const sandbox = await openEtsySandbox();
  return {
    marketplace: createEtsy(sandbox.etsy),
    createStore: () => createStore(sandbox.control),
    [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
  };
}

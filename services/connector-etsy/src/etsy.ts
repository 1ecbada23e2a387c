import { chunks } from '@evenkeel/chassis';
import {
  ConnectionRefused,
  type CallOptions,
  type Capabilities,
  type Gateway,
  type Marketplace,
  type MarketplaceListing,
  type MarketplaceOrder,
  type StoreConnection,
} from '@evenkeel/connector-kit';
import { z } from 'zod';
import { oneRequest, openEtsyApi, type EtsyApi } from './etsy-api.ts';
import { groupOf, offeredOf, soldProduct } from './inventory.ts';
import { pushListing, settleComingBack } from './push.ts';
import { orderOf, pagesOfReceipts, type ReceiptQuery } from './receipts.ts';
import * as shapes from './shapes.ts';
import type { Inventory, Receipt, Transaction } from './shapes.ts';
import { createRenewal, credentialsOf, credentialsSchema } from './tokens.ts';
import { verifyWebhook, windowMilliseconds } from './webhooks.ts';

export interface EtsyOptions {
  readonly apiUrl: string;
  readonly tokenUrl: string;
  readonly keystring: string;
  readonly sharedSecret: string;
}

const atOnce = 100;
/** A page begins this much before the last one's end: listings that leave a state while it is read shift the rest. */
const pageOverlap = 10;

const capabilities: Capabilities = {
  maxBatch: 100,
  atomicBatch: false,
  compareAndSet: 'before_write',
  idempotencyKey: null,
  asynchronousApply: false,
  settleMilliseconds: 20_000,
  minimumQuantity: 0,
  maximumQuantity: 999,
  restocksCancelled: false,
  groupOf,
};

const settingsSchema = z.object({ shopId: z.number().nullable(), renewSoldOut: z.boolean() });
type Settings = z.output<typeof settingsSchema>;

const token = (what: string) =>
  z
    .string()
    .regex(/^[0-9]+\.[\x21-\x7e]{1,2000}$/, 'expected a token that begins with the user id and a dot')
    .describe(what);

const credentialFields = {
  accessToken: token("what the seller's consent gave: the access token"),
  refreshToken: token('and the refresh token, which nobody else uses from now on'),
  webhookSecret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{16,}={0,2}$/, 'expected whsec_ and base64')
    .optional()
    .describe("the app's signing secret, for webhooks"),
};

const entered = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  webhookSecret: z.string().optional(),
  renewSoldOut: z.boolean().default(false),
});

/** Etsy. A listing of ours is what has a quantity of its own: a variant of an Etsy listing, or all of it. */
export function createEtsy({ apiUrl, tokenUrl, keystring, sharedSecret }: EtsyOptions): Marketplace {
  const accessOf = (given: unknown) => {
    const { accessToken, refreshToken, webhookSecret, renewSoldOut } = entered.parse(given);
    const credentials = credentialsOf(accessToken, refreshToken, Date.now());
    return { settings: { shopId: null, renewSoldOut }, credentials, webhookSecret };
  };
  return {
    name: 'etsy',
    capabilities,
    connectionFields: {
      ...credentialFields,
      renewSoldOut: z
        .boolean()
        .optional()
        .describe(
          'whether a listing that sold out is renewed, for the fee that Etsy takes, when there is something to sell again; default no',
        ),
    },
    credentialFields,
    accessOf,
    credentialsOf(given) {
      const { credentials, webhookSecret } = accessOf(given);
      return { credentials, webhookSecret };
    },
    async completeSettings(connection, settings, options) {
      return { ...settingsSchema.parse(settings), shopId: await (connection as Shop).shopId(options) };
    },
    renewal: createRenewal({ tokenUrl, keystring }),
    webhooks: { verify: verifyWebhook, windowMilliseconds },
    open({ settings, credentials }, gateway) {
      const accessToken = () => credentialsSchema.parse(credentials()).accessToken;
      return openShop(settingsSchema.parse(settings), { url: apiUrl, apiKey: `${keystring}:${sharedSecret}`, accessToken, gateway });
    },
  };
}

interface Shop extends StoreConnection {
  shopId(options: CallOptions): Promise<number>;
}

interface ShopAccess {
  readonly url: string;
  readonly apiKey: string;
  accessToken(): string;
  readonly gateway: Gateway;
}

function openShop(settings: Settings, access: ShopAccess): Shop {
  const api = openEtsyApi(access);
  /** How listings are made up, as last read: a transaction is told apart by it. */
  const known = new Map<number, Inventory>();
  const onRead = (listing: number, inventory: Inventory): void => void known.set(listing, inventory);
  /** Transactions whose listings were read for them already. */
  const askedFor = new Set<number>();

  /** Whose token it is. A user without a shop has nothing to connect. */
  async function owner(options: CallOptions): Promise<{ readonly shop: number; readonly date: number }> {
    const { data, date } = await api.run({ method: 'GET', path: '/users/me', data: shapes.me }, options);
    if (data.shop_id) return { shop: data.shop_id, date };
    throw new ConnectionRefused(`The Etsy user ${data.user_id} has no shop: let the shop's owner consent, and enter the tokens of that.`);
  }
  const shopId = async (options: CallOptions): Promise<number> => settings.shopId ?? (await owner(options)).shop;

  async function listingsOf(ids: readonly number[], options: CallOptions) {
    const path = `/listings/batch?listing_ids=${ids.join(',')}&includes=Inventory`;
    const { data } = await api.run({ method: 'GET', path, data: shapes.listings }, options);
    for (const { listing_id: id, inventory } of data.results) if (inventory) onRead(id, inventory);
    return data.results;
  }

  /** Of listings that nobody has read yet, or that had no such variant when they were read, it asks first. */
  async function ordersOf(receipts: readonly Receipt[], options: CallOptions): Promise<MarketplaceOrder[]> {
    const isUnknown = (transaction: Transaction, listing: number): boolean => {
      const inventory = known.get(listing);
      return !askedFor.has(transaction.transaction_id) && !(inventory && soldProduct(transaction, inventory));
    };
    const unknown = receipts.flatMap(({ transactions }) =>
      transactions.flatMap((of) =>
        of.listing_id && isUnknown(of, of.listing_id) ? [{ of: of.transaction_id, listing: of.listing_id }] : [],
      ),
    );
    const ids = [...new Set(unknown.map(({ listing }) => listing))];
    for (const some of chunks(ids, atOnce)) await listingsOf(some, options);
    for (const { of } of unknown) askedFor.add(of);
    return receipts.map((receipt) => orderOf(receipt, (id) => known.get(id)));
  }

  async function* orders(query: Omit<ReceiptQuery, 'shopId'>, options: CallOptions): AsyncGenerator<MarketplaceOrder[]> {
    for await (const page of pagesOfReceipts(api, { ...query, shopId: await shopId(options) }, options)) yield ordersOf(page, options);
  }

  return {
    capabilities,
    shopId,
    /** A read and a write. */
    pushCost: () => ({ second: 2 * oneRequest.second, day: 2 * oneRequest.day }),

    async probe(options) {
      const { shop: id, date } = await owner(options);
      const { data: shop } = await api.run({ method: 'GET', path: `/shops/${id}`, data: shapes.shop }, options);
      return { account: String(id), name: shop.shop_name, time: date, active: !shop.is_vacation };
    },

    listings: (options) => allListings(api, shopId, onRead, options),

    ordersSince: (since, options) => orders({ by: 'updated', from: Math.floor(since / 1_000), unshippedOnly: false }, options),

    openOrders: (options) => orders({ by: 'created', from: 0, unshippedOnly: true }, options),

    async push(batch, options) {
      return pushListing({ api, shopId: await shopId(options), renewSoldOut: settings.renewSoldOut, onRead }, batch, options);
    },

    async readBack(listings, options) {
      const wanted = new Set(listings);
      const ids = [...new Set(listings.map((listing) => Number(groupOf(listing))))];
      const found = new Map<string, number>();
      // Off sale shoppers see nothing, whatever a variant has. Whether it was written is not told by that: then the answer is silent on it.
      for (const some of chunks(ids, atOnce))
        for (const { listing_id: id, state, inventory } of await listingsOf(some, options)) {
          const isOnSale = state === 'active';
          if (options.memory) await settleComingBack(state, options.memory); // of one group: it is the only one that is read
          for (const { listing, quantity } of inventory ? offeredOf(id, inventory) : [])
            if (wanted.has(listing) && (isOnSale || quantity === 0 || !options.memory)) found.set(listing, isOnSale ? quantity : 0);
        }
      return found;
    },

    close: () => api.close(),
  };
}

/**
 * Every listing that is, or was, or may be on sale again. In the order in which they change their state, and those on sale once more at the end: one
 * that sells out, is taken off sale, or comes back meanwhile, is not missed.
 */
async function* allListings(
  api: EtsyApi,
  shopId: (options: CallOptions) => Promise<number>,
  onRead: (listing: number, inventory: Inventory) => void,
  options: CallOptions,
): AsyncGenerator<MarketplaceListing[]> {
  const shop = await shopId(options);
  const told = new Set<string>();
  for (const state of ['active', 'sold_out', 'inactive', 'active']) {
    for (let [offset, more] = [0, true]; more; offset += atOnce - pageOverlap) {
      const path = `/shops/${shop}/listings?state=${state}&includes=Inventory&limit=${atOnce}&offset=${offset}`;
      const { data } = await api.run({ method: 'GET', path, data: shapes.listings }, options);
      const page: MarketplaceListing[] = [];
      for (const { listing_id: id, inventory } of data.results) {
        if (!inventory) continue;
        onRead(id, inventory);
        for (const { listing, sku, quantity, enabled } of offeredOf(id, inventory)) {
          if (told.has(listing)) continue;
          told.add(listing);
          page.push({ listing, sku, quantity, onSale: state === 'active' && enabled });
        }
      }
      yield page;
      more = data.results.length === atOnce;
    }
  }
}

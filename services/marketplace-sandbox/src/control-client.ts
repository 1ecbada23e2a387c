/**
 * Typed client of the sandbox's control port: what a test, the demo or the replay does *to* a simulated marketplace from outside the
 * contract: opening shops, shopping, cancelling, breaking things, and reading what really happened there.
 *
 * Ids are the marketplace's own (`gid://shopify/InventoryItem/1`); on an Etsy shop `inventoryItem` names what has a quantity of its own, as
 * `<listing>` or `<listing>/<property>:<value>`, a receipt is an order, a transaction its line, and a location is empty. Times are milliseconds since the epoch on the shop's clock.
 */

export type MarketplaceName = 'shopify' | 'etsy';

/** Shopify's plans by their published restore rate: 100, 200, 1000 and 2000 points a second, bucket twenty times that. */
export type Plan = 'standard' | 'advanced' | 'plus' | 'enterprise';

export interface RateLimit {
  /** Points that a full bucket holds. */
  maximumAvailable: number;
  /** Points that flow back, per second. */
  restoreRate: number;
}

export interface NewShop {
  /** The part before `.myshopify.com`: lower-case letters, digits and dashes. */
  name: string;
  /** What X-Shopify-Access-Token must carry. */
  token: string;
  /** Default `standard`. */
  plan?: Plan;
  /** Replaces the plan's published limit. */
  rateLimit?: RateLimit;
  /** Names of its locations, default one called `Warehouse`. */
  locations?: string[];
  /** Sell whatever is ordered, also at and below zero. Default false: a listing at or below zero cannot be bought. */
  acceptEverySale?: boolean;
  /** Refuse also what exceeds a positive quantity, as a shop does that denies overselling. Default false. */
  refuseWithoutStock?: boolean;
}

export interface Location {
  id: string;
  name: string;
}

interface WebhookTarget {
  url: string;
  secret: string;
}

export interface ShopSettings {
  token: string;
  rateLimit: RateLimit;
  acceptEverySale: boolean;
  refuseWithoutStock: boolean;
  /** Every contract call waits this long before it takes effect; a repeat with the same key meanwhile is refused as concurrent. */
  latencyMilliseconds: number;
  /** ... and this long between taking effect and answering. */
  answerDelayMilliseconds: number;
  /** The shop's clock less the machine's. */
  clockOffsetMilliseconds: number;
  /** Where the shop's webhooks about orders go, and what they are signed with (Etsy: `whsec_` and base64); null or absent: nowhere. */
  webhook?: WebhookTarget | null;
  /** Ids of locations that were deactivated: nothing can be set there. */
  inactiveLocations?: string[];
}

export interface Shop {
  name: string;
  marketplace: MarketplaceName;
  /** `<name>.myshopify.com`, `<name>.etsy.com` */
  domain: string;
  plan: Plan;
  locations: Location[];
  settings: ShopSettings;
}

/** The app and the rate of an Etsy shop. */
export interface EtsySettings {
  keystring: string;
  sharedSecret: string;
  /** Default 150 and 100,000; counted per shop here, per app over all its shops on the real one. */
  requestsPerSecond: number;
  requestsPerDay: number;
  /** How long a new access token is good for; default 3600. */
  accessTokenSeconds: number;
  /** On holiday, as its API says. */
  vacation: boolean;
}

export interface NewEtsyShop extends Partial<EtsySettings> {
  name: string;
  keystring: string;
  sharedSecret: string;
  /** As for every shop. Nothing that an Etsy shop sells goes below zero, whatever is ordered. */
  acceptEverySale?: boolean;
}

/** What a seller's consent brings: the access token has the user's id before its dot. */
export interface EtsyTokens {
  accessToken: string;
  refreshToken: string;
}

export interface EtsyShop extends Shop {
  etsy: EtsySettings & { userId: number; shopId: number };
}

export type ListingState = 'active' | 'inactive' | 'sold_out' | 'draft' | 'expired';

export interface NewListing {
  title?: string;
  /** Default active; sold_out where nothing is left. */
  state?: ListingState;
  /** Several need a value each for one or two properties, such as `{ Colour: 'blue', Size: 'M' }`. */
  variants: { sku: string | null; quantity: number; price?: number; values?: Record<string, string>; enabled?: boolean }[];
  /** Names of the properties by which the quantity differs; default all of them. Variants that do not differ by it share one quantity. */
  quantityVariesBy?: string[];
}

export interface Listing {
  listing: number;
  title: string;
  state: ListingState;
  /** One per product. */
  offerings: { product: number; inventoryItem: string; sku: string | null; quantity: number; values: Record<string, string> }[];
}

export interface NewProduct {
  /** May be null, blank, or the same as another's, as on a real shop. */
  sku: string | null;
  /** Opening `available` at `location`. */
  quantity: number;
  /** A location's id; default the shop's first. */
  location?: string;
  /** Default ACTIVE. */
  status?: 'ACTIVE' | 'ARCHIVED' | 'DRAFT' | 'UNLISTED';
  /** Default true; an item that is not tracked sells without a quantity. */
  tracked?: boolean;
}

export interface Product {
  sku: string | null;
  inventoryItem: string;
  variant: string;
  location: string;
}

/** Either the inventory item or a SKU (the oldest product that has it, byte for byte). */
export type NewLine = { quantity: number } & ({ inventoryItem: string; sku?: never } | { sku: string; inventoryItem?: never });

export interface NewOrder {
  lines: NewLine[];
  /** Shown as the order's name; default `#1001` and on. */
  name?: string;
  /** Buy even where the listing shows nothing, as when two shoppers pay at the same moment. */
  force?: boolean;
  /** Default PAID. */
  financialStatus?: 'PAID' | 'PENDING' | 'AUTHORIZED';
}

export interface OrderLine {
  id: string;
  inventoryItem: string;
  sku: string | null;
  /** Ordered, edits that added included. */
  quantity: number;
  /** Less what was removed by edit, cancellation or refund. */
  currentQuantity: number;
  unfulfilledQuantity: number;
}

export interface Order {
  id: string;
  name: string;
  createdAt: number;
  /** Strictly rising within a shop. */
  updatedAt: number;
  cancelledAt: number | null;
  displayFinancialStatus: string;
  displayFulfillmentStatus: string;
  lines: OrderLine[];
}

/** What became of one order of a bulk call; a refusal leaves the others alone. */
export type Placed =
  | { accepted: true; order: Order }
  | { accepted: false; refusal: { line: number; inventoryItem: string; sku: string | null; available: number } };

export interface LineQuantity {
  /** A line's id. */
  line: string;
  quantity: number;
}

export interface OrderEdit {
  /** The line's new current quantity, not the difference. */
  lines?: LineQuantity[];
  add?: NewLine[];
}

export interface Quantity {
  inventoryItem: string;
  location: string;
  sku: string | null;
  available: number;
  onHand: number;
  committed: number;
  updatedAt: number;
}

/**
 * One listing's part in a quantity mutation, in the order in which the shop applied them. A replayed key adds no row. On Etsy each request writes
 * every offering of its listing: those that it was not about too, mostly with what they had.
 */
export interface AppliedWrite {
  number: number;
  /** On Etsy, which has none: how the caller named its request, X-Request-Id; blank where it did not. */
  idempotencyKey: string;
  inventoryItem: string;
  location: string;
  /** `available` before and after. */
  quantityBefore: number;
  quantityAfter: number;
  at: number;
  /** Number of the shop's last sale when this was applied: sales with a higher number came after it. */
  salesCounter: number;
}

/** A change that the shop itself made to `available`: positive when sold, negative when given back. */
export interface Sale {
  number: number;
  kind: 'order' | 'edit' | 'cancel';
  order: string;
  line: string;
  inventoryItem: string;
  location: string;
  quantity: number;
  at: number;
}

export interface Page<Row> {
  rows: Row[];
  /** Give it as `after` for the next page; null at the end. */
  next: number | null;
}

export interface Faults {
  /** Answer the next calls with this status (401 and 403 in the marketplace's words), without effect. */
  failNext?: { calls: number; status: number; retryAfterSeconds?: number };
  /** Apply the next mutations, then close the connection without an answer. */
  dropAnswerOfNextMutations?: number;
  /** Etsy: answer the next calls that renew a token with this status. */
  failNextTokenCalls?: { calls: number; status: number };
  /** Close the connection of the next mutations before they take effect. */
  dropNextMutations?: number;
  /** A shopper buys this right before the next mutation takes effect: between the connector's decision and its call. */
  sellBeforeNextMutation?: NewOrder;
  /** Never send the next webhooks. */
  dropNextWebhooks?: number;
  /** Send each of the next webhooks twice. */
  duplicateNextWebhooks?: number;
  /** Send the next webhooks only behind the one after them. */
  reorderNextWebhooks?: number;
}

/** The control port refused: `status` and `detail` of its problem+json. */
export class SandboxControlError extends Error {
  readonly status: number;

  constructor(status: number, detail: string) {
    super(`The sandbox refused (${status}): ${detail}`);
    this.name = 'SandboxControlError';
    this.status = status;
  }
}

/** `baseUrl`: of the control port, `http://127.0.0.1:4111`. Every method rejects with SandboxControlError when the sandbox says no. */
export function createSandboxControl(baseUrl: string) {
  const call = async <Answer>(method: string, path: string, body?: unknown): Promise<Answer> => {
    const response = await fetch(new URL(`/__sim${path}`, baseUrl), {
      method,
      ...(body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new SandboxControlError(response.status, detailOf(text));
    return (text === '' ? undefined : JSON.parse(text)) as Answer;
  };
  const shopPath = (shop: string, rest = '') => `/shops/${encodeURIComponent(shop)}${rest}`;
  const orderPath = (shop: string, order: string, verb: string) => shopPath(shop, `/orders/${encodeURIComponent(order)}/${verb}`);
  const page = <Row>(shop: string, log: string, after: number, limit: number) =>
    call<Page<Row>>('GET', shopPath(shop, `/${log}?after=${after}&limit=${limit}`));
  async function* all<Row>(shop: string, log: string, after: number): AsyncGenerator<Row> {
    for (let from: number | null = after; from !== null;) {
      const read: Page<Row> = await page<Row>(shop, log, from, 5_000);
      yield* read.rows;
      from = read.next;
    }
  }

  return {
    createShop: (shop: NewShop) => call<Shop>('POST', '/shops', shop),
    shops: () => call<Shop[]>('GET', '/shops'),
    shop: (shop: string) => call<Shop>('GET', shopPath(shop)),
    /** Changes what is given, keeps the rest. A new token takes effect at once: the old one is answered 401. */
    configure: (shop: string, settings: Partial<ShopSettings>) => call<Shop>('PATCH', shopPath(shop, '/settings'), settings),
    /** Empties the shop of products, orders, logs and faults; its token, locations and settings stay. */
    resetShop: (shop: string) => call<void>('POST', shopPath(shop, '/reset')),
    deleteShop: (shop: string) => call<void>('DELETE', shopPath(shop)),
    /** An Etsy shop, with the tokens of its seller's consent. */
    createEtsyShop: (shop: NewEtsyShop) => call<{ shop: EtsyShop; tokens: EtsyTokens }>('POST', '/etsy-shops', shop),
    configureEtsy: (shop: string, settings: Partial<EtsySettings>) => call<EtsyShop>('PATCH', shopPath(shop, '/etsy-settings'), settings),
    /** The seller consents again: a new pair, beside those that are there. */
    issueTokens: (shop: string) => call<EtsyTokens>('POST', shopPath(shop, '/tokens')),
    /** All access tokens expire now; they can be renewed. */
    expireTokens: (shop: string) => call<void>('POST', shopPath(shop, '/tokens/expire')),
    /** All tokens are taken back, as when the seller changes the password. */
    revokeTokens: (shop: string) => call<void>('POST', shopPath(shop, '/tokens/revoke')),
    /** Etsy listings with their variants, up to 5,000 in one call. */
    putListings: (shop: string, listings: NewListing[]) => call<Listing[]>('POST', shopPath(shop, '/listings'), listings),
    listing: (shop: string, listing: number) => call<Listing>('GET', shopPath(shop, `/listings/${listing}`)),
    /** What its seller does to it by hand. */
    setListingState: (shop: string, listing: number, state: ListingState) =>
      call<Listing>('PUT', shopPath(shop, `/listings/${listing}/state`), { state }),
    deleteListing: (shop: string, listing: number) => call<void>('DELETE', shopPath(shop, `/listings/${listing}`)),
    /** Up to 50,000 in one call, in the order given. On an Etsy shop each is a listing of its own, of up to 999 units. */
    putProducts: (shop: string, products: NewProduct[]) => call<Product[]>('POST', shopPath(shop, '/products'), products),
    /** Deletes a product: its inventory item is unknown from then on. On Etsy its variant goes, or the listing with its last one. */
    deleteProduct: (shop: string, inventoryItem: string) =>
      call<void>('DELETE', shopPath(shop, `/products/${encodeURIComponent(inventoryItem)}`)),
    /** Sells; in one transaction, in the order given, up to 5,000 orders. An unknown item or SKU refuses the whole call. */
    placeOrders: (shop: string, orders: NewOrder[]) => call<Placed[]>('POST', shopPath(shop, '/orders'), orders),
    /** One order that must be accepted. */
    async placeOrder(shop: string, order: NewOrder): Promise<Order> {
      const [placed] = await call<Placed[]>('POST', shopPath(shop, '/orders'), [order]);
      if (placed?.accepted) return placed.order;
      throw new SandboxControlError(
        409,
        `the listing ${placed?.refusal.inventoryItem} shows ${placed?.refusal.available}: nobody can buy it`,
      );
    },
    order: (shop: string, order: string) => call<Order>('GET', shopPath(shop, `/orders/${encodeURIComponent(order)}`)),
    /** Not on Etsy, where orders are not edited. */
    editOrder: (shop: string, order: string, edit: OrderEdit) => call<Order>('POST', orderPath(shop, order, 'edit'), edit),
    /**
     * Cancels what is not fulfilled, the whole order without `lines`; the listing gets it back unless `restock` is false. On Etsy, as fulfilling
     * and refunding, whole orders alone; there the listing gets it back only where `restock` is true.
     */
    cancelOrder: (shop: string, order: string, options: { lines?: LineQuantity[]; restock?: boolean } = {}) =>
      call<Order>('POST', orderPath(shop, order, 'cancel'), options),
    /** Fulfils all that is left, or these lines. */
    fulfilOrder: (shop: string, order: string, options: { lines?: LineQuantity[] } = {}) =>
      call<Order>('POST', orderPath(shop, order, 'fulfil'), options),
    /** Gives money back without restocking; with `lines` these units also leave the order, as on the real one. */
    refundOrder: (shop: string, order: string, options: { lines?: LineQuantity[] } = {}) =>
      call<Order>('POST', orderPath(shop, order, 'refund'), options),
    /** Every listing: one row per inventory item and location. */
    quantities: (shop: string, after = 0, limit = 5_000) => page<Quantity>(shop, 'quantities', after, limit),
    allQuantities: (shop: string) => all<Quantity>(shop, 'quantities', 0),
    writes: (shop: string, after = 0, limit = 5_000) => page<AppliedWrite>(shop, 'writes', after, limit),
    allWrites: (shop: string, after = 0) => all<AppliedWrite>(shop, 'writes', after),
    sales: (shop: string, after = 0, limit = 5_000) => page<Sale>(shop, 'sales', after, limit),
    allSales: (shop: string, after = 0) => all<Sale>(shop, 'sales', after),
    /** Orders by id, as they are now. */
    orders: (shop: string, after = 0, limit = 1_000) => page<Order>(shop, 'orders', after, limit),
    allOrders: (shop: string) => all<Order>(shop, 'orders', 0),
    /** Replaces the faults that were set before; `{}` clears them. They live in memory: a restart clears them too. */
    setFaults: (shop: string, faults: Faults) => call<void>('PUT', shopPath(shop, '/faults'), faults),
    /** Sets `available` as if somebody had typed it into the shop's admin: in no log, as drift comes. */
    drift: (shop: string, drift: { inventoryItem: string; location?: string; available: number }) =>
      call<void>('POST', shopPath(shop, '/drift'), drift),
    /** How many contract calls the shop has answered since the process started, refused ones included. */
    calls: (shop: string) => call<{ calls: number; throttled: number; refused: number }>('GET', shopPath(shop, '/calls')),
  };
}

export type SandboxControl = ReturnType<typeof createSandboxControl>;

function detailOf(text: string): string {
  try {
    const problem = JSON.parse(text) as { title?: string; detail?: string };
    return problem.detail ?? problem.title ?? text;
  } catch {
    return text;
  }
}

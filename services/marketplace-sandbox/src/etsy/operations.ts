import type { ListingState } from '../control-client.ts';
import { mostUnits, nameOf, type EtsyListingRow, type PropertyValue, type Varies, type WrittenProduct } from '../state/etsy-listings.ts';
import type { State } from '../state/state.ts';
import { EtsyError, notFound } from './errors.ts';
import { inventoryOf, listingOf, receiptOf } from './shapes.ts';

/** One request that was found good: parameters and body are as our description of the API says. */
export interface EtsyCall {
  shop: string;
  path: Readonly<Record<string, unknown>>;
  query: Readonly<Record<string, unknown>>;
  body: unknown;
  /** How the caller names its request (X-Request-Id); the log of applied writes tells it. */
  requestId: string;
}

interface InventoryUpdate {
  products: {
    sku?: string;
    property_values?: { property_id: number; property_name?: string; scale_id?: number | null; value_ids: number[]; values: string[] }[];
    offerings: { price: number; quantity: number; is_enabled: boolean; readiness_state_id: number | null }[];
  }[];
  price_on_property?: number[];
  quantity_on_property?: number[];
  sku_on_property?: number[];
  readiness_state_on_property?: number[];
}

type Operation = (call: EtsyCall) => object;

/** What each operation of openapi.yaml does, beside the token endpoint. Throws EtsyError for what the real API refuses. */
export function createOperations({ etsyShops, etsyListings, orders }: State): Readonly<Record<string, Operation>> {
  const ownerOf = (shop: string) => ({ userId: etsyShops.userId(shop), shopId: etsyShops.shopId(shop) });
  const own = ({ shop, path }: EtsyCall): void => {
    const id = Number(path['shop_id']);
    if (etsyShops.shopOfId(id) === undefined) throw notFound(`a shop with shop_id = ${id}`);
    if (id !== etsyShops.shopId(shop)) throw new EtsyError(403, 'User is not the owner of this shop.');
  };
  const listingIn = ({ shop, path }: EtsyCall): EtsyListingRow => {
    const id = Number(path['listing_id']);
    const row = etsyListings.find(shop, id);
    if (row === undefined) throw notFound(`a listing with listing_id = ${id}`);
    return row;
  };
  const describe = (shop: string, row: EtsyListingRow, withInventory: boolean) => {
    const products = etsyListings.productsOf(row.id);
    return { ...listingOf(ownerOf(shop), row, products), ...(withInventory ? { inventory: inventoryOf(row, products) } : {}) };
  };
  const includes = ({ query }: EtsyCall, what: string) => Array.isArray(query['includes']) && query['includes'].includes(what);
  const page = ({ query }: EtsyCall) => ({ limit: Number(query['limit'] ?? 25), offset: Number(query['offset'] ?? 0) });

  return {
    getMe: ({ shop }) => ({ user_id: etsyShops.userId(shop), shop_id: etsyShops.shopId(shop) }),
    getShop(call) {
      own(call);
      const { userId, shopId } = ownerOf(call.shop);
      const { vacation } = etsyShops.get(call.shop);
      return { shop_id: shopId, user_id: userId, shop_name: call.shop, is_vacation: vacation, currency_code: 'USD' };
    },
    getListingsByShop(call) {
      own(call);
      const { limit, offset } = page(call);
      const { count, rows } = etsyListings.inState(call.shop, (call.query['state'] ?? 'active') as ListingState, limit, offset);
      return { count, results: rows.map((row) => describe(call.shop, row, includes(call, 'Inventory'))) };
    },
    getListingsByListingIds(call) {
      const rows = (call.query['listing_ids'] as number[]).flatMap((id) => etsyListings.find(call.shop, Number(id)) ?? []);
      return { count: rows.length, results: rows.map((row) => describe(call.shop, row, includes(call, 'Inventory'))) };
    },
    getListingInventory(call) {
      const row = listingIn(call);
      const listing = includes(call, 'Listing') ? { listing: describe(call.shop, row, false) } : {};
      return { ...inventoryOf(row, etsyListings.productsOf(row.id)), ...listing };
    },
    updateListingInventory(call) {
      const row = listingIn(call);
      const { varies, written } = judge(row, call.body as InventoryUpdate);
      etsyListings.write(call.shop, row, varies, written, call.requestId);
      return inventoryOf({ ...row, varies }, etsyListings.productsOf(row.id));
    },
    updateListing(call) {
      own(call);
      const row = listingIn(call);
      const { state } = call.body as { state: ListingState };
      if (row.state === 'draft' || row.state === 'expired')
        throw new EtsyError(400, `A listing that is ${row.state} cannot be made ${state}.`);
      etsyListings.setState(call.shop, row, state, call.requestId);
      return describe(call.shop, listingIn(call), false);
    },
    getShopReceipts(call) {
      own(call);
      return receipts(call);
    },
    getShopReceipt(call) {
      own(call);
      const order = orders.row(call.shop, Number(call.path['receipt_id']));
      if (order === undefined) throw notFound(`a receipt with receipt_id = ${String(call.path['receipt_id'])}`);
      return receiptOf(order, orders.lines(order.id), (line) => etsyListings.transaction(line));
    },
  };

  /** Times are in whole seconds: what happened at any time within the first or the last one is in it. */
  function receipts(call: EtsyCall) {
    const { query, shop } = call;
    const { limit, offset } = page(call);
    const range = (name: string) => {
      const [from, to] = [query[`min_${name}`], query[`max_${name}`]];
      return { from: Number(from ?? 0) * 1_000, to: to === undefined ? Number.MAX_SAFE_INTEGER : Number(to) * 1_000 + 999 };
    };
    const columns = { created: 'created_at', updated: 'updated_at', receipt_id: 'id' } as const;
    const column = columns[(query['sort_on'] ?? 'created') as keyof typeof columns];
    const after = { value: 0, id: 0 };
    const found = orders.range(shop, { column, updated: range('last_modified'), created: range('created'), open: null, after, limit: -1 });

    const wanted = found
      .map((order) => receiptOf(order, orders.lines(order.id), (line) => etsyListings.transaction(line)))
      .filter(({ is_shipped: shipped, status }) => {
        if (query['was_shipped'] !== undefined && query['was_shipped'] !== shipped) return false;
        return query['was_canceled'] === undefined || query['was_canceled'] === (status === 'canceled');
      });
    const isRising = ['asc', 'ascending', 'up'].some((order) => order === query['sort_order']);
    if (!isRising) wanted.reverse();
    return { count: wanted.length, results: wanted.slice(offset, offset + limit) };
  }

  function judge(row: EtsyListingRow, update: InventoryUpdate): { varies: Varies; written: WrittenProduct[] } {
    const varies = {
      price: update.price_on_property ?? [],
      quantity: update.quantity_on_property ?? [],
      sku: update.sku_on_property ?? [],
      readiness: update.readiness_state_on_property ?? [],
    };
    const written = update.products.map(writtenOf);
    const names = written.map(({ properties }) => JSON.stringify(properties.map(({ property_id: id, value_ids: values }) => [id, values])));
    if (new Set(names).size !== names.length) throw new EtsyError(400, 'Each product needs property values of its own.');
    const shared = Map.groupBy(written, ({ properties }) => nameOf(row.id, properties, varies.quantity));
    for (const group of shared.values())
      if (new Set(group.map(({ quantity }) => quantity)).size > 1)
        throw new EtsyError(
          400,
          'The quantity must be the same for all products that do not differ by a property in quantity_on_property.',
        );
    if (row.state === 'active' && written.every(({ quantity, enabled }) => quantity === 0 || !enabled))
      throw new EtsyError(400, 'One offering must have quantity greater than 0');
    return { varies, written };
  }
}

function writtenOf({ sku = '', property_values: values = [], offerings }: InventoryUpdate['products'][number]): WrittenProduct {
  const [offering] = offerings;
  if (offering === undefined || offering.quantity > mostUnits) throw new EtsyError(400, 'An offering needs a quantity from 0 to 999.');
  const properties = values.map((value): PropertyValue => {
    if (value.values.length === 0) throw new EtsyError(400, "Property values can't be empty");
    return { property_name: '', scale_id: null, ...value };
  });
  const { price, quantity, is_enabled: enabled, readiness_state_id: readiness } = offering;
  return { sku, properties, price: Math.round(price * 100), enabled, readiness, quantity };
}

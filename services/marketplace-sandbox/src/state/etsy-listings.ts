import { createHash } from 'node:crypto';
import type { Listing, ListingState, NewListing } from '../control-client.ts';
import type { Database } from './database.ts';
import type { Inventory } from './inventory.ts';
import type { MarketRules } from './market-rules.ts';
import { Refusal } from './refusal.ts';
import type { Shops } from './shops.ts';

/** One value of one property of a product, as the API tells it. */
export interface PropertyValue {
  property_id: number;
  property_name: string;
  scale_id: number | null;
  value_ids: number[];
  values: string[];
}

/** By which properties price, quantity, SKU and processing time of a listing's products differ. */
export interface Varies {
  price: number[];
  quantity: number[];
  sku: number[];
  readiness: number[];
}

export interface EtsyListingRow {
  id: number;
  title: string;
  state: ListingState;
  varies: Varies;
  createdAt: number;
  updatedAt: number;
}

/** One variant. `item` holds its quantity; several products share one where the quantity does not vary by what tells them apart. */
export interface ProductRow {
  id: number;
  item: number;
  sku: string;
  properties: PropertyValue[];
  /** In hundredths. */
  price: number;
  enabled: boolean;
  readiness: number | null;
  quantity: number;
}

export interface WrittenProduct {
  sku: string;
  properties: PropertyValue[];
  price: number;
  enabled: boolean;
  readiness: number | null;
  quantity: number;
}

export interface TransactionRow {
  listing: number;
  product: number;
  variations: PropertyValue[];
  price: number;
}

export const mostUnits = 999;

export type EtsyListings = ReturnType<typeof createEtsyListings>;

export function createEtsyListings(database: Database, shops: Shops, inventory: Inventory) {
  type StoredListing = Omit<EtsyListingRow, 'varies'> & { varies: string };
  type StoredProduct = Omit<ProductRow, 'properties' | 'enabled'> & { properties: string; enabled: number };
  const listingColumns = 'id, title, state, varies, created_at AS createdAt, updated_at AS updatedAt';
  const productColumns = 'p.id, p.item, p.sku, p.properties, p.price, p.enabled, p.readiness, l.available AS quantity';
  const products = `SELECT ${productColumns} FROM etsy_products p JOIN levels l ON l.item = p.item`;
  const statements = {
    insert: database.prepare('INSERT INTO etsy_listings (shop, title, state, varies, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)'),
    listing: database.prepare<StoredListing>(`SELECT ${listingColumns} FROM etsy_listings WHERE shop = ? AND id = ?`),
    inState: database.prepare<StoredListing>(
      `SELECT ${listingColumns} FROM etsy_listings WHERE shop = ? AND state = ? ORDER BY id LIMIT ? OFFSET ?`,
    ),
    countInState: database.prepare<{ count: number }>('SELECT count(*) AS count FROM etsy_listings WHERE shop = ? AND state = ?'),
    ofItem: database.prepare<StoredListing>(
      `SELECT ${listingColumns} FROM etsy_listings WHERE id = (SELECT listing FROM etsy_items WHERE item = ?)`,
    ),
    update: database.prepare('UPDATE etsy_listings SET state = ?, varies = ?, updated_at = ? WHERE id = ?'),
    delete: database.prepare('DELETE FROM etsy_listings WHERE id = ?'),
    products: database.prepare<StoredProduct>(`${products} WHERE p.listing = ? ORDER BY p.id`),
    productsOfItem: database.prepare<StoredProduct>(`${products} WHERE p.item = ? ORDER BY p.enabled DESC, p.id`),
    insertProduct: database.prepare(
      'INSERT INTO etsy_products (listing, item, sku, properties, price, enabled, readiness) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    deleteProducts: database.prepare('DELETE FROM etsy_products WHERE listing = ?'),
    deleteProductsOfItem: database.prepare('DELETE FROM etsy_products WHERE item = ?'),
    itemNamed: database.prepare<{ item: number }>('SELECT item FROM etsy_items WHERE shop = ? AND name = ?'),
    nameItem: database.prepare('INSERT INTO etsy_items VALUES (?, ?, ?, ?)'),
    itemsOf: database.prepare<{ item: number }>('SELECT item FROM etsy_items WHERE listing = ?'),
    // What is gone keeps its name in the logs; the name may be another one's later.
    rememberItem: database.prepare('INSERT INTO etsy_former_items SELECT item, name FROM etsy_items WHERE item = ?'),
    forgetItem: database.prepare('DELETE FROM etsy_items WHERE item = ?'),
    insertTransaction: database.prepare('INSERT INTO etsy_transactions VALUES (?, ?, ?, ?, ?)'),
    transaction: database.prepare<Omit<TransactionRow, 'variations'> & { variations: string }>(
      'SELECT listing, product, variations, price FROM etsy_transactions WHERE line = ?',
    ),
  };
  const readListing = (row: StoredListing | undefined): EtsyListingRow | undefined =>
    row && { ...row, varies: JSON.parse(row.varies) as Varies };
  const readProduct = (row: StoredProduct): ProductRow => ({
    ...row,
    properties: JSON.parse(row.properties) as PropertyValue[],
    enabled: row.enabled === 1,
  });
  const productsOf = (listing: number): ProductRow[] => statements.products.all(listing).map(readProduct);
  const find = (shop: string, id: number) => readListing(statements.listing.get(shop, id));
  const save = ({ id, state, varies }: Pick<EtsyListingRow, 'id' | 'state' | 'varies'>, at: number): void =>
    void statements.update.run(state, JSON.stringify(varies), at, id);
  const forgetItem = (item: number): void => {
    statements.rememberItem.run(item);
    statements.forgetItem.run(item);
  };
  const isEmpty = (of: readonly { quantity: number; enabled: boolean }[]) => of.every(({ quantity, enabled }) => quantity <= 0 || !enabled);

  /** Replaces the products of a listing. Each has a new id; what holds the quantity stays, by the values that the quantity varies by. */
  const replaceProducts = (
    shop: string,
    listing: number,
    { quantity: by }: Varies,
    written: readonly WrittenProduct[],
  ): Map<number, WrittenProduct> => {
    statements.deleteProducts.run(listing);
    const items = new Map<number, WrittenProduct>();
    for (const [name, group] of Map.groupBy(written, ({ properties }) => nameOf(listing, properties, by))) {
      const [first] = group;
      if (first === undefined) continue;
      const skus = new Set(group.map(({ sku }) => sku));
      const sku = skus.size === 1 && first.sku !== '' ? first.sku : null;
      const item = statements.itemNamed.get(shop, name)?.item ?? inventory.createItem(shop, sku, first.quantity);
      if (statements.itemNamed.get(shop, name) === undefined) statements.nameItem.run(item, shop, listing, name);
      inventory.nameSku(item, sku);
      items.set(item, first);
    }
    for (const { sku, properties, price, enabled, readiness } of written) {
      const item = statements.itemNamed.get(shop, nameOf(listing, properties, by))?.item ?? 0;
      statements.insertProduct.run(listing, item, sku, JSON.stringify(properties), price, enabled ? 1 : 0, readiness);
    }
    for (const { item } of statements.itemsOf.all(listing)) {
      if (items.has(item)) continue;
      inventory.deleteItem(shop, item);
      forgetItem(item);
    }
    return items;
  };

  const describe = (row: EtsyListingRow): Listing => ({
    listing: row.id,
    title: row.title,
    state: row.state,
    offerings: productsOf(row.id).map(({ id, sku, quantity, properties }) => ({
      product: id,
      inventoryItem: nameOf(row.id, properties, row.varies.quantity),
      sku: sku === '' ? null : sku,
      quantity,
      values: Object.fromEntries(properties.map(({ property_name: property, values }) => [property, values.join(', ')])),
    })),
  });

  return {
    find,
    productsOf,
    describe: (shop: string, id: number): Listing => {
      const row = find(shop, id);
      if (row === undefined) throw new Refusal(404, `the shop ${shop} has no listing ${id}`);
      return describe(row);
    },
    inState: (shop: string, state: ListingState, limit: number, offset: number) => ({
      count: statements.countInState.get(shop, state)?.count ?? 0,
      rows: statements.inState.all(shop, state, limit, offset).flatMap((row) => readListing(row) ?? []),
    }),

    create(shop: string, listings: readonly NewListing[]): Listing[] {
      return database.transaction(() =>
        listings.map((listing) => {
          const now = shops.now(shop);
          const written = listing.variants.map((variant) => writtenOf(listing, variant));
          const state = listing.state ?? (isEmpty(written) ? 'sold_out' : 'active');
          const varies = variesOf(listing);
          const { id } = statements.insert.run(
            shop,
            listing.title ?? listing.variants[0]?.sku ?? 'A thing',
            state,
            JSON.stringify(varies),
            now,
            now,
          );
          replaceProducts(shop, id, varies, written);
          return describe({ id, title: '', state, varies, createdAt: now, updatedAt: now });
        }),
      );
    },

    delete(shop: string, id: number): void {
      database.transaction(() => {
        if (find(shop, id) === undefined) throw new Refusal(404, `the shop ${shop} has no listing ${id}`);
        statements.deleteProducts.run(id);
        for (const { item } of statements.itemsOf.all(id)) {
          inventory.deleteItem(shop, item);
          forgetItem(item);
        }
        statements.delete.run(id);
      });
    },

    /** The variants that share this quantity, as its seller takes them out by hand; with the last of them the listing goes. */
    deleteVariants(shop: string, item: number): void {
      const listing = statements.ofItem.get(item);
      if (listing === undefined) throw new Refusal(404, `the shop ${shop} has no such variant`);
      if (statements.itemsOf.all(listing.id).length === 1) return this.delete(shop, listing.id);
      database.transaction(() => {
        statements.deleteProductsOfItem.run(item);
        inventory.deleteItem(shop, item);
        forgetItem(item);
      });
    },

    /** The whole listing as it was put, within the caller's transaction. `key`: how the caller names its request. Notes a write for each quantity, the unchanged too. */
    write(shop: string, listing: EtsyListingRow, varies: Varies, written: readonly WrittenProduct[], key: string): void {
      const now = shops.now(shop);
      for (const [item, { quantity }] of replaceProducts(shop, listing.id, varies, written)) {
        const level = inventory.fullestLevel(item);
        if (level) inventory.applyWrite(shop, 0, key, level, quantity - level.available, now);
      }
      save({ ...listing, varies }, now);
    },

    /** What was sold out and is made active again is renewed, with a single unit. */
    setState(shop: string, listing: EtsyListingRow, state: ListingState, key: string): void {
      const now = shops.now(shop);
      if (listing.state === 'sold_out' && state === 'active') {
        for (const [index, item] of [...new Set(productsOf(listing.id).map((product) => product.item))].entries()) {
          const level = inventory.fullestLevel(item);
          if (level) inventory.applyWrite(shop, 0, key, level, (index === 0 ? 1 : 0) - level.available, now);
        }
      }
      save({ ...listing, state }, now);
    },

    transaction(line: number): TransactionRow | undefined {
      const row = statements.transaction.get(line);
      return row && { ...row, variations: JSON.parse(row.variations) as PropertyValue[] };
    },

    /** A listing that is not active cannot be bought; one whose last unit goes is sold out; nothing goes below zero. */
    rules: {
      buyable: (item, level) => (statements.ofItem.get(item.id)?.state === 'active' ? level.available : 0),
      taken: (level, quantity) => Math.min(quantity, Math.max(0, level.available)),
      sold(item, line, at) {
        const listing = readListing(statements.ofItem.get(item.id));
        const [product] = statements.productsOfItem.all(item.id).map(readProduct);
        if (!listing || !product) return;
        statements.insertTransaction.run(line, listing.id, product.id, JSON.stringify(product.properties), product.price);
        if (listing.state === 'active' && isEmpty(productsOf(listing.id))) save({ ...listing, state: 'sold_out' }, at);
      },
      restocksCancelled: false,
      wholeOrders: true,
    } satisfies MarketRules as MarketRules,
  };
}

/** `<listing>` where all of it shares one quantity, else `<listing>/<property>:<values>,…` of the properties that the quantity varies by. */
export function nameOf(listing: number, properties: readonly PropertyValue[], by: readonly number[]): string {
  const parts = properties
    .filter(({ property_id: id }) => by.includes(id))
    .toSorted((a, b) => a.property_id - b.property_id)
    .map(({ property_id: id, value_ids: values }) => `${id}:${values.join('+')}`);
  return parts.length === 0 ? String(listing) : `${listing}/${parts.join(',')}`;
}

/** The ids that the marketplace has for the properties that a seller names: two at most. */
const propertyIds = [513, 514];

const namesOf = ({ variants }: NewListing): string[] => [...new Set(variants.flatMap(({ values = {} }) => Object.keys(values)))];

function variesOf(listing: NewListing): Varies {
  const names = namesOf(listing);
  const idsOf = (of: readonly string[]) => names.flatMap((name, index) => (of.includes(name) ? [propertyIds[index] ?? 0] : []));
  return { price: [], quantity: idsOf(listing.quantityVariesBy ?? names), sku: idsOf(names), readiness: [] };
}

function writtenOf(
  listing: NewListing,
  { sku, quantity, price = 10, values = {}, enabled = true }: NewListing['variants'][number],
): WrittenProduct {
  const properties = namesOf(listing).flatMap((name, index): PropertyValue[] => {
    const value = values[name];
    if (value === undefined) throw new Refusal(422, `every variant of a listing has a value for ${name}`);
    return [
      { property_id: propertyIds[index] ?? 0, property_name: name, scale_id: null, value_ids: [valueId(name, value)], values: [value] },
    ];
  });
  return { sku: sku ?? '', properties, price: Math.round(price * 100), enabled, readiness: null, quantity };
}

const valueId = (name: string, value: string): number =>
  Number.parseInt(createHash('sha256').update(`${name} ${value}`).digest('hex').slice(0, 10), 16);

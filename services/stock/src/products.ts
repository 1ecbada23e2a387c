import type { Event, MongoHandle, ProjectedDocument } from '@evenkeel/chassis';
import { keyOf, type StockLevelChanged } from '@evenkeel/contracts';
import { lowStock, oversold } from './domain.ts';

/** A product in lists, as stock.levels.v1 last said; the truth is in the ledgers. */
export interface ProductDocument extends ProjectedDocument {
  /** `keyOf(tenant, sku)` */
  readonly _id: string;
  /** Of the level: epoch, then sequence. */
  readonly version: number;
  readonly tenant: string;
  readonly sku: string;
  readonly sequence: number;
  readonly at: Date;
  readonly title: string | null;
  /** For search and order: SKU and title without upper case; no title is an empty one. */
  readonly skuText: string;
  readonly titleText: string;
  readonly onHand: number;
  readonly orderReserve: number;
  readonly batchReserve: number;
  readonly available: number;
  readonly locations: readonly { readonly location: string; readonly onHand: number }[];
  readonly defaultLocation: string | null;
  readonly lowStockAtOrBelow: number | null;
  readonly counted: boolean;
  readonly oversold: boolean;
  readonly low: boolean;
  readonly retired: boolean;
}

export const productsCollection = 'products';
/** More rows than any ledger has. */
const epochRows = 1e12;

/** The read model of a level. */
export function productOf({ data }: Pick<Event<'StockLevelChanged'>, 'data'>): ProductDocument {
  const { tenant, sku, epoch, sequence, at, title, quantities, counted, defaultLocation, lowStockAtOrBelow, retired } = data;
  const locations = Object.entries(data.locations).map(([location, onHand]) => ({ location, onHand }));
  const stock = stockOf(data);
  return {
    _id: keyOf(tenant, sku),
    version: epoch * epochRows + sequence,
    tenant,
    sku,
    sequence,
    at: new Date(at),
    title,
    skuText: sku.toLowerCase(),
    titleText: (title ?? '').toLowerCase(),
    ...quantities,
    locations,
    defaultLocation,
    lowStockAtOrBelow,
    counted,
    oversold: oversold(stock) !== null,
    low: lowStock(stock) !== null,
    retired,
  };
}

function stockOf({ quantities, counted, title, defaultLocation, lowStockAtOrBelow, retired, sequence, at }: StockLevelChanged) {
  const product = { title, defaultLocation, lowStockAtOrBelow, retired };
  return { quantities, counted, product, locations: [], newest: { sequence, at, correlation: '' } };
}

export const sortColumns = ['sku', 'title', 'onHand', 'orderReserve', 'batchReserve', 'available'] as const;
export type SortColumn = (typeof sortColumns)[number];
const fieldOf = (column: SortColumn) => (column === 'title' ? 'titleText' : column);

export interface ProductPosition {
  readonly value: string | number;
  readonly sku: string;
}

export interface ProductQuery {
  readonly tenant: string;
  /** Beginning of the SKU, or part of the title; case does not matter. */
  readonly search?: string | undefined;
  readonly counted?: boolean | undefined;
  readonly oversold?: boolean | undefined;
  readonly low?: boolean | undefined;
  readonly retired?: boolean | undefined;
  readonly sort: SortColumn;
  readonly order: 'ascending' | 'descending';
  readonly after?: ProductPosition | undefined;
  readonly limit: number;
}

export interface LocationSum {
  readonly location: string;
  readonly products: number;
  readonly units: number;
}

export interface ProductStore {
  page(query: ProductQuery): Promise<ProductDocument[]>;
  /** All products that a query names, so many at once that memory holds them. */
  every(query: Omit<ProductQuery, 'limit' | 'after'>): AsyncIterable<readonly ProductDocument[]>;
  /** Where products are, with how many of them and how many units. */
  locations(tenant: string): Promise<LocationSum[]>;
}

export const positionOf = (product: ProductDocument, sort: SortColumn): ProductPosition => ({
  value: product[fieldOf(sort)],
  sku: product.sku,
});

/** No text that begins so is above it: whatever comes after it is below the last of all characters. */
const endOf = (beginning: string): string => `${beginning}\u{10ffff}`;
const literally = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** The SKU begins so, or the title has it. A range, for the beginning: SecantusDB takes eight times as long for a pattern. */
const found = (text: string) => ({
  $or: [{ skuText: { $gte: text, $lt: endOf(text) } }, { titleText: { $regex: literally(text) } }],
});

const readAtOnce = 500;

/**
 * Opens the collection `products` with its index. One alone: each more would be written with every level, and the first of tens of thousands by another
 * column are found without.
 */
export async function openProductStore({ connection }: MongoHandle): Promise<ProductStore> {
  const products = connection.getClient().db(connection.name).collection<ProductDocument>(productsCollection);
  await products.createIndex({ tenant: 1, sku: 1 }, { name: 'by_sku' });

  function find({ tenant, search, sort, order, after, ...flags }: Omit<ProductQuery, 'limit'>) {
    const field = fieldOf(sort);
    const direction = order === 'ascending' ? 1 : -1;
    const beyond = order === 'ascending' ? '$gt' : '$lt';
    const conditions: object[] = search === undefined ? [] : [found(search.toLowerCase())];
    if (after && field !== 'sku') {
      // The second part is for products that are equal in the column.
      conditions.push({ [field]: { [`${beyond}e`]: after.value } });
      conditions.push({ $or: [{ [field]: { [beyond]: after.value } }, { sku: { [beyond]: after.sku } }] });
    }
    const from = after && field === 'sku' ? { sku: { [beyond]: after.sku } } : {};
    const wanted = Object.entries(flags).filter(([, flag]) => flag !== undefined);
    return products
      .find({ tenant, ...from, ...Object.fromEntries(wanted), ...(conditions.length > 0 ? { $and: conditions } : {}) })
      .sort(field === 'sku' ? { sku: direction } : { [field]: direction, sku: direction });
  }

  return {
    page: ({ limit, ...query }) => find(query).limit(limit).toArray(),
    async *every(query) {
      let some: ProductDocument[] = [];
      for await (const product of find(query).batchSize(readAtOnce)) {
        some.push(product);
        if (some.length < readAtOnce) continue;
        yield some;
        some = [];
      }
      if (some.length > 0) yield some;
    },
    async locations(tenant) {
      const sums = await products
        .aggregate<{ _id: string; products: number; units: number }>([
          { $match: { tenant } },
          { $unwind: '$locations' },
          { $group: { _id: '$locations.location', products: { $sum: 1 }, units: { $sum: '$locations.onHand' } } },
        ])
        .toArray();
      const named = sums.map(({ _id: location, products: count, units }) => ({ location, products: count, units }));
      return named.toSorted((one, other) => (one.location < other.location ? -1 : 1));
    },
  };
}

import type { Inventory, Product, Transaction } from './shapes.ts';

/** An Etsy listing taken apart into what has a quantity of its own, and put together again. Pure. */

/** What shares one quantity: one variant, or several that differ only by what the quantity does not vary by. */
export interface Offered {
  readonly listing: string;
  /** Null where none is given, or where products that share the quantity have different ones: nobody can say how much of each there is. */
  readonly sku: string | null;
  readonly quantity: number;
  readonly enabled: boolean;
}

/**
 * Our id of a product's quantity: `<listing>/<property>:<values>,…` of the properties that the quantity varies by, `<listing>` where there are none.
 * Etsy's own product ids will not do: each write of a listing makes new ones.
 */
function nameOf(listing: number, properties: Product['property_values'], quantityVariesBy: readonly number[]): string {
  const parts = properties
    .filter(({ property_id: id }) => quantityVariesBy.includes(id))
    .toSorted((a, b) => a.property_id - b.property_id)
    .map(({ property_id: id, value_ids: ids, values }) => `${id}:${(ids.length > 0 ? ids : values.map(encodeURIComponent)).join('+')}`);
  return parts.length === 0 ? String(listing) : `${listing}/${parts.join(',')}`;
}

/** The Etsy listing of one of our listings. */
export const groupOf = (listing: string): string => listing.split('/')[0] ?? listing;

const present = ({ products }: Inventory): Product[] => products.filter(({ is_deleted: isDeleted }) => isDeleted !== true);
const quantityOf = ({ offerings }: Product): number => offerings[0]?.quantity ?? 0;
const isEnabled = ({ offerings }: Product): boolean => offerings.some(({ is_enabled: enabled }) => enabled);

export function offeredOf(listing: number, inventory: Inventory): Offered[] {
  const named = Map.groupBy(present(inventory), ({ property_values: values }) => nameOf(listing, values, inventory.quantity_on_property));
  return [...named].map(([name, products]) => {
    const skus = new Set(products.map(({ sku }) => sku ?? ''));
    const [sku = ''] = skus;
    return {
      listing: name,
      sku: skus.size === 1 && sku !== '' ? sku : null,
      quantity: Math.min(...products.map(quantityOf)),
      enabled: products.some(isEnabled),
    };
  });
}

/** The whole listing as it has to be put: as it was read, with these quantities; what is not among them keeps what was read. */
export function updateOf(listing: number, inventory: Inventory, quantities: ReadonlyMap<string, number>) {
  const { price_on_property, quantity_on_property, sku_on_property, readiness_state_on_property } = inventory;
  const products = present(inventory).map(({ sku, offerings, property_values: values }) => {
    const quantity = quantities.get(nameOf(listing, values, quantity_on_property));
    return {
      sku: sku ?? '',
      property_values: values.map(({ property_id, property_name, scale_id, value_ids, values: texts }) => ({
        property_id,
        property_name: property_name ?? '',
        scale_id: scale_id ?? null,
        value_ids,
        values: texts,
      })),
      offerings: offerings
        .filter(({ is_deleted: isDeleted }) => isDeleted !== true)
        .map(({ price, quantity: read, is_enabled, readiness_state_id }) => ({
          price: price.amount / price.divisor,
          quantity: quantity ?? read,
          is_enabled,
          readiness_state_id: readiness_state_id ?? null,
        })),
    };
  });
  return { products, price_on_property, quantity_on_property, sku_on_property, readiness_state_on_property };
}

/** Whether a listing as put would have nothing that can be bought: Etsy refuses that of a listing that is on sale. */
export const isEmpty = ({ products }: ReturnType<typeof updateOf>): boolean =>
  products.every(({ offerings }) => offerings.every(({ quantity, is_enabled: enabled }) => quantity === 0 || !enabled));

/** The same products with the same values: nobody has changed how the listing is made up. */
export const isSameStructure = (a: Inventory, b: Inventory): boolean => structureOf(a) === structureOf(b);

const structureOf = (inventory: Inventory): string =>
  JSON.stringify([
    inventory.quantity_on_property,
    inventory.price_on_property,
    inventory.sku_on_property,
    inventory.readiness_state_on_property,
    present(inventory).map(({ property_values: values, offerings }) => [
      values.map(({ property_id: id, value_ids: ids, values: texts }) => [id, ids, texts]),
      offerings.length,
    ]),
  ]);

/**
 * Which of our listings a transaction is about: by its variations, which say what was chosen; else by product id, good until the next write; else by
 * a SKU that only one has. Of a listing that is gone its variations alone are left. Null where Etsy no longer says what was bought.
 */
export function soldListing(transaction: Transaction, inventory: Inventory | undefined): string | null {
  const { listing_id: listing, variations } = transaction;
  if (listing === null || listing === undefined) return null;
  const found = inventory && soldProduct(transaction, inventory);
  return found ? nameOf(listing, found.property_values, inventory.quantity_on_property) : nameOfVariations(listing, variations);
}

/** Undefined where the listing has no such product, as it is made up here. */
export function soldProduct({ product_id: id, sku, variations }: Transaction, inventory: Inventory): Product | undefined {
  const products = present(inventory);
  const isChosen = (product: Product) =>
    product.property_values.every((value) =>
      variations.some(
        ({ property_id: property, value_id: chosen, formatted_value: text }) =>
          property === value.property_id && (value.value_ids.includes(chosen ?? -1) || value.values.join(', ') === text),
      ),
    );
  const withSku = sku ? products.filter((product) => product.sku === sku) : [];
  return products.find(isChosen) ?? products.find(({ product_id: of }) => of === id) ?? (withSku.length === 1 ? withSku[0] : undefined);
}

function nameOfVariations(listing: number, variations: Transaction['variations']): string {
  const values = variations.map(({ property_id, value_id: id, formatted_value: text }) => {
    return { property_id, value_ids: id === null || id === undefined ? [] : [id], values: [text ?? ''] };
  });
  return nameOf(listing, values, values.map(({ property_id: property }) => property)); // prettier-ignore
}

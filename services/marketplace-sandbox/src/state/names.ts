import { gid, idOf } from '../gid.ts';
import type { Database } from './database.ts';
import type { Shops } from './shops.ts';

/** How a shop's marketplace writes the ids of what is kept here under numbers. What it cannot have written is undefined. */
export interface Names {
  item(id: number): string;
  itemOf(text: string): number | undefined;
  order(id: number): string;
  orderOf(text: string): number | undefined;
  line(id: number): string;
  location(id: number): string;
}

const shopify: Names = {
  item: (id) => gid('InventoryItem', id),
  itemOf: (text) => idOf('InventoryItem', text),
  order: (id) => gid('Order', id),
  orderOf: (text) => idOf('Order', text),
  line: (id) => gid('LineItem', id),
  location: (id) => gid('Location', id),
};

/** `shop` is a name that exists. */
export type NamesOf = (shop: string) => Names;

export function createNames(database: Database, shops: Pick<Shops, 'get'>): NamesOf {
  const name = database.prepare<{ name: string }>(
    'SELECT name FROM etsy_items WHERE item = ?1 UNION ALL SELECT name FROM etsy_former_items WHERE item = ?1',
  );
  const item = database.prepare<{ item: number }>('SELECT item FROM etsy_items WHERE shop = ? AND name = ?');
  const numberOf = (text: string) => (/^[1-9][0-9]{0,15}$/.test(text) ? Number(text) : undefined);
  const etsy = (shop: string): Names => ({
    item: (id) => name.get(id)?.name ?? String(id),
    itemOf: (text) => item.get(shop, text)?.item,
    order: String,
    orderOf: numberOf,
    line: String,
    location: () => '', // a shop has no places
  });
  return (shop) => (shops.get(shop).marketplace === 'etsy' ? etsy(shop) : shopify);
}

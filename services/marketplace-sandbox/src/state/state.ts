import { openDatabase, type Database } from './database.ts';
import { createIdempotencyKeys, type IdempotencyKeys } from './idempotency.ts';
import { createEtsyListings, type EtsyListings } from './etsy-listings.ts';
import { createEtsyShops, type EtsyShops } from './etsy-shops.ts';
import { createInventory, type Inventory } from './inventory.ts';
import { createNames, type NamesOf } from './names.ts';
import { createOrders, type Orders } from './orders.ts';
import { createShops, type Shops } from './shops.ts';

/** Everything that the simulated marketplaces remember. */
export interface State {
  shops: Shops;
  inventory: Inventory;
  orders: Orders;
  keys: IdempotencyKeys;
  namesOf: NamesOf;
  etsyShops: EtsyShops;
  etsyListings: EtsyListings;
  transaction: Database['transaction'];
  [Symbol.dispose](): void;
}

export function openState(path: string): State {
  const database = openDatabase(path);
  const shops = createShops(database);
  const namesOf = createNames(database, shops);
  const inventory = createInventory(database, shops, namesOf);
  const etsyShops = createEtsyShops(database, shops);
  const etsyListings = createEtsyListings(database, shops, inventory);
  return {
    shops,
    inventory,
    namesOf,
    etsyShops,
    etsyListings,
    orders: createOrders(database, shops, inventory, namesOf, etsyListings),
    keys: createIdempotencyKeys(database),
    transaction: database.transaction,
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

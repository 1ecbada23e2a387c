import { openDatabase, type Database } from './database.ts';
import { createIdempotencyKeys, type IdempotencyKeys } from './idempotency.ts';
import { createInventory, type Inventory } from './inventory.ts';
import { createOrders, type Orders } from './orders.ts';
import { createShops, type Shops } from './shops.ts';

/** Everything that the simulated marketplaces remember. */
export interface State {
  shops: Shops;
  inventory: Inventory;
  orders: Orders;
  keys: IdempotencyKeys;
  transaction: Database['transaction'];
  [Symbol.dispose](): void;
}

export function openState(path: string): State {
  const database = openDatabase(path);
  const shops = createShops(database);
  const inventory = createInventory(database, shops);
  return {
    shops,
    inventory,
    orders: createOrders(database, shops, inventory),
    keys: createIdempotencyKeys(database),
    transaction: database.transaction,
    [Symbol.dispose]: () => database[Symbol.dispose](),
  };
}

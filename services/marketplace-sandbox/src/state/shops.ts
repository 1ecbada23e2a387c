import type { MarketplaceName, NewShop, Plan, RateLimit, ShopSettings } from '../control-client.ts';
import type { Database } from './database.ts';
import { Refusal } from './refusal.ts';

export interface LocationRow {
  id: number;
  name: string;
}

export interface ShopRow {
  /** Another one when a shop of the same name is created again. */
  id: number;
  name: string;
  marketplace: MarketplaceName;
  plan: Plan;
  locations: LocationRow[];
  settings: ShopSettings;
}

const restoreRates: Record<Plan, number> = { standard: 100, advanced: 200, plus: 1_000, enterprise: 2_000 };

/** Points restored per second as published; a bucket was seen to hold twenty seconds of them. */
const publishedRateLimit = (plan: Plan): RateLimit => ({
  maximumAvailable: restoreRates[plan] * 20,
  restoreRate: restoreRates[plan],
});

export type Shops = ReturnType<typeof createShops>;

export function createShops(database: Database) {
  const statements = {
    all: database.prepare<{ id: number; name: string; marketplace: MarketplaceName; plan: Plan; settings: string }>(
      'SELECT id, name, marketplace, plan, settings FROM shops ORDER BY name',
    ),
    locations: database.prepare<LocationRow>('SELECT id, name FROM locations WHERE shop = ? ORDER BY id'),
    insert: database.prepare('INSERT INTO shops (name, marketplace, plan, settings) VALUES (?, ?, ?, ?)'),
    insertLocation: database.prepare('INSERT INTO locations (shop, name) VALUES (?, ?)'),
    settings: database.prepare('UPDATE shops SET settings = ? WHERE name = ?'),
    counters: database.prepare('UPDATE shops SET orders = 1000, writes = 0, sales = 0 WHERE name = ?'),
    nextOrderAt: database.prepare<{ at: number; number: number }>(
      'UPDATE shops SET last_order_at = max(last_order_at + 1, ?), orders = orders + ? WHERE name = ? RETURNING last_order_at AS at, orders AS number',
    ),
    nextWrite: database.prepare<{ number: number; sales: number }>(
      'UPDATE shops SET writes = writes + 1 WHERE name = ? RETURNING writes AS number, sales',
    ),
    nextSale: database.prepare<{ number: number }>('UPDATE shops SET sales = sales + 1 WHERE name = ? RETURNING sales AS number'),
  };
  const deletions = [
    'DELETE FROM lines WHERE order_id IN (SELECT id FROM orders WHERE shop = ?)',
    'DELETE FROM levels WHERE item IN (SELECT id FROM items WHERE shop = ?)',
    'DELETE FROM etsy_transactions WHERE listing IN (SELECT id FROM etsy_listings WHERE shop = ?)',
    'DELETE FROM etsy_products WHERE listing IN (SELECT id FROM etsy_listings WHERE shop = ?)',
    'DELETE FROM etsy_items WHERE shop = ?',
    'DELETE FROM etsy_listings WHERE shop = ?',
    ...['orders', 'items', 'writes', 'change_groups', 'sales', 'idempotency_keys'].map((table) => `DELETE FROM ${table} WHERE shop = ?`),
  ].map((sql) => database.prepare(sql));
  const deletionsOfShop = [
    'DELETE FROM locations WHERE shop = ?',
    'DELETE FROM etsy_tokens WHERE shop = ?',
    'DELETE FROM etsy_shops WHERE shop = ?',
    'DELETE FROM shops WHERE name = ?',
  ].map((sql) => database.prepare(sql));

  // Every contract call asks for its shop: kept here, written through.
  const known = new Map<string, ShopRow>();
  for (const { id, name, marketplace, plan, settings } of statements.all.all()) {
    known.set(name, {
      id,
      name,
      marketplace,
      plan,
      locations: statements.locations.all(name),
      settings: JSON.parse(settings) as ShopSettings,
    });
  }

  const get = (name: string): ShopRow => {
    const shop = known.get(name);
    if (shop === undefined) throw new Refusal(404, `there is no shop ${name}: create it with POST /__sim/shops`);
    return shop;
  };
  const oneRow = <Row>(row: Row | undefined, shop: string): Row => {
    if (row === undefined) throw new Error(`the row of shop ${shop} is gone`);
    return row;
  };

  return {
    find: (name: string): ShopRow | undefined => known.get(name),
    get,
    all: (): ShopRow[] => [...known.values()],

    create({
      name,
      marketplace,
      token,
      plan = 'standard',
      rateLimit,
      locations = ['Warehouse'],
      acceptEverySale,
      refuseWithoutStock,
    }: NewShop & { marketplace: MarketplaceName }): ShopRow {
      if (known.has(name)) throw new Refusal(409, `there is a shop ${name} already: delete it first, or take another name`);
      const settings: ShopSettings = {
        token,
        rateLimit: rateLimit ?? publishedRateLimit(plan),
        acceptEverySale: acceptEverySale ?? false,
        refuseWithoutStock: refuseWithoutStock ?? false,
        latencyMilliseconds: 0,
        answerDelayMilliseconds: 0,
        clockOffsetMilliseconds: 0,
      };
      const shop = database.transaction((): ShopRow => {
        const { id } = statements.insert.run(name, marketplace, plan, JSON.stringify(settings));
        return {
          id,
          name,
          marketplace,
          plan,
          settings,
          locations: locations.map((at) => ({ id: statements.insertLocation.run(name, at).id, name: at })),
        };
      });
      known.set(name, shop);
      return shop;
    },

    configure(name: string, changes: Partial<ShopSettings>): ShopRow {
      const shop = get(name);
      const settings = { ...shop.settings, ...changes };
      statements.settings.run(JSON.stringify(settings), name);
      const changed = { ...shop, settings };
      known.set(name, changed);
      return changed;
    },

    reset(name: string): void {
      get(name);
      database.transaction(() => {
        for (const deletion of deletions) deletion.run(name);
        statements.counters.run(name);
      });
    },

    delete(name: string): void {
      get(name);
      database.transaction(() => {
        for (const deletion of [...deletions, ...deletionsOfShop]) deletion.run(name);
      });
      known.delete(name);
    },

    /** Milliseconds since the epoch on this shop's own clock. */
    now: (name: string): number => Date.now() + get(name).settings.clockOffsetMilliseconds,

    /** The next order time, later than every one before in this shop, and the number of its newest order. */
    nextOrderAt: (name: string, now: number, newOrders: 0 | 1) => oneRow(statements.nextOrderAt.get(now, newOrders, name), name),
    /** The next number in the log of applied writes, and that of the last sale. */
    nextWrite: (name: string) => oneRow(statements.nextWrite.get(name), name),
    nextSale: (name: string): number => oneRow(statements.nextSale.get(name), name).number,
  };
}

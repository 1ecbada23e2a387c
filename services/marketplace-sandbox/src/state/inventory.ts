import type { AppliedWrite, NewProduct, Page, Product, Quantity, Sale } from '../control-client.ts';
import { gid } from '../gid.ts';
import type { Database } from './database.ts';
import type { NamesOf } from './names.ts';
import { Refusal } from './refusal.ts';
import type { Shops } from './shops.ts';

export interface ItemRow {
  id: number;
  sku: string | null;
  status: string;
  tracked: number;
}

export interface LevelRow {
  item: number;
  location: number;
  available: number;
  on_hand: number;
  committed: number;
  updated_at: number;
}

export interface ChangeGroupRow {
  id: number;
  reason: string;
  reference: string | null;
  created_at: number;
}

export interface ChangeRow {
  item: number;
  location: number;
  delta: number;
}

/** How a movement changes a level; the three quantities always keep on hand = available + committed. */
export interface LevelChange {
  available: number;
  onHand: number;
  committed: number;
}

export type Inventory = ReturnType<typeof createInventory>;

export function createInventory(database: Database, shops: Shops, namesOf: NamesOf) {
  const itemColumns = 'id, sku, status, tracked';
  const statements = {
    insertItem: database.prepare('INSERT INTO items (shop, sku, status, tracked) VALUES (?, ?, ?, ?)'),
    insertLevel: database.prepare('INSERT INTO levels VALUES (?, ?, ?, ?, 0, ?)'),
    nameSku: database.prepare('UPDATE items SET sku = ? WHERE id = ?'),
    deleteItem: database.prepare('DELETE FROM items WHERE shop = ? AND id = ?'),
    deleteLevels: database.prepare('DELETE FROM levels WHERE item = ?'),
    item: database.prepare<ItemRow>(`SELECT ${itemColumns} FROM items WHERE shop = ? AND id = ?`),
    itemBySku: database.prepare<ItemRow>(`SELECT ${itemColumns} FROM items WHERE shop = ? AND sku = ? ORDER BY id LIMIT 1`),
    itemsAfter: database.prepare<ItemRow>(`SELECT ${itemColumns} FROM items WHERE shop = ? AND id > ? ORDER BY id LIMIT ?`),
    // As the real search does: letter case makes no difference.
    itemsWithSku: database.prepare<ItemRow>(
      `SELECT ${itemColumns} FROM items WHERE shop = ? AND sku = ? COLLATE NOCASE AND id > ? ORDER BY id LIMIT ?`,
    ),
    level: database.prepare<LevelRow>('SELECT * FROM levels WHERE item = ? AND location = ?'),
    levels: database.prepare<LevelRow>('SELECT * FROM levels WHERE item = ? ORDER BY location'),
    fullestLevel: database.prepare<LevelRow>('SELECT * FROM levels WHERE item = ? ORDER BY available DESC, location LIMIT 1'),
    change: database.prepare(
      `UPDATE levels SET available = available + ?, on_hand = on_hand + ?, committed = committed + ?, updated_at = ?
       WHERE item = ? AND location = ?`,
    ),
    insertGroup: database.prepare('INSERT INTO change_groups (shop, reason, reference, created_at) VALUES (?, ?, ?, ?)'),
    group: database.prepare<ChangeGroupRow>('SELECT id, reason, reference, created_at FROM change_groups WHERE id = ?'),
    groupChanges: database.prepare<ChangeRow>(
      'SELECT item, location, quantity_after - quantity_before AS delta FROM writes WHERE change_group = ? ORDER BY number',
    ),
    insertWrite: database.prepare('INSERT INTO writes VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    insertSale: database.prepare('INSERT INTO sales VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)'),
    writes: database.prepare<AppliedWrite & { item: number; place: number }>(
      `SELECT number, idempotency_key AS idempotencyKey, item, location AS place, quantity_before AS quantityBefore,
       quantity_after AS quantityAfter, at, sales_counter AS salesCounter FROM writes WHERE shop = ? AND number > ? ORDER BY number LIMIT ?`,
    ),
    sales: database.prepare<Sale & { item: number; place: number; order_id: number; line_id: number }>(
      `SELECT number, kind, order_id, line AS line_id, item, location AS place, quantity, at
       FROM sales WHERE shop = ? AND number > ? ORDER BY number LIMIT ?`,
    ),
  };

  const locationOf = (shop: string, wanted: string | undefined): number => {
    const { locations } = shops.get(shop);
    const found = wanted === undefined ? locations[0] : locations.find(({ id }) => namesOf(shop).location(id) === wanted);
    if (found === undefined) throw new Refusal(404, `the shop ${shop} has no location ${wanted}`);
    return found.id;
  };
  const changeLevel = (item: number, location: number, by: LevelChange, at: number): boolean =>
    statements.change.run(by.available, by.onHand, by.committed, at, item, location).changes === 1;

  return {
    item: (shop: string, id: number) => statements.item.get(shop, id),
    itemBySku: (shop: string, sku: string) => statements.itemBySku.get(shop, sku),
    itemsAfter: (shop: string, after: number, limit: number, sku?: string): ItemRow[] =>
      sku === undefined ? statements.itemsAfter.all(shop, after, limit) : statements.itemsWithSku.all(shop, sku, after, limit),
    level: (item: number, location: number) => statements.level.get(item, location),
    /** Where a sale of this item is taken from. */
    fullestLevel: (item: number) => statements.fullestLevel.get(item),
    changeLevel,

    /** Within the caller's transaction: an item that is for sale at the shop's only place. */
    createItem(shop: string, sku: string | null, quantity: number): number {
      const { id } = statements.insertItem.run(shop, sku, 'ACTIVE', 1);
      statements.insertLevel.run(id, locationOf(shop, undefined), quantity, quantity, shops.now(shop));
      return id;
    },
    deleteItem(shop: string, item: number): void {
      statements.deleteItem.run(shop, item);
      statements.deleteLevels.run(item);
    },
    nameSku: (item: number, sku: string | null): void => void statements.nameSku.run(sku, item),

    putProducts(shop: string, products: NewProduct[]): Product[] {
      const now = shops.now(shop);
      return database.transaction(() =>
        products.map(({ sku, quantity, location: wanted, status = 'ACTIVE', tracked = true }) => {
          const location = locationOf(shop, wanted);
          const { id } = statements.insertItem.run(shop, sku, status, tracked ? 1 : 0);
          statements.insertLevel.run(id, location, quantity, quantity, now);
          return { sku, inventoryItem: gid('InventoryItem', id), variant: gid('ProductVariant', id), location: gid('Location', location) };
        }),
      );
    },

    deleteProduct(shop: string, item: number): void {
      database.transaction(() => {
        if (statements.deleteItem.run(shop, item).changes === 0) throw new Refusal(404, `the shop ${shop} has no such inventory item`);
        statements.deleteLevels.run(item);
      });
    },

    drift(shop: string, item: number, wanted: string | undefined, available: number): void {
      const location = locationOf(shop, wanted);
      const level = statements.item.get(shop, item) && statements.level.get(item, location);
      if (level === undefined) throw new Refusal(404, `the shop ${shop} has no such inventory item at this location`);
      const by = available - level.available;
      changeLevel(item, location, { available: by, onHand: by, committed: 0 }, shops.now(shop));
    },

    createGroup: (shop: string, reason: string, reference: string | null, at: number): number =>
      statements.insertGroup.run(shop, reason, reference, at).id,
    group: (id: number): (ChangeGroupRow & { changes: ChangeRow[] }) | undefined => {
      const group = statements.group.get(id);
      return group && { ...group, changes: statements.groupChanges.all(id) };
    },

    /** One listing's part in a mutation: moves available and on hand alike, and notes it in the log of applied writes. */
    applyWrite(shop: string, group: number, key: string, level: LevelRow, delta: number, at: number): void {
      changeLevel(level.item, level.location, { available: delta, onHand: delta, committed: 0 }, at);
      const { number, sales } = shops.nextWrite(shop);
      statements.insertWrite.run(
        shop, number, group, key, level.item, level.location, level.available, level.available + delta, at, sales,
      ); // prettier-ignore
    },

    recordSale(
      shop: string,
      sale: { kind: Sale['kind']; order: number; line: number; item: number; location: number; quantity: number; at: number },
    ): void {
      const { kind, order, line, item, location, quantity, at } = sale;
      statements.insertSale.run(shop, shops.nextSale(shop), kind, order, line, item, location, quantity, at);
    },

    quantities(shop: string, after: number, limit: number): Page<Quantity> {
      const names = namesOf(shop);
      const items = statements.itemsAfter.all(shop, after, limit);
      const rows = items.flatMap(({ id, sku }) =>
        statements.levels.all(id).map(({ location, available, on_hand: onHand, committed, updated_at: updatedAt }) => {
          return {
            inventoryItem: names.item(id),
            location: names.location(location),
            sku,
            available,
            onHand,
            committed,
            updatedAt,
          };
        }),
      );
      return { rows, next: nextPage(items, limit, (item) => item.id) };
    },

    writes(shop: string, after: number, limit: number): Page<AppliedWrite> {
      const names = namesOf(shop);
      const rows = statements.writes.all(shop, after, limit).map(({ item, place, ...write }): AppliedWrite => {
        return { ...write, inventoryItem: names.item(item), location: names.location(place) };
      });
      return { rows, next: nextPage(rows, limit, (write) => write.number) };
    },

    sales(shop: string, after: number, limit: number): Page<Sale> {
      const names = namesOf(shop);
      const rows = statements.sales.all(shop, after, limit).map(({ item, place, order_id: order, line_id: line, ...sale }): Sale => {
        const ids = { order: names.order(order), line: names.line(line), inventoryItem: names.item(item) };
        return { ...sale, ...ids, location: names.location(place) };
      });
      return { rows, next: nextPage(rows, limit, (sale) => sale.number) };
    },
  };
}

/** A page that is not full is the last one. */
export function nextPage<Row>(rows: Row[], limit: number, numberOf: (row: Row) => number): number | null {
  const last = rows.at(-1);
  return last === undefined || rows.length < limit ? null : numberOf(last);
}

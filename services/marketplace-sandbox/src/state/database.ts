import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';

/** A prepared statement whose rows have a known shape; the shape is the SQL's promise, not checked here. */
interface Statement<Row> {
  get(...parameters: SQLInputValue[]): Row | undefined;
  all(...parameters: SQLInputValue[]): Row[];
  run(...parameters: SQLInputValue[]): { changes: number; id: number };
}

export interface Database {
  prepare<Row = never>(sql: string): Statement<Row>;
  /** All or nothing. Everything here is synchronous, so no two transactions ever interleave. */
  transaction: <Result>(work: () => Result) => Result;
  [Symbol.dispose](): void;
}

const layoutVersion = 3;

const layout = `
  CREATE TABLE shops (
    id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, marketplace TEXT NOT NULL, plan TEXT NOT NULL, settings TEXT NOT NULL,
    orders INTEGER NOT NULL DEFAULT 1000, last_order_at INTEGER NOT NULL DEFAULT 0,
    writes INTEGER NOT NULL DEFAULT 0, sales INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE TABLE locations (id INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL, name TEXT NOT NULL) STRICT;
  CREATE TABLE items (
    id INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL, sku TEXT, status TEXT NOT NULL, tracked INTEGER NOT NULL) STRICT;
  CREATE INDEX items_by_shop ON items (shop, id);
  CREATE INDEX items_by_sku ON items (shop, sku COLLATE NOCASE, id);
  CREATE TABLE levels (
    item INTEGER NOT NULL, location INTEGER NOT NULL, available INTEGER NOT NULL, on_hand INTEGER NOT NULL,
    committed INTEGER NOT NULL, updated_at INTEGER NOT NULL, PRIMARY KEY (item, location)) STRICT, WITHOUT ROWID;
  CREATE TABLE orders (
    id INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL, cancelled_at INTEGER, financial_status TEXT NOT NULL) STRICT;
  CREATE INDEX orders_by_id ON orders (shop, id);
  CREATE INDEX orders_by_update ON orders (shop, updated_at, id);
  CREATE INDEX orders_by_creation ON orders (shop, created_at, id);
  CREATE TABLE lines (
    id INTEGER PRIMARY KEY AUTOINCREMENT, order_id INTEGER NOT NULL, item INTEGER NOT NULL, location INTEGER, sku TEXT,
    quantity INTEGER NOT NULL, current_quantity INTEGER NOT NULL, unfulfilled_quantity INTEGER NOT NULL,
    fulfilled INTEGER NOT NULL DEFAULT 0) STRICT;
  CREATE INDEX lines_by_order ON lines (order_id, id);
  CREATE TABLE writes (
    shop TEXT NOT NULL, number INTEGER NOT NULL, change_group INTEGER NOT NULL, idempotency_key TEXT NOT NULL, item INTEGER NOT NULL,
    location INTEGER NOT NULL, quantity_before INTEGER NOT NULL, quantity_after INTEGER NOT NULL, at INTEGER NOT NULL,
    sales_counter INTEGER NOT NULL, PRIMARY KEY (shop, number)) STRICT, WITHOUT ROWID;
  CREATE INDEX writes_by_group ON writes (change_group, number);
  CREATE TABLE change_groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL, reason TEXT NOT NULL, reference TEXT, created_at INTEGER NOT NULL) STRICT;
  CREATE TABLE sales (
    shop TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, order_id INTEGER NOT NULL, line INTEGER NOT NULL, item INTEGER NOT NULL,
    location INTEGER NOT NULL, quantity INTEGER NOT NULL, at INTEGER NOT NULL, PRIMARY KEY (shop, number)) STRICT, WITHOUT ROWID;
  CREATE TABLE idempotency_keys (
    shop TEXT NOT NULL, key TEXT NOT NULL, fingerprint TEXT NOT NULL, change_group INTEGER, at INTEGER NOT NULL,
    PRIMARY KEY (shop, key)) STRICT, WITHOUT ROWID;
  CREATE TABLE etsy_shops (shop TEXT PRIMARY KEY, settings TEXT NOT NULL) STRICT, WITHOUT ROWID;
  CREATE TABLE etsy_tokens (
    token TEXT PRIMARY KEY, shop TEXT NOT NULL, kind TEXT NOT NULL, expires_at INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;
  CREATE INDEX etsy_tokens_by_shop ON etsy_tokens (shop);
  CREATE TABLE etsy_listings (
    id INTEGER PRIMARY KEY AUTOINCREMENT, shop TEXT NOT NULL, title TEXT NOT NULL, state TEXT NOT NULL, varies TEXT NOT NULL,
    created_at INTEGER NOT NULL, updated_at INTEGER NOT NULL) STRICT;
  CREATE INDEX etsy_listings_by_shop ON etsy_listings (shop, state, id);
  CREATE TABLE etsy_products (
    id INTEGER PRIMARY KEY AUTOINCREMENT, listing INTEGER NOT NULL, item INTEGER NOT NULL, sku TEXT NOT NULL, properties TEXT NOT NULL,
    price INTEGER NOT NULL, enabled INTEGER NOT NULL, readiness INTEGER) STRICT;
  CREATE INDEX etsy_products_by_listing ON etsy_products (listing, id);
  CREATE INDEX etsy_products_by_item ON etsy_products (item, id);
  CREATE TABLE etsy_items (
    item INTEGER PRIMARY KEY, shop TEXT NOT NULL, listing INTEGER NOT NULL, name TEXT NOT NULL) STRICT;
  CREATE UNIQUE INDEX etsy_items_by_name ON etsy_items (shop, name);
  CREATE TABLE etsy_former_items (item INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;
  CREATE TABLE etsy_transactions (
    line INTEGER PRIMARY KEY, listing INTEGER NOT NULL, product INTEGER NOT NULL, variations TEXT NOT NULL, price INTEGER NOT NULL) STRICT;
`;

/**
 * Opens (or creates, with its folder) the state file; `:memory:` keeps nothing. WAL with synchronous NORMAL: a killed process loses nothing that was
 * committed, only a power cut could. Throws when the file was written by another version of the layout.
 */
export function openDatabase(path: string): Database {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const sqlite = new DatabaseSync(path);
  try {
    sqlite.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000');
    prepareLayout(sqlite, path);
  } catch (error) {
    sqlite.close();
    throw error;
  }
  return {
    prepare<Row>(sql: string): Statement<Row> {
      const statement = sqlite.prepare(sql);
      return {
        get: (...parameters) => statement.get(...parameters) as Row | undefined,
        all: (...parameters) => statement.all(...parameters) as Row[],
        run: (...parameters) => {
          const { changes, lastInsertRowid } = statement.run(...parameters);
          return { changes: Number(changes), id: Number(lastInsertRowid) };
        },
      };
    },
    transaction(work) {
      sqlite.exec('BEGIN IMMEDIATE');
      try {
        const result = work();
        sqlite.exec('COMMIT');
        return result;
      } catch (error) {
        if (sqlite.isTransaction) sqlite.exec('ROLLBACK');
        throw error;
      }
    },
    [Symbol.dispose]: () => sqlite.close(),
  };
}

function prepareLayout(sqlite: DatabaseSync, path: string): void {
  const { user_version: found } = sqlite.prepare('PRAGMA user_version').get() as { user_version: number };
  if (found === layoutVersion) return;
  if (found !== 0) {
    throw new Error(
      `${path} has layout ${found}, this sandbox writes layout ${layoutVersion}: delete the file, or give another STATE_PATH`,
    );
  }
  sqlite.exec(`BEGIN; ${layout} PRAGMA user_version = ${layoutVersion}; COMMIT`);
}

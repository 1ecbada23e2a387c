import type { LineQuantity, NewLine, NewOrder, Order, OrderEdit, Page, Placed, Sale } from '../control-client.ts';
import type { Database } from './database.ts';
import type { EtsyListings } from './etsy-listings.ts';
import { nextPage, type Inventory, type ItemRow, type LevelRow } from './inventory.ts';
import type { MarketRules } from './market-rules.ts';
import type { Names, NamesOf } from './names.ts';
import { Refusal } from './refusal.ts';
import type { Shops } from './shops.ts';

export interface OrderRow {
  id: number;
  name: string;
  created_at: number;
  updated_at: number;
  cancelled_at: number | null;
  financial_status: string;
}

export interface LineRow {
  id: number;
  item: number;
  location: number | null;
  sku: string | null;
  quantity: number;
  current_quantity: number;
  unfulfilled_quantity: number;
  fulfilled: number;
}

/** Where a page of orders begins, in the order of (value, id). */
interface OrderPosition {
  value: number;
  id: number;
}

export interface OrderRange {
  column: 'created_at' | 'updated_at' | 'id';
  /** Inclusive bounds of `updated_at` and `created_at`, in milliseconds. */
  updated: { from: number; to: number };
  created: { from: number; to: number };
  /** Only those that are (not) open; both where null. */
  open: boolean | null;
  after: OrderPosition;
  limit: number;
}

interface Bought {
  item: ItemRow;
  level: LevelRow | undefined;
  quantity: number;
}

export type Orders = ReturnType<typeof createOrders>;

const shopifyRules: MarketRules = {
  buyable: (_item, level) => level.available,
  taken: (_level, quantity) => quantity,
  sold: () => {},
  restocksCancelled: true,
  wholeOrders: false,
};

export function createOrders(database: Database, shops: Shops, inventory: Inventory, namesOf: NamesOf, etsy: EtsyListings) {
  const rulesOf = (shop: string): MarketRules => (shops.get(shop).marketplace === 'etsy' ? etsy.rules : shopifyRules);
  const columns = 'id, name, created_at, updated_at, cancelled_at, financial_status';
  const pageBy = (column: OrderRange['column']) =>
    database.prepare<OrderRow>(
      `SELECT ${columns} FROM orders WHERE shop = ? AND updated_at BETWEEN ? AND ? AND created_at BETWEEN ? AND ?
       AND (? IS NULL OR (cancelled_at IS NULL) = ?) AND (${column}, id) > (?, ?) ORDER BY ${column}, id LIMIT ?`,
    );
  const statements = {
    insert: database.prepare('INSERT INTO orders (shop, name, created_at, updated_at, financial_status) VALUES (?, ?, ?, ?, ?)'),
    insertLine: database.prepare(
      'INSERT INTO lines (order_id, item, location, sku, quantity, current_quantity, unfulfilled_quantity) VALUES (?, ?, ?, ?, ?, ?, ?)',
    ),
    order: database.prepare<OrderRow>(`SELECT ${columns} FROM orders WHERE shop = ? AND id = ?`),
    lines: database.prepare<LineRow>('SELECT * FROM lines WHERE order_id = ? AND id > ? ORDER BY id LIMIT ?'),
    update: database.prepare('UPDATE orders SET updated_at = ?, cancelled_at = ?, financial_status = ? WHERE id = ?'),
    updateLine: database.prepare(
      'UPDATE lines SET quantity = ?, current_quantity = ?, unfulfilled_quantity = ?, fulfilled = ? WHERE id = ?',
    ),
    pages: { created_at: pageBy('created_at'), updated_at: pageBy('updated_at'), id: pageBy('id') },
  };

  const find = (shop: string, id: number): OrderRow => {
    const order = statements.order.get(shop, id);
    if (order === undefined) throw new Refusal(404, `the shop ${shop} has no order ${namesOf(shop).order(id)}`);
    return order;
  };
  const linesOf = (order: number, after = 0, limit = -1): LineRow[] => statements.lines.all(order, after, limit);
  const describe = (shop: string, order: OrderRow): Order => describeOrder(order, linesOf(order.id), namesOf(shop));

  const itemOf = (shop: string, line: NewLine): ItemRow => {
    const id = line.inventoryItem === undefined ? undefined : namesOf(shop).itemOf(line.inventoryItem);
    const item = line.sku !== undefined ? inventory.itemBySku(shop, line.sku) : id === undefined ? undefined : inventory.item(shop, id);
    if (item === undefined) throw new Refusal(422, `the shop ${shop} has no product ${line.inventoryItem ?? `with SKU ${line.sku}`}`);
    return item;
  };
  const levelOf = (item: ItemRow) => (item.tracked === 1 ? inventory.fullestLevel(item.id) : undefined);

  const sell = (shop: string, order: number, kind: Sale['kind'], { item, level, quantity }: Bought, at: number): void => {
    const line = statements.insertLine.run(order, item.id, level?.location ?? null, item.sku, quantity, quantity, quantity).id;
    if (level === undefined) return;
    const rules = rulesOf(shop);
    const taken = rules.taken(inventory.level(item.id, level.location) ?? level, quantity);
    inventory.changeLevel(item.id, level.location, { available: -taken, onHand: 0, committed: taken }, at);
    inventory.recordSale(shop, { kind, order, line, item: item.id, location: level.location, quantity: taken, at });
    rules.sold(item, line, at);
  };
  /** Units leave an order before they were fulfilled: back to what can be sold, or (no restock) out of the shop's books. */
  const release = (shop: string, order: number, kind: Sale['kind'], line: LineRow, units: number, restock: boolean, at: number): void => {
    const { item, location } = line;
    if (location === null || units === 0) return;
    const back = { available: restock ? units : 0, onHand: restock ? 0 : -units, committed: -units };
    if (!inventory.changeLevel(item, location, back, at)) return; // deleted meanwhile: there is nothing to give it back to
    if (restock) inventory.recordSale(shop, { kind, order, line: line.id, item, location, quantity: -units, at });
  };
  const saveLine = (line: LineRow): void => {
    statements.updateLine.run(line.quantity, line.current_quantity, line.unfulfilled_quantity, line.fulfilled, line.id);
  };

  const wholeOnly = (shop: string, lines: LineQuantity[] | undefined): void => {
    if (lines && rulesOf(shop).wholeOrders)
      throw new Refusal(422, `${shop} is a shop that cancels, ships and refunds whole orders alone: leave out the lines`);
  };

  /** Runs one change of an order in a transaction, stamps a new update time, and answers the order as it is then. */
  const change = (shop: string, id: number, work: (order: OrderRow, lines: LineRow[], at: number) => Partial<OrderRow>): Order =>
    database.transaction(() => {
      const order = find(shop, id);
      if (order.cancelled_at !== null) throw new Refusal(409, `the order ${order.name} is cancelled: nothing about it changes any more`);
      const { at } = shops.nextOrderAt(shop, shops.now(shop), 0);
      const changed = { ...order, ...work(order, linesOf(id), at), updated_at: at };
      statements.update.run(at, changed.cancelled_at, changed.financial_status, id);
      return describe(shop, changed);
    });

  const place = (shop: string, { lines, name, force = false, financialStatus = 'PAID' }: NewOrder): Placed => {
    const { acceptEverySale, refuseWithoutStock } = shops.get(shop).settings;
    const bought = lines.map((line): Bought => {
      const item = itemOf(shop, line);
      return { item, level: levelOf(item), quantity: line.quantity };
    });
    if (!force && !acceptEverySale) {
      const rules = rulesOf(shop);
      const index = firstUnbuyable(bought, rules, refuseWithoutStock);
      const refused = bought[index];
      if (refused?.level !== undefined) {
        const { item, level } = refused;
        return {
          accepted: false,
          refusal: { line: index, inventoryItem: namesOf(shop).item(item.id), sku: item.sku, available: rules.buyable(item, level) },
        };
      }
    }
    const { at, number } = shops.nextOrderAt(shop, shops.now(shop), 1);
    const { id } = statements.insert.run(shop, name ?? `#${number}`, at, at, financialStatus);
    for (const each of bought) sell(shop, id, 'order', each, at);
    return { accepted: true, order: describe(shop, find(shop, id)) };
  };

  return {
    row: (shop: string, id: number) => statements.order.get(shop, id),
    lines: linesOf,
    get: (shop: string, id: number): Order => (shops.get(shop), describe(shop, find(shop, id))),
    place: (shop: string, orders: NewOrder[]): Placed[] => (
      shops.get(shop),
      database.transaction(() => orders.map((order) => place(shop, order)))
    ),

    range(shop: string, { column, updated, created, open, after, limit }: OrderRange): OrderRow[] {
      // A later page need not walk again over what is before it.
      const from = { updated_at: updated.from, created_at: created.from, id: 0 };
      from[column] = Math.max(from[column], after.value);
      const isOpen = open === null ? null : Number(open);
      const { value, id } = after;
      return statements.pages[column].all(shop, from.updated_at, updated.to, from.created_at, created.to, isOpen, isOpen, value, id, limit);
    },

    page(shop: string, after: number, limit: number): Page<Order> {
      shops.get(shop);
      const always = { from: 0, to: Number.MAX_SAFE_INTEGER };
      const orders = statements.pages.id.all(shop, always.from, always.to, always.from, always.to, null, null, after, after, limit);
      return { rows: orders.map((order) => describe(shop, order)), next: nextPage(orders, limit, (order) => order.id) };
    },

    edit: (shop: string, id: number, { lines = [], add = [] }: OrderEdit): Order =>
      change(shop, id, (_, held, at) => {
        if (rulesOf(shop).wholeOrders) throw new Refusal(422, `${shop} is a shop whose orders cannot be edited: cancel the whole order`);
        for (const [line, wanted] of pick(held, lines, namesOf(shop))) {
          const by = wanted - line.current_quantity;
          if (line.unfulfilled_quantity + by < 0)
            throw new Refusal(409, `${namesOf(shop).line(line.id)}: more is fulfilled than would be left`);
          if (by < 0) release(shop, id, 'edit', line, -by, true, at);
          if (by > 0 && line.location !== null) {
            inventory.changeLevel(line.item, line.location, { available: -by, onHand: 0, committed: by }, at);
            inventory.recordSale(shop, {
              kind: 'edit',
              order: id,
              line: line.id,
              item: line.item,
              location: line.location,
              quantity: by,
              at,
            });
          }
          const quantity = line.quantity + Math.max(0, by);
          saveLine({ ...line, quantity, current_quantity: wanted, unfulfilled_quantity: line.unfulfilled_quantity + by });
        }
        for (const line of add) {
          const item = itemOf(shop, line);
          sell(shop, id, 'edit', { item, level: levelOf(item), quantity: line.quantity }, at);
        }
        return {};
      }),

    cancel: (shop: string, id: number, { lines, restock }: { lines?: LineQuantity[] | undefined; restock?: boolean | undefined }): Order =>
      change(shop, id, (order, held, at) => {
        wholeOnly(shop, lines);
        const restocked = restock ?? rulesOf(shop).restocksCancelled;
        const taken = lines ? pick(held, lines, namesOf(shop)) : held.map((line): [LineRow, number] => [line, line.unfulfilled_quantity]);
        for (const [line, units] of taken) {
          atMost(namesOf(shop).line(line.id), units, line.unfulfilled_quantity, 'not fulfilled');
          release(shop, id, 'cancel', line, units, restocked, at);
          const current = line.current_quantity - units;
          saveLine({ ...line, current_quantity: current, unfulfilled_quantity: line.unfulfilled_quantity - units });
        }
        if (lines) return order.financial_status === 'PAID' ? { financial_status: 'PARTIALLY_REFUNDED' } : {};
        return { cancelled_at: at, financial_status: order.financial_status === 'PAID' ? 'REFUNDED' : 'VOIDED' };
      }),

    fulfil: (shop: string, id: number, lines: LineQuantity[] | undefined): Order =>
      change(shop, id, (_, held, at) => {
        wholeOnly(shop, lines);
        const taken = lines ? pick(held, lines, namesOf(shop)) : held.map((line): [LineRow, number] => [line, line.unfulfilled_quantity]);
        for (const [line, units] of taken) {
          atMost(namesOf(shop).line(line.id), units, line.unfulfilled_quantity, 'left to fulfil');
          if (line.location !== null)
            inventory.changeLevel(line.item, line.location, { available: 0, onHand: -units, committed: -units }, at);
          saveLine({ ...line, unfulfilled_quantity: line.unfulfilled_quantity - units, fulfilled: line.fulfilled + units });
        }
        return {};
      }),

    refund: (shop: string, id: number, lines: LineQuantity[] | undefined): Order =>
      change(shop, id, (_, held, at) => {
        wholeOnly(shop, lines);
        const left = held.reduce((sum, line) => sum + line.current_quantity, 0);
        if (lines === undefined) return { financial_status: 'REFUNDED' };
        const taken = pick(held, lines, namesOf(shop));
        for (const [line, units] of taken) {
          atMost(namesOf(shop).line(line.id), units, line.current_quantity, 'left in the order');
          const unfulfilled = Math.min(units, line.unfulfilled_quantity);
          release(shop, id, 'cancel', line, unfulfilled, false, at);
          saveLine({
            ...line,
            current_quantity: line.current_quantity - units,
            unfulfilled_quantity: line.unfulfilled_quantity - unfulfilled,
          });
        }
        const gone = taken.reduce((sum, [, units]) => sum + units, 0);
        return { financial_status: gone === left ? 'REFUNDED' : 'PARTIALLY_REFUNDED' };
      }),
  };
}

/** The first line that a shopper could not buy, all lines of one listing taken together; -1 where everything can be bought. */
function firstUnbuyable(bought: Bought[], rules: MarketRules, refuseWithoutStock: boolean): number {
  const wanted = new Map<number, number>();
  return bought.findIndex(({ item, level, quantity }) => {
    if (level === undefined) return false;
    const sum = (wanted.get(item.id) ?? 0) + quantity;
    wanted.set(item.id, sum);
    const buyable = rules.buyable(item, level);
    return refuseWithoutStock ? buyable < sum : buyable <= 0;
  });
}

function pick(held: LineRow[], wanted: LineQuantity[], names: Names): [LineRow, number][] {
  const named = new Set(wanted.map(({ line }) => line));
  if (named.size !== wanted.length) throw new Refusal(422, 'a line is named twice');
  return wanted.map(({ line: id, quantity }) => {
    const line = held.find((each) => names.line(each.id) === id);
    if (line === undefined) throw new Refusal(422, `the order has no line ${id}`);
    return [line, quantity];
  });
}

function atMost(line: string, units: number, most: number, what: string): void {
  if (units > most) throw new Refusal(409, `${line}: ${units} asked, only ${most} ${what}`);
}

export function fulfillmentStatus(lines: Pick<LineRow, 'fulfilled' | 'unfulfilled_quantity'>[]): string {
  if (lines.every((line) => line.fulfilled === 0)) return 'UNFULFILLED';
  return lines.every((line) => line.unfulfilled_quantity === 0) ? 'FULFILLED' : 'PARTIALLY_FULFILLED';
}

function describeOrder(order: OrderRow, lines: LineRow[], names: Names): Order {
  return {
    id: names.order(order.id),
    name: order.name,
    createdAt: order.created_at,
    updatedAt: order.updated_at,
    cancelledAt: order.cancelled_at,
    displayFinancialStatus: order.financial_status,
    displayFulfillmentStatus: fulfillmentStatus(lines),
    lines: lines.map((line) => ({
      id: names.line(line.id),
      inventoryItem: names.item(line.item),
      sku: line.sku,
      quantity: line.quantity,
      currentQuantity: line.current_quantity,
      unfulfilledQuantity: line.unfulfilled_quantity,
    })),
  };
}

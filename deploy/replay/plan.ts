import { createHash } from 'node:crypto';
import { isReturn, type SaleRow } from './sales.ts';

export interface OrderStep {
  readonly kind: 'order';
  readonly invoice: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}
/** Units of an earlier order that the customer does not want any more: its marketplace takes them off it. */
export interface CancelStep {
  readonly kind: 'cancel';
  readonly invoice: string;
  readonly order: OrderStep;
  /** Which of its lines. */
  readonly line: number;
  readonly sku: string;
  readonly quantity: number;
  /** Whether nothing of the order is left. */
  readonly isLast: boolean;
}
/** A Stock Update by a difference. */
export interface UpdateStep {
  readonly kind: 'update';
  readonly invoice: string;
  readonly sku: string;
  readonly change: number;
  readonly reason: 'return' | 'adjustment';
}
export type Step = OrderStep | CancelStep | UpdateStep;

/** A SKU by the file alone. */
export interface Level {
  /** The least with which it never goes below zero in file order. */
  readonly opening: number;
  /** Available after the last row. */
  readonly closing: number;
}

export interface Plan {
  readonly steps: readonly Step[];
  readonly levels: ReadonlyMap<string, Level>;
  readonly lines: number;
  /** Invoices of all kinds. */
  readonly invoices: number;
  readonly orders: number;
  readonly orderLines: number;
  readonly cancellations: number;
  /** Ledger rows that playing makes: an order's lines of one SKU are one, a cancellation or a Stock Update is one. */
  readonly movements: number;
}

/**
 * What is played and what must come of it, from the rows alone. Consecutive rows of one invoice are one order. `canEdit`: whether units can be taken
 * off what was bought with an invoice; else it goes as a whole, or stays.
 */
export function planOf(rows: readonly SaleRow[], canEdit: (invoice: string) => boolean = () => true): Plan {
  const invoices = consecutive(rows);
  const steps = stepsOf(invoices, canEdit);
  const orders = steps.filter((step) => step.kind === 'order');
  return {
    steps,
    levels: levelsOf(rows),
    lines: rows.length,
    invoices: invoices.length,
    orders: orders.length,
    orderLines: orders.reduce((sum, { lines }) => sum + lines.length, 0),
    cancellations: steps.filter((step) => step.kind === 'cancel').length,
    movements: steps.reduce((sum, step) => sum + (step.kind === 'order' ? new Set(step.lines.map(({ sku }) => sku)).size : 1), 0),
  };
}

function consecutive(rows: readonly SaleRow[]): SaleRow[][] {
  const invoices: SaleRow[][] = [];
  for (const row of rows) {
    const last = invoices.at(-1);
    if (last?.[0]?.invoice === row.invoice) last.push(row);
    else invoices.push([row]);
  }
  return invoices;
}

/** What is sold is one order. What comes back is taken off the order that it was bought with; where there is none, and for every other row, it is a Stock Update. */
function stepsOf(invoices: readonly (readonly SaleRow[])[], canEdit: (invoice: string) => boolean): Step[] {
  const sold = createSold(canEdit);
  return invoices.flatMap((rows) => {
    const [{ invoice, customer } = { invoice: '', customer: '' }] = rows;
    const lines = rows.filter(({ quantity }) => quantity > 0).map(({ sku, quantity }) => ({ sku, quantity }));
    const order: OrderStep[] = lines.length > 0 ? [{ kind: 'order', invoice, lines }] : [];
    for (const step of order) sold.add(customer, step);
    const others = rows
      .filter(({ quantity }) => quantity < 0)
      .map((row): CancelStep | UpdateStep => {
        const { sku, quantity } = row;
        if (!isReturn(invoice)) return { kind: 'update', invoice, sku, change: quantity, reason: 'adjustment' };
        return sold.takeBack(row) ?? { kind: 'update', invoice, sku, change: -quantity, reason: 'return' };
      });
    return [...order, ...others];
  });
}

interface Sale {
  readonly order: OrderStep;
  readonly line: number;
  left: number;
}

/** What each customer has bought so far, and has not given back. */
function createSold(canEdit: (invoice: string) => boolean) {
  const byCustomer = new Map<string, Sale[]>();
  const leftOf = new Map<OrderStep, number>();
  const keyOf = (customer: string, sku: string) => JSON.stringify([customer, sku]);
  return {
    add(customer: string, order: OrderStep): void {
      for (const [line, { sku, quantity }] of order.lines.entries()) {
        const key = keyOf(customer, sku);
        byCustomer.set(key, [...(byCustomer.get(key) ?? []), { order, line, left: quantity }]);
        leftOf.set(order, (leftOf.get(order) ?? 0) + quantity);
      }
    },
    /** From the newest sale of that customer and SKU that has enough left; undefined where there is none. */
    takeBack({ invoice, customer, sku, quantity: negative }: SaleRow): CancelStep | undefined {
      if (customer === '') return undefined;
      const quantity = -negative;
      const fits = ({ order, left }: Sale) => left >= quantity && (canEdit(order.invoice) || leftOf.get(order) === quantity);
      const sale = byCustomer.get(keyOf(customer, sku))?.findLast(fits);
      if (!sale) return undefined;
      const { order, line } = sale;
      sale.left -= quantity;
      const left = (leftOf.get(order) ?? 0) - quantity;
      leftOf.set(order, left);
      return { kind: 'cancel', invoice, order, line, sku, quantity, isLast: left === 0 };
    },
  };
}

function levelsOf(rows: readonly SaleRow[]): Map<string, Level> {
  const sums = new Map<string, { lowest: number; sum: number }>();
  for (const { invoice, sku, quantity } of rows) {
    const { lowest, sum } = sums.get(sku) ?? { lowest: 0, sum: 0 };
    const next = sum + (isReturn(invoice) || quantity > 0 ? 0 - quantity : quantity);
    sums.set(sku, { lowest: Math.min(lowest, next), sum: next });
  }
  return new Map([...sums].map(([sku, { lowest, sum }]) => [sku, { opening: 0 - lowest, closing: sum - lowest }]));
}

/** The store that an invoice was bought at: always the same one, whatever is played before it. */
export function storeOf<Store>(invoice: string, stores: readonly Store[]): Store {
  const index = createHash('sha256').update(invoice).digest().readUInt32BE(0) % stores.length;
  return stores[index] as Store;
}

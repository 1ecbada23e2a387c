import { createHash } from 'node:crypto';
import { isReturn, type SaleRow } from './sales.ts';

export interface OrderStep {
  readonly kind: 'order';
  readonly invoice: string;
  readonly lines: readonly { readonly sku: string; readonly quantity: number }[];
}
/** A Stock Update by a difference. */
export interface UpdateStep {
  readonly kind: 'update';
  readonly invoice: string;
  readonly sku: string;
  readonly change: number;
  readonly reason: 'return' | 'adjustment';
}
export type Step = OrderStep | UpdateStep;

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
  /** Ledger rows that playing makes: an order's lines of one SKU are one, a Stock Update is one. */
  readonly movements: number;
}

/** What is played and what must come of it, from the rows alone. Consecutive rows of one invoice are one order. */
export function planOf(rows: readonly SaleRow[]): Plan {
  const invoices = consecutive(rows);
  const steps = invoices.flatMap(stepsOf);
  const orders = steps.filter((step) => step.kind === 'order');
  return {
    steps,
    levels: levelsOf(rows),
    lines: rows.length,
    invoices: invoices.length,
    orders: orders.length,
    orderLines: orders.reduce((sum, { lines }) => sum + lines.length, 0),
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

/** What is sold is one order; every other row a Stock Update of its own. */
function stepsOf(rows: readonly SaleRow[]): Step[] {
  const [{ invoice } = { invoice: '' }] = rows;
  const lines = rows.filter(({ quantity }) => quantity > 0).map(({ sku, quantity }) => ({ sku, quantity }));
  const updates = rows
    .filter(({ quantity }) => quantity < 0)
    .map(({ sku, quantity }): UpdateStep =>
      isReturn(invoice)
        ? { kind: 'update', invoice, sku, change: -quantity, reason: 'return' }
        : { kind: 'update', invoice, sku, change: quantity, reason: 'adjustment' },
    );
  return lines.length > 0 ? [{ kind: 'order', invoice, lines }, ...updates] : updates;
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

import type { NewOrder, SandboxControl } from '@evenkeel/marketplace-sandbox/control';
import { setTimeout as delay } from 'node:timers/promises';
import type { Seller } from '../local/seller.ts';
import { waitFor } from '../local/wait.ts';
import { storeOf, type CancelStep, type OrderStep, type Step, type UpdateStep } from './plan.ts';

export type Rate = number | 'max';

export interface Playing {
  readonly steps: readonly Step[];
  /** Orders a second. */
  readonly rate: Rate;
  /** Ids of the stores, which are their shops' names too. */
  readonly stores: readonly string[];
  readonly sandbox: Pick<SandboxControl, 'placeOrders' | 'editOrder' | 'cancelOrder'>;
  readonly seller: Pick<Seller, 'updateOnHand'>;
  /** How many movements of a SKU an order has made so far. */
  readonly moved: (store: string, order: string, sku: string) => number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (orders: number, lines: number) => void;
}

/** When the marketplace answered that it has sold each order: its own clock runs ahead when many are placed at once. By store, then order. */
export type Answered = ReadonlyMap<string, ReadonlyMap<string, number>>;

const ordersAtOnce = 50;
const changesAtOnce = 16;
const stallSeconds = 90;

/**
 * Plays the steps in their order. Stock Updates and cancellations begin in their place, and may end later; all have ended when this resolves. What is
 * cancelled must be in the books first, so that it is a movement of its own.
 */
export async function play({ steps, rate, stores, sandbox, seller, moved, signal, onProgress }: Playing): Promise<Answered> {
  const answered = new Map(stores.map((store) => [store, new Map<string, number>()]));
  const bought = new Map<OrderStep, Bought>();
  const changes = createChanges();
  const beganAt = performance.now();
  let played = 0;
  for (const batch of batchesOf(steps, rate === 'max' ? ordersAtOnce : 1)) {
    signal?.throwIfAborted();
    changes.check();
    const [first] = batch;
    if (first && first.kind !== 'order') {
      if (first.kind === 'update') await changes.begin(`SKU ${first.sku}`, (number) => update(first, number));
      else await changes.begin(`order ${boughtWith(first).id}`, () => cancel(first));
      onProgress(0, 1);
      continue;
    }
    const orders = batch.filter((step) => step.kind === 'order');
    if (rate !== 'max') await delay(Math.max(0, beganAt + (played / rate) * 1000 - performance.now()), undefined, signal ? { signal } : {});
    await Promise.all([...Map.groupBy(orders, ({ invoice }) => storeOf(invoice, stores))].map(sell));
    played += orders.length;
    onProgress(
      orders.length,
      orders.reduce((sum, { lines }) => sum + lines.length, 0),
    );
  }
  await changes.end();
  return answered;

  async function sell([store, orders]: [string, OrderStep[]]): Promise<void> {
    const placed = await sandbox.placeOrders(store, orders.map(orderOf));
    const at = Date.now();
    for (const [place, each] of placed.entries()) {
      const step = orders[place];
      if (!each.accepted) throw new Error(`The shop ${store} refused a sale of ${each.refusal.sku}, though it accepts every one.`);
      answered.get(store)?.set(each.order.id, at);
      if (step) bought.set(step, { store, id: each.order.id, lines: each.order.lines, cancelled: new Map() });
    }
  }

  async function update({ invoice, sku, change, reason }: UpdateStep, number: number): Promise<void> {
    await seller.updateOnHand(sku, (onHand) => onHand + change, reason, `${reason}-${invoice}-${number}`);
  }

  function boughtWith({ order }: CancelStep): Bought {
    const found = bought.get(order);
    if (!found) throw new Error(`The invoice ${order.invoice} was not bought before something of it is cancelled.`);
    return found;
  }

  async function cancel(step: CancelStep): Promise<void> {
    const { sku, quantity, line: index, isLast } = step;
    const { store, id, lines, cancelled } = boughtWith(step);
    const before = cancelled.get(sku) ?? 0;
    const isInTheBooks = async () => moved(store, id, sku) > before;
    await waitFor(`The order ${id} in the books`, isInTheBooks, { seconds: stallSeconds, signal, everyMilliseconds: 100 });
    cancelled.set(sku, before + 1);
    const line = lines[index];
    if (isLast) await sandbox.cancelOrder(store, id);
    else if (line) {
      line.currentQuantity -= quantity;
      await sandbox.editOrder(store, id, { lines: [{ line: line.id, quantity: line.currentQuantity }] });
    }
  }
}

/** An order as its shop knows it. */
interface Bought {
  readonly store: string;
  readonly id: string;
  readonly lines: readonly { readonly id: string; currentQuantity: number }[];
  /** How often something of a SKU was cancelled. */
  readonly cancelled: Map<string, number>;
}

const orderOf = ({ invoice, lines }: OrderStep): NewOrder => ({ name: invoice, lines: lines.map((line) => ({ ...line })) });

/** Orders that follow one another go together, up to so many; anything else stands alone. */
export function batchesOf(steps: readonly Step[], most: number): Step[][] {
  const batches: Step[][] = [];
  for (const step of steps) {
    const last = batches.at(-1);
    if (last && last.length < most && last[0]?.kind === 'order' && step.kind === 'order') last.push(step);
    else batches.push([step]);
  }
  return batches;
}

/** What follows orders: beside each other, but for those of one SKU or order, which go one after the other. */
function createChanges() {
  const last = new Map<string, Promise<void>>();
  const running = new Set<Promise<void>>();
  let count = 0;
  let failure: { error: unknown } | undefined;
  const check = () => {
    if (failure) throw failure.error;
  };
  return {
    check,
    async begin(of: string, make: (number: number) => Promise<void>): Promise<void> {
      const number = (count += 1);
      const done = Promise.resolve(last.get(of))
        .then(() => make(number))
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => running.delete(done));
      last.set(of, done);
      running.add(done);
      if (running.size >= changesAtOnce) await Promise.race(running);
    },
    async end(): Promise<void> {
      await Promise.all(running);
      check();
    },
  };
}

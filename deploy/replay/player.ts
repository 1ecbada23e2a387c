import type { NewOrder, SandboxControl } from '@evenkeel/marketplace-sandbox/control';
import { setTimeout as delay } from 'node:timers/promises';
import type { Seller } from '../local/seller.ts';
import { storeOf, type OrderStep, type Step, type UpdateStep } from './plan.ts';

export type Rate = number | 'max';

export interface Playing {
  readonly steps: readonly Step[];
  /** Orders a second. */
  readonly rate: Rate;
  /** Ids of the stores, which are their shops' names too. */
  readonly stores: readonly string[];
  readonly sandbox: Pick<SandboxControl, 'placeOrders'>;
  readonly seller: Pick<Seller, 'updateOnHand'>;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress: (orders: number, lines: number) => void;
}

/** When the marketplace answered that it has sold each order: its own clock runs ahead when many are placed at once. By store, then order. */
export type Answered = ReadonlyMap<string, ReadonlyMap<string, number>>;

const ordersAtOnce = 50;
const updatesAtOnce = 16;

/** Plays the steps in their order. Stock Updates begin in their place, and may end later; all have ended when this resolves. */
export async function play({ steps, rate, stores, sandbox, seller, signal, onProgress }: Playing): Promise<Answered> {
  const answered = new Map(stores.map((store) => [store, new Map<string, number>()]));
  const updates = createUpdates(seller);
  const beganAt = performance.now();
  let played = 0;
  for (const batch of batchesOf(steps, rate === 'max' ? ordersAtOnce : 1)) {
    signal?.throwIfAborted();
    updates.check();
    if (batch[0]?.kind === 'update') {
      await updates.begin(batch[0]);
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
  await updates.end();
  return answered;

  async function sell([store, orders]: [string, OrderStep[]]): Promise<void> {
    const placed = await sandbox.placeOrders(store, orders.map(orderOf));
    const at = Date.now();
    for (const each of placed) {
      if (!each.accepted) throw new Error(`The shop ${store} refused a sale of ${each.refusal.sku}, though it accepts every one.`);
      answered.get(store)?.set(each.order.id, at);
    }
  }
}

const orderOf = ({ invoice, lines }: OrderStep): NewOrder => ({ name: invoice, lines: lines.map((line) => ({ ...line })) });

/** Orders that follow one another go together, up to so many; a Stock Update stands alone. */
export function batchesOf(steps: readonly Step[], most: number): Step[][] {
  const batches: Step[][] = [];
  for (const step of steps) {
    const last = batches.at(-1);
    if (last && last.length < most && last[0]?.kind === 'order' && step.kind === 'order') last.push(step);
    else batches.push([step]);
  }
  return batches;
}

/** Stock Updates of different SKUs beside each other, those of one SKU one after the other. */
function createUpdates(seller: Playing['seller']) {
  const bySku = new Map<string, Promise<void>>();
  const running = new Set<Promise<void>>();
  let count = 0;
  let failure: { error: unknown } | undefined;
  const update = async (before: Promise<void> | undefined, { invoice, sku, change, reason }: UpdateStep, number: number) => {
    await before;
    await seller.updateOnHand(sku, (onHand) => onHand + change, reason, `${reason}-${invoice}-${number}`);
  };
  const check = () => {
    if (failure) throw failure.error;
  };
  return {
    check,
    async begin(step: UpdateStep): Promise<void> {
      const done = update(bySku.get(step.sku), step, (count += 1))
        .catch((error: unknown) => void (failure ??= { error }))
        .finally(() => running.delete(done));
      bySku.set(step.sku, done);
      running.add(done);
      if (running.size >= updatesAtOnce) await Promise.race(running);
    },
    async end(): Promise<void> {
      await Promise.all(running);
      check();
    },
  };
}

import type { SandboxControl } from '@evenkeel/marketplace-sandbox/control';
import { randomUUID } from 'node:crypto';
import type { Seller } from '../seller.ts';
import { chooseChore, chooseOrder, onHandAfter, type Chore } from './choices.ts';
import { allItems, itemsOf, list, look, shops, unlist, type Market, type Shop } from './market.ts';
import { oneOf, type Random } from './random.ts';

export interface Parcel {
  readonly shop: Shop;
  readonly order: string;
  readonly dueAt: number;
  readonly attempt: number;
}

export interface Demo {
  readonly market: Market;
  readonly sandbox: SandboxControl;
  readonly seller: Seller;
  readonly random: Random;
  /** Orders that wait for their label, oldest first. */
  readonly parcels: Parcel[];
}

const labelAfterMilliseconds = 5_000;
const labelAgainAfterMilliseconds = 3_000;
const labelAttempts = 20;
const labelsAtOnce = 8;

/** A shopper looks around in one of the shops, and buys. */
export async function shop({ market, sandbox, random, parcels }: Demo, turn: number): Promise<void> {
  const where = oneOf(random, shops) ?? shops[0];
  const lines = chooseOrder(turn, itemsOf(market, where), random);
  if (!lines) return;
  const [placed] = await sandbox.placeOrders(where, [{ lines: lines.map((line) => ({ ...line })) }]);
  // Somebody else may have been faster: then the shop has refused, and the shopper leaves.
  if (placed?.accepted) parcels.push({ shop: where, order: placed.order.id, dueAt: Date.now() + labelAfterMilliseconds, attempt: 1 });
}

/** The warehouse labels what has waited long enough; an order that the store's polling has not brought yet is tried again. */
export async function label({ seller, parcels }: Demo): Promise<void> {
  const now = Date.now();
  const due = parcels.filter(({ dueAt }) => dueAt <= now).slice(0, labelsAtOnce);
  for (const parcel of due) parcels.splice(parcels.indexOf(parcel), 1);
  const again = (parcel: Parcel, attempt: number) => parcels.push({ ...parcel, attempt, dueAt: now + labelAgainAfterMilliseconds });
  await Promise.all(
    due.map(async (parcel) => {
      const { shop: store, order, attempt } = parcel;
      try {
        const outcome = await seller.createLabel(store, order, `label-${attempt}`);
        if (outcome === 'unknown_order' && attempt < labelAttempts) again(parcel, attempt + 1);
      } catch (error) {
        again(parcel, attempt); // nobody knows what became of it: the same key finds out
        throw error;
      }
    }),
  );
}

/** The clerk does the next chore. */
export async function work(demo: Demo, turn: number): Promise<void> {
  const chore = chooseChore(turn, allItems(demo.market), demo.random);
  if (chore?.kind === 'sync') await sync(demo, chore.sku, chore.enabled);
  else if (chore?.kind === 'arrivals') await receive(demo, chore);
  else if (chore) await update(demo, chore, chore.sku, reasons[chore.kind]);
}

const reasons = { refill: 'restocked', deliver: 'delivered', correct: 'corrected', recount: null } as const;

async function update({ seller }: Demo, chore: Chore, sku: string, reason: string | null): Promise<void> {
  await seller.updateOnHand(sku, (onHand, { quantities }) => onHandAfter(chore, onHand, quantities.available), reason, randomUUID());
}

async function sync({ seller, market }: Demo, sku: string, enabled: boolean): Promise<void> {
  await seller.setSync(sku, enabled, randomUUID());
  const product = market.products.get(sku);
  if (product) product.synced = enabled;
}

async function receive(demo: Demo, chore: Extract<Chore, { kind: 'arrivals' }>): Promise<void> {
  const { market, sandbox, seller } = demo;
  const { count, list: fresh, pause, remove } = chore;
  if (count) {
    await update(demo, chore, count.sku, null);
    const product = market.products.get(count.sku);
    if (product) product.counted = true;
  }
  if (pause !== undefined) await sync(demo, pause, false);
  if (fresh.length + remove.length === 0) return;
  await list(market, sandbox, fresh);
  await unlist(market, sandbox, remove);
  for (const store of shops) await seller.readListings(store);
  for (const product of fresh) market.products.set(product.sku, { ...product, counted: false, synced: true });
  for (const sku of remove) market.products.delete(sku);
  await look(market, sandbox);
}

/** Orders of an earlier run whose labels may be missing: the last ones of each shop. */
export async function parcelsLeft(sandbox: SandboxControl): Promise<Parcel[]> {
  const found: Parcel[] = [];
  for (const where of shops) {
    const { rows } = await sandbox.orders(where, Math.max(0, (await lastOrder(sandbox, where)) - lastOrders));
    found.push(...rows.map(({ id }) => ({ shop: where, order: id, dueAt: Date.now(), attempt: 1 })));
  }
  return found;
}

const lastOrders = 200;

/** The number at which nothing newer follows, found by halving: the pages of orders go from old to new only. */
async function lastOrder(sandbox: SandboxControl, where: Shop): Promise<number> {
  const isBeyond = async (number: number) => (await sandbox.orders(where, number, 1)).rows.length === 0;
  let high = 1;
  while (!(await isBeyond(high))) high *= 2;
  let low = 0;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (await isBeyond(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}

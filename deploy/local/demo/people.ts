import type { SandboxControl } from '@evenkeel/marketplace-sandbox/control';
import { randomUUID } from 'node:crypto';
import type { OrderName, Seller } from '../seller.ts';
import { chooseChore, chooseOrder, onHandAfter, pickingOf, wayOf, type Chore, type Way } from './choices.ts';
import { allItems, itemsOf, list, look, shops, unlist, type Market, type Shop } from './market.ts';
import { oneOf, type Random } from './random.ts';

export interface Parcel {
  readonly shop: Shop;
  readonly order: string;
  readonly dueAt: number;
  readonly attempt: number;
  readonly way: Way;
}

export interface Demo {
  readonly market: Market;
  readonly sandbox: SandboxControl;
  readonly seller: Seller;
  readonly random: Random;
  /** Orders that the warehouse has to do, oldest first. */
  readonly parcels: Parcel[];
}

const dueAfterMilliseconds = 5_000;
const againAfterMilliseconds = 3_000;
const attemptsAtMost = 20;
const labelsAtOnce = 8;
const batchedAtOnce = 8;

/** A shopper looks around in one of the shops, and buys. */
export async function shop({ market, sandbox, random, parcels }: Demo, turn: number): Promise<void> {
  const where = oneOf(random, shops);
  const lines = where && chooseOrder(turn, itemsOf(market, where), random);
  if (!lines) return;
  const [placed] = await sandbox.placeOrders(where.name, [{ lines: lines.map((line) => ({ ...line })) }]);
  // Somebody else may have been faster: then the shop has refused, and the shopper leaves.
  if (!placed?.accepted) return;
  parcels.push({ shop: where, order: placed.order.id, dueAt: Date.now() + dueAfterMilliseconds, attempt: 1, way: wayOf(turn) });
}

/** Takes what has waited long enough, some at a time. */
function takeDue(parcels: Parcel[], isMeant: (way: Way) => boolean, most: number): Parcel[] {
  const now = Date.now();
  const due = parcels.filter(({ dueAt, way }) => dueAt <= now && isMeant(way)).slice(0, most);
  for (const parcel of due) parcels.splice(parcels.indexOf(parcel), 1);
  return due;
}

const later = (parcel: Parcel, change: Partial<Parcel>): Parcel => ({ ...parcel, dueAt: Date.now() + againAfterMilliseconds, ...change });

/** The warehouse labels what is due; an order that the store's polling has not brought yet is tried again. Some labels are voided, and made once more. */
export async function label(demo: Demo): Promise<void> {
  const { parcels } = demo;
  const isLabelled = (way: Way) => way !== 'batch';
  await Promise.all(
    takeDue(parcels, isLabelled, labelsAtOnce).map(async (parcel) => {
      try {
        await labelOne(demo, parcel);
      } catch (error) {
        parcels.push(later(parcel, {})); // nobody knows what became of it: the same key finds out
        throw error;
      }
    }),
  );
}

async function labelOne({ seller, parcels }: Demo, parcel: Parcel): Promise<void> {
  const { shop: store, order, attempt, way } = parcel;
  const made = await seller.createLabel(store.name, order, `label-${way}-${attempt}`);
  if (made === 'unknown_order' && attempt < attemptsAtMost) parcels.push(later(parcel, { attempt: attempt + 1 }));
  if (way !== 'void' || typeof made === 'string') return;
  await seller.voidLabel(store.name, order, made.label, 'void');
  parcels.push(later(parcel, { way: 'label' }));
}

/** The warehouse gathers orders, takes what they need off the shelves, and labels it then. */
export async function pick(demo: Demo, turn: number): Promise<void> {
  const { seller, parcels } = demo;
  const isBatched = (way: Way) => way === 'batch';
  const gathered = takeDue(parcels, isBatched, batchedAtOnce);
  if (gathered.length === 0) return;
  const nameOf = ({ shop: store, order }: Parcel): OrderName => ({ store: store.name, order });
  const { batch, orders } = await seller.makeBatch(gathered.map(nameOf), randomUUID());
  const outcomes = new Map(orders.map((outcome) => [JSON.stringify([outcome.store, outcome.order]), outcome]));
  const outcomeOf = ({ shop: store, order }: Parcel) => outcomes.get(JSON.stringify([store.name, order]));
  const unread = gathered.filter((parcel) => outcomeOf(parcel)?.reason === 'unknown_order' && parcel.attempt < attemptsAtMost);
  parcels.push(...unread.map((parcel) => later(parcel, { attempt: parcel.attempt + 1 })));
  const there = gathered.filter((parcel) => outcomeOf(parcel)?.status === 'done');
  // What cannot be batched, because it is cancelled or short of something, is labelled as far as it goes.
  const others = gathered.filter((parcel) => !unread.includes(parcel));
  const [first] = there;
  const picking = pickingOf(turn);
  if (first && picking === 'cancel') await seller.cancelBatch(batch, randomUUID());
  else if (first) {
    const missing = outcomeOf(first)?.units.slice(0, 1) ?? [];
    if (picking === 'short') {
      const lines = missing.map(({ line }) => ({ line, quantity: 1 }));
      await seller.reportMissing(batch, [{ ...nameOf(first), lines }], randomUUID());
    }
    if (picking === 'removal') await seller.takeOutOfBatch(batch, [nameOf(first)], randomUUID());
    await seller.pickBatch(batch, randomUUID());
    if (picking === 'regret') await demo.sandbox.cancelOrder(first.shop.name, first.order);
  }
  const regretted = picking === 'regret' ? first : undefined;
  parcels.push(...others.filter((parcel) => parcel !== regretted).map((parcel) => later(parcel, { way: 'label', attempt: 1 })));
}

/** What shoppers cancelled after the pick goes back onto the shelf. */
export async function putBack({ seller }: Demo): Promise<void> {
  for (const order of await seller.toPutBack()) await seller.putBack(order, randomUUID());
}

/** Picks what an earlier run has left in its batches. */
export async function finishBatches({ seller }: Pick<Demo, 'seller'>): Promise<void> {
  for (const batch of await seller.openBatches()) await seller.pickBatch(batch, randomUUID());
}

/** The clerk does the next chore. */
export async function work(demo: Demo, turn: number): Promise<void> {
  const chore = chooseChore(turn, allItems(demo.market), demo.random);
  if (chore?.kind === 'sync') await sync(demo, chore.sku, chore.enabled);
  else if (chore?.kind === 'arrivals') await receive(demo, chore);
  else if (chore?.kind === 'deliver' && chore.units > 0) await buy(demo, chore.sku, chore.units);
  else if (chore) await update(demo, chore, chore.sku, reasons[chore.kind]);
}

const reasons = { refill: 'restocked', deliver: 'delivered', correct: 'corrected', recount: null } as const;

async function update({ seller }: Demo, chore: Chore, sku: string, reason: string | null): Promise<void> {
  await seller.updateOnHand(sku, (onHand, { quantities }) => onHandAfter(chore, onHand, quantities.available), reason, randomUUID());
}

/** Units from the supplier: half of them come and are put away, the others come and wait a little. */
async function buy({ seller }: Demo, sku: string, units: number): Promise<void> {
  const purchaseOrder = await seller.orderFrom('Potter & Daughter', [{ sku, quantity: units }], randomUUID());
  const first = Math.ceil(units / 2);
  await seller.receive(purchaseOrder, [{ sku, quantity: first }], true, randomUUID());
  if (first === units) return;
  await seller.receive(purchaseOrder, [{ sku, quantity: units - first }], false, randomUUID());
  await seller.putAway(purchaseOrder, randomUUID());
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
  for (const { marketplace, name } of shops) await seller.readListings(marketplace, name);
  for (const product of fresh) market.products.set(product.sku, { ...product, counted: false, synced: true });
  for (const sku of remove) market.products.delete(sku);
  await look(market, sandbox);
}

/** Orders of an earlier run whose labels may be missing: the last ones of each shop. */
export async function parcelsLeft(sandbox: SandboxControl): Promise<Parcel[]> {
  const found: Parcel[] = [];
  for (const where of shops) {
    const { rows } = await sandbox.orders(where.name, Math.max(0, (await lastOrder(sandbox, where)) - lastOrders));
    found.push(...rows.map(({ id }) => ({ shop: where, order: id, dueAt: Date.now(), attempt: 1, way: 'label' as const })));
  }
  return found;
}

const lastOrders = 200;

/** The number at which nothing newer follows, found by halving: the pages of orders go from old to new only. */
async function lastOrder(sandbox: SandboxControl, where: Shop): Promise<number> {
  const isBeyond = async (number: number) => (await sandbox.orders(where.name, number, 1)).rows.length === 0;
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

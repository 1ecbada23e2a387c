import { counterAfter, decide, policyOf, type Watched } from '@evenkeel/sync-policy/domain';
import { arrivalShown, catalogue, policy, type Product } from '../catalogue.ts';
import { onHandAfter, type Chore, type Item, type OrderLine } from '../choices.ts';

interface Shelf {
  readonly product: Product;
  onHand: number;
  reserved: number;
  watched: Watched;
  /** By shop. */
  readonly shown: number[];
}

const shops = [0, 1, 2, 3];

/** Books, the real push decisions and two shops in memory, where everything takes effect at once. Keeps the reason of every decision. */
export function createMadeUpWorld() {
  const shelves = new Map<string, Shelf>();
  const reasons: string[] = [];
  const list = (product: Product, shown: number) =>
    shelves.set(product.sku, {
      product,
      onHand: 0,
      reserved: 0,
      watched: { syncEnabled: true, counted: false, epoch: 1, sequence: 0, counter: 0 },
      shown: shops.map(() => shown),
    });

  function move(shelf: Shelf, change: { onHand?: number; reserved?: number }, isCount = false): void {
    const before = shelf.onHand - shelf.reserved;
    shelf.onHand += change.onHand ?? 0;
    shelf.reserved += change.reserved ?? 0;
    const { watched } = shelf;
    const after = shelf.onHand - shelf.reserved;
    const movement = { before, after, epoch: 1, sequence: watched.sequence + 1, counted: watched.counted || isCount };
    const decision = decide(policyOf(policy), watched, movement);
    reasons.push(decision.reason);
    const { sequence, counted } = movement;
    shelf.watched = { ...watched, sequence, counted, counter: counterAfter(watched.counter, decision) };
    if (decision.decision === 'push') shelf.shown.fill(Math.max(0, after));
  }

  const shelfOf = (sku: string): Shelf => {
    const shelf = shelves.get(sku);
    if (!shelf) throw new Error(`Nobody has listed ${sku}.`);
    return shelf;
  };
  const itemOf = ({ product, watched, shown }: Shelf, shop: number | null): Item => ({
    ...product,
    counted: watched.counted,
    synced: watched.syncEnabled,
    shown: shop === null ? Math.min(...shown) : (shown[shop] ?? 0),
  });

  for (const product of catalogue()) {
    list(product, 0);
    move(shelfOf(product.sku), { onHand: product.usual }, true);
  }
  reasons.length = 0;

  return {
    reasons,
    /** As the shoppers of a shop see it, or (null) the clerk. */
    items: (shop: number | null): Item[] => [...shelves.values()].map((shelf) => itemOf(shelf, shop)),
    available: (sku: string) => shelfOf(sku).onHand - shelfOf(sku).reserved,
    sell(shop: number, lines: readonly OrderLine[]): void {
      for (const { sku, quantity } of lines) {
        const shelf = shelfOf(sku);
        if ((shelf.shown[shop] ?? 0) < quantity) throw new Error(`The shop does not have ${quantity} of ${sku}.`);
        shelf.shown[shop] = (shelf.shown[shop] ?? 0) - quantity;
        move(shelf, { reserved: quantity });
      }
    },
    do(chore: Chore): void {
      if (chore.kind === 'sync') {
        const shelf = shelfOf(chore.sku);
        shelf.watched = { ...shelf.watched, syncEnabled: chore.enabled };
        if (chore.enabled) shelf.shown.fill(Math.max(0, shelf.onHand - shelf.reserved));
        return;
      }
      if (chore.kind === 'arrivals') {
        for (const product of chore.list) list(product, arrivalShown);
        for (const sku of chore.remove) shelves.delete(sku);
        if (chore.pause !== undefined) {
          const paused = shelfOf(chore.pause);
          paused.watched = { ...paused.watched, syncEnabled: false };
        }
      }
      const sku = chore.kind === 'arrivals' ? chore.count?.sku : chore.sku;
      if (sku === undefined) return;
      const shelf = shelfOf(sku);
      const onHand = onHandAfter(chore, shelf.onHand, shelf.onHand - shelf.reserved);
      if (onHand !== null) move(shelf, { onHand: onHand - shelf.onHand }, chore.kind === 'arrivals' || chore.kind === 'recount');
    },
  };
}

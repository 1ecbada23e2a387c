import { arrival, arrivalNumber, arrivalsAtMost, arrivalsWaiting, policy, type Product } from './catalogue.ts';
import { between, oneOf, type Random } from './random.ts';

/** A product as the people of the demo see it. */
export interface Item extends Product {
  readonly counted: boolean;
  readonly synced: boolean;
  /** What the shop (for shoppers), or the shop that has least (for the clerk), shows. */
  readonly shown: number;
}

export interface OrderLine {
  readonly sku: string;
  readonly quantity: number;
}

/**
 * What shoppers come for, in turns, so that nothing is left to luck: in ten seconds there is every one of them.
 * few: one or two of a bestseller, which is throttled, and every tenth time pushed; more: of steady ones; bulk: a significant quantity;
 * last: all that is left; low: at or below X; paused: with sync off, when it is; unknown: of a product that nobody has counted.
 */
const wishes = [
  ...['few', 'more', 'few', 'low', 'few', 'more', 'last', 'few', 'more', 'few'],
  ...['few', 'low', 'more', 'few', 'unknown', 'few', 'more', 'low', 'few', 'bulk'],
  ...['few', 'more', 'paused', 'few', 'low', 'more', 'last', 'few', 'more', 'few'],
] as const;

/** What the next shopper buys; null where the shop has nothing for anybody. */
export function chooseOrder(turn: number, items: readonly Item[], random: Random): OrderLine[] | null {
  const onSale = items.filter(({ shown }) => shown > 0);
  const pick = (fits: (item: Item) => boolean) => oneOf(random, onSale.filter(fits));
  const buy = (item: Item | undefined, quantity: number) => item && [{ sku: item.sku, quantity: Math.min(quantity, item.shown) }];
  const { realTimeAtOrBelow: x, significantUnits: y } = policy;
  const steady = () => pick(({ role, counted, synced }) => role === 'steady' || (role === 'arrival' && counted && synced));

  function wished(): OrderLine[] | undefined {
    switch (wishes[turn % wishes.length]) {
      case 'few':
        return buy(
          pick(({ role }) => role === 'bestseller'),
          between(random, 1, 2),
        );
      case 'low':
        return buy(
          pick(({ role }) => role === 'low'),
          between(random, 1, 2),
        );
      case 'last': {
        const item = pick(({ role }) => role === 'scarce');
        return buy(item, item?.shown ?? 0);
      }
      case 'bulk':
        return buy(
          pick(({ role, shown }) => role === 'steady' && shown > x + 3 * y),
          between(random, y, 2 * y),
        );
      case 'paused':
        return buy(
          pick(({ role }) => role === 'paused'),
          1,
        );
      case 'unknown':
        return buy(
          pick(({ counted }) => !counted),
          1,
        );
      default:
        return undefined;
    }
  }
  return wished() ?? severalOf([steady(), steady()], random);
}

function severalOf(items: readonly (Item | undefined)[], random: Random): OrderLine[] | null {
  const different = new Map(items.flatMap((item) => (item ? [[item.sku, item] as const] : [])));
  const lines = [...different.values()].map(({ sku, shown }) => ({ sku, quantity: Math.min(shown, between(random, 1, 3)) }));
  return lines.length > 0 ? lines : null;
}

/** Something for the clerk to do. */
export type Chore =
  /** On Hand is set so that this much can be sold. */
  | { readonly kind: 'refill'; readonly sku: string; readonly available: number }
  /** On Hand changes by so many units. */
  | { readonly kind: 'deliver' | 'correct'; readonly sku: string; readonly units: number }
  /** On Hand is found to be what it was. */
  | { readonly kind: 'recount'; readonly sku: string }
  | { readonly kind: 'sync'; readonly sku: string; readonly enabled: boolean }
  /** An arrival is counted for the first time, a new one is listed, an old one goes: sync off first, from the shops the next time. */
  | {
      readonly kind: 'arrivals';
      readonly count: Product | undefined;
      readonly list: readonly Product[];
      readonly pause: string | undefined;
      readonly remove: readonly string[];
    };

const chores = ['refill', 'correct', 'deliver', 'recount', 'restock', 'refill', 'arrivals', 'sync', 'deliver', 'refill'] as const;

/** What the clerk does next, in turns; null where there is nothing of that kind to do. */
export function chooseChore(turn: number, items: readonly Item[], random: Random): Chore | null {
  const emptiest = (role: Product['role']) => items.filter((item) => item.role === role).toSorted((a, b) => a.shown - b.shown)[0];
  switch (chores[turn % chores.length]) {
    case 'refill': {
      const item = emptiest('scarce');
      return item ? { kind: 'refill', sku: item.sku, available: between(random, 1, 4) } : null;
    }
    case 'restock': {
      const item = emptiest('low');
      return item ? { kind: 'refill', sku: item.sku, available: item.usual } : null;
    }
    case 'recount': {
      const item = oneOf(
        random,
        items.filter(({ role }) => role === 'steady'),
      );
      return item ? { kind: 'recount', sku: item.sku } : null;
    }
    case 'correct': {
      const item = oneOf(
        random,
        items.filter(({ role, synced }) => role === 'paused' && !synced),
      );
      return item ? { kind: 'correct', sku: item.sku, units: item.shown < item.usual ? between(random, 1, 5) : -1 } : null;
    }
    case 'sync':
      return chooseSync(items, random);
    case 'arrivals':
      return chooseArrivals(items);
    default:
      return chooseDelivery(items, random);
  }
}

/** To the one that lacks most of what it usually has; where none lacks anything, as many go back. Either way a significant number. */
function chooseDelivery(items: readonly Item[], random: Random): Chore | null {
  const far = items.filter(({ role }) => role === 'bestseller' || role === 'steady');
  const [item] = far.toSorted((a, b) => a.shown / a.usual - b.shown / b.usual);
  if (!item) return null;
  const units = between(random, 2 * policy.significantUnits, 4 * policy.significantUnits);
  const missing = item.usual - item.shown;
  return { kind: 'deliver', sku: item.sku, units: missing > 0 ? Math.max(missing, units) : -units };
}

/** Two of them are off at any time: one is turned off, or the third one on again. */
function chooseSync(items: readonly Item[], random: Random): Chore | null {
  const paused = items.filter(({ role }) => role === 'paused');
  const off = paused.filter(({ synced }) => !synced);
  const enabled = off.length > 2;
  const item = oneOf(random, enabled ? off : paused.filter(({ synced }) => synced));
  return item ? { kind: 'sync', sku: item.sku, enabled } : null;
}

function chooseArrivals(items: readonly Item[]): Chore {
  const arrivals = items
    .filter(({ role }) => role === 'arrival')
    .toSorted((a, b) => (arrivalNumber(a.sku) ?? 0) - (arrivalNumber(b.sku) ?? 0));
  const waiting = arrivals.filter(({ counted }) => !counted);
  const leaving = arrivals.filter(({ counted, synced }) => counted && !synced);
  const staying = arrivals.filter(({ counted, synced }) => counted && synced);
  const newest = arrivalNumber(arrivals.at(-1)?.sku ?? '') ?? 0;
  const missing = arrivalsWaiting - (waiting.length - 1);
  return {
    kind: 'arrivals',
    count: waiting[0],
    list: Array.from({ length: Math.max(0, missing) }, (_, index) => arrival(newest + 1 + index)),
    pause: arrivals.length - leaving.length >= arrivalsAtMost ? staying[0]?.sku : undefined,
    remove: leaving.map(({ sku }) => sku),
  };
}

/** The On Hand that a chore leads to; null where it is to be left alone. */
export function onHandAfter(chore: Chore, onHand: number, available: number): number | null {
  switch (chore.kind) {
    case 'refill':
      return available < chore.available ? onHand + chore.available - available : null;
    case 'deliver':
    case 'correct':
      return Math.max(0, onHand + chore.units);
    case 'recount':
      return onHand;
    case 'arrivals':
      return chore.count?.usual ?? null;
    case 'sync':
      return null;
  }
}

/** What becomes of an order in the warehouse, in turns: a label at once, one that is voided and made again, or a pick batch first. */
export type Way = 'label' | 'void' | 'batch';

const ways: readonly Way[] = ['label', 'batch', 'label', 'batch', 'void', 'batch', 'label', 'batch'];
export const wayOf = (turn: number): Way => ways[turn % ways.length] ?? 'label';

/**
 * What becomes of a pick batch, in turns. short: one unit is not on the shelf; removal: an order is taken out before it is picked; regret: a shopper cancels
 * after the pick, and it is put back.
 */
export type Picking = 'pick' | 'short' | 'removal' | 'regret' | 'cancel';

const pickings: readonly Picking[] = ['pick', 'short', 'pick', 'removal', 'regret', 'cancel'];
export const pickingOf = (turn: number): Picking => pickings[turn % pickings.length] ?? 'pick';

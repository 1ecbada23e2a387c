import { between, createRandom, type Random } from './random.ts';

/** Where a product lives: sold all day, sold now and then far above X, around X, down to nothing, with sync off at times, or not yet counted. */
export type Role = 'bestseller' | 'steady' | 'low' | 'scarce' | 'paused' | 'arrival';

export interface Product {
  readonly sku: string;
  readonly role: Role;
  /** Units that it opens with, and is restocked to. */
  readonly usual: number;
}

/** X, Y and N of the demo seller. */
export const policy = { realTimeAtOrBelow: 20, significantUnits: 15, everyNth: 10 };

const kinds = ['MUG', 'BOWL', 'VASE', 'PLATE', 'TEAPOT', 'JUG', 'TRAY', 'CANDLE', 'LAMP', 'CLOCK'];
const colours = ['WHITE', 'SAGE', 'CLAY', 'INK', 'SAND', 'MOSS', 'RUST', 'SKY', 'ROSE', 'COAL'];
const sizes = ['S', 'L'];

const counts: readonly (readonly [Role, number])[] = [
  ['bestseller', 4],
  ['paused', 6],
  ['scarce', 16],
  ['low', 40],
  ['steady', 130],
];

const usual: Readonly<Record<Role, (random: Random) => number>> = {
  bestseller: (random) => between(random, 400, 800),
  steady: (random) => between(random, 80, 300),
  low: (random) => between(random, 10, 18),
  scarce: (random) => between(random, 1, 4),
  paused: (random) => between(random, 30, 80),
  arrival: (random) => between(random, 40, 60),
};

/** What the demo seller has always sold; the same at every start. */
export function catalogue(): Product[] {
  const random = createRandom(1);
  const skus = kinds.flatMap((kind) => colours.flatMap((colour) => sizes.map((size) => `${kind}-${colour}-${size}`)));
  const shuffled = skus
    .map((sku) => ({ sku, place: random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ sku }) => sku);
  const roles = counts.flatMap(([role, count]) => Array.from({ length: count }, () => role));
  return roles.map((role, index) => ({ sku: shuffled[index] ?? '', role, usual: usual[role](random) }));
}

/** A product that has just come and that nobody has counted yet; they are numbered from 1. */
export const arrival = (number: number): Product => ({
  sku: `NEW-${String(number).padStart(4, '0')}`,
  role: 'arrival',
  usual: usual.arrival(createRandom(number)),
});

/** The number of an arrival; undefined for other SKUs. */
export function arrivalNumber(sku: string): number | undefined {
  const digits = /^NEW-(\d+)$/.exec(sku)?.[1];
  return digits === undefined ? undefined : Number(digits);
}
/** What a shop shows of an arrival, as the seller has typed it in: nothing is pushed before it is counted. */
export const arrivalShown = 12;
/** So many are listed and not yet counted at any time, and so many in all. */
export const arrivalsWaiting = 4;
export const arrivalsAtMost = 24;

import type { Level } from './plan.ts';

/** X, Y and N. */
export interface Thresholds {
  readonly realTimeAtOrBelow: number;
  readonly significantUnits: number;
  readonly everyNth: number;
}

export interface Shown {
  readonly store: string;
  readonly sku: string | null;
  readonly available: number;
}

export interface Deviation {
  readonly store: string;
  readonly sku: string;
  /** By the file alone. */
  readonly expected: number;
  /** Null: the store has no listing of it. */
  readonly shown: number | null;
  /** Units by which it may differ. */
  readonly allowed: number;
}

/** By how much a listing may differ from a level: not at all at or below X, above it by what N − 1 changes that are not significant amount to. */
const allowedAt = (level: number, { realTimeAtOrBelow, significantUnits, everyNth }: Thresholds): number =>
  level <= realTimeAtOrBelow ? 0 : (everyNth - 1) * (significantUnits - 1);

/** A store, and the most that its marketplace lets a listing show. */
export interface JudgedStore {
  readonly name: string;
  readonly most: number;
}

/** Every listing, on every store, that does not show what it should. */
export function deviations(
  levels: ReadonlyMap<string, Level>,
  stores: readonly JudgedStore[],
  shown: readonly Shown[],
  thresholds: Thresholds,
): Deviation[] {
  const found = new Map(shown.map(({ store, sku, available }) => [JSON.stringify([store, sku]), available]));
  return stores.flatMap(({ name: store, most }) =>
    [...levels].flatMap(([sku, { closing }]): Deviation[] => {
      const quantity = found.get(JSON.stringify([store, sku])) ?? null;
      const expected = Math.min(most, closing);
      const allowed = allowedAt(closing, thresholds);
      const isRight = quantity !== null && Math.abs(quantity - expected) <= allowed;
      return isRight ? [] : [{ store, sku, expected, shown: quantity, allowed }];
    }),
  );
}

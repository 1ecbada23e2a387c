import type { ItemRow, LevelRow } from './inventory.ts';

/** What a marketplace does on its own where something is sold. */
export interface MarketRules {
  /** What a shopper can buy of it now. */
  buyable(item: ItemRow, level: LevelRow): number;
  /** Units that a sale of so many takes from what is shown. */
  taken(level: LevelRow, quantity: number): number;
  sold(item: ItemRow, line: number, at: number): void;
  /** Whether a cancelled unit goes back on sale by itself. */
  restocksCancelled: boolean;
  /** Orders are cancelled and shipped as a whole, and never edited. */
  wholeOrders: boolean;
}

import type { Event, MongoHandle } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import type { Level } from './pick-list.ts';

/** A product's level as stock tells it, for pick lists; the ledger's epoch comes before its sequence. */
export function levelOf({ data }: Event<'StockLevelChanged'>): Level {
  const { tenant, sku, epoch, sequence, title, defaultLocation, locations } = data;
  return {
    _id: keyOf(tenant, sku),
    version: epoch * 1_000_000_000_000 + sequence,
    tenant,
    sku,
    title,
    defaultLocation,
    locations: Object.entries(locations).map(([location, onHand]) => ({ location, onHand })),
  };
}

export interface LevelStore {
  /** By SKU, those that are known. */
  of(tenant: string, skus: readonly string[]): Promise<ReadonlyMap<string, Level>>;
}

export function openLevelStore({ connection }: MongoHandle): LevelStore {
  const levels = connection.getClient().db(connection.name).collection<Level>('levels');
  return {
    async of(tenant, skus) {
      const found = await levels.find({ _id: { $in: skus.map((sku) => keyOf(tenant, sku)) } }).toArray();
      return new Map(found.map((level) => [level.sku, level]));
    },
  };
}

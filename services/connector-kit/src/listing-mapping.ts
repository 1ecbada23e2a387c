import type { EventOf, Outgoing } from '@evenkeel/chassis';
import { keyOf, topics } from '@evenkeel/contracts';
import type { ListingChange, ListingDocument } from './documents.ts';

/** A SKU as it may be mapped: byte for byte as the marketplace has it; null where that is blank, or not text that a key can carry. */
export const mappableSku = (sku: string | null): string | null => (sku !== null && sku.trim() !== '' && sku.isWellFormed() ? sku : null);

/** The SKU that a listing is to be mapped to: a person's word goes before what it carries, and one that is gone is mapped to none. */
export function skuFor({ chosen, marketplaceSku, gone }: Pick<ListingDocument, 'chosen' | 'marketplaceSku' | 'gone'>): string | null {
  if (gone) return null;
  return chosen ? chosen.sku : mappableSku(marketplaceSku ?? null);
}

export interface Mapping {
  readonly sku: string | null;
  readonly mapping: number;
}

/** A mapping after changes, each with a revision of its own. */
export interface Remapped extends Mapping {
  readonly changes: readonly ListingChange[];
}

/**
 * What changes when a listing that is mapped as `known` is found with `sku`; null where nothing does.
 * Every change takes a mapping revision of its own: a remap unmaps at the next and maps at the one after, so that the withdrawal of the
 * old SKU's quantity can never outrank the new SKU's.
 */
export function remap(known: Mapping | null, sku: string | null, at: number): Remapped | null {
  const before = known ?? { sku: null, mapping: 0 };
  if (before.sku === sku) return known ? null : { ...before, changes: [] };
  const changes: ListingChange[] = [];
  let { mapping } = before;
  if (before.sku !== null) changes.push({ type: 'ListingUnmapped', sku: before.sku, mapping: (mapping += 1), at });
  if (sku !== null) changes.push({ type: 'ListingMapped', sku, mapping: (mapping += 1), at });
  return { sku, mapping, changes };
}

/** The record of one mapping change; the same at every publish. */
export function listingChanged(
  { marketplace, tenant, store, listing }: { marketplace: string; tenant: string; store: string; listing: string },
  { type, sku, mapping, at }: ListingChange,
): Outgoing {
  const id = `${marketplace}/${keyOf(tenant, store, listing)}/${mapping}`;
  const event = { id, type, time: at, correlation: id, data: { tenant, sku, store, marketplace, listing, mapping, at } };
  return { topic: topics.listingChanges, key: [tenant, sku], event: event as EventOf<'ListingMapped' | 'ListingUnmapped'> };
}

import { text, type JournalEntry, type JournalReader, type Sender } from '@evenkeel/chassis';
import { z } from 'zod';
import type { DecisionRecord, MappedListing, PolicyEntry, SkuState } from './domain.ts';
import type { PolicyStore } from './store.ts';

// What the routes are made of, and answer with.

export interface SyncPolicyParts {
  readonly journal: JournalReader<PolicyEntry, SkuState>;
  readonly sender: Pick<Sender, 'send'>;
  readonly store: PolicyStore;
}

export const params = z.strictObject({ sku: text(255) });
const most = 1_000_000_000;
export const revision = z.int().min(0).max(most);
export const settings = {
  realTimeAtOrBelow: z.int().min(0).max(most).nullable().meta({ description: 'X: at or below this Available every change is pushed.' }),
  significantUnits: z.int().min(1).max(most).nullable().meta({ description: 'Y: a change of so many units is pushed at once.' }),
  everyNth: z
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .meta({ description: 'N: above X every Nth transaction is pushed; 10 where nobody says.' }),
};
export const time = z.iso.datetime();
export const effective = z
  .object({
    realTimeAtOrBelow: z.int().nullable().meta({ description: 'X; null: every change is pushed.' }),
    significantUnits: z.int().nullable().meta({ description: 'Y; null: no change is significant by its size.' }),
    everyNth: z.int().meta({ description: 'N' }),
  })
  .meta({ id: 'EffectivePolicy' });
export const listing = z
  .object({
    store: z.string(),
    marketplace: z.string(),
    listing: z.string(),
    mapping: z.int().meta({ description: 'Revision of the mapping: it rises with each change.' }),
  })
  .meta({ id: 'MappedListing' });

export const decisionKind = z.enum(['push', 'held', 'withdrawn', 'ignored'] satisfies DecisionRecord['decision'][]);
/** All of them, as a decision that has another one does not compile below. */
export const decisionReason = z.enum([
  'first_count',
  'gap',
  'crossed_zero',
  'at_or_below_threshold',
  'significant_change',
  'every_nth',
  'sync_enabled',
  'listing_mapped',
  'policy_changed',
  'available_unchanged',
  'sync_disabled',
  'not_counted',
  'throttled',
  'nothing_throttled',
  'unmapped',
  'stale_mapping',
  'not_mapped',
  'unknown_marketplace',
] satisfies DecisionRecord['reason'][]);

export const decision = z
  .object({
    sequence: z.int(),
    at: time,
    cause: z.string(),
    trigger: z.enum(['movement', 'inventory_sync', 'sku_policy', 'tenant_policy', 'listing_mapped', 'listing_unmapped']),
    decision: decisionKind,
    reason: decisionReason,
    inputs: z
      .object({
        before: z.int().meta({ description: "Available before the movement, by the movement's own word." }),
        after: z.int().meta({ description: 'Available after it.' }),
        epoch: z.int(),
        sequence: z.int().meta({ description: 'Of the ledger row that it was decided at.' }),
        lastSequence: z.int().meta({ description: 'Of the row before it, as far as was seen.' }),
        counted: z.boolean(),
        syncEnabled: z.boolean(),
        counter: z.int().meta({ description: 'Transactions that were throttled since the last push.' }),
        policy: effective.extend({
          revision: z.int().meta({ description: "Of the tenant's policy." }),
          settings: z.int().meta({ description: "Changes of the product's toggle and policy so far." }),
        }),
      })
      .meta({ description: 'All that it was decided by.' }),
    listings: z.array(listing).meta({ description: 'Those that it pushes or withdraws.' }),
  })
  .meta({ id: 'Decision' });

export const onItsWay = { description: 'It is on its way: repeat the request with the same Idempotency-Key, or look again.' };

export const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

export const listingOf = ({ store, marketplace, listing: id, mapping }: MappedListing) => ({ store, marketplace, listing: id, mapping });

export function decisionOf({ sequence, at, cause, data }: JournalEntry<PolicyEntry>): z.input<typeof decision> {
  const { trigger, decision: what, reason, inputs, listings } = data;
  const told = what === 'held' ? [] : listings;
  const copied = { ...inputs, policy: { ...inputs.policy } };
  return { sequence, at: iso(at), cause, trigger, decision: what, reason, inputs: copied, listings: told.map(listingOf) };
}

export const productPath = (sku: string): string => `/products/${encodeURIComponent(sku)}`;

import { z } from 'zod';
import type {
  JournalDocument,
  LedgerRow,
  Level,
  OrderEntry,
  PurchaseEntry,
  PolicyEntry,
  PolicyTrigger,
  ReservationEntry,
  Version,
} from '../facts.ts';

/**
 * What the auditor expects of documents and records, field by field; a service that writes them otherwise makes the audit fail, not pass. Fields
 * that no check looks at are left out.
 */

const whole = z.int();
const nullableText = z.string().nullable();
const optionalText = nullableText.default(null);

const quantities = z.object({ onHand: whole, orderReserve: whole, batchReserve: whole, available: whole });

const rowInJournal = z.object({
  type: z.string(),
  reason: nullableText,
  refused: nullableText,
  change: quantities,
  after: quantities,
  location: nullableText,
  locationOnHand: whole.nullable(),
  counted: z.boolean(),
  batch: optionalText,
  label: optionalText,
  reverses: optionalText,
  purchaseOrder: optionalText,
});
const rowInTopic = rowInJournal.extend({ epoch: whole, sequence: whole, cause: z.string() });

const product = z.object({
  title: nullableText,
  defaultLocation: nullableText,
  lowStockAtOrBelow: whole.nullable(),
  retired: z.boolean(),
});

/** A record of stock.movements.v1. */
export const movement = rowInTopic.transform((row): LedgerRow => ({ ...row, product: null }));

/** A record of stock.levels.v1. */
export const level = product
  .extend({ sequence: whole, epoch: whole, quantities, locations: z.record(z.string(), whole), counted: z.boolean() })
  .transform(({ sequence, epoch, quantities: levels, locations, counted, ...settings }): Level => {
    return { sequence, epoch, quantities: levels, locations, counted, product: settings };
  });

/** A record of stock.incidents.v1; its sequence stands in its id alone. */
export const incident = z.object({ kind: z.string(), subject: z.string(), state: z.enum(['open', 'closed']) });

/** A record of order.events.v1, or of purchase.orders.v1. */
export const orderEvent = z.object({ sequence: whole });

const version = z.object({ mapping: whole, epoch: whole, sequence: whole, settings: whole });

/** A record of push.requests.<marketplace>.v1; a withdrawal has no quantity. */
export const pushRequest = z.object({ store: z.string(), listing: z.string(), available: whole.optional(), version });

const thresholds = z.object({
  realTimeAtOrBelow: whole.nullable(),
  significantUnits: whole.nullable(),
  everyNth: whole.nullable(),
});

/** A TenantPolicyChanged record of policy.commands.v1, and the document in sync-policy's database. */
export const tenantPolicy = thresholds.extend({ tenant: z.string(), revision: whole });

/** A document of any journal. Sequences may come from the database as numbers only. */
export const journalDocument = z.object({
  aggregate: z.string(),
  from: whole,
  to: whole,
  causes: z.array(z.string()).optional(),
  entries: z.array(z.object({ sequence: whole, cause: z.string(), at: z.number(), data: z.unknown() })),
});
export type AnyDocument = z.infer<typeof journalDocument>;

/** Reads the entries of a document by what their service writes. Throws a ZodError that names the field. */
export function entriesOf<Entry>(
  document: AnyDocument,
  read: (data: unknown, sequence: number, cause: string) => Entry,
): JournalDocument<Entry> {
  const { aggregate, from, to, causes = [], entries } = document;
  const mapped = entries.map(({ sequence, cause, data }) => ({ sequence, cause, data: read(data, sequence, cause) }));
  return { aggregate, from, to, causes, entries: mapped };
}

/** The journal does not say the ledger's epoch: `epochOf` knows it from the topic. */
export const readLedgerRow =
  (epochOf: (sequence: number) => number) =>
  (data: unknown, sequence: number, cause: string): LedgerRow => ({
    ...rowInJournal.extend({ product: product.nullable().default(null) }).parse(data),
    sequence,
    cause,
    epoch: epochOf(sequence),
  });

const orderLine = z.object({
  sku: nullableText,
  quantity: whole,
  cancelled: whole,
  fulfilled: whole,
  // The first release knew neither.
  shippedBefore: whole.default(0),
  fulfilledBy: z.string().default('seller'),
});
const orderEntry = z.discriminatedUnion('type', [
  z.object({ type: z.literal('changed'), order: z.object({ lines: z.array(orderLine) }) }),
  z.object({ type: z.enum(['labelled', 'voided']) }),
  z.object({ type: z.enum(['unchanged', 'stale', 'read_refused', 'label_refused', 'void_refused']) }),
]);

export const readOrderEntry = (data: unknown): OrderEntry => {
  const entry = orderEntry.parse(data);
  if (entry.type !== 'changed') return { changed: entry.type === 'labelled' || entry.type === 'voided', unmapped: null };
  return { changed: true, unmapped: entry.order.lines.some((line) => line.sku === null && takes(line)) };
};

/** Whether units of a line leave the seller's stock, or have left it since its store was connected. */
const takes = ({ quantity, cancelled, fulfilled, shippedBefore, fulfilledBy }: z.infer<typeof orderLine>): boolean =>
  fulfilledBy !== 'marketplace' && Math.max(quantity - cancelled, fulfilled) > shippedBefore;

const purchaseEntry = z.object({ refused: nullableText, putAway: z.array(z.object({ sku: z.string(), quantity: whole })) });

export const readPurchaseEntry = (data: unknown): PurchaseEntry => {
  const { refused, putAway } = purchaseEntry.parse(data);
  return { changed: refused === null, putAway };
};

const units = z.object({ sku: z.string(), quantity: whole });
const reservationEntry = z.discriminatedUnion('type', [
  z.object({ type: z.enum(['unchanged', 'refused']) }),
  z.object({ type: z.enum(['rearranged', 'to_put_back', 'written_off']), sku: z.string() }),
  units.extend({ type: z.literal('reserved') }),
  units.extend({ type: z.literal('released'), fromBatchReserve: whole.default(0) }),
  units.extend({ type: z.enum(['assigned', 'unassigned', 'batch_picked', 'missing']), batch: z.string() }),
  units.extend({ type: z.literal('unpicked'), label: nullableText, reverses: z.string() }),
  units.extend({ type: z.literal('put_back') }),
  // The first release wrote the units of its lines alone.
  z.object({
    type: z.literal('picked'),
    sku: z.string(),
    label: nullableText,
    lines: z.array(z.object({ quantity: whole })),
    fromBatchReserve: whole.default(0),
  }),
]);

const kinds = { batch_picked: 'batchPicked', put_back: 'putBack' } as const;

export function readReservationEntry(data: unknown): ReservationEntry {
  const entry = reservationEntry.parse(data);
  const about = { fromBatchReserve: 0, batch: null, label: null, reverses: null };
  switch (entry.type) {
    case 'unchanged':
    case 'refused':
      return { effect: null };
    case 'rearranged':
    case 'to_put_back':
    case 'written_off':
      return { effect: null, note: `${entry.type} ${entry.sku}` };
    case 'picked': {
      const { sku, label, lines, fromBatchReserve } = entry;
      const quantity = lines.reduce((sum, line) => sum + line.quantity, 0);
      return { effect: { ...about, kind: 'autoPicked', sku, quantity, label, fromBatchReserve } };
    }
    case 'batch_picked':
    case 'put_back': {
      const { type, ...rest } = entry;
      return { effect: { ...about, ...rest, kind: kinds[type] } };
    }
    default: {
      const { type: kind, ...rest } = entry;
      return { effect: { ...about, ...rest, kind } };
    }
  }
}

const mappedListing = z.object({ store: z.string(), marketplace: z.string(), listing: z.string(), mapping: whole });
const decision = z.object({
  decision: z.enum(['push', 'held', 'withdrawn', 'ignored']),
  reason: z.string(),
  inputs: z.object({
    before: whole,
    after: whole,
    epoch: whole,
    sequence: whole,
    policy: thresholds.extend({ revision: whole, settings: whole }),
  }),
});
const policyEntry = z.discriminatedUnion('trigger', [
  decision.extend({ trigger: z.literal('movement') }),
  decision.extend({ trigger: z.literal('inventory_sync'), enabled: z.boolean() }),
  decision.extend({ trigger: z.literal('sku_policy'), policy: thresholds }),
  decision.extend({ trigger: z.literal('tenant_policy') }),
  decision.extend({ trigger: z.enum(['listing_mapped', 'listing_unmapped']), listing: mappedListing }),
]);

export function readPolicyEntry(data: unknown): PolicyEntry {
  const entry = policyEntry.parse(data);
  const { revision, settings, ...thresholdsOf } = entry.inputs.policy;
  const { before, after } = entry.inputs;
  return {
    trigger: triggerOf(entry),
    decision: entry.decision,
    reason: entry.reason,
    before,
    after,
    thresholds: thresholdsOf,
    revision,
    settings,
  };
}

function triggerOf(entry: z.infer<typeof policyEntry>): PolicyTrigger {
  switch (entry.trigger) {
    case 'movement':
      return { kind: 'movement', epoch: entry.inputs.epoch, sequence: entry.inputs.sequence };
    case 'inventory_sync':
      return { kind: 'sync', enabled: entry.enabled };
    case 'sku_policy':
      return { kind: 'policy', thresholds: entry.policy };
    case 'tenant_policy':
      return { kind: 'tenantPolicy' };
    case 'listing_mapped':
      return { kind: 'mapped', ...entry.listing };
    case 'listing_unmapped':
      return { kind: 'unmapped', ...entry.listing };
  }
}

/** A version as the connector stores it: four parts of sixteen digits, so that they sort as text. */
const storedVersion = z
  .string()
  .regex(/^\d{16}(\.\d{16}){3}$/)
  .transform((text): Version => {
    const [mapping = 0, epoch = 0, sequence = 0, settings = 0] = text.split('.').map(Number);
    return { mapping, epoch, sequence, settings };
  });

/** A document of a connector's `listings`. */
export const listingDocument = z.object({
  tenant: z.string(),
  store: z.string(),
  listing: z.string(),
  sku: nullableText,
  mapping: whole,
  wanted: z.object({ version: storedVersion, quantity: whole }).nullable(),
  confirmed: z.object({ version: storedVersion, quantity: whole }).nullable(),
  inFlight: z.object({ key: z.string() }).nullable(),
  quarantined: z.object({ code: z.string() }).nullable(),
  paused: z.object({ by: z.string() }).nullish(),
});
export type ListingDocument = z.infer<typeof listingDocument>;

/** A document of a connector's `stores`. */
export const storeDocument = z.object({
  tenant: z.string(),
  store: z.string(),
  marketplace: z.string(),
  /** As the marketplace calls it. */
  name: z.string(),
  state: z.string(),
  settings: z.record(z.string(), z.unknown()),
  credentialVersion: whole,
  gate: z.object({ code: z.string(), credentialVersion: whole }).nullable(),
  circuit: z.object({ state: z.string() }).nullable(),
  /** By a person; and by the marketplace, which says that it does not sell. */
  paused: z.object({ by: z.string() }).nullish(),
  inactive: z.object({ since: z.number() }).nullish(),
  ordersFrom: z.number(),
  cursor: z.number(),
});
export type StoreDocument = z.infer<typeof storeDocument>;

/** A document of a connector's `calls`. */
export const callDocument = z.object({
  _id: z.string(),
  tenant: z.string(),
  store: z.string(),
  items: z.array(
    z.object({
      listing: z.string(),
      sku: nullableText,
      version: storedVersion,
      quantity: whole,
      expected: whole.nullable().default(null),
    }),
  ),
  startedAt: z.number(),
  outcome: nullableText,
  /** Of each listing, where they differ. */
  results: z.array(z.object({ listing: z.string(), outcome: z.string() })).default([]),
});
export type CallDocument = z.infer<typeof callDocument>;

/** A document of a connector's `incidents`. */
export const incidentDocument = z.object({ _id: z.string(), state: z.enum(['open', 'closed']), sequence: whole });

import { keyOf } from '@evenkeel/contracts';
import type { mongo } from 'mongoose';
import type { CallDocument, CallItem, Doubt, ListingDocument } from './documents.ts';
import type { Failure } from './failure.ts';
import type { Capabilities, PushResult } from './marketplace.ts';
import { quantityToSend } from './quantity.ts';

type Write = mongo.AnyBulkWriteOperation<ListingDocument>;

/** What goes out for these listings, in their order: frozen from here on. */
export const freeze = (documents: readonly ListingDocument[], capabilities: Capabilities): CallItem[] =>
  documents.flatMap(({ listing, sku, wanted, expected = null }) =>
    wanted === null ? [] : [{ listing, sku, version: wanted.version, quantity: quantityToSend(wanted.quantity, capabilities), expected }],
  );

/**
 * Marks a listing in flight, unless it is already, has moved on, or belongs to a later owner. Modified none: no call for it.
 */
export function markWrite(store: { tenant: string; store: string }, epoch: number, call: CallDocument, item: CallItem): Write {
  const { listing, version, quantity } = item;
  return {
    updateOne: {
      filter: {
        _id: keyOf(store.tenant, store.store, listing),
        ownerEpoch: { $lte: epoch },
        inFlight: null,
        instructed: version,
        outstanding: true,
      },
      update: { $set: { inFlight: { key: call._id, version, quantity, at: call.startedAt }, ownerEpoch: epoch } },
    },
  };
}

/** How a suspect is to be resolved: a call whose listings were left in flight. */
export type Resolution = 'never_made' | 'repeat' | 'wait' | 'read_back';

/** Repeats stop this long before the marketplace forgets the key. */
const retentionShare = 0.9;

/**
 * `documents`: those of all the call's listings. A repeat sends the whole frozen batch again, so it is right only while nothing newer went to
 * any of its listings and none was withdrawn or held since. `held`: nothing may go out to the store at all.
 */
export function resolutionOf(
  call: CallDocument | null,
  documents: readonly ListingDocument[],
  capabilities: Capabilities,
  now: number,
  held = false,
): Resolution {
  if (call === null || call.outcome === 'not_made') return 'never_made';
  const byListing = new Map(documents.map((document) => [document.listing, document]));
  const retention = capabilities.idempotencyKey?.retentionMilliseconds ?? 0;
  const repeatable =
    !held &&
    now - call.startedAt < retention * retentionShare &&
    call.items.every((item) => isRepeatable(call._id, item, byListing.get(item.listing)));
  if (repeatable) return 'repeat';
  return now - call.startedAt < capabilities.settleMilliseconds ? 'wait' : 'read_back';
}

function isRepeatable(key: string, item: CallItem, document: ListingDocument | undefined): boolean {
  if (!document || document.quarantined || document.paused || document.sku !== item.sku) return false;
  if (document.withdrawn && document.withdrawn.version >= item.version) return false;
  return document.inFlight?.key === key || (document.inFlight === null && document.confirmed?.version === item.version);
}

/** One write a listing; `otherwise` only where one of them found no document. */
export interface Writes {
  readonly writes: readonly Write[];
  readonly otherwise: readonly Write[];
}

export interface Settled extends Writes {
  readonly call: Pick<CallDocument, 'finishedAt' | 'outcome'> & Partial<Pick<CallDocument, 'results'>>;
  /** Listings that left the queue because they can't be written. */
  readonly quarantined: readonly { listing: string; failure: Failure }[];
}

/** After so many refusals in a row that no class explains a listing is left to a person. */
const refusalLimit = 5;

/**
 * What a call's results change. Applied: confirmed. Rejected for good: quarantined. Rejected otherwise, or not tried: back into the queue.
 * Conflict: in doubt. Unknown: left in flight. Each write is filtered on the call's key: late, it changes nothing.
 * `refusals`: how often each listing was refused before.
 */
export function settle(
  store: { tenant: string; store: string },
  call: CallDocument,
  results: readonly PushResult[],
  now: number,
  refusals: ReadonlyMap<string, number> = new Map(),
): Settled {
  const byListing = new Map(results.map((result) => [result.listing, result]));
  const writes: Write[] = [];
  const otherwise: Write[] = [];
  const quarantined: { listing: string; failure: Failure }[] = [];
  for (const item of call.items) {
    const filter = { _id: keyOf(store.tenant, store.store, item.listing), 'inFlight.key': call._id };
    const result = byListing.get(item.listing);
    if (!result || result.outcome === 'unknown') continue;
    if (result.outcome === 'applied') {
      const confirming = confirmWrite(filter, item, now, result.onSale);
      writes.push(confirming.write);
      if (confirming.otherwise) otherwise.push(confirming.otherwise);
    } else if (result.outcome === 'not_tried') writes.push({ updateOne: { filter, update: { $set: { inFlight: null } } } });
    else if (isFinal(result.failure, refusals.get(item.listing) ?? 0)) {
      const { code, message } = result.failure;
      quarantined.push({ listing: item.listing, failure: result.failure });
      writes.push({
        updateOne: {
          filter,
          update: { $set: { inFlight: null, quarantined: { code, message, version: item.version, at: now } }, $unset: { refusals: '' } },
        },
      });
    } else if (result.failure.class === 'conflict') {
      const doubt: Doubt = { since: now, ...(result.found === undefined ? {} : { found: result.found }) };
      writes.push({ updateOne: { filter, update: { $set: { inFlight: null, doubt } } } });
    } else {
      const counts = result.failure.class === 'transient';
      writes.push({ updateOne: { filter, update: { $set: { inFlight: null }, ...(counts ? { $inc: { refusals: 1 } } : {}) } } });
    }
  }
  return { writes, otherwise, quarantined, call: outcomeOf(call.items, byListing, now) };
}

const isFinal = (failure: Failure, before: number): boolean =>
  failure.class === 'permanent_listing' || failure.class === 'bug' || (failure.class === 'transient' && before + 1 >= refusalLimit);

/** Leaves nothing outstanding; finds no document where the wanted version has moved on, or was withdrawn: then `otherwise` does. */
function confirmWrite(
  filter: { _id: string; 'inFlight.key': string },
  item: Pick<CallItem, 'version' | 'quantity'>,
  now: number,
  onSale?: boolean,
): { write: Write; otherwise: Write | null } {
  const confirmed = { version: item.version, quantity: item.quantity, at: now };
  const seen = onSale === undefined ? {} : { lastRead: { quantity: item.quantity, onSale, at: now } };
  const set = { confirmed, inFlight: null, expected: item.quantity, ...seen };
  const write: Write = {
    updateOne: {
      filter: { ...filter, 'wanted.version': item.version },
      update: { $set: set, $unset: { outstanding: '', waiting: '', waitingSince: '', refusals: '', doubt: '' } },
    },
  };
  const otherwise: Write = { updateOne: { filter, update: { $set: set, $unset: { refusals: '', doubt: '' } } } };
  return { write, otherwise };
}

function outcomeOf(items: readonly CallItem[], byListing: ReadonlyMap<string, PushResult>, now: number): Settled['call'] {
  const outcomes = items.map(({ listing }) => byListing.get(listing) ?? { listing, outcome: 'unknown' as const });
  if (outcomes.every(({ outcome }) => outcome === 'applied')) return { finishedAt: now, outcome: 'applied' };
  const results = outcomes.map((result) => ({
    listing: result.listing,
    outcome: result.outcome,
    ...('failure' in result ? { code: result.failure.code } : {}),
  }));
  if (outcomes.some(({ outcome }) => outcome === 'unknown')) return { finishedAt: null, outcome: 'unknown', results };
  // One applied listing makes the call one that took effect; the rest stands in the results.
  return { finishedAt: now, outcome: outcomes.some(({ outcome }) => outcome === 'applied') ? 'applied' : 'rejected', results };
}

/**
 * What a read-back of listings left in flight changes: what is there as sent is confirmed. The rest goes back into the queue, in doubt: it was not
 * written, or was, and has sold since.
 */
export function settleByReadBack(
  store: { tenant: string; store: string },
  key: string,
  documents: readonly ListingDocument[],
  quantities: ReadonlyMap<string, number>,
  now: number,
): Writes {
  const mine = documents.flatMap(({ listing, inFlight }): { write: Write; otherwise: Write | null }[] => {
    if (inFlight?.key !== key) return [];
    const filter = { _id: keyOf(store.tenant, store.store, listing), 'inFlight.key': key };
    if (quantities.get(listing) === inFlight.quantity) return [confirmWrite(filter, inFlight, now)];
    const found = quantities.get(listing);
    const doubt: Doubt = { since: now, ...(found === undefined ? {} : { found }) };
    return [{ write: { updateOne: { filter, update: { $set: { inFlight: null, doubt }, $unset: { expected: '' } } } }, otherwise: null }];
  });
  return { writes: mine.map(({ write }) => write), otherwise: mine.flatMap(({ otherwise }) => otherwise ?? []) };
}

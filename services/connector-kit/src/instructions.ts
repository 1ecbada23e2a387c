import type { EventOf } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import type { mongo } from 'mongoose';
import { writeListings, type Collections, type ListingDocument } from './documents.ts';
import type { ConnectorMetrics } from './metrics.ts';
import { versionText } from './version.ts';

/** What sync-policy says about a listing. */
export type Instruction = EventOf<'PushRequested' | 'PushWithdrawn' | 'PushHeld'>;
type Hold = EventOf<'PushHeld'>;
/** What decides what the listing should show. */
type Word = Exclude<Instruction, Hold>;

/** Of these, and of those that they superseded before they left: all that has come back with them. */
export const correlationsIn = (events: readonly Instruction[]): string[] =>
  events.flatMap(({ correlation, superseded = [] }) => [correlation, ...superseded]);

const keyOfListing = ({ data }: Word): string => keyOf(data.tenant, data.store, data.listing);

/** The newest word on each listing; of two with the same version the first. */
export function newestOfEach(events: readonly Word[]): Word[] {
  const newest = new Map<string, Word>();
  for (const event of events) {
    const { version } = event.data;
    const key = keyOfListing(event);
    const known = newest.get(key);
    if (!known || versionText(version) > versionText(known.data.version)) newest.set(key, event);
  }
  return [...newest.values()];
}

type Write = mongo.AnyBulkWriteOperation<ListingDocument>;

/** Writes for requests and for withdrawals; each is filtered on an older version, so that a late or repeated one changes nothing. */
function writesOf(instructions: readonly Word[], correlations: ReadonlyMap<string, readonly string[]>, now: number) {
  const requests = instructions.filter((event) => event.type === 'PushRequested');
  const correlationsOf = (event: Word) => correlations.get(keyOfListing(event)) ?? [];
  return {
    requests: requests.map((event) => requestWrite(event, correlationsOf(event), now)),
    requestsOfPaused: requests.map((event) => pausedRequestWrite(event, correlationsOf(event))),
    withdrawals: instructions.filter((event) => event.type === 'PushWithdrawn').flatMap(withdrawalWrites),
  };
}

const wantedOf = ({ data, correlation }: EventOf<'PushRequested'>) => {
  const version = versionText(data.version);
  return {
    instructed: version,
    wanted: { version, quantity: data.available, reason: data.reason, correlation, at: data.at },
    withdrawn: null,
  };
};

/** Where the listing's document is newer, or paused, the upsert runs into its own `_id`: that refusal is the expected answer. */
function requestWrite(event: EventOf<'PushRequested'>, correlations: readonly string[], now: number): Write {
  const { tenant, store, listing, sku, version } = event.data;
  const wanted = wantedOf(event);
  return {
    updateOne: {
      filter: { _id: keyOf(tenant, store, listing), instructed: { $lt: wanted.instructed }, paused: null },
      update: {
        $set: { ...wanted, outstanding: true },
        $min: { waitingSince: now },
        $pull: { ownOrders: { correlation: { $in: [...correlations] } } },
        $setOnInsert: {
          tenant,
          store,
          listing,
          sku,
          mapping: version.mapping,
          unpublished: [],
          ownerEpoch: 0,
          confirmed: null,
          inFlight: null,
          quarantined: null,
        },
      },
      upsert: true,
    },
  };
}

/** The value waits, and is not outstanding before the pause ends. */
function pausedRequestWrite(event: EventOf<'PushRequested'>, correlations: readonly string[]): Write {
  const { tenant, store, listing } = event.data;
  const wanted = wantedOf(event);
  return {
    updateOne: {
      filter: { _id: keyOf(tenant, store, listing), instructed: { $lt: wanted.instructed }, paused: { $ne: null } },
      update: { $set: { ...wanted, waiting: true }, $pull: { ownOrders: { correlation: { $in: [...correlations] } } } },
    },
  };
}

/** What is not sent yet is dropped; what was confirmed before stays as the record of what was last wanted. */
function withdrawalWrites({ data }: EventOf<'PushWithdrawn'>): Write[] {
  const _id = keyOf(data.tenant, data.store, data.listing);
  const version = versionText(data.version);
  const withdrawn = { version, reason: data.reason, at: data.at };
  return [
    {
      updateOne: {
        filter: { _id, instructed: { $lt: version }, $or: [{ outstanding: true }, { waiting: true }] },
        update: { $set: { instructed: version, withdrawn, wanted: null }, $unset: { outstanding: '', waiting: '', waitingSince: '' } },
      },
    },
    { updateOne: { filter: { _id, instructed: { $lt: version } }, update: { $set: { instructed: version, withdrawn } } } },
  ];
}

/**
 * Takes in what is not worth a push of its own, behind what was requested before it: its listing's own orders are waited for no longer, and where
 * something goes out anyway, it is this. What is in flight stays as it is: otherwise it would have to follow.
 */
async function takeInHolds(collections: Pick<Collections, 'listings'>, holds: readonly Hold[]): Promise<void> {
  const writes = holds.flatMap((event): Write[] => {
    const { tenant, store, listing, available, reason } = event.data;
    const _id = keyOf(tenant, store, listing);
    const correlations = correlationsIn([event]);
    const returned: Write = {
      updateOne: {
        filter: { _id, 'ownOrders.correlation': { $in: correlations } },
        update: { $pull: { ownOrders: { correlation: { $in: correlations } } } },
      },
    };
    // Any other reason lets nothing go out: its withdrawal must not meet a version above its own.
    if (reason !== 'throttled') return [returned];
    const version = versionText(event.data.version);
    const filter = { _id, instructed: { $lt: version }, inFlight: null, $or: [{ outstanding: true as const }, { waiting: true as const }] };
    const newest = { instructed: version, 'wanted.version': version, 'wanted.quantity': available };
    return [returned, { updateOne: { filter, update: { $set: newest } } }];
  });
  await writeListings(collections, writes, { ordered: true });
}

const duplicateKey = 11_000;

/**
 * Takes a slice of instructions into the listings' documents; resolves once they are durable. Repeat-safe. `held` hears how many requests were of
 * paused listings; a repeated one is not told again.
 */
export async function takeIn(
  collections: Pick<Collections, 'listings'>,
  events: readonly Instruction[],
  held: ConnectorMetrics['held'],
): Promise<void> {
  const words = events.filter((event) => event.type !== 'PushHeld');
  const holds = events.filter((event) => event.type === 'PushHeld');
  if (words.length > 0) await takeInWords(collections, words, held);
  if (holds.length > 0) await takeInHolds(collections, holds);
}

async function takeInWords(
  collections: Pick<Collections, 'listings'>,
  words: readonly Word[],
  held: ConnectorMetrics['held'],
): Promise<void> {
  // Also of those that a newer one supersedes: it knows of what they follow from.
  const correlations = new Map([...Map.groupBy(words, keyOfListing)].map(([key, of]) => [key, correlationsIn(of)]));
  const { requests, requestsOfPaused, withdrawals } = writesOf(newestOfEach(words), correlations, Date.now());
  await writeListings(collections, withdrawals, { ordered: true });
  let refused = false;
  const onError = (error: unknown): void => {
    exceptDuplicates(error);
    refused = true;
  };
  await writeListings(collections, requests, { onError });
  if (refused) {
    const paused = await writeListings(collections, requestsOfPaused);
    if (paused > 0) held('listing_paused', paused);
    await writeListings(collections, requests, { onError }); // those whose pause ended in between
  }
}

function exceptDuplicates(error: unknown): void {
  const failures = (error as { writeErrors?: unknown }).writeErrors;
  const all = Array.isArray(failures) ? failures : failures ? [failures] : [];
  const only = all.length > 0 && all.every((failure: { code?: number }) => failure.code === duplicateKey);
  if (!only) throw error;
}

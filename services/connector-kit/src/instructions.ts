import type { EventOf } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import type { mongo } from 'mongoose';
import { writeListings, type Collections, type ListingDocument } from './documents.ts';
import { versionText } from './version.ts';

export type Instruction = EventOf<'PushRequested' | 'PushWithdrawn'>;

/** Of these, and of those that they superseded before they left: all that has come back with them. */
export const correlationsIn = (events: readonly Instruction[]): string[] =>
  events.flatMap(({ correlation, superseded = [] }) => [correlation, ...superseded]);

const keyOfListing = ({ data }: Instruction): string => keyOf(data.tenant, data.store, data.listing);

/** The newest instruction of each listing; of two with the same version the first. */
export function newestOfEach(events: readonly Instruction[]): Instruction[] {
  const newest = new Map<string, Instruction>();
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
function writesOf(instructions: readonly Instruction[], correlations: ReadonlyMap<string, readonly string[]>, now: number) {
  const requests = instructions.filter((event) => event.type === 'PushRequested');
  const correlationsOf = (event: Instruction) => correlations.get(keyOfListing(event)) ?? [];
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

const duplicateKey = 11_000;

/** Takes a slice of push requests into the listings' documents; resolves once they are durable. Repeat-safe. */
export async function takeIn(collections: Pick<Collections, 'listings'>, events: readonly Instruction[]): Promise<Instruction[]> {
  const instructions = newestOfEach(events);
  // Also of those that a newer one supersedes: it knows of what they follow from.
  const correlations = new Map([...Map.groupBy(events, keyOfListing)].map(([key, of]) => [key, correlationsIn(of)]));
  const { requests, requestsOfPaused, withdrawals } = writesOf(instructions, correlations, Date.now());
  await writeListings(collections, withdrawals, { ordered: true });
  let refused = false;
  const onError = (error: unknown): void => {
    exceptDuplicates(error);
    refused = true;
  };
  await writeListings(collections, requests, { onError });
  if (refused) {
    await writeListings(collections, requestsOfPaused);
    await writeListings(collections, requests, { onError }); // those whose pause ended in between
  }
  return instructions;
}

function exceptDuplicates(error: unknown): void {
  const failures = (error as { writeErrors?: unknown }).writeErrors;
  const all = Array.isArray(failures) ? failures : failures ? [failures] : [];
  const only = all.length > 0 && all.every((failure: { code?: number }) => failure.code === duplicateKey);
  if (!only) throw error;
}

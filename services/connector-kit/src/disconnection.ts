import type { Logger, Sealer } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import type { mongo } from 'mongoose';
import { writeListings, type Collections, type Disconnection, type ListingDocument, type StoreDocument } from './documents.ts';
import { changeWrite, publishChanges, type ChangesOptions } from './listing-changes.ts';
import { remap } from './listing-mapping.ts';
import { versionText } from './version.ts';

type Write = mongo.AnyBulkWriteOperation<ListingDocument>;

export interface DisconnectionOptions extends ChangesOptions {
  readonly collections: Collections;
  readonly sealer: Sealer;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** That of the unmapping which follows: nothing that is requested of the old mapping outranks it. */
const lastVersionOf = ({ mapping }: Pick<ListingDocument, 'mapping'>): string =>
  versionText({ mapping: mapping + 1, epoch: 0, sequence: 0, settings: 0 });

const lookMilliseconds = 100;
/** How long nothing may come through before the rest is given up. */
const patienceMilliseconds = 30_000;

/** Wants 0 of every mapped listing, those that are paused included: a person has asked for it. Again, it changes nothing. */
async function wantZero({ identity: { tenant, store }, collections }: DisconnectionOptions, correlation: string): Promise<void> {
  const now = Date.now();
  const writes: Write[] = [];
  for await (const listing of collections.listings.find({ tenant, store, sku: { $ne: null } })) {
    const version = lastVersionOf(listing);
    const wanted = { version, quantity: 0, reason: 'disconnecting', correlation, at: now } as const;
    writes.push({
      updateOne: {
        filter: { _id: listing._id, mapping: listing.mapping, instructed: { $lt: version } },
        update: {
          $set: { wanted, instructed: version, withdrawn: null, outstanding: true, paused: null, waitingSince: now },
          $unset: { waiting: '' },
        },
      },
    });
  }
  await writeListings(collections, writes);
}

const countMapped = ({ listings }: Pick<Collections, 'listings'>, { tenant, store }: { tenant: string; store: string }): Promise<number> =>
  listings.countDocuments({ tenant, store, sku: { $ne: null } });

/**
 * Sets every listing to 0 through the push loop, `push`, which runs until its signal; resolves to how many could not be. `mayGoOn`: whether calls are
 * made at all. Ends when all are done, and when nothing has come through for a while.
 */
export async function setListingsToZero(
  options: DisconnectionOptions,
  correlation: string,
  { push, mayGoOn }: { push: (signal: AbortSignal) => Promise<void>; mayGoOn: () => boolean },
): Promise<number> {
  const { identity, collections, signal } = options;
  const { tenant, store } = identity;
  await wantZero(options, correlation);
  const done = new AbortController();
  let ended = false;
  const pushing = push(AbortSignal.any([signal, done.signal])).finally(() => (ended = true));
  pushing.catch(() => undefined); // looked at below
  const left = () => collections.listings.countDocuments({ tenant, store, sku: { $ne: null }, outstanding: true, quarantined: null });
  let remaining = await left();
  for (let since = performance.now(); remaining > 0 && !ended && mayGoOn() && performance.now() - since < patienceMilliseconds;) {
    await new Promise((resolve) => setTimeout(resolve, lookMilliseconds));
    const now = await left();
    if (now < remaining) since = performance.now();
    remaining = now;
  }
  done.abort();
  await pushing;
  signal.throwIfAborted();
  return await collections.listings.countDocuments({ tenant, store, sku: { $ne: null }, outstanding: true });
}

/** Unmaps every listing and forgets the credentials; repeat-safe. */
export async function giveUp(options: DisconnectionOptions, document: StoreDocument, notSetToZero: number): Promise<void> {
  const { identity, collections, sealer, log } = options;
  const { tenant, store } = identity;
  const listings = await countMapped(collections, identity);
  const { listings: counted = 0, notSetToZero: before = 0 } = document.disconnection ?? {};
  // Whoever goes on after a crash finds fewer than there were.
  const disconnection = {
    ...document.disconnection,
    listings: Math.max(counted, listings),
    notSetToZero: Math.max(before, notSetToZero),
  } as Disconnection;
  await collections.stores.updateOne({ _id: document._id }, { $set: { disconnection } });
  const now = Date.now();
  for (let unmapped = -1; unmapped !== 0;) {
    const writes: Write[] = [];
    for await (const listing of collections.listings.find({ tenant, store, sku: { $ne: null } })) {
      const after = remap(listing, null, now);
      if (after) writes.push(changeWrite(listing, after));
    }
    unmapped = writes.length;
    await writeListings(collections, writes);
  }
  await publishChanges(options);
  await collections.stores.updateOne(
    { _id: document._id, state: 'disconnecting' },
    {
      $set: {
        state: 'disconnected',
        credentials: sealer.seal({}, document._id),
        webhookSecret: null,
        credentialVersion: document.credentialVersion + 1,
        gate: null,
        circuit: null,
        throttled: null,
        disconnection: { ...disconnection, finishedAt: now },
      },
    },
  );
  log.info({ listings: disconnection.listings, notSetToZero: disconnection.notSetToZero }, 'The store is disconnected.');
}

/** Asks the store's owner to give it up. False where somebody else has changed it meanwhile. */
export async function beginDisconnecting(
  { stores }: Pick<Collections, 'stores'>,
  { tenant, store }: StoreDocument,
  request: Pick<Disconnection, 'by' | 'at' | 'setListingsToZero'>,
): Promise<boolean> {
  const disconnection: Disconnection = { ...request, finishedAt: null, listings: 0, notSetToZero: 0 };
  const { modifiedCount } = await stores.updateOne(
    { _id: keyOf(tenant, store), state: { $in: ['connecting', 'connected'] } },
    { $set: { state: 'disconnecting', disconnection } },
  );
  return modifiedCount === 1;
}

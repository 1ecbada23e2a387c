import type { Logger, Sender } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import type { mongo } from 'mongoose';
import type { Collections, ListingDocument } from './documents.ts';
import { listingChanged, mappableSku, remap } from './listing-mapping.ts';
import type { MarketplaceListing, StoreConnection } from './marketplace.ts';
import { publishWaiting } from './order-poller.ts';
import type { StoreIdentity } from './order-record.ts';
import type { Priority } from './rate-governor.ts';
import { versionText } from './version.ts';

export interface ImportOptions {
  readonly identity: StoreIdentity;
  readonly collections: Pick<Collections, 'stores' | 'listings' | 'seenOrders'>;
  readonly connection: StoreConnection;
  readonly sender: Pick<Sender, 'send'>;
  readonly alive: () => boolean;
  readonly log: Logger;
  readonly priority: Priority;
  readonly signal?: AbortSignal | undefined;
  /** A person asked for it: what was quarantined may try again. */
  readonly clearQuarantine?: boolean;
}

export interface Imported {
  /** Read at the marketplace. */
  readonly listings: number;
  /** Mapping changes found. */
  readonly mapped: number;
  readonly unmapped: number;
}

type Write = mongo.AnyBulkWriteOperation<ListingDocument>;

const publishAtOnce = 1_000;

/**
 * Reads all listings of a store and maps each to the SKU that it carries there; a listing that is gone is unmapped. Changes are stored with
 * the listing first and published then, until the broker has acknowledged them: whoever dies in between leaves them to the next import.
 */
export async function importListings(options: ImportOptions): Promise<Imported> {
  const { identity, collections, connection, priority, signal } = options;
  const { tenant, store } = identity;
  const found = new Set<string>();
  const tally = { mapped: 0, unmapped: 0 };
  for await (const page of connection.listings({ priority, signal })) {
    await takePage(options, page, tally);
    for (const { listing } of page) found.add(listing);
  }
  await unmapMissing(options, found, tally);
  await publishChanges(options);
  if (options.clearQuarantine)
    await collections.listings.updateMany(
      { tenant, store, quarantined: { $ne: null } },
      { $set: { quarantined: null }, $unset: { refusals: '' } },
    );
  await collections.stores.updateOne({ _id: keyOf(tenant, store) }, { $set: { importedAt: Date.now() } });
  if (tally.mapped + tally.unmapped > 0) options.log.info({ listings: found.size, ...tally }, 'Listings were imported.');
  return { listings: found.size, ...tally };
}

async function takePage(
  { identity, collections, log }: ImportOptions,
  page: readonly MarketplaceListing[],
  tally: { mapped: number; unmapped: number },
): Promise<void> {
  const { tenant, store } = identity;
  const now = Date.now();
  const ids = page.map(({ listing }) => keyOf(tenant, store, listing));
  const known = new Map<string, ListingDocument>();
  for await (const document of collections.listings.find({ _id: { $in: ids } })) known.set(document.listing, document);
  const writes = page.flatMap(({ listing, sku }): Write[] => {
    const mappable = mappableSku(sku);
    if (sku !== null && sku.trim() !== '' && mappable === null)
      log.warn({ listing }, 'A SKU is not well-formed text; the listing stays unmapped.');
    const before = known.get(listing) ?? null;
    const after = remap(before, mappable, now);
    if (!after) return [];
    for (const { type } of after.changes) tally[type === 'ListingMapped' ? 'mapped' : 'unmapped'] += 1;
    return [before ? changeWrite(before, after) : insertWrite(identity, listing, after)];
  });
  if (writes.length > 0) await collections.listings.bulkWrite(writes, { ordered: false });
}

/** An unmapping withdraws at once what is not sent yet, and bars requests for the old SKU that are still on their way. */
function changeWrite(before: ListingDocument, { sku, mapping, changes }: NonNullable<ReturnType<typeof remap>>): Write {
  const ended = changes.find(({ type }) => type === 'ListingUnmapped');
  const barred = ended && versionText({ mapping: ended.mapping, epoch: 0, sequence: 0, settings: 0 });
  return {
    updateOne: {
      filter: { _id: before._id, mapping: before.mapping },
      update: {
        $set: { sku, mapping, quarantined: null, ...(barred ? { wanted: null } : {}) },
        $push: { unpublished: { $each: [...changes] } },
        $unset: { refusals: '', ...(barred ? { outstanding: '', waitingSince: '' } : {}) },
        ...(barred ? { $max: { instructed: barred } } : {}),
      },
    },
  };
}

/** An insert that only takes effect where nobody was faster. */
function insertWrite(
  { tenant, store }: StoreIdentity,
  listing: string,
  { sku, mapping, changes }: NonNullable<ReturnType<typeof remap>>,
): Write {
  return {
    updateOne: {
      filter: { _id: keyOf(tenant, store, listing) },
      update: {
        $setOnInsert: {
          tenant,
          store,
          listing,
          sku,
          mapping,
          unpublished: changes,
          ownerEpoch: 0,
          instructed: '',
          wanted: null,
          confirmed: null,
          inFlight: null,
          withdrawn: null,
          quarantined: null,
        },
      },
      upsert: true,
    },
  };
}

/** The marketplace was read to the end, and these were not there. */
async function unmapMissing(
  { identity, collections, log }: ImportOptions,
  found: ReadonlySet<string>,
  tally: { unmapped: number },
): Promise<void> {
  const { tenant, store } = identity;
  const writes: Write[] = [];
  for await (const document of collections.listings.find({ tenant, store, sku: { $ne: null } })) {
    if (found.has(document.listing)) continue;
    const after = remap(document, null, Date.now());
    if (after) writes.push(changeWrite(document, after));
  }
  if (writes.length === 0) return;
  log.warn({ listings: writes.length }, 'Listings are no longer at the marketplace and are unmapped.');
  tally.unmapped += writes.length;
  await collections.listings.bulkWrite(writes, { ordered: false });
}

async function publishChanges({ identity, collections, sender, alive }: ImportOptions): Promise<void> {
  const { tenant, store } = identity;
  for (;;) {
    const documents = await collections.listings
      .find({ tenant, store, 'unpublished.0': { $exists: true } })
      .limit(publishAtOnce)
      .toArray();
    if (documents.length === 0) return;
    const records = documents.flatMap(({ listing, unpublished }) =>
      unpublished.map((change) => listingChanged({ ...identity, listing }, change)),
    );
    await sender.send(records, { alive });
    const mapped = new Map(documents.flatMap(({ listing, sku }) => (sku === null ? [] : [[listing, sku] as const])));
    await publishWaiting(identity, collections, sender, mapped, alive);
    await collections.listings.bulkWrite(
      documents.map(({ _id, unpublished }) => ({
        updateOne: { filter: { _id }, update: { $pull: { unpublished: { mapping: { $lte: unpublished.at(-1)?.mapping ?? 0 } } } } },
      })),
      { ordered: false },
    );
  }
}

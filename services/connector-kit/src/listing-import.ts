import type { Logger } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import type { mongo } from 'mongoose';
import type { Collections, LastRead, ListingDocument } from './documents.ts';
import { changeWrite, publishChanges, type ChangesOptions } from './listing-changes.ts';
import { mappableSku, remap, skuFor, type Remapped } from './listing-mapping.ts';
import type { MarketplaceListing, StoreConnection } from './marketplace.ts';
import type { StoreIdentity } from './order-record.ts';
import type { Priority } from './rate-governor.ts';

export interface ImportOptions extends ChangesOptions {
  readonly collections: Pick<Collections, 'stores' | 'listings' | 'seenOrders'>;
  readonly connection: StoreConnection;
  readonly log: Logger;
  readonly priority: Priority;
  readonly signal?: AbortSignal | undefined;
  /** A person asked for it: what was quarantined may try again. */
  readonly clearQuarantine?: boolean;
  /** Nobody has worked for the store yet, and its orders are read behind this: what a listing shows now is what it should show. */
  readonly first?: boolean;
}

export interface Imported {
  /** Read at the marketplace. */
  readonly listings: number;
  /** Mapping changes found. */
  readonly mapped: number;
  readonly unmapped: number;
}

type Tally = { mapped: number; unmapped: number };
type Write = mongo.AnyBulkWriteOperation<ListingDocument>;

/**
 * Reads all listings of a store and maps each to the SKU that it carries there, unless a person has decided otherwise; one that is gone is
 * unmapped, and mapped again when it is back. Changes are stored with the listing first and published then, until the broker has
 * acknowledged them: whoever dies in between leaves them to the next import.
 */
export async function importListings(options: ImportOptions): Promise<Imported> {
  const { identity, collections, connection, priority, signal } = options;
  const { tenant, store } = identity;
  const storeKey = keyOf(tenant, store);
  const startedAt = Date.now();
  const progress = async (finishedAt: number | null, listings: number, mapped: number): Promise<void> =>
    void (await collections.stores.updateOne({ _id: storeKey }, { $set: { import: { startedAt, finishedAt, listings, mapped } } }));
  const found = new Set<string>();
  const tally = { mapped: 0, unmapped: 0 };
  let mapped = 0;
  await progress(null, 0, 0);
  for await (const page of connection.listings({ priority, signal })) {
    mapped += await takePage(options, page, tally);
    for (const { listing } of page) found.add(listing);
    await progress(null, found.size, mapped);
  }
  await retireMissing(options, found, startedAt, tally);
  await publishChanges(options);
  if (options.clearQuarantine)
    await collections.listings.updateMany(
      { tenant, store, quarantined: { $ne: null } },
      { $set: { quarantined: null }, $unset: { refusals: '' } },
    );
  await progress(Date.now(), found.size, mapped);
  await collections.stores.updateOne({ _id: storeKey }, { $set: { importedAt: startedAt } });
  if (tally.mapped + tally.unmapped > 0) options.log.info({ listings: found.size, ...tally }, 'Listings were imported.');
  return { listings: found.size, ...tally };
}

/** Resolves to how many of these are mapped. */
async function takePage(
  { identity, collections, log, first = false }: ImportOptions,
  page: readonly MarketplaceListing[],
  tally: Tally,
): Promise<number> {
  const { tenant, store } = identity;
  const now = Date.now();
  const ids = page.map(({ listing }) => keyOf(tenant, store, listing));
  const known = new Map<string, ListingDocument>();
  for await (const document of collections.listings.find({ _id: { $in: ids } })) known.set(document.listing, document);
  let mapped = 0;
  const writes = page.flatMap((read): Write[] => {
    if (read.sku !== null && read.sku.trim() !== '' && mappableSku(read.sku) === null)
      log.warn({ listing: read.listing }, 'A SKU is not well-formed text; the listing stays unmapped.');
    const before = known.get(read.listing) ?? null;
    const sku = skuFor({ chosen: before?.chosen ?? null, marketplaceSku: read.sku, gone: null });
    if (sku !== null) mapped += 1;
    const after = remap(before, sku, now);
    for (const { type } of after?.changes ?? []) tally[type === 'ListingMapped' ? 'mapped' : 'unmapped'] += 1;
    const facts = { marketplaceSku: read.sku, lastRead: readingOf(read, before, now), gone: null };
    const expected = first && read.quantity !== null ? { expected: read.quantity } : {};
    if (!before) return after ? [insertWrite(identity, read.listing, after, { ...facts, ...expected })] : [];
    if (after) return [changeWrite(before, after, facts)];
    return isNews(before, facts) ? [{ updateOne: { filter: { _id: before._id }, update: { $set: facts } } }] : [];
  });
  if (writes.length > 0) await collections.listings.bulkWrite(writes, { ordered: false });
  return mapped;
}

function readingOf({ quantity, onSale }: MarketplaceListing, before: ListingDocument | null, at: number): LastRead {
  const { expected = null, inFlight = null } = before ?? {};
  const unexpected = inFlight === null && expected !== null && quantity !== null && quantity !== expected;
  return { quantity, onSale, at, ...(unexpected ? { unexpected } : {}) };
}

/** Ten thousand listings are not written anew every five minutes where nothing has changed. */
function isNews({ marketplaceSku, lastRead, gone }: ListingDocument, now: { marketplaceSku: string | null; lastRead: LastRead }): boolean {
  if (marketplaceSku !== now.marketplaceSku || !lastRead || gone) return true;
  const { quantity, onSale, unexpected } = now.lastRead;
  return lastRead.quantity !== quantity || lastRead.onSale !== onSale || lastRead.unexpected !== unexpected;
}

/** An insert that only takes effect where nobody was faster. */
export function insertWrite(
  { tenant, store }: StoreIdentity,
  listing: string,
  { sku, mapping, changes }: Remapped,
  facts: Partial<ListingDocument>,
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
          ...facts,
        },
      },
      upsert: true,
    },
  };
}

/** The marketplace was read to the end, and these were not there. One that another reading has found since then stays. */
async function retireMissing(
  { identity, collections, log }: ImportOptions,
  found: ReadonlySet<string>,
  startedAt: number,
  tally: Tally,
): Promise<void> {
  const { tenant, store } = identity;
  const writes: Write[] = [];
  const now = Date.now();
  for await (const document of collections.listings.find({ tenant, store })) {
    if (found.has(document.listing) || document.gone || (document.lastRead?.at ?? 0) >= startedAt) continue;
    const after = remap(document, null, now);
    if (after) tally.unmapped += 1;
    writes.push(
      after
        ? changeWrite(document, after, { gone: now })
        : { updateOne: { filter: { _id: document._id }, update: { $set: { gone: now } } } },
    );
  }
  if (writes.length === 0) return;
  log.warn({ listings: writes.length }, 'Listings are no longer at the marketplace and are unmapped.');
  await collections.listings.bulkWrite(writes, { ordered: false });
}

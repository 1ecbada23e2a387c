import type { IncidentDetails, IncidentReport, IncidentStore } from '@evenkeel/chassis';
import { keyOf, partsOf } from '@evenkeel/contracts';
import type { Collections, ListingDocument, StoreDocument } from './documents.ts';
import type { HoldReason } from './failure.ts';

type Shown = Pick<ListingDocument, 'confirmed' | 'lastRead' | 'expected'>;

/**
 * What a listing shows as far as anybody knows: what it should show less what it has sold since, unless it was seen to show something else; else
 * the newer of what was confirmed and what was read. Null where nobody knows.
 */
function shownOn({ confirmed, lastRead, expected }: Shown): number | null {
  const isRead = lastRead && lastRead.quantity !== null && lastRead.at > (confirmed?.at ?? 0);
  if (typeof expected === 'number' && !(isRead && lastRead.unexpected)) return expected;
  return isRead ? lastRead.quantity : (confirmed?.quantity ?? null);
}

/** Whether shoppers can buy it, as far as anybody knows. */
export const isOnSale = (listing: Shown & Pick<ListingDocument, 'gone'>): boolean =>
  !listing.gone && listing.lastRead?.onSale !== false && (shownOn(listing) ?? 0) > 0;

/** Why nothing goes out to a listing: what holds its store, else what holds it alone. */
export const holdOf = (listing: Pick<ListingDocument, 'paused' | 'quarantined'>, ofStore: HoldReason | null): HoldReason | null =>
  ofStore ?? (listing.paused ? 'listing_paused' : listing.quarantined ? 'quarantined' : null);

/** A listing that sells what is not there, because nothing may go out to it; null where it does not. */
export function sellingWithoutStock(listing: ListingDocument, ofStore: HoldReason | null): IncidentDetails | null {
  const hold = holdOf(listing, ofStore);
  if (hold === null || listing.sku === null || !listing.wanted || listing.wanted.quantity > 0 || !isOnSale(listing)) return null;
  return {
    store: listing.store,
    listing: listing.listing,
    sku: listing.sku,
    available: String(listing.wanted.quantity),
    shown: String(shownOn(listing)),
    hold,
  };
}

export const sellingWithoutStockKind = 'selling_without_stock';

export interface HeldReviewOptions {
  readonly store: Pick<StoreDocument, 'tenant' | 'store'>;
  readonly collections: Pick<Collections, 'listings'>;
  readonly incidents: Pick<IncidentStore, 'page'>;
  readonly report: (incident: IncidentReport) => Promise<void>;
}

const pageSize = 200;

/**
 * Opens and closes the incidents of a store's listings that are held and still on sale at Available ≤ 0. `all`: looks at every listing; else only
 * at those with a push that waits, which is what the indexes know.
 */
export async function reviewHeld(
  { store: { tenant, store }, collections: { listings }, incidents, report }: HeldReviewOptions,
  { hold, all }: { readonly hold: HoldReason | null; readonly all: boolean },
): Promise<void> {
  const ofStore = { tenant, store };
  const selling = new Map<string, IncidentDetails>();
  const look = (listing: ListingDocument): void => {
    const details = sellingWithoutStock(listing, hold);
    if (details) selling.set(keyOf(store, listing.listing), details);
  };
  if (all) for await (const listing of listings.find({ ...ofStore, 'wanted.quantity': { $lte: 0 } })) look(listing);
  else {
    for (const only of [{ 'paused.at': { $exists: true } }, { 'quarantined.at': { $exists: true } }])
      for await (const listing of listings.find({ ...ofStore, ...only })) look(listing);
    if (hold !== null)
      for await (const listing of listings.find({ ...ofStore, outstanding: true }).sort({ 'wanted.quantity': 1 })) {
        if ((listing.wanted?.quantity ?? 0) > 0) break;
        look(listing);
      }
  }
  const at = Date.now();
  const tell = (subject: string, details: IncidentDetails | null) =>
    report({
      tenant,
      kind: sellingWithoutStockKind,
      subject,
      details,
      at,
      correlation: `${sellingWithoutStockKind}/${keyOf(tenant, subject)}`,
    });
  const open: string[] = [];
  for await (const subject of openSubjects(incidents, tenant, store)) open.push(subject);
  for (const [subject, details] of selling) if (!open.includes(subject)) await tell(subject, details);
  for (const subject of open) {
    if (selling.has(subject)) continue;
    const [, listing = ''] = partsOf(subject);
    const document = await listings.findOne({ _id: keyOf(tenant, store, listing) });
    if (!document || sellingWithoutStock(document, hold) === null) await tell(subject, null);
  }
}

async function* openSubjects(incidents: HeldReviewOptions['incidents'], tenant: string, store: string): AsyncGenerator<string> {
  const prefix = keyOf(tenant, sellingWithoutStockKind, keyOf(store, ''));
  for (let after = prefix; ;) {
    const page = await incidents.page({ tenant, kind: sellingWithoutStockKind, state: 'open', after, limit: pageSize });
    for (const { _id, subject } of page) {
      if (!_id.startsWith(prefix)) return;
      yield subject;
    }
    const last = page.at(-1);
    if (!last || page.length < pageSize) return;
    after = last._id;
  }
}

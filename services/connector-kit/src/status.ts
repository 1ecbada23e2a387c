import type { mongo } from 'mongoose';
import type { Collections, ListingDocument, Pause, StoreDocument } from './documents.ts';
import type { HoldReason } from './failure.ts';
import { holdOf, isOnSale, sellingWithoutStock } from './held-listings.ts';
import type { Marketplace } from './marketplace.ts';
import { holdOfStore, isPassive, isRefused } from './store-hold.ts';
import { versionOf } from './version.ts';
import { webhookPathOf } from './webhooks.ts';

export const storeStatuses = ['disconnected', 'credentials_expired', 'passive', 'sync_errors', 'throttled', 'ok'] as const;
export type StoreStatus = (typeof storeStatuses)[number];

/** A push that waits longer than this is a sync error. */
const objectiveMilliseconds = 60_000;

/** What is counted of a store's listings. */
export interface ListingCounts {
  readonly listings: number;
  readonly mapped: number;
  readonly outstanding: number;
  readonly paused: number;
  readonly quarantined: number;
  readonly gone: number;
  /** Since when the longest-waiting of the outstanding ones waits; null where none does. */
  readonly waitingSince: number | null;
}

/** Most severe first; a store that is not wholly connected counts as disconnected: nothing is pushed to it. */
export function statusOf(
  store: Pick<StoreDocument, 'state' | 'gate' | 'circuit' | 'credentialVersion' | 'paused' | 'inactive' | 'throttled'>,
  { quarantined, waitingSince }: Pick<ListingCounts, 'quarantined' | 'waitingSince'>,
  now: number,
): StoreStatus {
  if (store.state !== 'connected') return 'disconnected';
  if (isRefused(store)) return 'credentials_expired';
  if (isPassive(store)) return 'passive';
  const late = waitingSince !== null && now - waitingSince > objectiveMilliseconds;
  if (store.circuit?.state === 'open' || quarantined > 0 || late) return 'sync_errors';
  return store.throttled ? 'throttled' : 'ok';
}

const countIf = (condition: unknown) => ({ $sum: { $cond: [condition, 1, 0] } });
const isSet = (field: string) => ({ $ne: [{ $ifNull: [field, null] }, null] });

export async function countsOf(
  { listings }: Pick<Collections, 'listings'>,
  { tenant, store }: Pick<StoreDocument, 'tenant' | 'store'>,
): Promise<ListingCounts> {
  const [found] = await listings
    .aggregate<ListingCounts>([
      { $match: { tenant, store } },
      {
        $group: {
          _id: null,
          listings: { $sum: 1 },
          mapped: countIf(isSet('$sku')),
          outstanding: countIf({ $eq: ['$outstanding', true] }),
          paused: countIf(isSet('$paused')),
          quarantined: countIf(isSet('$quarantined')),
          gone: countIf(isSet('$gone')),
          waitingSince: { $min: '$waitingSince' },
        },
      },
    ])
    .toArray();
  if (!found) return { listings: 0, mapped: 0, outstanding: 0, paused: 0, quarantined: 0, gone: 0, waitingSince: null };
  const { _id: _, ...counts } = found as ListingCounts & { _id: unknown };
  return { ...counts, waitingSince: counts.waitingSince ?? null };
}

const time = (at: number | null | undefined): string | null => (at === null || at === undefined ? null : new Date(at).toISOString());
const pauseView = (pause: Pause | null | undefined) => (pause ? { by: pause.by, at: time(pause.at) } : null);

/** A store as people see it; nothing of its credentials but their version. */
export function storeView(
  { webhooks }: Pick<Marketplace, 'webhooks'>,
  store: StoreDocument,
  { waitingSince, ...listings }: ListingCounts,
  hold: HoldReason | null,
) {
  const refused = isRefused(store) ? store.gate : null;
  const { import: reading, disconnection } = store;
  return {
    store: store.store,
    marketplace: store.marketplace,
    state: store.state,
    status: statusOf(store, { quarantined: listings.quarantined, waitingSince }, Date.now()),
    hold: store.state === 'disconnected' ? null : (holdOfStore(store) ?? hold),
    account: store.account,
    name: store.name,
    settings: store.settings,
    credentials: {
      version: store.credentialVersion,
      refused: refused && { code: refused.code, message: refused.message, since: time(refused.since) },
    },
    webhooks: webhooks ? { path: webhookPathOf(store), secretEntered: Boolean(store.webhookSecret) } : null,
    paused: pauseView(store.paused),
    inactiveSince: time(store.inactive?.since),
    circuit: store.circuit?.state ?? 'closed',
    throttledSince: time(store.throttled?.since),
    ordersReadTo: time(store.cursor),
    connectedAt: time(store.connectedAt),
    listingsReadAt: time(store.importedAt),
    import: importView(reading),
    listings: { ...listings, waitingSince: time(waitingSince) },
    disconnection: disconnection
      ? {
          by: disconnection.by,
          at: time(disconnection.at),
          setListingsToZero: disconnection.setListingsToZero,
          finishedAt: time(disconnection.finishedAt),
          listings: disconnection.listings,
          notSetToZero: disconnection.notSetToZero,
        }
      : null,
  };
}

function importView(reading: StoreDocument['import']) {
  if (!reading) return { state: 'waiting' as const, listings: 0, mapped: 0, unmapped: 0, startedAt: null, finishedAt: null };
  const { startedAt, finishedAt, listings, mapped } = reading;
  const state = finishedAt === null ? ('reading' as const) : ('done' as const);
  return { state, listings, mapped, unmapped: listings - mapped, startedAt: time(startedAt), finishedAt: time(finishedAt) };
}

/** A listing as people see it: what it shall show, what it was last confirmed and last seen to show, and why not yet. */
export function listingView(listing: ListingDocument, store: StoreDocument | undefined) {
  const { sku, mapping, wanted, confirmed, inFlight, withdrawn, quarantined, chosen, gone, lastRead } = listing;
  const now = Date.now();
  const age = (at: number): number => Math.max(0, now - at) / 1_000;
  // What an import found unchanged was not written anew.
  const readAt = lastRead && Math.max(lastRead.at, gone ? 0 : (store?.importedAt ?? 0));
  return {
    store: listing.store,
    listing: listing.listing,
    sku,
    marketplaceSku: listing.marketplaceSku ?? null,
    mapping,
    mappedBy: chosen ? ('person' as const) : sku === null ? null : ('sku' as const),
    chosen: chosen ? { sku: chosen.sku, by: chosen.by, at: time(chosen.at) } : null,
    goneSince: time(gone),
    paused: pauseView(listing.paused),
    hold: holdOf(listing, store ? holdOfStore(store) : null),
    onSale: isOnSale(listing),
    outstanding: listing.outstanding === true,
    waiting: listing.waiting === true,
    waitingSince: time(listing.waitingSince),
    wanted: wanted && {
      available: wanted.quantity,
      version: versionOf(wanted.version),
      reason: wanted.reason,
      correlation: wanted.correlation,
      at: time(wanted.at),
      ageSeconds: age(wanted.at),
    },
    confirmed: confirmed && {
      quantity: confirmed.quantity,
      version: versionOf(confirmed.version),
      at: time(confirmed.at),
      ageSeconds: age(confirmed.at),
    },
    lastRead:
      lastRead && readAt ? { quantity: lastRead.quantity, onSale: lastRead.onSale, at: time(readAt), ageSeconds: age(readAt) } : null,
    inFlight: inFlight && { quantity: inFlight.quantity, version: versionOf(inFlight.version), at: time(inFlight.at), call: inFlight.key },
    withdrawn: withdrawn && { reason: withdrawn.reason, version: versionOf(withdrawn.version), at: time(withdrawn.at) },
    quarantined: quarantined && { code: quarantined.code, message: quarantined.message, at: time(quarantined.at) },
  };
}

/** What a pause would leave, or leaves, as it is: for the person who pauses. */
export interface PauseWarning {
  /** Mapped listings that nothing goes out to. */
  readonly listings: number;
  /** Of these, on sale as far as anybody knows ... */
  readonly onSale: number;
  /** ... and of these, with nothing left to sell: shoppers can buy what is not there. */
  readonly sellingWithoutStock: number;
}

export async function warningOf(
  { listings }: Pick<Collections, 'listings'>,
  filter: mongo.Filter<ListingDocument>,
  hold: HoldReason | null,
): Promise<PauseWarning> {
  const warning = { listings: 0, onSale: 0, sellingWithoutStock: 0 };
  for await (const listing of listings.find({ ...filter, sku: { $ne: null } })) {
    warning.listings += 1;
    if (isOnSale(listing)) warning.onSale += 1;
    if (sellingWithoutStock(listing, hold)) warning.sellingWithoutStock += 1;
  }
  return warning;
}

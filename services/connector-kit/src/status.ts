import type { ListingDocument, StoreDocument } from './documents.ts';
import type { HoldReason } from './failure.ts';
import { versionOf } from './version.ts';

/** Most severe first. `disconnected`: never fully connected; `passive` and `throttled` come with their verdicts. */
export type StoreStatus = 'disconnected' | 'credentials_expired' | 'passive' | 'sync_errors' | 'throttled' | 'ok';

function statusOf(store: Pick<StoreDocument, 'state' | 'gate' | 'circuit' | 'credentialVersion'>, quarantined: number): StoreStatus {
  if (store.state === 'connecting') return 'disconnected';
  if (store.gate?.credentialVersion === store.credentialVersion) return 'credentials_expired';
  return store.circuit?.state === 'open' || quarantined > 0 ? 'sync_errors' : 'ok';
}

const time = (at: number | null | undefined): string | null => (at === null || at === undefined ? null : new Date(at).toISOString());

/** A store as people see it; nothing of its credentials but their version. */
export function storeView(
  store: StoreDocument,
  counts: { listings: number; mapped: number; outstanding: number; quarantined: number },
  hold: HoldReason | null,
) {
  const refused = store.gate?.credentialVersion === store.credentialVersion ? store.gate : null;
  return {
    store: store.store,
    marketplace: store.marketplace,
    status: statusOf(store, counts.quarantined),
    hold,
    account: store.account,
    name: store.name,
    settings: store.settings,
    credentials: {
      version: store.credentialVersion,
      refused: refused && { code: refused.code, message: refused.message, since: time(refused.since) },
    },
    circuit: store.circuit?.state ?? 'closed',
    ordersReadTo: time(store.cursor),
    connectedAt: time(store.connectedAt),
    listingsReadAt: time(store.importedAt),
    listings: counts,
  };
}

/** A listing as people see it: what it shall show, what it was last confirmed to show, and why not yet. */
export function listingView({
  store,
  listing,
  sku,
  mapping,
  wanted,
  confirmed,
  inFlight,
  withdrawn,
  quarantined,
  outstanding,
}: ListingDocument) {
  return {
    store,
    listing,
    sku,
    mapping,
    outstanding: outstanding === true,
    wanted: wanted && {
      available: wanted.quantity,
      version: versionOf(wanted.version),
      reason: wanted.reason,
      correlation: wanted.correlation,
      at: time(wanted.at),
    },
    confirmed: confirmed && { quantity: confirmed.quantity, version: versionOf(confirmed.version), at: time(confirmed.at) },
    inFlight: inFlight && { quantity: inFlight.quantity, version: versionOf(inFlight.version), at: time(inFlight.at), call: inFlight.key },
    withdrawn: withdrawn && { reason: withdrawn.reason, version: versionOf(withdrawn.version), at: time(withdrawn.at) },
    quarantined: quarantined && { code: quarantined.code, message: quarantined.message, at: time(quarantined.at) },
  };
}

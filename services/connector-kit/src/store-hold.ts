import type { StoreDocument } from './documents.ts';
import type { HoldReason } from './failure.ts';

/** A verdict counts only while the credentials that it was made with are the stored ones. */
export const isRefused = ({ gate, credentialVersion }: Pick<StoreDocument, 'gate' | 'credentialVersion'>): boolean =>
  gate?.credentialVersion === credentialVersion;

/** Paused by a person, or inactive at the marketplace: its pushes wait, its orders are read. */
export const isPassive = ({ paused, inactive }: Pick<StoreDocument, 'paused' | 'inactive'>): boolean => Boolean(paused ?? inactive);

/** Why nothing goes out to a store as a whole, as far as its document says; null where something may. */
export function holdOfStore(
  store: Pick<StoreDocument, 'gate' | 'credentialVersion' | 'paused' | 'inactive' | 'circuit'>,
): HoldReason | null {
  if (isRefused(store)) return 'disconnected';
  if (isPassive(store)) return 'store_passive';
  return store.circuit?.state === 'open' ? 'circuit_open' : null;
}

import { entriesBefore, type JournalEntry, type JournalReader } from '@evenkeel/chassis';
import { createShortfall, mostMovementsSince, movementsSince, type BeyondOnHand, type LedgerRow } from './domain.ts';

export type Ledger = Pick<JournalReader<LedgerRow, unknown>, 'entries'>;
export type Row = JournalEntry<LedgerRow>;

/** The rows before a refused update that took On Hand at its location away from what its user had seen. */
export async function changesSince(ledger: Ledger, key: string, refusal: Row, seen: number): Promise<Row[]> {
  const { location } = refusal.data;
  if (location === null) return [];
  const read: Row[] = [];
  await entriesBefore(ledger, key, refusal.sequence, (row) => {
    const { data } = row;
    if (data.location !== location || data.refused !== null) return 'more';
    read.push(row);
    return data.locationOnHand === seen || read.length > mostMovementsSince ? 'enough' : 'more';
  });
  return movementsSince(read, location, seen);
}

/** Whose units go beyond what there is: the newest reservations that are neither released nor taken, until `short` units are covered. */
export async function reservationsBeyond(ledger: Ledger, key: string, short: number): Promise<readonly BeyondOnHand[]> {
  const shortfall = createShortfall(short);
  if (short > 0) await entriesBefore(ledger, key, Number.MAX_SAFE_INTEGER, (row) => shortfall.take(row));
  return shortfall.found;
}

import type { JournalEntry, JournalReader } from '@evenkeel/chassis';
import { createShortfall, mostMovementsSince, movementsSince, type BeyondOnHand, type LedgerRow } from './domain.ts';

export type Ledger = Pick<JournalReader<LedgerRow, unknown>, 'entries'>;
export type Row = JournalEntry<LedgerRow>;

const pageRows = 500;
/** A request reads so many rows at most; what lies before is on the next page. */
const mostRowsRead = 10_000;
/** A row's time is when its cause entered the system, and its place when it was journaled: after an outage that was later, but not later than this. */
const mostDelayMilliseconds = 14 * 24 * 3_600_000;

/** Rows below a sequence, newest first, read page by page, as far as one request goes. */
async function rowsBefore(ledger: Ledger, key: string, before: number, onRow: (row: Row) => 'more' | 'enough'): Promise<void> {
  let below = before;
  for (let read = 0; read < mostRowsRead; read += pageRows) {
    const page = await ledger.entries(key, { before: below, limit: pageRows });
    for (const row of page) {
      below = row.sequence;
      if (onRow(row) === 'enough') return;
    }
    if (page.length < pageRows) return;
  }
}

export interface Page {
  readonly rows: readonly Row[];
  /** Where the next page goes on; null where there is none. */
  readonly next: number | null;
}

/** One page of those rows that a person asked for, newest first; `from`: nothing wanted is older. */
export async function pageOf(
  ledger: Ledger,
  key: string,
  {
    before = Number.MAX_SAFE_INTEGER,
    limit,
    from = -Infinity,
    isWanted,
  }: { before?: number | undefined; limit: number; from?: number | undefined; isWanted: (row: Row) => boolean },
): Promise<Page> {
  const rows: Row[] = [];
  let lowest = before;
  let isOver = false;
  await rowsBefore(ledger, key, before, (row) => {
    lowest = row.sequence;
    isOver = row.at < from - mostDelayMilliseconds;
    if (isWanted(row)) rows.push(row);
    return isOver || rows.length === limit ? 'enough' : 'more';
  });
  if (isOver) return { rows, next: null };
  // Sequences run from 1 without a gap: below the lowest row that was read there is another, unless it was the first.
  return { rows, next: lowest > 1 && lowest !== before ? lowest : null };
}

/** The rows before a refused update that took On Hand at its location away from what its user had seen. */
export async function changesSince(ledger: Ledger, key: string, refusal: Row, seen: number): Promise<Row[]> {
  const { location } = refusal.data;
  if (location === null) return [];
  const read: Row[] = [];
  await rowsBefore(ledger, key, refusal.sequence, (row) => {
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
  if (short > 0) await rowsBefore(ledger, key, Number.MAX_SAFE_INTEGER, (row) => shortfall.take(row));
  return shortfall.found;
}

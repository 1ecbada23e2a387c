import type { JournalEntry, JournalReader } from '@evenkeel/chassis';
import { mostMovementsSince, movementsSince, type LedgerRow, type SkuStock } from './domain.ts';

export type Ledger = JournalReader<LedgerRow, SkuStock>;
export type Row = JournalEntry<LedgerRow>;

const pageRows = 500;
/** A request reads so many rows at most; what lies before is on the next page. */
const mostRowsRead = 10_000;

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

/** One page of those rows that a person asked for, newest first. */
export async function pageOf(
  ledger: Ledger,
  key: string,
  {
    before = Number.MAX_SAFE_INTEGER,
    limit,
    isWanted,
  }: { before?: number | undefined; limit: number; isWanted: (row: LedgerRow) => boolean },
): Promise<Page> {
  const rows: Row[] = [];
  let lowest = before;
  await rowsBefore(ledger, key, before, (row) => {
    lowest = row.sequence;
    if (isWanted(row.data)) rows.push(row);
    return rows.length === limit ? 'enough' : 'more';
  });
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

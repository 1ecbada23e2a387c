import type { JournalEntry } from './aggregate.ts';
import type { JournalReader } from './reader.ts';

const pageEntries = 500;
/** A request reads so many entries at most; what lies before is on the next page. */
const mostEntriesRead = 10_000;
/** An entry's time is when its cause entered the system, and its place when it was journaled: after an outage that was later, but not later than this. */
const mostDelayMilliseconds = 14 * 24 * 3_600_000;

type Entries<Data> = Pick<JournalReader<Data, unknown>, 'entries'>;

/** Entries below a sequence, newest first, read page by page, until one is enough; as far as one request goes. */
export async function entriesBefore<Data>(
  journal: Entries<Data>,
  key: string,
  before: number,
  onEntry: (entry: JournalEntry<Data>) => 'more' | 'enough',
): Promise<void> {
  let below = before;
  for (let read = 0; read < mostEntriesRead; read += pageEntries) {
    const page = await journal.entries(key, { before: below, limit: pageEntries });
    for (const entry of page) {
      below = entry.sequence;
      if (onEntry(entry) === 'enough') return;
    }
    if (page.length < pageEntries) return;
  }
}

interface Wanted<Data> {
  readonly before?: number | undefined;
  readonly limit: number;
  /** Nothing wanted is older. */
  readonly from?: number | undefined;
  readonly isWanted: (entry: JournalEntry<Data>) => boolean;
}

/** One page of those entries of an aggregate that are wanted, newest first; `next`: the `before` of the next page, null where there is none. */
export async function entriesWhere<Data>(
  journal: Entries<Data>,
  key: string,
  { before = Number.MAX_SAFE_INTEGER, limit, from = -Infinity, isWanted }: Wanted<Data>,
): Promise<{ readonly entries: readonly JournalEntry<Data>[]; readonly next: number | null }> {
  const entries: JournalEntry<Data>[] = [];
  let lowest = before;
  let isOver = false;
  await entriesBefore(journal, key, before, (entry) => {
    lowest = entry.sequence;
    isOver = entry.at < from - mostDelayMilliseconds;
    if (isWanted(entry)) entries.push(entry);
    return isOver || entries.length === limit ? 'enough' : 'more';
  });
  // Sequences run from 1 without a gap: below the lowest entry that was read there is another, unless it was the first.
  return { entries, next: !isOver && lowest > 1 && lowest !== before ? lowest : null };
}

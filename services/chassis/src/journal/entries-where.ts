import type { JournalEntry } from './aggregate.ts';
import type { JournalReader } from './reader.ts';

const pageEntries = 500;
/** A request reads so many entries at most; what lies before is on the next page. */
const mostEntriesRead = 10_000;

/** One page of those entries of an aggregate that are wanted, newest first; `next`: the `before` of the next page, null where there is none. */
export async function entriesWhere<Data>(
  journal: Pick<JournalReader<Data, unknown>, 'entries'>,
  key: string,
  {
    before = Number.MAX_SAFE_INTEGER,
    limit,
    isWanted,
  }: { readonly before?: number | undefined; readonly limit: number; readonly isWanted: (data: Data) => boolean },
): Promise<{ readonly entries: readonly JournalEntry<Data>[]; readonly next: number | null }> {
  const entries: JournalEntry<Data>[] = [];
  let below = before;
  for (let read = 0; read < mostEntriesRead && entries.length < limit; read += pageEntries) {
    const page = await journal.entries(key, { before: below, limit: pageEntries });
    for (const entry of page) {
      below = entry.sequence;
      if (isWanted(entry.data)) entries.push(entry);
      if (entries.length === limit) break;
    }
    if (page.length < pageEntries) break;
  }
  // Sequences run from 1 without a gap: below the lowest entry that was read there is another, unless it was the first.
  return { entries, next: below > 1 && below !== before ? below : null };
}

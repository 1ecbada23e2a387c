import type { Facts, Finding, JournalDocument, JournalEntry, ReservationEntry } from '../facts.ts';
import { groupBy, nameKey } from '../keys.ts';

/** How the entries of one service's journal may share a cause. */
interface Journal<Entry> {
  readonly service: string;
  readonly documents: readonly JournalDocument<Entry>[];
  readonly about: 'sku' | 'order';
  /** Two entries of one aggregate with the same cause must have different effects; most journals allow but one entry per cause. */
  effectOf(entry: Entry): string;
  /** True where every cause must be in the unique index, so that a repeat is refused. */
  readonly indexed: boolean;
}

const one = () => '';

/** An order event may open, close and pick units of several SKUs, each of them once. */
function effectOfReservation({ effect }: ReservationEntry): string {
  return effect === null ? 'nothing' : `${effect.kind} ${JSON.stringify([effect.sku, effect.label])}`;
}

/** I2: one effect per cause in every journal, also inside one document, which no unique index sees. */
export function checkCauses({ ledgers, reservations, orders, policies }: Facts): Finding[] {
  return [
    ...repeatsIn({ service: 'stock', documents: ledgers, about: 'sku', effectOf: one, indexed: true }),
    ...repeatsIn({ service: 'order', documents: orders, about: 'order', effectOf: one, indexed: true }),
    ...repeatsIn({ service: 'reservation', documents: reservations, about: 'order', effectOf: effectOfReservation, indexed: false }),
    ...repeatsIn({ service: 'sync-policy', documents: policies, about: 'sku', effectOf: one, indexed: false }),
  ];
}

function repeatsIn<Entry>(journal: Journal<Entry>): Finding[] {
  return [...groupBy(journal.documents, ({ aggregate }) => aggregate)].flatMap(([aggregate, documents]) => {
    const { tenant, subject } = nameKey(aggregate);
    const finding = (sequence: number, sentence: string): Finding => ({
      invariant: 'I2',
      tenant,
      [journal.about]: subject,
      version: String(sequence),
      sentence: `in the journal of ${journal.service}, ${sentence}`,
    });
    return [
      ...repeatedEntries(journal, documents).map(({ first, again, sameDocument }) =>
        finding(
          again.sequence,
          `${again.cause} has an effect twice: entries ${first.sequence} and ${again.sequence}${sameDocument ? ', inside one document' : ''}`,
        ),
      ),
      ...(journal.indexed
        ? documents.flatMap((document) => unindexed(document).map((entry) => finding(entry.sequence, unindexedSentence(entry))))
        : []),
    ];
  });
}

function repeatedEntries<Entry>(journal: Journal<Entry>, documents: readonly JournalDocument<Entry>[]) {
  const seen = new Map<string, { entry: JournalEntry<Entry>; from: number }>();
  const repeats: { first: JournalEntry<Entry>; again: JournalEntry<Entry>; sameDocument: boolean }[] = [];
  for (const { from, entries } of documents.toSorted((a, b) => a.from - b.from))
    for (const entry of entries) {
      const effect = `${entry.cause}\n${journal.effectOf(entry.data)}`;
      const first = seen.get(effect);
      if (first && first.entry.sequence !== entry.sequence)
        repeats.push({ first: first.entry, again: entry, sameDocument: first.from === from });
      else seen.set(effect, { entry, from });
    }
  return repeats;
}

const unindexed = <Entry>({ causes, entries }: JournalDocument<Entry>) => {
  const indexed = new Set(causes);
  return entries.filter(({ cause }) => !indexed.has(cause));
};

const unindexedSentence = ({ sequence, cause }: JournalEntry<unknown>) =>
  `the cause of entry ${sequence}, ${cause}, is not among its document's causes: a repeat would have its effect again`;

import type { Facts, Finding, JournalDocument, JournalEntry, ReservationEntry } from '../facts.ts';
import { groupBy, nameKey } from '../keys.ts';

/** How the entries of one service's journal may share a cause. */
interface Journal<Entry> {
  readonly service: string;
  readonly documents: readonly JournalDocument<Entry>[];
  readonly about: 'sku' | 'order' | 'purchase';
  /** Two entries of one aggregate with the same cause must have different effects; most journals allow but one entry per cause. */
  effectOf(entry: Entry): string;
  /** Whether a cause must be in the unique index, so that a repeat is refused; others are known by their source's own sequence. */
  indexed(cause: string): boolean;
}

const one = () => '';
const all = () => true;
const none = () => false;

/** An event may open, close, pick and batch units of several SKUs, each of them once. */
function effectOfReservation({ effect, note = 'nothing' }: ReservationEntry): string {
  return effect === null ? note : `${effect.kind} ${JSON.stringify([effect.sku, effect.label, effect.batch])}`;
}
const isOrder = (cause: string) => cause.startsWith('order/');

/** I2: one effect per cause in every journal, also inside one document, which no unique index sees. */
export function checkCauses({ ledgers, reservations, orders, purchases, policies }: Facts): Finding[] {
  return [
    ...repeatsIn({ service: 'stock', documents: ledgers, about: 'sku', effectOf: one, indexed: all }),
    ...repeatsIn({ service: 'order', documents: orders, about: 'order', effectOf: one, indexed: all }),
    ...repeatsIn({ service: 'purchasing', documents: purchases, about: 'purchase', effectOf: one, indexed: all }),
    ...repeatsIn({
      service: 'reservation',
      documents: reservations,
      about: 'order',
      effectOf: effectOfReservation,
      indexed: (cause) => !isOrder(cause),
    }),
    ...repeatsIn({ service: 'sync-policy', documents: policies, about: 'sku', effectOf: one, indexed: none }),
  ];
}

function repeatsIn<Entry>(journal: Journal<Entry>): Finding[] {
  return [...groupBy(journal.documents, ({ aggregate }) => aggregate)].flatMap(([aggregate, documents]) => {
    const { tenant, subject } = nameKey(aggregate);
    const finding = (sequence: number, sentence: string): Finding => ({
      invariant: 'I2',
      tenant,
      ...aboutOf(journal, subject),
      version: String(sequence),
      sentence: `in the journal of ${nameOf(journal, subject)}, ${sentence}`,
    });
    return [
      ...repeatedEntries(journal, documents).map(({ first, again, sameDocument }) =>
        finding(
          again.sequence,
          `${again.cause} has an effect twice: entries ${first.sequence} and ${again.sequence}${sameDocument ? ', inside one document' : ''}`,
        ),
      ),
      ...documents.flatMap((document) => unindexed(journal, document).map((entry) => finding(entry.sequence, unindexedSentence(entry)))),
    ];
  });
}

/** A finding names SKUs and orders; what else a journal is about stands in its sentence. */
const aboutOf = <Entry>({ about }: Journal<Entry>, subject: string) => (about === 'purchase' ? {} : { [about]: subject });
const nameOf = <Entry>({ about, service }: Journal<Entry>, subject: string) =>
  about === 'purchase' ? `the purchase order ${subject}` : service;

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

const unindexed = <Entry>(journal: Journal<Entry>, { causes, entries }: JournalDocument<Entry>) => {
  const indexed = new Set(causes);
  return entries.filter(({ cause }) => journal.indexed(cause) && !indexed.has(cause));
};

const unindexedSentence = ({ sequence, cause }: JournalEntry<unknown>) =>
  `the cause of entry ${sequence}, ${cause}, is not among its document's causes: a repeat would have its effect again`;

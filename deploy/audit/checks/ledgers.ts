import type { Facts, Finding, JournalDocument, LedgerRow, TopicRecord } from '../facts.ts';
import { groupBy, highestOf, lowestOf, nameKey } from '../keys.ts';
import { breakBetween, differenceBetween, faultOf, opening, standingAfter, type Standing } from './rows.ts';

/** A row that is wrong, and how; rows that are wrong in the same way are told in one sentence. */
interface Fault {
  readonly kind: string;
  readonly sequence: number;
  readonly what: string;
  readonly unsettled?: boolean;
}

/**
 * I1: every row satisfies the formula and follows from the one before it, from 1 without a gap, and the topic tells every row as the journal
 * does. `movements`: a row may stand in the topic several times, if each time with the same id and bytes.
 */
export function checkLedgers({ ledgers, movements, movementsTrimmed }: Facts): Finding[] {
  const documents = groupBy(ledgers, ({ aggregate }) => aggregate);
  const records = groupBy(movements, ({ key }) => key);
  return [...new Set([...documents.keys(), ...records.keys()])].flatMap((key) => {
    const rows = rowsOf(documents.get(key) ?? []);
    const told = records.get(key) ?? [];
    const faults = [...rows.faults, ...faultsOfPublishing(rows, told, movementsTrimmed)];
    const blamed = new Set(faults.map(({ sequence }) => sequence));
    const wrong = faultsOfRows(rows.rows, told, blamed);
    return oneSentencePerKind([...faults, ...wrong]).map((fault) => ({
      invariant: 'I1' as const,
      tenant: nameKey(key).tenant,
      sku: nameKey(key).subject,
      version: String(fault.sequence),
      sentence: fault.what,
      unsettled: fault.unsettled,
    }));
  });
}

/** The rows of a journal by their numbers, the highest number that it claims, and what is wrong with the numbers. */
function rowsOf(documents: readonly JournalDocument<LedgerRow>[]): { rows: Map<number, LedgerRow>; head: number; faults: Fault[] } {
  const rows = new Map<number, LedgerRow>();
  const faults: Fault[] = [];
  for (const { entries } of documents)
    for (const { sequence, data } of entries) {
      if (rows.has(sequence)) faults.push({ kind: 'twice', sequence, what: `row ${sequence} stands in the journal twice` });
      rows.set(sequence, data);
    }
  const head = Math.max(highestOf(documents.map(({ to }) => to)), highestOf(rows.keys()));
  for (let sequence = 1; sequence <= head; sequence += 1)
    if (!rows.has(sequence)) faults.push({ kind: 'missing', sequence, what: `row ${sequence} is missing from the journal` });
  return { rows, head, faults: faults.length > 0 ? faults : documents.flatMap(faultsOfBounds) };
}

/** All rows are there, but not where their document says. */
function faultsOfBounds({ from, to, entries }: JournalDocument<LedgerRow>): Fault[] {
  const [first, last] = [entries[0]?.sequence, entries.at(-1)?.sequence];
  if (first === from && last === to && entries.length === to - from + 1) return [];
  const what = `a journal document says that it holds rows ${from} to ${to}, but holds ${first} to ${last}`;
  return [{ kind: 'bounds', sequence: from, what }];
}

function faultsOfPublishing(
  { rows, head }: { readonly rows: ReadonlyMap<number, LedgerRow>; readonly head: number },
  told: readonly TopicRecord<LedgerRow>[],
  trimmed: boolean,
): Fault[] {
  const faults: Fault[] = [];
  const published = new Map<number, TopicRecord<LedgerRow>>();
  for (const record of told) {
    if (record.value === null) continue;
    const { sequence } = record.value;
    const earlier = published.get(sequence);
    if (earlier && (earlier.id !== record.id || earlier.digest !== record.digest))
      faults.push({
        kind: 'versions',
        sequence,
        what: `row ${sequence} was published again with other bytes (${earlier.id}, then ${record.id})`,
      });
    if (!earlier && !rows.has(sequence) && sequence > head)
      faults.push({ kind: 'unknown', sequence, what: `row ${sequence} is in the topic, but not in the journal` });
    if (!earlier) published.set(sequence, record);
  }
  const first = trimmed ? lowestOf(published.keys()) : 1;
  const last = highestOf(published.keys());
  for (const sequence of rows.keys())
    if (sequence >= first && !published.has(sequence))
      faults.push({
        kind: 'lost',
        sequence,
        what: `row ${sequence} is in the journal, but not in the topic: a lost record`,
        unsettled: sequence > last,
      });
  return faults;
}

/** Each row by itself, as journal and topic tell it, then each as it follows from the one before; nobody is blamed for a neighbour's fault. */
function faultsOfRows(
  rows: ReadonlyMap<number, LedgerRow>,
  told: readonly TopicRecord<LedgerRow>[],
  blamedBefore: ReadonlySet<number>,
): Fault[] {
  const blamed = new Set(blamedBefore);
  const faults: Fault[] = [];
  const blame = (kind: string, sequence: number, what: string) => {
    if (!blamed.has(sequence)) faults.push({ kind, sequence, what });
    blamed.add(sequence);
  };
  for (const [sequence, row] of rows) {
    const fault = faultOf(row);
    if (fault) blame('wrong', sequence, `row ${sequence} is wrong: ${fault}`);
  }
  for (const { value } of told) {
    const row = value && rows.get(value.sequence);
    if (!row) continue;
    const fault = faultOf(value);
    const difference = differenceBetween(row, value);
    if (fault) blame('wrong', value.sequence, `row ${value.sequence} is wrong in the topic: ${fault}`);
    if (difference) blame('differs', value.sequence, `row ${value.sequence} is not the same in journal and topic: ${difference}`);
  }
  for (const [sequence, what] of wrongReversals(rows)) blame('reverses', sequence, what);
  const suspects = new Set(blamed);
  let before: Standing = opening;
  for (const [sequence, row] of inOrder(rows)) {
    const broken = breakBetween(before, row);
    if (broken && !suspects.has(sequence) && !suspects.has(sequence - 1))
      blame('broken', sequence, `row ${sequence} does not follow from the one before: ${broken}`);
    before = standingAfter(before, row);
  }
  return faults;
}

/** A row that takes a deduction back names one that came before it. */
function wrongReversals(rows: ReadonlyMap<number, LedgerRow>): [sequence: number, what: string][] {
  const deducted = new Set<string>();
  return inOrder(rows).flatMap(([sequence, { type, change, cause, reverses }]): [number, string][] => {
    if (type === 'AutoPick' && change.onHand < 0) deducted.add(cause);
    if (reverses === null || deducted.has(reverses)) return [];
    return [[sequence, `row ${sequence} takes back the deduction ${reverses}, which no row before it made`]];
  });
}

function oneSentencePerKind(faults: readonly Fault[]): Fault[] {
  return [...groupBy(faults, ({ kind, unsettled }) => `${kind}${unsettled ? ' unsettled' : ''}`).values()].map((alike) => {
    const [first, ...others] = alike.toSorted((one, other) => one.sequence - other.sequence) as [Fault, ...Fault[]];
    if (others.length === 0) return first;
    const listed = others.slice(0, 5).map(({ sequence }) => sequence);
    const rest = others.length > listed.length ? ` and ${others.length - listed.length} more` : '';
    return { ...first, what: `${first.what}; likewise row ${listed.join(', ')}${rest}` };
  });
}

const inOrder = (rows: ReadonlyMap<number, LedgerRow>) => [...rows].toSorted(([one], [other]) => one - other);

import { ApiError } from './errors.ts';

export interface Term {
  field: string;
  comparison: '=' | '>' | '>=' | '<' | '<=';
  value: string;
}

/** Inclusive bounds in milliseconds. */
export interface TimeRange {
  from: number;
  to: number;
}

/**
 * `field:value`, `field:>='value'`, terms joined by blanks or AND; values bare, or in single or double quotes with backslash escapes.
 * Fields other than `known`, OR, NOT, brackets and wildcards are refused. (The real search takes an unknown field for a warning and
 * answers everything: no caller of ours may rest on that.)
 */
export function parseSearch(query: string, known: readonly string[]): Term[] {
  const terms: Term[] = [];
  let rest = query.trim();
  while (rest !== '') {
    const match = /^([a-z_]+):(>=|<=|>|<|)(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|([^\s'"()*]+))(?=\s|$)/s.exec(rest);
    if (match === null) throw invalid(rest, 'cannot be read as field:value');
    const [text, field = '', comparison, single, double, bare] = match;
    if (!known.includes(field)) throw invalid(field, `is not one of ${known.join(', ')}`);
    const quoted = single ?? double;
    const value = quoted === undefined ? (bare ?? '') : quoted.replaceAll(/\\(.)/gs, '$1');
    terms.push({ field, comparison: (comparison || '=') as Term['comparison'], value });
    rest = rest.slice(text.length).trim();
    const joint = /^AND(?=\s)\s+/.exec(rest);
    if (joint) rest = rest.slice(joint[0].length);
    if (rest === 'AND') throw invalid(rest, 'has nothing after it');
  }
  return terms;
}

/** Whether orders have to be open; null where it makes no difference. Nothing here is ever archived, so what is not cancelled is open. */
export function openness(terms: Term[]): boolean | null {
  const [status, more] = terms.filter(({ field }) => field === 'status');
  if (status === undefined) return null;
  if (more || status.comparison !== '=' || !['open', 'cancelled'].includes(status.value))
    throw invalid(status.value, 'is not a status that is known here: open or cancelled');
  return status.value === 'open';
}

/** The times that all terms about `field` leave. */
export function timeRange(terms: Term[], field: string): TimeRange {
  return terms
    .filter((term) => term.field === field)
    .reduce<TimeRange>(
      ({ from, to }, { comparison, value }) => {
        const at = timeOf(value);
        const lower = { '=': at, '>=': at, '>': at + 1, '<': 0, '<=': 0 }[comparison];
        const upper = { '=': at, '<=': at, '<': at - 1, '>': Infinity, '>=': Infinity }[comparison];
        return { from: Math.max(from, lower), to: Math.min(to, upper) };
      },
      { from: 0, to: Number.MAX_SAFE_INTEGER },
    );
}

function timeOf(text: string): number {
  const iso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2}))?$/;
  const at = iso.test(text) ? Date.parse(text) : NaN;
  if (Number.isNaN(at)) throw invalid(text, 'is not a time as in 2026-11-01T12:00:00Z');
  return at;
}

const invalid = (what: string, why: string) => new ApiError(`Invalid search query: '${what}' ${why}.`, 'BAD_REQUEST');

import { ApiError } from './errors.ts';

/** The arguments of every connection. */
export interface PageArguments {
  first?: number | null;
  after?: string | null;
}

/** Where a page begins: after the element with this id, and this value of what the list is sorted by. */
export interface Cursor {
  id: number;
  value: number;
}

/** At most this many elements of a connection, or of an input list, in one call. */
export const maximumElements = 250;

export function readPage({ first, after }: PageArguments): { first: number; after: Cursor } {
  if (first === null || first === undefined) throw new ApiError('you must provide one of first or last', 'BAD_REQUEST');
  if (first < 0) throw new ApiError('first must be a non-negative integer', 'BAD_REQUEST');
  if (first > maximumElements) throw new ApiError(`"first" cannot exceed ${maximumElements}`, 'BAD_REQUEST');
  return { first, after: after === null || after === undefined ? { id: 0, value: 0 } : decodeCursor(after) };
}

/** A connection out of one row more than was asked for. */
export function connection<Row, Node>(rows: Row[], first: number, positionOf: (row: Row) => Cursor, toNode: (row: Row) => Node) {
  const page = rows.slice(0, first);
  const last = page.at(-1);
  return {
    nodes: page.map(toNode),
    pageInfo: { hasNextPage: rows.length > first, endCursor: last === undefined ? null : encodeCursor(positionOf(last)) },
  };
}

const encodeCursor = ({ id, value }: Cursor): string => Buffer.from(JSON.stringify({ last_id: id, last_value: value })).toString('base64');

function decodeCursor(text: string): Cursor {
  try {
    const { last_id: id, last_value: value } = JSON.parse(Buffer.from(text, 'base64').toString()) as Record<string, unknown>;
    if (Number.isSafeInteger(id) && Number.isSafeInteger(value)) return { id: id as number, value: value as number };
  } catch {
    // falls through to the same refusal
  }
  throw new ApiError('Invalid cursor for current pagination sort.', 'BAD_REQUEST');
}

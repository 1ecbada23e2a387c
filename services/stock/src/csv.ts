/** A cell of a spreadsheet: null is empty. */
export type Cell = string | number | boolean | null;

/** What a spreadsheet would take for a formula, or for the mark that says that it is none. */
const formula = /^[=+\-@\t\r']/;

/** RFC 4180, one line. A text that a spreadsheet would run as a formula gets an apostrophe before it; numbers are numbers. */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(cellOf).join(',')}\r\n`;

function cellOf(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const safe = formula.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** The text that {@link csvLine} wrote into a cell. */
export const textOfCell = (cell: string): string => (cell.startsWith("'") && formula.test(cell.slice(1)) ? cell.slice(1) : cell);

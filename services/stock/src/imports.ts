import { CsvError, parse } from 'csv-parse/sync';
import { textOfCell } from './csv.ts';
import { defaultLocation, mostOnHand, onHandAt, type Product, type SkuStock } from './domain.ts';

export const mostImportRows = 50_000;

/** What an import takes in; an empty cell leaves things as they are. */
export const importColumns = ['sku', 'title', 'location', 'on_hand', 'low_stock_at_or_below', 'default_location'] as const;
type ImportColumn = (typeof importColumns)[number];
/** What an export has beside these: passed over, so that what went out can come in again. */
const passedOver = ['order_reserve', 'batch_reserve', 'available', 'counted', 'retired'];

/** What is wrong with a row, and what to do. */
export interface RowError {
  /** Line of the file on which the row ends; the header is line 1. */
  readonly line: number;
  readonly column: ImportColumn;
  readonly message: string;
}

export interface ImportRow {
  readonly line: number;
  readonly sku: string;
  /** Null: as it is. */
  readonly title: string | null;
  readonly location: string | null;
  readonly onHand: number | null;
  readonly lowStockAtOrBelow: number | null;
  readonly defaultLocation: string | null;
}

/** The file as a whole cannot be read; the message says why, and what to do. */
export class UnreadableImport extends Error {
  override readonly name = 'UnreadableImport';
}

interface Parsed {
  readonly rows: readonly ImportRow[];
  readonly errors: readonly RowError[];
}

/** Reads CSV (RFC 4180; a semicolon between the cells will do too). Throws {@link UnreadableImport} where there is no table in it. */
export function readImport(text: string): Parsed {
  const records = recordsOf(text);
  const [header, ...body] = records;
  if (!header) throw new UnreadableImport(`It is empty. Its first line names the columns: ${importColumns.join(', ')}.`);
  const columns = columnsOf(header.cells);
  if (body.length > mostImportRows)
    throw new UnreadableImport(`It has ${body.length} rows, and ${mostImportRows} are taken at once. Send it in parts.`);
  const rows: ImportRow[] = [];
  const errors: RowError[] = [];
  for (const { line, cells } of body) {
    const read = readRow(line, new Map(columns.map((column, index) => [column, textOfCell(cells[index] ?? '')])));
    if (cells.length > columns.length)
      errors.push({
        line,
        column: 'sku',
        message: `has ${cells.length} cells, but there are ${columns.length} columns; quote what has a comma in it`,
      });
    else if (read.errors.length > 0) errors.push(...read.errors);
    else rows.push(read.row);
  }
  return { rows, errors };
}

const parsing = {
  bom: true,
  info: true,
  relax_column_count: true,
  // Files that were put together have several kinds of line breaks; what a spreadsheet has below its table is empty.
  record_delimiter: ['\r\n', '\n', '\r'],
  skip_empty_lines: true,
  skip_records_with_empty_values: true,
};

function recordsOf(text: string): { readonly line: number; readonly cells: readonly string[] }[] {
  const firstLine = /^[^\r\n]*/.exec(text)?.[0] ?? '';
  const delimiter = !firstLine.includes(',') && firstLine.includes(';') ? ';' : ',';
  const bytes = Buffer.from(text);
  let [breaks, from] = [0, 0];
  try {
    const parsed = parse(text, { ...parsing, delimiter }) as unknown as { record: string[]; info: { bytes: number } }[];
    return parsed.map(({ record: cells, info }) => {
      // Its own count of lines takes a line break inside quotes for two.
      const read = bytes.toString('utf8', from, info.bytes);
      breaks += read.match(/\r\n|\r|\n/g)?.length ?? 0;
      from = info.bytes;
      return { line: /[\r\n]$/.test(read) ? breaks : breaks + 1, cells };
    });
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw new UnreadableImport(`It is not CSV: ${error.message}. Check the quotes there, and send it again.`);
  }
}

function columnsOf(cells: readonly string[]): string[] {
  const columns = cells.map((cell) => cell.trim().toLowerCase());
  const unknown = columns.filter((column) => ![...importColumns, ...passedOver].includes(column));
  const known = `The first line names the columns: ${importColumns.join(', ')}; sku is needed, the others may be left out.`;
  if (!columns.includes('sku')) throw new UnreadableImport(`Its first line has no column sku. ${known}`);
  if (unknown.length > 0)
    throw new UnreadableImport(`Its first line has columns that are not known here: ${unknown.slice(0, 10).join(', ')}. ${known}`);
  const repeated = columns.find((column, index) => columns.indexOf(column) !== index);
  if (repeated !== undefined) throw new UnreadableImport(`Its first line names ${repeated} twice. ${known}`);
  return columns;
}

function readRow(line: number, cells: ReadonlyMap<string, string>): { readonly row: ImportRow; readonly errors: readonly RowError[] } {
  const errors: RowError[] = [];
  const wrong = (column: ImportColumn, message: string): null => {
    errors.push({ line, column, message });
    return null;
  };
  const text = (column: ImportColumn, most: number): string | null => {
    const cell = cells.get(column) ?? '';
    if (cell === '') return null;
    if (cell.length > most) return wrong(column, `has ${cell.length} characters, and ${most} are the most; shorten it`);
    if (/\p{Cc}/u.test(cell)) return wrong(column, 'has control characters in it, such as a line break; remove them');
    return cell;
  };
  const units = (column: ImportColumn): number | null => {
    const cell = (cells.get(column) ?? '').trim();
    if (cell === '') return null;
    const value = Number(cell);
    const isWhole = /^\d{1,10}$/.test(cell) && value <= mostOnHand;
    return isWhole ? value : wrong(column, `is ${cell.slice(0, 30)}; write a whole number from 0 to ${mostOnHand}, without separators`);
  };
  const place = (column: ImportColumn): string | null => {
    const name = text(column, 64);
    return name === '__proto__' ? wrong(column, 'cannot be used as a name; choose another') : name;
  };
  const sku = text('sku', 255);
  if (sku === null && errors.length === 0) wrong('sku', 'is missing; name the product');
  const row = {
    line,
    sku: sku ?? '',
    title: text('title', 500),
    location: place('location'),
    onHand: units('on_hand'),
    lowStockAtOrBelow: units('low_stock_at_or_below'),
    defaultLocation: place('default_location'),
  };
  return { row, errors };
}

/** What one row will do. */
export interface PlannedRow {
  readonly line: number;
  readonly sku: string;
  /** All its settings as they will be, where the row changes them; what its rows say of them. */
  readonly settings: Product | null;
  readonly said: Partial<Product>;
  /** What On Hand at a location was when the file was looked at, and what it is set to. */
  readonly count: { readonly location: string; readonly seen: number; readonly onHand: number } | null;
}

export interface KnownProduct {
  readonly state: SkuStock;
  readonly sequence: number;
}

/**
 * What rows do to products as they are now; rows of one SKU must be planned together. What is so already is left out, so that the same file again
 * does nothing.
 */
export function planRows(
  rows: readonly ImportRow[],
  known: ReadonlyMap<string, KnownProduct>,
): { planned: PlannedRow[]; errors: RowError[] } {
  const planned: PlannedRow[] = [];
  const errors: RowError[] = [];
  for (const [sku, ofSku] of Map.groupBy(rows, (row) => row.sku)) {
    const product = known.get(sku);
    if (!product) throw new Error(`The product ${sku} was not looked up.`);
    const conflict = conflictIn(ofSku);
    const spaced = ofSku.flatMap((row) => whiteSpaceIn(row, product));
    if (conflict || spaced.length > 0) errors.push(...spaced, ...(conflict ? [conflict] : []));
    else planOne(ofSku, product, planned, errors);
  }
  const inOrder = <T extends { readonly line: number }>(items: T[]) => items.sort((one, other) => one.line - other.line);
  return { planned: inOrder(planned), errors: inOrder(errors) };
}

const settingColumns = [
  ['title', 'title'],
  ['lowStockAtOrBelow', 'low_stock_at_or_below'],
  ['defaultLocation', 'default_location'],
] as const;

/** White space around a name is a slip of who typed it, but for names that are so already: what went out can come in again. */
function whiteSpaceIn({ line, sku, ...row }: ImportRow, { state: { product, locations }, sequence }: KnownProduct): RowError[] {
  const isLocation = locations.some(({ location }) => location === row.location);
  const named = [
    ['sku', sku, sequence > 0],
    ['title', row.title, row.title === product.title],
    ['location', row.location, isLocation || row.location === product.defaultLocation],
    ['default_location', row.defaultLocation, row.defaultLocation === product.defaultLocation],
  ] as const;
  const spaced = named.filter(([, cell, isSo]) => cell !== null && cell !== cell.trim() && !isSo);
  return spaced.map(([column]) => {
    const whole = column === 'sku' ? '; if it belongs there, create the product of just that name first' : '';
    return { line, column, message: `has white space around it; remove it${whole}` };
  });
}

/** Two rows that say different things of one product. */
function conflictIn(rows: readonly ImportRow[]): RowError | null {
  for (const [field, column] of settingColumns) {
    const saying = rows.filter((row) => row[field] !== null);
    const other = saying.find((row) => row[field] !== saying[0]?.[field]);
    if (other)
      return { line: other.line, column, message: `is not what line ${saying[0]?.line} says of ${other.sku}; let both say the same` };
  }
  return null;
}

function planOne(rows: readonly ImportRow[], { state, sequence }: KnownProduct, planned: PlannedRow[], errors: RowError[]): void {
  const said: Partial<Product> = Object.fromEntries(
    settingColumns.flatMap(([field]) => rows.flatMap((row) => (row[field] === null ? [] : [[field, row[field]]]))),
  );
  const settings: Product = { ...state.product, ...said };
  const isSet = settingColumns.every(([field]) => settings[field] === state.product[field]);
  const isNew = sequence === 0 && rows.every(({ onHand }) => onHand === null);
  const lines = new Map<string, number>();
  for (const [index, { line, sku, location, onHand }] of rows.entries()) {
    const place = location ?? settings.defaultLocation ?? defaultLocation;
    const earlier = lines.get(place);
    if (onHand !== null && earlier !== undefined) {
      errors.push({ line, column: 'location', message: `is ${place}, of which line ${earlier} tells already; leave one of them out` });
      continue;
    }
    if (onHand !== null) lines.set(place, line);
    const seen = onHandAt(state, place);
    const isCounted = state.counted && state.locations.some((other) => other.location === place);
    const count = onHand === null || (isCounted && seen === onHand) ? null : { location: place, seen, onHand };
    const changed = index === 0 && (!isSet || isNew) ? settings : null;
    if (count || changed) planned.push({ line, sku, settings: changed, said: changed ? said : {}, count });
  }
}

import { CsvError, parse, type Info } from 'csv-parse';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';

/** The input cannot be used; the message names the file, the line, and what is expected there. */
export class BadInput extends Error {}

/** One row; its line is the one that it begins on, the heading being line 1. */
export interface Row {
  readonly line: number;
  readonly fields: readonly string[];
}

/** Any other than these two ends of line would stay in the last field of its row. */
const recordDelimiter = ['\r\n', '\n'];

/**
 * Streams a CSV file (RFC 4180, LF or CRLF, UTF-8) whose heading is exactly `columns`, row by row, in order.
 * Throws {@link BadInput} for a file that cannot be read, a wrong heading, broken quotes or a wrong number of fields; what `onRow` throws passes.
 */
export async function readRows(path: string, columns: readonly string[], onRow: (row: Row) => void): Promise<void> {
  const parser = parse({ bom: true, info: true, relax_column_count: true, record_delimiter: recordDelimiter });
  try {
    await pipeline(createReadStream(path), parser, async (records: AsyncIterable<{ record: string[]; info: Info }>) => {
      let line = 1;
      for await (const { record, info } of records) {
        if (line === 1) checkHeading(path, columns, record);
        else {
          if (record.length !== columns.length) throw badRow(path, line, `${columns.length} fields are expected, not ${record.length}`);
          onRow({ line, fields: record });
        }
        line = info.lines + 1;
      }
      if (line === 1) throw badRow(path, 1, `the heading ${columns.join(',')} is expected, and the file is empty`);
    });
  } catch (error) {
    if (error instanceof CsvError) throw badRow(path, Number(error['lines'] ?? 1), `this is not CSV as RFC 4180 has it: ${error.message}`);
    if (error instanceof Error && 'syscall' in error) throw new BadInput(`${path} cannot be read: ${error.message}`, { cause: error });
    throw error;
  }
}

function checkHeading(path: string, columns: readonly string[], heading: readonly string[]): void {
  if (heading.length === columns.length && columns.every((column, index) => heading[index] === column)) return;
  throw badRow(path, 1, `the heading ${columns.join(',')} is expected, not ${heading.join(',')}`);
}

export const badRow = (path: string, line: number, what: string): BadInput => new BadInput(`${path}, line ${line}: ${what}.`);

/** A whole number, null where the text is not one (or too large to be counted with). */
export function wholeNumber(text: string): number | null {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(value) ? value : null;
}

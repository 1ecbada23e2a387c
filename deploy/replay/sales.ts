import { BadInput, badRow, readRows, wholeNumber } from '../simulate-policy/rows.ts';

/** One row of a file: so many units of a SKU left with an invoice, or (below zero) came back. */
export interface SaleRow {
  readonly invoice: string;
  readonly sku: string;
  readonly quantity: number;
  /** Blank where nobody knows. */
  readonly customer: string;
}

const columns = ['InvoiceNo', 'StockCode', 'Description', 'Quantity', 'InvoiceDate', 'UnitPrice', 'CustomerID', 'Country'];
const mostUnits = 1_000_000;
const longestSku = 255;

/** A leading C: everything on it is given back. */
export const isReturn = (invoice: string): boolean => invoice.startsWith('C');

/** All rows of the files, in their order. Throws {@link BadInput} that names file and line of a row that cannot be played. */
export async function readSales(paths: readonly string[]): Promise<SaleRow[]> {
  const rows: SaleRow[] = [];
  for (const path of paths) {
    await readRows(path, columns, ({ line, fields: [invoice = '', sku = '', , text = '', , , customer = ''] }) => {
      const quantity = wholeNumber(text);
      if (invoice.trim() === '' || invoice.length > 100) throw badRow(path, line, 'an InvoiceNo of 1 to 100 characters is expected');
      if (sku.trim() === '' || sku.length > longestSku)
        throw badRow(path, line, `a StockCode of 1 to ${longestSku} characters is expected`);
      if (quantity === null || quantity === 0 || Math.abs(quantity) > mostUnits)
        throw badRow(path, line, `Quantity is a whole number other than 0, at most ${mostUnits} either way, not ${JSON.stringify(text)}`);
      if (isReturn(invoice) && quantity > 0) throw badRow(path, line, `on a return (${invoice}) Quantity is below zero, not ${quantity}`);
      rows.push({ invoice, sku, quantity, customer });
    });
  }
  if (rows.length === 0) throw new BadInput(`There is no row in ${paths.join(', ')}.`);
  return rows;
}

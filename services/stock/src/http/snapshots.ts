import { defineRoute, integerText, reply, type Route } from '@evenkeel/chassis';
import { z } from 'zod';
import { csvLine } from '../csv.ts';
import type { ProductDocument, ProductStore } from '../products.ts';
import { momentText, standingAt } from './ledger.ts';
import { iso, pagePosition, quantities, type StockJournal } from './shapes.ts';

export interface SnapshotParts {
  readonly journal: StockJournal;
  readonly products: ProductStore;
}

const line = z.object({
  sku: z.string(),
  title: z.string().nullable().meta({ description: 'As it is called now.' }),
  counted: z.boolean(),
  quantities,
});
const position = pagePosition(z.strictObject({ sku: z.string() }));
const at = momentText.meta({ description: 'As each product stood after the last row of its ledger that is not later.' });
const bySku = { sort: 'sku', order: 'ascending' } as const;
/** How these products stood. Whatever has not moved since is answered by what it says now. */
async function standing({ journal }: SnapshotParts, products: readonly ProductDocument[], moment: number) {
  const heads = products.filter(({ at: moved }) => moved.getTime() > moment).map(({ _id, sequence }) => [_id, sequence] as const);
  const rows = await journal.entriesAt(new Map(heads), moment);
  return products.map(({ _id, sku, title, counted, onHand, orderReserve, batchReserve, available }): z.input<typeof line> => {
    const row = rows.get(_id);
    if (row === undefined) return { sku, title, counted, quantities: { onHand, orderReserve, batchReserve, available } };
    return { sku, title, ...standingAt(row) };
  });
}

const columns = ['sku', 'title', 'on_hand', 'order_reserve', 'batch_reserve', 'available', 'counted'] as const;

async function* exported(parts: SnapshotParts, tenant: string, moment: number): AsyncGenerator<string> {
  yield csvLine(columns);
  for await (const page of parts.products.every({ tenant, ...bySku })) {
    const lines = await standing(parts, page, moment);
    yield lines
      .map(({ sku, title, counted, quantities: { onHand, orderReserve, batchReserve, available } }) =>
        csvLine([sku, title, onHand, orderReserve, batchReserve, available, counted]),
      )
      .join('');
  }
}

export const snapshotRoutes = (parts: SnapshotParts): Route[] => [
  defineRoute({
    method: 'get',
    path: '/stock-snapshots',
    summary: 'All products at a past moment',
    description: 'Also those that are retired now, and those that nobody had created yet, which stand there with zeros.',
    roles: [],
    query: z.strictObject({
      at,
      after: position.read.optional().meta({ description: '`next` of the page before.', override: { type: 'string' } }),
      limit: integerText({ minimum: 1, maximum: 500 }).default(100),
    }),
    responses: {
      200: { description: 'One page', schema: z.object({ at: z.iso.datetime(), products: z.array(line), next: z.string().nullable() }) },
    },
    async handle({ identity: { tenant }, query }) {
      const after = query.after && { value: query.after.sku, sku: query.after.sku };
      const found = await parts.products.page({ tenant, ...bySku, after, limit: query.limit });
      const last = found.length === query.limit ? found.at(-1) : undefined;
      const next = last ? position.write({ sku: last.sku }) : null;
      return reply(200, { at: iso(query.at), products: await standing(parts, found, query.at), next });
    },
  }),
  defineRoute({
    method: 'get',
    path: '/stock-snapshots.csv',
    summary: 'All products at a past moment, as CSV',
    roles: [],
    query: z.strictObject({ at }),
    responses: { 200: { description: `Columns: ${columns.join(', ')}`, contentType: 'text/csv' } },
    handle: ({ identity: { tenant }, query }) =>
      reply(200, exported(parts, tenant, query.at), { 'Content-Disposition': 'attachment; filename="stock.csv"' }),
  }),
];

import { askJournal, booleanText, defineRoute, integerText, problem, reply, text, type Route } from '@evenkeel/chassis';
import { topics } from '@evenkeel/contracts';
import { z } from 'zod';
import { csvLine } from '../csv.ts';
import { mostOnHand, type LedgerRow } from '../domain.ts';
import { positionOf, sortColumns, type ProductDocument, type ProductStore } from '../products.ts';
import { refusals } from './refusals.ts';
import { location, pagePosition, quantities, sku, time, type Commands, type StockJournal } from './shapes.ts';

export interface ProductParts {
  readonly journal: StockJournal;
  readonly sender: Commands;
  readonly products: ProductStore;
}

const settings = {
  title: z.string().nullable(),
  defaultLocation: z.string().nullable().meta({ description: 'Where units are taken when nobody says where; null: the location default.' }),
  lowStockAtOrBelow: z.int().nullable().meta({ description: 'At or below this Available it is low on stock; null: never.' }),
  retired: z.boolean().meta({ description: 'No longer dealt in; its ledger stays.' }),
};
const product = z.object({ sku: z.string(), sequence: z.int(), ...settings });
const listed = z.object({
  sku: z.string(),
  ...settings,
  quantities,
  counted: z.boolean().meta({ description: 'False: never counted, so the quantities say nothing.' }),
  oversold: z.boolean(),
  low: z.boolean(),
  sequence: z.int(),
  at: time.meta({ description: 'When it last changed.' }),
});

const position = pagePosition(z.strictObject({ value: z.union([z.string(), z.number()]), sku: z.string(), sort: z.enum(sortColumns) }));
const filters = {
  search: text(255).optional().meta({ description: 'Beginning of the SKU, or part of the title; case does not matter.' }),
  counted: booleanText().optional().meta({ description: 'Whether it was ever counted.' }),
  oversold: booleanText().optional().meta({ description: 'Counted, and Available below zero.' }),
  low: booleanText().optional().meta({ description: 'Counted, and Available at or below what the product names.' }),
  retired: booleanText()
    .default(false)
    .meta({ description: 'Products that are no longer dealt in are shown only when they are asked for.' }),
  sort: z
    .enum(sortColumns)
    .default('sku')
    .meta({ description: 'Products that are equal in it stand by SKU; the case of titles does not matter.' }),
  order: z.enum(['ascending', 'descending']).default('ascending'),
};

const listedOf = (document: ProductDocument): z.input<typeof listed> => {
  const { sku: name, title, defaultLocation, lowStockAtOrBelow, retired, counted, low, sequence, at } = document;
  const { onHand, orderReserve, batchReserve, available } = document;
  return {
    sku: name,
    title,
    defaultLocation,
    lowStockAtOrBelow,
    retired,
    quantities: { onHand, orderReserve, batchReserve, available },
    counted,
    oversold: document.oversold,
    low,
    sequence,
    at: at.toISOString(),
  };
};

/** The first six are what an import takes in; it passes over the rest. */
const exportedColumns = [
  'sku',
  'title',
  'location',
  'on_hand',
  'low_stock_at_or_below',
  'default_location',
  'order_reserve',
  'batch_reserve',
  'available',
  'counted',
  'retired',
] as const;

/** A line for each location; a product that was never anywhere has one as well. What was never counted is unknown, and no count when it comes in again. */
function linesOf(document: ProductDocument): string {
  const { sku: name, title, lowStockAtOrBelow, defaultLocation, orderReserve, batchReserve, available, counted, retired } = document;
  const places = document.locations.length > 0 ? document.locations : [{ location: null, onHand: null }];
  const rest = [lowStockAtOrBelow, defaultLocation, orderReserve, batchReserve, available, counted, retired];
  return places.map((place) => csvLine([name, title, place.location, counted ? place.onHand : null, ...rest])).join('');
}

async function* exported(pages: AsyncIterable<readonly ProductDocument[]>): AsyncGenerator<string> {
  yield csvLine(exportedColumns);
  for await (const page of pages) yield page.map(linesOf).join('');
}

export const productRoutes = ({ journal, sender, products }: ProductParts): Route[] => [
  defineRoute({
    method: 'get',
    path: '/products',
    summary: 'The inventory table',
    description: 'As the levels were last read: what was changed a moment ago may take a moment to be seen here.',
    roles: [],
    query: z.strictObject({
      ...filters,
      after: position.read.optional().meta({ description: '`next` of the page before, of the same sort.', override: { type: 'string' } }),
      limit: integerText({ minimum: 1, maximum: 500 }).default(100),
    }),
    responses: { 200: { description: 'One page', schema: z.object({ products: z.array(listed), next: z.string().nullable() }) } },
    async handle({ identity: { tenant }, query }) {
      if (query.after && query.after.sort !== query.sort)
        return problem(400, {
          type: 'invalid-request',
          detail: `Correct this and send it again: query.after: it is of a list sorted by ${query.after.sort}; begin anew without it.`,
        });
      const found = await products.page({ tenant, ...query });
      const last = found.length === query.limit ? found.at(-1) : undefined;
      const next = last ? position.write({ ...positionOf(last, query.sort), sort: query.sort }) : null;
      return reply(200, { products: found.map(listedOf), next });
    },
  }),
  defineRoute({
    method: 'get',
    path: '/products.csv',
    summary: 'The inventory table as CSV, a line for each location',
    description:
      'What it names can be changed and taken in again by POST /product-imports. A text that a spreadsheet would run has an apostrophe before it.',
    roles: [],
    query: z.strictObject(filters),
    responses: { 200: { description: `Columns: ${exportedColumns.join(', ')}`, contentType: 'text/csv' } },
    handle: ({ identity: { tenant }, query }) =>
      reply(200, exported(products.every({ tenant, ...query })), {
        'Content-Disposition': 'attachment; filename="products.csv"',
      }),
  }),
  defineRoute({
    method: 'get',
    path: '/locations',
    summary: 'Where products are, with how many products and units',
    roles: [],
    responses: {
      200: {
        description: 'By name',
        schema: z.object({ locations: z.array(z.object({ location: z.string(), products: z.int(), units: z.int() })) }),
      },
    },
    handle: async ({ identity: { tenant } }) => reply(200, { locations: (await products.locations(tenant)).map((sum) => ({ ...sum })) }),
  }),
  defineRoute({
    method: 'put',
    path: '/products/:sku',
    summary: 'Set what a product is called and how it is kept, all of it at once',
    description:
      'A product is retired, never deleted: only when nothing of it is on a shelf or promised. It can come back, and its ledger goes on.',
    roles: ['clerk', 'operator'],
    params: z.strictObject({ sku }),
    body: z.strictObject({
      title: text(500).nullable().default(null),
      defaultLocation: location.nullable().default(null),
      lowStockAtOrBelow: z.int().min(0).max(mostOnHand).nullable().default(null),
      retired: z.boolean().default(false),
    }),
    responses: {
      200: { description: 'As it is set', schema: z.object({ product }) },
      202: { description: 'It is on its way: repeat the request with the same Idempotency-Key, or read the product.' },
      409: { description: 'Units of it are still on a shelf, or promised' },
    },
    async handle({ identity: { tenant, user }, params, body, idempotency, at, correlation }) {
      const data = { tenant, ...params, ...body, user: { kind: 'person', id: user }, at } as const;
      const event = { id: idempotency.cause, type: 'SetProduct', time: at, correlation, data } as const;
      const [row] =
        (await askJournal<LedgerRow>({ journal, sender }, { topic: topics.stockCommands, key: [tenant, params.sku], event })) ?? [];
      if (!row) return reply(202, undefined, { Location: `/products/${encodeURIComponent(params.sku)}` });
      if (row.data.refused === 'still_in_use')
        return problem(409, { type: 'still-in-use', detail: refusals.still_in_use, quantities: row.data.after });
      return reply(200, { product: { ...params, sequence: row.sequence, ...body } });
    },
  }),
];

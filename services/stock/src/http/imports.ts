import { chunks, defineRoute, problem, reply, text, type Route } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { z } from 'zod';
import type { Refusal } from '../domain.ts';
import type { ImportDocument, ImportStore } from '../import-store.ts';
import {
  importColumns,
  planRows,
  readImport,
  UnreadableImport,
  type ImportRow,
  type KnownProduct,
  type PlannedRow,
  type RowError,
} from '../imports.ts';
import { refusals } from './refusals.ts';
import { time, type StockJournal } from './shapes.ts';

export interface ImportParts {
  readonly journal: StockJournal;
  readonly imports: ImportStore;
  /** Tells who applies imports that there is one. */
  readonly applyImports: () => void;
}

const megabyte = 1024 * 1024;
const maximumBytes = 8 * megabyte;
const mostErrorsShown = 1_000;
const mostChangesShown = 50;
const skusAtOnce = 1_000;

const rowError = z.object({ line: z.int(), column: z.enum(importColumns), message: z.string() });
const change = z.object({
  line: z.int(),
  sku: z.string(),
  settings: z
    .object({ title: z.string().nullable(), defaultLocation: z.string().nullable(), lowStockAtOrBelow: z.int().nullable() })
    .nullable()
    .meta({ description: 'What they will be; null: as they are.' }),
  count: z
    .object({ location: z.string(), seen: z.int().meta({ description: 'On Hand there when the file was looked at.' }), onHand: z.int() })
    .nullable(),
});
const productImport = z
  .object({
    id: z.string(),
    state: z.enum(['previewed', 'applying', 'applied']),
    at: time,
    rows: z.int().meta({ description: 'Of the file.' }),
    changes: z.int().meta({ description: 'Rows that change something.' }),
    applied: z.int().meta({ description: 'Of these, how many are done.' }),
    refused: z.array(z.object({ line: z.int(), sku: z.string(), reason: z.string(), detail: z.string() })).meta({
      description: "Rows whose count was left out, and why. What they say of the product's settings is applied.",
    }),
    errorCount: z.int(),
    errors: z.array(rowError).meta({ description: `Rows that cannot be applied, and what to do; the first ${mostErrorsShown}.` }),
    preview: z.array(change).meta({ description: `The first ${mostChangesShown} rows that change something.` }),
  })
  .meta({ id: 'ProductImport' });

const changedMeanwhile = 'On Hand there has changed since the file was looked at, so it was left as it is. Look at it, and count again.';
const detailOf = (reason: string): string =>
  reason === 'on_hand_changed' ? changedMeanwhile : (refusals[reason as Exclude<Refusal, 'on_hand_changed'>] ?? reason);

const changeOf = ({ line, sku, settings, count }: PlannedRow): z.input<typeof change> => ({
  line,
  sku,
  settings: settings && {
    title: settings.title,
    defaultLocation: settings.defaultLocation,
    lowStockAtOrBelow: settings.lowStockAtOrBelow,
  },
  count: count && { ...count },
});

async function shown(imports: ImportStore, document: ImportDocument): Promise<z.input<typeof productImport>> {
  const { id, state, at, rows, changes, errorCount, errors } = document;
  const [{ applied, refused }, preview] = await Promise.all([imports.progress(document), imports.sample(document, mostChangesShown)]);
  return {
    id,
    state,
    at: at.toISOString(),
    rows,
    changes,
    applied,
    refused: refused.map((row) => ({ ...row, detail: detailOf(row.reason) })),
    errorCount,
    errors: errors.map((error) => ({ ...error })),
    preview: preview.map(changeOf),
  };
}

/** What the rows would do to the products as they are now. */
async function planAll(journal: StockJournal, tenant: string, rows: readonly ImportRow[]) {
  const bySku = [...Map.groupBy(rows, ({ sku }) => sku)];
  const planned: PlannedRow[] = [];
  const errors: RowError[] = [];
  for (const some of chunks(bySku, skusAtOnce)) {
    const states = await journal.states(some.map(([sku]) => keyOf(tenant, sku)));
    const known = new Map(some.flatMap(([sku]) => entryOf(sku, states.get(keyOf(tenant, sku)))));
    const plan = planRows(
      some.flatMap(([, ofSku]) => ofSku),
      known,
    );
    planned.push(...plan.planned);
    errors.push(...plan.errors);
  }
  const byLine = (one: { readonly line: number }, other: { readonly line: number }) => one.line - other.line;
  return { planned: planned.toSorted(byLine), errors: errors.toSorted(byLine) };
}

const entryOf = (sku: string, known: KnownProduct | undefined): [string, KnownProduct][] => (known ? [[sku, known]] : []);

function read(body: string) {
  try {
    return readImport(body);
  } catch (error) {
    if (!(error instanceof UnreadableImport)) throw error;
    throw problem(400, { type: 'unreadable-csv', detail: `The file cannot be taken in. ${error.message}` });
  }
}

const unknownImport = (id: string) =>
  problem(404, {
    type: 'unknown-import',
    detail: `There is no import ${id}, or it is older than 90 days. Send the file again to POST /product-imports.`,
  });

const answered = z.object({ import: productImport });
const params = z.strictObject({ id: text(64) });
const roles = ['clerk', 'operator'];

export const importRoutes = ({ journal, imports, applyImports }: ImportParts): Route[] => [
  defineRoute({
    method: 'post',
    path: '/product-imports',
    summary: 'Look at a CSV file of products and opening stock; nothing is changed yet',
    description: `Columns, named by the first line: ${importColumns.join(', ')}. sku is needed; an empty cell leaves things as they are; on_hand is a count. A line for each product and location.`,
    roles,
    accepts: { contentType: 'text/csv', maximumBytes },
    body: z.string(),
    responses: { 201: { description: 'What it would change, and which rows are wrong', schema: answered } },
    async handle({ identity: { tenant }, body, idempotency: { cause }, at }) {
      const id = cause.split('/').at(-1) ?? '';
      const known = await imports.find(tenant, id);
      const where = { Location: `/product-imports/${id}` };
      if (known) return reply(201, { import: await shown(imports, known) }, where);
      const { rows, errors: unread } = read(body);
      const { planned, errors: conflicts } = await planAll(journal, tenant, rows);
      const errors = [...unread, ...conflicts].toSorted((one, other) => one.line - other.line);
      const counts = { rows: rows.length + new Set(unread.map(({ line }) => line)).size, errorCount: errors.length };
      const fresh = { tenant, id, at: new Date(at), ...counts, errors: errors.slice(0, mostErrorsShown) };
      return reply(201, { import: await shown(imports, await imports.create(fresh, planned)) }, where);
    },
  }),
  defineRoute({
    method: 'get',
    path: '/product-imports/:id',
    summary: 'An import, and how far it is',
    roles: [],
    params,
    responses: { 200: { description: 'As it is now', schema: answered }, 404: { description: 'There is none' } },
    async handle({ identity: { tenant }, params: { id } }) {
      const found = await imports.find(tenant, id);
      return found ? reply(200, { import: await shown(imports, found) }) : unknownImport(id);
    },
  }),
  defineRoute({
    method: 'post',
    path: '/product-imports/:id/apply',
    summary: 'Apply what was looked at',
    description:
      'It goes on by itself: GET /product-imports/:id says how far it is. On Hand that was changed since is left as it is, and that row is reported.',
    roles,
    params,
    body: z.strictObject({
      skipErrors: z.boolean().default(false).meta({ description: 'Whether to go on without the rows that are wrong.' }),
    }),
    answer: 'stored',
    responses: {
      202: { description: 'It is on its way', schema: answered },
      404: { description: 'There is none' },
      409: { description: 'Some of its rows are wrong' },
    },
    async handle({ identity: { tenant, user }, params: { id }, body: { skipErrors }, at, correlation }) {
      const found = await imports.find(tenant, id);
      if (!found) return unknownImport(id);
      if (found.errorCount > 0 && !skipErrors)
        return problem(409, {
          type: 'rows-are-wrong',
          detail: `${found.errorCount} rows are wrong. Mend them and send the file again, or apply the others alone by skipErrors.`,
          errors: found.errors.slice(0, 20),
        });
      await imports.begin(tenant, id, { user, at: new Date(at), correlation });
      applyImports();
      const now = (await imports.find(tenant, id)) ?? found;
      return reply(202, { import: await shown(imports, now) }, { Location: `/product-imports/${id}` });
    },
  }),
];

import { createHash } from 'node:crypto';
import type { ProjectedDocument } from '@evenkeel/chassis';
import type { WarehouseOrder } from './warehouse.ts';

/** What reservation keeps of a product's level: where to find it, and what it is called. */
export interface Level extends ProjectedDocument {
  /** `keyOf(tenant, SKU)`. */
  readonly _id: string;
  readonly tenant: string;
  readonly sku: string;
  readonly title: string | null;
  readonly defaultLocation: string | null;
  readonly locations: readonly { readonly location: string; readonly onHand: number }[];
}

/** One place to go to. */
export interface PickListRow {
  readonly location: string;
  readonly sku: string;
  readonly title: string | null;
  readonly quantity: number;
  /** On Hand at that location; null where nobody knows the product's level. */
  readonly onHand: number | null;
  readonly orders: readonly { readonly store: string; readonly order: string; readonly name: string; readonly quantity: number }[];
}

/** What is still to be picked of a batch, in the order of the way through the warehouse: by location, then by SKU. */
export function pickListOf(batch: string, orders: readonly WarehouseOrder[], levels: ReadonlyMap<string, Level>): PickListRow[] {
  const wanted = orders.flatMap(({ store, order, name, lines }) =>
    lines.flatMap(({ sku, batches }) =>
      batches.filter((part) => part.batch === batch).map(({ quantity }) => ({ sku, store, order, name, quantity })),
    ),
  );
  return [...Map.groupBy(wanted, ({ sku }) => sku)]
    .map(([sku, parts]): PickListRow => {
      const level = levels.get(sku);
      const location = locationOf(level);
      const quantity = parts.reduce((sum, part) => sum + part.quantity, 0);
      const onHand = level ? (level.locations.find((other) => other.location === location)?.onHand ?? 0) : null;
      return { location, sku, title: level?.title ?? null, quantity, onHand, orders: perOrder(parts) };
    })
    .toSorted((one, other) => inOrder(one.location, other.location) || inOrder(one.sku, other.sku));
}

/** As the ledger takes it where nobody says: the product's default location. Without one: where most of it is. */
function locationOf(level: Level | undefined): string {
  if (!level) return 'default';
  const most = level.locations.toSorted((one, other) => other.onHand - one.onHand || inOrder(one.location, other.location))[0];
  return level.defaultLocation ?? most?.location ?? 'default';
}

const inOrder = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0);

function perOrder(parts: readonly (PickListRow['orders'][number] & { readonly sku: string })[]): PickListRow['orders'] {
  const sums = new Map<string, PickListRow['orders'][number]>();
  for (const { store, order, name, quantity } of parts) {
    const id = JSON.stringify([store, order]);
    sums.set(id, { store, order, name, quantity: quantity + (sums.get(id)?.quantity ?? 0) });
  }
  return [...sums.values()].toSorted((one, other) => inOrder(one.name, other.name));
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
const escaped = (value: string | number): string => String(value).replaceAll(/[&<>"']/g, (character) => entities[character] ?? '');

/** Boxes are borders, for printers leave backgrounds out, and fonts lack signs. */
const style = `
:root { color-scheme: light; }
body { font: 11pt/1.4 system-ui, sans-serif; margin: 2rem; color: #000; background: #fff; }
h1 { font-size: 16pt; margin: 0; }
p { margin: 0 0 1rem; }
table { border-collapse: collapse; table-layout: fixed; width: 100%; margin-bottom: 1.2rem; }
th, td { border-bottom: 1px solid #999; padding: 0.3rem 0.5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
thead tr:first-child th { border-bottom: 2px solid #000; padding-left: 0; font-size: 13pt; }
thead tr:last-child th { font-weight: normal; font-size: 9pt; padding-block: 0.1rem; }
col.box { width: 2.2rem; }
col.sku { width: 24%; }
col.units { width: 4.5rem; }
col.orders { width: 26%; }
td.box::before { content: ''; display: inline-block; width: 0.9rem; height: 0.9rem; border: 1.5px solid #000; }
.units { text-align: right; }
td.units { font-weight: bold; }
.units em { display: block; font-size: 9pt; white-space: nowrap; }
td.orders { font-size: 10pt; }
@page { margin: 12mm; @bottom-right { content: counter(page) ' / ' counter(pages); font: 9pt system-ui, sans-serif; } }
@media print { body { margin: 0; } thead { break-inside: avoid; break-after: avoid; } tr { break-inside: avoid; } }
`;

/** The page loads nothing and runs nothing; this one style it may have. */
export const pagePolicy = `default-src 'none'; style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'; frame-ancestors 'none'`;

const counted = (count: number, one: string): string => `${count} ${one}${count === 1 ? '' : 's'}`;

function cellsOf({ sku, title, quantity, onHand, orders }: PickListRow): string {
  const names = orders.map(({ name, quantity: units }) => `${escaped(name)}&nbsp;×&nbsp;${units}`).join(', ');
  const short = onHand !== null && onHand < quantity ? `<em>${Math.max(0, onHand)} there</em>` : '';
  return `<tr><td class="box"></td><td>${escaped(sku)}</td><td>${escaped(title ?? '')}</td><td class="units">${quantity}${short}</td><td class="orders">${names}</td></tr>`;
}

/** A table for each location, so that its name stands at the head of every page that it goes on to. */
const tableOf = (location: string, rows: readonly PickListRow[]): string => `<table>
<colgroup><col class="box"><col class="sku"><col><col class="units"><col class="orders"></colgroup>
<thead>
<tr><th colspan="5">${escaped(location)}</th></tr>
<tr><th></th><th>SKU</th><th>Product</th><th class="units">Units</th><th>Orders</th></tr>
</thead>
<tbody>
${rows.map(cellsOf).join('\n')}
</tbody>
</table>`;

/** The list as a page to print, with a box to tick for each row; it loads nothing from anywhere. */
export function pickListPage(name: string, createdAt: Date, rows: readonly PickListRow[]): string {
  const tables = [...Map.groupBy(rows, ({ location }) => location)].map(([location, there]) => tableOf(location, there));
  const units = rows.reduce((sum, { quantity }) => sum + quantity, 0);
  const sums = `${counted(units, 'unit')} of ${counted(rows.length, 'product')} at ${counted(tables.length, 'location')}`;
  const title = escaped(`Pick list: ${name}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<style>${style}</style>
</head>
<body>
<h1>${title}</h1>
<p>Made ${createdAt.toISOString().slice(0, 10)}. ${rows.length > 0 ? `Still to be picked: ${sums}.` : 'Nothing is left to be picked.'}</p>
${tables.join('\n')}
</body>
</html>
`;
}

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

/** The list as a page to print, with a box to tick for each row; it loads nothing from anywhere. */
export function pickListPage({ title, rows }: { readonly title: string; readonly rows: readonly PickListRow[] }): string {
  const cells = rows.map(({ location, sku, title: product, quantity, onHand, orders }) => {
    const names = orders.map(({ name, quantity: units }) => `${escaped(name)}&nbsp;×&nbsp;${units}`).join(', ');
    const short = onHand !== null && onHand < quantity ? ` <em>(${onHand} there)</em>` : '';
    return `<tr><td class="box"></td><td>${escaped(location)}</td><td>${escaped(sku)}</td><td>${escaped(product ?? '')}</td><td class="units">${quantity}${short}</td><td>${names}</td></tr>`;
  });
  const units = rows.reduce((sum, { quantity }) => sum + quantity, 0);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${escaped(title)}</title>
<style>
body { font: 11pt/1.4 system-ui, sans-serif; margin: 2rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #999; padding: 0.35rem 0.5rem; text-align: left; vertical-align: top; }
.units { text-align: right; white-space: nowrap; }
.box::before { content: '☐'; }
@media print { body { margin: 0; } thead { display: table-header-group; } tr { break-inside: avoid; } }
</style>
</head>
<body>
<h1>${escaped(title)}</h1>
<p>${units} units of ${rows.length} products</p>
<table>
<thead><tr><th></th><th>Location</th><th>SKU</th><th>Product</th><th class="units">Units</th><th>Orders</th></tr></thead>
<tbody>
${cells.join('\n')}
</tbody>
</table>
</body>
</html>
`;
}

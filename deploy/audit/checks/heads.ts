import type { Course } from '../course.ts';
import type { Facts, Finding, JournalDocument, Level, LedgerRow, Product, TopicRecord } from '../facts.ts';
import { groupBy, highestOf, joinKey, nameKey, splitKey } from '../keys.ts';
import { compareVersions, printVersion } from '../versions.ts';
import { opening, standingAfter, type Standing } from './rows.ts';

const compacted = {
  levels: 'stock.levels.v1',
  incidents: 'stock.incidents.v1',
  orderEvents: 'order.events.v1',
  orderIncidents: 'order.incidents.v1',
  connectorIncidents: 'connector-*.incidents.v1',
  purchaseOrders: 'purchase.orders.v1',
  pushRequests: 'push.requests.*.v1',
} as const;

type About = Pick<Finding, 'tenant' | 'sku' | 'order' | 'listing'>;

/**
 * Whoever starts from nothing keeps the last record of each key of a compacted topic: it must be the newest, by its journal. `trusted`: whether
 * a SKU's ledger is in order.
 */
export function checkHeads(facts: Facts, courses: ReadonlyMap<string, Course>, trusted: (key: string) => boolean): Finding[] {
  const ledgers = new Map(
    [...groupBy(facts.ledgers, ({ aggregate }) => aggregate)].filter(([key]) => trusted(key)).map(([key, all]) => [key, rowsOf(all)]),
  );
  return [
    ...Object.entries(compacted).flatMap(([part, topic]) => checkRepeats(topic, facts[part as keyof typeof compacted])),
    ...checkLevels(facts.levels, ledgers),
    ...checkIncidents(facts.incidents, ledgers),
    ...checkSteps(compacted.orderEvents, facts.orderEvents, facts.orders, (order) => ({ order })),
    ...checkSteps(compacted.purchaseOrders, facts.purchaseOrders, facts.purchases, () => ({})),
    ...checkOrderIncidents(facts),
    ...checkConnectorIncidents(facts),
    ...checkRequests(facts.pushRequests, courses),
  ];
}

/** A record may be published again at any time: with the same id, and then with the same bytes. */
function checkRepeats(topic: string, records: readonly TopicRecord<unknown>[]): Finding[] {
  const digests = new Map<string, string>();
  return records.flatMap(({ key, id, digest }) => {
    const earlier = digests.get(id);
    digests.set(id, digest);
    if (earlier === undefined || earlier === digest) return [];
    const { tenant, subject } = nameKey(key);
    const sentence = `${topic} has ${id} twice, with different bytes`;
    return [
      { invariant: 'heads' as const, tenant, ...(topic === compacted.orderEvents ? { order: subject } : { sku: subject }), sentence },
    ];
  });
}

/** The one sentence that all compacted topics share: `last` is what stands there, `head` what the journal says; null: none. */
function behind(topic: string, about: About, last: string | null, head: string, overtaken: boolean): Finding {
  const found = last === null ? 'has no record of it' : `ends with ${last} for it`;
  return { invariant: 'heads', ...about, version: head, sentence: `${topic} ${found}, but the newest is ${head}`, unsettled: !overtaken };
}

/** The last record of each key, and the highest that was ever read before it: where that is higher, an old one came last. */
function lastByKey<Value>(records: readonly TopicRecord<Value>[], compare: (one: Value, other: Value) => number) {
  return new Map(
    [...groupBy(records, ({ key }) => key)].map(([key, all]) => {
      const last = all.at(-1)?.value ?? null;
      return [key, { last, overtaken: last !== null && all.some(({ value }) => value !== null && compare(value, last) > 0) }];
    }),
  );
}

const rowsOf = (documents: readonly JournalDocument<LedgerRow>[]): LedgerRow[] =>
  documents.toSorted((one, other) => one.from - other.from).flatMap(({ entries }) => entries.map(({ data }) => data));

const bySequence = (one: { readonly sequence: number }, other: { readonly sequence: number }) => one.sequence - other.sequence;

type Ledgers = ReadonlyMap<string, readonly LedgerRow[]>;

/** Where a ledger has come to, with what its product is called and how it is kept. */
interface Shelf extends Standing {
  readonly sequence: number;
  readonly product: Product;
}

const unnamed: Product = { title: null, defaultLocation: null, lowStockAtOrBelow: null, retired: false };
const empty: Shelf = { ...opening, sequence: 0, product: unnamed };

const shelfAfter = (before: Shelf, row: LedgerRow): Shelf => ({
  ...(row.refused === null ? standingAfter(before, row) : before),
  sequence: row.sequence,
  product: row.product ?? before.product,
});

function checkLevels(levels: Facts['levels'], ledgers: Ledgers): Finding[] {
  const lasts = lastByKey(levels, bySequence);
  return [...ledgers].flatMap(([key, rows]) => {
    const head = rows.reduce(shelfAfter, empty);
    const { tenant, subject: sku } = nameKey(key);
    const { last, overtaken } = lasts.get(key) ?? { last: null, overtaken: false };
    if (last?.sequence !== head.sequence)
      return [behind(compacted.levels, { tenant, sku }, last && `row ${last.sequence}`, `row ${head.sequence}`, overtaken)];
    const difference = levelDifference(last, head);
    const sentence = `${compacted.levels} says after row ${head.sequence} ${difference}`;
    return difference ? [{ invariant: 'heads' as const, tenant, sku, version: `row ${head.sequence}`, sentence }] : [];
  });
}

function levelDifference({ quantities, locations, counted, product }: Level, head: Shelf): string | null {
  for (const measure of ['onHand', 'orderReserve', 'batchReserve', 'available'] as const)
    if (quantities[measure] !== head.after[measure]) return `${measure} ${quantities[measure]}, but the ledger says ${head.after[measure]}`;
  for (const location of new Set([...Object.keys(locations), ...head.locations.keys()])) {
    const [told, due] = [locations[location] ?? 0, head.locations.get(location) ?? 0];
    if (told !== due) return `${told} units at ${location}, but the ledger says ${due}`;
  }
  for (const field of ['title', 'defaultLocation', 'lowStockAtOrBelow', 'retired'] as const)
    if (product[field] !== head.product[field]) return `${field} ${product[field]}, but the ledger says ${head.product[field]}`;
  return counted === head.counted ? null : `counted: ${counted}, but the ledger says ${head.counted}`;
}

/** What opens an incident of stock, and closes it when it is over; of a SKU that was never counted nothing is known. */
const incidentKinds: Readonly<Record<string, (shelf: Shelf) => boolean>> = {
  oversold: ({ after }) => after.available < 0,
  negative_on_hand: ({ locations }) => [...locations.values()].some((onHand) => onHand < 0),
  low_stock: ({ after, product: { lowStockAtOrBelow, retired } }) =>
    !retired && lowStockAtOrBelow !== null && after.available <= lowStockAtOrBelow,
};

function checkIncidents(incidents: Facts['incidents'], ledgers: Ledgers): Finding[] {
  const lasts = lastByKey(incidents, bySequence);
  return [...ledgers].flatMap(([key, rows]) => {
    const { tenant, subject: sku } = nameKey(key);
    const turns = turnsOf(rows);
    return Object.keys(incidentKinds).flatMap((kind) => {
      const turn = turns.get(kind);
      const { last, overtaken } = lasts.get(joinKey(tenant, kind, sku)) ?? { last: null, overtaken: false };
      const [found, head] = [last && nameTurn(last, 'row'), turn ? nameTurn(turn, 'row') : null];
      if (found === head) return [];
      const { sentence, ...finding } = behind(compacted.incidents, { tenant, sku }, found, head ?? 'none', overtaken);
      return [{ ...finding, sentence: `${sentence} (${kind})` }];
    });
  });
}

interface Turn {
  readonly sequence: number;
  readonly open: boolean;
}

/** The row at which each kind of incident last opened or closed. */
function turnsOf(rows: readonly LedgerRow[]): Map<string, Turn> {
  const turns = new Map<string, Turn>();
  let shelf = empty;
  for (const row of rows) {
    shelf = shelfAfter(shelf, row);
    for (const [kind, isOpen] of Object.entries(incidentKinds)) {
      const open = shelf.counted && isOpen(shelf);
      if (open !== (turns.get(kind)?.open ?? false)) turns.set(kind, { sequence: row.sequence, open });
    }
  }
  return turns;
}

/** Orders and purchase orders: the last record is that of the last step that changed it. */
function checkSteps(
  topic: string,
  records: readonly TopicRecord<{ readonly sequence: number }>[],
  journal: readonly JournalDocument<{ readonly changed: boolean }>[],
  aboutOf: (subject: string) => Omit<About, 'tenant'>,
): Finding[] {
  const lasts = lastByKey(records, bySequence);
  return [...groupBy(journal, ({ aggregate }) => aggregate)].flatMap(([key, documents]) => {
    const changes = documents.flatMap(({ entries }) => entries.filter(({ data }) => data.changed).map(({ sequence }) => sequence));
    const head = highestOf(changes);
    const { last, overtaken } = lasts.get(key) ?? { last: null, overtaken: false };
    if ((last?.sequence ?? 0) === head) return [];
    const { tenant, subject } = nameKey(key);
    return [behind(topic, { tenant, ...aboutOf(subject) }, last && `sequence ${last.sequence}`, `sequence ${head}`, overtaken)];
  });
}

const nameTurn = ({ sequence, open }: Turn, step: string) => `${open ? 'open' : 'closed'} at ${step} ${sequence}`;

/** A line whose listing is not mapped, as long as it takes units. */
function checkOrderIncidents({ orderIncidents, orders }: Facts): Finding[] {
  const lasts = lastByKey(orderIncidents, bySequence);
  return [...groupBy(orders, ({ aggregate }) => aggregate)].flatMap(([key, documents]) => {
    let turn: Turn | null = null;
    for (const { sequence, data } of documents.toSorted((one, other) => one.from - other.from).flatMap(({ entries }) => entries))
      if (data.unmapped !== null && data.unmapped !== ((turn as Turn | null)?.open ?? false)) turn = { sequence, open: data.unmapped };
    const [tenant = '', ...parts] = splitKey(key);
    const { last, overtaken } = lasts.get(joinKey(tenant, 'unmapped_line', joinKey(...parts))) ?? { last: null, overtaken: false };
    const [found, head] = [last && nameTurn(last, 'step'), turn && nameTurn(turn, 'step')];
    return found === head ? [] : [behind(compacted.orderIncidents, { tenant, order: parts.join('/') }, found, head ?? 'none', overtaken)];
  });
}

/** Connectors keep their incidents in documents, which are what there is to compare with. */
function checkConnectorIncidents({ connectorIncidents, connectorIncidentDocuments }: Facts): Finding[] {
  const lasts = lastByKey(connectorIncidents, bySequence);
  const documents = new Map(connectorIncidentDocuments.map((document) => [document.key, document]));
  return [...new Set([...lasts.keys(), ...documents.keys()])].flatMap((key) => {
    const { last, overtaken } = lasts.get(key) ?? { last: null, overtaken: false };
    const document = documents.get(key);
    const [found, head] = [last && nameTurn(last, 'turn'), document ? nameTurn(document, 'turn') : null];
    if (found === head) return [];
    const [tenant = '', kind = '', subject = ''] = splitKey(key);
    const { sentence, ...finding } = behind(
      compacted.connectorIncidents,
      { tenant, listing: splitKey(subject).join('/') },
      found,
      head ?? 'none',
      overtaken,
    );
    return [{ ...finding, sentence: `${sentence} (${kind})` }];
  });
}

function checkRequests(requests: Facts['pushRequests'], courses: ReadonlyMap<string, Course>): Finding[] {
  const lasts = lastByKey(
    requests.map((record) => ({ ...record, key: joinKey(record.marketplace, record.key) })),
    (one, other) => compareVersions(one.version, other.version),
  );
  return [...courses].flatMap(([skuKey, { asked }]) => {
    const { tenant, subject: sku } = nameKey(skuKey);
    return [...asked].flatMap(([name, { marketplace, version, available }]) => {
      const [store = '', listing = ''] = splitKey(name);
      const key = joinKey(marketplace, joinKey(tenant, store, listing, sku));
      const { last, overtaken } = lasts.get(key) ?? { last: null, overtaken: false };
      const head = nameRequest(version, available);
      const found = last && nameRequest(last.version, last.available);
      if (found === head) return [];
      return [behind(`push.requests.${marketplace}.v1`, { tenant, sku, listing: nameOf(store, listing) }, found, head, overtaken)];
    });
  });
}
const nameOf = (store: string, listing: string) => `${store}/${listing}`;
const nameRequest = (version: Parameters<typeof printVersion>[0], available: number | null) =>
  `${printVersion(version)} (${available === null ? 'withdrawn' : available})`;

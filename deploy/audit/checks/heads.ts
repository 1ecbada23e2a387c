import type { Course } from '../course.ts';
import type { Facts, Finding, JournalDocument, Level, LedgerRow, TopicRecord } from '../facts.ts';
import { groupBy, joinKey, nameKey, splitKey } from '../keys.ts';
import { compareVersions, printVersion } from '../versions.ts';

const compacted = {
  levels: 'stock.levels.v1',
  incidents: 'stock.incidents.v1',
  orderEvents: 'order.events.v1',
  pushRequests: 'push.requests.shopify.v1',
} as const;

type About = Pick<Finding, 'tenant' | 'sku' | 'order' | 'listing'>;

/**
 * Whoever starts from nothing keeps the last record of each key of a compacted topic: it must be the newest, by its journal. `trusted`: whether
 * a SKU's ledger is in order.
 */
export function checkHeads(facts: Facts, courses: ReadonlyMap<string, Course>, trusted: (key: string) => boolean): Finding[] {
  const ledgers = new Map([...groupBy(facts.ledgers, ({ aggregate }) => aggregate)].filter(([key]) => trusted(key)));
  return [
    ...Object.entries(compacted).flatMap(([part, topic]) => checkRepeats(topic, facts[part as keyof typeof compacted])),
    ...checkLevels(facts.levels, ledgers),
    ...checkIncidents(facts.incidents, ledgers),
    ...checkOrders(facts),
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

function newestRow(documents: readonly JournalDocument<LedgerRow>[]): LedgerRow | null {
  const newest = documents.reduce<JournalDocument<LedgerRow> | null>(
    (found, document) => (document.to > (found?.to ?? 0) ? document : found),
    null,
  );
  return newest?.entries.at(-1)?.data ?? null;
}

const bySequence = (one: { readonly sequence: number }, other: { readonly sequence: number }) => one.sequence - other.sequence;

function checkLevels(levels: Facts['levels'], ledgers: ReadonlyMap<string, readonly JournalDocument<LedgerRow>[]>): Finding[] {
  const lasts = lastByKey(levels, bySequence);
  return [...ledgers].flatMap(([key, documents]) => {
    const head = newestRow(documents);
    if (!head) return [];
    const { tenant, subject: sku } = nameKey(key);
    const { last, overtaken } = lasts.get(key) ?? { last: null, overtaken: false };
    if (last?.sequence !== head.sequence)
      return [behind(compacted.levels, { tenant, sku }, last && `row ${last.sequence}`, `row ${head.sequence}`, overtaken)];
    const difference = levelDifference(last, head);
    const sentence = `${compacted.levels} says after row ${head.sequence} ${difference}`;
    return difference ? [{ invariant: 'heads' as const, tenant, sku, version: `row ${head.sequence}`, sentence }] : [];
  });
}

function levelDifference({ quantities, locations, counted }: Level, { after, counted: wasCounted }: LedgerRow): string | null {
  for (const measure of ['onHand', 'orderReserve', 'batchReserve', 'available'] as const)
    if (quantities[measure] !== after[measure]) return `${measure} ${quantities[measure]}, but the ledger says ${after[measure]}`;
  const sum = Object.values(locations).reduce((total, onHand) => total + onHand, 0);
  if (sum !== after.onHand) return `${sum} units at its locations, but On Hand is ${after.onHand}`;
  return counted === wasCounted ? null : `counted: ${counted}, but the ledger says ${wasCounted}`;
}

/** An oversold incident opens with Available of a counted SKU below zero and closes at zero or more. */
function checkIncidents(incidents: Facts['incidents'], ledgers: ReadonlyMap<string, readonly JournalDocument<LedgerRow>[]>): Finding[] {
  const lasts = lastByKey(incidents, bySequence);
  return [...ledgers].flatMap(([key, documents]) => {
    const { tenant, subject: sku } = nameKey(key);
    const turn = lastTurn(documents);
    const { last, overtaken } = lasts.get(joinKey(tenant, 'oversold', sku)) ?? { last: null, overtaken: false };
    const nameState = ({ sequence, open }: { sequence: number; open: boolean }) => `${open ? 'open' : 'closed'} at row ${sequence}`;
    if (!turn && !last) return [];
    const head = turn ? nameState(turn) : 'none';
    const found = last && nameState(last);
    return found === head ? [] : [behind(compacted.incidents, { tenant, sku }, found, head, overtaken)];
  });
}

function lastTurn(documents: readonly JournalDocument<LedgerRow>[]): { sequence: number; open: boolean } | null {
  let turn = null as { sequence: number; open: boolean } | null;
  const rows = documents.toSorted((one, other) => one.from - other.from).flatMap(({ entries }) => entries.map(({ data }) => data));
  for (const { sequence, after, counted } of rows) {
    const open = counted && after.available < 0;
    if (open !== (turn?.open ?? false)) turn = { sequence, open };
  }
  return turn;
}

function checkOrders({ orderEvents, orders }: Facts): Finding[] {
  const lasts = lastByKey(orderEvents, bySequence);
  return [...groupBy(orders, ({ aggregate }) => aggregate)].flatMap(([key, documents]) => {
    const changes = documents.flatMap(({ entries }) => entries.filter(({ data }) => data.changed).map(({ sequence }) => sequence));
    const head = changes.reduce((highest, sequence) => Math.max(highest, sequence), 0);
    const { last, overtaken } = lasts.get(key) ?? { last: null, overtaken: false };
    if ((last?.sequence ?? 0) === head) return [];
    const { tenant, subject: order } = nameKey(key);
    return [behind(compacted.orderEvents, { tenant, order }, last && `sequence ${last.sequence}`, `sequence ${head}`, overtaken)];
  });
}

function checkRequests(requests: Facts['pushRequests'], courses: ReadonlyMap<string, Course>): Finding[] {
  const lasts = lastByKey(requests, (one, other) => compareVersions(one.version, other.version));
  return [...courses].flatMap(([skuKey, { asked }]) => {
    const { tenant, subject: sku } = nameKey(skuKey);
    return [...asked].flatMap(([name, { version, available }]) => {
      const [store = '', listing = ''] = splitKey(name);
      const { last, overtaken } = lasts.get(joinKey(tenant, store, listing, sku)) ?? { last: null, overtaken: false };
      const head = nameRequest(version, available);
      const found = last && nameRequest(last.version, last.available);
      if (found === head) return [];
      return [behind(compacted.pushRequests, { tenant, sku, listing: nameOf(store, listing) }, found, head, overtaken)];
    });
  });
}
const nameOf = (store: string, listing: string) => `${store}/${listing}`;
const nameRequest = (version: Parameters<typeof printVersion>[0], available: number | null) =>
  `${printVersion(version)} (${available === null ? 'withdrawn' : available})`;

import type {
  AppliedWrite,
  Call,
  Facts,
  Incident,
  JournalDocument,
  LedgerRow,
  Listing,
  Sale,
  Shown,
  TenantPolicy,
  TopicRecord,
} from '../facts.ts';
import { groupBy, joinKey, splitKey } from '../keys.ts';
import { incidentsOf, marketplaceNames, pushRequestsOf, rulesOf } from './connectors.ts';
import { entriesOf, incident, level, movement, orderEvent, pushRequest, readLedgerRow, tenantPolicy } from './shapes.ts';
import type { AnyDocument, CallDocument, ListingDocument, StoreDocument } from './shapes.ts';
import type { RawRecord } from './topics.ts';
import { Unreachable } from './unreachable.ts';

/** From what was read to what is judged; nothing here reads anything. */

type Records = ReadonlyMap<string, readonly RawRecord[]>;

export function factsOfTopics(records: Records, tenant: string | null) {
  const of = <Value>(topic: string, read: (value: unknown, record: RawRecord) => Value) =>
    (records.get(topic) ?? [])
      .filter(({ key }) => tenant === null || splitKey(key)[0] === tenant)
      .map((record) => convert(topic, record, read));
  return {
    movements: of('stock.movements.v1', (value) => movement.parse(value)),
    levels: of('stock.levels.v1', (value) => level.parse(value)),
    incidents: of('stock.incidents.v1', readIncident),
    orderIncidents: of('order.incidents.v1', readIncident),
    connectorIncidents: marketplaceNames.flatMap((marketplace) => of(incidentsOf(marketplace), readIncident)),
    purchaseOrders: of('purchase.orders.v1', (value) => orderEvent.parse(value)),
    orderEvents: of('order.events.v1', (value) => orderEvent.parse(value)),
    pushRequests: marketplaceNames.flatMap((marketplace) =>
      of(pushRequestsOf(marketplace), (value, { type }) => {
        const { store, listing, version, available = null } = pushRequest.parse(value);
        return { store, listing, version, withdrawn: type === 'PushWithdrawn', available: type === 'PushWithdrawn' ? null : available };
      }).map((record) => ({ ...record, marketplace })),
    ),
    tenantPolicies: policiesIn(records.get('policy.commands.v1') ?? [], tenant),
  } satisfies Partial<Facts>;
}

function convert<Value>(topic: string, record: RawRecord, read: (value: unknown, record: RawRecord) => Value): TopicRecord<Value> {
  const { key, id, digest, value } = record;
  try {
    return { key, id, digest, value: value === null ? null : read(value, record) };
  } catch (error) {
    throw new Unreachable(`the topic ${topic}`, `the record ${id} of ${key} is not what the auditor understands: ${String(error)}`, error);
  }
}

const readIncident = (value: unknown, { id }: RawRecord): Incident => ({
  open: incident.parse(value).state === 'open',
  sequence: sequenceOf(id),
});

/** An incident says in its id alone at which row it changed: `stock/<key>/<sequence>/<kind>`. */
function sequenceOf(id: string): number {
  const sequence = Number(id.split('/').at(-2));
  if (!Number.isInteger(sequence)) throw new Error(`${id} does not name a ledger row`);
  return sequence;
}

/** Each change of a tenant's policy stands in every partition once. */
function policiesIn(records: readonly RawRecord[], tenant: string | null): TenantPolicy[] {
  const changes = records.filter(({ type }) => type === 'TenantPolicyChanged').map(({ value }) => tenantPolicy.parse(value));
  return distinct(changes.filter((change) => tenant === null || change.tenant === tenant));
}

export const distinct = (policies: readonly TenantPolicy[]): TenantPolicy[] => [
  ...new Map(policies.map((policy) => [joinKey(policy.tenant, String(policy.revision)), policy])).values(),
];

/** The journal of stock; a row's epoch stands in its record alone. */
export function ledgersOf(documents: readonly AnyDocument[], movements: Facts['movements']): JournalDocument<LedgerRow>[] {
  const epochs = new Map([...groupBy(movements, ({ key }) => key)].map(([key, records]) => [key, epochsIn(records)]));
  return documents.flatMap((document) => {
    const known = epochs.get(document.aggregate);
    return understood(
      'stock',
      [document],
      readLedgerRow((sequence) => known?.get(sequence) ?? firstEpoch),
    );
  });
}

const firstEpoch = 1;

/** A journal by what its service writes into it. Throws {@link Unreachable} for a document that is otherwise. */
export const understood = <Entry>(
  service: string,
  documents: readonly AnyDocument[],
  read: (data: unknown, sequence: number, cause: string) => Entry,
): JournalDocument<Entry>[] =>
  documents.map((document) => {
    try {
      return entriesOf(document, read);
    } catch (error) {
      const which = `the document of ${document.aggregate} from ${document.from}`;
      throw new Unreachable(`the journal of ${service}`, `${which} is not what the auditor understands: ${String(error)}`, error);
    }
  });

const epochsIn = (records: Facts['movements']) =>
  new Map(records.flatMap(({ value }) => (value === null ? [] : [[value.sequence, value.epoch] as const])));

/** What a store's marketplace says: what its listings show, by their ids, and every write that it has applied to them. */
export interface Shop {
  readonly shown: ReadonlyMap<string, Shown>;
  readonly writes: readonly AppliedWrite[];
  readonly sales: readonly Sale[];
}

export const callOf = ({ _id: idempotencyKey, tenant, store, startedAt, items, outcome, results }: CallDocument): Call => {
  const outcomes = new Map(results.map((result) => [result.listing, result.outcome]));
  return {
    tenant,
    store,
    idempotencyKey,
    startedAt,
    items: items.map((item) => ({ ...item, outcome: outcomes.get(item.listing) ?? outcome })),
  };
};

/** `shops`: what the stores' marketplaces show, by store as {@link storeKey} names it; a store whose marketplace was not read is left out. */
export function listingsOf(
  listings: readonly ListingDocument[],
  stores: readonly StoreDocument[],
  shops: ReadonlyMap<string, Shop>,
): Listing[] {
  const byKey = new Map(stores.map((store) => [storeKey(store), store]));
  return listings.map((listing) => {
    const store = byKey.get(storeKey(listing));
    const { tenant, sku, mapping, wanted, confirmed, inFlight } = listing;
    return {
      tenant,
      store: listing.store,
      listing: listing.listing,
      sku,
      mapping,
      wanted: wanted && { version: wanted.version, available: wanted.quantity },
      confirmed,
      inFlight: inFlight !== null,
      held: holdOf(listing, store),
      ...rulesOf(store?.marketplace),
      shown: shops.get(storeKey(listing))?.shown.get(listing.listing) ?? null,
    };
  });
}

export const storeKey = ({ tenant, store }: { readonly tenant: string; readonly store: string }): string => joinKey(tenant, store);

/** Why nothing may be sent to a listing now. */
function holdOf({ quarantined, paused }: ListingDocument, store: StoreDocument | undefined): string | null {
  if (!store) return 'its store is gone';
  const { state, gate, circuit, credentialVersion } = store;
  if (state !== 'connected') return `its store is ${state}`;
  if (gate && gate.credentialVersion === credentialVersion) return `credentials refused (${gate.code})`;
  if (store.paused) return `store paused by ${store.paused.by}`;
  if (store.inactive) return 'store inactive at the marketplace';
  if (circuit?.state === 'open') return 'circuit open';
  if (paused) return `paused by ${paused.by}`;
  return quarantined ? `quarantined (${quarantined.code})` : null;
}

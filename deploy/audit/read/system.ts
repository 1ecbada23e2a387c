import type { AppliedWrite, Facts, Sale, Shown } from '../facts.ts';
import { splitKey } from '../keys.ts';
import type { z } from 'zod';
import { connectors, incidentsOf, marketplaceNames, pushRequestsOf } from './connectors.ts';
import type { Databases } from './databases.ts';
import { callOf, distinct, factsOfTopics, ledgersOf, listingsOf, storeKey, understood, type Shop } from './facts-of.ts';
import type { MarketplaceReader } from './marketplace.ts';
import {
  callDocument,
  incidentDocument,
  listingDocument,
  readOrderEntry,
  readPolicyEntry,
  readPurchaseEntry,
  readReservationEntry,
  storeDocument,
  tenantPolicy,
  type StoreDocument,
} from './shapes.ts';
import { readTopics, type createKafka } from './topics.ts';
import { Unreachable } from './unreachable.ts';

export interface System {
  readonly kafka: ReturnType<typeof createKafka>;
  readonly registryUrl: string;
  readonly databases: Databases;
  readonly marketplace: MarketplaceReader;
  /** Null: all of them. */
  readonly tenant: string | null;
}

const topics = [
  'order.events.v1',
  'stock.movements.v1',
  'stock.levels.v1',
  'stock.incidents.v1',
  'order.incidents.v1',
  ...marketplaceNames.map(incidentsOf),
  'purchase.orders.v1',
  ...marketplaceNames.map(pushRequestsOf),
  'policy.commands.v1',
];

/** Of stock, beside its ledger. */
export const purchasingJournal = 'purchasing_journal';

const groups = ['order', 'reservation', 'stock', 'sync-policy', ...connectors] as const;

/** A day less than they are kept. */
const decisionsKeptMilliseconds = 29 * 86_400_000;
const callsKeptMilliseconds = 29 * 86_400_000;

/**
 * Reads the whole system. What follows is read before what it follows from (topics before journals, decisions before ledgers, ledgers before
 * reservations), so that in a system that moves nothing seems to come from nowhere. Throws {@link Unreachable}.
 */
export async function readFacts(system: System): Promise<Omit<Facts, 'quiet'>> {
  const { databases, kafka, registryUrl, tenant } = system;
  const { records, trimmed } = await readTopics(kafka, registryUrl, topics);
  const told = factsOfTopics(records, tenant);
  const ofTenant = tenant === null ? {} : { tenant };
  const ofConnectors = async <Shape extends z.ZodType>(collection: string, shape: Shape) =>
    (await Promise.all(connectors.map((name) => databases.documents(name, collection, shape, ofTenant)))).flat();
  const stores = await ofConnectors('stores', storeDocument);
  const shops = new Map<string, Shop>();
  for (const store of stores) shops.set(storeKey(store), await shopOf(system, store));
  const callsKeptSince = Date.now() - callsKeptMilliseconds;
  const calls = await ofConnectors('calls', callDocument);
  const listings = await ofConnectors('listings', listingDocument);
  const decisions = await databases.journal('sync-policy', tenant);
  const ledgers = ledgersOf(await databases.journal('stock', tenant), told.movements);
  const reservations = await databases.journal('reservation', tenant);
  const purchases = await databases.journal('stock', tenant, purchasingJournal);
  const orders = await databases.journal('order', tenant);
  const incidents = await ofConnectors('incidents', incidentDocument);
  const revisions = await databases.documents('sync-policy', 'policies', tenantPolicy, ofTenant);
  const oldest = decisions.reduce((time, { entries }) => Math.min(time, entries[0]?.at ?? time), Infinity);
  return {
    ...told,
    tenantPolicies: distinct([...told.tenantPolicies, ...revisions]),
    movementsTrimmed: trimmed.has('stock.movements.v1'),
    decisionsTrimmed: oldest < Date.now() - decisionsKeptMilliseconds,
    ledgers,
    policies: understood('sync-policy', decisions, readPolicyEntry),
    reservations: understood('reservation', reservations, readReservationEntry),
    orders: understood('order', orders, readOrderEntry),
    purchases: understood('purchasing', purchases, readPurchaseEntry),
    connectorIncidentDocuments: incidents.map(({ _id: key, state, sequence }) => ({ key, sequence, open: state === 'open' })),
    listings: listingsOf(listings, stores, shops),
    calls: calls.map(callOf),
    writes: [...shops.values()].flatMap(({ writes }) => writes),
    sales: [...shops.values()].flatMap(({ sales }) => sales),
    callsKeptSince,
  };
}

/** What a store's marketplace says of its shop, at its location. Empty where the marketplace has no such shop. */
async function shopOf({ marketplace }: System, store: StoreDocument): Promise<Shop> {
  const { shop, location } = placeOfStore(store);
  const shown = new Map<string, Shown>();
  const writes: AppliedWrite[] = [];
  const sales: Sale[] = [];
  if (!(await marketplace.shops()).has(shop)) return { shown, writes, sales };
  const seen = await marketplace.shown(shop);
  for (const [place, there] of seen.shown) {
    const [item = '', where] = splitKey(place);
    if (where === location) shown.set(item, there);
  }
  const { tenant, store: name } = store;
  for (const write of seen.writes) {
    if (write.location !== location) continue;
    const { inventoryItem: listing, quantityBefore: before, quantityAfter: after, number, idempotencyKey, at, salesCounter } = write;
    writes.push({ tenant, store: name, listing, number, idempotencyKey, before, after, at, salesCounter });
  }
  for (const { inventoryItem: listing, location: where, number, quantity, at } of seen.sales)
    if (where === location) sales.push({ tenant, store: name, listing, number, quantity, at });
  return { shown, writes, sales };
}

/** Where a store's quantities are, as its connector has noted it: a shop has one place on Etsy. */
export function placeOfStore({ store, marketplace, name, settings: { shop, locationId } }: StoreDocument): {
  shop: string;
  location: string;
} {
  if (marketplace === 'etsy') return { shop: name, location: '' };
  if (typeof shop === 'string' && typeof locationId === 'string') return { shop, location: locationId };
  throw new Unreachable(`the store ${store}`, 'its settings name no shop and location, so that its marketplace cannot be asked');
}

/** What the services have given up on, which may well explain what is missing. */
export async function readGivenUp({ kafka, databases }: System): Promise<string[]> {
  const admin = kafka.admin();
  const notes: string[] = [];
  await Unreachable.where('Kafka', () => admin.connect());
  try {
    for (const group of groups) {
      const topic = `${group}.dlq.v1`;
      const offsets = await Unreachable.where(`the topic ${topic}`, () => admin.fetchTopicOffsets(topic));
      const letters = offsets.reduce((sum, { low, high }) => sum + Number(high) - Number(low), 0);
      if (letters > 0) notes.push(`${letters} messages lie in ${topic}`);
      const parked = await databases.count(group, 'parked', {});
      if (parked > 0) notes.push(`${group} has parked ${parked} aggregates`);
    }
    return notes;
  } finally {
    await admin.disconnect();
  }
}

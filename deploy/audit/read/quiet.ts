import { joinKey, splitKey } from '../keys.ts';
import { connectorOf, connectors, marketplaceNames, pushRequestsOf } from './connectors.ts';
import { storeDocument, type StoreDocument } from './shapes.ts';
import { placeOfStore, purchasingJournal, type System } from './system.ts';
import { Unreachable } from './unreachable.ts';

/** What the services read; a group's own name is its service's. */
const readBy: Readonly<Record<string, readonly string[]>> = {
  order: ['marketplace.orders.v1', 'order.commands.v1'],
  reservation: ['order.events.v1', 'reservation.commands.v1'],
  stock: ['reservation.events.v1', 'stock.commands.v1'],
  'stock.purchasing': ['purchase.commands.v1'],
  'sync-policy': ['stock.movements.v1', 'listing.changes.v1', 'policy.commands.v1'],
  ...Object.fromEntries(marketplaceNames.map((name) => [connectorOf(name), [pushRequestsOf(name)]])),
};
const journaling = ['order', 'reservation', 'stock', 'sync-policy'] as const;

/** A quick look at where everything stands. */
export interface Look {
  /** In milliseconds, on a clock that only rises. */
  readonly at: number;
  /** By group, topic and partition: where the topic ends, and up to where the group has come. */
  readonly ends: ReadonlyMap<string, number>;
  readonly committed: ReadonlyMap<string, number>;
  /** Changes with everything that happens to the tenants that are audited. */
  readonly traces: string;
  /** What is on its way and can be seen: listings not yet confirmed, sales not yet read. */
  readonly outstanding: readonly string[];
}

export async function look(system: System): Promise<Look> {
  const { databases, tenant } = system;
  const ofTenant = tenant === null ? {} : { tenant };
  const stores = (await Promise.all(connectors.map((name) => databases.documents(name, 'stores', storeDocument, ofTenant)))).flat();
  const [positions, sizes, listings, shops] = await Promise.all([
    positionsOf(system),
    Promise.all([
      ...journaling.map((service) => databases.journalSize(service, tenant)),
      databases.journalSize('stock', tenant, purchasingJournal),
    ]),
    outstandingListings(system),
    shopsOf(system, stores),
  ]);
  return {
    at: performance.now(),
    ...positions,
    traces: JSON.stringify([sizes, listings, shops.pulses]),
    outstanding: [...(listings > 0 ? [`${listings} listings not confirmed`] : []), ...shops.unread],
  };
}

async function positionsOf({ kafka }: System): Promise<Pick<Look, 'ends' | 'committed'>> {
  const admin = kafka.admin();
  return await Unreachable.where('Kafka', async () => {
    await admin.connect();
    try {
      const ends = new Map<string, number>();
      const committed = new Map<string, number>();
      for (const [group, topics] of Object.entries(readBy)) {
        const positions = await admin.fetchOffsets({ groupId: group, topics: [...topics] });
        for (const { topic, partitions } of positions)
          for (const { partition, offset } of partitions) committed.set(joinKey(group, topic, String(partition)), Number(offset));
        for (const topic of topics)
          for (const { partition, low, high } of await admin.fetchTopicOffsets(topic))
            if (Number(high) > Number(low)) ends.set(joinKey(group, topic, String(partition)), Number(high));
      }
      return { ends, committed };
    } finally {
      await admin.disconnect();
    }
  });
}

/** Held ones are not on their way. */
async function outstandingListings({ databases, tenant }: System): Promise<number> {
  const onItsWay = { quarantined: null, $or: [{ outstanding: true }, { inFlight: { $ne: null } }] };
  const filter = tenant === null ? onItsWay : { tenant, ...onItsWay };
  const counts = await Promise.all(connectors.map((name) => databases.count(name, 'listings', filter)));
  return counts.reduce((sum, count) => sum + count, 0);
}

async function shopsOf({ marketplace }: System, stores: readonly StoreDocument[]) {
  const known = await marketplace.shops();
  const pulses: unknown[] = [];
  const unread: string[] = [];
  for (const store of stores) {
    const { shop } = placeOfStore(store);
    if (!known.has(shop)) continue;
    const pulse = await marketplace.pulse(shop);
    pulses.push([shop, pulse]);
    const { lastSaleAt } = pulse;
    if (lastSaleAt !== null && lastSaleAt >= store.ordersFrom && lastSaleAt > store.cursor)
      unread.push(`sales of the shop ${shop} not read`);
  }
  return { pulses, unread };
}

/** As many looks in a row must show the same: what one consumer has finished, the next may only be about to begin. */
const looksAlike = 3;

/** Consumers that have not yet read what was there at the earlier look, as joined keys of group, topic and partition. */
const behind = (earlier: Look, now: Look): string[] =>
  [...earlier.ends].filter(([name, end]) => (now.committed.get(name) ?? -1) < end).map(([name]) => name);

/** Why it is not quiet, for people. */
export function whyMoving(looks: readonly Look[]): string[] {
  const [first] = looks.slice(-looksAlike);
  const last = looks.at(-1);
  if (!first || !last) return ['nobody has looked yet'];
  const groups = new Set(behind(first, last).map((name) => splitKey(name).slice(0, 2).join(' has yet to read ')));
  const changes = looks.slice(-looksAlike).some(({ traces }) => traces !== last.traces) ? ['something keeps happening'] : [];
  return [...changes, ...groups, ...last.outstanding];
}

/**
 * Whether nothing moves any more, by the looks so far, newest last: the last few show the same, every consumer has read what was there before them,
 * and nothing is outstanding, or has been for `stillMilliseconds` without anything happening. What others do on the same system is no matter.
 */
export function isQuiet(looks: readonly Look[], stillMilliseconds: number): boolean {
  const alike = looks.slice(-looksAlike);
  const [first] = alike;
  const last = alike.at(-1);
  if (!first || !last || alike.length < looksAlike || alike.some(({ traces }) => traces !== last.traces)) return false;
  if (behind(first, last).length > 0) return false;
  if (last.outstanding.length === 0) return true;
  const moved = looks.findLast(({ traces }) => traces !== last.traces);
  const since = looks[moved ? looks.indexOf(moved) + 1 : 0];
  return since !== undefined && last.at - since.at >= stillMilliseconds;
}

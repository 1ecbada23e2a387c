import type { Events } from './generated/events.ts';

export type EventName = keyof Events;

/** A topic as a typed value; nobody writes a topic's name as a string. */
export interface Topic<Name extends EventName = EventName> {
  readonly name: string;
  /** What the record key is made of, in order: {@link keyOf} of these parts. */
  readonly key: readonly string[];
  /** Events whose keys have one part more, always the same: among those of its topic they are keys of their own. */
  readonly keyEnds?: { readonly [Event in Name]?: string };
  /** How many leading parts of the key choose the partition; all of them where absent. */
  readonly partitionParts?: number;
  /** The only service that writes it; `connector-*` for every connector, with disjoint keys. */
  readonly owner: string;
  /** Fixed for this version of the topic: growing means a new version. */
  readonly partitions: number;
  readonly cleanup: 'delete' | 'compact';
  /** Compacted, and yet every record of a slice is published: its reader acts on each step. */
  readonly everyRecord?: true;
  /** Compacted, and its reader waits for correlations: a record says those that it superseded (header `ce_supersededcorrelationids`). */
  readonly correlationsKept?: true;
  /** Null where it is compacted. */
  readonly retentionDays: number | null;
  readonly ordering: string;
  /** What a consumer sees when a record is published again. */
  readonly duplicates: string;
  readonly events: readonly Name[];
}

const lanes = 12;
const sameId = 'The same ce_id and the same bytes; at any later time.';
const sameCommand = 'The same ce_id: tenant, route and idempotency key.';

const topic = <Name extends EventName>(value: Topic<Name>): Topic<Name> => value;
const deleted = (retentionDays: number) => ({ cleanup: 'delete' as const, retentionDays });
const compacted = { cleanup: 'compact' as const, retentionDays: null };

/** The last part of a PushHeld's key. */
export const heldKey = 'held';

/** What needs a person's eye, as one service knows it. */
const incidents = (owner: string, ordering: string) =>
  topic({
    name: `${owner}.incidents.v1`,
    key: ['tenant', 'kind', 'subject'],
    owner,
    partitions: 3,
    ...compacted,
    ordering,
    duplicates: sameId,
    events: ['IncidentChanged'],
  });

/**
 * Partitioned by store: the owner of a partition owns its stores. What is held stands behind what was requested before it, and has a key of its own
 * ({@link heldKey}): compaction must not take it for what the listing should show.
 */
const pushRequests = (marketplace: string) =>
  topic({
    name: `push.requests.${marketplace}.v1`,
    key: ['tenant', 'store', 'listing', 'sku'],
    keyEnds: { PushHeld: heldKey },
    partitionParts: 2,
    owner: 'sync-policy',
    partitions: lanes,
    ...compacted,
    correlationsKept: true,
    ordering: 'By version, per listing; a lower one may come late, one that was superseded at once never comes.',
    duplicates: sameId,
    events: ['PushRequested', 'PushWithdrawn', 'PushHeld'],
  });

/** What a marketplace's webhooks said, for the owner of the store: partitioned like its push requests. */
const orderHints = (marketplace: string) =>
  topic({
    name: `order.hints.${marketplace}.v1`,
    key: ['tenant', 'store'],
    owner: `connector-${marketplace}`,
    partitions: lanes,
    ...deleted(1),
    ordering: 'None: a hint says only that something may have changed.',
    duplicates: "The same ce_id: the marketplace's own delivery id.",
    events: ['OrderHinted'],
  });

export const topics = {
  marketplaceOrders: topic({
    name: 'marketplace.orders.v1',
    key: ['tenant', 'store', 'order'],
    owner: 'connector-*',
    partitions: lanes,
    ...deleted(14),
    ordering: 'As read; the newest by updatedAt wins, not the last in the topic.',
    duplicates: 'The same ce_id: store, order, update time and content hash.',
    events: ['MarketplaceOrderRead'],
  }),
  orderEvents: topic({
    name: 'order.events.v1',
    key: ['tenant', 'store', 'order'],
    owner: 'order',
    partitions: lanes,
    ...compacted,
    everyRecord: true,
    ordering: 'By sequence, per order, with gaps; a lower one may come late.',
    duplicates: sameId,
    events: ['OrderChanged'],
  }),
  orderCommands: topic({
    name: 'order.commands.v1',
    key: ['tenant', 'store', 'order'],
    owner: 'order',
    partitions: lanes,
    ...deleted(14),
    ordering: 'As asked, per order.',
    duplicates: sameCommand,
    events: ['CreateLabel', 'VoidLabel'],
  }),
  orderIncidents: incidents('order', 'By the order sequence, per incident.'),
  reservationCommands: topic({
    name: 'reservation.commands.v1',
    key: ['tenant', 'store', 'order'],
    owner: 'reservation',
    partitions: lanes,
    ...deleted(14),
    ordering: 'As asked, per order.',
    duplicates: sameCommand,
    events: ['AssignToBatch', 'ReleaseFromBatch', 'PickBatchUnits', 'ReportShortPick', 'PutBackUnits'],
  }),
  reservationEvents: topic({
    name: 'reservation.events.v1',
    key: ['tenant', 'sku'],
    owner: 'reservation',
    partitions: lanes,
    ...deleted(14),
    ordering: 'By sequence, per order; orders of one SKU in no order among themselves.',
    duplicates: sameId,
    events: [
      'UnitsReserved',
      'UnitsReleased',
      'UnitsAutoPicked',
      'UnitsUnpicked',
      'UnitsAssignedToBatch',
      'UnitsReleasedFromBatch',
      'UnitsBatchPicked',
      'UnitsMissing',
      'UnitsPutBack',
    ],
  }),
  stockCommands: topic({
    name: 'stock.commands.v1',
    key: ['tenant', 'sku'],
    owner: 'stock',
    partitions: lanes,
    ...deleted(14),
    ordering: 'As asked, per SKU.',
    duplicates: sameCommand,
    events: ['UpdateStock', 'SetProduct', 'PutAwayUnits'],
  }),
  purchaseCommands: topic({
    name: 'purchase.commands.v1',
    key: ['tenant', 'purchaseOrder'],
    owner: 'stock',
    partitions: lanes,
    ...deleted(14),
    ordering: 'As asked, per purchase order.',
    duplicates: sameCommand,
    events: ['CreatePurchaseOrder', 'ReceivePurchase', 'PutAwayPurchase', 'ClosePurchaseOrder'],
  }),
  purchaseOrders: topic({
    name: 'purchase.orders.v1',
    key: ['tenant', 'purchaseOrder'],
    owner: 'stock',
    partitions: lanes,
    ...compacted,
    ordering: 'By sequence, per purchase order, with gaps; a lower one may come late.',
    duplicates: sameId,
    events: ['PurchaseOrderChanged'],
  }),
  stockMovements: topic({
    name: 'stock.movements.v1',
    key: ['tenant', 'sku'],
    owner: 'stock',
    partitions: lanes,
    ...deleted(30),
    ordering: 'By sequence, per SKU, from 1 without a gap; a lower one may come late.',
    duplicates: sameId,
    events: ['StockMoved'],
  }),
  stockLevels: topic({
    name: 'stock.levels.v1',
    key: ['tenant', 'sku'],
    owner: 'stock',
    partitions: lanes,
    ...compacted,
    ordering: 'By sequence, per SKU, with gaps: levels that came and went at once are left out; the highest is the level.',
    duplicates: sameId,
    events: ['StockLevelChanged'],
  }),
  stockIncidents: incidents('stock', 'By the SKU ledger sequence, per incident.'),
  listingChanges: topic({
    name: 'listing.changes.v1',
    key: ['tenant', 'sku'],
    owner: 'connector-*',
    partitions: lanes,
    ...deleted(14),
    ordering: 'By mapping revision, per listing.',
    duplicates: 'The same ce_id: store, listing and mapping revision.',
    events: ['ListingMapped', 'ListingUnmapped'],
  }),
  policyCommands: topic({
    name: 'policy.commands.v1',
    key: ['tenant', 'sku'],
    owner: 'sync-policy',
    partitions: lanes,
    ...deleted(14),
    ordering: 'As asked, per SKU; a control record (TenantPolicyChanged, key: tenant) once in every partition.',
    duplicates: sameCommand,
    events: ['SetInventorySync', 'SetSkuPolicy', 'ReconsiderPolicy', 'TenantPolicyChanged'],
  }),
  shopifyPushRequests: pushRequests('shopify'),
  etsyPushRequests: pushRequests('etsy'),
  shopifyOrderHints: orderHints('shopify'),
  etsyOrderHints: orderHints('etsy'),
  shopifyIncidents: incidents('connector-shopify', 'By time, per incident.'),
  etsyIncidents: incidents('connector-etsy', 'By time, per incident.'),
} as const;

/** Every topic, for those who create, check or document them. */
export const allTopics: readonly Topic[] = Object.values(topics);

/** Every marketplace that a connector exists for. */
export const marketplaces = ['shopify', 'etsy'] as const;
export type MarketplaceName = (typeof marketplaces)[number];

export const isMarketplace = (name: string): name is MarketplaceName => marketplaces.some((known) => known === name);

const topicsByMarketplace = {
  shopify: {
    group: 'connector-shopify',
    pushRequests: topics.shopifyPushRequests,
    orderHints: topics.shopifyOrderHints,
    incidents: topics.shopifyIncidents,
  },
  etsy: {
    group: 'connector-etsy',
    pushRequests: topics.etsyPushRequests,
    orderHints: topics.etsyOrderHints,
    incidents: topics.etsyIncidents,
  },
} as const;

/** The topics and the consumer group of one marketplace's connector. Throws for one that has none. */
export function topicsOf(marketplace: string): (typeof topicsByMarketplace)[MarketplaceName] {
  if (isMarketplace(marketplace)) return topicsByMarketplace[marketplace];
  throw new Error(`There are no topics for the marketplace ${marketplace}: add them to contracts/src/topics.ts.`);
}

/** The topic that carries push requests for a marketplace. Throws for one that has none. */
export const pushRequestsOf = (marketplace: string): Topic<'PushRequested' | 'PushWithdrawn' | 'PushHeld'> =>
  topicsOf(marketplace).pushRequests;

/** A record key: the parts, encoded so that tenant `a` + SKU `b/c` is not `a/b` + `c`. */
export const keyOf = (...parts: readonly string[]): string => parts.map(encodeURIComponent).join('/');

/** The parts that {@link keyOf} joined. */
export const partsOf = (key: string): string[] => key.split('/').map(decodeURIComponent);

/** The consumer groups; each has its own dead-letter topic. */
export const groups = [
  'order',
  'order.list',
  'reservation',
  'reservation.levels',
  'stock',
  'stock.purchasing',
  'stock.products',
  'sync-policy',
  'connector-shopify',
  'connector-etsy',
] as const;
export type Group = (typeof groups)[number];

/** Where a group puts messages that it cannot read or fold: original key and bytes; reason and origin in headers. */
export const deadLetterTopicOf = (group: string) => ({ name: `${group}.dlq.v1`, partitions: 3 });

export const deadLetterTopics = groups.map((group) => ({
  ...deadLetterTopicOf(group),
  cleanup: 'delete' as const,
  retentionDays: 30,
}));

import { putNewer, type Aggregate, type MongoHandle, type Outgoing, type Projected } from '@evenkeel/chassis';
import { keyOf, partsOf, topics } from '@evenkeel/contracts';
import {
  decidePurchase,
  evolvePurchase,
  purchaseChangedOf,
  putAwaysOf,
  stillToCome,
  unknownPurchase,
  waiting,
  type Purchase,
  type PurchaseEntry,
  type PurchaseInput,
  type PurchaseState,
} from './purchasing-domain.ts';

const purchaseOf = (key: string) => {
  const [tenant = '', purchaseOrder = ''] = partsOf(key);
  return { tenant, purchaseOrder };
};

function changed(key: string, state: PurchaseState): Outgoing[] {
  const parts = purchaseOf(key);
  const data = purchaseChangedOf(parts, state);
  if (!data) return [];
  const { sequence, at: time, correlation } = state.changed;
  const event = { id: `stock.purchasing/${key}/${sequence}`, type: 'PurchaseOrderChanged', time, correlation, data } as const;
  return [{ topic: topics.purchaseOrders, key: [parts.tenant, parts.purchaseOrder], event }];
}

/** So many at once: each entry has the whole purchase order, and what becomes of them is one document of 16 MB at most. */
export const stepsOfOnePurchase = 10;

/** A purchase order. It alone decides a receipt, which concerns many SKUs; each one's ledger is then told what was put away. */
export const purchaseAggregate: Aggregate<PurchaseInput, PurchaseEntry, PurchaseState> = {
  keyOf: ({ data: { tenant, purchaseOrder } }) => keyOf(tenant, purchaseOrder),
  initial: () => unknownPurchase,
  decide: (state, command) => [decidePurchase(state, command)],
  evolve: evolvePurchase,
  publish(key, entry, state) {
    if (entry.data.refused !== null) return [];
    const { sequence, at: time, correlation } = entry;
    const putAways = putAwaysOf(purchaseOf(key), entry).map((data): Outgoing => {
      const id = `stock.purchasing/${key}/${sequence}/${encodeURIComponent(data.sku)}`;
      return { topic: topics.stockCommands, key: [data.tenant, data.sku], event: { id, type: 'PutAwayUnits', time, correlation, data } };
    });
    return [...changed(key, state), ...putAways];
  },
  heads: changed,
};

/** A purchase order in lists; the truth is in its journal. */
export interface PurchaseDocument {
  /** `keyOf(tenant, purchaseOrder)` */
  readonly _id: string;
  readonly tenant: string;
  readonly purchaseOrder: string;
  readonly sequence: number;
  readonly createdAt: Date;
  readonly supplier: string | null;
  readonly state: Purchase['state'];
  readonly products: number;
  readonly unitsOrdered: number;
  readonly unitsToCome: number;
  readonly unitsToPutAway: number;
}

export interface PurchasePosition {
  readonly createdAt: Date;
  readonly key: string;
}

export interface PurchaseStore {
  /** Idempotent by sequence. */
  project(documents: readonly Projected<PurchaseEntry, PurchaseState>[]): Promise<void>;
  /** Of one tenant, newest first; `after`: where the page before ended. */
  page(filter: {
    readonly tenant: string;
    readonly state?: Purchase['state'] | undefined;
    readonly after?: PurchasePosition | undefined;
    readonly limit: number;
  }): Promise<PurchaseDocument[]>;
}

/** Opens the collection `purchase_orders` with its indexes. */
export async function openPurchaseStore({ connection }: MongoHandle): Promise<PurchaseStore> {
  const purchases = connection.getClient().db(connection.name).collection<PurchaseDocument>('purchase_orders');
  await purchases.createIndexes([
    { key: { tenant: 1, createdAt: -1, _id: -1 }, name: 'newest' },
    { key: { tenant: 1, state: 1, createdAt: -1, _id: -1 }, name: 'newest_of_state' },
  ]);
  return {
    project: (documents) => putNewer(purchases, 'sequence', documents.flatMap(documentOf)),
    page({ tenant, state, after, limit }) {
      const behind = after && {
        createdAt: { $lte: after.createdAt },
        $or: [{ createdAt: { $lt: after.createdAt } }, { _id: { $lt: after.key } }],
      };
      return purchases
        .find({ tenant, ...(state ? { state } : {}), ...behind })
        .sort({ createdAt: -1, _id: -1 })
        .limit(limit)
        .toArray();
    },
  };
}

function documentOf({ key, state: { purchase, createdAt, changed: last } }: Projected<PurchaseEntry, PurchaseState>): PurchaseDocument[] {
  if (!purchase) return [];
  const { supplier, state, lines } = purchase;
  const sum = (measure: (line: Purchase['lines'][number]) => number) => lines.reduce((total, line) => total + measure(line), 0);
  return [
    {
      _id: key,
      ...purchaseOf(key),
      sequence: last.sequence,
      createdAt: new Date(createdAt),
      supplier,
      state,
      products: lines.length,
      unitsOrdered: sum(({ ordered }) => ordered),
      unitsToCome: state === 'closed' ? 0 : sum(stillToCome),
      unitsToPutAway: sum(waiting),
    },
  ];
}

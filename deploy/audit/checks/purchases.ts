import type { Facts, Finding } from '../facts.ts';
import { joinKey, nameKey } from '../keys.ts';

const prefix = 'stock.purchasing/';

/**
 * I2: what a purchase order has put away is On Hand once: each put-away is one row of its SKU's ledger, with its units and the purchase order's
 * name, and no row names one that never was. `trusted`: whether a SKU's ledger is in order.
 */
export function checkPurchases({ purchases, ledgers }: Facts, trusted: (key: string) => boolean): Finding[] {
  const entries = ledgers
    .filter(({ aggregate }) => trusted(aggregate))
    .flatMap((document) => document.entries.map((entry) => ({ ...entry, key: document.aggregate })));
  const rows = new Map(entries.map((entry) => [entry.cause, entry]));
  const putAways = purchases.flatMap(({ aggregate, entries: steps }) =>
    steps.flatMap(({ sequence, data }) =>
      data.putAway.map(({ sku, quantity }) => ({
        id: `${prefix}${aggregate}/${sequence}/${encodeURIComponent(sku)}`,
        aggregate,
        sku,
        quantity,
      })),
    ),
  );
  const known = new Set(putAways.map(({ id }) => id));
  const wrong = putAways.flatMap(({ id, aggregate, sku, quantity }): Finding[] => {
    const { tenant, subject } = nameKey(aggregate);
    const what = `${quantity} units of the purchase order ${subject} (${id})`;
    const finding = (sentence: string, version?: number, unsettled = false): Finding[] => [
      { invariant: 'I2', tenant, sku, version: version === undefined ? undefined : String(version), sentence, unsettled },
    ];
    const row = rows.get(id);
    if (!row) return trusted(joinKey(tenant, sku)) ? finding(`${what} were put away, and never reached the ledger`, undefined, true) : [];
    const { change, refused, purchaseOrder, type } = row.data;
    if (refused !== null) return finding(`row ${row.sequence} refuses (${refused}) that ${what} were put away`, row.sequence);
    if (type !== 'PurchaseReceiving' || change.onHand !== quantity || purchaseOrder !== subject)
      return finding(
        `row ${row.sequence} (${type} of ${change.onHand} for ${purchaseOrder}) is not that ${what} were put away`,
        row.sequence,
      );
    return [];
  });
  const unknown = entries
    .filter(({ cause }) => cause.startsWith(prefix) && !known.has(cause))
    .map(({ key, cause, sequence }): Finding => {
      const { tenant, subject: sku } = nameKey(key);
      return {
        invariant: 'I2',
        tenant,
        sku,
        version: String(sequence),
        sentence: `row ${sequence} names a cause that purchasing never wrote, ${cause}`,
      };
    });
  return [...wrong, ...unknown];
}

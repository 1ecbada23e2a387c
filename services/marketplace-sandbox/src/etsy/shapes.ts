import type { EtsyListingRow, ProductRow, PropertyValue, TransactionRow } from '../state/etsy-listings.ts';
import type { LineRow, OrderRow } from '../state/orders.ts';

/** What rows of the state look like in the API's answers. */

const currency = { divisor: 100, currency_code: 'USD' };
const seconds = (milliseconds: number) => Math.floor(milliseconds / 1_000);

export interface Owner {
  userId: number;
  shopId: number;
}

export const listingOf = ({ userId, shopId }: Owner, row: EtsyListingRow, products: readonly ProductRow[]) => ({
  listing_id: row.id,
  user_id: userId,
  shop_id: shopId,
  title: row.title,
  state: row.state,
  quantity: [...new Map(products.map(({ item, quantity }) => [item, quantity])).values()].reduce((sum, quantity) => sum + quantity, 0),
  last_modified_timestamp: seconds(row.updatedAt),
  has_variations: products.some(({ properties }) => properties.length > 0),
});

export const inventoryOf = ({ varies }: EtsyListingRow, products: readonly ProductRow[]) => ({
  products: products.map((product) => ({
    product_id: product.id,
    sku: product.sku,
    is_deleted: false,
    offerings: [
      {
        offering_id: product.id + 1_000_000_000,
        quantity: product.quantity,
        is_enabled: product.enabled,
        is_deleted: false,
        price: { amount: product.price, ...currency },
        readiness_state_id: product.readiness,
      },
    ],
    property_values: product.properties.map(propertyValueOf),
  })),
  price_on_property: varies.price,
  quantity_on_property: varies.quantity,
  sku_on_property: varies.sku,
  readiness_state_on_property: varies.readiness,
});

const propertyValueOf = ({ property_id, property_name, scale_id, value_ids, values }: PropertyValue) => ({
  property_id,
  property_name,
  scale_id,
  scale_name: null,
  value_ids,
  values,
});

/** A receipt is told as it was sold, also when its listing is gone. */
export function receiptOf(order: OrderRow, lines: readonly LineRow[], soldAs: (line: number) => TransactionRow | undefined) {
  const isShipped = lines.every(({ fulfilled }) => fulfilled > 0);
  const isPaid = order.financial_status !== 'PENDING';
  const [created, updated] = [seconds(order.created_at), seconds(order.updated_at)];
  return {
    receipt_id: order.id,
    status: statusOf(order, isShipped, isPaid),
    is_paid: isPaid,
    is_shipped: isShipped,
    create_timestamp: created,
    created_timestamp: created,
    update_timestamp: updated,
    updated_timestamp: updated,
    shipments: isShipped ? [{ receipt_shipping_id: order.id, shipment_notification_timestamp: updated }] : [],
    transactions: lines.map((line) => {
      const sold = soldAs(line.id);
      return {
        transaction_id: line.id,
        receipt_id: order.id,
        listing_id: sold?.listing ?? null,
        product_id: sold?.product ?? null,
        sku: line.sku,
        quantity: line.quantity,
        price: { amount: sold?.price ?? 0, ...currency },
        variations: (sold?.variations ?? []).map(({ property_id, property_name, value_ids, values }) => ({
          property_id,
          value_id: value_ids[0] ?? null,
          formatted_name: property_name,
          formatted_value: values.join(', '),
        })),
        shipped_timestamp: isShipped ? updated : null,
      };
    }),
  };
}

function statusOf(order: OrderRow, isShipped: boolean, isPaid: boolean): string {
  if (order.cancelled_at !== null) return 'canceled';
  if (order.financial_status === 'REFUNDED') return 'fully refunded';
  if (isShipped) return 'completed';
  return isPaid ? 'paid' : 'payment processing';
}

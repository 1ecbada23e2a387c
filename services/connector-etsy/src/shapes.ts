import { z } from 'zod';

/** Of the API's answers what we rely on; the rest is not looked at, and nothing of the buyer is kept. */

const listingState = z.string();

const propertyValue = z.object({
  property_id: z.number(),
  property_name: z.string().nullish(),
  scale_id: z.number().nullish(),
  value_ids: z.array(z.number()),
  values: z.array(z.string()),
});

const offering = z.object({
  quantity: z.number(),
  is_enabled: z.boolean(),
  is_deleted: z.boolean().nullish(),
  price: z.object({ amount: z.number(), divisor: z.number() }),
  readiness_state_id: z.number().nullish(),
});

const product = z.object({
  product_id: z.number(),
  sku: z.string().nullish(),
  is_deleted: z.boolean().nullish(),
  offerings: z.array(offering),
  property_values: z.array(propertyValue),
});

const propertyIds = z
  .array(z.number())
  .nullish()
  .transform((ids) => ids ?? []);

export const inventory = z.object({
  products: z.array(product),
  price_on_property: propertyIds,
  quantity_on_property: propertyIds,
  sku_on_property: propertyIds,
  readiness_state_on_property: propertyIds,
});

export const inventoryWithListing = inventory.extend({ listing: z.object({ listing_id: z.number(), state: listingState }) });

export const listings = z.object({
  count: z.number(),
  results: z.array(z.object({ listing_id: z.number(), state: listingState, inventory: inventory.nullish() })),
});

export const listing = z.object({ listing_id: z.number(), state: listingState });

const transaction = z.object({
  transaction_id: z.number(),
  listing_id: z.number().nullish(),
  product_id: z.number().nullish(),
  sku: z.string().nullish(),
  quantity: z.number(),
  variations: z
    .array(z.object({ property_id: z.number(), value_id: z.number().nullish(), formatted_value: z.string().nullish() }))
    .nullish()
    .transform((variations) => variations ?? []),
});

const receipt = z.object({
  receipt_id: z.number(),
  status: z.string(),
  is_shipped: z.boolean(),
  created_timestamp: z.number(),
  updated_timestamp: z.number(),
  transactions: z.array(transaction),
});

export const receipts = z.object({ count: z.number(), results: z.array(receipt) });

export const me = z.object({ user_id: z.number(), shop_id: z.number().nullish() });
export const shop = z.object({ shop_id: z.number(), shop_name: z.string(), is_vacation: z.boolean() });

export type Inventory = z.output<typeof inventory>;
export type Product = z.output<typeof product>;
export type Receipt = z.output<typeof receipt>;
export type Transaction = z.output<typeof transaction>;

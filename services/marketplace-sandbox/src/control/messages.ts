import { z } from 'zod';
import type {
  EtsySettings,
  Faults,
  NewEtsyShop,
  NewListing,
  NewOrder,
  NewProduct,
  NewShop,
  OrderEdit,
  ShopSettings,
} from '../control-client.ts';

/** What the control port takes: unknown fields, wrong types and absurd sizes are refused. The client's types say the same to a compiler. */

const quantityLimit = 1_000_000_000;
const milliseconds = z.int().min(0).max(600_000);
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'lower-case letters, digits and dashes');
const token = z.string().min(1).max(200);
/** A marketplace's own; whether there is such a thing is judged when it is looked up. */
const id = z.string().min(1).max(500);
const units = z.int().min(1).max(quantityLimit);
const rateLimit = z.strictObject({ maximumAvailable: z.number().min(1).max(1e9), restoreRate: z.number().min(0.001).max(1e9) });

export const shopParameters = z.object({ shop: name });

export const newShop = z.strictObject({
  name,
  token,
  plan: z.enum(['standard', 'advanced', 'plus', 'enterprise']).exactOptional(),
  rateLimit: rateLimit.exactOptional(),
  locations: z.array(z.string().min(1).max(200)).min(1).max(50).exactOptional(),
  acceptEverySale: z.boolean().exactOptional(),
  refuseWithoutStock: z.boolean().exactOptional(),
}) satisfies z.ZodType<NewShop>;

export const settings = z.strictObject({
  token: token.exactOptional(),
  rateLimit: rateLimit.exactOptional(),
  acceptEverySale: z.boolean().exactOptional(),
  refuseWithoutStock: z.boolean().exactOptional(),
  latencyMilliseconds: milliseconds.exactOptional(),
  answerDelayMilliseconds: milliseconds.exactOptional(),
  clockOffsetMilliseconds: z.int().min(-1e11).max(1e11).exactOptional(),
  webhook: z
    .strictObject({ url: z.url({ protocol: /^https?$/ }), secret: z.string().min(8).max(255) })
    .nullable()
    .exactOptional(),
  inactiveLocations: z.array(id).max(50).exactOptional(),
}) satisfies z.ZodType<Partial<ShopSettings>>;

const etsySettings = {
  keystring: z.string().regex(/^[a-z0-9]{1,100}$/i, 'letters and digits'),
  sharedSecret: z.string().regex(/^[a-z0-9]{1,100}$/i, 'letters and digits'),
  requestsPerSecond: z.int().min(1).max(1e6),
  requestsPerDay: z.int().min(1).max(1e9),
  accessTokenSeconds: z.int().min(1).max(1e6),
  vacation: z.boolean(),
};

export const changedEtsySettings = z.strictObject({
  keystring: etsySettings.keystring.exactOptional(),
  sharedSecret: etsySettings.sharedSecret.exactOptional(),
  requestsPerSecond: etsySettings.requestsPerSecond.exactOptional(),
  requestsPerDay: etsySettings.requestsPerDay.exactOptional(),
  accessTokenSeconds: etsySettings.accessTokenSeconds.exactOptional(),
  vacation: etsySettings.vacation.exactOptional(),
}) satisfies z.ZodType<Partial<EtsySettings>>;

export const newEtsyShop = z.strictObject({
  ...changedEtsySettings.shape,
  name,
  keystring: etsySettings.keystring,
  sharedSecret: etsySettings.sharedSecret,
  acceptEverySale: z.boolean().exactOptional(),
}) satisfies z.ZodType<NewEtsyShop>;

const listingState = z.enum(['active', 'inactive', 'sold_out', 'draft', 'expired']);
export const stateOfListing = z.strictObject({ state: listingState });

const variant = z.strictObject({
  sku: z.string().max(255).nullable(),
  quantity: z.int().min(0).max(999),
  price: z.number().min(0).max(1e6).exactOptional(),
  values: z.record(z.string().min(1).max(50), z.string().min(1).max(50)).exactOptional(),
  enabled: z.boolean().exactOptional(),
});

export const newListings = z
  .array(
    z
      .strictObject({
        title: z.string().min(1).max(140).exactOptional(),
        state: listingState.exactOptional(),
        variants: z.array(variant).min(1).max(400),
        quantityVariesBy: z.array(z.string()).max(2).exactOptional(),
      })
      .refine(
        ({ variants }) => new Set(variants.flatMap(({ values = {} }) => Object.keys(values))).size <= 2,
        'the variants of a listing differ by two properties at most',
      ),
  )
  .min(1)
  .max(5_000) satisfies z.ZodType<NewListing[]>;

const newProduct = z.strictObject({
  sku: z.string().max(255).nullable(),
  quantity: z.int().min(-quantityLimit).max(quantityLimit),
  location: id.exactOptional(),
  status: z.enum(['ACTIVE', 'ARCHIVED', 'DRAFT', 'UNLISTED']).exactOptional(),
  tracked: z.boolean().exactOptional(),
}) satisfies z.ZodType<NewProduct>;

export const newProducts = z.array(newProduct).min(1).max(50_000);

const newLine = z.union([
  z.strictObject({ quantity: units, inventoryItem: id }),
  z.strictObject({ quantity: units, sku: z.string().max(255) }),
]);

const newOrder = z.strictObject({
  lines: z.array(newLine).min(1).max(5_000),
  name: z.string().min(1).max(100).exactOptional(),
  force: z.boolean().exactOptional(),
  financialStatus: z.enum(['PAID', 'PENDING', 'AUTHORIZED']).exactOptional(),
}) satisfies z.ZodType<NewOrder>;

export const newOrders = z.array(newOrder).min(1).max(5_000);

const lineUnits = z
  .array(z.strictObject({ line: id, quantity: units }))
  .min(1)
  .max(5_000);

export const orderEdit = z
  .strictObject({
    lines: z
      .array(z.strictObject({ line: id, quantity: z.int().min(0).max(quantityLimit) }))
      .max(5_000)
      .exactOptional(),
    add: z.array(newLine).max(5_000).exactOptional(),
  })
  .refine(
    ({ lines = [], add = [] }) => lines.length + add.length > 0,
    'an edit names lines to change or lines to add',
  ) satisfies z.ZodType<OrderEdit>;

export const cancellation = z.strictObject({ lines: lineUnits.exactOptional(), restock: z.boolean().exactOptional() });

export const someLines = z.strictObject({ lines: lineUnits.exactOptional() });

export const faults = z.strictObject({
  failNext: z
    .strictObject({
      calls: z.int().min(0).max(1e9),
      status: z.int().min(400).max(599),
      retryAfterSeconds: z.number().min(0).max(3_600).exactOptional(),
    })
    .exactOptional(),
  failNextTokenCalls: z.strictObject({ calls: z.int().min(0).max(1e9), status: z.int().min(400).max(599) }).exactOptional(),
  dropAnswerOfNextMutations: z.int().min(0).max(1e9).exactOptional(),
  dropNextMutations: z.int().min(0).max(1e9).exactOptional(),
  sellBeforeNextMutation: newOrder.exactOptional(),
  dropNextWebhooks: z.int().min(0).max(1e9).exactOptional(),
  duplicateNextWebhooks: z.int().min(0).max(1e9).exactOptional(),
  reorderNextWebhooks: z.int().min(0).max(1e9).exactOptional(),
}) satisfies z.ZodType<Faults>;

export const drift = z.strictObject({
  inventoryItem: id,
  location: id.exactOptional(),
  available: z.int().min(-quantityLimit).max(quantityLimit),
});

export const page = z.strictObject({
  after: z.coerce.number().int().min(0).default(0),
  limit: z.coerce.number().int().min(1).max(10_000).default(1_000),
});

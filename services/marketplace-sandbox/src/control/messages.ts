import { z } from 'zod';
import type { Faults, NewOrder, NewProduct, NewShop, OrderEdit, ShopSettings } from '../control-client.ts';
import { parseGid } from '../gid.ts';

/** What the control port takes: unknown fields, wrong types and absurd sizes are refused. The client's types say the same to a compiler. */

const quantityLimit = 1_000_000_000;
const milliseconds = z.int().min(0).max(600_000);
const name = z.string().regex(/^[a-z0-9][a-z0-9-]{0,59}$/, 'lower-case letters, digits and dashes');
const token = z.string().min(1).max(200);
const id = z.string().refine((text) => parseGid(text) !== undefined, 'an id such as gid://shopify/Order/1');
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
  inactiveLocations: z.array(id).max(50).exactOptional(),
}) satisfies z.ZodType<Partial<ShopSettings>>;

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
  dropAnswerOfNextMutations: z.int().min(0).max(1e9).exactOptional(),
  dropNextMutations: z.int().min(0).max(1e9).exactOptional(),
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

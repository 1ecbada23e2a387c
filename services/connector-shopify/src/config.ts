import { commonConfig, keys, seconds } from '@evenkeel/chassis';
import { z } from 'zod';

/** The environment of the Shopify connector; README.md has it as a table. */
export const configShape = {
  ...commonConfig('connector-shopify'),
  CREDENTIALS_KEYS: keys().describe('keys that credentials are sealed with: keyid:base64-of-32-bytes, the current first, then older ones'),
  SHOPIFY_URL_TEMPLATE: z
    .string()
    .regex(/^https?:\/\/\S*\{shop\}\S*$/, 'expected a URL with {shop} in it')
    .transform((value) => value.replace(/\/+$/, ''))
    .default('https://{shop}.myshopify.com')
    .describe("where a shop's Admin API is, without /admin/api"),
  ORDER_POLL_SECONDS: seconds().default(10).describe('how often the orders of a store are read'),
  LISTING_IMPORT_SECONDS: seconds().default(300).describe('how often the listings of a store are read again'),
  ORDERS_FIRST_SECONDS: seconds()
    .default(30)
    .describe('how long the first pushes wait at most for the orders read at the start to come back'),
};

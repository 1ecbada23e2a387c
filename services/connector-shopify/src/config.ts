import { connectorConfig } from '@evenkeel/connector-kit';
import { z } from 'zod';

/** The environment of the Shopify connector; README.md has it as a table. */
export const configShape = {
  ...connectorConfig('connector-shopify'),
  SHOPIFY_URL_TEMPLATE: z
    .string()
    .regex(/^https?:\/\/\S*\{shop\}\S*$/, 'expected a URL with {shop} in it')
    .transform((value) => value.replace(/\/+$/, ''))
    .default('https://{shop}.myshopify.com')
    .describe("where a shop's Admin API is, without /admin/api"),
};

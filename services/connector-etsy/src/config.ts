import { seconds } from '@evenkeel/chassis';
import { connectorConfig } from '@evenkeel/connector-kit';
import { z } from 'zod';

const url = () =>
  z
    .string()
    .regex(/^https?:\/\/\S+$/, 'expected a URL')
    .transform((value) => value.replace(/\/+$/, ''));

/** The environment of the Etsy connector; README.md has it as a table. */
export const configShape = {
  ...connectorConfig('connector-etsy'),
  // Etsy counts requests by the day, over all shops of the app.
  ORDER_POLL_SECONDS: seconds().default(30).describe('how often the orders of a store are read'),
  LISTING_IMPORT_SECONDS: seconds().default(900).describe('how often the listings of a store are read again'),
  ETSY_KEYSTRING: z
    .string()
    .regex(/^[\x21-\x39\x3b-\x7e]{1,255}$/, "expected the app's keystring")
    .describe("the app's keystring"),
  ETSY_SHARED_SECRET: z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/, "expected the app's shared secret")
    .describe("the app's shared secret"),
  ETSY_API_URL: url().default('https://openapi.etsy.com/v3/application').describe('where the API is'),
  ETSY_TOKEN_URL: url().default('https://api.etsy.com/v3/public/oauth/token').describe('where tokens are renewed'),
};

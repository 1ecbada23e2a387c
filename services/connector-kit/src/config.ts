import { commonConfig, keys, seconds } from '@evenkeel/chassis';

/** What every connector reads from its environment; one adds what its marketplace needs. README.md has it as a table. */
export const connectorConfig = (service: string) => ({
  ...commonConfig(service),
  CREDENTIALS_KEYS: keys().describe('keys that credentials are sealed with: keyid:base64-of-32-bytes, the current first, then older ones'),
  ORDER_POLL_SECONDS: seconds().default(10).describe('how often the orders of a store are read'),
  LISTING_IMPORT_SECONDS: seconds().default(300).describe('how often the listings of a store are read again'),
  ORDERS_FIRST_SECONDS: seconds()
    .default(30)
    .describe('how long pushes wait at most for new orders to come back: all of them at a start, later those that raise a listing'),
});

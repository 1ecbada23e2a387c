import { connectorApi } from '@evenkeel/connector-kit';
import { createShopify } from './shopify.ts';

export const api = connectorApi({
  title: 'Shopify connector',
  marketplace: createShopify({ urlTemplate: 'https://{shop}.myshopify.com' }),
});

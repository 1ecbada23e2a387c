import { readConfig, runService } from '@evenkeel/chassis';
import { openConnectorService } from '@evenkeel/connector-kit';
import { api } from './api.ts';
import { configShape } from './config.ts';
import { createShopify } from './shopify.ts';

await runService('connector-shopify', async (running, fail) => {
  const config = readConfig(configShape, process.env);
  const marketplace = createShopify({ urlTemplate: config.shopifyUrlTemplate });
  await openConnectorService({ marketplace, title: api.title, config, running, fail });
});

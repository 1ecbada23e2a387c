import { readConfig, runService } from '@evenkeel/chassis';
import { openConnectorService } from '@evenkeel/connector-kit';
import { api } from './api.ts';
import { configShape } from './config.ts';
import { createEtsy } from './etsy.ts';

await runService('connector-etsy', async (running, fail) => {
  const config = readConfig(configShape, process.env);
  const marketplace = createEtsy({
    apiUrl: config.etsyApiUrl,
    tokenUrl: config.etsyTokenUrl,
    keystring: config.etsyKeystring,
    sharedSecret: config.etsySharedSecret,
  });
  await openConnectorService({ marketplace, title: api.title, config, running, fail });
});

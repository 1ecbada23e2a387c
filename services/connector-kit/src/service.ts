import { createIncidentReporter, createSealer, openIncidentStore, openService, showOpenIncidents, type Config } from '@evenkeel/chassis';
import { topicsOf } from '@evenkeel/contracts';
import type { connectorConfig } from './config.ts';
import { connectorApi } from './connector-api.ts';
import { openConnector } from './connector.ts';
import { openCollections } from './documents.ts';
import { sellingWithoutStockKind } from './held-listings.ts';
import { connectorRoutes } from './http.ts';
import { createListingDesk } from './listing-desk.ts';
import type { Marketplace } from './marketplace.ts';
import { createStoreDesk } from './stores.ts';
import { webhookRoutes } from './webhooks.ts';

export interface ConnectorServiceOptions {
  readonly marketplace: Marketplace;
  /** As its OpenAPI document names it. */
  readonly title: string;
  readonly config: Config<ReturnType<typeof connectorConfig>>;
  /** As `runService` gives them. */
  readonly running: AsyncDisposableStack;
  readonly fail: (error: unknown) => void;
}

/** A connector as a service of its own: all that its `main.ts` has to open. */
export async function openConnectorService({ marketplace, title, config, running, fail }: ConnectorServiceOptions): Promise<void> {
  const { reads, writes } = connectorApi({ marketplace, title });
  const service = await openService({ name: topicsOf(marketplace.name).group, config, topics: [...reads, ...writes], running, fail });
  const { kafka, sender, log, metrics } = service;
  const collections = await openCollections(service.mongo.connection);
  const incidents = await openIncidentStore(service.mongo);
  showOpenIncidents(metrics, incidents, [sellingWithoutStockKind]);
  const sealer = createSealer(config.credentialsKeys);
  const connector = running.use(
    await openConnector({
      marketplace,
      kafka,
      sender,
      collections,
      sealer,
      log,
      metrics,
      incidents,
      report: createIncidentReporter({ store: incidents, sender, topic: topicsOf(marketplace.name).incidents }),
      timing: {
        orderPoll: config.orderPollSeconds * 1_000,
        listingImport: config.listingImportSeconds * 1_000,
        ordersFirst: config.ordersFirstSeconds * 1_000,
      },
      sessionTimeoutMilliseconds: config.kafkaSessionTimeoutMilliseconds,
      onFatal: fail,
    }),
  );
  const onChanged = () => connector.storesChanged();
  const desk = createStoreDesk({ marketplace, collections, sealer, sender, log, onChanged });
  const listingDesk = createListingDesk({ collections, sender, onChanged });
  await service.serve({
    title,
    routes: [
      ...connectorRoutes({
        marketplace,
        collections,
        desk,
        listingDesk,
        incidents,
        hold: (tenant, store) => connector.hold(tenant, store),
      }),
      ...webhookRoutes({ marketplace, collections, sealer, sender }),
    ],
    live: () => connector.live(),
  });
}

import {
  createIdentity,
  createLogger,
  createMetrics,
  createSealer,
  openHttp,
  openIdempotencyStore,
  openKafka,
  openMongo,
  openSender,
  readConfig,
  runService,
} from '@evenkeel/chassis';
import { connectorRoutes, createStoreDesk, openCollections, openConnector } from '@evenkeel/connector-kit';
import { openCodec, topics } from '@evenkeel/contracts';
import { configShape } from './config.ts';
import { createShopify } from './shopify.ts';

const service = 'connector-shopify';

await runService(service, async (running, fail) => {
  const config = readConfig(configShape, process.env);
  const log = createLogger(service, config.logLevel);
  const metrics = createMetrics();
  const { connection } = running.use(await openMongo({ url: config.mongoUrl, database: config.mongoDatabase }));
  const codec = await openCodec(config.schemaRegistryUrl);
  const used = [topics.shopifyPushRequests, topics.marketplaceOrders, topics.listingChanges];
  const kafka = await openKafka({ brokers: config.kafkaBrokers, clientId: service, codec, log, topics: used });
  const sender = running.use(await openSender(kafka));
  const collections = await openCollections(connection);
  const sealer = createSealer(config.credentialsKeys);
  const marketplace = createShopify({ urlTemplate: config.shopifyUrlTemplate });
  const connector = running.use(
    await openConnector({
      marketplace,
      kafka,
      sender,
      collections,
      sealer,
      log,
      metrics,
      timing: {
        orderPoll: config.orderPollSeconds * 1_000,
        listingImport: config.listingImportSeconds * 1_000,
        ordersFirst: config.ordersFirstSeconds * 1_000,
      },
      sessionTimeoutMilliseconds: config.kafkaSessionTimeoutMilliseconds,
      onFatal: fail,
    }),
  );
  const desk = createStoreDesk({ marketplace, collections, sealer, sender, log, onChanged: () => connector.storesChanged() });
  running.use(
    await openHttp({
      port: config.httpPort,
      host: config.httpHost,
      title: 'Evenkeel: Shopify connector',
      identity: createIdentity({ issuerUrl: config.jwtIssuerUrl, audience: config.jwtAudience }),
      routes: connectorRoutes({ marketplace, collections, desk, hold: (tenant, store) => connector.hold(tenant, store) }),
      health: { live: () => connector.live(), ready: () => true },
      log,
      metrics,
      idempotency: await openIdempotencyStore(connection),
    }),
  );
});

export { connectorConfig } from './config.ts';
export { connectorApi } from './connector-api.ts';
export { CallNotMade, MarketplaceError, networkError, type Failure, type FailureClass, type HoldReason } from './failure.ts';
export { createGateway, type CallRequest, type Gateway } from './gateway.ts';
export {
  ConnectionRefused,
  type CallOptions,
  type Capabilities,
  type Entered,
  type FrozenBatch,
  type GroupMemory,
  type Marketplace,
  type MarketplaceLine,
  type MarketplaceListing,
  type MarketplaceOrder,
  type Memo,
  type Probe,
  type PushOptions,
  type PushItem,
  type PushResult,
  type Renewal,
  type StoreAccess,
  type StoreConnection,
  type WebhookDelivery,
  type WebhookMessage,
  WebhookRefused,
  type Webhooks,
} from './marketplace.ts';
export { quantityToSend } from './quantity.ts';
export { createRateGovernor, type BucketReading, type Costs, type Priority, type RateGovernor } from './rate-governor.ts';
export { openConnectorService, type ConnectorServiceOptions } from './service.ts';
export { isSigned } from './webhooks.ts';
export { versionOf, versionText } from './version.ts';

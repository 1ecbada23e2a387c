// Generated from the routes of all services by `npm run generate`: change those, not this file.
import type { ConnectorEtsyHttp } from './http/connector-etsy.ts';
import type { ConnectorShopifyHttp } from './http/connector-shopify.ts';
import type { OrderHttp } from './http/order.ts';
import type { ReservationHttp } from './http/reservation.ts';
import type { StockHttp } from './http/stock.ts';
import type { SyncPolicyHttp } from './http/sync-policy.ts';

/** The shapes of each service, by the names that its OpenAPI document gives them: `Stock.Movement`. */
export type * as ConnectorEtsy from './http/connector-etsy.ts';
export type * as ConnectorShopify from './http/connector-shopify.ts';
export type * as Order from './http/order.ts';
export type * as Reservation from './http/reservation.ts';
export type * as Stock from './http/stock.ts';
export type * as SyncPolicy from './http/sync-policy.ts';

/** What each service serves. */
export interface HttpServices {
  readonly 'connector-etsy': ConnectorEtsyHttp;
  readonly 'connector-shopify': ConnectorShopifyHttp;
  readonly 'order': OrderHttp;
  readonly 'reservation': ReservationHttp;
  readonly 'stock': StockHttp;
  readonly 'sync-policy': SyncPolicyHttp;
}

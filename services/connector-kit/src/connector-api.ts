import { absent, type ServiceApi } from '@evenkeel/chassis';
import { topics, topicsOf } from '@evenkeel/contracts';
import { connectorRoutes } from './http.ts';
import type { Marketplace } from './marketplace.ts';
import { webhookRoutes } from './webhooks.ts';

/** What every connector promises: the routes with its marketplace's fields, and its topics. */
export function connectorApi({ title, marketplace }: { readonly title: string; readonly marketplace: Marketplace }): ServiceApi {
  const { group, pushRequests, orderHints, incidents } = topicsOf(marketplace.name);
  return {
    name: group,
    title,
    routes: [
      ...connectorRoutes({
        marketplace,
        collections: absent(),
        desk: absent(),
        listingDesk: absent(),
        incidents: absent(),
        hold: absent(),
      }),
      ...webhookRoutes({ marketplace, collections: absent(), sealer: absent(), sender: absent() }),
    ],
    reads: [pushRequests, orderHints],
    writes: [topics.marketplaceOrders, topics.listingChanges, orderHints, incidents],
  };
}

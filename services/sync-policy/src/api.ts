import { absent, type ServiceApi } from '@evenkeel/chassis';
import { marketplaces, pushRequestsOf, topics } from '@evenkeel/contracts';
import { syncPolicyInputs } from './handlers.ts';
import { syncPolicyRoutes } from './http.ts';

export const api: ServiceApi = {
  name: 'sync-policy',
  title: 'Sync policy',
  routes: syncPolicyRoutes({ journal: absent(), sender: absent(), store: absent() }),
  reads: syncPolicyInputs,
  writes: [...marketplaces.map(pushRequestsOf), topics.policyCommands],
};

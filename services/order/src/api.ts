import { absent, type ServiceApi } from '@evenkeel/chassis';
import { topics } from '@evenkeel/contracts';
import { orderInputs } from './handlers.ts';
import { orderRoutes } from './http.ts';

export const api: ServiceApi = {
  name: 'order',
  title: 'Orders',
  routes: orderRoutes({ journal: absent(), sender: absent(), list: absent(), incidents: absent() }),
  reads: orderInputs,
  writes: [topics.orderEvents, topics.orderCommands, topics.orderIncidents],
};

import { absent, type ServiceApi } from '@evenkeel/chassis';
import { topics } from '@evenkeel/contracts';
import { stockInputs } from './handlers.ts';
import { stockRoutes } from './http.ts';

export const api: ServiceApi = {
  name: 'stock',
  title: 'Stock',
  routes: stockRoutes({
    journal: absent(),
    sender: absent(),
    incidents: absent(),
    products: absent(),
    purchasing: absent(),
    purchases: absent(),
    imports: absent(),
    applyImports: absent(),
  }),
  reads: [...stockInputs, topics.purchaseCommands, topics.stockLevels],
  writes: [
    topics.stockMovements,
    topics.stockLevels,
    topics.stockIncidents,
    topics.stockCommands,
    topics.purchaseOrders,
    topics.purchaseCommands,
  ],
};

import { openService, readConfig, runService } from '@evenkeel/chassis';
import { api } from './api.ts';
import { orderConfig } from './config.ts';
import { orderAggregate, orderInputs } from './handlers.ts';
import { orderRoutes } from './http.ts';

await runService('order', async (running, fail) => {
  const config = readConfig(orderConfig, process.env);
  const service = await openService({ name: 'order', config, topics: [...api.reads, ...api.writes], running, fail });
  const orders = service.metrics.counter({ name: 'evenkeel_orders_total', help: 'Orders seen for the first time.' });
  const journal = await service.journal({
    topics: orderInputs,
    aggregate: orderAggregate,
    async project(documents) {
      for (const { entries } of documents) orders.inc(entries.filter(({ data }) => data.type === 'changed' && data.first).length);
    },
  });
  await service.serve({ title: api.title, routes: orderRoutes({ journal, sender: service.sender }) });
});

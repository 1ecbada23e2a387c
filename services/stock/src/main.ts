import { openService, readConfig, runService } from '@evenkeel/chassis';
import { topics } from '@evenkeel/contracts';
import { stockConfig } from './config.ts';
import { stockAggregate, stockInputs } from './handlers.ts';
import { stockRoutes } from './http.ts';
import { openIncidentStore } from './store.ts';

await runService('stock', async (running, fail) => {
  const config = readConfig(stockConfig, process.env);
  const used = [...stockInputs, topics.stockMovements, topics.stockLevels, topics.stockIncidents];
  const service = await openService({ name: 'stock', config, topics: used, running, fail });
  const incidents = await openIncidentStore(service.mongo);
  const movements = service.metrics.counter({
    name: 'evenkeel_movements_total',
    help: 'Rows written to the ledgers, refusals included.',
    labels: ['type'],
  });
  service.metrics.gauge({
    name: 'evenkeel_incidents_open',
    help: 'Incidents that are open, over all replicas.',
    labels: ['kind'],
    // A database that is away costs this number, not the whole page.
    collect: async (gauge) => {
      const open = await incidents.open('oversold').catch(() => null);
      if (open !== null) gauge.set({ kind: 'oversold' }, open);
    },
  });
  const journal = await service.journal({
    topics: stockInputs,
    aggregate: stockAggregate,
    async project(documents) {
      await incidents.project(documents);
      for (const { entries } of documents) for (const { data } of entries) movements.inc({ type: data.type });
    },
  });
  await service.serve({ title: 'Stock', routes: stockRoutes({ journal, sender: service.sender, incidents }) });
});

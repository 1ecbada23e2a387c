import { incidentsIn, openIncidentStore, openService, readConfig, runService, showOpenIncidents } from '@evenkeel/chassis';
import { topics } from '@evenkeel/contracts';
import { api } from './api.ts';
import { stockConfig } from './config.ts';
import { incidentKindNames, stockAggregate, stockInputs, subjectOf } from './handlers.ts';
import { stockRoutes } from './http.ts';
import { openImportStore } from './import-store.ts';
import { startImportWorker } from './import-worker.ts';
import { openProductStore, productOf, productsCollection } from './products.ts';
import { openPurchaseStore, purchaseAggregate, stepsOfOnePurchase } from './purchasing.ts';

await runService('stock', async (running, fail) => {
  const config = readConfig(stockConfig, process.env);
  const service = await openService({ name: 'stock', config, topics: [...api.reads, ...api.writes], running, fail });
  const incidents = await openIncidentStore(service.mongo);
  const products = await openProductStore(service.mongo);
  const purchases = await openPurchaseStore(service.mongo);
  const imports = await openImportStore(service.mongo);
  const movements = service.metrics.counter({
    name: 'evenkeel_movements_total',
    help: 'Rows written to the ledgers, refusals included.',
    labels: ['type'],
  });
  showOpenIncidents(service.metrics, incidents, incidentKindNames);
  const journal = await service.journal({
    topics: stockInputs,
    aggregate: stockAggregate,
    async project(documents) {
      await incidents.record(incidentsIn(documents, subjectOf));
      for (const { entries } of documents) for (const { data } of entries) movements.inc({ type: data.type });
    },
  });
  const purchasing = await service.journal({
    purpose: 'purchasing',
    topics: [topics.purchaseCommands],
    aggregate: purchaseAggregate,
    sliceEventsOfOneKey: stepsOfOnePurchase,
    project: purchases.project,
  });
  await service.projection({ purpose: 'products', topic: topics.stockLevels, collection: productsCollection, documentOf: productOf });
  const worker = running.use(startImportWorker({ imports, journal, sender: service.sender, log: service.log }));
  const parts = { journal, sender: service.sender, incidents, products, purchasing, purchases, imports, applyImports: worker.wake };
  await service.serve({ title: api.title, routes: stockRoutes(parts) });
});

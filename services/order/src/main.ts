import { incidentsIn, openIncidentStore, openService, readConfig, runService, showOpenIncidents } from '@evenkeel/chassis';
import { topics } from '@evenkeel/contracts';
import { api } from './api.ts';
import { orderConfig } from './config.ts';
import { eventsOfOneOrder, incidentKindNames, orderAggregate, orderInputs, subjectOf } from './handlers.ts';
import { orderRoutes } from './http.ts';
import { listCollection, listedOf, openOrderList } from './list.ts';

await runService('order', async (running, fail) => {
  const config = readConfig(orderConfig, process.env);
  const service = await openService({ name: 'order', config, topics: [...api.reads, ...api.writes], running, fail });
  const incidents = await openIncidentStore(service.mongo);
  const list = await openOrderList(service.mongo);
  const orders = service.metrics.counter({ name: 'evenkeel_orders_total', help: 'Orders seen for the first time.' });
  showOpenIncidents(service.metrics, incidents, incidentKindNames);
  const journal = await service.journal({
    topics: orderInputs,
    aggregate: orderAggregate,
    sliceEventsOfOneKey: eventsOfOneOrder,
    async project(documents) {
      await incidents.record(incidentsIn(documents, subjectOf));
      for (const { entries } of documents) orders.inc(entries.filter(({ data }) => data.type === 'changed' && data.first).length);
    },
  });
  await service.projection({ purpose: 'list', topic: topics.orderEvents, collection: listCollection, documentOf: listedOf });
  await service.serve({ title: api.title, routes: orderRoutes({ journal, sender: service.sender, list, incidents }) });
});

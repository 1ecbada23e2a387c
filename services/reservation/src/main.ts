import { openService, readConfig, runService } from '@evenkeel/chassis';
import { topics } from '@evenkeel/contracts';
import { api } from './api.ts';
import { openBatchStore, releaseForgotten, releaseLate } from './batches.ts';
import { reservationConfig } from './config.ts';
import { eventsOfOneOrder, reservationAggregate, reservationInputs } from './handlers.ts';
import { reservationRoutes } from './http.ts';
import { levelOf, openLevelStore } from './levels.ts';
import { openWarehouseStore, orderOf } from './warehouse.ts';

const lookForForgottenMilliseconds = 5_000;

await runService('reservation', async (running, fail) => {
  const config = readConfig(reservationConfig, process.env);
  const service = await openService({ name: 'reservation', config, topics: [...api.reads, ...api.writes], running, fail });
  const { sender, mongo, log } = service;
  const [warehouse, batches] = [await openWarehouseStore(mongo), await openBatchStore(mongo)];
  const parts = { warehouse, batches, sender, levels: openLevelStore(mongo) };
  const journal = await service.journal({
    topics: reservationInputs,
    aggregate: reservationAggregate,
    sliceEventsOfOneKey: eventsOfOneOrder,
    async project(documents) {
      await warehouse.record(documents);
      const assigned = documents.filter(({ entries }) => entries.some(({ data }) => data.type === 'assigned'));
      await releaseLate(
        parts,
        assigned.map(({ key, entries, state }) => orderOf(key, entries.at(-1)?.sequence ?? 0, state)),
      );
    },
  });
  await service.projection({ purpose: 'levels', topic: topics.stockLevels, collection: 'levels', documentOf: levelOf });
  const forgotten = setInterval(() => {
    releaseForgotten(parts).catch((error: unknown) => log.warn({ error }, 'Cancelled batches wait for the next look.'));
  }, lookForForgottenMilliseconds);
  running.defer(() => clearInterval(forgotten));
  await service.serve({ title: api.title, routes: reservationRoutes({ journal, ...parts }) });
});

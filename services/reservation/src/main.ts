import { openService, readConfig, runService } from '@evenkeel/chassis';
import { api } from './api.ts';
import { reservationConfig } from './config.ts';
import { reservationAggregate, reservationInputs } from './handlers.ts';
import { reservationRoutes } from './http.ts';

await runService('reservation', async (running, fail) => {
  const config = readConfig(reservationConfig, process.env);
  const service = await openService({ name: 'reservation', config, topics: [...api.reads, ...api.writes], running, fail });
  const journal = await service.journal({ topics: reservationInputs, aggregate: reservationAggregate });
  await service.serve({ title: api.title, routes: reservationRoutes({ journal }) });
});

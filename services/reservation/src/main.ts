import { openService, readConfig, runService } from '@evenkeel/chassis';
import { topics } from '@evenkeel/contracts';
import { reservationConfig } from './config.ts';
import { reservationAggregate, reservationInputs } from './handlers.ts';
import { reservationRoutes } from './http.ts';

await runService('reservation', async (running, fail) => {
  const config = readConfig(reservationConfig, process.env);
  const used = [...reservationInputs, topics.reservationEvents];
  const service = await openService({ name: 'reservation', config, topics: used, running, fail });
  const journal = await service.journal({ topics: reservationInputs, aggregate: reservationAggregate });
  await service.serve({ title: 'Reservations', routes: reservationRoutes({ journal }) });
});

import { absent, type ServiceApi } from '@evenkeel/chassis';
import { topics } from '@evenkeel/contracts';
import { reservationInputs } from './handlers.ts';
import { reservationRoutes } from './http.ts';

export const api: ServiceApi = {
  name: 'reservation',
  title: 'Reservations',
  routes: reservationRoutes({ journal: absent(), sender: absent(), warehouse: absent(), batches: absent(), levels: absent() }),
  reads: [...reservationInputs, topics.stockLevels],
  writes: [topics.reservationEvents, topics.reservationCommands],
};

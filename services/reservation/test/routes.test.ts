import { describeRoutes } from '@evenkeel/chassis/testing/describe-routes';
import { reservationRoutes } from '../src/http.ts';
import { createWarehouse } from './warehouse.ts';

describeRoutes('reservation', () => {
  const warehouse = createWarehouse();
  for (const order of ['a', 'order-1', '7']) warehouse.order(order, [['a', 'MUG/blue', 900]]);
  return reservationRoutes(warehouse.parts);
});

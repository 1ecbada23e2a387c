import { absent } from '@evenkeel/chassis';
import { createMemoryJournal } from '@evenkeel/chassis/testing';
import { describeRoutes } from '@evenkeel/chassis/testing/describe-routes';
import { stockAggregate } from '../src/handlers.ts';
import { stockRoutes } from '../src/http.ts';

describeRoutes(
  'stock',
  () =>
    stockRoutes({
      ...createMemoryJournal(stockAggregate, undefined),
      incidents: absent(),
      products: absent(),
      purchasing: absent(),
      purchases: absent(),
      imports: absent(),
      applyImports: absent(),
    }),
  { partsAreAbsent: true },
);

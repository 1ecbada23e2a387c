// Every route of every service, found by its api.ts: what is malformed is refused before any part is asked. Services test the rest with parts that answer.
import { describeRoutes } from '@evenkeel/chassis/testing/describe-routes';
import { loadServiceApis } from '../services.ts';

for (const { name, routes } of await loadServiceApis()) describeRoutes(name, () => routes, { partsAreAbsent: true, runs: 25 });

import { describeRoutes } from '@evenkeel/chassis/testing/describe-routes';
import type { EventOf } from '@evenkeel/chassis';
import { syncPolicyRoutes } from '../src/http.ts';
import { mapped, moved, openLane } from './made-up.ts';

describeRoutes('sync-policy', () => {
  const lane = openLane();
  for (const sku of ['a', 'MUG/blue', 'sku 1']) lane.take(mapped(sku, `of ${sku}`), moved(sku, 1, 0, 100), moved(sku, 2, 100, 99));
  const sender: typeof lane.sender = {
    async send(messages) {
      const [first] = messages;
      if (first?.event?.type === 'TenantPolicyChanged') await lane.takeInEverywhere(first.event as EventOf<'TenantPolicyChanged'>);
      else await lane.sender.send(messages);
    },
  };
  return syncPolicyRoutes({ journal: lane.journal, sender, store: lane.store });
});

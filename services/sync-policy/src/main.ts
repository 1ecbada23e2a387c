import { openService, readConfig, runService } from '@evenkeel/chassis';
import { api } from './api.ts';
import { syncPolicyConfig } from './config.ts';
import { syncPolicyAggregate, syncPolicyInputs } from './handlers.ts';
import { syncPolicyRoutes } from './http.ts';
import { createPolicies } from './policies.ts';
import { openPolicyStore } from './store.ts';
import { startAnnouncing, takeInPolicy } from './tenant-policy.ts';

await runService('sync-policy', async (running, fail) => {
  const config = readConfig(syncPolicyConfig, process.env);
  const service = await openService({ name: 'sync-policy', config, topics: [...api.reads, ...api.writes], running, fail });
  const store = await openPolicyStore(service.mongo);
  const policies = createPolicies(store);
  const decisions = service.metrics.counter({
    name: 'evenkeel_decisions_total',
    help: 'Decisions about pushing, by their reason.',
    labels: ['decision', 'reason'],
  });
  const journal = await service.journal({
    topics: syncPolicyInputs,
    aggregate: syncPolicyAggregate,
    context: policies.context,
    controls: { TenantPolicyChanged: async (control, lane) => takeInPolicy({ policies, sender: service.sender }, control, lane) },
    onAssigned: policies.forget,
    async project(documents) {
      for (const { entries } of documents) for (const { data } of entries) decisions.inc({ decision: data.decision, reason: data.reason });
    },
  });
  running.use(startAnnouncing({ store, sender: service.sender, log: service.log }));
  await service.serve({ title: api.title, routes: syncPolicyRoutes({ journal, sender: service.sender, store }) });
});

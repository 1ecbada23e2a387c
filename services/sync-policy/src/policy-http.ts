import { setTimeout as delay } from 'node:timers/promises';
import { askJournal, defineRoute, integerText, problem, reply, type Route } from '@evenkeel/chassis';
import { keyOf, partsOf, topics } from '@evenkeel/contracts';
import { z } from 'zod';
import {
  decision,
  decisionOf,
  effective,
  listing,
  listingOf,
  onItsWay,
  params,
  productPath,
  revision,
  settings,
  type SyncPolicyParts,
} from './answers.ts';
import { decideSkuPolicy, policyOf, type PolicyEntry, type PolicySettings, type SkuState, type TenantPolicy } from './domain.ts';
import { announce, lanesOfPolicies, letOut, skusOf } from './tenant-policy.ts';

export const policyRoutes = (parts: SyncPolicyParts): Route[] => [
  ...skuPolicyRoutes(parts),
  skuPreviewRoute(parts),
  ...tenantPolicyRoutes(parts),
  tenantPreviewRoute(parts),
];

const skuPolicyRoutes = ({ journal, sender, store }: SyncPolicyParts): Route[] => [
  defineRoute({
    method: 'put',
    path: '/products/:sku/policy',
    summary: "Set a product's own push policy",
    description: "All three at once; what is null comes from the tenant's. What it held back and now lets out is pushed.",
    roles: ['operator'],
    params,
    body: z.strictObject(settings),
    responses: { 200: { description: 'What was decided', schema: z.object({ sku: z.string(), ...settings, decision }) }, 202: onItsWay },
    async handle({ identity: { tenant, user }, params: { sku }, body, idempotency: { cause }, at, correlation }) {
      const data = { tenant, sku, ...body, user: { kind: 'person', id: user }, at } as const;
      const event = { id: cause, type: 'SetSkuPolicy', time: at, correlation, data } as const;
      const command = { topic: topics.policyCommands, key: [tenant, sku], event };
      const [entry] = (await askJournal<PolicyEntry>({ journal, sender }, command)) ?? [];
      if (!entry) return reply(202, undefined, { Location: `${productPath(sku)}/policy` });
      return reply(200, { sku, ...body, decision: decisionOf(entry) });
    },
  }),
  defineRoute({
    method: 'get',
    path: '/products/:sku/policy',
    summary: "A product's own push policy, and what applies",
    roles: [],
    params,
    responses: {
      200: { description: 'Its own settings, and those that apply', schema: z.object({ sku: z.string(), ...settings, effective }) },
    },
    async handle({ identity: { tenant }, params: { sku } }) {
      const [{ state }, policy] = await Promise.all([journal.state(keyOf(tenant, sku)), store.newest(tenant)]);
      return reply(200, { sku, ...state.policy, effective: policyOf(policy, state.policy) });
    },
  }),
];

const preview = z
  .object({
    sku: z.string(),
    available: z.int().meta({ description: 'What would be pushed.' }),
    throttled: z.int().meta({ description: 'Transactions held back since the last push.' }),
    listings: z.array(listing),
  })
  .meta({ id: 'PolicyPreview' });

function previewOf(sku: string, { available, counter, listings }: SkuState): z.input<typeof preview> {
  return { sku, available, throttled: counter, listings: listings.map(listingOf) };
}

const skuPreviewRoute = ({ journal, store }: SyncPolicyParts): Route =>
  defineRoute({
    method: 'post',
    path: '/products/:sku/policy/preview',
    summary: "What a change of a product's own push policy would push",
    description: 'Changes nothing. As things stand: what sells meanwhile is decided when it does.',
    roles: ['operator'],
    params,
    body: z.strictObject(settings),
    responses: {
      200: {
        description: 'What would be decided',
        schema: preview.extend({ effective, ...decision.pick({ decision: true, reason: true }).shape }),
      },
    },
    async handle({ identity: { tenant, user }, params: { sku }, body, at }) {
      const [{ state }, policy] = await Promise.all([journal.state(keyOf(tenant, sku)), store.newest(tenant)]);
      const command = { tenant, sku, ...body, user: { kind: 'person', id: user }, at } as const;
      const { decision: what, reason } = decideSkuPolicy(state, command, policy);
      const listings = what === 'push' ? state.listings : [];
      return reply(200, { ...previewOf(sku, { ...state, listings }), effective: policyOf(policy, body), decision: what, reason });
    },
  });

const policyAnswer = z.object({ revision: z.int(), ...settings }).meta({ id: 'TenantPolicy' });
const takenInMilliseconds = 10_000;

/** Whether every lane decides by it by now; a lane that pages through many products, or that is just changing hands, takes its time. */
async function takenIn({ store }: SyncPolicyParts, tenant: string, { revision: wanted }: TenantPolicy): Promise<boolean> {
  for (const end = performance.now() + takenInMilliseconds; ;) {
    if ((await store.lanesAt(tenant, wanted)) >= lanesOfPolicies) return true;
    if (performance.now() > end) return false;
    await delay(100);
  }
}

const tenantPolicyRoutes = (parts: SyncPolicyParts): Route[] => [
  defineRoute({
    method: 'put',
    path: '/policy',
    summary: "Set the tenant's push policy",
    description:
      'Applies to each product, field by field, where the product has no setting of its own. What it held back and now lets out is pushed once, for the reason policy_changed. POST /policy/preview says beforehand what that is.',
    roles: ['operator'],
    body: z.strictObject({
      expectedRevision: revision.meta({ description: 'The revision that was seen; 0: none yet.' }),
      ...settings,
    }),
    responses: {
      200: { description: 'As it is now, for every movement from here on', schema: policyAnswer },
      409: { description: 'It has been changed since it was seen' },
    },
    async handle({ identity: { tenant, user }, body: { expectedRevision, ...own }, idempotency: { cause }, at, correlation }) {
      const set = await parts.store.set({ tenant, expectedRevision, settings: own satisfies PolicySettings, cause, correlation, user, at });
      if (!set) return problem(409, policyChanged(await parts.store.newest(tenant), expectedRevision));
      if (!set.told) await announce(parts, set);
      if (!(await takenIn(parts, tenant, set.policy))) throw notTakenIn(set.policy);
      return reply(200, { ...set.policy });
    },
    answer: 'stored',
  }),
  defineRoute({
    method: 'get',
    path: '/policy',
    summary: "The tenant's push policy",
    roles: [],
    responses: { 200: { description: 'The newest revision; 0 where none was ever set', schema: policyAnswer } },
    handle: async ({ identity: { tenant } }) => reply(200, { ...(await parts.store.newest(tenant)) }),
  }),
];

const policyChanged = (policy: TenantPolicy, expectedRevision: number) => ({
  type: 'policy-changed',
  detail: `The policy is at revision ${policy.revision}, not ${expectedRevision}. Look at it, and send your change with expectedRevision ${policy.revision} and a new Idempotency-Key.`,
  policy,
});

const notTakenIn = (policy: TenantPolicy) =>
  problem(503, {
    type: 'policy-not-taken-in',
    detail: `The policy is stored as revision ${policy.revision}, but not all products are decided by it yet. Nothing is lost: repeat the request with the same Idempotency-Key to see when they are.`,
    headers: { 'Retry-After': '1' },
  });

const tenantPreviewRoute = ({ journal, store }: SyncPolicyParts): Route =>
  defineRoute({
    method: 'post',
    path: '/policy/preview',
    summary: "What a change of the tenant's push policy would push",
    description: 'Changes nothing. As things stand: what sells meanwhile is decided when it does.',
    roles: ['operator'],
    query: z.strictObject({ limit: integerText({ minimum: 1, maximum: 500 }).default(100) }),
    body: z.strictObject(settings),
    responses: {
      200: {
        description: 'How many products and listings, and the first of them by SKU',
        schema: z.object({ revision: z.int(), products: z.int(), listings: z.int(), first: z.array(preview) }),
      },
    },
    async handle({ identity: { tenant }, query: { limit }, body }) {
      const policy = await store.newest(tenant);
      const first: z.input<typeof preview>[] = [];
      let products = 0;
      let listings = 0;
      for await (const page of journal.pages(skusOf(tenant)))
        for (const { key, state } of letOut(page, policy, body)) {
          products += 1;
          listings += state.listings.length;
          if (first.length < limit) first.push(previewOf(partsOf(key)[1] ?? '', state));
        }
      return reply(200, { revision: policy.revision, products, listings, first });
    },
  });

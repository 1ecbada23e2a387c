import {
  askJournal,
  defineRoute,
  integerText,
  problem,
  reply,
  text,
  type JournalEntry,
  type JournalReader,
  type Outgoing,
  type Route,
  type Sender,
} from '@evenkeel/chassis';
import { keyOf, topics } from '@evenkeel/contracts';
import { z } from 'zod';
import { policyOf, type PolicyEntry, type PolicySettings, type SkuState, type TenantPolicy } from './domain.ts';
import type { Policies } from './policies.ts';
import type { PolicyStore } from './store.ts';

const sku = text(255);
const params = z.strictObject({ sku });
const most = 1_000_000_000;
const settings = {
  realTimeAtOrBelow: z.int().min(0).max(most).nullable().meta({ description: 'X: at or below this Available every change is pushed.' }),
  significantUnits: z.int().min(1).max(most).nullable().meta({ description: 'Y: a change of so many units is pushed at once.' }),
  everyNth: z
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .meta({ description: 'N: above X every Nth transaction is pushed; 10 where nobody says.' }),
};
const time = z.iso.datetime();
const effective = z.object({ realTimeAtOrBelow: z.int().nullable(), significantUnits: z.int().nullable(), everyNth: z.int() });
const listing = z.object({ store: z.string(), marketplace: z.string(), listing: z.string(), mapping: z.int() });
const decision = z.object({
  sequence: z.int(),
  at: time,
  cause: z.string(),
  trigger: z.enum(['movement', 'inventory_sync', 'sku_policy', 'tenant_policy', 'listing_mapped', 'listing_unmapped']),
  decision: z.enum(['push', 'held', 'withdrawn', 'ignored']),
  reason: z.string(),
  inputs: z.object({
    before: z.int(),
    after: z.int(),
    epoch: z.int(),
    sequence: z.int(),
    lastSequence: z.int(),
    counted: z.boolean(),
    syncEnabled: z.boolean(),
    counter: z.int(),
    policy: effective.extend({ revision: z.int(), settings: z.int() }),
  }),
  listings: z.array(listing).meta({ description: 'Those that it pushes or withdraws.' }),
});
const syncAnswer = z.object({ sku: z.string(), enabled: z.boolean(), settings: z.int() });
const policyAnswer = z.object({ revision: z.int(), ...settings });
const onItsWay = { description: 'It is on its way: repeat the request with the same Idempotency-Key, or look again.' };

const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();

function decisionOf({ sequence, at, cause, data }: JournalEntry<PolicyEntry>): z.input<typeof decision> {
  const { trigger, decision: what, reason, inputs, listings } = data;
  const copied = { ...inputs, policy: { ...inputs.policy } };
  return { sequence, at: iso(at), cause, trigger, decision: what, reason, inputs: copied, listings: listings.map((each) => ({ ...each })) };
}

export interface SyncPolicyParts {
  readonly journal: JournalReader<PolicyEntry, SkuState>;
  readonly sender: Pick<Sender, 'send'>;
  readonly store: PolicyStore;
  readonly policies: Policies;
}

export const syncPolicyRoutes = (parts: SyncPolicyParts): Route[] => [
  ...toggleRoutes(parts),
  ...skuPolicyRoutes(parts),
  ...tenantPolicyRoutes(parts),
  ...readRoutes(parts),
];

const toggleRoutes = ({ journal, sender }: SyncPolicyParts): Route[] => [
  defineRoute({
    method: 'put',
    path: '/products/:sku/inventory-sync',
    summary: 'Turn Inventory Sync of a product on or off',
    description: 'On: its listings get the current value. Off: what has not been sent yet is withdrawn.',
    roles: ['clerk', 'operator'],
    params,
    body: z.strictObject({ enabled: z.boolean() }),
    responses: { 200: { description: 'As it is now', schema: syncAnswer.extend({ decision }) }, 202: onItsWay },
    async handle({ identity: { tenant, user }, params: { sku: id }, body: { enabled }, idempotency, at, correlation }) {
      const data = { tenant, sku: id, enabled, user: { kind: 'person', id: user }, at } as const;
      const event = { id: idempotency.cause, type: 'SetInventorySync', time: at, correlation, data } as const;
      const [entry] =
        (await askJournal<PolicyEntry>({ journal, sender }, { topic: topics.policyCommands, key: [tenant, id], event })) ?? [];
      if (!entry) return reply(202, undefined, { Location: `/products/${encodeURIComponent(id)}/inventory-sync` });
      return reply(200, { sku: id, enabled, settings: entry.data.inputs.policy.settings, decision: decisionOf(entry) });
    },
  }),
  defineRoute({
    method: 'get',
    path: '/products/:sku/inventory-sync',
    summary: 'Whether a product is synced',
    roles: [],
    params,
    responses: { 200: { description: 'On, unless somebody turned it off', schema: syncAnswer } },
    async handle({ identity: { tenant }, params: { sku: id } }) {
      const { state } = await journal.state(keyOf(tenant, id));
      return reply(200, { sku: id, enabled: state.syncEnabled, settings: state.settings });
    },
  }),
];

const skuPolicyRoutes = ({ journal, sender, store }: SyncPolicyParts): Route[] => [
  defineRoute({
    method: 'put',
    path: '/products/:sku/policy',
    summary: "Set a product's own push policy",
    description: "All three at once; what is null comes from the tenant's.",
    roles: ['operator'],
    params,
    body: z.strictObject(settings),
    responses: { 200: { description: 'What was decided', schema: z.object({ sku: z.string(), ...settings, decision }) }, 202: onItsWay },
    async handle({ identity: { tenant, user }, params: { sku: id }, body, idempotency, at, correlation }) {
      const data = { tenant, sku: id, ...body, user: { kind: 'person', id: user }, at } as const;
      const event = { id: idempotency.cause, type: 'SetSkuPolicy', time: at, correlation, data } as const;
      const [entry] =
        (await askJournal<PolicyEntry>({ journal, sender }, { topic: topics.policyCommands, key: [tenant, id], event })) ?? [];
      if (!entry) return reply(202, undefined, { Location: `/products/${encodeURIComponent(id)}/policy` });
      return reply(200, { sku: id, ...body, decision: decisionOf(entry) });
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
    async handle({ identity: { tenant }, params: { sku: id } }) {
      const [{ state }, policy] = await Promise.all([journal.state(keyOf(tenant, id)), store.newest(tenant)]);
      return reply(200, { sku: id, ...state.policy, effective: policyOf(policy, state.policy) });
    },
  }),
];

/** The same record into every partition: each lane's owner hears of it. */
function controlRecords(
  tenant: string,
  policy: TenantPolicy,
  { user, cause, at, correlation }: { user: string; cause: string; at: number; correlation: string },
): Outgoing[] {
  const data = { tenant, ...policy, before: null, user: { kind: 'person', id: user }, at } as const;
  const event = { id: cause, type: 'TenantPolicyChanged', time: at, correlation, data } as const;
  const topic = topics.policyCommands;
  return Array.from({ length: topic.partitions }, (_, partition) => ({ topic, key: [tenant], event, partition }));
}

const tenantPolicyRoutes = ({ sender, store, policies }: SyncPolicyParts): Route[] => [
  defineRoute({
    method: 'put',
    path: '/policy',
    summary: "Set the tenant's push policy",
    description: 'Applies to each product from its next movement on, where the product has no setting of its own.',
    roles: ['operator'],
    body: z.strictObject({
      expectedRevision: z.int().min(0).max(most).meta({ description: 'The revision that was seen; 0: none yet.' }),
      ...settings,
    }),
    responses: {
      200: { description: 'As it is now', schema: policyAnswer },
      409: { description: 'It has been changed since it was seen' },
    },
    async handle({ identity: { tenant, user }, body: { expectedRevision, ...own }, idempotency: { cause }, at, correlation }) {
      const policy = await store.set({ tenant, expectedRevision, settings: own satisfies PolicySettings, cause, user, at });
      if (!policy) return problem(409, policyChanged(await store.newest(tenant), expectedRevision));
      await sender.send(controlRecords(tenant, policy, { user, cause, at, correlation }), { timeoutMilliseconds: 10_000 });
      policies.changed(tenant, policy);
      return reply(200, { ...policy });
    },
    answer: 'stored',
  }),
  defineRoute({
    method: 'get',
    path: '/policy',
    summary: "The tenant's push policy",
    roles: [],
    responses: { 200: { description: 'The newest revision; 0 where none was ever set', schema: policyAnswer } },
    handle: async ({ identity: { tenant } }) => reply(200, { ...(await store.newest(tenant)) }),
  }),
];

const policyChanged = (policy: TenantPolicy, expectedRevision: number) => ({
  type: 'policy-changed',
  detail: `The policy is at revision ${policy.revision}, not ${expectedRevision}. Look at it, and send your change with expectedRevision ${policy.revision} and a new Idempotency-Key.`,
  policy,
});

const readRoutes = ({ journal }: SyncPolicyParts): Route[] => [
  defineRoute({
    method: 'get',
    path: '/products/:sku/decisions',
    summary: 'What was decided about a product, newest first',
    roles: [],
    params,
    query: z.strictObject({
      before: integerText({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER }).optional().meta({ description: '`next` of the page before.' }),
      limit: integerText({ minimum: 1, maximum: 500 }).default(50),
    }),
    responses: { 200: { description: 'One page', schema: z.object({ decisions: z.array(decision), next: z.int().nullable() }) } },
    async handle({ identity: { tenant }, params: { sku: id }, query: { before, limit } }) {
      const entries = await journal.entries(keyOf(tenant, id), { limit, ...(before === undefined ? {} : { before }) });
      const lowest = entries.at(-1)?.sequence ?? 1;
      return reply(200, { decisions: entries.map(decisionOf), next: lowest > 1 ? lowest : null });
    },
  }),
  defineRoute({
    method: 'get',
    path: '/products/:sku/listings',
    summary: 'The listings of a product, and what they were last asked to show',
    roles: [],
    params,
    responses: {
      200: {
        description: 'Those that are mapped to it',
        schema: z.object({ listings: z.array(listing.extend({ wanted: wantedAnswer() })) }),
      },
    },
    async handle({ identity: { tenant }, params: { sku: id } }) {
      const { state } = await journal.state(keyOf(tenant, id));
      return reply(200, { listings: state.listings.map(({ announced, ...each }) => ({ ...each, wanted: wantedOf(state, announced) })) });
    },
  }),
];

function wantedAnswer() {
  const version = z.object({ mapping: z.int(), epoch: z.int(), sequence: z.int(), settings: z.int() });
  return z
    .object({ available: z.int(), withdrawn: z.boolean(), reason: z.string(), version, at: time })
    .nullable()
    .meta({ description: 'Null: nothing yet.' });
}

function wantedOf({ announced }: SkuState, mapping: number | null) {
  if (!announced || mapping === null) return null;
  const { available, withdrawn, reason, version, at } = announced;
  return { available, withdrawn, reason, version: { mapping, ...version }, at: iso(at) };
}

import {
  askJournal,
  askJournalAll,
  defineRoute,
  entriesWhere,
  integerText,
  reply,
  text,
  type JournalEntry,
  type Route,
} from '@evenkeel/chassis';
import { keyOf, topics } from '@evenkeel/contracts';
import { z } from 'zod';
import {
  decision,
  decisionKind,
  decisionOf,
  decisionReason,
  iso,
  listing,
  onItsWay,
  params,
  productPath,
  time,
  type SyncPolicyParts,
} from './answers.ts';
import type { PolicyEntry, SkuState } from './domain.ts';
import { policyRoutes } from './policy-http.ts';

export const syncPolicyRoutes = (parts: SyncPolicyParts): Route[] => [
  ...toggleRoutes(parts),
  bulkToggleRoute(parts),
  ...policyRoutes(parts),
  ...readRoutes(parts),
];

const syncAnswer = z.object({ sku: z.string(), enabled: z.boolean(), settings: z.int() });

interface Toggling {
  readonly tenant: string;
  readonly user: string;
  readonly enabled: boolean;
  readonly at: number;
  readonly correlation: string;
}

function toggle(id: string, sku: string, { tenant, user, enabled, at, correlation }: Toggling) {
  const data = { tenant, sku, enabled, user: { kind: 'person', id: user }, at } as const;
  const event = { id, type: 'SetInventorySync', time: at, correlation, data } as const;
  return { topic: topics.policyCommands, key: [tenant, sku], event };
}

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
    async handle({ identity: { tenant, user }, params: { sku }, body: { enabled }, idempotency: { cause }, at, correlation }) {
      const command = toggle(cause, sku, { tenant, user, enabled, at, correlation });
      const [entry] = (await askJournal<PolicyEntry>({ journal, sender }, command)) ?? [];
      if (!entry) return reply(202, undefined, { Location: `${productPath(sku)}/inventory-sync` });
      return reply(200, { sku, enabled, settings: entry.data.inputs.policy.settings, decision: decisionOf(entry) });
    },
  }),
  defineRoute({
    method: 'get',
    path: '/products/:sku/inventory-sync',
    summary: 'Whether a product is synced',
    roles: [],
    params,
    responses: { 200: { description: 'On, unless somebody turned it off', schema: syncAnswer } },
    async handle({ identity: { tenant }, params: { sku } }) {
      const { state } = await journal.state(keyOf(tenant, sku));
      return reply(200, { sku, enabled: state.syncEnabled, settings: state.settings });
    },
  }),
];

const mostAtOnce = 1_000;

const bulkToggleRoute = ({ journal, sender }: SyncPolicyParts): Route =>
  defineRoute({
    method: 'put',
    path: '/inventory-sync',
    summary: 'Turn Inventory Sync of many products on or off',
    description: 'Each product by itself, as with one alone; one that is named twice counts once.',
    roles: ['clerk', 'operator'],
    body: z.strictObject({ skus: z.array(text(255)).min(1).max(mostAtOnce), enabled: z.boolean() }),
    responses: {
      200: {
        description: 'As they are now',
        schema: z.object({ products: z.array(syncAnswer.extend({ decision: decisionKind, reason: decisionReason })) }),
      },
      202: onItsWay,
    },
    async handle({ identity: { tenant, user }, body: { skus, enabled }, idempotency: { cause }, at, correlation }) {
      const commands = [...new Set(skus)].map((sku) => ({
        sku,
        ...toggle(`${cause}/${keyOf(sku)}`, sku, { tenant, user, enabled, at, correlation }),
      }));
      const answers = await askJournalAll<PolicyEntry>({ journal, sender }, commands);
      if (answers.size < commands.length) return reply(202);
      const products = commands.flatMap(({ sku, event }) =>
        (answers.get(event.id) ?? []).map(({ data }) => {
          const { decision: what, reason, inputs } = data;
          return { sku, enabled, settings: inputs.policy.settings, decision: what, reason };
        }),
      );
      return reply(200, { products });
    },
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
      decision: decisionKind.optional(),
      reason: decisionReason.optional(),
    }),
    responses: {
      200: {
        description: 'One page; of a long history it may be short, and yet there is a next one',
        schema: z.object({ decisions: z.array(decision), next: z.int().nullable() }),
      },
    },
    async handle({ identity: { tenant }, params: { sku }, query: { before, limit, decision: what, reason } }) {
      const isWanted = ({ data }: JournalEntry<PolicyEntry>) =>
        data.decision === (what ?? data.decision) && data.reason === (reason ?? data.reason);
      const page = await entriesWhere(journal, keyOf(tenant, sku), { before, limit, isWanted });
      return reply(200, { decisions: page.entries.map(decisionOf), next: page.next });
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
    async handle({ identity: { tenant }, params: { sku } }) {
      const { state } = await journal.state(keyOf(tenant, sku));
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

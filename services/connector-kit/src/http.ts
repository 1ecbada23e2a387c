import { defineRoute, integerText, problem, reply, text, type Problem, type Route } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { z } from 'zod';
import type { Collections, StoreDocument } from './documents.ts';
import { MarketplaceError, type HoldReason } from './failure.ts';
import { ConnectionRefused, type Marketplace } from './marketplace.ts';
import { listingView, storeView } from './status.ts';
import { StoreRefusal, type StoreDesk } from './stores.ts';

export interface ConnectorRoutesOptions {
  readonly marketplace: Marketplace;
  readonly collections: Collections;
  readonly desk: StoreDesk;
  /** Why this process sends nothing to a store; null where it does, or where the store is another process's. */
  readonly hold: (tenant: string, store: string) => HoldReason | null;
}

const storeId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected 1–64 lower-case letters, digits and dashes');
const at = z.iso.datetime().nullable();
const version = z.object({ mapping: z.int(), epoch: z.int(), sequence: z.int(), settings: z.int() });

const storeSchema = z.object({
  store: z.string(),
  marketplace: z.string(),
  status: z.enum(['disconnected', 'credentials_expired', 'passive', 'sync_errors', 'throttled', 'ok']),
  hold: z.string().nullable(),
  account: z.string(),
  name: z.string(),
  settings: z.record(z.string(), z.unknown()),
  credentials: z.object({ version: z.int(), refused: z.object({ code: z.string(), message: z.string(), since: at }).nullable() }),
  circuit: z.enum(['open', 'closed']),
  ordersReadTo: at,
  connectedAt: at,
  listingsReadAt: at,
  listings: z.object({ listings: z.int(), mapped: z.int(), outstanding: z.int(), quarantined: z.int() }),
});

const listingSchema = z.object({
  store: z.string(),
  listing: z.string(),
  sku: z.string().nullable(),
  mapping: z.int(),
  outstanding: z.boolean(),
  wanted: z.object({ available: z.int(), version, reason: z.string(), correlation: z.string(), at }).nullable(),
  confirmed: z.object({ quantity: z.int(), version, at }).nullable(),
  inFlight: z.object({ quantity: z.int(), version, at, call: z.string() }).nullable(),
  withdrawn: z.object({ reason: z.string(), version, at }).nullable(),
  quarantined: z.object({ code: z.string(), message: z.string(), at }).nullable(),
});

const importedSchema = z.object({ listings: z.int(), mapped: z.int(), unmapped: z.int() });

/** What every connector serves about its stores and listings. */
export function connectorRoutes({ marketplace, collections, desk, hold }: ConnectorRoutesOptions): Route[] {
  const view = async (document: StoreDocument) =>
    storeView(document, await countsOf(collections, document), hold(document.tenant, document.store));
  const find = async (tenant: string, store: string): Promise<StoreDocument> => {
    const document = await collections.stores.findOne({ _id: keyOf(tenant, store), marketplace: marketplace.name });
    if (!document) throw unknownStore(store);
    return document;
  };
  const storeParams = z.strictObject({ store: storeId });

  return [
    defineRoute({
      method: 'post',
      path: '/stores',
      summary: 'Connect a store: its access is proven, its listings are read and mapped where they carry a SKU.',
      roles: ['operator'],
      body: z.strictObject({ store: storeId, ...marketplace.connectionFields }),
      responses: { 201: { description: 'Connected.', schema: z.object({ store: storeSchema, imported: importedSchema }) } },
      answer: 'stored',
      handle: async ({ identity: { tenant }, body, idempotency }) =>
        asProblems(async () => {
          const { store, ...entered } = body as { store: string } & Record<string, unknown>;
          const { document, imported } = await desk.connect(tenant, store, entered, idempotency.cause);
          return reply(201, { store: await view(document), imported });
        }),
    }),
    defineRoute({
      method: 'get',
      path: '/stores',
      summary: 'All stores with their status.',
      roles: [],
      responses: { 200: { description: 'By id.', schema: z.object({ stores: z.array(storeSchema) }) } },
      handle: async ({ identity: { tenant } }) => {
        const documents = await collections.stores.find({ tenant, marketplace: marketplace.name }).sort({ _id: 1 }).toArray();
        return reply(200, { stores: await Promise.all(documents.map(view)) });
      },
    }),
    defineRoute({
      method: 'get',
      path: '/stores/:store',
      summary: 'One store with its status.',
      roles: [],
      params: storeParams,
      responses: { 200: { description: 'The store.', schema: storeSchema } },
      handle: async ({ identity: { tenant }, params }) => reply(200, await view(await find(tenant, params.store))),
    }),
    defineRoute({
      method: 'put',
      path: '/stores/:store/credentials',
      summary: 'Enter new credentials of the same seller account; what was waiting goes out.',
      roles: ['operator'],
      params: storeParams,
      body: z.strictObject({ ...marketplace.credentialFields }),
      responses: { 200: { description: 'Proven and stored.', schema: storeSchema } },
      answer: 'stored',
      handle: async ({ identity: { tenant }, params, body }) =>
        asProblems(async () => reply(200, await view(await desk.reenter(tenant, params.store, body)))),
    }),
    defineRoute({
      method: 'post',
      path: '/stores/:store/listing-imports',
      summary: 'Read all listings of the store again; what was quarantined may try again.',
      roles: ['operator', 'clerk'],
      params: storeParams,
      responses: { 200: { description: 'What was found.', schema: importedSchema } },
      answer: 'stored',
      handle: async ({ identity: { tenant }, params }) =>
        asProblems(async () => reply(200, await desk.importListings(tenant, params.store))),
    }),
    defineRoute({
      method: 'get',
      path: '/stores/:store/listings',
      summary: 'Listings of a store: wanted, confirmed, in flight. By pages: `next` goes into `after`.',
      roles: [],
      params: storeParams,
      query: z.strictObject({ after: text(255).optional(), limit: integerText({ minimum: 1, maximum: 1_000 }).optional() }),
      responses: { 200: { description: 'A page.', schema: z.object({ listings: z.array(listingSchema), next: z.string().nullable() }) } },
      handle: async ({ identity: { tenant }, params: { store }, query: { after, limit = 100 } }) => {
        await find(tenant, store);
        const found = await collections.listings
          .find({ tenant, store, ...(after === undefined ? {} : { listing: { $gt: after } }) })
          .sort({ listing: 1 })
          .limit(limit)
          .toArray();
        return reply(200, { listings: found.map(listingView), next: found.length === limit ? (found.at(-1)?.listing ?? null) : null });
      },
    }),
    defineRoute({
      method: 'get',
      path: '/listings',
      summary: 'The listings of a SKU, in all stores.',
      roles: [],
      query: z.strictObject({ sku: text(255) }),
      responses: { 200: { description: 'At most 1,000.', schema: z.object({ listings: z.array(listingSchema) }) } },
      handle: async ({ identity: { tenant }, query: { sku } }) => {
        const found = await collections.listings.find({ tenant, sku }).limit(1_000).toArray();
        return reply(200, { listings: found.map(listingView) });
      },
    }),
  ];
}

async function countsOf({ listings }: Pick<Collections, 'listings'>, { tenant, store }: StoreDocument) {
  const ofStore = { tenant, store };
  const [all, mapped, outstanding, quarantined] = await Promise.all([
    listings.countDocuments(ofStore),
    listings.countDocuments({ ...ofStore, sku: { $ne: null } }),
    listings.countDocuments({ ...ofStore, outstanding: true }),
    listings.countDocuments({ ...ofStore, quarantined: { $ne: null } }),
  ]);
  return { listings: all, mapped, outstanding, quarantined };
}

const unknownStore = (store: string): Problem =>
  problem(404, { type: 'unknown-store', detail: `There is no store ${store}: connect it first (POST /stores), or look at GET /stores.` });

/** What people can mend is told as a problem; anything else is passed on. */
async function asProblems<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConnectionRefused) throw problem(400, { type: 'connection-refused', detail: error.message });
    if (error instanceof StoreRefusal)
      throw problem(error.code === 'unknown_store' ? 404 : 409, { type: error.code.replaceAll('_', '-'), detail: error.message });
    if (error instanceof MarketplaceError) throw problemOfMarketplace(error);
    throw error;
  }
}

function problemOfMarketplace({ failure }: MarketplaceError): Problem {
  const { code } = failure;
  if (failure.class === 'credential')
    return problem(400, {
      type: 'credentials-refused',
      detail: `The marketplace refuses these credentials (${code}): check them, and that they may read and write inventory, listings and orders.`,
      code,
    });
  if (failure.class === 'bug')
    return problem(502, {
      type: 'marketplace-refused',
      detail: `The marketplace refuses what was asked (${code}): check what identifies the shop; if it is right, this is a defect of ours.`,
      code,
    });
  return problem(503, {
    type: 'marketplace-unavailable',
    detail: `The marketplace does not answer at the moment (${code}). Nothing is lost: try again shortly, with the same Idempotency-Key.`,
    code,
    headers: { 'Retry-After': String(Math.ceil((failure.waitMilliseconds ?? 2_000) / 1_000)) },
  });
}

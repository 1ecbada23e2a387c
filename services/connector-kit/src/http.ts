import {
  booleanText,
  defineRoute,
  incidentRoutes,
  integerText,
  problem,
  reply,
  text,
  type IncidentStore,
  type Problem,
  type Route,
} from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { z } from 'zod';
import type { mongo } from 'mongoose';
import type { Collections, ListingDocument, StoreDocument } from './documents.ts';
import { MarketplaceError, type HoldReason } from './failure.ts';
import { sellingWithoutStock } from './held-listings.ts';
import type { ListingDesk } from './listing-desk.ts';
import { mappableSku } from './listing-mapping.ts';
import { ConnectionRefused, type Marketplace } from './marketplace.ts';
import { countsOf, listingView, storeStatuses, storeView, warningOf } from './status.ts';
import { holdOfStore } from './store-hold.ts';
import { StoreRefusal } from './store-refusal.ts';
import type { StoreDesk } from './stores.ts';

export interface ConnectorRoutesOptions {
  readonly marketplace: Marketplace;
  readonly collections: Collections;
  readonly desk: StoreDesk;
  readonly listingDesk: ListingDesk;
  readonly incidents: IncidentStore;
  /** Why this process sends nothing to a store; null where it does, or where the store is another process's. */
  readonly hold: (tenant: string, store: string) => HoldReason | null;
}

const storeId = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected 1–64 lower-case letters, digits and dashes');
const at = z.iso.datetime().nullable();
const ageSeconds = z.number();
const version = z.object({ mapping: z.int(), epoch: z.int(), sequence: z.int(), settings: z.int() }).meta({
  id: 'Version',
  description:
    'Of a quantity: revision of the mapping, epoch and row of the ledger, changes of toggle and policy; compared in that order, it only rises.',
});

const pause = z.object({ by: z.string(), at }).meta({ id: 'Pause' }).nullable();

const storeSchema = z
  .object({
    store: z.string(),
    marketplace: z.string(),
    state: z.enum(['connecting', 'connected', 'disconnecting', 'disconnected']).meta({
      description: 'connecting: its listings and open orders are read, nothing is pushed yet.',
    }),
    status: z.enum(storeStatuses).meta({
      description:
        'The most severe that applies, in this order. passive: paused, or not selling at the marketplace; sync_errors: it fails, or a listing is quarantined or waits for more than a minute; throttled: the marketplace asks us to slow down.',
    }),
    hold: z.string().nullable().meta({ description: 'Why nothing goes out to it; null where something may.' }),
    account: z.string(),
    name: z.string(),
    settings: z.record(z.string(), z.unknown()),
    credentials: z.object({ version: z.int(), refused: z.object({ code: z.string(), message: z.string(), since: at }).nullable() }),
    webhooks: z
      .object({
        path: z.string().meta({ description: 'Have the marketplace send its order webhooks there, behind the address of this service.' }),
        secretEntered: z.boolean().meta({ description: 'Without a webhookSecret none is taken in: orders are found by polling alone.' }),
      })
      .nullable()
      .meta({ description: 'Null where the marketplace sends none.' }),
    paused: pause,
    inactiveSince: at.meta({ description: 'Since when the marketplace says that it does not sell.' }),
    circuit: z.enum(['open', 'closed']),
    throttledSince: at,
    ordersReadTo: at.meta({ description: "Its orders are known up to here, in the marketplace's time." }),
    connectedAt: at,
    listingsReadAt: at,
    import: z.object({
      state: z.enum(['waiting', 'reading', 'done']),
      listings: z.int().meta({ description: 'Read so far.' }),
      mapped: z.int(),
      unmapped: z.int(),
      startedAt: at,
      finishedAt: at,
    }),
    listings: z.object({
      listings: z.int(),
      mapped: z.int(),
      outstanding: z.int().meta({ description: 'A newer quantity is on its way to them.' }),
      paused: z.int(),
      quarantined: z
        .int()
        .meta({ description: 'The marketplace refused them again and again: mend them there, then POST /stores/:store/listing-imports.' }),
      gone: z.int().meta({ description: 'No longer at the marketplace.' }),
      waitingSince: at.meta({ description: 'Of the outstanding one that waits for longest.' }),
    }),
    disconnection: z
      .object({
        by: z.string(),
        at,
        setListingsToZero: z.boolean(),
        finishedAt: at,
        listings: z.int(),
        notSetToZero: z.int().meta({ description: 'Those that may still show what they showed: set them at the marketplace.' }),
      })
      .nullable(),
  })
  .meta({ id: 'Store' });

const listingSchema = z
  .object({
    store: z.string(),
    listing: z.string(),
    sku: z.string().nullable(),
    marketplaceSku: z.string().nullable().meta({ description: 'The SKU that it carries there.' }),
    mapping: z.int().meta({ description: 'Revision of the mapping: it rises with each change.' }),
    mappedBy: z
      .enum(['sku', 'person'])
      .nullable()
      .meta({ description: 'By the SKU that it carries, or by a person; null: it is not mapped.' }),
    chosen: z.object({ sku: z.string().nullable(), by: z.string(), at }).nullable(),
    goneSince: at.meta({ description: 'Since when it is no longer at the marketplace.' }),
    paused: pause,
    hold: z.string().nullable().meta({ description: 'Why nothing goes out to it; null where something may.' }),
    onSale: z.boolean().meta({ description: 'Whether shoppers can buy it, as far as anybody knows.' }),
    outstanding: z.boolean(),
    waiting: z.boolean().meta({ description: 'A newer value waits for the end of its pause.' }),
    waitingSince: at,
    wanted: z.object({ available: z.int(), version, reason: z.string(), correlation: z.string(), at, ageSeconds }).nullable().meta({
      description: 'The newest Available that it was to show; below zero and beyond the cap of the marketplace another quantity is sent.',
    }),
    confirmed: z.object({ quantity: z.int(), version, at, ageSeconds }).nullable().meta({ description: 'What was last sent and taken.' }),
    lastRead: z
      .object({ quantity: z.int().nullable(), onSale: z.boolean(), at, ageSeconds })
      .nullable()
      .meta({ description: 'What it showed when it was last looked at.' }),
    inFlight: z.object({ quantity: z.int(), version, at, call: z.string() }).nullable(),
    withdrawn: z.object({ reason: z.string(), version, at }).nullable(),
    quarantined: z.object({ code: z.string(), message: z.string(), at }).nullable(),
  })
  .meta({ id: 'Listing' });

const warningSchema = z.object({ listings: z.int(), onSale: z.int(), sellingWithoutStock: z.int() }).meta({
  id: 'HeldListings',
  description: 'Mapped listings that it holds, how many of them are on sale, and of those how many have nothing left to sell.',
});

const marketplaceSchema = z.object({
  marketplace: z.string(),
  connection: z.record(z.string(), z.unknown()).meta({ description: 'Fields of POST /stores, beside the id of the store.' }),
  credentials: z.record(z.string(), z.unknown()).meta({ description: 'Fields of PUT /stores/:store/credentials.' }),
});

const fieldsOf = (fields: z.ZodRawShape) => z.toJSONSchema(z.strictObject(fields), { io: 'input' }) as Record<string, unknown>;

const importedSchema = z.object({
  listings: z.int().meta({ description: 'At the marketplace.' }),
  mapped: z.int().meta({ description: 'Of these, newly mapped, or to another SKU.' }),
  unmapped: z.int().meta({ description: 'Mapped no longer: they are gone, or carry another SKU.' }),
});

/** What a request about a store may be answered, beside what all are; what each route adds is its own. */
const aboutStore = { 404: { description: 'There is no such store' } } as const;
const aboutListing = { 404: { description: 'There is no such store, or it has no such listing' } } as const;
const asksMarketplace = {
  502: { description: 'The marketplace refuses what was asked, for a reason that is neither credentials nor trouble: `code`' },
} as const;
const refusedCredentials = 'A field is not as expected: `errors`. Or the marketplace refuses the credentials: `code`.';

/** What every connector serves about its stores and listings. */
export function connectorRoutes(options: ConnectorRoutesOptions): Route[] {
  return [...storeRoutes(options), ...lifecycleRoutes(options), ...listingRoutes(options), ...incidentRoutes(options)];
}

/** Reading stores as people see them. */
function createViews({ marketplace, collections, hold }: ConnectorRoutesOptions) {
  const view = async (document: StoreDocument) =>
    storeView(marketplace, document, await countsOf(collections, document), hold(document.tenant, document.store));
  const find = async (tenant: string, store: string): Promise<StoreDocument> => {
    const document = await collections.stores.findOne({ _id: keyOf(tenant, store), marketplace: marketplace.name });
    if (!document) throw unknownStore(store);
    return document;
  };
  return { view, find };
}

const storeParams = z.strictObject({ store: storeId });
const listingParams = z.strictObject({ store: storeId, listing: text(255) });

function storeRoutes(options: ConnectorRoutesOptions): Route[] {
  const { marketplace, collections, desk } = options;
  const { view, find } = createViews(options);
  return [
    defineRoute({
      method: 'get',
      path: '/marketplace',
      summary: 'What this marketplace needs to connect a store, and to renew its credentials.',
      roles: [],
      responses: { 200: { description: 'The fields as JSON Schema.', schema: marketplaceSchema } },
      handle: () =>
        reply(200, {
          marketplace: marketplace.name,
          connection: fieldsOf(marketplace.connectionFields),
          credentials: fieldsOf(marketplace.credentialFields),
        }),
    }),
    defineRoute({
      method: 'post',
      path: '/stores',
      summary: 'Connect a store: its access is proven, and what it needs is settled.',
      description:
        'Then its listings are read and mapped to the SKUs that they carry, and its open orders are reserved; nothing is pushed before. GET /stores/:store shows how far that is. A store that was disconnected goes on.',
      roles: ['operator'],
      body: z.strictObject({ store: storeId, ...marketplace.connectionFields }),
      responses: {
        201: { description: 'Its listings and open orders are being read.', schema: z.object({ store: storeSchema }) },
        400: {
          description: `${refusedCredentials} Or something is to be chosen first, such as a location: \`choice\`, a field with its options.`,
        },
        409: { description: 'There is a store of that id, or the account is connected as another one' },
        ...asksMarketplace,
      },
      answer: 'stored',
      handle: async ({ identity: { tenant }, body, idempotency }) =>
        asProblems(async () => {
          const { store, ...entered } = body as { store: string } & Record<string, unknown>;
          return reply(201, { store: await view(await desk.connect(tenant, store, entered, idempotency.cause)) });
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
      responses: { 200: { description: 'The store.', schema: storeSchema }, ...aboutStore },
      handle: async ({ identity: { tenant }, params }) => reply(200, await view(await find(tenant, params.store))),
    }),
    defineRoute({
      method: 'put',
      path: '/stores/:store/credentials',
      summary: 'Enter new credentials of the same seller account; what was waiting goes out.',
      roles: ['operator'],
      params: storeParams,
      body: z.strictObject({ ...marketplace.credentialFields }),
      responses: {
        200: { description: 'Proven and stored.', schema: storeSchema },
        400: { description: refusedCredentials },
        ...aboutStore,
        409: { description: 'They are of another account, the store is disconnected, or somebody else has just entered some' },
        ...asksMarketplace,
      },
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
      responses: {
        200: { description: 'What was found.', schema: importedSchema },
        400: { description: 'The marketplace refuses the stored credentials, `code`: enter new ones' },
        ...aboutStore,
        409: { description: 'The store is disconnected' },
        ...asksMarketplace,
      },
      answer: 'stored',
      handle: async ({ identity: { tenant }, params }) =>
        asProblems(async () => reply(200, await desk.importListings(tenant, params.store))),
    }),
  ];
}

function lifecycleRoutes(options: ConnectorRoutesOptions): Route[] {
  const { collections, desk } = options;
  const { view } = createViews(options);
  const warned = async (document: StoreDocument) => {
    const { tenant, store } = document;
    return { store: await view(document), warning: await warningOf(collections, { tenant, store }, holdOfStore(document)) };
  };
  return [
    defineRoute({
      method: 'post',
      path: '/stores/:store/pause',
      summary: 'Let nothing go out to a store; its orders are read all the same.',
      description: 'The newest wanted values go out once when it is resumed. The answer warns of listings that go on selling meanwhile.',
      roles: ['operator'],
      params: storeParams,
      responses: {
        200: { description: 'Paused.', schema: z.object({ store: storeSchema, warning: warningSchema }) },
        ...aboutStore,
        409: { description: 'The store is disconnected' },
      },
      answer: 'stored',
      handle: async ({ identity: { tenant, user }, params: { store }, at: now }) =>
        asProblems(async () => reply(200, await warned(await desk.pause(tenant, store, { by: user, at: now })))),
    }),
    defineRoute({
      method: 'post',
      path: '/stores/:store/resume',
      summary: 'Let pushes go out to a store again: the newest wanted values, once.',
      roles: ['operator'],
      params: storeParams,
      responses: {
        200: { description: 'Resumed.', schema: storeSchema },
        ...aboutStore,
        409: { description: 'The store is disconnected' },
      },
      answer: 'stored',
      handle: async ({ identity: { tenant }, params: { store } }) =>
        asProblems(async () => reply(200, await view(await desk.pause(tenant, store, null)))),
    }),
    defineRoute({
      method: 'post',
      path: '/stores/:store/disconnect',
      summary: 'Give a store up: its listings are unmapped, its credentials forgotten, its orders no longer read.',
      description:
        'What is reserved stays reserved: it was sold. With setListingsToZero every mapped listing is set to 0 first, those that are paused included. Connecting the same account again under the same id goes on.',
      roles: ['operator'],
      params: storeParams,
      body: z.strictObject({ setListingsToZero: z.boolean() }),
      responses: {
        200: { description: 'Disconnected; the answer says how many listings could not be set to 0.', schema: storeSchema },
        202: { description: 'It goes on: GET /stores/:store says when it is done.', schema: storeSchema },
        ...aboutStore,
      },
      answer: 'stored',
      handle: async ({ identity: { tenant, user }, params: { store }, body: { setListingsToZero }, at: now }) =>
        asProblems(async () => {
          const document = await desk.disconnect(tenant, store, { by: user, at: now, setListingsToZero });
          return document.state === 'disconnected' ? reply(200, await view(document)) : reply(202, await view(document));
        }),
    }),
  ];
}

/** As a person writes it: byte for byte, like one that a listing carries. */
const mappable = text(255).refine((value) => mappableSku(value) !== null, 'expected a SKU that is not blank');

const listingsQuery = z.strictObject({
  after: text(255).optional().meta({ description: '`next` of the page before.' }),
  limit: integerText({ minimum: 1, maximum: 1_000 }).default(100),
  sku: text(255).optional().meta({ description: 'Mapped to exactly this one.' }),
  search: text(255)
    .optional()
    .meta({ description: 'The SKU that it is mapped to, or that it carries there, begins so; case does not matter.' }),
  mapped: booleanText().optional().meta({ description: 'To whatever SKU.' }),
  outstanding: booleanText().optional().meta({ description: 'A newer value is on its way, or waits for the end of a pause.' }),
  paused: booleanText().optional(),
  quarantined: booleanText().optional().meta({ description: 'The marketplace refused it again and again.' }),
  gone: booleanText().optional().meta({ description: 'No longer at the marketplace.' }),
});

const isSet = (wanted: boolean | undefined, field: string) =>
  wanted === undefined ? [] : [wanted ? { [field]: { $ne: null } } : { [field]: null }];

function filterOf(query: z.output<typeof listingsQuery>): mongo.Filter<ListingDocument> {
  const { after, sku, search, mapped, outstanding, paused, quarantined, gone } = query;
  // A literal text at the beginning; a RegExp value would silently find too little on some servers.
  const beginning = search === undefined ? null : { $regex: `^${search.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}`, $options: 'i' };
  const conditions: mongo.Filter<ListingDocument>[] = [
    ...(after === undefined ? [] : [{ listing: { $gt: after } }]),
    ...(sku === undefined ? [] : [{ sku }]),
    ...(beginning ? [{ $or: [{ sku: beginning }, { marketplaceSku: beginning }] }] : []),
    ...(outstanding === undefined
      ? []
      : [outstanding ? { $or: [{ outstanding: true as const }, { waiting: true as const }] } : { outstanding: null, waiting: null }]),
    ...isSet(mapped, 'sku'),
    ...isSet(paused, 'paused'),
    ...isSet(quarantined, 'quarantined'),
    ...isSet(gone, 'gone'),
  ];
  return conditions.length > 0 ? { $and: conditions } : {};
}

function listingRoutes(options: ConnectorRoutesOptions): Route[] {
  const { marketplace, collections, listingDesk } = options;
  const { find } = createViews(options);
  return [
    defineRoute({
      method: 'get',
      path: '/stores/:store/listings',
      summary: 'Listings of a store: wanted, confirmed, last read. By pages: `next` goes into `after`.',
      roles: [],
      params: storeParams,
      query: listingsQuery,
      responses: {
        200: { description: 'A page.', schema: z.object({ listings: z.array(listingSchema), next: z.string().nullable() }) },
        ...aboutStore,
      },
      handle: async ({ identity: { tenant }, params: { store }, query }) => {
        const document = await find(tenant, store);
        const found = await collections.listings
          .find({ tenant, store, ...filterOf(query) })
          .sort({ listing: 1 })
          .limit(query.limit)
          .toArray();
        const next = found.length === query.limit ? (found.at(-1)?.listing ?? null) : null;
        return reply(200, { listings: found.map((listing) => listingView(listing, document)), next });
      },
    }),
    defineRoute({
      method: 'put',
      path: '/stores/:store/listings/:listing/mapping',
      summary: 'Map a listing to a SKU, or to none.',
      description:
        "It stands, whatever SKU the listing carries at the marketplace. The new SKU's Available goes out at once where the SKU was counted and is synced. Null unmaps it: nothing goes out any more, and its orders wait for a mapping.",
      roles: ['operator', 'clerk'],
      params: listingParams,
      body: z.strictObject({ sku: mappable.nullable() }),
      responses: {
        200: { description: 'As it is mapped now.', schema: listingSchema },
        ...aboutListing,
        409: { description: 'The store is disconnected, or the listing keeps changing' },
      },
      answer: 'stored',
      handle: async ({ identity: { tenant, user }, params: { store, listing }, body: { sku }, at: now }) =>
        asProblems(async () => {
          const document = await find(tenant, store);
          return reply(200, listingView(await listingDesk.map(document, listing, sku, { by: user, at: now }), document));
        }),
    }),
    defineRoute({
      method: 'delete',
      path: '/stores/:store/listings/:listing/mapping',
      summary: 'Take a decided mapping back: the listing is mapped to the SKU that it carries at the marketplace.',
      roles: ['operator', 'clerk'],
      params: listingParams,
      responses: {
        200: { description: 'As it is mapped now.', schema: listingSchema },
        ...aboutListing,
        409: { description: 'The store is disconnected, or the listing keeps changing' },
      },
      answer: 'stored',
      handle: async ({ identity: { tenant }, params: { store, listing }, at: now }) =>
        asProblems(async () => {
          const document = await find(tenant, store);
          return reply(200, listingView(await listingDesk.mapAsFound(document, listing, now), document));
        }),
    }),
    defineRoute({
      method: 'put',
      path: '/stores/:store/listings/:listing/paused',
      summary: 'Pause a listing, or resume it.',
      description:
        'While it is paused nothing goes out to it; the newest wanted value goes out once afterwards. Its orders are read all the same.',
      roles: ['operator', 'clerk'],
      params: listingParams,
      body: z.strictObject({ paused: z.boolean() }),
      responses: {
        200: { description: 'As it is now.', schema: z.object({ listing: listingSchema, warning: warningSchema }) },
        ...aboutListing,
        409: { description: 'The listing keeps changing' },
      },
      answer: 'stored',
      handle: async ({ identity: { tenant, user }, params: { store, listing }, body: { paused }, at: now }) =>
        asProblems(async () => {
          const document = await find(tenant, store);
          const changed = await listingDesk.pause(document, listing, paused ? { by: user, at: now } : null);
          const shown = listingView(changed, document);
          const isHeld = shown.hold !== null && shown.sku !== null;
          const warning = {
            listings: Number(isHeld),
            onSale: Number(isHeld && shown.onSale),
            sellingWithoutStock: Number(sellingWithoutStock(changed, holdOfStore(document)) !== null),
          };
          return reply(200, { listing: shown, warning });
        }),
    }),
    defineRoute({
      method: 'get',
      path: '/listings',
      summary: 'The listings of a SKU, in all stores.',
      roles: [],
      query: z.strictObject({ sku: text(255) }),
      responses: { 200: { description: 'At most 1,000.', schema: z.object({ listings: z.array(listingSchema) }) } },
      handle: async ({ identity: { tenant }, query: { sku } }) => {
        const [found, documents] = await Promise.all([
          collections.listings.find({ tenant, sku }).limit(1_000).toArray(),
          collections.stores.find({ tenant, marketplace: marketplace.name }).toArray(),
        ]);
        const byStore = new Map(documents.map((document) => [document.store, document]));
        return reply(200, { listings: found.map((listing) => listingView(listing, byStore.get(listing.store))) });
      },
    }),
  ];
}

const unknownStore = (store: string): Problem =>
  problem(404, { type: 'unknown-store', detail: `There is no store ${store}: connect it first (POST /stores), or look at GET /stores.` });

/** What people can mend is told as a problem; anything else is passed on. */
async function asProblems<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ConnectionRefused)
      throw problem(400, { type: 'connection-refused', detail: error.message, ...(error.choice ? { choice: error.choice } : {}) });
    if (error instanceof StoreRefusal)
      throw problem(error.code.startsWith('unknown_') ? 404 : 409, { type: error.code.replaceAll('_', '-'), detail: error.message });
    if (error instanceof MarketplaceError) throw problemOfMarketplace(error);
    throw error;
  }
}

function problemOfMarketplace({ failure }: MarketplaceError): Problem {
  const { code } = failure;
  if (failure.class === 'credential')
    return problem(400, {
      type: 'credentials-refused',
      detail: `The marketplace refuses these credentials (${code}): check what identifies the shop, the credentials, and that they may read and write inventory, listings and orders.`,
      code,
    });
  if (failure.class === 'bug' || failure.class === 'permanent_listing' || failure.class === 'conflict')
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

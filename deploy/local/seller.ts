import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createClient, ProblemError, type HttpServices, type RequestOf } from '@evenkeel/contracts/client';
import type { MarketplaceName } from '@evenkeel/marketplace-sandbox/control';
import type { Addresses } from './application.ts';
import { type Claims, requestToken } from './token.ts';

type Answers<Service extends keyof HttpServices, Name extends keyof HttpServices[Service]> = HttpServices[Service][Name] extends {
  answers: { 200: infer Body };
}
  ? Body
  : never;
type Inventory = Answers<'stock', 'GET /products/{sku}'>;
type Decisions = Answers<'sync-policy', 'GET /products/{sku}/decisions'>;
type Policy = Omit<RequestOf<HttpServices['sync-policy']['PUT /policy']>['body'], 'expectedRevision'>;

export interface OrderName {
  readonly store: string;
  readonly order: string;
}
interface LineUnits {
  readonly line: string;
  readonly quantity: number;
}
interface SkuUnits {
  readonly sku: string;
  readonly quantity: number;
}

/** Where stock is kept when nobody says where. */
const location = 'default';
/** Services may be restarted under us: a request is repeated, with its idempotency key, for as long. */
const patienceSeconds = 120;
const longestAnswerMilliseconds = 20_000;
const connectSeconds = 180;
const connectPauseMilliseconds = 100;
const onItsWay = 202;
const worthRepeating = (status: number) => status === onItsWay || status === 401 || status === 429 || status >= 500;

/** What was answered; {@link patient} lets no 202 through. */
async function bodyOf<A extends { readonly status: number; readonly body: unknown }>(
  asked: Promise<A>,
): Promise<Exclude<A, { readonly status: typeof onItsWay }>['body']> {
  return (await asked).body;
}

/** Instead of what was asked for, the status where it is one of these "no"s. */
const unless = async <T>(statuses: readonly number[], asked: Promise<T>): Promise<T | number> =>
  asked.catch((error: unknown) => {
    if (error instanceof ProblemError && statuses.includes(error.status)) return error.status;
    throw error;
  });

/** A fetch that waits for services that do not answer, or not yet. `renewed`: a token; a new one where the last was refused. */
const patient = (renewed: (refused: boolean) => Promise<string>, signal: AbortSignal | undefined): typeof fetch =>
  async function patientFetch(address, init) {
    const deadline = Date.now() + patienceSeconds * 1000;
    let response: Response | undefined;
    for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
      let failure: unknown;
      try {
        const headers = new Headers(init?.headers);
        headers.set('authorization', `Bearer ${await renewed(response?.status === 401)}`);
        const limit = AbortSignal.timeout(longestAnswerMilliseconds);
        response = await fetch(address, { ...init, headers, signal: signal ? AbortSignal.any([signal, limit]) : limit });
        if (!worthRepeating(response.status)) return response;
        failure = await response.text();
      } catch (error) {
        failure = error;
      }
      signal?.throwIfAborted();
      if (Date.now() > deadline)
        throw new Error(`${new Request(address).url} was not answered for ${patienceSeconds} s`, { cause: failure });
      await delay(pause, undefined, signal ? { signal } : {});
    }
  };

export type Seller = ReturnType<typeof createSeller>;

/**
 * What the people of one seller do over HTTP, through the generated client. Everything waits for services that do not answer and rejects with
 * {@link ProblemError} where the answer is "no"; `key` is the idempotency key: the same wish has the same one, also after a restart.
 */
export function createSeller({
  addresses,
  signal,
  ...claims
}: { addresses: Pick<Addresses, 'issuerUrl' | 'services'>; signal?: AbortSignal | undefined } & Claims) {
  let known: Promise<string> | undefined;
  async function token(refused = false): Promise<string> {
    if (refused) known = undefined; // it lasts twelve hours
    known ??= requestToken(addresses.issuerUrl, claims);
    known.catch(() => (known = undefined));
    return known;
  }

  const options = { token: () => token(), fetch: patient(token, signal) };
  const clientOf = <Name extends keyof HttpServices>(service: Name) =>
    createClient(service, { url: addresses.services[service], ...options });
  const stock = clientOf('stock');
  const orders = clientOf('order');
  const reservations = clientOf('reservation');
  const syncPolicy = clientOf('sync-policy');
  /** All connectors serve the same; only what connects a store differs. */
  const connectorOf = (marketplace: MarketplaceName) => clientOf(`connector-${marketplace}` as 'connector-shopify');

  const inventory = (sku: string) => bodyOf(stock('GET /products/{sku}', { path: { sku } }));
  const onHandAt = ({ locations }: Inventory) => locations?.[location] ?? 0;

  /** Undefined where On Hand is no longer what was seen. */
  async function tryOnHand(sku: string, seen: number, onHand: number, reason: string | null, key: string): Promise<true | undefined> {
    const request = { path: { sku, location }, body: { seen, onHand, reason }, idempotencyKey: key };
    try {
      await stock('PUT /products/{sku}/locations/{location}/on-hand', request);
      return true;
    } catch (error) {
      if (error instanceof ProblemError && error.type.endsWith(':on-hand-changed')) return undefined;
      throw error;
    }
  }

  return {
    inventory,

    /**
     * Connects it, or finds it connected; returns when its listings and open orders have been read. `access`: asked for only where it has to be
     * connected, and what its marketplace needs.
     */
    async connectStore(marketplace: MarketplaceName, store: string, access: () => Promise<object>): Promise<void> {
      const connector = connectorOf(marketplace);
      const state = async () => {
        const found = await unless([404], bodyOf(connector('GET /stores/{store}', { path: { store } })));
        return typeof found === 'number' ? undefined : found.state;
      };
      const before = await state();
      if (before === undefined || before === 'disconnected')
        await connector('POST /stores', { body: { store, ...(await access()) } as never, idempotencyKey: randomUUID() });
      for (const end = Date.now() + connectSeconds * 1_000; (await state()) !== 'connected'; await delay(connectPauseMilliseconds))
        if (Date.now() > end) throw new Error(`The store ${store} has not been connected for ${connectSeconds} s.`);
    },
    readListings: (marketplace: MarketplaceName, store: string) =>
      connectorOf(marketplace)('POST /stores/{store}/listing-imports', { path: { store }, idempotencyKey: randomUUID() }),

    /**
     * A Stock Update to what `decide` makes of the On Hand that is there; null leaves it alone. Where that has changed meanwhile it is tried
     * again on the new value. Without a reason it is a count. Resolves to whether there was one.
     */
    async updateOnHand(
      sku: string,
      decide: (onHand: number, inventory: Inventory) => number | null,
      reason: string | null,
      key: string,
    ): Promise<boolean> {
      for (let attempt = 1; ; attempt += 1) {
        const seen = await inventory(sku);
        const onHand = decide(onHandAt(seen), seen);
        if (onHand === null) return false;
        if (await tryOnHand(sku, onHandAt(seen), onHand, reason, `${key}-${attempt}`)) return true;
      }
    },
    /** The count of a SKU that never had anything; false where it had. */
    openWith: async (sku: string, onHand: number, key: string) => (await tryOnHand(sku, 0, onHand, null, key)) === true,

    /** A label for all that is left: its id. A refusal stands for its key: another try needs another one. */
    async createLabel(store: string, order: string, key: string): Promise<{ label: string } | 'nothing_left' | 'unknown_order'> {
      const request = { path: { store, order }, body: {}, idempotencyKey: key };
      const made = await unless([404, 409], bodyOf(orders('POST /stores/{store}/orders/{order}/labels', request)));
      if (typeof made !== 'number') return made;
      return made === 409 ? 'nothing_left' : 'unknown_order';
    },
    voidLabel: (store: string, order: string, label: string, key: string) =>
      orders('POST /stores/{store}/orders/{order}/labels/{label}/voids', { path: { store, order, label }, body: {}, idempotencyKey: key }),

    /** Puts all that waits of these orders into a new pick batch; what became of each stands in the answer. */
    makeBatch: (some: readonly OrderName[], key: string) =>
      bodyOf(reservations('POST /pick-batches', { body: { orders: some }, idempotencyKey: key })),
    /** Pick batches that are not cancelled, the newest ones. */
    openBatches: async (): Promise<string[]> => {
      const { batches } = await bodyOf(reservations('GET /pick-batches', { query: { state: 'open' } }));
      return batches.map(({ batch }) => batch);
    },
    pickBatch: (batch: string, key: string) =>
      reservations('POST /pick-batches/{batch}/picks', { path: { batch }, body: {}, idempotencyKey: key }),
    reportMissing: (batch: string, some: readonly (OrderName & { lines: readonly LineUnits[] })[], key: string) =>
      reservations('POST /pick-batches/{batch}/short-picks', { path: { batch }, body: { orders: some }, idempotencyKey: key }),
    takeOutOfBatch: (batch: string, some: readonly OrderName[], key: string) =>
      reservations('POST /pick-batches/{batch}/removals', { path: { batch }, body: { orders: some }, idempotencyKey: key }),
    cancelBatch: (batch: string, key: string) =>
      reservations('POST /pick-batches/{batch}/cancel', { path: { batch }, idempotencyKey: key }),
    /** Orders with units that were cancelled after they had been picked. */
    toPutBack: async (): Promise<OrderName[]> => {
      const { units } = await bodyOf(reservations('GET /to-put-back'));
      return [...new Map(units.map(({ store, order }) => [JSON.stringify([store, order]), { store, order }])).values()];
    },
    /** False where somebody else has put it back. */
    async putBack({ store, order }: OrderName, key: string): Promise<boolean> {
      const request = { path: { store, order }, body: {}, idempotencyKey: key };
      return (await unless([409], reservations('POST /stores/{store}/orders/{order}/put-backs', request))) !== 409;
    },

    /** Orders units from a supplier; resolves to the purchase order's name. */
    orderFrom: async (supplier: string, lines: readonly SkuUnits[], key: string): Promise<string> => {
      const made = await bodyOf(stock('POST /purchase-orders', { body: { supplier, lines }, idempotencyKey: key }));
      return made.purchaseOrder.purchaseOrder;
    },
    /** Some of it comes in: put away at once, or waiting for that. */
    receive: (purchaseOrder: string, lines: readonly SkuUnits[], putAway: boolean, key: string) =>
      stock('POST /purchase-orders/{purchaseOrder}/receipts', { path: { purchaseOrder }, body: { lines, putAway }, idempotencyKey: key }),
    /** All that waits. */
    putAway: (purchaseOrder: string, key: string) =>
      stock('POST /purchase-orders/{purchaseOrder}/put-aways', { path: { purchaseOrder }, body: {}, idempotencyKey: key }),

    isSynced: async (sku: string) => (await bodyOf(syncPolicy('GET /products/{sku}/inventory-sync', { path: { sku } }))).enabled,
    setSync: (sku: string, enabled: boolean, key: string) =>
      syncPolicy('PUT /products/{sku}/inventory-sync', { path: { sku }, body: { enabled }, idempotencyKey: key }),

    /** All decisions about a product's movements, newest first. */
    async decisions(sku: string): Promise<Decisions['decisions'][number][]> {
      const found: Decisions['decisions'][number][] = [];
      for (let before: number | null | undefined; before !== null;) {
        const page: Decisions = await bodyOf(syncPolicy('GET /products/{sku}/decisions', { path: { sku }, query: { limit: 500, before } }));
        found.push(...page.decisions.filter(({ trigger }) => trigger === 'movement'));
        before = page.next;
      }
      return found;
    },

    /** Sets the policy of all products that have none of their own; nothing where it is that already. */
    async setPolicy(policy: Policy): Promise<void> {
      const now = await bodyOf(syncPolicy('GET /policy'));
      const isSame = (Object.keys(policy) as (keyof Policy)[]).every((field) => now[field] === policy[field]);
      if (isSame) return;
      const body = { expectedRevision: now.revision, ...policy };
      await syncPolicy('PUT /policy', { body, idempotencyKey: `policy-${now.revision}-${Object.values(policy).join('-')}` });
    },
  };
}

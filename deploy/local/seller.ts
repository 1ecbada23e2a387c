import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { MarketplaceName } from '@evenkeel/marketplace-sandbox/control';
import type { Addresses, ServiceName } from './application.ts';
import { type Claims, requestToken } from './token.ts';

export type Answer = { status: number; body: unknown };

export type Inventory = {
  sku: string;
  sequence: number;
  quantities: { onHand: number; orderReserve: number; batchReserve: number; available: number };
  locations: Record<string, number>;
  /** False: never counted, so the quantities say nothing. */
  counted: boolean;
};

export type Policy = { realTimeAtOrBelow: number | null; significantUnits: number | null; everyNth: number };

/** What was decided about one row of a product's ledger. */
export type MovementDecision = { decision: string; reason: string; inputs: { sequence: number } };

export interface OrderName {
  readonly store: string;
  readonly order: string;
}
export interface LineUnits {
  readonly line: string;
  readonly quantity: number;
}
export interface SkuUnits {
  readonly sku: string;
  readonly quantity: number;
}

/** What became of each order that was to go into a pick batch. */
export interface Batch {
  readonly batch: string;
  readonly orders: readonly (OrderName & {
    readonly status: string;
    readonly reason: string | null;
    readonly units: readonly LineUnits[];
  })[];
}

/** A service answered "no" to something that must work; the message is what it says. */
class Refused extends Error {
  readonly answer: Answer;

  constructor(what: string, answer: Answer) {
    const { title, detail } = (answer.body ?? {}) as { title?: string; detail?: string };
    super(`${what} was refused (${answer.status}): ${detail ?? title ?? JSON.stringify(answer.body)}`);
    this.answer = answer;
  }
}

const connectorOf = (marketplace: MarketplaceName): ServiceName => `connector-${marketplace}`;

/** Where stock is kept when nobody says where. */
const location = 'default';
/** Services may be restarted under us: a request is repeated, with its idempotency key, for as long. */
const patienceSeconds = 120;
const longestAnswerMilliseconds = 20_000;
const connectSeconds = 180;
const connectPauseMilliseconds = 100;
const onItsWay = 202;
const worthRepeating = (status: number) => status === onItsWay || status === 429 || status >= 500;

export type Seller = ReturnType<typeof createSeller>;

/**
 * What the people of one seller do over HTTP. Everything waits for services that do not answer and rejects with {@link Refused} where the
 * answer is "no"; `key` is the idempotency key: the same wish has the same one, also after a restart.
 */
export function createSeller({
  addresses,
  signal,
  ...claims
}: { addresses: Pick<Addresses, 'issuerUrl' | 'services'>; signal?: AbortSignal | undefined } & Claims) {
  let token: Promise<string> | undefined;

  async function ask(method: string, url: string, body: unknown, key: string | undefined): Promise<Answer> {
    token ??= requestToken(addresses.issuerUrl, claims);
    token.catch(() => (token = undefined));
    const headers: Record<string, string> = { authorization: `Bearer ${await token}` };
    if (key !== undefined) headers['idempotency-key'] = key;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const limit = AbortSignal.timeout(longestAnswerMilliseconds);
    const init = { method, headers, signal: signal ? AbortSignal.any([signal, limit]) : limit };
    const response = await fetch(url, body === undefined ? init : { ...init, body: JSON.stringify(body) });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : (JSON.parse(text) as unknown) };
  }

  /** The first answer that is one. */
  async function call(service: ServiceName, method: string, path: string, body?: unknown, key?: string): Promise<Answer> {
    const deadline = Date.now() + patienceSeconds * 1000;
    for (let pause = 100; ; pause = Math.min(pause * 2, 2_000)) {
      let last: Answer | undefined;
      let failure: unknown;
      try {
        last = await ask(method, `${addresses.services[service]}${path}`, body, key);
        if (last.status === 401)
          token = undefined; // it lasts twelve hours
        else if (!worthRepeating(last.status)) return last;
      } catch (error) {
        failure = error;
      }
      signal?.throwIfAborted();
      if (Date.now() > deadline) {
        if (last) throw new Refused(`${method} ${path} of ${service}`, last);
        throw new Error(`${service} has not answered ${method} ${path} for ${patienceSeconds} s`, { cause: failure });
      }
      await delay(pause, undefined, signal ? { signal } : {});
    }
  }

  async function must<T>(what: string, answer: Promise<Answer>): Promise<T> {
    const found = await answer;
    if (found.status >= 400) throw new Refused(what, found);
    return found.body as T;
  }

  const product = (sku: string) => `/products/${encodeURIComponent(sku)}`;
  const order = (store: string, id: string) => `/stores/${encodeURIComponent(store)}/orders/${encodeURIComponent(id)}`;
  const inventory = (sku: string) => must<Inventory>(`Reading ${sku}`, call('stock', 'GET', product(sku)));
  const onHandAt = ({ locations }: Inventory) => locations[location] ?? 0;

  /** Undefined where On Hand is no longer what was seen. */
  async function tryOnHand(sku: string, seen: number, onHand: number, reason: string | null, key: string): Promise<true | undefined> {
    const answer = await call('stock', 'PUT', `${product(sku)}/locations/${location}/on-hand`, { seen, onHand, reason }, key);
    const { type } = (answer.body ?? {}) as { type?: string };
    if (answer.status === 409 && type?.endsWith(':on-hand-changed')) return undefined;
    if (answer.status >= 400) throw new Refused(`Setting ${sku} from ${seen} to ${onHand}`, answer);
    return true;
  }

  return {
    inventory,

    /**
     * Connects it, or finds it connected; returns when its listings and open orders have been read. `access`: asked for only where it has to be
     * connected, and what its marketplace needs.
     */
    async connectStore(marketplace: MarketplaceName, store: string, access: () => Promise<object>): Promise<void> {
      const connector = connectorOf(marketplace);
      const state = async () => ((await call(connector, 'GET', `/stores/${store}`)).body as { state?: string } | null)?.state;
      const before = await state();
      if (before === undefined || before === 'disconnected')
        await must(`Connecting ${store}`, call(connector, 'POST', '/stores', { store, ...(await access()) }, randomUUID()));
      for (const end = Date.now() + connectSeconds * 1_000; (await state()) !== 'connected'; await delay(connectPauseMilliseconds))
        if (Date.now() > end) throw new Error(`The store ${store} has not been connected for ${connectSeconds} s.`);
    },
    readListings: (marketplace: MarketplaceName, store: string) =>
      must<unknown>(
        `Reading the listings of ${store}`,
        call(connectorOf(marketplace), 'POST', `/stores/${store}/listing-imports`, undefined, randomUUID()),
      ),

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
    async createLabel(store: string, id: string, key: string): Promise<{ label: string } | 'nothing_left' | 'unknown_order'> {
      const answer = await call('order', 'POST', `${order(store, id)}/labels`, {}, key);
      if (answer.status < 300) return answer.body as { label: string };
      if (answer.status === 409) return 'nothing_left';
      if (answer.status === 404) return 'unknown_order';
      throw new Refused(`A label for ${id}`, answer);
    },
    voidLabel: (store: string, id: string, label: string, key: string) =>
      must<unknown>(`Voiding a label of ${id}`, call('order', 'POST', `${order(store, id)}/labels/${label}/voids`, {}, key)),

    /** Puts all that waits of these orders into a new pick batch; what became of each stands in the answer. */
    makeBatch: (orders: readonly OrderName[], key: string) =>
      must<Batch>('Making a pick batch', call('reservation', 'POST', '/pick-batches', { orders }, key)),
    /** Pick batches that are not cancelled, the newest ones. */
    openBatches: async (): Promise<string[]> =>
      (
        await must<{ batches: { batch: string }[] }>('Reading the pick batches', call('reservation', 'GET', '/pick-batches?state=open'))
      ).batches.map(({ batch }) => batch),
    pickBatch: (batch: string, key: string) =>
      must<unknown>(`Picking ${batch}`, call('reservation', 'POST', `/pick-batches/${batch}/picks`, {}, key)),
    reportMissing: (batch: string, orders: readonly (OrderName & { lines: readonly LineUnits[] })[], key: string) =>
      must<unknown>(`A short pick of ${batch}`, call('reservation', 'POST', `/pick-batches/${batch}/short-picks`, { orders }, key)),
    takeOutOfBatch: (batch: string, orders: readonly OrderName[], key: string) =>
      must<unknown>(`Taking orders out of ${batch}`, call('reservation', 'POST', `/pick-batches/${batch}/removals`, { orders }, key)),
    cancelBatch: (batch: string, key: string) =>
      must<unknown>(`Cancelling ${batch}`, call('reservation', 'POST', `/pick-batches/${batch}/cancel`, undefined, key)),
    /** Orders with units that were cancelled after they had been picked. */
    toPutBack: async (): Promise<OrderName[]> => {
      const { units } = await must<{ units: OrderName[] }>('Reading what is to be put back', call('reservation', 'GET', '/to-put-back'));
      return [...new Map(units.map(({ store, order: id }) => [JSON.stringify([store, id]), { store, order: id }])).values()];
    },
    /** False where somebody else has put it back. */
    async putBack({ store, order: id }: OrderName, key: string): Promise<boolean> {
      const answer = await call('reservation', 'POST', `${order(store, id)}/put-backs`, {}, key);
      if (answer.status >= 400 && answer.status !== 409) throw new Refused(`Putting back what was picked for ${id}`, answer);
      return answer.status < 400;
    },

    /** Orders units from a supplier; resolves to the purchase order's name. */
    orderFrom: async (supplier: string, lines: readonly SkuUnits[], key: string): Promise<string> => {
      const made = call('stock', 'POST', '/purchase-orders', { supplier, lines }, key);
      return (await must<{ purchaseOrder: { purchaseOrder: string } }>('A purchase order', made)).purchaseOrder.purchaseOrder;
    },
    /** Some of it comes in: put away at once, or waiting for that. */
    receive: (purchaseOrder: string, lines: readonly SkuUnits[], putAway: boolean, key: string) =>
      must<unknown>(
        `Receiving ${purchaseOrder}`,
        call('stock', 'POST', `/purchase-orders/${purchaseOrder}/receipts`, { lines, putAway }, key),
      ),
    /** All that waits. */
    putAway: (purchaseOrder: string, key: string) =>
      must<unknown>(`Putting away ${purchaseOrder}`, call('stock', 'POST', `/purchase-orders/${purchaseOrder}/put-aways`, {}, key)),

    isSynced: async (sku: string) =>
      (await must<{ enabled: boolean }>(`Reading ${sku}`, call('sync-policy', 'GET', `${product(sku)}/inventory-sync`))).enabled,
    setSync: (sku: string, enabled: boolean, key: string) =>
      must<unknown>(`Inventory Sync of ${sku}`, call('sync-policy', 'PUT', `${product(sku)}/inventory-sync`, { enabled }, key)),

    /** All decisions about a product's movements, newest first. */
    async decisions(sku: string): Promise<MovementDecision[]> {
      type Page = { decisions: (MovementDecision & { trigger: string })[]; next: number | null };
      const found: MovementDecision[] = [];
      for (let before: number | null | undefined; before !== null;) {
        const query: string = before === undefined ? '' : `&before=${before}`;
        const page: Page = await must<Page>(
          `Reading the decisions about ${sku}`,
          call('sync-policy', 'GET', `${product(sku)}/decisions?limit=500${query}`),
        );
        found.push(...page.decisions.filter(({ trigger }) => trigger === 'movement'));
        before = page.next;
      }
      return found;
    },

    /** Sets the policy of all products that have none of their own; nothing where it is that already. */
    async setPolicy(policy: Policy): Promise<void> {
      type Stored = Policy & { revision: number };
      const now = await must<Stored>('Reading the policy', call('sync-policy', 'GET', '/policy'));
      const isSame = (Object.keys(policy) as (keyof Policy)[]).every((field) => now[field] === policy[field]);
      if (isSame) return;
      const body = { expectedRevision: now.revision, ...policy };
      await must(
        'Setting the policy',
        call('sync-policy', 'PUT', '/policy', body, `policy-${now.revision}-${Object.values(policy).join('-')}`),
      );
    },
  };
}

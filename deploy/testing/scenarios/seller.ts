import { createHmac, randomUUID } from 'node:crypto';
import type { Outgoing } from '@evenkeel/chassis';
import { encode } from '@evenkeel/chassis/testing';
import { openCodec } from '@evenkeel/contracts';
import { createSandboxControl, type AppliedWrite, type Order } from '@evenkeel/marketplace-sandbox/control';
import { Kafka, logLevel } from 'kafkajs';
import type { ServiceName } from '../../local/application.ts';
import type { System } from '../system.ts';

export interface Answer<Body = Record<string, unknown>> {
  readonly status: number;
  readonly body: Body;
}

export interface Level {
  readonly sequence: number;
  readonly counted: boolean;
  readonly onHand: number;
  readonly orderReserve: number;
  readonly batchReserve: number;
  readonly available: number;
}

export interface Decision {
  readonly trigger: string;
  readonly decision: string;
  readonly reason: string;
  readonly inputs: { readonly sequence: number; readonly before: number; readonly after: number; readonly counter: number };
}

export interface Movement {
  readonly sequence: number;
  readonly type: string;
  readonly reason: string | null;
  readonly refused: string | null;
  readonly change: { readonly onHand: number; readonly orderReserve: number; readonly available: number };
  readonly after: { readonly onHand: number; readonly orderReserve: number; readonly available: number };
  readonly location: string | null;
  readonly user: { readonly kind: string; readonly id: string };
}

export interface Policy {
  readonly realTimeAtOrBelow: number | null;
  readonly significantUnits: number | null;
  readonly everyNth: number | null;
}

export interface ListingView {
  readonly store: string;
  readonly listing: string;
  readonly outstanding: boolean;
  readonly wanted: { readonly available: number; readonly reason: string } | null;
  readonly confirmed: { readonly quantity: number } | null;
}

const roles = ['operator', 'clerk', 'warehouse'];

/** Waits until a condition holds; fails with what was seen last. */
export async function until<T>(what: string, look: () => Promise<T>, holds: (seen: T) => boolean, within = 30_000): Promise<T> {
  const end = performance.now() + within;
  for (;;) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (performance.now() > end) throw new Error(`Waited ${within / 1_000} s in vain for ${what}; last seen: ${JSON.stringify(seen)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** A seller with a tenant of its own and sandbox stores, as the tests speak of one: it only uses what a person or a marketplace could. */
export async function openSeller(
  system: System,
  {
    stores: shopifyStores = ['amber', 'birch'],
    etsyStores = [],
    tenant = `t-${randomUUID().slice(0, 8)}`,
    acceptEverySale = false,
  }: { stores?: readonly string[]; etsyStores?: readonly string[]; tenant?: string; acceptEverySale?: boolean } = {},
) {
  const stores = [...shopifyStores, ...etsyStores];
  const control = createSandboxControl(system.sandbox.controlUrl);
  const token = await system.token({ tenant, user: 'clara', roles });
  const shopOf = (store: string) => `${tenant}-${store}`;
  const webhookKey = Buffer.from(`${tenant}, who sells on Etsy`);
  const webhookSecretOf = (store: string) =>
    etsyStores.includes(store) ? `whsec_${webhookKey.toString('base64')}` : `${tenant}-sells-on-shopify`;

  async function call<Body = Record<string, unknown>>(
    service: ServiceName,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const changes = method === 'GET' ? {} : { 'idempotency-key': randomUUID() };
    const response = await fetch(`${system.services[service]}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...changes,
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: (text === '' ? {} : JSON.parse(text)) as Body };
  }

  async function must<Body>(service: ServiceName, method: string, path: string, body?: unknown): Promise<Body> {
    const key = method === 'GET' ? {} : { 'idempotency-key': randomUUID() };
    const ask = async () => call<Body>(service, method, path, body, key);
    // Not yet, says a 503: a service that was killed before may still be a member of its group, and its lanes nobody's.
    const answer = await until(`${method} ${path} to be answered`, ask, ({ status }) => status !== 503, 60_000);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  const product = (sku: string) => `/products/${encodeURIComponent(sku)}`;
  const items = new Map<string, string>();
  const itemOf = (store: string, sku: string) => items.get(`${store}/${sku}`) ?? '';

  const connectorOf = (store: string): ServiceName => (etsyStores.includes(store) ? 'connector-etsy' : 'connector-shopify');
  const createShopifyShop = async (store: string) => {
    const [shop, accessToken] = [shopOf(store), `shpat_${shopOf(store)}`];
    await control.createShop({ name: shop, token: accessToken, plan: 'enterprise', acceptEverySale });
    return { shop, accessToken, webhookSecret: webhookSecretOf(store) };
  };
  const createEtsyShop = async (store: string) => {
    const { tokens } = await control.createEtsyShop({ name: shopOf(store), ...system.sandbox.etsyApp, acceptEverySale });
    return { ...tokens, renewSoldOut: true, webhookSecret: webhookSecretOf(store) };
  };

  const seller = {
    tenant,
    control,
    call,
    shopOf,
    itemOf,
    connectorOf,

    /** Opens the shops with these SKUs, each showing `quantity`, and connects them. */
    async open(skus: readonly string[], quantity = 0): Promise<void> {
      for (const store of stores) {
        const entered = await seller.createShop(store);
        await seller.list(store, skus, quantity);
        await seller.connect(store, entered);
      }
      for (const sku of skus) await seller.mapped(sku, stores.length);
    },
    /** A shop that nothing is listed in; what must be entered to connect it. */
    createShop: async (store: string): Promise<object> =>
      connectorOf(store) === 'connector-etsy' ? createEtsyShop(store) : createShopifyShop(store),
    /** Connects a store and waits until its open orders are read. */
    async connect(store: string, entered: object): Promise<void> {
      const connector = connectorOf(store);
      await must(connector, 'POST', '/stores', { store, ...entered });
      await until(
        `${store} to be connected`,
        () => must<{ state: string }>(connector, 'GET', `/stores/${store}`),
        ({ state }) => state === 'connected',
      );
    },
    async list(store: string, skus: readonly string[], quantity = 0): Promise<void> {
      const products = await control.putProducts(
        shopOf(store),
        skus.map((sku) => ({ sku, quantity })),
      );
      for (const { sku, inventoryItem } of products) items.set(`${store}/${sku}`, inventoryItem);
    },
    /** Waits until the policy knows the listings of a SKU. */
    mapped: async (sku: string, count: number) =>
      until(
        `${count} listings of ${sku}`,
        async () => (await seller.decisions(sku)).filter(({ trigger }) => trigger === 'listing_mapped').length,
        (found) => found >= count,
      ),

    level: async (sku: string): Promise<Level> => {
      const { quantities, ...rest } = await must<{ quantities: Omit<Level, 'sequence' | 'counted'>; sequence: number; counted: boolean }>(
        'stock',
        'GET',
        product(sku),
      );
      return { ...quantities, ...rest };
    },
    levelIs: async (sku: string, wanted: Partial<Level>): Promise<Level> =>
      until(
        `the level of ${sku} to be ${JSON.stringify(wanted)}`,
        async () => seller.level(sku),
        (level) => Object.entries(wanted).every(([name, value]) => level[name as keyof Level] === value),
      ),
    movements: async (sku: string): Promise<Movement[]> =>
      (await must<{ movements: Movement[] }>('stock', 'GET', `${product(sku)}/movements?include=reserves&limit=100`)).movements,
    decisions: async (sku: string): Promise<Decision[]> =>
      (await must<{ decisions: Decision[] }>('sync-policy', 'GET', `${product(sku)}/decisions?limit=100`)).decisions,
    /** The decision about one ledger row, once it is readable. */
    decided: async (sku: string, sequence: number): Promise<Decision> =>
      until(
        `the decision about row ${sequence} of ${sku}`,
        async () => (await seller.decisions(sku)).find(({ trigger, inputs }) => trigger === 'movement' && inputs.sequence === sequence),
        (found) => found !== undefined,
      ) as Promise<Decision>,

    setOnHand: async (sku: string, seen: number, onHand: number, reason?: string) =>
      call('stock', 'PUT', `${product(sku)}/locations/default/on-hand`, { seen, onHand, ...(reason === undefined ? {} : { reason }) }),
    /** Counts a SKU and waits until every store shows it. */
    async count(sku: string, onHand: number): Promise<void> {
      const { onHand: seen } = await seller.level(sku);
      const answer = await seller.setOnHand(sku, seen, onHand);
      if (answer.status !== 200) throw new Error(`The count was not taken: ${JSON.stringify(answer)}`);
    },
    sync: async (sku: string, enabled: boolean) => must('sync-policy', 'PUT', `${product(sku)}/inventory-sync`, { enabled }),
    skuPolicy: async (sku: string, policy: Policy) => must('sync-policy', 'PUT', `${product(sku)}/policy`, policy),
    async policy(policy: Policy): Promise<void> {
      const { revision } = await must<{ revision: number }>('sync-policy', 'GET', '/policy');
      await must('sync-policy', 'PUT', '/policy', { expectedRevision: revision, ...policy });
    },

    buy: async (store: string, lines: readonly (readonly [sku: string, quantity: number])[], force = false): Promise<Order> =>
      control.placeOrder(shopOf(store), { lines: lines.map(([sku, quantity]) => ({ sku, quantity })), force }),
    /** Has the marketplace send its webhooks about the store's orders there, signed with the secret that the store was connected with. */
    sendWebhooks: async (store: string, url: string) =>
      control.configure(shopOf(store), { webhook: { url, secret: webhookSecretOf(store) } }),
    /** Etsy tells the store's connector that something has become of an order; resolves to the answer's status. */
    async webhook(store: string, order: string): Promise<number> {
      const [id, timestamp] = [`msg_${randomUUID()}`, Math.floor(Date.now() / 1_000)];
      const body = JSON.stringify({
        event_type: 'order.paid',
        resource_url: `https://openapi.etsy.com/v3/application/shops/1/receipts/${order}`,
      });
      const signature = createHmac('sha256', webhookKey).update(`${id}.${timestamp}.${body}`).digest('base64');
      const headers = { 'webhook-id': id, 'webhook-timestamp': `${timestamp}`, 'webhook-signature': `v1,${signature}` };
      const url = `${system.services['connector-etsy']}/webhooks/${tenant}/${store}`;
      return (await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })).status;
    },
    label: async (store: string, order: string, body: unknown = {}) =>
      call('order', 'POST', `/stores/${store}/orders/${encodeURIComponent(order)}/labels`, body),
    /** Waits until the order service knows the order. */
    knows: async (store: string, order: string) =>
      until(
        `the order ${order}`,
        async () => (await call('order', 'GET', `/stores/${store}/orders/${encodeURIComponent(order)}`)).status,
        (status) => status === 200,
      ),

    /** What a shopper sees now. */
    async shown(store: string, sku: string): Promise<number> {
      for await (const row of control.allQuantities(shopOf(store))) if (row.inventoryItem === itemOf(store, sku)) return row.available;
      throw new Error(`${store} has no listing of ${sku}.`);
    },
    /** Waits until every store shows this much. */
    show: async (sku: string, quantity: number) =>
      until(
        `every store to show ${quantity} of ${sku}`,
        async () => Promise.all(stores.map(async (store) => seller.shown(store, sku))),
        (shown) => shown.every((seen) => seen === quantity),
      ),
    /** What was written to a store's listing of a SKU, in the order applied. */
    async writes(store: string, sku: string): Promise<AppliedWrite[]> {
      const writes: AppliedWrite[] = [];
      for await (const write of control.allWrites(shopOf(store))) if (write.inventoryItem === itemOf(store, sku)) writes.push(write);
      return writes;
    },
    /** How often each store was written to for this SKU. */
    pushes: async (sku: string): Promise<number[]> => Promise.all(stores.map(async (store) => (await seller.writes(store, sku)).length)),
    listings: async (sku: string): Promise<ListingView[]> => {
      const connectors = [...new Set(stores.map(connectorOf))];
      const found = await Promise.all(
        connectors.map(async (name) => must<{ listings: ListingView[] }>(name, 'GET', `/listings?sku=${encodeURIComponent(sku)}`)),
      );
      return found.flatMap(({ listings }) => listings);
    },
    /** Waits until nothing of the SKU is on its way to a store. */
    quiet: async (sku: string) =>
      until(
        `nothing of ${sku} to be outstanding`,
        async () => seller.listings(sku),
        (listings) => listings.every(({ outstanding }) => !outstanding),
      ),
    incidents: async (state = 'open') =>
      (await must<{ incidents: { kind: string; subject: string; state: string }[] }>('stock', 'GET', `/incidents?state=${state}`))
        .incidents,

    /** Puts records on topics, as their owner would: for what a marketplace cannot be made to do. */
    async produce(messages: readonly Outgoing[]): Promise<void> {
      const codec = await openCodec(system.registryUrl);
      const producer = new Kafka({ clientId: 'test', brokers: system.brokers.split(','), logLevel: logLevel.ERROR }).producer();
      await producer.connect();
      for (const message of messages) {
        const { topic, ...record } = encode(codec, message);
        await producer.send({ topic, messages: [record] });
      }
      await producer.disconnect();
    },
  };
  return seller;
}

export type Seller = Awaited<ReturnType<typeof openSeller>>;

import { z } from 'zod';
import { MarketplaceError, type Failure } from '../src/failure.ts';
import type { Gateway } from '../src/gateway.ts';
import { isSigned } from '../src/webhooks.ts';
import {
  WebhookRefused,
  type Capabilities,
  type FrozenBatch,
  type Marketplace,
  type MarketplaceLine,
  type MarketplaceOrder,
  type PushResult,
  type Renewal,
  type StoreConnection,
} from '../src/marketplace.ts';

export const capabilities: Capabilities = {
  maxBatch: 10,
  atomicBatch: true,
  compareAndSet: 'native',
  restocksCancelled: true,
  idempotencyKey: { retentionMilliseconds: 86_400_000 },
  asynchronousApply: false,
  settleMilliseconds: 50,
  minimumQuantity: 0,
  maximumQuantity: 999,
};

export const failure = (failureClass: Failure['class'], code = failureClass.toUpperCase()): Failure => ({
  class: failureClass,
  code,
  message: code,
});
export const failed = (failureClass: Failure['class'], applied: 'no' | 'unknown', code?: string) =>
  new MarketplaceError(failure(failureClass, code), applied);

export interface Applied {
  readonly key: string;
  readonly listing: string;
  readonly quantity: number;
}

/** What happens to a push: before it takes effect, after it took effect. Throwing stands for trouble on the way, or a refusal. */
export interface Behaviour {
  before?(batch: FrozenBatch): Promise<void> | void;
  refuse?(batch: FrozenBatch): readonly PushResult[] | null;
  after?(batch: FrozenBatch): Promise<void> | void;
  read?(): Promise<void> | void;
}

interface Tokens {
  readonly token: string;
  readonly refresh: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
}

/** A marketplace in memory with one store, whose trouble a test decides. `rotating`: its tokens end, and are renewed. */
export function createFakeMarketplace(overrides: Partial<Capabilities> = {}, { rotating = false } = {}) {
  const has = { ...capabilities, ...overrides };
  const shop = {
    token: 'first',
    /** What renews the token; each renewal replaces it, and the one before works until the new token is first used. */
    refresh: 'refresh-first',
    refreshBefore: null as string | null,
    renewals: 0,
    lifeMilliseconds: 3_600_000,
    /** Within a renewal, after the marketplace has done it. */
    onRenewed: (async () => undefined) as () => Promise<unknown>,
    listings: new Map<string, { sku: string | null; quantity: number }>(),
    orders: new Map<string, MarketplaceOrder>(),
    /** Everything that was asked, in order: `push:<key>`, `orders`, `listings`, `read-back`. */
    asked: [] as string[],
    applied: [] as Applied[],
    /** Of how many listings somebody has asked what their push costs: right before it waits for the rate. */
    priced: [] as number[],
    sold: new Map<string, number>(),
    clock: 1_000_000,
    active: true,
    behaviour: {} as Behaviour,
  };
  const answered = new Map<string, string>();
  /** Those that show something else than was expected; none where nothing is compared, or the key was answered before. */
  function moved({ key, items }: FrozenBatch): Map<string, PushResult> {
    const differs = ({ listing, expected }: FrozenBatch['items'][number]): boolean => {
      const shown = shop.listings.get(listing)?.quantity;
      if (expected === null || shown === undefined || has.compareAndSet === 'none') return false;
      return has.compareAndSet === 'native' ? shown !== expected : shown < expected;
    };
    const stale = has.idempotencyKey && answered.has(key) ? [] : items.filter(differs);
    return new Map(stale.map(({ listing }) => [listing, { listing, outcome: 'rejected', failure: failure('conflict', 'STALE') }]));
  }

  function apply({ key, items }: FrozenBatch): void {
    if (has.idempotencyKey && answered.has(key)) return;
    answered.set(key, key);
    for (const { listing, quantity } of items) {
      const found = shop.listings.get(listing);
      if (!found) continue;
      found.quantity = quantity;
      shop.applied.push({ key, listing, quantity });
    }
  }

  function open(token: () => string, gateway: Gateway): StoreConnection {
    const ask = <T>(what: string, priority: 'urgent' | 'normal' | 'background', work: () => Promise<T>): Promise<T> =>
      gateway.call({ costs: {}, priority }, async () => {
        shop.asked.push(what);
        if (token() !== shop.token) throw failed('credential', 'no');
        shop.refreshBefore = null;
        return work();
      });
    return {
      capabilities: has,
      pushCost(items) {
        shop.priced.push(items);
        return {};
      },
      probe: ({ priority }) =>
        ask('probe', priority, async () => ({ account: 'account-1', name: 'Fake', time: shop.clock, active: shop.active })),
      async *listings({ priority }) {
        yield await ask('listings', priority, async () =>
          [...shop.listings].map(([listing, { sku, quantity }]) => ({ listing, sku, quantity, onSale: true })),
        );
      },
      async *openOrders({ priority }) {
        yield await ask('open-orders', priority, async () =>
          [...shop.orders.values()].filter(({ lines }) => lines.some((line) => line.quantity - line.cancelled > line.fulfilled)),
        );
      },
      async *ordersSince(since, { priority }) {
        const found = await ask('orders', priority, async () => {
          await shop.behaviour.read?.();
          return [...shop.orders.values()].filter(({ updatedAt }) => updatedAt >= since).toSorted((a, b) => a.updatedAt - b.updatedAt);
        });
        for (let from = 0; from < found.length; from += 2) yield found.slice(from, from + 2);
      },
      push: (batch, { priority }) =>
        ask(`push:${batch.key}`, priority, async () => {
          await shop.behaviour.before?.(batch);
          const refused = shop.behaviour.refuse?.(batch);
          if (refused) return refused;
          const conflicts = moved(batch);
          const others = conflicts.size > 0 && has.atomicBatch ? ('not_tried' as const) : ('applied' as const);
          if (others === 'applied') apply({ ...batch, items: batch.items.filter(({ listing }) => !conflicts.has(listing)) });
          await shop.behaviour.after?.(batch);
          return batch.items.map(({ listing }) => conflicts.get(listing) ?? { listing, outcome: others });
        }),
      readBack: (listings, { priority }) =>
        ask(
          'read-back',
          priority,
          async () =>
            new Map(listings.flatMap((id) => (shop.listings.has(id) ? [[id, shop.listings.get(id)?.quantity ?? 0] as const] : []))),
        ),
      close: async () => undefined,
    };
  }

  const tokens = (): Tokens => {
    const now = Date.now();
    return { token: shop.token, refresh: shop.refresh, issuedAt: now, expiresAt: now + shop.lifeMilliseconds };
  };
  const renewal: Renewal = {
    lifeOf: (credentials) => credentials as Tokens,
    async renew({ credentials }) {
      const { refresh } = credentials as Tokens;
      shop.asked.push('renew');
      if (refresh !== shop.refresh && refresh !== shop.refreshBefore) throw failed('credential', 'no', 'invalid_grant');
      shop.renewals += 1;
      shop.refreshBefore = refresh;
      shop.token = `token-${shop.renewals}`;
      shop.refresh = `refresh-${shop.renewals}`;
      const answer = tokens();
      await shop.onRenewed();
      return answer;
    },
  };
  const secretsOf = ({ token, webhookSecret }: Readonly<Record<string, unknown>>) => ({
    credentials: rotating ? { ...tokens(), token } : { token },
    webhookSecret: webhookSecret as string | undefined,
  });

  const marketplace: Marketplace = {
    name: 'shopify', // the only one whose push requests have a topic
    capabilities: has,
    connectionFields: { token: z.string() },
    credentialFields: { token: z.string() },
    accessOf: (entered) => ({ settings: { shop: 'fake' }, ...secretsOf(entered) }),
    credentialsOf: secretsOf,
    webhooks: {
      windowMilliseconds: Infinity,
      verify({ body, header, secret }) {
        if (!isSigned(secret, [body], header('X-Signature') ?? '')) throw new WebhookRefused('It is not signed.');
        const { order = null, account = null } = JSON.parse(body.toString()) as { order?: string; account?: string };
        return { account, delivery: header('X-Id') ?? '', alsoKnownAs: [header('X-Signature') ?? ''], order };
      },
    },
    ...(rotating ? { renewal } : {}),
    completeSettings: async (_connection, settings) => settings,
    open: ({ credentials }, gateway) => open(() => (credentials() as { token: string }).token, gateway),
  };

  let sales = 0;
  return {
    marketplace,
    shop,
    /** A shopper buys: the listing shows less at once, and the order can be read from now on. Returns what the order's effects correlate with. */
    sell(listing: string, quantity = 1): string {
      const found = shop.listings.get(listing);
      if (!found || found.quantity < quantity) throw new Error(`${listing} shows ${found?.quantity}: nobody can buy ${quantity}.`);
      found.quantity -= quantity;
      shop.sold.set(listing, (shop.sold.get(listing) ?? 0) + quantity);
      sales += 1;
      this.order(`sale-${sales}`, [{ listing, quantity }], (shop.clock += 1));
      return `sale-${sales}`;
    },
    /** An order as it stands from now on. */
    order(order: string, lines: readonly (Partial<MarketplaceLine> & { listing: string | null })[], updatedAt: number): void {
      shop.orders.set(order, {
        order,
        name: `#${order}`,
        placedAt: updatedAt,
        updatedAt,
        cancelledAt: null,
        lines: lines.map((line, index) => ({ line: `${order}-${index}`, quantity: 1, cancelled: 0, fulfilled: 0, ...line })),
      });
    },
  };
}

export type FakeMarketplace = ReturnType<typeof createFakeMarketplace>;

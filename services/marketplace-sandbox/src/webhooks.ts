import { createHmac, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Order } from './control-client.ts';
import type { Troubles } from './faults.ts';
import { idOf } from './gid.ts';
import type { ShopRow } from './state/shops.ts';
import type { State } from './state/state.ts';

/** What became of an order. */
export type OrderChange = 'placed' | 'edited' | 'cancelled' | 'fulfilled' | 'refunded';

interface Message {
  readonly body: string;
  /** Made anew for each attempt. */
  readonly headers: (secret: string, now: number) => Record<string, string>;
}

/** Real marketplaces try for hours; here what was not taken soon is lost, and the poll has to find it. */
const attemptsAfterMilliseconds = [0, 500, 2_000];
const answerMilliseconds = 5_000;

export interface Webhooks extends AsyncDisposable {
  /** Tells the shop's webhook address, if it has one, in the marketplace's words; returns at once. */
  announce(shop: string, change: OrderChange, order: Order): void;
}

export function createWebhooks(state: State, troubles: Troubles, log: Logger): Webhooks {
  const closing = new AbortController();
  const tails = new Map<string, Promise<unknown>>();
  const held = new Map<string, Message[]>();

  async function deliver(shop: string, { body, headers }: Message): Promise<void> {
    for (const wait of attemptsAfterMilliseconds) {
      const target = state.shops.find(shop)?.settings.webhook;
      if (!target || closing.signal.aborted) return;
      try {
        await delay(wait, undefined, { signal: closing.signal });
        const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(answerMilliseconds)]);
        const response = await fetch(target.url, { method: 'POST', body, headers: headers(target.secret, state.shops.now(shop)), signal });
        await response.body?.cancel();
        if (response.ok) return;
        log.debug({ shop, status: response.status }, 'a webhook was not taken');
      } catch (error) {
        log.debug({ shop, err: error }, 'a webhook did not arrive');
      }
    }
  }

  /** One after the other, as far as nothing disturbs it. */
  function queue(shop: string, messages: readonly Message[]): void {
    const before = tails.get(shop) ?? Promise.resolve();
    const mine = before.then(async () => {
      for (const message of messages) await deliver(shop, message);
    });
    tails.set(shop, mine.catch((error: unknown) => log.error({ err: error, shop }, 'a webhook could not be sent'))); // prettier-ignore
  }

  return {
    announce(shop, change, order) {
      const row = state.shops.find(shop);
      if (!row?.settings.webhook) return;
      const message =
        row.marketplace === 'etsy' ? etsyMessage(state.etsyShops.shopId(shop), change, order) : shopifyMessage(row, change, order);
      const disturbance = troubles.of(shop).takeWebhookTrouble();
      if (disturbance === 'drop') return;
      if (disturbance === 'hold') return void held.set(shop, [...(held.get(shop) ?? []), message]);
      queue(shop, [message, ...(disturbance === 'duplicate' ? [message] : []), ...(held.get(shop) ?? [])]);
      held.delete(shop);
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.all(tails.values());
    },
  };
}

/** Lets a shopper buy, where a test has asked for it, right before a shop's mutation takes effect. */
export const createSellFirst =
  (state: Pick<State, 'orders'>, troubles: Troubles, webhooks: Webhooks) =>
  (shop: string): void => {
    const sale = troubles.of(shop).takeSale();
    const [placed] = sale ? state.orders.place(shop, [sale]) : [];
    if (placed?.accepted) webhooks.announce(shop, 'placed', placed.order);
  };

const shopifyTopics: Record<OrderChange, string> = {
  placed: 'orders/create',
  edited: 'orders/edited',
  cancelled: 'orders/cancelled',
  fulfilled: 'orders/updated',
  refunded: 'orders/updated',
};

/** Signed over the body alone; id, topic and time stand in headers. */
function shopifyMessage({ name }: ShopRow, change: OrderChange, order: Order): Message {
  const body = JSON.stringify({
    id: idOf('Order', order.id),
    admin_graphql_api_id: order.id,
    name: order.name,
    created_at: new Date(order.createdAt).toISOString(),
    updated_at: new Date(order.updatedAt).toISOString(),
    cancelled_at: order.cancelledAt === null ? null : new Date(order.cancelledAt).toISOString(),
    line_items: order.lines.map(({ id, sku, quantity }) => ({ id: idOf('LineItem', id), sku, quantity })),
  });
  const [webhook, event] = [randomUUID(), randomUUID()];
  const triggeredAt = new Date(order.updatedAt).toISOString();
  return {
    body,
    headers: (secret) => ({
      'content-type': 'application/json',
      'x-shopify-topic': shopifyTopics[change],
      'x-shopify-hmac-sha256': createHmac('sha256', secret).update(body).digest('base64'),
      'x-shopify-shop-domain': `${name}.myshopify.com`,
      'x-shopify-api-version': '2026-10',
      'x-shopify-webhook-id': webhook,
      'x-shopify-event-id': event,
      'x-shopify-triggered-at': triggeredAt,
    }),
  };
}

const etsyEvents: Record<OrderChange, string> = {
  placed: 'order.paid',
  edited: 'order.paid',
  cancelled: 'order.canceled',
  fulfilled: 'order.shipped',
  refunded: 'order.canceled',
};

/** Standard Webhooks: signed over id, time and body. */
function etsyMessage(shopId: number, change: OrderChange, order: Order): Message {
  const resource = `https://openapi.etsy.com/v3/application/shops/${shopId}/receipts/${order.id}`;
  const body = JSON.stringify({ event_type: etsyEvents[change], resource_url: resource, shop_id: shopId });
  const id = `msg_${randomUUID()}`;
  return {
    body,
    headers(secret, now) {
      const timestamp = String(Math.floor(now / 1_000));
      const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
      const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('base64');
      return {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': timestamp,
        'webhook-signature': `v1,${signature}`,
      };
    },
  };
}

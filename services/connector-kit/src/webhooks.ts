import { createHmac, timingSafeEqual } from 'node:crypto';
import { defineSignedRoute, problem, reply, type Problem, type Route, type Sealer, type Sender } from '@evenkeel/chassis';
import { keyOf, topicsOf } from '@evenkeel/contracts';
import { z } from 'zod';
import type { Collections, StoreDocument } from './documents.ts';
import { WebhookRefused, type Marketplace, type WebhookDelivery } from './marketplace.ts';

/** Whether `signature` (base64) is the HMAC-SHA256 of these parts, one behind the other. Takes as long for a wrong one as for the right one. */
export function isSigned(key: string | Buffer, parts: readonly (string | Buffer)[], signature: string): boolean {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  const right = hmac.digest();
  const given = Buffer.from(signature, 'base64');
  return given.length === right.length && timingSafeEqual(given, right);
}

/** How long a delivery is remembered: longer than marketplaces try again, and than any of their windows. */
const rememberedMilliseconds = 3 * 86_400_000;
/** Marketplaces give up on an answer after five seconds. */
const sendMilliseconds = 4_000;

export interface WebhookRoutesOptions {
  readonly marketplace: Marketplace;
  readonly collections: Pick<Collections, 'stores' | 'deliveries'>;
  readonly sealer: Sealer;
  readonly sender: Pick<Sender, 'send'>;
}

/** Where a store's marketplace sends its webhooks to. */
export const webhookPathOf = ({ tenant, store }: Pick<StoreDocument, 'tenant' | 'store'>): string =>
  `/webhooks/${encodeURIComponent(tenant)}/${encodeURIComponent(store)}`;

/** What the secret is sealed for: it opens nowhere else. */
export const webhookContext = (storeKey: string): string => `${storeKey}/webhook`;

const params = z.strictObject({
  tenant: z.string().regex(/^[\x21-\x7e]{1,64}$/, 'expected 1–64 visible ASCII characters'),
  store: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, 'expected 1–64 lower-case letters, digits and dashes'),
});

/**
 * A store's webhooks: verified with the store's own secret, then a hint to the store's owner to read its orders, and nothing else: what is in them is
 * not believed. A lost one costs a poll interval. None where the marketplace sends none.
 */
export function webhookRoutes({ marketplace, collections, sealer, sender }: WebhookRoutesOptions): Route[] {
  const { webhooks } = marketplace;
  if (!webhooks) return [];
  const { deliveries, stores } = collections;

  async function find(tenant: string, store: string): Promise<{ document: StoreDocument; secret: string }> {
    const document = await stores.findOne({ _id: keyOf(tenant, store), marketplace: marketplace.name });
    if (!document?.webhookSecret)
      throw problem(404, {
        type: 'no-webhooks-here',
        detail: 'No store takes webhooks at this address: connect it with a webhookSecret, or enter one with its credentials.',
      });
    const { secret } = sealer.open(document.webhookSecret, webhookContext(document._id)) as { secret: string };
    return { document, secret };
  }

  async function isKnown(keys: readonly string[]): Promise<boolean> {
    return (await deliveries.findOne({ _id: { $in: [...keys] } })) !== null;
  }

  async function remember(keys: readonly string[], at: number): Promise<void> {
    const expiresAt = new Date(at + rememberedMilliseconds);
    await deliveries.bulkWrite(
      keys.map((_id) => ({ updateOne: { filter: { _id }, update: { $setOnInsert: { expiresAt } }, upsert: true } })),
      { ordered: false },
    );
  }

  async function hint(document: StoreDocument, { delivery, order }: WebhookDelivery, at: number, correlation: string): Promise<void> {
    const { tenant, store } = document;
    const data = { tenant, store, order, delivery, at };
    const id = `${marketplace.name}/webhook/${keyOf(tenant, store, delivery)}`;
    const event = { id, type: 'OrderHinted' as const, time: at, correlation, data };
    await sender.send([{ topic: topicsOf(marketplace.name).orderHints, key: [tenant, store], event }], {
      timeoutMilliseconds: sendMilliseconds,
    });
  }

  return [
    defineSignedRoute({
      path: '/webhooks/:tenant/:store',
      summary: "Takes a marketplace's webhook in: the store's orders are read now.",
      description: 'Signed by the marketplace, over the bytes of the body. The same delivery again changes nothing.',
      params,
      responses: {
        202: { description: 'Taken in: the orders are read soon.' },
        200: { description: 'Known already.' },
        404: { description: 'No store takes webhooks here, or it is about another account.' },
      },
      async handle(request) {
        const { at, correlation, log } = request;
        const { document, secret } = await find(request.params.tenant, request.params.store);
        const delivery = verified(() => webhooks.verify({ body: request.body, header: (name) => request.header(name), secret, now: at }));
        if (delivery.account !== null && delivery.account !== document.account) throw aboutAnother(document);
        const keys = [delivery.delivery, ...(delivery.alsoKnownAs ?? [])].map((each) => keyOf(document.tenant, document.store, each));
        if (await isKnown(keys)) return reply(200);
        await hint(document, delivery, at, correlation);
        await remember(keys, at);
        log.info({ tenant: document.tenant, store: document.store, delivery: delivery.delivery }, 'A webhook hints at an order.');
        return reply(202);
      },
    }),
  ];
}

function verified(verify: () => WebhookDelivery): WebhookDelivery {
  try {
    return verify();
  } catch (error) {
    if (error instanceof WebhookRefused) throw problem(401, { type: 'webhook-refused', detail: error.message });
    throw error;
  }
}

const aboutAnother = ({ store, account }: StoreDocument): Problem =>
  problem(404, {
    type: 'webhook-of-another-account',
    detail: `This is about another account than ${account}, which the store ${store} is: give each store its own address.`,
  });

import { isSigned, WebhookRefused, type WebhookDelivery, type WebhookMessage } from '@evenkeel/connector-kit';
import { z } from 'zod';

const content = z.object({ admin_graphql_api_id: z.string().optional() });

/**
 * Shopify tries eight times over four hours, always with the time of the first, and deletes the subscription where none is taken: a shorter window would
 * refuse its honest retries after an outage, and orders would come by polling alone from then on. It keeps nobody out either, for the header
 * is not signed; against what is sent again stands what is remembered, for days.
 */
export const windowMilliseconds = 5 * 3_600_000;

/**
 * Signed with the app's client secret, over the body alone: id and time stand in headers that anybody could change, so that the signature itself is a
 * mark of the message as well. The body of an order says when it was changed: no two are the same.
 */
export function verifyWebhook({ body, header, secret, now }: WebhookMessage): WebhookDelivery {
  const signature = header('X-Shopify-Hmac-Sha256') ?? '';
  if (!isSigned(secret, [body], signature)) throw new WebhookRefused("The webhook's X-Shopify-Hmac-Sha256 is not right.");
  const delivery = header('X-Shopify-Webhook-Id');
  if (!delivery) throw new WebhookRefused('The webhook has no X-Shopify-Webhook-Id.');
  const triggeredAt = Date.parse(header('X-Shopify-Triggered-At') ?? '');
  if (!(Math.abs(now - triggeredAt) <= windowMilliseconds))
    throw new WebhookRefused('The webhook was triggered too long ago, or in the future, by its X-Shopify-Triggered-At.');
  const mark = Buffer.from(signature, 'base64').toString('base64'); // in one spelling
  const isOrder = (header('X-Shopify-Topic') ?? '').startsWith('orders/');
  return { account: header('X-Shopify-Shop-Domain') ?? null, delivery, alsoKnownAs: [mark], order: isOrder ? orderOf(body) : null };
}

function orderOf(body: Buffer): string | null {
  try {
    return content.parse(JSON.parse(body.toString('utf8'))).admin_graphql_api_id ?? null;
  } catch {
    return null; // genuine all the same: its orders are read
  }
}

import { isSigned, WebhookRefused, type WebhookDelivery, type WebhookMessage } from '@evenkeel/connector-kit';
import { z } from 'zod';

const content = z.object({ resource_url: z.string().optional(), shop_id: z.union([z.number(), z.string()]).optional() });

/**
 * As Standard Webhooks has it. The timestamp is signed, and made anew for each attempt: an honest retry is as young as the first one, and what is
 * older was captured.
 */
export const windowMilliseconds = 5 * 60_000;

/**
 * Standard Webhooks: HMAC-SHA256 over id, timestamp and the raw body, joined by dots, with the key that stands base64 behind `whsec_`. While a key
 * is replaced there are several signatures; one that is right is enough.
 */
export function verifyWebhook({ body, header, secret, now }: WebhookMessage): WebhookDelivery {
  const [delivery, timestamp, signatures] = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map((name) => header(name) ?? '');
  if (!delivery || !timestamp || !signatures)
    throw new WebhookRefused('The webhook is not signed: an id, a timestamp and a signature are needed.');
  const at = /^[0-9]{1,12}$/.test(timestamp) ? Number(timestamp) * 1_000 : NaN;
  if (!(Math.abs(now - at) <= windowMilliseconds)) throw new WebhookRefused('The webhook was signed too long ago, or in the future.');
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  const isRight = signatures.split(' ').some((signature) => {
    const [version, text = ''] = signature.split(',');
    return version === 'v1' && isSigned(key, [`${delivery}.${timestamp}.`, body], text);
  });
  if (!isRight) throw new WebhookRefused("The webhook's signature is not right.");
  const { resource_url: resource = '', shop_id: shop } = read(body);
  return { account: shop === undefined ? null : String(shop), delivery, order: /\/receipts\/([0-9]+)/.exec(resource)?.[1] ?? null };
}

function read(body: Buffer): z.output<typeof content> {
  try {
    return content.parse(JSON.parse(body.toString('utf8')));
  } catch {
    return {}; // genuine all the same: the order poll finds what it is about
  }
}

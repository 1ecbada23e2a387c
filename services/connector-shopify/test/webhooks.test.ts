import { createHmac } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { WebhookRefused } from '@evenkeel/connector-kit';
import { verifyWebhook } from '../src/webhooks.ts';

const secret = 'hush-hush-hush';
const now = Date.parse('2026-11-25T12:00:00Z');
const body = Buffer.from('{"id":7,"admin_graphql_api_id":"gid://shopify/Order/7","note":"ß é"}');
const sign = (bytes: Buffer, key = secret) => createHmac('sha256', key).update(bytes).digest('base64');

/** As Shopify sends it, with these headers changed. */
function webhook(changed: Record<string, string | undefined> = {}, bytes = body) {
  const headers: Record<string, string | undefined> = {
    'x-shopify-hmac-sha256': sign(bytes),
    'x-shopify-webhook-id': 'b54557e4',
    'x-shopify-topic': 'orders/create',
    'x-shopify-shop-domain': 'tea.myshopify.com',
    'x-shopify-triggered-at': '2026-11-25T11:59:58.123Z',
    ...changed,
  };
  return { body: bytes, header: (name: string) => headers[name.toLowerCase()], secret, now };
}

test('a genuine webhook says which shop, which message and which order', () => {
  expect(verifyWebhook(webhook())).toEqual({
    account: 'tea.myshopify.com',
    delivery: 'b54557e4',
    alsoKnownAs: [sign(body)],
    order: 'gid://shopify/Order/7',
  });
});

test.each([
  ['signed with another secret', { 'x-shopify-hmac-sha256': sign(body, 'another') }],
  ['signed for another body', { 'x-shopify-hmac-sha256': sign(Buffer.from('{}')) }],
  ['not signed', { 'x-shopify-hmac-sha256': undefined }],
  ['signed with half a signature', { 'x-shopify-hmac-sha256': sign(body).slice(0, 20) }],
  ['without an id', { 'x-shopify-webhook-id': undefined }],
  ['from more than five hours ago', { 'x-shopify-triggered-at': '2026-11-25T06:59:59Z' }],
  ['from more than five hours ahead', { 'x-shopify-triggered-at': '2026-11-25T17:00:01Z' }],
  ['without a time', { 'x-shopify-triggered-at': undefined }],
])('one that is %s is refused', (_, changed) => {
  expect(() => verifyWebhook(webhook(changed))).toThrow(WebhookRefused);
});

test('the last of the retries that Shopify makes over four hours is taken: refused, it would delete the subscription', () => {
  const last = { 'x-shopify-triggered-at': '2026-11-25T07:59:00Z' };
  expect(verifyWebhook(webhook(last))).toMatchObject({ delivery: 'b54557e4', order: 'gid://shopify/Order/7' });
});

test('a replay under another id and time is still known by its signature, in whatever spelling', () => {
  const again = {
    'x-shopify-webhook-id': 'another',
    'x-shopify-triggered-at': '2026-11-25T12:00:01Z',
    'x-shopify-hmac-sha256': ` ${sign(body)}\n`,
  };
  expect(verifyWebhook(webhook(again)).alsoKnownAs).toEqual(verifyWebhook(webhook()).alsoKnownAs);
});

test('a body that nobody understands is a hint all the same', () => {
  expect(verifyWebhook(webhook({}, Buffer.from([0xff, 0x00])))).toMatchObject({ order: null });
});

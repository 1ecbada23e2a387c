import { createMemoryJournal } from '@evenkeel/chassis/testing';
import { keyOf } from '@evenkeel/contracts';
import { expect, test } from '@jest/globals';
import { syncPolicyAggregate } from '../src/handlers.ts';
import { mapped, moved } from './made-up.ts';

const on = (marketplace: string, listing: string) => {
  const event = mapped('mug', listing);
  return { ...event, id: `${marketplace}/${listing}/1`, data: { ...event.data, marketplace, store: `a ${marketplace} store` } };
};

test("each marketplace's listings are asked on its own topic, all for the same quantity and version", () => {
  const { take, published } = createMemoryJournal(syncPolicyAggregate, new Map());
  take(on('shopify', 'item 7'), on('etsy', 'offering 8'), moved('mug', 1, 0, 12));
  expect(published.map(({ topic, key, event }) => [topic.name, key, event?.data])).toEqual([
    [
      'push.requests.shopify.v1',
      ['acme', 'a shopify store', 'item 7', 'mug'],
      expect.objectContaining({ marketplace: 'shopify', available: 12 }),
    ],
    [
      'push.requests.etsy.v1',
      ['acme', 'a etsy store', 'offering 8', 'mug'],
      expect.objectContaining({ marketplace: 'etsy', available: 12 }),
    ],
  ]);
});

test('a listing of a marketplace that nobody connects to is ignored with that reason, and disturbs no other', async () => {
  const { take, published, journal } = createMemoryJournal(syncPolicyAggregate, new Map());
  take(on('bazaar', 'stall 9'), on('etsy', 'offering 8'), moved('mug', 1, 0, 12));
  expect(published.map(({ topic }) => topic.name)).toEqual(['push.requests.etsy.v1']);
  const [ignored] = (await journal.entries(keyOf('acme', 'mug'))).toReversed();
  expect(ignored?.data).toMatchObject({ trigger: 'listing_mapped', decision: 'ignored', reason: 'unknown_marketplace' });
});

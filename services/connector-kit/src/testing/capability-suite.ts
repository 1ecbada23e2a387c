import { randomBytes } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, test } from '@jest/globals';
import { createSealer, parseKeyRing } from '@evenkeel/chassis';
import type { Collections, StoreDocument } from '../documents.ts';
import { WebhookRefused, type Marketplace, type PushResult, type Renewal, type WebhookMessage } from '../marketplace.ts';
import { quantityToSend } from '../quantity.ts';
import { createStoredVault, type Vault } from '../vault.ts';
import type { ConnectorHarness } from './harness.ts';
import { applied, log, openStore, push, refusalOf, soon } from './opened-store.ts';
import { openWebhookListener, type ReceivedWebhook } from './webhook-listener.ts';

/** What a connector must hold for each thing that its marketplace declares. */
export function describeCapabilities(harness: ConnectorHarness): void {
  describeComparing(harness);
  describeCaps(harness);
  describeGroups(harness);
  describeRenewal(harness);
  describeWebhooks(harness);
}

/** Seen to be skipped, and why, where the marketplace does not declare what these tests are about. */
const describeWhere = (isDeclared: boolean, what: string, otherwise: string, tests: () => void): void =>
  (isDeclared ? describe : describe.skip)(isDeclared ? what : `${what} (${otherwise})`, tests);

/** What is there because the marketplace declares something, or has to be. */
function needed<T>(given: T | undefined, name: string): T {
  if (given === undefined) throw new Error(`${name} is needed for what this marketplace declares.`);
  return given;
}

const conflictOf = (listing: string) => expect.objectContaining({ listing, outcome: 'rejected', failure: expect.objectContaining({ class: 'conflict' }) }); // prettier-ignore
const outcomesOf = (results: readonly PushResult[]) => results.map(({ outcome }) => outcome);

function describeComparing({ marketplace, createStore }: ConnectorHarness): void {
  const { atomicBatch, compareAndSet: how } = marketplace.capabilities;
  describeWhere(how !== 'none', 'comparing before a push', 'nothing is compared: read-backs alone tell', () => {
    test('what was sold since we looked is not put back on sale: the push is refused and nothing is written', async () => {
      const store = await createStore();
      const [listing = ''] = await store.addListings([{ sku: 'COMPARED', quantity: 9 }]);
      await using opened = await openStore(marketplace, store);
      await store.sell([{ listing, quantity: 2 }]);
      const [refused] = await push(opened.connection, [{ listing, quantity: 8, expected: 9 }]);
      expect(refused).toEqual(conflictOf(listing));
      if (refused?.outcome === 'rejected') expect([undefined, 7]).toContain(refused.found);
      expect(await store.writes()).toEqual([]);
      expect(await store.shown(listing)).toBe(7);
      expect(await push(opened.connection, [{ listing, quantity: 6, expected: 7 }])).toEqual([applied(listing)]);
      expect(await store.shown(listing)).toBe(6);
    });

    test('the last units, sold since we looked, stay sold', async () => {
      const store = await createStore();
      const [listing = ''] = await store.addListings([{ sku: 'LAST', quantity: 3 }]);
      await using opened = await openStore(marketplace, store);
      await store.sell([{ listing, quantity: 3 }]);
      expect(await push(opened.connection, [{ listing, quantity: 3, expected: 3 }])).toEqual([conflictOf(listing)]);
      expect(await store.shown(listing)).toBe(0);
      expect(await store.writes()).toEqual([]);
    });

    test('one conflict keeps no other listing from its quantity for good', async () => {
      const store = await createStore();
      const [sold = '', other = ''] = await store.addListings([
        { sku: 'SOLD', quantity: 9 },
        { sku: 'OTHER', quantity: 9 },
      ]);
      await using opened = await openStore(marketplace, store);
      await store.sell([{ listing: sold, quantity: 1 }]);
      const item = { listing: other, quantity: 4, expected: 9 };
      const results = await push(opened.connection, [{ listing: sold, quantity: 9, expected: 9 }, item]);
      expect(results).toEqual([conflictOf(sold), atomicBatch ? { listing: other, outcome: 'not_tried' } : applied(other)]);
      if (atomicBatch) expect(outcomesOf(await push(opened.connection, [item]))).toEqual(['applied']);
      expect([await store.shown(sold), await store.shown(other)]).toEqual([8, 4]);
    });

    test(`more than expected is ${how === 'native' ? 'refused as well' : 'no sale, and is written over'}`, async () => {
      const store = await createStore();
      const [listing = ''] = await store.addListings([{ sku: 'MORE', quantity: 12 }]);
      await using opened = await openStore(marketplace, store);
      const results = await push(opened.connection, [{ listing, quantity: 5, expected: 9 }]);
      expect(results).toEqual([how === 'native' ? conflictOf(listing) : applied(listing)]);
      expect(await store.shown(listing)).toBe(how === 'native' ? 12 : 5);
    });
  });
}

function describeCaps({ marketplace, createStore }: ConnectorHarness): void {
  const { capabilities } = marketplace;
  const { maximumQuantity, minimumQuantity } = capabilities;
  describe('caps', () => {
    test('however much there is, what is sent is taken and shown exactly', async () => {
      const store = await createStore();
      const [listing = ''] = await store.addListings([{ sku: 'PLENTY', quantity: 1 }]);
      await using opened = await openStore(marketplace, store);
      for (const available of [maximumQuantity, maximumQuantity + 1, Number.MAX_SAFE_INTEGER]) {
        const quantity = quantityToSend(available, capabilities);
        expect(outcomesOf(await push(opened.connection, [{ listing, quantity }]))).toEqual(['applied']);
        expect(await store.shown(listing)).toBe(maximumQuantity);
      }
    });

    test('however much is missing, what is sent is taken, and nothing below zero is shown', async () => {
      const store = await createStore();
      const [listing = ''] = await store.addListings([{ sku: 'NOTHING', quantity: 1 }]);
      await using opened = await openStore(marketplace, store);
      const quantity = quantityToSend(-5, capabilities);
      expect(outcomesOf(await push(opened.connection, [{ listing, quantity }]))).toEqual(['applied']);
      expect(await store.shown(listing)).toBe(Math.max(0, minimumQuantity));
    });

    // The kit never sends it; that the marketplace would not have it shows that the cap is the marketplace's own.
    test('one more than the most is refused by the marketplace, which goes on showing what it did', async () => {
      const store = await createStore();
      const [listing = ''] = await store.addListings([{ sku: 'TOO MUCH', quantity: 7 }]);
      await using opened = await openStore(marketplace, store);
      const item = { listing, quantity: maximumQuantity + 1 };
      const answer = await push(opened.connection, [item]).catch((error: unknown) => error);
      if (Array.isArray(answer)) expect(answer).toEqual([expect.objectContaining({ listing, outcome: 'rejected' })]);
      else expect(answer).toMatchObject({ name: 'MarketplaceError', applied: 'no' });
      expect(await store.shown(listing)).toBe(7);
      expect(await store.writes()).toEqual([]);
    });
  });
}

function describeGroups({ marketplace, createStore }: ConnectorHarness): void {
  const { capabilities } = marketplace;
  const groupOf = (listing: string) => needed(capabilities.groupOf, 'groupOf')(listing);
  async function openGroup() {
    const store = await createStore();
    const variants = ['ONE', 'TWO', 'THREE'].map((sku, index) => ({ sku, quantity: 10 * (index + 1) }));
    const listings = await store.addListings(variants);
    expect(new Set(listings.map(groupOf)).size).toBe(1); // else the harness has not put them together
    const [one = '', two = '', three = ''] = listings;
    const shown = async () => [await store.shown(one), await store.shown(two), await store.shown(three)];
    return { store, opened: await openStore(marketplace, store), one, two, three, shown };
  }

  describeWhere(capabilities.groupOf !== undefined, 'listings that are written together', 'each stands alone', () => {
    test('a push of one leaves its siblings as shoppers see them', async () => {
      const { opened, one, shown } = await openGroup();
      await using connected = opened;
      expect(outcomesOf(await push(connected.connection, [{ listing: one, quantity: 4, expected: 10 }]))).toEqual(['applied']);
      expect(await shown()).toEqual([4, 20, 30]);
    });

    test('also when a sibling was sold since anybody looked', async () => {
      const { store, opened, one, two, three, shown } = await openGroup();
      await using connected = opened;
      await connected.connection.readBack([one, two, three], soon);
      await store.sell([
        { listing: two, quantity: 3 },
        { listing: three, quantity: 30 },
      ]);
      expect(outcomesOf(await push(connected.connection, [{ listing: one, quantity: 4, expected: 10 }]))).toEqual(['applied']);
      expect(await shown()).toEqual([4, 17, 0]);
    });

    test('also when the one that is pushed has nothing left, and gets something again', async () => {
      const { opened, one, shown } = await openGroup();
      await using connected = opened;
      for (const quantity of [0, 6]) {
        expect(outcomesOf(await push(connected.connection, [{ listing: one, quantity }]))).toEqual(['applied']);
        expect(await shown()).toEqual([quantity, 20, 30]);
      }
    });

    test('what is not written together is of another group', async () => {
      const { store, one } = await openGroup();
      const [other = ''] = await store.addListings([{ sku: 'ELSEWHERE', quantity: 1 }]);
      expect(groupOf(other)).not.toBe(groupOf(one));
    });
  });
}

type Step = readonly ['renewed'] | readonly ['stored' | 'used', credentials: string];

/** A vault as a store's owner has it, over a document that only it knows; notes each step. */
function openVault(marketplace: Marketplace, steps: Step[], settings: unknown, credentials: unknown): Vault {
  const sealer = createSealer(parseKeyRing(`suite:${randomBytes(32).toString('base64')}`));
  const _id = 'acme/store';
  const sealed = sealer.seal(credentials as object, _id);
  let document = { _id, credentialVersion: 1, settings, credentials: sealed } as unknown as StoreDocument;
  const stores = {
    findOne: async () => document,
    async updateOne(_filter: unknown, { $set }: { $set: Partial<StoreDocument> }) {
      await setImmediate(); // a database takes its time
      document = { ...document, ...$set };
      if ($set.credentials) steps.push(['stored', JSON.stringify(sealer.open($set.credentials, _id))]);
      return { modifiedCount: 1 };
    },
  } as unknown as Collections['stores'];
  const vault = createStoredVault({ marketplace, collections: { stores }, sealer, document, log });
  return {
    ...vault,
    credentials() {
      const used = vault.credentials();
      steps.push(['used', JSON.stringify(used)]);
      return used;
    },
  };
}

function describeRenewal({ marketplace, createStore }: ConnectorHarness): void {
  const renewal: Renewal = {
    lifeOf: (credentials) => needed(marketplace.renewal, 'renewal').lifeOf(credentials),
    renew: (access) => needed(marketplace.renewal, 'renewal').renew(access),
  };
  /** Notes how often it is asked for. */
  const noting = (steps: Step[]): Marketplace => ({
    ...marketplace,
    renewal: {
      ...renewal,
      renew(access) {
        steps.push(['renewed']);
        return renewal.renew(access);
      },
    },
  });

  const isDeclared = marketplace.renewal !== undefined;
  describeWhere(isDeclared, 'credentials that end by themselves', 'they are good until they are taken back', () => {
    test('are renewed once when they have ended, stored before they are used, and the push goes out', async () => {
      const store = await createStore();
      const [listing = ''] = await store.addListings([{ sku: 'ENDED', quantity: 9 }]);
      const steps: Step[] = [];
      const noted = noting(steps);
      await using opened = await openStore(noted, store, { vaultOf: (...access) => openVault(noted, steps, ...access) });
      const renewals = () => steps.filter(([step]) => step === 'renewed').length;
      const pushed = async (quantity: number) => {
        expect(await push(opened.connection, [{ listing, quantity }])).toEqual([applied(listing)]);
        expect(await store.shown(listing)).toBe(quantity);
      };
      await pushed(8);
      expect(renewals()).toBe(0);
      // The second time they are renewed with what the first time has brought.
      for (const time of [1, 2]) {
        await needed(store.expireCredentials, 'expireCredentials')();
        await pushed(8 - time);
        await pushed(6 - time);
        expect(renewals()).toBe(time);
        const stored = steps.filter(([step]) => step === 'stored');
        expect(stored).toHaveLength(time);
        const newest = stored.at(-1)?.[1] ?? '';
        const firstUse = steps.findIndex(([step, credentials]) => step === 'used' && credentials === newest);
        expect(firstUse).toBeGreaterThan(steps.findIndex(([step, credentials]) => step === 'stored' && credentials === newest));
      }
    });

    test('say how long they are good for', async () => {
      const store = await createStore();
      const { settings, credentials } = marketplace.accessOf(store.entered);
      const before = Date.now();
      const { issuedAt, expiresAt } = renewal.lifeOf(await renewal.renew({ settings, credentials }));
      expect(issuedAt).toBeGreaterThanOrEqual(before);
      expect(issuedAt).toBeLessThanOrEqual(Date.now());
      expect(expiresAt).toBeGreaterThan(Date.now());
    });

    test('are not renewed once they were taken back: a person has to enter new ones', async () => {
      const store = await createStore();
      const { settings, credentials } = marketplace.accessOf(store.entered);
      await store.renewCredentials();
      expect(await refusalOf(renewal.renew({ settings, credentials }))).toMatchObject({ applied: 'no', failure: { class: 'credential' } });
    });
  });
}

const minute = 60_000;

function describeWebhooks({ marketplace, createStore }: ConnectorHarness): void {
  const { webhooks } = marketplace;
  async function openSending() {
    const store = await createStore();
    const [listing = ''] = await store.addListings([{ sku: 'HINTED', quantity: 9 }]);
    const listener = await openWebhookListener();
    const secret = await needed(store.sendWebhooksTo, 'sendWebhooksTo')(listener.url);
    const messageOf = (received: ReceivedWebhook): WebhookMessage => ({ ...received, secret, now: Date.now() });
    return { store, listener, messageOf, sell: async () => store.sell([{ listing, quantity: 1 }]) };
  }
  const verify = (message: WebhookMessage) => needed(webhooks, 'webhooks').verify(message);
  const expectRefused = (message: WebhookMessage) => expect(() => verify(message)).toThrow(WebhookRefused);
  const expectTaken = (message: WebhookMessage) => expect(verify(message).delivery).not.toBe('');

  describeWhere(webhooks !== undefined, 'webhooks', 'there are none', () => {
    test('one that is genuine names its delivery, the same when it is sent again, its account and its order', async () => {
      const { store, listener, messageOf, sell } = await openSending();
      await using listening = listener;
      await using opened = await openStore(marketplace, store);
      const { account } = await opened.connection.probe(soon);
      listening.refuseNext();
      const order = await sell();
      const first = verify(messageOf(await listening.next()));
      const again = verify(messageOf(await listening.next()));
      expect(first.delivery).not.toBe('');
      expect(again).toEqual(first);
      expect([account, null]).toContain(first.account);
      expect([order, null]).toContain(first.order);
      await sell();
      expect(verify(messageOf(await listening.next())).delivery).not.toBe(first.delivery);
    });

    test('one of which any byte was changed is refused', async () => {
      const { listener, messageOf, sell } = await openSending();
      await using listening = listener;
      await sell();
      const message = messageOf(await listening.next());
      expect(message.body.length).toBeGreaterThan(0);
      for (const index of message.body.keys()) {
        const body = Buffer.from(message.body);
        body.writeUInt8(body.readUInt8(index) ^ 1, index);
        expectRefused({ ...message, body });
      }
      expectRefused({ ...message, body: Buffer.concat([message.body, Buffer.from(' ')]) });
      expectTaken(message);
    });

    test('one that another secret signed is refused', async () => {
      const { listener, messageOf, sell } = await openSending();
      await using listening = listener;
      await sell();
      const message = messageOf(await listening.next());
      const middle = Math.floor(message.secret.length / 2);
      const other = message.secret[middle] === 'A' ? 'B' : 'A';
      expectRefused({ ...message, secret: `${message.secret.slice(0, middle)}${other}${message.secret.slice(middle + 1)}` });
      expectRefused({ ...message, header: () => undefined });
      expectTaken(message);
    });

    test('one from outside the time window is refused, one from within is not', async () => {
      const { listener, messageOf, sell } = await openSending();
      await using listening = listener;
      await sell();
      const message = messageOf(await listening.next());
      const { windowMilliseconds } = needed(webhooks, 'webhooks');
      for (const direction of [1, -1]) {
        expectRefused({ ...message, now: message.now + direction * (windowMilliseconds + minute) });
        expectTaken({ ...message, now: message.now + direction * (windowMilliseconds - minute) });
      }
    });
  });
}

import { afterEach, describe, expect, test } from '@jest/globals';
import { createLogger } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { createStoredVault, type Vault } from '../src/vault.ts';
import { openBench, requested, store, tenant, until, type Bench } from './bench.ts';
import { createFakeMarketplace, type FakeMarketplace } from './fake-marketplace.ts';

let fake: FakeMarketplace;
let bench: Bench;

async function openStore(): Promise<void> {
  fake = createFakeMarketplace({}, { rotating: true });
  fake.shop.listings.set('A', { sku: 'sku-A', quantity: 5 });
  bench = await openBench(fake);
  await bench.connect();
}

const documentOf = async () => {
  const document = await bench.collections.stores.findOne({ _id: keyOf(tenant, store) });
  if (!document) throw new Error('There is no store.');
  return document;
};

/** As each connection of each replica has one. */
const vault = async (leaseMilliseconds = 30_000): Promise<Vault> => {
  const { marketplace } = fake;
  const { collections, sealer } = bench;
  const log = createLogger('test', 'silent');
  return createStoredVault({ marketplace, collections, sealer, document: await documentOf(), log, leaseMilliseconds });
};

afterEach(async () => bench[Symbol.asyncDispose]());

describe('credentials that end by themselves', () => {
  test('are renewed after a refusal, stored before they are used, and the push goes out', async () => {
    await openStore();
    bench.start();
    await bench.take(requested('A', 3, 1));
    await until('A shows 3', () => fake.shop.listings.get('A')?.quantity === 3);
    fake.shop.token = 'ended';
    let storedWhenUsed: unknown = null;
    fake.shop.behaviour.before = async () => {
      const { credentials, _id } = await documentOf();
      storedWhenUsed = bench.sealer.open(credentials, _id);
    };
    await bench.take(requested('A', 2, 2));
    await until('A shows 2', () => fake.shop.listings.get('A')?.quantity === 2);
    expect(storedWhenUsed).toMatchObject({ token: 'token-1', refresh: 'refresh-1' });
    expect(fake.shop.renewals).toBe(1);
    expect(await documentOf()).toMatchObject({ credentialVersion: 1, tokenRevision: 1, renewal: null, gate: null });
  });

  test('are renewed when four fifths of their life are over, before anything is refused', async () => {
    await openStore();
    const mine = await vault();
    await mine.ready();
    expect(fake.shop.renewals).toBe(0);
    fake.shop.lifeMilliseconds = 1; // of the ones that follow
    fake.shop.token = 'ended';
    await mine.renew(0);
    await until('the new ones are old', async () => {
      await mine.ready();
      return fake.shop.renewals === 2;
    });
    expect(mine.revision()).toBe(2);
  });

  test('are renewed once, however many replicas are refused at once', async () => {
    await openStore();
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    fake.shop.onRenewed = () => answer;
    const vaults = [await vault(), await vault(), await vault()];
    const renewals = vaults.flatMap((each) => [each.renew(0), each.renew(0)]);
    await until('one of them asks', () => fake.shop.renewals === 1);
    resolve();
    await Promise.all(renewals);
    expect(fake.shop.renewals).toBe(1);
    expect(vaults.map((each) => [each.revision(), each.credentials()])).toEqual(
      vaults.map(() => [1, expect.objectContaining({ token: 'token-1' })]),
    );
  });

  test('survive a process that dies between the answer and the storing, where the old ones still renew', async () => {
    await openStore();
    fake.shop.onRenewed = () => new Promise(() => undefined); // it never comes to store them
    void (await vault(200)).renew(0);
    await until('the marketplace has renewed', () => fake.shop.renewals === 1);
    fake.shop.onRenewed = async () => undefined;
    const next = await vault(200);
    await next.renew(0);
    expect(next.credentials()).toMatchObject({ token: 'token-2' });
    expect((await documentOf()).tokenRevision).toBe(1);
  });

  test('that were taken back close the store, until new ones are entered', async () => {
    await openStore();
    bench.start();
    await until('the store runs', () => fake.shop.asked.includes('orders'));
    fake.shop.token = 'ended';
    fake.shop.refresh = 'taken back';
    await bench.take(requested('A', 3, 1));
    await until('the gate is closed', async () => (await documentOf()).gate !== null);
    expect((await documentOf()).gate).toMatchObject({ code: 'invalid_grant' });
    fake.shop.token = 'entered';
    await bench.desk.reenter(tenant, store, { token: 'entered' });
    await until('A shows 3', () => fake.shop.listings.get('A')?.quantity === 3);
    expect(await documentOf()).toMatchObject({ credentialVersion: 2, gate: null });
  });

  test('that a person has re-entered meanwhile are not written over by a late renewal', async () => {
    await openStore();
    const { promise: answer, resolve } = Promise.withResolvers<void>();
    fake.shop.onRenewed = () => answer;
    const late = await vault();
    const renewed = late.renew(0);
    await until('the marketplace has renewed', () => fake.shop.renewals === 1);
    fake.shop.onRenewed = async () => undefined;
    await bench.desk.reenter(tenant, store, { token: fake.shop.token });
    resolve();
    await expect(renewed).rejects.toMatchObject({ name: 'CallNotMade' });
    expect(await documentOf()).toMatchObject({ credentialVersion: 2, tokenRevision: null });
  });
});

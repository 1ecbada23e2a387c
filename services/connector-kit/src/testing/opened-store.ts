import { randomUUID } from 'node:crypto';
import { createLogger } from '@evenkeel/chassis';
import { expect } from '@jest/globals';
import { createGateway, type CircuitSettings, type Gateway } from '../gateway.ts';
import type { Marketplace, PushItem, PushResult, StoreConnection } from '../marketplace.ts';
import { createRateGovernor } from '../rate-governor.ts';
import type { Vault } from '../vault.ts';
import type { HarnessStore } from './harness.ts';

export const log = createLogger('contract-suite', 'silent');
export const soon = { priority: 'normal' } as const;

export interface OpenedStore extends AsyncDisposable {
  readonly connection: StoreConnection;
  readonly gateway: Gateway;
}

export interface OpeningOptions {
  readonly circuit?: CircuitSettings;
  /** What keeps the credentials; absent: those that were entered stay. */
  readonly vaultOf?: (settings: unknown, credentials: unknown) => Vault;
}

/** A store's connection with its settings completed, as connecting it would. */
export async function openStore(marketplace: Marketplace, store: HarnessStore, options: OpeningOptions = {}): Promise<OpenedStore> {
  const { circuit, vaultOf } = options;
  const entered = marketplace.accessOf(store.entered);
  const vault = vaultOf?.(entered.settings, entered.credentials);
  const gateway = createGateway({
    log,
    governor: createRateGovernor(),
    isOwner: () => true,
    credentialRetryMilliseconds: 10,
    ...(circuit ? { circuit } : {}),
    ...(vault ? { vault } : {}),
  });
  const credentials = () => (vault ? vault.credentials() : entered.credentials);
  const first = marketplace.open({ settings: entered.settings, credentials }, gateway);
  const settings = await marketplace.completeSettings(first, entered.settings, soon);
  await first.close();
  const connection = marketplace.open({ settings, credentials }, gateway);
  return {
    connection,
    gateway,
    async [Symbol.asyncDispose]() {
      await connection.close();
      gateway.close();
    },
  };
}

/** `expected`: null, where a test is not about it. */
export const push = async (
  connection: StoreConnection,
  items: readonly (Omit<PushItem, 'expected'> & Partial<PushItem>)[],
  key: string = randomUUID(),
): Promise<readonly PushResult[]> =>
  connection.push(
    { key, items: items.map((item) => ({ expected: null, ...item })) },
    { ...soon, memo: null, remember: async () => undefined },
  );

/** A push's result; a connector may say beside it whether the listing is on sale now. */
export const applied = (listing: string) => expect.objectContaining({ listing, outcome: 'applied' });

export async function collect<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

export async function refusalOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'it was accepted',
    (error: unknown) => error,
  );
}

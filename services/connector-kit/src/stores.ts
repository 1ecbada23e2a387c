import type { Logger, Sealer, Sender } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { laneOf } from './connector.ts';
import type { Collections, StoreDocument } from './documents.ts';
import { createGateway } from './gateway.ts';
import { importListings, type Imported } from './listing-import.ts';
import type { Entered, Marketplace, StoreConnection } from './marketplace.ts';
import { createRateGovernor } from './rate-governor.ts';
import { createEnteredVault, createStoredVault, type Vault } from './vault.ts';

/** What people do to stores; any replica may serve it, also one that does not own the store. */
export interface StoreDesk {
  /**
   * Connects a store: proves the account, settles what was left open, reads its listings. Again with the same cause: goes on, or finds it done.
   * Rejects with StoreRefusal, ConnectionRefused, or MarketplaceError where the marketplace refuses or does not answer.
   */
  connect(
    tenant: string,
    store: string,
    entered: Readonly<Record<string, unknown>>,
    cause: string,
  ): Promise<{ document: StoreDocument; imported: Imported }>;
  /** Stores new credentials of the same seller account. */
  reenter(tenant: string, store: string, entered: Readonly<Record<string, unknown>>): Promise<StoreDocument>;
  importListings(tenant: string, store: string): Promise<Imported>;
}

/** A person's request about a store cannot be met; the message says what to do. */
export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal';
  readonly code: 'unknown_store' | 'store_exists' | 'account_connected' | 'another_account' | 'changed_meanwhile';

  constructor(code: StoreRefusal['code'], message: string) {
    super(message);
    this.code = code;
  }
}

export interface StoreDeskOptions {
  readonly marketplace: Marketplace;
  readonly collections: Collections;
  readonly sealer: Sealer;
  readonly sender: Pick<Sender, 'send'>;
  readonly log: Logger;
  /** Tells this process's connector that a store has changed. */
  readonly onChanged: () => void;
}

const duplicateKey = 11_000;

export function createStoreDesk(options: StoreDeskOptions): StoreDesk {
  const { marketplace, collections, sealer, sender, log, onChanged } = options;
  const { stores } = collections;

  /** A connection of our own beside the owner's: what it spends of the rate the owner sees in its next answer. */
  async function withConnection<T>(settings: unknown, vault: Vault, work: (connection: StoreConnection) => Promise<T>): Promise<T> {
    const gateway = createGateway({ log, governor: createRateGovernor(), isOwner: () => true, vault });
    const connection = marketplace.open({ settings, credentials: () => vault.credentials() }, gateway);
    try {
      return await work(connection);
    } finally {
      await connection.close();
      gateway.close();
    }
  }

  const vaultOf = (document: StoreDocument): Vault => createStoredVault({ marketplace, collections, sealer, document, log });

  const importWith = (document: StoreDocument, connection: StoreConnection, clearQuarantine: boolean): Promise<Imported> =>
    importListings({
      identity: { tenant: document.tenant, store: document.store, marketplace: marketplace.name },
      collections,
      connection,
      sender,
      alive: () => true,
      log,
      priority: 'normal',
      clearQuarantine,
    });

  async function find(tenant: string, store: string): Promise<StoreDocument> {
    const document = await stores.findOne({ _id: keyOf(tenant, store), marketplace: marketplace.name });
    if (!document) throw new StoreRefusal('unknown_store', `There is no store ${store}: connect it first (POST /stores).`);
    return document;
  }

  /** The new store's document, still `connecting`. */
  async function create(tenant: string, store: string, access: Entered, cause: string): Promise<StoreDocument> {
    const vault = createEnteredVault(marketplace, access.settings, access.credentials);
    const { settings, probe } = await withConnection(access.settings, vault, async (connection) => ({
      probe: await connection.probe({ priority: 'urgent' }),
      settings: (await marketplace.completeSettings(connection, access.settings, { priority: 'urgent' })) as StoreDocument['settings'],
    }));
    const twin = await stores.findOne({
      tenant,
      marketplace: marketplace.name,
      account: probe.account,
      _id: { $ne: keyOf(tenant, store) },
    });
    if (twin)
      throw new StoreRefusal(
        'account_connected',
        `The account ${probe.account} is already connected as the store ${twin.store}: use that one.`,
      );
    const _id = keyOf(tenant, store);
    const document: StoreDocument = {
      _id,
      tenant,
      store,
      marketplace: marketplace.name,
      lane: laneOf(marketplace.name, tenant, store),
      state: 'connecting',
      account: probe.account,
      name: probe.name,
      settings,
      credentials: sealer.seal(vault.credentials() as object, _id),
      credentialVersion: 1,
      gate: null,
      circuit: null,
      ownerEpoch: 0,
      ordersFrom: probe.time,
      cursor: probe.time,
      connectedAt: Date.now(),
      connectedBy: cause,
      importedAt: null,
    };
    try {
      await stores.insertOne(document);
      return document;
    } catch (error) {
      if ((error as { code?: number }).code !== duplicateKey) throw error;
      return resume(await find(tenant, store), probe.account, cause);
    }
  }

  return {
    async connect(tenant, store, entered, cause) {
      const created = await create(tenant, store, marketplace.accessOf(entered), cause);
      const imported = await withConnection(created.settings, vaultOf(created), (connection) => importWith(created, connection, false));
      await stores.updateOne({ _id: created._id }, { $set: { state: 'connected' } });
      onChanged();
      return { document: await find(tenant, store), imported };
    },

    async reenter(tenant, store, entered) {
      const document = await find(tenant, store);
      const { credentials } = marketplace.credentialsOf(entered);
      const vault = createEnteredVault(marketplace, document.settings, credentials);
      const probe = await withConnection(document.settings, vault, (connection) => connection.probe({ priority: 'urgent' }));
      if (probe.account !== document.account)
        throw new StoreRefusal(
          'another_account',
          `These credentials are of ${probe.account}, the store is ${document.account}: connect that account as a store of its own.`,
        );
      const changed = await stores.updateOne(
        { _id: document._id, credentialVersion: document.credentialVersion },
        {
          $set: {
            credentials: sealer.seal(vault.credentials() as object, document._id),
            credentialVersion: document.credentialVersion + 1,
            tokenRevision: null,
            renewal: null,
            gate: null,
          },
        },
      );
      if (changed.modifiedCount === 0)
        throw new StoreRefusal(
          'changed_meanwhile',
          'Somebody else has re-entered the credentials meanwhile: look at the store, then try again.',
        );
      onChanged();
      return await find(tenant, store);
    },

    async importListings(tenant, store) {
      const document = await find(tenant, store);
      const imported = await withConnection(document.settings, vaultOf(document), (connection) => importWith(document, connection, true));
      onChanged();
      return imported;
    },
  };
}

/** The store that is there already: gone on with where this very request made it, or where nobody finished connecting it. */
function resume(document: StoreDocument, account: string, cause: string): StoreDocument {
  if (document.account === account && (document.state === 'connecting' || document.connectedBy === cause)) return document;
  throw new StoreRefusal(
    'store_exists',
    `There is already a store ${document.store} (${document.account}): choose another id, or re-enter its credentials (PUT /stores/${document.store}/credentials).`,
  );
}

import type { Logger, Sealed, Sealer, Sender } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { laneOf } from './connector.ts';
import { beginDisconnecting } from './disconnection.ts';
import type { Collections, Disconnection, Pause, StoreDocument } from './documents.ts';
import { CallNotMade, MarketplaceError } from './failure.ts';
import { createGateway } from './gateway.ts';
import { importListings, type Imported } from './listing-import.ts';
import type { Entered, Marketplace, StoreConnection } from './marketplace.ts';
import { createRateGovernor } from './rate-governor.ts';
import { isRefused } from './store-hold.ts';
import { StoreRefusal } from './store-refusal.ts';
import { createEnteredVault, createStoredVault, type Vault } from './vault.ts';
import { webhookContext } from './webhooks.ts';

/** What people do to stores; any replica may serve it, also one that does not own the store. */
export interface StoreDesk {
  /**
   * Connects a store: proves the account and settles what was left open; its owner reads listings and open orders then. A store that was disconnected
   * goes on. Again with the same cause: finds it done. Rejects with StoreRefusal, ConnectionRefused, or MarketplaceError where the marketplace
   * refuses or does not answer.
   */
  connect(tenant: string, store: string, entered: Readonly<Record<string, unknown>>, cause: string): Promise<StoreDocument>;
  /** Asks the store's owner to give it up, and waits for that a little. Again: finds it done, or going on. */
  disconnect(tenant: string, store: string, request: Pick<Disconnection, 'by' | 'at' | 'setListingsToZero'>): Promise<StoreDocument>;
  /** `pause`: null resumes. */
  pause(tenant: string, store: string, pause: Pause | null): Promise<StoreDocument>;
  /** Stores new credentials of the same seller account. */
  reenter(tenant: string, store: string, entered: Readonly<Record<string, unknown>>): Promise<StoreDocument>;
  importListings(tenant: string, store: string): Promise<Imported>;
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
/** How long a request waits for the owner to give a store up, before it answers that this goes on. */
const disconnectMilliseconds = 10_000;
const lookMilliseconds = 100;

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

  const sealSecret = (storeKey: string, secret: string | undefined): Sealed | undefined =>
    secret === undefined ? undefined : sealer.seal({ secret }, webhookContext(storeKey));

  const vaultOf = (document: StoreDocument): Vault => createStoredVault({ marketplace, collections, sealer, document, log });

  const importWith = (document: StoreDocument, connection: StoreConnection): Promise<Imported> =>
    importListings({
      identity: { tenant: document.tenant, store: document.store, marketplace: marketplace.name },
      collections,
      connection,
      sender,
      alive: () => true,
      log,
      priority: 'normal',
      clearQuarantine: true,
    });

  async function find(tenant: string, store: string): Promise<StoreDocument> {
    const document = await stores.findOne({ _id: keyOf(tenant, store), marketplace: marketplace.name });
    if (!document) throw new StoreRefusal('unknown_store', `There is no store ${store}: connect it first (POST /stores).`);
    return document;
  }

  async function findUsable(tenant: string, store: string): Promise<StoreDocument> {
    const document = await find(tenant, store);
    if (document.state === 'connecting' || document.state === 'connected') return document;
    throw new StoreRefusal('disconnected', `The store ${store} is ${document.state}: connect it again (POST /stores).`);
  }

  /** An account is one store, for good: as two, each would reserve all its orders. */
  async function refuseTwin(tenant: string, account: string, _id: string): Promise<void> {
    const twin = await stores.findOne({ tenant, marketplace: marketplace.name, account, _id: { $ne: _id } });
    if (!twin) return;
    throw new StoreRefusal(
      'account_connected',
      `The account ${account} ${twin.state === 'disconnected' ? 'was' : 'is already'} connected as the store ${twin.store}: use that one.`,
    );
  }

  /** The new store's document, still `connecting`. */
  async function create(tenant: string, store: string, access: Entered, cause: string): Promise<StoreDocument> {
    const vault = createEnteredVault(marketplace, access.settings, access.credentials);
    const { settings, probe } = await withConnection(access.settings, vault, async (connection) => ({
      probe: await connection.probe({ priority: 'urgent' }),
      settings: (await marketplace.completeSettings(connection, access.settings, { priority: 'urgent' })) as StoreDocument['settings'],
    }));
    const _id = keyOf(tenant, store);
    await refuseTwin(tenant, probe.account, _id);
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
      webhookSecret: sealSecret(_id, access.webhookSecret) ?? null,
      gate: null,
      circuit: null,
      ownerEpoch: 0,
      ordersFrom: probe.time,
      connectedFrom: probe.time,
      cursor: probe.time,
      connectedAt: Date.now(),
      connectedBy: cause,
      importedAt: null,
      import: null,
      paused: null,
      inactive: null,
      throttled: null,
      disconnection: null,
    };
    try {
      await stores.insertOne(document);
      return document;
    } catch (error) {
      if ((error as { code?: number }).code !== duplicateKey) throw error;
      await refuseTwin(tenant, probe.account, _id); // somebody has just connected it
      const known = await find(tenant, store);
      return known.state === 'disconnected' && known.account === probe.account
        ? await connectAgain(known, document)
        : resume(known, probe.account, cause);
    }
  }

  /**
   * Goes on with a store that was disconnected: its mapping revisions, its cursor and what is known of its orders stay; what was shipped meanwhile had
   * been shipped before it was connected.
   */
  async function connectAgain(known: StoreDocument, fresh: StoreDocument): Promise<StoreDocument> {
    const { settings, credentials, webhookSecret = null, name, connectedFrom, connectedAt, connectedBy } = fresh;
    const credentialVersion = known.credentialVersion + 1;
    const again = {
      settings,
      credentials,
      webhookSecret,
      name,
      connectedFrom: connectedFrom ?? fresh.ordersFrom,
      connectedAt,
      connectedBy,
      credentialVersion,
    };
    const { modifiedCount } = await stores.updateOne(
      { _id: known._id, state: 'disconnected', credentialVersion: known.credentialVersion },
      {
        $set: {
          ...again,
          state: 'connecting',
          tokenRevision: null,
          renewal: null,
          gate: null,
          circuit: null,
          import: null,
          paused: null,
          inactive: null,
          disconnection: null,
        },
      },
    );
    const { tenant, store } = known;
    return modifiedCount === 1 ? await find(tenant, store) : resume(await find(tenant, store), known.account, connectedBy);
  }

  return {
    async connect(tenant, store, entered, cause) {
      const created = await create(tenant, store, marketplace.accessOf(entered), cause);
      onChanged();
      return created;
    },

    async disconnect(tenant, store, request) {
      if (await beginDisconnecting(collections, await find(tenant, store), request)) onChanged();
      for (
        const end = performance.now() + disconnectMilliseconds;
        ;
        await new Promise((resolve) => setTimeout(resolve, lookMilliseconds))
      ) {
        const document = await find(tenant, store);
        if (document.state === 'disconnected' || performance.now() > end) return document;
      }
    },

    async pause(tenant, store, pause) {
      const { _id } = await findUsable(tenant, store);
      await stores.updateOne(pause === null ? { _id } : { _id, paused: null }, { $set: { paused: pause } });
      onChanged();
      return await find(tenant, store);
    },

    async reenter(tenant, store, entered) {
      const document = await findUsable(tenant, store);
      const { credentials, webhookSecret } = marketplace.credentialsOf(entered);
      const secret = sealSecret(document._id, webhookSecret);
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
            ...(secret ? { webhookSecret: secret } : {}),
            renewal: null,
            gate: null,
          },
        },
      );
      if (changed.modifiedCount === 0) throw changedMeanwhile();
      onChanged();
      return await find(tenant, store);
    },

    async importListings(tenant, store) {
      const document = await findUsable(tenant, store);
      // Once refused, nothing more is asked with them.
      if (isRefused(document) && document.gate) {
        const { code, message } = document.gate;
        throw new MarketplaceError({ class: 'credential', code, message }, 'no');
      }
      const reading = withConnection(document.settings, vaultOf(document), (connection) => importWith(document, connection));
      const imported = await reading.catch((error: unknown) => {
        throw error instanceof CallNotMade ? changedMeanwhile() : error;
      });
      onChanged();
      return imported;
    },
  };
}

const changedMeanwhile = (): StoreRefusal =>
  new StoreRefusal('changed_meanwhile', 'Somebody else has re-entered the credentials meanwhile: look at the store, then try again.');

/** The store that is there already, where this very request made it. What another one has entered is never dropped without a word. */
function resume(document: StoreDocument, account: string, cause: string): StoreDocument {
  if (document.state === 'disconnecting')
    throw new StoreRefusal(
      'disconnected',
      `The store ${document.store} is being disconnected: connect it again when that is done (GET /stores/${document.store}).`,
    );
  if (document.account === account && document.connectedBy === cause) return document;
  const { store } = document;
  throw new StoreRefusal(
    'store_exists',
    document.account === account
      ? `The store ${store} (${account}) is ${document.state} already: look at it (GET /stores/${store}), or re-enter its credentials (PUT /stores/${store}/credentials); to change anything else, disconnect it first.`
      : `There is already a store ${store} (${document.account}): choose another id.`,
  );
}

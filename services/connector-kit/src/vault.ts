import { randomUUID } from 'node:crypto';
import type { Logger, Sealer } from '@evenkeel/chassis';
import type { Collections, StoreDocument } from './documents.ts';
import { CallNotMade, MarketplaceError } from './failure.ts';
import type { Marketplace } from './marketplace.ts';
import { pauseFor } from './rate-governor.ts';

/** A store's credentials as they are used, renewed where they end by themselves. One per connection; several may exist of one store. */
export interface Vault {
  /** Whether they can be renewed at all. */
  readonly renews: boolean;
  /** The newest that are stored. */
  credentials(): unknown;
  /** Raised by each renewal: what a request was made with. */
  revision(): number;
  /** Before a request: renews what is near its end. Rejects where nothing usable is left. */
  ready(): Promise<void>;
  /** After the marketplace has refused those of this revision: renews them, unless that has happened since. */
  renew(refused: number): Promise<void>;
}

type Renewing = Pick<Marketplace, 'renewal'>;

interface Kept {
  readonly revision: number;
  readonly credentials: unknown;
}

/** Renewed from this share of their life on. */
const renewalShare = 0.8;
/** How long a replica may take to renew; then another one may. */
const defaultLeaseMilliseconds = 30_000;
const waitMilliseconds = 100;
/** After a renewal that failed while the old ones still work. */
const againMilliseconds = 15_000;

/** `first`: what is stored, opened when it is needed. `replace`: has the credentials of this revision renewed, by whomever, and resolves to the newest that are stored. */
function createVault({ renewal }: Renewing, first: () => Kept, replace: (current: Kept) => Promise<Kept>, log: Logger | null): Vault {
  let newest: Kept | null = null;
  const kept = (): Kept => (newest ??= first());
  let renewing: Promise<void> | null = null;
  let notBefore = 0;

  /** One at a time; whoever comes meanwhile waits for the same. */
  const once = (): Promise<void> =>
    (renewing ??= replace(kept())
      .then((newer) => void (newest = newer))
      .finally(() => (renewing = null)));

  return {
    renews: renewal !== undefined,
    credentials: () => kept().credentials,
    revision: () => kept().revision,
    async ready() {
      if (!renewal) return;
      const { issuedAt, expiresAt } = renewal.lifeOf(kept().credentials);
      const now = Date.now();
      if (now < issuedAt + renewalShare * (expiresAt - issuedAt) || (now < expiresAt && now < notBefore)) return;
      try {
        await once();
      } catch (error) {
        const stillGood = error instanceof MarketplaceError && error.failure.class !== 'credential' && Date.now() < expiresAt;
        if (!stillGood) throw error;
        notBefore = Date.now() + againMilliseconds;
        log?.warn({ code: error.failure.code }, 'The credentials could not be renewed; the old ones still work, and it is tried again.');
      }
    },
    async renew(refused) {
      if (renewal && kept().revision === refused) await once();
    },
  };
}

/** Of credentials that are not stored yet: a person has just entered them. What they become is read from `credentials()`. */
export const createEnteredVault = ({ renewal }: Renewing, settings: unknown, credentials: unknown): Vault =>
  createVault(
    { ...(renewal ? { renewal } : {}) },
    () => ({ revision: 0, credentials }),
    async ({ revision, credentials: old }) => {
      if (!renewal) throw new Error('These credentials are not renewed.');
      return { revision: revision + 1, credentials: await renewal.renew({ settings, credentials: old }) };
    },
    null,
  );

export interface StoredVaultOptions {
  readonly marketplace: Pick<Marketplace, 'renewal'>;
  readonly collections: Pick<Collections, 'stores'>;
  readonly sealer: Sealer;
  readonly document: StoreDocument;
  readonly log: Logger;
  readonly leaseMilliseconds?: number;
}

/**
 * Of a connected store. Whoever renews takes a lease on the store's document; the new credentials are stored before anybody uses them, and a replica
 * that finds newer ones there takes those. Where a process dies between the marketplace's answer and the storing, the next one asks with the old
 * ones, which works as far as the marketplace lets it; else a person enters new ones.
 */
export function createStoredVault(options: StoredVaultOptions): Vault {
  const { marketplace, collections, sealer, document, log, leaseMilliseconds = defaultLeaseMilliseconds } = options;
  const { stores } = collections;
  const { _id, credentialVersion, settings } = document;
  const { renewal } = marketplace;
  const keptIn = (found: StoreDocument): Kept => ({
    revision: found.tokenRevision ?? 0,
    credentials: sealer.open(found.credentials, _id),
  });

  /** Of another version, a person has re-entered them: the store is opened anew, and this connection is over. */
  async function stored(): Promise<Kept> {
    const found = await stores.findOne({ _id, credentialVersion }, { readConcern: { level: 'majority' } });
    if (!found) throw new CallNotMade('not_owner');
    return keptIn(found);
  }

  const revisionIs = (revision: number) => (revision === 0 ? { tokenRevision: null } : { tokenRevision: revision });

  async function lease(revision: number, by: string): Promise<boolean> {
    const now = Date.now();
    const free = { $or: [{ renewal: null }, { 'renewal.until': { $lt: now } }] };
    const taken = await stores.updateOne(
      { _id, credentialVersion, ...revisionIs(revision), ...free },
      { $set: { renewal: { by, until: now + leaseMilliseconds } } },
    );
    return taken.modifiedCount === 1;
  }

  /** The lease is ours. */
  async function renewNow({ revision, credentials }: Kept, by: string): Promise<Kept> {
    if (!renewal) throw new Error('These credentials are not renewed.');
    try {
      const next = await renewal.renew({ settings, credentials });
      const { modifiedCount } = await stores.updateOne(
        { _id, credentialVersion, ...revisionIs(revision) },
        { $set: { credentials: sealer.seal(next as object, _id), tokenRevision: revision + 1, renewal: null } },
        { writeConcern: { w: 'majority', journal: true } },
      );
      if (modifiedCount === 0) return await stored(); // somebody else was faster, or has re-entered them
      log.info({ revision: revision + 1 }, 'The credentials were renewed.');
      return { revision: revision + 1, credentials: next };
    } catch (error) {
      await stores.updateOne({ _id, 'renewal.by': by }, { $set: { renewal: null } });
      throw error;
    }
  }

  async function replace(current: Kept): Promise<Kept> {
    const by = randomUUID();
    for (;;) {
      const newest = await stored();
      if (newest.revision > current.revision) return newest;
      if (await lease(newest.revision, by)) return await renewNow(newest, by);
      await pauseFor(waitMilliseconds);
    }
  }

  return createVault(marketplace, () => keptIn(document), replace, log);
}

import { mkdirSync, mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { deployContracts, marketplaces } from '@evenkeel/contracts';
import { MongoClient } from 'mongodb';
import { type Addresses, isReady, openApplication, type ServiceName, serviceNames } from '../local/application.ts';
import { freePorts } from '../local/ports.ts';
import { type Claims, requestToken } from '../local/token.ts';
import { testDirectory } from './backing.ts';

export type SystemOptions = {
  /** Defaults to the backing services of this test run. */
  backing?: { brokers: string; registryUrl: string; mongoUrl: string };
  /** Settings for every service, and for one of them. */
  env?: Readonly<Record<string, string>>;
  serviceEnv?: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;
};

export type Controlled = {
  /** undefined while it is down. */
  readonly pid: number | undefined;
  readonly logPath: string;
  /** Sends the signal and waits until the process is gone. It stays down. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it (ends it first, politely, if it runs) and waits until it is ready. With these settings beside its own, from now on. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
};

export type System = AsyncDisposable &
  Addresses & {
    processes: Readonly<Record<ServiceName | 'sandbox', Controlled>>;
    /** A token for a person of that tenant. */
    token(claims: Claims): Promise<string>;
  };

/**
 * The whole system as processes on free ports: every service, sandbox, token issuer. A service that ends stays down until the test says otherwise.
 * Two at a time on one broker would share the work and the sandboxes would not be found: close one before opening the next.
 */
export async function openSystem({ backing = testBacking(), ...settings }: SystemOptions = {}): Promise<System> {
  await deployContracts({ brokers: backing.brokers.split(','), registryUrl: backing.registryUrl });
  mkdirSync(testDirectory(), { recursive: true });
  const directory = mkdtempSync(join(testDirectory(), 'system-'));
  const application = await openApplication({ directory, ports: await freePorts(), backing, restart: false, ...settings });
  const { addresses, children } = application;

  const controlled = (name: ServiceName | 'sandbox'): Controlled => {
    const child = children[name];
    const url = name === 'sandbox' ? addresses.sandbox.controlUrl : addresses.services[name];
    return {
      get pid() {
        return child.pid;
      },
      logPath: child.logPath,
      kill: (signal = 'SIGKILL') => child.kill(signal),
      restart: async (env) => {
        await child[Symbol.asyncDispose]();
        child.start(env);
        await child.waitFor(name, () => isReady(url), { seconds: 120 });
      },
    };
  };
  const processes = Object.fromEntries([...serviceNames, 'sandbox' as const].map((name) => [name, controlled(name)]));
  return {
    ...addresses,
    processes: processes as System['processes'],
    token: (claims) => requestToken(addresses.issuerUrl, claims),
    async [Symbol.asyncDispose]() {
      await application[Symbol.asyncDispose]();
      await forgetStores(backing.mongoUrl);
    },
  };
}

/** Their sandbox is gone, and its keys: the next system's connectors would take them on, and look for them for ever. */
async function forgetStores(mongoUrl: string): Promise<void> {
  const client = new MongoClient(mongoUrl);
  try {
    for (const marketplace of marketplaces) await client.db(`evenkeel_connector_${marketplace}`).collection('stores').deleteMany({});
  } finally {
    await client.close();
  }
}

function testBacking() {
  const { KAFKA_BROKERS: brokers, SCHEMA_REGISTRY_URL: registryUrl, MONGO_URL: mongoUrl } = process.env;
  if (!brokers || !registryUrl || !mongoUrl) {
    throw new Error(
      'Name the test *.integration.test.ts: only those are given backing services (KAFKA_BROKERS, SCHEMA_REGISTRY_URL, MONGO_URL).',
    );
  }
  return { brokers, registryUrl, mongoUrl };
}

import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Backing } from './backing.ts';
import { type Child, openChild, rank } from './child.ts';
import type { Ports } from './ports.ts';

export const serviceNames = ['order', 'reservation', 'stock', 'sync-policy', 'connector-shopify', 'connector-etsy'] as const;
export type ServiceName = (typeof serviceNames)[number];

/** Where everything can be reached. */
export type Addresses = {
  brokers: string;
  registryUrl: string;
  mongoUrl: string;
  issuerUrl: string;
  /** `etsyApp`: what the connector is to Etsy; a shop there has to be one of this app's. */
  sandbox: { contractUrl: string; controlUrl: string; etsyApp: { keystring: string; sharedSecret: string } };
  services: Readonly<Record<ServiceName, string>>;
};

export type ApplicationOptions = {
  directory: string;
  ports: Ports;
  backing: Pick<Backing, 'brokers' | 'registryUrl' | 'mongoUrl'>;
  /** Whether a service that fails is started again. */
  restart: boolean;
  /** Whether a service is started anew when its files change. */
  watch?: boolean;
  /** Settings for every service, and for one of them. */
  env?: Readonly<Record<string, string>>;
  serviceEnv?: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>;
  signal?: AbortSignal | undefined;
  onEnded?: (name: string, how: string, restartInSeconds: number | undefined) => void;
};

export type Application = AsyncDisposable & {
  addresses: Addresses;
  children: Readonly<Record<ServiceName | 'sandbox' | 'issuer', Child>>;
};

/**
 * Starts token issuer, sandbox and every service as processes, and returns when each is ready. Topics and schemas must be there.
 * Disposing drains the services, then stops sandbox and issuer.
 * @throws when one does not become ready; the message holds the end of its log
 */
export async function openApplication(options: ApplicationOptions): Promise<Application> {
  const { directory, ports, signal } = options;
  const addresses = addressesOf(ports, options.backing);
  await using starting = new AsyncDisposableStack();
  const open = (name: string, script: string, env: Record<string, string>, rankOf: number) =>
    openChild({
      name,
      directory,
      command: process.execPath,
      args: [
        '--disable-warning=ExperimentalWarning',
        '--disable-warning=TimeoutNegativeWarning',
        ...(options.watch ? watching : []),
        script,
      ],
      env: { ...env, ...options.env, ...options.serviceEnv?.[name as ServiceName] },
      rank: rankOf,
      restart: options.restart,
      onEnded: (how, seconds) => options.onEnded?.(name, how, seconds),
    });

  const issuer = starting.use(open('issuer', 'deploy/local/issuer.ts', issuerEnv(directory, ports), rank.surroundings));
  const sandbox = starting.use(
    open('sandbox', 'services/marketplace-sandbox/src/main.ts', sandboxEnv(directory, ports), rank.surroundings),
  );
  const services = Object.fromEntries(
    serviceNames.map((name) => [
      name,
      open(name, `services/${name}/src/main.ts`, serviceEnv(name, directory, ports, addresses), rank.service),
    ]),
  ) as Record<ServiceName, Child>;
  starting.defer(async () => void (await Promise.all(Object.values(services).map((service) => service[Symbol.asyncDispose]()))));

  const readiness: [Child, string][] = [
    [issuer, addresses.issuerUrl],
    [sandbox, addresses.sandbox.controlUrl],
    ...serviceNames.map((name): [Child, string] => [services[name], addresses.services[name]]),
  ];
  await Promise.all(readiness.map(([child, url]) => child.waitFor(child.name, () => isReady(url), { seconds: 120, signal })));
  const running = starting.move();
  return { addresses, children: { ...services, sandbox, issuer }, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

const watching = ['--watch', '--watch-preserve-output'];

export async function isReady(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/readyz`, { signal: AbortSignal.timeout(2000) });
  await answer.arrayBuffer();
  return answer.ok;
}

const etsyApp = { keystring: 'evenkeel', sharedSecret: 'local' };

function addressesOf(ports: Ports, { brokers, registryUrl, mongoUrl }: ApplicationOptions['backing']): Addresses {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return {
    brokers,
    registryUrl,
    mongoUrl,
    issuerUrl: at(ports.issuer),
    sandbox: { contractUrl: at(ports.sandboxContract), controlUrl: at(ports.sandboxControl), etsyApp },
    services: Object.fromEntries(serviceNames.map((name) => [name, at(ports[name])])) as Record<ServiceName, string>,
  };
}

const issuerEnv = (directory: string, ports: Ports) => ({
  ISSUER_PORT: String(ports.issuer),
  ISSUER_KEY_PATH: join(directory, 'keys', 'issuer.json'),
});

function sandboxEnv(directory: string, ports: Ports) {
  const statePath = join(directory, 'data', 'sandbox', 'sandbox.sqlite');
  mkdirSync(dirname(statePath), { recursive: true });
  return { CONTRACT_PORT: String(ports.sandboxContract), CONTROL_PORT: String(ports.sandboxControl), STATE_PATH: statePath };
}

function serviceEnv(name: ServiceName, directory: string, ports: Ports, addresses: Addresses): Record<string, string> {
  const common = {
    KAFKA_BROKERS: addresses.brokers,
    SCHEMA_REGISTRY_URL: addresses.registryUrl,
    MONGO_URL: addresses.mongoUrl,
    HTTP_PORT: String(ports[name]),
    JWT_ISSUER_URL: addresses.issuerUrl,
  };
  const connector = () => ({ ...common, CREDENTIALS_KEYS: credentialsKeys(directory), ORDER_POLL_SECONDS: '1' });
  const { contractUrl } = addresses.sandbox;
  if (name === 'connector-shopify') return { ...connector(), SHOPIFY_URL_TEMPLATE: `${contractUrl}/{shop}` };
  if (name !== 'connector-etsy') return common;
  return {
    ...connector(),
    ETSY_API_URL: `${contractUrl}/v3/application`,
    ETSY_TOKEN_URL: `${contractUrl}/v3/public/oauth/token`,
    ETSY_KEYSTRING: etsyApp.keystring,
    ETSY_SHARED_SECRET: etsyApp.sharedSecret,
    LISTING_IMPORT_SECONDS: '300',
  };
}

/** The key that connectors encrypt credentials with, made once: what it has encrypted must stay readable. */
function credentialsKeys(directory: string): string {
  const path = join(directory, 'keys', 'credentials');
  if (!existsSync(path)) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `local:${randomBytes(32).toString('base64')}`, { mode: 0o600 });
  }
  return readFileSync(path, 'utf8').trim();
}

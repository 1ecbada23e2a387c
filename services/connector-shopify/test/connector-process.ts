import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openTokenIssuer } from '@evenkeel/chassis/testing';
import { openSandboxProcess, type RunningSandbox } from './sandbox-harness.ts';

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface ConnectorProcess extends AsyncDisposable {
  readonly sandbox: RunningSandbox;
  readonly tenant: string;
  readonly mongo: { readonly url: string; readonly database: string };
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  kill(): Promise<void>;
  /** Starts it, and waits until its HTTP serves. */
  start(): Promise<void>;
  /** All that it has logged. */
  logged(): string;
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

const needed = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this through npm test.`);
  return value;
};

/** The connector as it runs in production, on the run's broker, registry and database, with a sandbox and a tenant of its own. */
export async function openConnectorProcess(): Promise<ConnectorProcess> {
  const sandbox = await openSandboxProcess();
  const issuer = await openTokenIssuer();
  const tenant = `t-${randomUUID().slice(0, 8)}`;
  const token = await issuer.token({ tenant, user: 'olga', roles: ['operator'] });
  const mongo = { url: needed('MONGO_URL'), database: `connector_shopify_${randomUUID().slice(0, 8)}` };
  const env = {
    PATH: process.env['PATH'],
    KAFKA_BROKERS: needed('KAFKA_BROKERS'),
    SCHEMA_REGISTRY_URL: needed('SCHEMA_REGISTRY_URL'),
    KAFKA_SESSION_TIMEOUT_MILLISECONDS: '6000',
    MONGO_URL: mongo.url,
    MONGO_DATABASE: mongo.database,
    HTTP_PORT: '0',
    JWT_ISSUER_URL: issuer.issuerUrl,
    CREDENTIALS_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    SHOPIFY_URL_TEMPLATE: sandbox.urlTemplate,
    ORDER_POLL_SECONDS: '0.2',
    ORDERS_FIRST_SECONDS: '1',
  };
  let child: ChildProcess | null = null;
  let port = 0;
  let log = '';

  async function start(): Promise<void> {
    const started = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning', main], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    port = await new Promise<number>((resolve, reject) => {
      const onText = (text: string): void => {
        log += text;
        const listening = /"port":(\d+)[^\n]*"msg":"http listens"/.exec(text);
        if (listening) resolve(Number(listening[1]));
      };
      started.stdout.setEncoding('utf8').on('data', onText);
      started.stderr.setEncoding('utf8').on('data', onText);
      started.once('exit', (code) => reject(new Error(`The connector ended with ${code}: ${log.slice(-2_000)}`)));
    });
  }

  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }

  await start();
  return {
    sandbox,
    tenant,
    mongo,
    start,
    kill: () => end('SIGKILL'),
    logged: () => log,
    async call(method, path, body) {
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(method === 'GET' ? {} : { 'idempotency-key': randomUUID() }),
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    },
    async [Symbol.asyncDispose]() {
      await end('SIGTERM');
      await issuer.close();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openTokenIssuer } from '@evenkeel/chassis/testing';

export interface SandboxProcess extends AsyncDisposable {
  readonly contractUrl: string;
  readonly controlUrl: string;
}

/** A sandbox of marketplaces as a process of its own, on free ports, with its state in a temporary folder. `main`: path of its `main.ts`. */
export async function openSandboxProcess(main: string): Promise<SandboxProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'evenkeel-sandbox-'));
  const env = {
    CONTRACT_PORT: '0',
    CONTROL_PORT: '0',
    STATE_PATH: join(folder, 'state.sqlite'),
    LOG_LEVEL: 'info',
  };
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const { contract, control } = await new Promise<{ contract: string; control: string }>((resolve, reject) => {
    createInterface({ input: child.stdout }).on('line', (line) => {
      const entry = JSON.parse(line) as { contract?: string; control?: string };
      if (entry.contract && entry.control) resolve({ contract: entry.contract, control: entry.control });
    });
    exited.then(([code]) => reject(new Error(`The sandbox ended with ${String(code)}.`)), reject);
  });
  return {
    contractUrl: contract,
    controlUrl: control,
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export interface ConnectorProcess extends AsyncDisposable {
  readonly tenant: string;
  readonly mongo: { readonly url: string; readonly database: string };
  call(method: string, path: string, body?: unknown): Promise<Answer>;
  kill(): Promise<void>;
  /** Starts it, and waits until its HTTP serves. */
  start(): Promise<void>;
  /** All that it has logged. */
  logged(): string;
}

export interface ConnectorProcessOptions {
  /** Path of the connector's `main.ts`. */
  readonly main: string;
  /** What it needs beside what every connector does. */
  readonly env: Readonly<Record<string, string>>;
  /** The test's own environment, where the run's broker, registry and database are named. */
  readonly backing: NodeJS.ProcessEnv;
}

/** A connector as it runs in production, on the run's broker, registry and database, with a tenant of its own. */
export async function openConnectorProcess({ main, env: own, backing }: ConnectorProcessOptions): Promise<ConnectorProcess> {
  const needed = (name: string): string => {
    const value = backing[name];
    if (!value) throw new Error(`${name} is not set: run this through npm test.`);
    return value;
  };
  const issuer = await openTokenIssuer();
  const tenant = `t-${randomUUID().slice(0, 8)}`;
  const token = await issuer.token({ tenant, user: 'olga', roles: ['operator'] });
  const mongo = { url: needed('MONGO_URL'), database: `connector_${randomUUID().slice(0, 8)}` };
  const env = {
    PATH: backing['PATH'],
    KAFKA_BROKERS: needed('KAFKA_BROKERS'),
    SCHEMA_REGISTRY_URL: needed('SCHEMA_REGISTRY_URL'),
    KAFKA_SESSION_TIMEOUT_MILLISECONDS: '6000',
    MONGO_URL: mongo.url,
    MONGO_DATABASE: mongo.database,
    HTTP_PORT: '0',
    JWT_ISSUER_URL: issuer.issuerUrl,
    CREDENTIALS_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ORDER_POLL_SECONDS: '0.2',
    ORDERS_FIRST_SECONDS: '1',
    ...own,
  };
  let child: ChildProcess | null = null;
  let port = 0;
  let log = '';

  async function start(): Promise<void> {
    const flags = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];
    const started = spawn(process.execPath, [...flags, main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
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
    },
  };
}

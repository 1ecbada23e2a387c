import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { openTokenIssuer } from './tokens.ts';

export interface ServiceProcess extends AsyncDisposable {
  readonly tenant: string;
  /** One request of this tenant; text is sent as CSV, and what is no JSON is answered as text. */
  call(method: string, path: string, body?: unknown, key?: string): Promise<{ readonly status: number; readonly body: unknown }>;
  kill(): Promise<void>;
  /** Starts it, and waits until its HTTP serves. */
  start(): Promise<void>;
  /** All that it has logged. */
  logged(): string;
}

export interface ServiceProcessOptions {
  /** Path of the service's `main.ts`. */
  readonly main: string;
  /** What it needs beside what every service does. */
  readonly env?: Readonly<Record<string, string>>;
  /** The test's own environment, where the run's broker, registry and database are named. */
  readonly backing: NodeJS.ProcessEnv;
}

const flags = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];

/** A service as it runs in production, on the run's broker, registry and database, with a tenant of its own. */
export async function openServiceProcess({ main, env: own = {}, backing }: ServiceProcessOptions): Promise<ServiceProcess> {
  const needed = (name: string): string => {
    const value = backing[name];
    if (!value) throw new Error(`${name} is not set: run this through npm test.`);
    return value;
  };
  const issuer = await openTokenIssuer();
  const tenant = `t-${randomUUID().slice(0, 8)}`;
  const token = await issuer.token({ tenant, user: 'olga', roles: ['operator'] });
  const env = {
    PATH: backing['PATH'],
    KAFKA_BROKERS: needed('KAFKA_BROKERS'),
    SCHEMA_REGISTRY_URL: needed('SCHEMA_REGISTRY_URL'),
    KAFKA_SESSION_TIMEOUT_MILLISECONDS: '6000',
    MONGO_URL: needed('MONGO_URL'),
    HTTP_PORT: '0',
    JWT_ISSUER_URL: issuer.issuerUrl,
    ...own,
  };
  let child: ChildProcess | null = null;
  let port = 0;
  let log = '';

  async function start(): Promise<void> {
    const started = spawn(process.execPath, [...flags, main], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child = started;
    const begun = log.length;
    port = await new Promise<number>((resolve, reject) => {
      const onText = (text: string): void => {
        log += text;
        const listening = /"port":(\d+)[^\n]*"msg":"http listens"/.exec(log.slice(begun));
        if (listening) resolve(Number(listening[1]));
      };
      started.stdout.setEncoding('utf8').on('data', onText);
      started.stderr.setEncoding('utf8').on('data', onText);
      started.once('exit', (code) => reject(new Error(`The service ended with ${code}: ${log.slice(-2_000)}`)));
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
    start,
    kill: () => end('SIGKILL'),
    logged: () => log,
    async call(method, path, body, key = randomUUID()) {
      const isText = typeof body === 'string';
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(method === 'GET' ? {} : { 'idempotency-key': key }),
          ...(body === undefined ? {} : { 'content-type': isText ? 'text/csv' : 'application/json' }),
        },
        ...(body === undefined ? {} : { body: isText ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      const isJson = /\bjson\b/.test(response.headers.get('content-type') ?? '');
      return { status: response.status, body: isJson ? (JSON.parse(text) as unknown) : text };
    },
    async [Symbol.asyncDispose]() {
      await end('SIGTERM');
      await issuer.close();
    },
  };
}

/** Waits until the condition gives something; fails with what it is that was waited for. */
export async function until<T>(condition: () => Promise<T | null | undefined | false>, what: string, seconds = 60): Promise<T> {
  for (const end = performance.now() + seconds * 1_000; ;) {
    const found = await condition();
    if (found) return found;
    if (performance.now() > end) throw new Error(`Waited ${seconds} s in vain for ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

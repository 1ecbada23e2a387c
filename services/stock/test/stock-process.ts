import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { openTokenIssuer } from '@evenkeel/chassis/testing';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

const needed = (name: string): string => {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: run this through npm test.`);
  return value;
};

/** The service as it runs in production, on the run's broker, registry and database, with a tenant of its own. */
export async function openStockProcess() {
  const issuer = await openTokenIssuer();
  const tenant = `t-${randomUUID().slice(0, 8)}`;
  const token = await issuer.token({ tenant, user: 'olga', roles: ['operator'] });
  const env = {
    PATH: process.env['PATH'],
    KAFKA_BROKERS: needed('KAFKA_BROKERS'),
    SCHEMA_REGISTRY_URL: needed('SCHEMA_REGISTRY_URL'),
    KAFKA_SESSION_TIMEOUT_MILLISECONDS: '6000',
    MONGO_URL: needed('MONGO_URL'),
    HTTP_PORT: '0',
    JWT_ISSUER_URL: issuer.issuerUrl,
  };
  let child: ChildProcess | null = null;
  let port = 0;

  async function start(): Promise<void> {
    const started = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning', main], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    child = started;
    port = await new Promise<number>((resolve, reject) => {
      let log = '';
      const onText = (text: string): void => {
        log += text;
        const listening = /"port":(\d+)[^\n]*"msg":"http listens"/.exec(text);
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
    kill: async () => end('SIGKILL'),
    /** Text is sent as CSV. */
    async call(method: string, path: string, body?: unknown): Promise<Answer> {
      const isText = typeof body === 'string';
      const response = await fetch(`http://127.0.0.1:${port}${path}`, {
        method,
        headers: {
          authorization: `Bearer ${token}`,
          ...(method === 'GET' ? {} : { 'idempotency-key': randomUUID() }),
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

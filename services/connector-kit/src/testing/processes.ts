import { spawn } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { openServiceProcess, type ServiceProcess, type ServiceProcessOptions } from '@evenkeel/chassis/testing';

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

export interface ConnectorProcess extends Omit<ServiceProcess, 'call'> {
  readonly mongo: { readonly url: string; readonly database: string };
  call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
}

/** A connector as it runs in production, with a database of its own, that asks its stores often. */
export async function openConnectorProcess({ main, env, backing }: ServiceProcessOptions): Promise<ConnectorProcess> {
  const database = `connector_${randomUUID().slice(0, 8)}`;
  const common = {
    MONGO_DATABASE: database,
    CREDENTIALS_KEYS: `k1:${randomBytes(32).toString('base64')}`,
    ORDER_POLL_SECONDS: '0.2',
    ORDERS_FIRST_SECONDS: '1',
  };
  const service = await openServiceProcess({ main, env: { ...common, ...env }, backing });
  return {
    ...service,
    mongo: { url: backing['MONGO_URL'] ?? '', database },
    async call(method, path, body) {
      const { status, body: answered } = await service.call(method, path, body);
      return { status, body: answered as Record<string, unknown> };
    },
  };
}

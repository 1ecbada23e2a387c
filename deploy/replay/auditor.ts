import { spawn } from 'node:child_process';
import type { Addresses } from '../local/application.ts';
import { root } from '../local/toolbox.mjs';

export type AuditorVerdict = {
  /** 0 nothing found, 1 violations, 2 no verdict. */
  exitCode: number;
  /** What it printed. */
  text: string;
};

const waitSeconds = 180;

/** Runs the auditor over one seller as a process of its own: it shares nothing with what it judges. */
export function runAuditor(addresses: Addresses, tenant: string, signal?: AbortSignal): Promise<AuditorVerdict> {
  const { NODE_OPTIONS: _, ...inherited } = process.env; // a test runner's flags are not for it
  const env = {
    ...inherited,
    KAFKA_BROKERS: addresses.brokers,
    SCHEMA_REGISTRY_URL: addresses.registryUrl,
    MONGO_URL: addresses.mongoUrl,
    SANDBOX_CONTROL_URL: addresses.sandbox.controlUrl,
  };
  const quietly = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];
  const args = [...quietly, 'deploy/audit/main.ts', '--tenant', tenant, '--wait-seconds', String(waitSeconds)];
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'], ...(signal ? { signal } : {}) });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  child.stderr.on('data', (chunk) => (text += chunk));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ exitCode: code ?? 2, text: text.trimEnd() }));
  });
}

import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type Backing, type BackingOptions, openBacking } from '../local/backing.ts';
import { freePorts } from '../local/ports.ts';
import { killLeftovers, lockHolder, takeLock } from '../local/processes.mjs';
import { stateDirectory } from '../local/running.ts';

const runs = join(stateDirectory, 'testing');
let open: AsyncDisposable | undefined;

/**
 * Starts the backing services of this test run and names them in the environment (KAFKA_BROKERS, SCHEMA_REGISTRY_URL, MONGO_URL), where the
 * tests read them. What a killed test run left behind is ended and removed first.
 */
export async function openTestBacking(options: Pick<BackingOptions, 'database'> = {}): Promise<Backing> {
  await removeDeadRuns();
  const directory = testDirectory();
  mkdirSync(directory, { recursive: true });
  await using starting = new AsyncDisposableStack();
  starting.defer(() => rmSync(directory, { recursive: true, force: true }));
  takeLock(join(directory, 'run.lock'));
  endWithSignals(directory);
  const backing = starting.use(await openBacking({ directory, ports: await freePorts(), env: process.env, temporary: true, ...options }));
  Object.assign(process.env, {
    KAFKA_BROKERS: backing.brokers,
    SCHEMA_REGISTRY_URL: backing.registryUrl,
    MONGO_URL: backing.mongoUrl,
    EVENKEEL_TEST_DIRECTORY: directory,
  });
  open = starting.move();
  return backing;
}

/**
 * Broker and database of one test alone, beside those of the run: nothing has ever happened in them, and what they have served does not slow them.
 * The schema registry is the run's.
 */
export async function openOwnBacking(): Promise<Backing> {
  const env = { SCHEMA_REGISTRY_URL: process.env.SCHEMA_REGISTRY_URL };
  const directory = mkdtempSync(join(testDirectory(), 'system-'));
  return openBacking({ directory, ports: await freePorts(), env, temporary: true });
}

/** A Ctrl-C would end jest at once, and leave behind what runs in process groups of its own. */
function endWithSignals(directory: string): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, async () => {
      await removeRun(directory);
      process.exit(128 + constants.signals[signal]);
    });
  }
}

export async function closeTestBacking(): Promise<void> {
  await open?.[Symbol.asyncDispose]();
}

/** The folder of this test run: logs and state of all that it starts. */
export const testDirectory = () => process.env.EVENKEEL_TEST_DIRECTORY ?? join(runs, String(process.pid));

async function removeDeadRuns(): Promise<void> {
  mkdirSync(runs, { recursive: true });
  for (const run of readdirSync(runs)) if (lockHolder(join(runs, run, 'run.lock')) === undefined) await removeRun(join(runs, run));
}

async function removeRun(directory: string): Promise<void> {
  const systems = readdirSync(directory).filter((name) => name.startsWith('system-'));
  for (const system of ['', ...systems]) await killLeftovers(join(directory, system), { graceSeconds: 0 });
  rmSync(directory, { recursive: true, force: true });
}

import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { join, relative } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { deployContracts } from '@evenkeel/contracts';
import { type Addresses, openApplication, serviceNames } from './application.ts';
import { type Backing, openBacking } from './backing.ts';
import { openChild, rank } from './child.ts';
import { portsInUse, readPorts } from './ports.ts';
import { killLeftovers, takeLock } from './processes.mjs';
import { announce, startLock, stateDirectory } from './running.ts';
import { readFigures, statusBlock, statusLine } from './status.ts';
import { root } from './toolbox.mjs';

const usage = `npm start                 starts everything; what was there before is there again
npm start -- --fresh      begins anew
npm start -- --no-demo    starts without the demo seller (with --fresh: empty)
npm run dev               starts everything; a service whose files change is started anew`;

/** Message says all; no stack trace. */
class StartError extends Error {}

function readOptions(args: string[]) {
  try {
    const flag = { type: 'boolean', default: false } as const;
    return parseArgs({ args, options: { fresh: flag, 'no-demo': flag, watch: flag } }).values;
  } catch (error) {
    throw new StartError(`${(error as Error).message}\n${usage}`);
  }
}

/** Ends the run at the first signal, and forces the end at a second one. */
function untilStopped() {
  const stopping = new AbortController();
  let first: { signal: NodeJS.Signals; at: number } | undefined;
  const onSignal = async (signal: NodeJS.Signals) => {
    if (!first) {
      first = { signal, at: performance.now() };
      say('\nStopping everything in order (Ctrl-C again forces) …');
      stopping.abort(new StartError('stopped'));
    } else if (performance.now() - first.at > 1000) {
      // Under npm one Ctrl-C arrives twice within milliseconds: only a later one is meant.
      say('Forced.');
      await killLeftovers(stateDirectory, { graceSeconds: 0 });
      process.exit(128 + constants.signals[signal]);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  return { signal: stopping.signal, exitCode: () => (first ? 128 + constants.signals[first.signal] : 0) };
}

/** Prints above the block that a terminal shows at the bottom. */
let shownLines = 0;
function say(text: string) {
  clear();
  console.log(text);
}
function clear() {
  if (shownLines > 0) process.stdout.write(`\x1b[${shownLines}A\x1b[J`);
  shownLines = 0;
}

async function showStatus(services: Readonly<Record<string, string>>, signal: AbortSignal): Promise<never> {
  const live = process.stdout.isTTY;
  let before = await readFigures(services);
  for (;;) {
    await delay(live ? 2000 : 10_000, undefined, { signal });
    const now = await readFigures(services);
    signal.throwIfAborted();
    if (live) {
      const width = process.stdout.columns;
      const lines = statusBlock(before, now).map((line) => line.slice(0, width - 1));
      clear();
      process.stdout.write(`${lines.join('\n')}\n`);
      shownLines = lines.length;
    } else console.log(statusLine(before, now));
    before = now;
  }
}

function table(addresses: Addresses, { titles }: Backing): string {
  const rows = [
    ...serviceNames.map((name) => [name, addresses.services[name], 'API at /openapi.json, figures at /metrics']),
    ['sandbox', addresses.sandbox.contractUrl, 'the simulated marketplaces'],
    ['sandbox control', addresses.sandbox.controlUrl, 'its shoppers and faults'],
    ['token issuer', addresses.issuerUrl, 'POST /token {"tenant","user","roles"}'],
    ['Kafka', addresses.brokers, titles.kafka],
    ['schema registry', addresses.registryUrl, titles.registry],
    ['database', addresses.mongoUrl.replace(/\/\/[^@/]*@/, '//***@'), titles.database],
  ] as const;
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  return rows.map(([name, url, what]) => `  ${name.padEnd(widths[0]!)}  ${url.padEnd(widths[1]!)}  ${what}`).join('\n');
}

async function run(stopped: ReturnType<typeof untilStopped>): Promise<void> {
  const began = performance.now();
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`;
  const options = readOptions(process.argv.slice(2));
  const ports = readPorts(process.env);
  const { signal } = stopped;
  const directory = stateDirectory;

  await using running = new AsyncDisposableStack();
  const lock = takeLock(startLock);
  if (!lock.held)
    throw new StartError(`Evenkeel already runs from this folder (process ${lock.pid}). Stop it with Ctrl-C in its terminal first.`);
  running.defer(lock.release);

  const left = await killLeftovers(directory, { graceSeconds: 10 });
  if (left.length > 0) say(`Ended what a killed run had left behind: ${left.join(', ')}.`);
  const busy = await portsInUse(ports, ['issuer', ...serviceNames, 'sandboxContract', 'sandboxControl']);
  if (busy.length > 0) throw new StartError(busy.join('\n'));

  say('Starting Kafka, schema registry and database …');
  const backing = running.use(await openBacking({ directory, ports, env: process.env, fresh: options.fresh, signal }));
  say(`Creating topics and registering schemas (${seconds()}) …`);
  await deployContracts({ brokers: backing.brokers.split(','), registryUrl: backing.registryUrl });
  signal.throwIfAborted();
  say(`Starting the services (${seconds()}) …`);
  const onEnded = (name: string, how: string, again: number | undefined) =>
    say(
      `${name} ended by itself (${how}); ${again === undefined ? 'it stays down' : `started again in ${again} s`}. Log: .local/logs/${name}.log`,
    );
  const application = running.use(
    await openApplication({ directory, ports, backing, restart: true, watch: options.watch, signal, onEnded }),
  );
  running.use(announce(application.addresses));

  const script = 'deploy/local/demo/main.ts';
  if (!options['no-demo'] && existsSync(join(root, script))) {
    const args = ['--disable-warning=ExperimentalWarning', script];
    const spec = { name: 'demo', directory, command: process.execPath, args, rank: rank.demo, restart: true };
    running.use(openChild({ ...spec, onEnded: (how, again) => onEnded('demo', how, again) }));
  }
  say(`\nEvenkeel runs (${seconds()}).\n\n${table(application.addresses, backing)}\n`);
  say(`Logs and state: ${relative(process.cwd(), directory) || '.'}/   Stop: Ctrl-C   Begin anew: npm start -- --fresh\n`);
  await showStatus(application.addresses.services, signal);
}

process.stdout.on('error', () => {}); // the terminal may go before we do
process.on('uncaughtException', async (error) => {
  console.error(error);
  await killLeftovers(stateDirectory, { graceSeconds: 5 });
  process.exit(70);
});
const stopped = untilStopped();
try {
  await run(stopped);
} catch (error) {
  if (!stopped.signal.aborted) {
    console.error(
      error instanceof StartError ? error.message : error instanceof Error ? `Evenkeel could not be started: ${error.message}` : error,
    );
    process.exitCode = 1;
  }
}
if (stopped.signal.aborted) say('Stopped.');
process.exit(stopped.exitCode() || process.exitCode);

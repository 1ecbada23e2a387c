import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { constants, cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { deployContracts } from '@evenkeel/contracts';
import { killLeftovers } from '../local/processes.mjs';
import { root } from '../local/toolbox.mjs';
import { closeTestBacking, openTestBacking, testDirectory } from '../testing/backing.ts';
import { chooseDatabase } from './database.ts';
import type { LatencyResult } from './hops.ts';
import { measureLatency, Occupied } from './latency.ts';
import { measureMovements, type Load, type MovementRun, type Surroundings } from './movements.ts';
import { benchmarksText, verdictLines, type Results } from './report.ts';

const usage = `npm run bench -- [--events 40000] [--skus 10000] [--runs 3] [--sales 60] [--only movements|latency] [--output BENCHMARKS.md]
Measures stock movements per second and sale → push, beside what Kafka and the database take alone; prints it and writes it to the file.`;

interface Options {
  readonly events: number;
  readonly skus: number;
  readonly runs: number;
  readonly sales: number;
  readonly only: string;
  readonly output: string;
}

function readOptions(args: string[]): Options {
  const options = { events: '40000', skus: '10000', runs: '3', sales: '60', only: '', output: join(root, 'BENCHMARKS.md') };
  const declared = Object.fromEntries(Object.entries(options).map(([name, value]) => [name, { type: 'string' as const, default: value }]));
  const { events, skus, runs, sales, only, output } = parseArgs({ args, options: declared }).values as typeof options;
  const [numbers, names] = [[events, skus, runs, sales].map(Number), ['', 'movements', 'latency']];
  if (!numbers.every((number) => Number.isInteger(number) && number > 0)) throw new Error('Expected whole numbers above 0.');
  if (!names.includes(only)) throw new Error(`--only takes ${names.slice(1).join(' or ')}.`);
  return { events: Number(events), skus: Number(skus), runs: Number(runs), sales: Number(sales), only, output };
}

const say = (text: string): void => console.log(text);

/** The loads in turns, so that what changes on the machine meanwhile meets them all. */
async function movements(surroundings: Surroundings, { events, skus, runs, only }: Options) {
  const loads = { spread: { events, skus }, hot: { events, skus: 1 }, cold: { events, skus, cold: true } };
  const found: Record<keyof typeof loads, MovementRun[]> = { spread: [], hot: [], cold: [] };
  if (only === 'latency') return found;
  say('Warming up …');
  await measureMovements(surroundings, { events: Math.ceil(events / 10), skus: Math.ceil(skus / 10) });
  for (let run = 1; run <= runs; run += 1)
    for (const [name, load] of Object.entries(loads) as [keyof typeof loads, Load][]) {
      const measured = await measureMovements(surroundings, load);
      found[name].push(measured);
      const { engine, rawInsert, rawPipe } = measured;
      const rates = `engine ${engine.toFixed(0)}/s, raw insert ${rawInsert.toFixed(0)}/s, raw Kafka ${rawPipe.toFixed(0)}/s`;
      say(`Run ${run} of ${runs}, ${name}: ${rates}: ${(engine / rawInsert).toFixed(2)} of the raw insert`);
    }
  return found;
}

async function latency(surroundings: Surroundings, { sales, only }: Options): Promise<LatencyResult | string> {
  if (only === 'movements') return 'it was left out of this run.';
  say('Starting the whole system for sale → push …');
  const progress = (done: number) => {
    if (done % 20 === 0) say(`${done} of ${sales} sales`);
  };
  try {
    return await measureLatency(surroundings, { sales, progress });
  } catch (error) {
    if (error instanceof Occupied) return error.message;
    throw error;
  }
}

function machine(): string {
  const gigabytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} cores, ${gigabytes} GB memory, ${process.platform}, Node ${process.versions.node.split('.')[0]}`;
}

/** Ends the system under measurement; before the backing services there is only what builds the database. */
async function endWhatRuns(): Promise<void> {
  const directory = testDirectory();
  if (!existsSync(directory)) return;
  const systems = readdirSync(directory).filter((name) => name.startsWith('system-'));
  for (const name of backingStarted ? systems : ['']) await killLeftovers(join(directory, name), { graceSeconds: 3 });
}

let backingStarted = false;

async function bench(options: Options, signal: AbortSignal): Promise<void> {
  const directory = testDirectory();
  mkdirSync(directory, { recursive: true });
  const database = await chooseDatabase({ directory, env: process.env, say, signal });
  backingStarted = true;
  say('Starting Kafka, registry and database …');
  const backing = await openTestBacking(database === undefined ? {} : { database });
  const surroundings = { brokers: backing.brokers.split(','), registryUrl: backing.registryUrl, mongoUrl: backing.mongoUrl };
  await deployContracts({ brokers: surroundings.brokers, registryUrl: surroundings.registryUrl });
  say(`Database: ${backing.titles.database}`);
  const results: Results = {
    date: new Date().toISOString().slice(0, 10),
    machine: machine(),
    database: backing.titles.database,
    ...options,
    ...(await movements(surroundings, options)),
    latency: await latency(surroundings, options),
  };
  signal.throwIfAborted();
  writeFileSync(options.output, benchmarksText(results));
  say(['', ...verdictLines(results), '', `Written to ${options.output}`].join('\n'));
}

let options: Options;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exit(2);
}
const stopping = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(name, async () => {
    say('Stopping …');
    stopping.abort(new Error('stopped'));
    await endWhatRuns();
    await closeTestBacking();
    process.exit(128 + constants.signals[name]);
  });
try {
  await bench(options, stopping.signal);
} finally {
  await closeTestBacking();
}

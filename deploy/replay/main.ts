import { constants } from 'node:os';
import type { Addresses } from '../local/application.ts';
import { readRunning } from '../local/running.ts';
import { BadInput } from '../simulate-policy/rows.ts';
import { readOptions } from './options.ts';
import { planOf } from './plan.ts';
import { canEditAt, replay } from './replay.ts';
import { isGood, printReport } from './report.ts';
import { readSales } from './sales.ts';

const say = (line: string) => void process.stdout.write(`${line}\n`);
const stopping = new AbortController();
let stopCode: number | undefined;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    stopCode ??= 128 + constants.signals[signal];
    stopping.abort(new Error('stopped'));
  });
}

async function run(): Promise<number> {
  const { files, rate, thresholds } = readOptions(process.argv.slice(2));
  const plan = planOf(await readSales(files), canEditAt);
  say(`${plan.lines} lines, ${plan.invoices} invoices, ${plan.levels.size} SKUs.`);
  await using running = new AsyncDisposableStack();
  const addresses = readRunning() ?? (await start(running));
  const report = await replay({ plan, rate, thresholds, addresses, say, signal: stopping.signal });
  for (const line of printReport(report)) say(line);
  return isGood(report) ? 0 : 1;
}

/** What `npm start` would run, on free ports, with state that goes at the end. */
async function start(running: AsyncDisposableStack): Promise<Addresses> {
  say('Nothing runs here (npm start): starting what is needed …');
  const { closeTestBacking, openTestBacking } = await import('../testing/backing.ts');
  const { openSystem } = await import('../testing/system.ts');
  await openTestBacking();
  running.defer(closeTestBacking);
  stopping.signal.throwIfAborted();
  return running.use(await openSystem());
}

try {
  process.exitCode = await run();
} catch (error) {
  if (stopCode === undefined) process.stderr.write(`${error instanceof BadInput ? error.message : (error as Error).stack}\n`);
  process.exitCode = stopCode ?? (error instanceof BadInput ? 2 : 1);
}
process.exit();

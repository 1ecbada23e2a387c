import type { LatencyResult } from './hops.ts';
import type { MovementRun } from './movements.ts';
import { median, spreadOf, type Spread } from './statistics.ts';
import { parts, type Part } from './steps.ts';

export interface Results {
  readonly date: string;
  /** In general words. */
  readonly machine: string;
  readonly database: string;
  readonly events: number;
  readonly skus: number;
  readonly spread: readonly MovementRun[];
  readonly hot: readonly MovementRun[];
  /** As spread, the engine just started. */
  readonly cold: readonly MovementRun[];
  /** A sentence where it could not be measured. */
  readonly latency: LatencyResult | string;
}

const aims = { ofRawInsert: 0.8, hotOfSpread: 1, latencyOfRaw: 1.5 } as const;

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
const fine = (value: number): string => value.toFixed(2);
const milliseconds = (value: number): string => `${value.toFixed(1)} ms`;
const percent = (share: number): string => `${Math.round(share * 100)} %`;
const range = ({ median: middle, least, most }: Spread, write: (value: number) => string): string =>
  `${write(middle)} (${write(least)}–${write(most)})`;
const spreadBy = (runs: readonly MovementRun[], value: (run: MovementRun) => number): Spread => spreadOf(runs.map(value));

interface Verdict {
  readonly aim: string;
  readonly reached: string;
  readonly holds: boolean;
  /** How far it is off, in words. */
  readonly short: string;
}

const ofRaw = (run: MovementRun): number => run.engine / run.rawInsert;

function atLeast(aim: string, found: Spread, least: number): Verdict {
  const off = `${percent((least - found.median) / least)} below the aim`;
  return { aim, reached: range(found, fine), holds: found.median >= least, short: off };
}

/** What may pass between the order's record and the call, by what the raw parts take. */
const allowance = ({ hops, rawHop, rawInsert }: LatencyResult): number => aims.latencyOfRaw * hops.length * (rawHop + rawInsert);

export function verdictsOf({ spread, hot, latency }: Results): Verdict[] {
  const pairs = hot.flatMap((run, index) => (spread[index] ? [run.engine / spread[index].engine] : []));
  const verdicts = [
    atLeast(`spread: at least ${aims.ofRawInsert} of the raw insert`, spreadBy(spread, ofRaw), aims.ofRawInsert),
    atLeast('one hot SKU: at least as fast as spread', spreadOf(pairs), aims.hotOfSpread),
  ];
  if (typeof latency === 'string') return verdicts;
  const allowed = allowance(latency);
  return [
    ...verdicts,
    {
      aim: `sale → push p50: at most ${aims.latencyOfRaw} × ${latency.hops.length} hops × (raw hop + raw insert) = ${milliseconds(allowed)}`,
      reached: `${milliseconds(latency.p50)}, ${fine(latency.p50 / allowed)} of it`,
      holds: latency.p50 <= allowed,
      short: `${milliseconds(latency.p50 - allowed)} too long`,
    },
  ];
}

const line = ({ aim, reached, holds, short }: Verdict): string => `| ${aim} | ${reached} | ${holds ? 'reached' : `**missed**: ${short}`} |`;

function movementRows(name: string, runs: readonly MovementRun[]): string {
  const cells = [
    name,
    range(
      spreadBy(runs, ({ engine }) => engine),
      whole,
    ),
    range(
      spreadBy(runs, ({ rawInsert }) => rawInsert),
      whole,
    ),
    range(
      spreadBy(runs, ({ rawPipe }) => rawPipe),
      whole,
    ),
    range(spreadBy(runs, ofRaw), fine),
    fine(median(runs.map(({ engine, rawPipe }) => engine / rawPipe))),
  ];
  return `| ${cells.join(' | ')} |`;
}

function timeRow(name: string, runs: readonly MovementRun[]): string {
  const share = (part: Part) => percent(median(runs.map(({ shares }) => shares[part])));
  const processor = median(runs.map(({ processorMicroseconds }) => processorMicroseconds));
  const idle = percent(median(runs.map(({ idleShare }) => idleShare)));
  return `| ${[name, ...parts.map(share), idle, `${Math.round(processor)} µs`].join(' | ')} |`;
}

function latencyText(latency: LatencyResult | string): string {
  if (typeof latency === 'string') return `Not measured: ${latency}\n`;
  const { sales, poll, p50, p99, hops, rawHop, rawInsert } = latency;
  return `${sales} sales one after the other through the whole system: from the order's record on \`marketplace.orders.v1\` to the connector's call at the
marketplace of the store that did not sell. Medians; record times have whole milliseconds.

|                                                     | p50 |
| --------------------------------------------------- | --- |
| order's record → connector's call                   | ${milliseconds(p50)} (p99 ${milliseconds(p99)}) |
${hops.map(({ reader, p50: took }) => `| … of which ${reader} | ${milliseconds(took)} |`).join('\n')}
| raw hop: one record produced and consumed           | ${milliseconds(rawHop)} |
| raw insert: one of stock's documents                | ${milliseconds(rawInsert)} |
| apart from it: sale → order's record (wait for the poll) | ${milliseconds(poll)} |
`;
}

/** BENCHMARKS.md. */
export function benchmarksText(results: Results): string {
  const { date, machine, database, events, skus, spread, hot, cold, latency } = results;
  const perDocument = (runs: readonly MovementRun[]) => fine(events / median(runs.map(({ documents }) => documents)));
  return `# Benchmarks

Written by \`npm run bench\`, ${date}. Machine: ${machine}; broker, database and what is measured share it. Database: ${database}.

Each figure is the median of ${spread.length} runs (least–most). What is compared was measured in the same run, one right after the other: other machines give
other figures, the ratios stay.

## Aims

| aim | reached | |
| --- | --- | --- |
${verdictsOf(results).map(line).join('\n')}

## Stock movements, in → out

${whole(events)} reservations that wait in \`reservation.events.v1\`, through the stock service's aggregate on the engine, until each movement is acknowledged on
\`stock.movements.v1\` (and each level on \`stock.levels.v1\`). The engine has the SKUs in memory, as when it has run for a
while; *just started* is with nothing in memory. Beside it: the documents that it wrote,
in its batches and as many lanes at once, inserted into a collection with the same indexes and the same journal before them; and kafkajs alone, consuming the same records and
producing what the engine published.

| movements/s | engine | raw insert | raw consume + produce | of raw insert | of raw Kafka |
| --- | --- | --- | --- | --- | --- |
${movementRows(`spread over ${whole(skus)} SKUs`, spread)}
${movementRows('one hot SKU', hot)}
${movementRows('spread, just started', cold)}

Movements per document: ${perDocument(spread)} spread, ${perDocument(hot)} hot.

Where the time goes, as shares of what the lanes spend, up to four of which work side by side in one process; then for how much of the run no lane had
anything to do, and the engine's processor time per movement:

| | ${parts.join(' | ')} | idle | processor |
| --- | ${parts.map(() => '---').join(' | ')} | --- | --- |
${timeRow('spread', spread)}
${timeRow('hot', hot)}
${timeRow('spread, just started', cold)}

## Sale → push at low load

${latencyText(latency)}`;
}

/** For the terminal. */
export const verdictLines = (results: Results): string[] =>
  verdictsOf(results).map(
    ({ aim, reached, holds, short }) => `${holds ? 'reached' : 'MISSED '}  ${aim}: ${reached}${holds ? '' : ` (${short})`}`,
  );

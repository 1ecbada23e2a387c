import { policyOf, type Policy } from '@evenkeel/sync-policy/domain';
import { parseArgs } from 'node:util';
import { BadInput, badRow, readRows, wholeNumber } from './rows.ts';
import { createSimulation, type Report } from './simulation.ts';

export interface Options {
  readonly movements: string;
  readonly opening: string;
  readonly policy: Policy;
}

const usage = `Usage: npm run --silent simulate-policy -- --movements M.csv --opening O.csv
         [--real-time-at-or-below X] [--significant-units Y] [--every-nth N]
M.csv has the columns at,cause,sku,change (of Available, in order), O.csv has sku,available.
Without X every change is pushed; without Y no change is significant by its size; N is 10.`;

const badUsage = (what: string): BadInput => new BadInput(`${what}\n${usage}`);

function numberFor(name: string, text: string | undefined, least: number): number | null {
  if (text === undefined) return null;
  const value = wholeNumber(text);
  if (value === null || value < least) {
    const wanted = Number.isFinite(least) ? `a whole number, ${least} or more` : 'a whole number';
    throw badUsage(`--${name} is ${wanted}, not ${JSON.stringify(text)}.`);
  }
  return value;
}

/** Reads the command line (without node and script). Throws {@link BadInput} that shows the usage. */
export function readOptions(args: readonly string[]): Options {
  const text = { type: 'string' } as const;
  const names = { movements: text, opening: text, 'real-time-at-or-below': text, 'significant-units': text, 'every-nth': text };
  const { movements, opening, ...numbers } = valuesOf(() => parseArgs({ args: [...args], options: names, strict: true }).values);
  if (!movements || !opening) throw badUsage('--movements and --opening are both needed.');
  const policy = policyOf({
    realTimeAtOrBelow: numberFor('real-time-at-or-below', numbers['real-time-at-or-below'], -Infinity),
    significantUnits: numberFor('significant-units', numbers['significant-units'], 1),
    everyNth: numberFor('every-nth', numbers['every-nth'], 1),
  });
  return { movements, opening, policy };
}

function valuesOf<Values>(parse: () => Values): Values {
  try {
    return parse();
  } catch (error) {
    throw badUsage(error instanceof Error ? error.message : String(error));
  }
}

async function readOpening(path: string): Promise<Map<string, number>> {
  const opening = new Map<string, number>();
  await readRows(path, ['sku', 'available'], ({ line, fields: [sku = '', text = ''] }) => {
    const available = wholeNumber(text);
    if (sku === '') throw badRow(path, line, 'a SKU is expected');
    if (opening.has(sku)) throw badRow(path, line, `the SKU ${sku} stands here a second time`);
    if (available === null) throw badRow(path, line, `available is a whole number, not ${JSON.stringify(text)}`);
    opening.set(sku, available);
  });
  return opening;
}

/** Streams the movements through the policy. Throws {@link BadInput} that names the line of a bad row or of a SKU that has no opening. */
export async function simulatePolicy({ movements, opening, policy }: Options): Promise<Report> {
  const simulation = createSimulation(policy, await readOpening(opening));
  await readRows(movements, ['at', 'cause', 'sku', 'change'], ({ line, fields: [at = '', , sku = '', text = ''] }) => {
    const change = wholeNumber(text);
    const available = simulation.available(sku);
    if (at === '') throw badRow(movements, line, 'the column at is empty');
    if (change === null) throw badRow(movements, line, `change is a whole number, not ${JSON.stringify(text)}`);
    if (available === undefined) throw badRow(movements, line, `the SKU ${JSON.stringify(sku)} is missing from ${opening}`);
    if (!Number.isSafeInteger(available + change)) throw badRow(movements, line, `the change ${text} is too large`);
    // A row that changes nothing is not a transaction.
    if (change !== 0) simulation.apply(sku, change);
  });
  return simulation.report();
}

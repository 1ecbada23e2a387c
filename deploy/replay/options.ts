import { parseArgs } from 'node:util';
import { BadInput, wholeNumber } from '../simulate-policy/rows.ts';
import type { Thresholds } from './judge.ts';
import type { Rate } from './player.ts';

export interface Options {
  readonly files: readonly string[];
  readonly rate: Rate;
  readonly thresholds: Thresholds;
}

const usage = `Usage: npm run replay -- FILE.csv… [--rate orders-per-second|max] [--x X] [--y Y] [--n N]
Plays the files' rows as orders on simulated marketplaces, through what npm start runs, or else through what it starts itself.
  --rate   how many orders a second (default max: as fast as the marketplaces take them)
  --x      at or below this Available every change is pushed (default 200)
  --y      a change of so many units is pushed at once (default 50)
  --n      above X, every Nth change is pushed (default 10)
Columns: InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country.
Exit: 0 all is as the file says, 1 a listing or the books are not, 2 the input cannot be used.`;

const badUsage = (what: string): BadInput => new BadInput(`${what}\n\n${usage}`);

/** Reads the command line (without node and script). Throws {@link BadInput} that shows the usage. */
export function readOptions(args: readonly string[]): Options {
  const { values, positionals } = valuesOf(args);
  if (positionals.length === 0) throw badUsage('Name at least one file.');
  return {
    files: positionals,
    rate: rateOf(values.rate),
    thresholds: {
      realTimeAtOrBelow: numberOf('x', values.x, 0),
      significantUnits: numberOf('y', values.y, 1),
      everyNth: numberOf('n', values.n, 1),
    },
  };
}

function valuesOf(args: readonly string[]) {
  const text = (standard: string) => ({ type: 'string', default: standard }) as const;
  const options = { rate: text('max'), x: text('200'), y: text('50'), n: text('10') };
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true });
  } catch (error) {
    throw badUsage(error instanceof Error ? error.message : String(error));
  }
}

function rateOf(text: string): Rate {
  if (text === 'max') return text;
  const rate = Number(text);
  if (!(rate > 0 && rate <= 10_000))
    throw badUsage(`--rate is max or a number of orders a second, up to 10000, not ${JSON.stringify(text)}.`);
  return rate;
}

function numberOf(name: string, text: string, least: number): number {
  const value = wholeNumber(text);
  if (value === null || value < least || value > 1_000_000_000)
    throw badUsage(`--${name} is a whole number, ${least} or more, not ${JSON.stringify(text)}.`);
  return value;
}

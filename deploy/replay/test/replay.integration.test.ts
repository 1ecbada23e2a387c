import { expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { openOwnBacking } from '../../testing/backing.ts';
import { openSystem } from '../../testing/system.ts';
import { planOf } from '../plan.ts';
import { canEditAt, replay } from '../replay.ts';
import { printReport } from '../report.ts';
import { readSales, type SaleRow } from '../sales.ts';

const day = fileURLToPath(new URL('../../../../shared/data/online-retail/2011-03-31.csv', import.meta.url));
const present = existsSync(day);
/** A day takes the slowest of the databases too long: it has four listings of each SKU (`npm run replay` plays any). */
const isPlayed = ({ customer }: SaleRow): boolean => Number(customer) % 4 === 3;
/** What hangs is ended. */
const longestMilliseconds = 600_000;
const say = (line: string) => void process.stdout.write(`${line}\n`);
const thresholds = { realTimeAtOrBelow: 200, significantUnits: 50, everyNth: 10 };

(present ? test : test.skip)(
  `after a real day of a quarter of the customers, who also cancel and send back, every listing shows what the file says${present ? '' : ' (skipped: ../shared/data is not there)'}`,
  async () => {
    const plan = planOf((await readSales([day])).filter(isPlayed), canEditAt);
    const { lines, invoices, levels, cancellations } = plan;
    expect({ lines, invoices, skus: levels.size, cancellations }).toEqual({ lines: 309, invoices: 24, skus: 246, cancellations: 5 });
    // A database that has served all other tests is too worn for a thousand listings.
    await using backing = await openOwnBacking();
    await using system = await openSystem({ backing });
    const report = await replay({
      plan,
      rate: 'max',
      thresholds,
      addresses: system,
      say,
      signal: AbortSignal.timeout(longestMilliseconds),
    });
    for (const line of printReport(report)) say(line);
    expect(report.deviations).toEqual([]);
    expect(report.auditor).toMatchObject({ exitCode: 0 });
    expect(report.listings).toBe(4 * 246);
    expect(report.saleToOtherStore.measured).toBeGreaterThan(0);
  },
  longestMilliseconds + 60_000,
);

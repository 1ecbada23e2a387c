import type { Deviation } from './judge.ts';
import type { Report } from './replay.ts';

const mostNamed = 20;

/** Whether all is as it should be. */
export const isGood = ({ auditor, deviations }: Report): boolean => auditor.exitCode === 0 && deviations.length === 0;

/** The report for people. */
export function printReport(report: Report): string[] {
  const {
    orders,
    cancellations,
    lines,
    skus,
    seconds,
    movements,
    saleToOtherStore,
    pushesByReason,
    holdsByReason,
    auditor,
    deviations,
    listings,
    tenant,
  } = report;
  const { p50Milliseconds, p99Milliseconds, measured, pushed, sales } = saleToOtherStore;
  return [
    `Played as ${tenant}: ${orders} orders, ${cancellations} cancellations, ${lines} lines, ${skus} SKUs in ${seconds.toFixed(1)} s.`,
    `Movements: ${movements}, ${(movements / seconds).toFixed(0)}/s.`,
    `Sale → other store: p50 ${time(p50Milliseconds)}, p99 ${time(p99Milliseconds)} (${measured} measured; ${pushed} of ${sales} sales were pushed at once, the others wait by policy).`,
    `Pushes decided: ${list(pushesByReason)}; held: ${list(holdsByReason)}.`,
    `Auditor (${verdicts[auditor.exitCode] ?? `exit code ${auditor.exitCode}`}):`,
    ...auditor.text.split('\n').map((line) => `  ${line}`),
    deviations.length === 0
      ? `Listings: all ${listings} show what they should by the file alone.`
      : `Listings: ${deviations.length} of ${listings} do not show what they should by the file alone:`,
    ...deviations.slice(0, mostNamed).map(printDeviation),
    ...(deviations.length > mostNamed ? [`  … and ${deviations.length - mostNamed} more`] : []),
  ];
}

const verdicts: Readonly<Record<number, string>> = { 0: 'nothing found', 1: 'violations', 2: 'no verdict' };
const list = (reasons: ReadonlyMap<string, number>) =>
  [...reasons]
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${count}`)
    .join(', ') || 'none';
const time = (milliseconds: number | null) => (milliseconds === null ? 'not measured' : `${Math.round(milliseconds)} ms`);

function printDeviation({ store, sku, expected, shown, allowed }: Deviation): string {
  const wanted = allowed === 0 ? `${expected}` : `${expected} ± ${allowed}`;
  return `  ${store}, ${sku}: ${wanted} is expected, ${shown === null ? 'and there is no such listing' : `and it shows ${shown}`}`;
}

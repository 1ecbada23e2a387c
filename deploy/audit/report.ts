import type { Verdict } from './run.ts';
import { invariants, type Finding } from './facts.ts';

/** One line: the invariant, what it is about, and the sentence. */
export function printFinding({ invariant, tenant, sku, order, listing, version, sentence }: Finding): string {
  const about = [
    `tenant ${tenant}`,
    sku === undefined ? null : `SKU ${sku}`,
    order === undefined ? null : `order ${order}`,
    listing === undefined ? null : `listing ${listing}`,
    version === undefined ? null : `version ${version}`,
  ];
  return `${invariant} ${about.filter((part) => part !== null).join(', ')}: ${sentence}.`;
}

const told: Readonly<Record<Finding['invariant'], string>> = {
  I1: 'ledgers add up, and the topic tells them all',
  I2: 'one effect per cause',
  I3: 'open reservations are what is held in reserve',
  I4: 'versions only rise on every listing, and a call explains every write',
  I5: 'decisions follow the rules, listings show what they should',
  heads: 'compacted topics end with the newest',
};

/** How many lines of what could not be judged are worth printing. */
const unjudgedLines = 10;

/** The whole report for people: a line per violation, then a summary. */
export function printVerdict({ violations, unjudged, counted, quiet, moving, givenUp }: Verdict): string[] {
  const count = (findings: readonly Finding[], invariant: Finding['invariant']) =>
    findings.filter((finding) => finding.invariant === invariant).length;
  const amounts = Object.entries(counted).map(([name, amount]) => `${amount} ${name}`);
  const waiting = unjudged.slice(0, unjudgedLines).map((finding) => `  ${printFinding(finding)}`);
  const rest = unjudged.length - waiting.length;
  return [
    ...violations.map(printFinding),
    `Read ${amounts.join(', ')}${quiet ? '; all was quiet' : `; not quiet: ${moving.join(', ')}`}.`,
    ...invariants.map((invariant) => {
      const found = count(violations, invariant);
      return `${invariant.padEnd(5)} ${found === 0 ? (quiet ? 'holds' : 'holds so far') : `is violated ${found} times`}: ${told[invariant]}.`;
    }),
    ...givenUp.map((note) => `Given up: ${note}.`),
    ...(unjudged.length === 0 ? [] : [`${unjudged.length} could not be judged, because they may be on their way:`, ...waiting]),
    ...(rest > 0 ? [`  … and ${rest} more.`] : []),
    violations.length === 0 ? 'No violations.' : `${violations.length} violations.`,
  ];
}

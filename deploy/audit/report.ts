import type { Audit } from './audit.ts';
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

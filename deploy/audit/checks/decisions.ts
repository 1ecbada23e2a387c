import { courseAfter, decisionDue, stepOf, unset, untouched, type Course } from '../course.ts';
import type { Facts, Finding, JournalDocument, JournalEntry, LedgerRow, PolicyEntry, Thresholds } from '../facts.ts';
import { groupBy, highestOf, joinKey, nameKey } from '../keys.ts';
import { rulesFor, verdictOnPolicy } from '../policy.ts';

type Rows = ReadonlyMap<number, LedgerRow>;
/** The thresholds of a tenant at a revision; null where that revision can no longer be read. */
type TenantAt = (tenant: string, revision: number) => Thresholds | null;

/**
 * I5, first half: every decision of sync-policy is the one that the rules give for its movement or setting. Follows each SKU's journal and judges
 * each entry by what the entries before it say, so that one wrong decision is named once. `trusted`: whether a SKU's ledger is in order.
 */
export function followDecisions(facts: Facts, trusted: (key: string) => boolean): { courses: Map<string, Course>; findings: Finding[] } {
  const policies = groupBy(facts.policies, ({ aggregate }) => aggregate);
  const ledgers = rowsByKey(facts.ledgers);
  const tenantAt = tenantsOf(facts);
  const courses = new Map<string, Course>();
  const findings: Finding[] = [];
  for (const key of new Set([...policies.keys(), ...ledgers.keys()])) {
    const entries = inOrder(policies.get(key) ?? []);
    if (!trusted(key)) continue;
    const gap = gapIn(entries);
    if (gap !== null) {
      // Decisions are kept for a month: without the first of them there is nothing to follow.
      if (gap > 1 || !facts.decisionsTrimmed) findings.push(missingDecision(key, gap));
      continue;
    }
    const rows = ledgers.get(key) ?? new Map<number, LedgerRow>();
    const followed = follow(key, entries, rows, tenantAt);
    courses.set(key, followed.course);
    findings.push(...followed.findings, ...missingAt(key, followed.course, rows, newestPolicy(facts, nameKey(key).tenant)));
  }
  return { courses, findings };
}

/** The first number that is not there; null: all are. */
function gapIn(entries: readonly JournalEntry<PolicyEntry>[]): number | null {
  const gap = entries.findIndex(({ sequence }, place) => sequence !== place + 1);
  return gap === -1 ? null : gap + 1;
}

function missingDecision(key: string, sequence: number): Finding {
  const { tenant, subject: sku } = nameKey(key);
  const sentence = `decision ${sequence} is missing from the journal of sync-policy, or stands there twice`;
  return { invariant: 'I5', tenant, sku, version: `entry ${sequence}`, sentence };
}

const inOrder = (documents: readonly JournalDocument<PolicyEntry>[]) =>
  documents.toSorted((one, other) => one.from - other.from).flatMap(({ entries }) => entries);

function rowsByKey(ledgers: Facts['ledgers']): Map<string, Map<number, LedgerRow>> {
  const rows = new Map<string, Map<number, LedgerRow>>();
  for (const [key, documents] of groupBy(ledgers, ({ aggregate }) => aggregate))
    rows.set(key, new Map(documents.flatMap(({ entries }) => entries.map(({ sequence, data }) => [sequence, data] as const))));
  return rows;
}

function tenantsOf({ tenantPolicies }: Facts): TenantAt {
  const known = new Map(tenantPolicies.map((policy) => [joinKey(policy.tenant, String(policy.revision)), policy]));
  return (tenant, revision) => (revision === 0 ? unset : (known.get(joinKey(tenant, String(revision))) ?? null));
}

const newestPolicy = ({ tenantPolicies }: Facts, tenant: string) =>
  tenantPolicies
    .filter((policy) => policy.tenant === tenant)
    .reduce((newest, policy) => (policy.revision > newest.revision ? policy : newest), {
      ...unset,
      tenant,
      revision: 0,
    });

function follow(key: string, entries: readonly JournalEntry<PolicyEntry>[], rows: Rows, tenantAt: TenantAt) {
  const { tenant, subject: sku } = nameKey(key);
  const findings: Finding[] = [];
  let course = untouched;
  for (const entry of entries) {
    const { trigger } = entry.data;
    const row = trigger.kind === 'movement' ? (rows.get(trigger.sequence) ?? null) : null;
    const { revision } = entry.data;
    const policies = {
      now: tenantAt(tenant, revision),
      before: tenantAt(tenant, trigger.kind === 'tenantPolicy' ? revision - 1 : revision),
    };
    const fault = faultOf(course, entry.data, row, policies);
    if (fault)
      findings.push({
        invariant: 'I5',
        tenant,
        sku,
        version: trigger.kind === 'movement' ? `${trigger.epoch}.${trigger.sequence}` : `entry ${entry.sequence}`,
        sentence: `decision ${entry.sequence} (${nameTrigger(trigger)}): ${fault}`,
      });
    course = courseAfter(course, entry, row);
  }
  return { course, findings };
}

/** The tenant's thresholds that a decision was made with, and those in force before it; null where they can no longer be read. */
interface Policies {
  readonly now: Thresholds | null;
  readonly before: Thresholds | null;
}

function faultOf(course: Course, entry: PolicyEntry, row: LedgerRow | null, tenant: Policies): string | null {
  const { trigger, thresholds, settings, decision, reason, before, after } = entry;
  if (trigger.kind === 'movement') {
    if (!row || row.epoch !== trigger.epoch) return 'there is no such row in the ledger';
    if (trigger.epoch === course.epoch && trigger.sequence <= course.sequence)
      return `it was decided before, row ${course.sequence} came last`;
    if (trigger.epoch === course.epoch && trigger.sequence > course.sequence + 1)
      return `nothing was decided about row ${course.sequence + 1}, which is in the ledger`;
    const step = stepOf(row);
    if (before !== step.before || after !== step.after)
      return `it was made for Available ${before} to ${after}, but the row moved it from ${step.before} to ${step.after}`;
  }
  const counted = course.settings + (trigger.kind === 'sync' || trigger.kind === 'policy' ? 1 : 0);
  if (settings !== counted) return `it says that the SKU has seen ${settings} changes of its settings, but it has seen ${counted}`;
  const own = trigger.kind === 'policy' ? trigger.thresholds : course.own;
  const rules = tenant.now ? rulesFor(own, tenant.now) : rulesFor(thresholds, unset);
  const { realTimeAtOrBelow: x, significantUnits: y, everyNth: n } = thresholds;
  if (x !== rules.x || y !== rules.y || n !== rules.n)
    return `it was made with X ${x}, Y ${y}, N ${n}, but X ${rules.x}, Y ${rules.y}, N ${rules.n} were in force`;
  const due = decisionDue(course, trigger, rules, tenant.before, row);
  // Rules name why a movement is held; for a setting that pushes nothing, any reason will do.
  const sameReason = reason === due.reason || (trigger.kind !== 'movement' && due.decision === decision && decision !== 'push');
  return decision === due.decision && sameReason ? null : `it says ${decision} ${reason}, but the rules say ${due.decision} ${due.reason}`;
}

function nameTrigger(trigger: PolicyEntry['trigger']): string {
  switch (trigger.kind) {
    case 'movement':
      return `on ledger row ${trigger.sequence}`;
    case 'sync':
      return `on Inventory Sync turned ${trigger.enabled ? 'on' : 'off'}`;
    case 'policy':
      return 'on a policy of the SKU';
    case 'tenantPolicy':
      return 'on a policy of the tenant';
    case 'mapped':
    case 'unmapped':
      return `on the listing ${trigger.listing} of ${trigger.store} being ${trigger.kind}`;
  }
}

/** What should have been decided by now and was not. */
function missingAt(key: string, course: Course, rows: Rows, newest: Thresholds & { readonly revision: number }): Finding[] {
  const { tenant, subject: sku } = nameKey(key);
  const last = highestOf(rows.keys());
  const about = { invariant: 'I5' as const, tenant, sku, unsettled: true };
  if (course.sequence < last)
    return [
      {
        ...about,
        version: `${rows.get(last)?.epoch}.${last}`,
        sentence: `no decision about ledger row ${course.sequence + 1}: a lost movement`,
      },
    ];
  if (course.heldBack === 0 || newest.revision <= course.revision) return [];
  const due = verdictOnPolicy(course, course.rules, rulesFor(course.own, newest));
  if (due.decision === 'held') return [];
  const sentence = `revision ${newest.revision} of the tenant's policy lets ${course.heldBack} held transactions out, but nothing was decided`;
  return [{ ...about, version: `${course.epoch}.${course.sequence}`, sentence }];
}

import type { Thresholds } from './facts.ts';

/** X, Y and N as they apply to one SKU. X null: every change is pushed. Y null: none is significant by its size. */
export interface Rules {
  readonly x: number | null;
  readonly y: number | null;
  readonly n: number;
}

const usualN = 10;

/** A SKU's own thresholds go before its tenant's, one by one. */
export const rulesFor = (own: Thresholds, tenant: Thresholds): Rules => ({
  x: own.realTimeAtOrBelow ?? tenant.realTimeAtOrBelow,
  y: own.significantUnits ?? tenant.significantUnits,
  n: own.everyNth ?? tenant.everyNth ?? usualN,
});

/** What a SKU's history says up to a moment. */
export interface Watch {
  readonly sync: boolean;
  readonly counted: boolean;
  /** The last movement seen: its ledger epoch and sequence; zeros before the first. */
  readonly epoch: number;
  readonly sequence: number;
  /** Available after it. */
  readonly available: number;
  /** Transactions held back since the last push. */
  readonly heldBack: number;
}

export interface Step {
  readonly epoch: number;
  readonly sequence: number;
  /** The movement's own Available. */
  readonly before: number;
  readonly after: number;
  readonly counted: boolean;
}

export interface Verdict {
  readonly decision: 'push' | 'held';
  readonly reason: string;
}

type Rule = readonly [decision: Verdict['decision'], reason: string, applies: (watch: Watch, step: Step, rules: Rules) => boolean];

const covered = (available: number, { x }: Rules) => x === null || available <= x;
const follows = (watch: Watch, step: Step) => step.sequence === watch.sequence + 1 && (watch.sequence === 0 || step.epoch === watch.epoch);
const missed = (watch: Watch, step: Step) => !follows(watch, step);

/** What happens to a movement: the first rule that applies, in this order. A missed movement makes the rules about its size pointless. */
const movementRules: readonly Rule[] = [
  ['push', 'first_count', (watch, step) => watch.sync && step.counted && !watch.counted],
  ['held', 'available_unchanged', (watch, step) => follows(watch, step) && step.before === step.after],
  ['held', 'sync_disabled', (watch) => !watch.sync],
  ['held', 'not_counted', (_, step) => !step.counted],
  ['push', 'gap', missed],
  ['push', 'crossed_zero', (_, { before, after }) => (before > 0 && after <= 0) || (before <= 0 && after > 0)],
  ['push', 'at_or_below_threshold', (_, { after }, rules) => covered(after, rules)],
  ['push', 'significant_change', (_, { before, after }, { y }) => y !== null && Math.abs(after - before) >= y],
  ['push', 'every_nth', (watch, _, { n }) => watch.heldBack >= n - 1],
  ['held', 'throttled', () => true],
];

/** Whether a movement is worth a push, and by which rule. */
export function verdictOnMovement(watch: Watch, step: Step, rules: Rules): Verdict {
  const [decision, reason] = movementRules.find(([, , applies]) => applies(watch, step, rules)) as Rule;
  return { decision, reason };
}

/** Whether a level is worth a push though nothing moved: sync was turned on, or a listing mapped. */
export function verdictOnLevel({ sync, counted }: Watch, reason: 'sync_enabled' | 'listing_mapped' | 'policy_changed'): Verdict {
  if (!sync) return { decision: 'held', reason: 'sync_disabled' };
  return counted ? { decision: 'push', reason } : { decision: 'held', reason: 'not_counted' };
}

/** Other thresholds matter only to what the old ones have held back. */
export function verdictOnPolicy(watch: Watch, old: Rules, rules: Rules): Verdict {
  const verdict = verdictOnLevel(watch, 'policy_changed');
  if (verdict.decision === 'held') return verdict;
  const smaller = (rules.y ?? Infinity) < (old.y ?? Infinity) || rules.n < old.n;
  if (watch.heldBack > 0 && (covered(watch.available, rules) || smaller)) return verdict;
  return { decision: 'held', reason: 'throttled' };
}

/**
 * By how many units a listing may be off from max(0, Available): none at or below X, else as many as can be held back between two pushes.
 * Infinite where nothing limits it.
 */
export function tolerance(available: number, rules: Rules): number {
  if (covered(available, rules) || rules.n === 1) return 0;
  return rules.y === null ? Infinity : (rules.n - 1) * (rules.y - 1);
}

/** What is sent for an Available. */
export const quantityFor = (available: number, maximum: number): number => Math.min(maximum, Math.max(0, available));

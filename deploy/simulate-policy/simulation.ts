import { counterAfter, decide, type Policy, type PushReason } from '@evenkeel/sync-policy/domain';

/** What a policy would have done over a history of Available. */
export interface Report {
  readonly transactions: number;
  readonly pushes: number;
  /** Pushes by their reason; a reason that never occurred is left out. */
  readonly byReason: Readonly<Partial<Record<PushReason, number>>>;
  /** The most units by which any SKU was shown as more than it had. */
  readonly mostOverShown: number;
  /** Transactions after which a SKU was over-shown while its Available stood at or below X. */
  readonly overShownAtOrBelowThreshold: number;
}

interface Shown {
  available: number;
  pushed: number;
  counter: number;
  sequence: number;
}

const onShelf = (available: number): number => Math.max(0, available);

/**
 * Plays transactions through the very decision that sync-policy takes; everything is counted, synced, and shown as it opens.
 * `apply` takes a change of Available, not 0, of a SKU that the opening knows.
 */
export function createSimulation(policy: Policy, opening: Iterable<readonly [sku: string, available: number]>) {
  const levels = new Map<string, Shown>();
  for (const [sku, available] of opening) levels.set(sku, { available, pushed: available, counter: 0, sequence: 0 });
  const byReason = new Map<PushReason, number>();
  let transactions = 0;
  let mostOverShown = 0;
  let overShownAtOrBelowThreshold = 0;

  return {
    /** Available now; undefined for a SKU that the opening does not know. */
    available: (sku: string): number | undefined => levels.get(sku)?.available,

    apply(sku: string, change: number): void {
      const level = levels.get(sku);
      if (!level) throw new Error(`The opening has no SKU ${sku}.`);
      const before = level.available;
      const after = before + change;
      const watched = { syncEnabled: true, counted: true, epoch: 1, sequence: level.sequence, counter: level.counter };
      const decision = decide(policy, watched, { before, after, epoch: 1, sequence: ++level.sequence, counted: true });
      transactions += 1;
      level.available = after;
      level.counter = counterAfter(level.counter, decision);
      if (decision.decision === 'push') {
        level.pushed = after;
        byReason.set(decision.reason, (byReason.get(decision.reason) ?? 0) + 1);
      }
      const overShown = onShelf(level.pushed) - onShelf(after);
      mostOverShown = Math.max(mostOverShown, overShown);
      if (overShown > 0 && policy.realTimeAtOrBelow !== null && after <= policy.realTimeAtOrBelow) overShownAtOrBelowThreshold += 1;
    },

    report(): Report {
      const pushes = [...byReason.values()].reduce((sum, count) => sum + count, 0);
      return { transactions, pushes, byReason: Object.fromEntries(byReason), mostOverShown, overShownAtOrBelowThreshold };
    },
  };
}

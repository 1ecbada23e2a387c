import type { Faults, NewOrder } from './control-client.ts';

interface CallCounts {
  calls: number;
  throttled: number;
  refused: number;
}

/** What goes wrong next in one shop, and how often it was called: in memory, a restart forgets it. */
export interface Trouble {
  counts: CallCounts;
  set(faults: Faults): void;
  /** The refusal that this call has to get, if one is due. */
  takeRefusal(): { status: number; retryAfterSeconds: number | undefined } | undefined;
  /** The same for a call that renews a token. */
  takeTokenRefusal(): number | undefined;
  /** Whether this mutation's connection is to be closed, and whether before or after it takes effect. */
  takeDrop(): 'before' | 'after' | undefined;
  /** What shoppers are to buy right before this mutation takes effect. */
  takeSale(): NewOrder | undefined;
  /** What is to go wrong with this webhook. */
  takeWebhookTrouble(): 'drop' | 'duplicate' | 'hold' | undefined;
}

export function createTroubles() {
  const troubles = new Map<string, Trouble>();
  return {
    of(shop: string): Trouble {
      const known = troubles.get(shop) ?? createTrouble();
      troubles.set(shop, known);
      return known;
    },
    forget: (shop: string) => troubles.delete(shop),
  };
}

export type Troubles = ReturnType<typeof createTroubles>;

function createTrouble(): Trouble {
  let due: Faults = {};
  type Counted = 'dropNextMutations' | 'dropAnswerOfNextMutations' | 'dropNextWebhooks' | 'duplicateNextWebhooks' | 'reorderNextWebhooks';
  const takeOne = (name: Counted): boolean => {
    const left = due[name] ?? 0;
    if (left > 0) due = { ...due, [name]: left - 1 };
    return left > 0;
  };
  return {
    counts: { calls: 0, throttled: 0, refused: 0 },
    set: (faults) => {
      due = faults;
    },
    takeRefusal() {
      const { failNext } = due;
      if (failNext === undefined || failNext.calls <= 0) return undefined;
      due = { ...due, failNext: { ...failNext, calls: failNext.calls - 1 } };
      return { status: failNext.status, retryAfterSeconds: failNext.retryAfterSeconds };
    },
    takeTokenRefusal() {
      const { failNextTokenCalls: failing } = due;
      if (failing === undefined || failing.calls <= 0) return undefined;
      due = { ...due, failNextTokenCalls: { ...failing, calls: failing.calls - 1 } };
      return failing.status;
    },
    takeDrop: () => (takeOne('dropNextMutations') ? 'before' : takeOne('dropAnswerOfNextMutations') ? 'after' : undefined),
    takeSale() {
      const { sellBeforeNextMutation: sale, ...rest } = due;
      due = rest;
      return sale;
    },
    takeWebhookTrouble() {
      if (takeOne('dropNextWebhooks')) return 'drop';
      if (takeOne('duplicateNextWebhooks')) return 'duplicate';
      return takeOne('reorderNextWebhooks') ? 'hold' : undefined;
    },
  };
}

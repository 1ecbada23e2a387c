/**
 * What a marketplace's refusal means for us; the retry policy belongs to the kit alone.
 * - transient: try again later; counts against the store's circuit
 * - throttled: wait so long; not a failure
 * - credential: the store's access is refused; nothing more is asked until it is re-entered
 * - permanent_listing: this listing cannot be written; quarantine
 * - conflict: the marketplace has moved meanwhile; read orders, then push again
 * - bug: we asked for something that can never be right; loud, never a hot loop
 */
export type FailureClass = 'transient' | 'throttled' | 'credential' | 'permanent_listing' | 'conflict' | 'bug';

export interface Failure {
  readonly class: FailureClass;
  /** The marketplace's own code, or ours in capitals where it has none. */
  readonly code: string;
  /** For people; never decided on. */
  readonly message: string;
  /** How long to wait, where the answer says so. */
  readonly waitMilliseconds?: number;
}

/**
 * A whole call failed. `applied`: whether the marketplace may have done what was asked; `no` only where that is certain.
 */
export class MarketplaceError extends Error {
  override readonly name = 'MarketplaceError';
  readonly failure: Failure;
  readonly applied: 'no' | 'unknown';

  constructor(failure: Failure, applied: 'no' | 'unknown', options?: ErrorOptions) {
    super(`${failure.class} (${failure.code}): ${failure.message}`, options);
    this.failure = failure;
    this.applied = applied;
  }
}

/** No call was made: the store's circuit is open, its gate closed, or its owner is somebody else by now. */
export class CallNotMade extends Error {
  override readonly name = 'CallNotMade';
  readonly reason: HoldReason;

  constructor(reason: HoldReason) {
    super(`No call was made: ${reason}.`);
    this.reason = reason;
  }
}

/** Why nothing goes out to a store, or to a listing. */
export type HoldReason =
  'disconnected' | 'circuit_open' | 'not_owner' | 'quarantined' | 'orders_first' | 'listing_paused' | 'store_passive';

/** Codes of failures below HTTP that happen before a request has left. */
const notSent = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'ENETUNREACH', 'EHOSTUNREACH', 'UND_ERR_CONNECT_TIMEOUT']);

/** A socket error or time-out: transient; what became of the request is unknown unless it cannot have left, or `changes` nothing. */
export function networkError(error: unknown, changes = true): MarketplaceError {
  const code = codeOf(error);
  const message = error instanceof Error ? error.message : String(error);
  return new MarketplaceError({ class: 'transient', code, message }, notSent.has(code) || !changes ? 'no' : 'unknown', { cause: error });
}

function codeOf(error: unknown): string {
  for (let at: unknown = error; typeof at === 'object' && at !== null; at = (at as { cause?: unknown }).cause)
    if ('code' in at && typeof at.code === 'string') return at.code;
  return error instanceof Error ? error.name : 'NETWORK';
}

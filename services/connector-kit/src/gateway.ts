import type { Logger } from '@evenkeel/chassis';
import CircuitBreaker from 'opossum';
import { CallNotMade, MarketplaceError, type Failure, type HoldReason } from './failure.ts';
import type { Vault } from './vault.ts';
import { pauseFor, type Costs, type Priority, type RateGovernor } from './rate-governor.ts';

export type { Priority } from './rate-governor.ts';

export interface CallRequest {
  /** `{}` where the cost was reserved before. */
  readonly costs: Costs;
  readonly priority: Priority;
  /** Ends the waiting; a request that has left is not torn down. */
  readonly signal?: AbortSignal | undefined;
}

/** The only way to a store's marketplace: each request passes it, and it alone decides whether one may be made. */
export interface Gateway {
  readonly governor: RateGovernor;
  /**
   * Waits for the rate, then makes the attempt. Rejects with what the attempt rejects with, or with CallNotMade.
   * An attempt whose credentials are refused is made once more; a second refusal closes the gate.
   */
  call<T>(request: CallRequest, attempt: () => Promise<T>): Promise<T>;
  /** Why no call would be made now; null where it would. */
  hold(): HoldReason | null;
  close(): void;
}

export interface CircuitSettings {
  /** Failed share within ten seconds, of at least `volume` calls, that opens it. */
  readonly errorPercentage: number;
  readonly volume: number;
  /** How long it stays open before a single call may try. */
  readonly resetMilliseconds: number;
}

const defaultCircuit: CircuitSettings = { errorPercentage: 50, volume: 5, resetMilliseconds: 5_000 };

export interface GatewayOptions {
  readonly log: Logger;
  readonly governor: RateGovernor;
  /** Whether this process is still the store's owner; asked right before each request. */
  readonly isOwner: () => boolean;
  readonly circuit?: CircuitSettings;
  readonly credentialRetryMilliseconds?: number;
  /** The credentials that requests are made with; absent where a test needs none. */
  readonly vault?: Vault;
  readonly onCredentialRefused?: (failure: Failure) => void;
  readonly onCircuit?: (state: 'open' | 'closed') => void;
}

/** 5xx and time-outs count; throttling, business errors and refused credentials do not. */
const isTransient = (error: unknown): boolean => error instanceof MarketplaceError && error.failure.class === 'transient';
const isCredential = (error: unknown): error is MarketplaceError =>
  error instanceof MarketplaceError && error.failure.class === 'credential';

export function createGateway(options: GatewayOptions): Gateway {
  const { log, governor, isOwner, circuit = defaultCircuit, credentialRetryMilliseconds = 1_000, vault } = options;
  let gate: 'open' | 'suspected' | 'closed' = 'open';

  const breaker = new CircuitBreaker((attempt: () => Promise<unknown>) => attempt(), {
    timeout: false,
    errorThresholdPercentage: circuit.errorPercentage,
    volumeThreshold: circuit.volume,
    resetTimeout: circuit.resetMilliseconds,
    rollingCountTimeout: 10_000,
    enableSnapshots: false,
    errorFilter: (error) => !isTransient(error),
  });
  breaker.on('open', () => {
    log.warn('The circuit is open: this store answers with errors or not at all; it is tried again by itself.');
    options.onCircuit?.('open');
  });
  breaker.on('close', () => {
    log.info('The circuit is closed again.');
    options.onCircuit?.('closed');
  });

  function hold(): HoldReason | null {
    if (!isOwner()) return 'not_owner';
    if (gate !== 'open') return 'disconnected';
    return breaker.opened ? 'circuit_open' : null;
  }

  async function fire<T>(attempt: () => Promise<T>): Promise<T> {
    try {
      return (await breaker.fire(async () => {
        await vault?.ready();
        return await attempt();
      })) as T;
    } catch (error) {
      if (CircuitBreaker.isOurError(error as Error)) throw new CallNotMade('circuit_open');
      if (error instanceof MarketplaceError && error.failure.class === 'throttled') governor.pause(error.failure.waitMilliseconds ?? 1_000);
      throw error;
    }
  }

  /** The one retry after a first refusal, with renewed credentials where they can be renewed. Meanwhile nobody else calls. */
  async function retryOnce<T>(attempt: () => Promise<T>, refused: number, signal: AbortSignal | undefined): Promise<T> {
    gate = 'suspected';
    try {
      if (!vault?.renews) await pauseFor(credentialRetryMilliseconds, signal);
      if (!isOwner()) throw new CallNotMade('not_owner');
      const value = await fire(async () => {
        await vault?.renew(refused);
        return await attempt();
      });
      gate = 'open';
      return value;
    } catch (error) {
      gate = isCredential(error) ? 'closed' : 'open';
      if (isCredential(error)) {
        log.error(
          { code: error.failure.code },
          'The marketplace refuses the credentials: nothing is asked of this store until they are re-entered.',
        );
        options.onCredentialRefused?.(error.failure);
      }
      throw error;
    }
  }

  return {
    governor,
    hold,
    async call({ costs, priority, signal }, attempt) {
      await governor.acquire(costs, priority, signal);
      const reason = hold();
      if (reason) throw new CallNotMade(reason);
      let used = 0;
      try {
        return await fire(() => {
          used = vault?.revision() ?? 0;
          return attempt();
        });
      } catch (error) {
        if (isCredential(error) && gate === 'open') return await retryOnce(attempt, used, signal);
        throw error;
      }
    },
    close: () => breaker.shutdown(),
  };
}

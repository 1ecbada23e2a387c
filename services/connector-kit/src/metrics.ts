import type { Metrics } from '@evenkeel/chassis';
import type { HoldReason } from './failure.ts';
import type { StoreIdentity } from './order-record.ts';

/** What a connector tells Prometheus. Stores are few, so they may be labels; listings and orders never are. */
export interface ConnectorMetrics {
  pushed(outcome: string, count?: number): void;
  held(reason: HoldReason, count?: number): void;
  /** From when the cause entered the system to the confirmed call. */
  pushTook(seconds: number): void;
  /** A listing shows what neither a push nor an order explains. */
  drifted(): void;
  ordersPolled(store: StoreIdentity): void;
  forget(store: StoreIdentity): void;
}

/** `outstanding`: asked whenever the metrics are read. */
export function createConnectorMetrics(
  metrics: Metrics,
  marketplace: string,
  outstanding: () => Promise<{ listings: number; oldestSeconds: number }>,
): ConnectorMetrics {
  const pushes = metrics.counter({
    name: 'evenkeel_pushes_total',
    help: 'Listings that were part of a push, by what became of it.',
    labels: ['marketplace', 'outcome'],
  });
  const holds = metrics.counter({ name: 'evenkeel_push_holds_total', help: 'Pushes that had to wait, by why.', labels: ['reason'] });
  const seconds = metrics.histogram({
    name: 'evenkeel_push_seconds',
    help: 'From when the cause of a push entered the system to its confirmation by the marketplace.',
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300],
  });
  const drifts = metrics.counter({
    name: 'evenkeel_listing_drift_total',
    help: 'Listings found to show a quantity that neither a push nor an order explains, such as one typed in by hand.',
    labels: ['marketplace'],
  });
  const polledAt = new Map<string, { store: StoreIdentity; at: number }>();
  metrics.gauge({
    name: 'evenkeel_order_poll_age_seconds',
    help: 'Since the orders of a store were last read.',
    labels: ['store'],
    collect(gauge) {
      gauge.reset();
      for (const { store, at } of polledAt.values()) gauge.set({ store: store.store }, (performance.now() - at) / 1_000);
    },
  });
  metrics.gauge({
    name: 'evenkeel_listings_outstanding',
    help: 'Listings whose wanted version is newer than the confirmed one.',
    collect: async (gauge) => gauge.set((await outstanding()).listings),
  });
  metrics.gauge({
    name: 'evenkeel_oldest_outstanding_seconds',
    help: 'How long the oldest outstanding listing has been waiting.',
    collect: async (gauge) => gauge.set((await outstanding()).oldestSeconds),
  });
  const keyOfStore = ({ tenant, store }: StoreIdentity) => JSON.stringify([tenant, store]);
  return {
    pushed: (outcome, count = 1) => pushes.inc({ marketplace, outcome }, count),
    held: (reason, count = 1) => holds.inc({ reason }, count),
    pushTook: (took) => seconds.observe(took),
    drifted: () => drifts.inc({ marketplace }),
    ordersPolled: (store) => void polledAt.set(keyOfStore(store), { store, at: performance.now() }),
    forget: (store) => void polledAt.delete(keyOfStore(store)),
  };
}

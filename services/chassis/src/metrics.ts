import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

interface MetricOptions<Label extends string> {
  /** `evenkeel_<noun>_<unit>`; a counter's ends in `_total`. */
  readonly name: string;
  readonly help: string;
  /** Of few values each; never a SKU, an order or a listing. */
  readonly labels?: readonly Label[];
}

interface GaugeOptions<Label extends string> extends MetricOptions<Label> {
  readonly collect?: (gauge: Gauge<Label>) => void | Promise<void>;
}

/** What a process tells Prometheus; one per process. */
export interface Metrics {
  counter<Label extends string = never>(options: MetricOptions<Label>): Counter<Label>;
  /** `collect` sets it when it is read. */
  gauge<Label extends string = never>(options: GaugeOptions<Label>): Gauge<Label>;
  histogram<Label extends string = never>(options: MetricOptions<Label> & { readonly buckets?: readonly number[] }): Histogram<Label>;
  /** The exposition text and its content type. */
  read(): Promise<{ contentType: string; text: string }>;
}

/** From a millisecond to half a minute. */
export const latencyBucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] as const;

const unboundedLabels = ['sku', 'order', 'listing', 'tenant', 'user', 'cause', 'correlation', 'path', 'id'];

function checked<Label extends string>({ name, help, labels = [] }: MetricOptions<Label>, ending?: RegExp) {
  if (!/^evenkeel(_[a-z0-9]+)+$/.test(name) || (ending && !ending.test(name)))
    throw new Error(
      `The metric ${name} must be named evenkeel_<noun>_<unit>, a counter with _total at its end, a histogram with its unit.`,
    );
  const unbounded = labels.find((label) => unboundedLabels.includes(label));
  if (unbounded) throw new Error(`The metric ${name} must not be labelled by ${unbounded}: it would grow without a limit.`);
  return { name, help, labelNames: [...labels] };
}

/** A registry of its own, with the process's default metrics unless told otherwise. */
export function createMetrics({ processMetrics = true }: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry();
  const registers = [registry];
  if (processMetrics) collectDefaultMetrics({ register: registry });
  return {
    counter: (options) => new Counter({ ...checked(options, /_total$/), registers }),
    gauge<Label extends string>({ collect, ...options }: GaugeOptions<Label>) {
      const gauge: Gauge<Label> = new Gauge({ ...checked(options), registers, ...(collect ? { collect: () => collect(gauge) } : {}) });
      return gauge;
    },
    histogram: ({ buckets = latencyBucketsSeconds, ...options }) =>
      new Histogram({ ...checked(options, /_(seconds|bytes|count|units|ratio)$/), buckets: [...buckets], registers }),
    read: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
  };
}

/** What the services report about themselves, summed over all of them. Counters since their start. */
export type Figures = {
  atMilliseconds: number;
  orders: number;
  movements: number;
  decisions: ReadonlyMap<string, number>;
  pushes: ReadonlyMap<string, number>;
  oldestOutstandingSeconds: number;
  incidents: ReadonlyMap<string, number>;
  /** Names of services that did not answer. */
  silent: readonly string[];
};

type Sample = { name: string; labels: Readonly<Record<string, string>>; value: number };

/** Samples of the Prometheus text format; comments and what has no number are left out. */
function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? ([^ ]+)/.exec(line);
    const value = Number(match?.[3]);
    if (!match || Number.isNaN(value)) return [];
    const labels = [...(match[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key, text]) => [key, text]);
    return [{ name: match[1]!, labels: Object.fromEntries(labels) as Record<string, string>, value }];
  });
}

export async function readFigures(services: Readonly<Record<string, string>>): Promise<Figures> {
  const silent: string[] = [];
  const texts = await Promise.all(
    Object.entries(services).map(async ([name, url]) => {
      try {
        return await (await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(1500) })).text();
      } catch {
        silent.push(name);
        return '';
      }
    }),
  );
  const samples = texts.flatMap(parseMetrics);
  const of = (name: string) => samples.filter((sample) => sample.name === name);
  const total = (name: string) => of(name).reduce((sum, { value }) => sum + value, 0);
  const by = (name: string, label: (labels: Readonly<Record<string, string>>) => string) => {
    const sums = new Map<string, number>();
    for (const { labels, value } of of(name)) if (value !== 0) sums.set(label(labels), (sums.get(label(labels)) ?? 0) + value);
    return new Map([...sums].sort(([a], [b]) => a.localeCompare(b)));
  };
  return {
    atMilliseconds: performance.now(),
    orders: total('evenkeel_orders_total'),
    movements: total('evenkeel_movements_total'),
    decisions: by('evenkeel_decisions_total', ({ decision, reason }) => `${decision} ${reason}`),
    pushes: by('evenkeel_pushes_total', ({ outcome }) => outcome ?? ''),
    oldestOutstandingSeconds: Math.max(0, ...of('evenkeel_oldest_outstanding_seconds').map(({ value }) => value)),
    incidents: by('evenkeel_incidents_open', ({ kind }) => kind ?? ''),
    silent,
  };
}

/** Rates since `before`; a service that was started again counts from nothing, which must not look like a negative rate. */
function rates(before: Figures, now: Figures) {
  const seconds = (now.atMilliseconds - before.atMilliseconds) / 1000;
  const rate = (from: number, to: number) => (seconds > 0 ? Math.max(0, to - from) / seconds : 0).toFixed(1);
  return { orders: rate(before.orders, now.orders), movements: rate(before.movements, now.movements) };
}

const list = (counts: ReadonlyMap<string, number>, prefix = '') => {
  const entries = [...counts].filter(([name]) => name.startsWith(prefix)).map(([name, count]) => `${name.slice(prefix.length)} ${count}`);
  return entries.length > 0 ? entries.join(', ') : 'none';
};

/** The block that is refreshed on a terminal. */
export function statusBlock(before: Figures, now: Figures): string[] {
  const { orders, movements } = rates(before, now);
  return [
    `  orders/s ${orders}   movements/s ${movements}   oldest outstanding listing ${now.oldestOutstandingSeconds.toFixed(1)} s`,
    `  pushes decided: ${list(now.decisions, 'push ')}`,
    `  held:           ${list(now.decisions, 'held ')}`,
    `  pushes sent:    ${list(now.pushes)}`,
    `  incidents open: ${list(now.incidents)}`,
    ...(now.silent.length > 0 ? [`  not answering:  ${now.silent.join(', ')}`] : []),
  ];
}

/** The same in one line, for a log. */
export const statusLine = (before: Figures, now: Figures) =>
  statusBlock(before, now)
    .map((line) => line.trim().replaceAll(/ {2,}/g, ' '))
    .join(' | ');

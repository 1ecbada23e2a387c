import { setTimeout as pause } from 'node:timers/promises';
import { audit, type Audit } from './audit.ts';
import type { Facts, Finding } from './facts.ts';
import { openDatabases } from './read/databases.ts';
import { createMarketplaceReader } from './read/marketplace.ts';
import { isQuiet, look, whyMoving, type Look } from './read/quiet.ts';
import { readFacts, readGivenUp, type System } from './read/system.ts';
import { createKafka } from './read/topics.ts';
import { Unreachable } from './read/unreachable.ts';
import type { Options } from './options.ts';

export interface Verdict extends Audit {
  readonly quiet: boolean;
  /** Why it was not quiet; empty where it was. */
  readonly moving: readonly string[];
  /** What the services have given up on, of whatever tenant. */
  readonly givenUp: readonly string[];
}

/** Between two looks; longer where a look is a burden, for whoever is looked at has work to do: three times what it took, within bounds. */
const restMilliseconds = { least: 500, most: 5_000 };
const restAfter = (tookMilliseconds: number): number =>
  Math.min(restMilliseconds.most, Math.max(restMilliseconds.least, 3 * tookMilliseconds));

/** Waits until all is quiet, reads the system, judges it. Throws Unreachable where a part of it cannot be read. */
export async function runAudit(options: Options, say: (line: string) => void): Promise<Verdict> {
  await using databases = await openDatabases(options.mongoUrl, options.databasePrefix);
  const system: System = {
    kafka: createKafka(options.brokers),
    registryUrl: options.registryUrl,
    databases,
    marketplace: createMarketplaceReader(options.controlUrl),
    tenant: options.tenant,
  };
  const deadline = performance.now() + options.waitSeconds * 1_000;
  const stillMilliseconds = (options.waitSeconds * 1_000) / 2;
  const looks: Look[] = [];
  for (;;) {
    const last = await waitUntilQuiet(system, looks, deadline, stillMilliseconds, say);
    const facts = await readFacts(system);
    const givenUp = await readGivenUp(system);
    refuseNothing(facts, options);
    const after = await look(system);
    looks.push(after);
    if (last !== null && after.traces === last.traces) return { ...audit({ ...facts, quiet: true }), quiet: true, moving: [], givenUp };
    if (last === null) return { ...(await auditMoving(system, facts)), quiet: false, moving: whyMoving(looks), givenUp };
    say('Something happened while the system was read: it is read again.');
  }
}

/** An audit of nothing would find nothing wrong with it. */
function refuseNothing({ ledgers, orders, policies, listings }: Omit<Facts, 'quiet'>, { tenant, databasePrefix }: Options): void {
  if (ledgers.length + orders.length + policies.length + listings.length > 0) return;
  const whose = tenant === null ? 'the system' : `the tenant ${tenant}`;
  throw new Unreachable(whose, `there is nothing of it in the databases ${databasePrefix}*, so there is nothing to judge`);
}

/** The last of the looks that show it quiet; null after the deadline. */
async function waitUntilQuiet(
  system: System,
  looks: Look[],
  deadline: number,
  stillMilliseconds: number,
  say: (line: string) => void,
): Promise<Look | null> {
  for (let told = false; ; told = true) {
    const began = performance.now();
    const now = await look(system);
    looks.push(now);
    const rest = restAfter(performance.now() - began);
    if (isQuiet(looks, stillMilliseconds)) return now;
    if (performance.now() >= deadline) return null;
    if (!told) say('Waiting until all is quiet.');
    await pause(rest);
  }
}

/** While the system moves, documents are read one after the other: only what a second reading finds again is a violation. */
async function auditMoving(system: System, facts: Omit<Facts, 'quiet'>): Promise<Audit> {
  const first = audit({ ...facts, quiet: false });
  if (first.violations.length === 0) return first;
  const second = audit({ ...(await readFacts(system)), quiet: false });
  const found = new Set(first.violations.map(placeOf));
  return { ...second, violations: second.violations.filter((finding) => found.has(placeOf(finding))) };
}

const placeOf = ({ invariant, tenant, sku, order, listing }: Finding) => JSON.stringify([invariant, tenant, sku, order, listing]);

import { createSandboxControl } from '@evenkeel/marketplace-sandbox/control';
import { setTimeout as delay } from 'node:timers/promises';
import type { Addresses } from '../application.ts';
import { createSeller } from '../seller.ts';
import { look, openMarket } from './market.ts';
import { finishBatches, label, parcelsLeft, pick, putBack, shop, work, type Demo } from './people.ts';
import { createRandom } from './random.ts';

export type DemoOptions = {
  addresses: Pick<Addresses, 'issuerUrl' | 'services' | 'sandbox'>;
  /** Ends the demo; what is on its way is not waited for. */
  signal: AbortSignal;
  say: (line: string) => void;
  /** Called when everything is set up and the first shopper comes. */
  onOpened?: () => void;
  seed?: number;
};

const tenant = 'demo';
const everyMilliseconds = { shopper: 333, labels: 500, batches: 4_000, returns: 5_000, clerk: 1_500, eyes: 500 };

/** Sets the demo seller up, or finds it as it was, and lets shoppers, warehouse and clerk loose until the signal. Never ends by an error. */
export async function runDemo({ addresses, signal, say, onOpened, seed = Date.now() }: DemoOptions): Promise<void> {
  const sandbox = createSandboxControl(addresses.sandbox.controlUrl);
  const people = { addresses, tenant, signal };
  const operator = createSeller({ ...people, user: 'olivia', roles: ['operator', 'clerk'] });
  const clerk = createSeller({ ...people, user: 'carl', roles: ['clerk'] });
  const warehouse = createSeller({ ...people, user: 'wanda', roles: ['warehouse'] });

  const opened = await persistently('The demo could not be set up', signal, say, async () => ({
    market: await openMarket(sandbox, addresses.sandbox.etsyApp, operator),
    parcels: await parcelsLeft(sandbox),
    batches: await finishBatches({ seller: warehouse }),
  }));
  if (!opened) return;
  const demo = { ...opened, sandbox, random: createRandom(seed) };
  const as = (seller: Demo['seller']): Demo => ({ ...demo, seller });
  say(`The demo seller has ${opened.market.products.size} products; shoppers come in.`);
  onOpened?.();
  await Promise.all([
    regularly(everyMilliseconds.eyes, 'Looking at the shops', signal, say, () => look(demo.market, sandbox)),
    regularly(everyMilliseconds.shopper, 'Shopping', signal, say, (turn) => shop(as(operator), turn)),
    regularly(everyMilliseconds.labels, 'Labelling', signal, say, () => label(as(warehouse))),
    regularly(everyMilliseconds.batches, 'Picking', signal, say, (turn) => pick(as(warehouse), turn)),
    regularly(everyMilliseconds.returns, 'Putting back', signal, say, () => putBack(as(warehouse))),
    regularly(everyMilliseconds.clerk, "The clerk's work", signal, say, (turn) => work(as(clerk), turn)),
  ]);
}

const againAfterMilliseconds = 2_000;
const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Until it works; undefined where the signal came first. */
async function persistently<T>(
  what: string,
  signal: AbortSignal,
  say: (line: string) => void,
  attempt: () => Promise<T>,
): Promise<T | undefined> {
  while (!signal.aborted) {
    try {
      return await attempt();
    } catch (error) {
      if (!signal.aborted) say(`${what}, and is tried again: ${reasonOf(error)}`);
      await pause(againAfterMilliseconds, signal);
    }
  }
  return undefined;
}

/** One after the other, no more often than so; what fails is said, and left. */
async function regularly(
  milliseconds: number,
  what: string,
  signal: AbortSignal,
  say: (line: string) => void,
  act: (turn: number) => Promise<void>,
): Promise<void> {
  let next = performance.now();
  for (let turn = 0; !signal.aborted; turn += 1) {
    try {
      await act(turn);
    } catch (error) {
      if (signal.aborted) return;
      say(`${what} failed: ${reasonOf(error)}`);
      await pause(againAfterMilliseconds, signal);
    }
    next = Math.max(next + milliseconds, performance.now());
    await pause(next - performance.now(), signal);
  }
}

const pause = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  delay(milliseconds, undefined, { signal }).catch(() => undefined);

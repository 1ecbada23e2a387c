import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  createSandboxControl,
  type AppliedWrite,
  type MarketplaceName,
  type NewListing,
  type SandboxControl,
  type Sale,
} from '@evenkeel/marketplace-sandbox/control';
import type { Addresses } from '../local/application.ts';
import { createSeller, type Seller } from '../local/seller.ts';
import { waitFor } from '../local/wait.ts';
import { runAuditor, type AuditorVerdict } from './auditor.ts';
import { deviations, type Deviation, type JudgedStore, type Shown, type Thresholds } from './judge.ts';
import { countReasons, percentile, saleLatencies, type Decided } from './latency.ts';
import { openObserver, type Observer } from './observer.ts';
import { storeOf, type Level, type Plan } from './plan.ts';
import { play, type Answered, type Rate } from './player.ts';

export type ReplayOptions = {
  plan: Plan;
  rate: Rate;
  thresholds: Thresholds;
  addresses: Addresses;
  /** Prints a line for people. */
  say: (line: string) => void;
  signal?: AbortSignal | undefined;
};

export type Report = {
  tenant: string;
  orders: number;
  /** Of rows of an order that was bought before. */
  cancellations: number;
  lines: number;
  skus: number;
  listings: number;
  /** From the first order to the last movement. */
  seconds: number;
  movements: number;
  /** From a sale to the other store; see saleLatencies. */
  saleToOtherStore: { p50Milliseconds: number | null; p99Milliseconds: number | null; measured: number; pushed: number; sales: number };
  /** Decisions about the movements of the play; the opening counts are left out. */
  pushesByReason: ReadonlyMap<string, number>;
  holdsByReason: ReadonlyMap<string, number>;
  auditor: AuditorVerdict;
  deviations: readonly Deviation[];
};

/** Stores of each marketplace. */
const storesEach = 2;
/** So many SKUs are variants of one Etsy listing. */
const variantsOfListing = 40;
const most = { shopify: 1_000_000_000, etsy: 999 } as const;

interface Store extends JudgedStore {
  readonly marketplace: MarketplaceName;
}

const storesOf = (tenant: string): Store[] =>
  (['shopify', 'etsy'] as const).flatMap((marketplace) =>
    Array.from({ length: storesEach }, (_, index) => ({
      name: `${tenant}-${marketplace}-${index + 1}`,
      marketplace,
      most: most[marketplace],
    })),
  );
/** By its number: an invoice is bought at the same kind of store whoever the seller is. */
const kinds = storesOf('');
export const canEditAt = (invoice: string): boolean => storeOf(invoice, kinds).marketplace === 'shopify';

const atOnce = 32;
/** Nothing new for so long, though more must come: something is broken. */
const stallSeconds = 90;

/** Plays a plan through the real path as a seller of its own, and judges what came of it. @throws when the system stops before all is through */
export async function replay({ plan, rate, thresholds, addresses, say, signal }: ReplayOptions): Promise<Report> {
  const tenant = `replay-${randomUUID().slice(0, 8)}`;
  const stores = storesOf(tenant);
  const names = stores.map(({ name }) => name);
  const sandbox = createSandboxControl(addresses.sandbox.controlUrl);
  const seller = createSeller({ addresses, tenant, user: 'replay', roles: ['operator', 'clerk'], signal });
  await using observer = await openObserver(addresses.brokers, addresses.registryUrl, tenant);

  say(`Opening ${plan.levels.size} SKUs on ${stores.length} stores as the seller ${tenant} …`);
  await open({ plan, stores, sandbox, etsyApp: addresses.sandbox.etsyApp, seller, thresholds, observer, signal });
  const before = accepted(observer);

  const progress = createProgress(plan, () => accepted(observer) - before, say);
  const began = Date.now();
  const { steps } = plan;
  const answered = await play({
    steps,
    rate,
    stores: names,
    sandbox,
    seller,
    moved: observer.movedBy,
    signal,
    onProgress: progress.played,
  });
  await untilAllMoved(observer, before + plan.movements, signal, progress.tell);
  const seconds = (observer.lastMoveAt() - began) / 1000;

  say('All orders are in the books. Waiting for the listings …');
  await untilShown({ levels: plan.levels, stores, sandbox, thresholds, signal });
  say('The auditor waits until all is quiet, and reads everything …');
  const auditor = await runAuditor(addresses, tenant, signal);
  const decided = await decisionsOf(seller, [...plan.levels.keys()]);
  const { sales, writes } = await logsOf(sandbox, names);
  const markets = new Map(stores.map(({ name, marketplace, ...store }) => [name, { ...store, isWhole: marketplace === 'etsy' }]));
  const marketOf = (store: string) => markets.get(store) ?? { most: Infinity, isWhole: false };
  const latencies = saleLatencies(observer.moves, decided, observer.requests, soldAt(sales, answered), writes, marketOf);
  return {
    tenant,
    orders: plan.orders,
    cancellations: plan.cancellations,
    lines: plan.lines,
    skus: plan.levels.size,
    listings: plan.levels.size * stores.length,
    seconds,
    movements: plan.movements,
    saleToOtherStore: {
      p50Milliseconds: percentile(latencies.milliseconds, 0.5),
      p99Milliseconds: percentile(latencies.milliseconds, 0.99),
      measured: latencies.milliseconds.length,
      pushed: latencies.pushed,
      sales: latencies.sales,
    },
    pushesByReason: countReasons(decided, 'push'),
    holdsByReason: countReasons(decided, 'held'),
    auditor,
    deviations: deviations(plan.levels, stores, await shownBy(sandbox, stores), thresholds),
  };
}

/** Decisions about all rows but each SKU's first, which is its opening. */
async function decisionsOf(seller: Seller, skus: readonly string[]): Promise<Decided[]> {
  const decided: Decided[] = [];
  await eachOf(skus, atOnce, async (sku) => {
    for (const { decision, reason, inputs } of await seller.decisions(sku))
      if (inputs.sequence > 1) decided.push({ sku, sequence: inputs.sequence, decision, reason });
  });
  return decided;
}

type Opening = {
  plan: Plan;
  stores: readonly Store[];
  sandbox: SandboxControl;
  etsyApp: Addresses['sandbox']['etsyApp'];
  seller: Seller;
  thresholds: Thresholds;
  observer: Observer;
  signal: AbortSignal | undefined;
};

/** Shops whose listings show nothing yet, then the counts: what every listing shows at the beginning has come through the system. */
async function open(opening: Opening): Promise<void> {
  const { plan, stores, sandbox, seller, thresholds, observer, signal } = opening;
  await seller.setPolicy({ ...thresholds });
  const skus = [...plan.levels.keys()];
  for (const { name, marketplace } of stores)
    await seller.connectStore(marketplace, name, () =>
      marketplace === 'etsy' ? openEtsyShop(opening, name, skus) : openShop(sandbox, name, skus),
    );
  await eachOf([...plan.levels], atOnce, async ([sku, level]) => {
    signal?.throwIfAborted();
    await seller.openWith(sku, level.opening, 'opening');
  });
  await untilMovesGrowTo(observer, plan.levels.size, signal);
  const openings = new Map(
    [...plan.levels].map(([sku, level]): [string, Level] => [sku, { opening: level.opening, closing: level.opening }]),
  );
  const exactly = { realTimeAtOrBelow: Infinity, significantUnits: 1, everyNth: 1 };
  if (!(await untilShown({ ...opening, levels: openings, thresholds: exactly })))
    throw new Error(`Nothing has been written to any listing for ${stallSeconds} s, and not every one shows its opening.`);
}

async function openShop(sandbox: SandboxControl, name: string, skus: readonly string[]): Promise<object> {
  const accessToken = `token-of-${name}`;
  await sandbox.createShop({ name, token: accessToken, plan: 'enterprise', acceptEverySale: true });
  await sandbox.putProducts(
    name,
    skus.map((sku) => ({ sku, quantity: 0 })),
  );
  return { shop: name, accessToken };
}

/** Some SKUs are the variants of one listing each, and written together. */
async function openEtsyShop(
  { sandbox, etsyApp }: Pick<Opening, 'sandbox' | 'etsyApp'>,
  name: string,
  skus: readonly string[],
): Promise<object> {
  const { tokens } = await sandbox.createEtsyShop({ name, ...etsyApp, acceptEverySale: true });
  const listings: NewListing[] = [];
  for (let from = 0; from < skus.length; from += variantsOfListing) {
    const variants = skus.slice(from, from + variantsOfListing).map((sku) => ({ sku, quantity: 0, values: { Article: sku } }));
    listings.push({ title: `Articles from ${from + 1}`, variants });
  }
  await sandbox.putListings(name, listings);
  return { ...tokens, renewSoldOut: true };
}

/** Ledger rows that are not refusals. */
const accepted = ({ moves }: Pick<Observer, 'moves'>): number => moves.filter(({ refused }) => refused === null).length;

const untilMovesGrowTo = (observer: Observer, expected: number, signal: AbortSignal | undefined) =>
  untilAllMoved(observer, expected, signal, () => {});

async function untilAllMoved(observer: Observer, expected: number, signal: AbortSignal | undefined, tell: () => void): Promise<void> {
  for (;;) {
    const soFar = accepted(observer);
    if (soFar >= expected) return;
    observer.check();
    await waitFor(`More than ${soFar} of ${expected} movements`, async () => accepted(observer) > soFar, { seconds: stallSeconds, signal });
    tell();
  }
}

type Showing = Pick<Opening, 'stores' | 'sandbox' | 'thresholds' | 'signal'> & { levels: ReadonlyMap<string, Level> };

/** Until every listing shows what it should (true), or until nothing has been written to any for a while: then it is judged as it is. */
async function untilShown({ levels, stores, sandbox, thresholds, signal }: Showing): Promise<boolean> {
  const last = new Map(stores.map(({ name }) => [name, 0]));
  let writtenAt = Date.now();
  while (Date.now() - writtenAt < stallSeconds * 1000) {
    if (deviations(levels, stores, await shownBy(sandbox, stores), thresholds).length === 0) return true;
    for (const store of last.keys()) {
      for await (const { number } of sandbox.allWrites(store, last.get(store))) {
        last.set(store, number);
        writtenAt = Date.now();
      }
    }
    await delay(1_000, undefined, signal ? { signal } : {});
  }
  return false;
}

async function shownBy(sandbox: SandboxControl, stores: readonly Store[]): Promise<Shown[]> {
  const shown: Shown[] = [];
  for (const { name: store } of stores)
    for await (const { sku, available } of sandbox.allQuantities(store)) shown.push({ store, sku, available });
  return shown;
}

async function logsOf(sandbox: SandboxControl, stores: readonly string[]) {
  const sales: (Sale & { store: string })[] = [];
  const writes: (AppliedWrite & { store: string })[] = [];
  for (const store of stores) {
    for await (const sale of sandbox.allSales(store)) sales.push({ ...sale, store });
    for await (const write of sandbox.allWrites(store)) writes.push({ ...write, store });
  }
  return { sales, writes };
}

/** A shop that sells many orders at once stamps them ahead of its clock; none was sold later than the shop had answered. */
const soldAt = (sales: readonly (Sale & { store: string })[], answered: Answered) =>
  sales.map((sale) => ({ ...sale, at: Math.min(sale.at, answered.get(sale.store)?.get(sale.order) ?? Infinity) }));

const tellEveryMilliseconds = 5_000;

function createProgress(plan: Plan, movements: () => number, say: (line: string) => void) {
  let orders = 0;
  let lines = 0;
  let toldAt = Date.now();
  const tell = () => {
    if (Date.now() - toldAt < tellEveryMilliseconds) return;
    toldAt = Date.now();
    say(`  ${orders}/${plan.orders} orders, ${lines}/${plan.lines} lines played, ${movements()}/${plan.movements} movements`);
  };
  return {
    tell,
    played(moreOrders: number, moreLines: number) {
      orders += moreOrders;
      lines += moreLines;
      tell();
    },
  };
}

/** Works on all of them, so many at once; the first failure ends it. */
async function eachOf<T>(items: readonly T[], most: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items.values();
  await Promise.all(
    Array.from({ length: most }, async () => {
      for (const item of left) await work(item);
    }),
  );
}

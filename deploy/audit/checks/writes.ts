import type { AppliedWrite, Call, CallItem, Facts, Finding, LedgerRow, Listing, Sale, Version } from '../facts.ts';
import { groupBy, joinKey } from '../keys.ts';
import { quantityFor } from '../policy.ts';
import { compareVersions, printVersion } from '../versions.ts';

/** A write, and what the call that it was part of wanted of the listing. */
interface Explained {
  readonly write: AppliedWrite;
  readonly item: CallItem;
}

/**
 * I4: each write that a marketplace applied is explained by a call that its connector had recorded, with its quantity, which is what the ledger
 * row of its version makes; and on every listing versions only rise, in the order in which the marketplace applied them. A call whose end nobody
 * knew may be applied late: then something at least as new as what it undid must follow. `trusted`: whether a SKU's ledger is in order.
 */
export function checkWrites(facts: Facts, trusted: (key: string) => boolean): Finding[] {
  const calls = new Map(facts.calls.map((call) => [call.idempotencyKey, call]));
  const listings = new Map(facts.listings.map((listing) => [listingKey(listing), listing]));
  const available = availableAt(facts, trusted);
  const sales = groupBy(facts.sales, listingKey);
  const claimed = new Set(
    facts.writes.filter((write) => explanationOf(write, calls).length > 0).map(({ idempotencyKey }) => idempotencyKey),
  );
  const unclaimed = facts.writes.filter((write) => isPartOf(write, calls.get(write.idempotencyKey)) || !claimed.has(write.idempotencyKey));
  // Two stores may have connected the same shop one after the other: each write is of the one whose call it was.
  const written = groupBy(unclaimed, listingKey);
  const perListing = [...written].flatMap(([key, writes]) => {
    const listing = listings.get(key);
    const inOrder = joined(writes.toSorted((one, other) => one.number - other.number));
    const soldUnseen = (write: AppliedWrite) =>
      listing?.comparesAndSets === false ? soldDuring(calls.get(write.idempotencyKey), write, sales.get(key) ?? []) : 0;
    const explained = inOrder.flatMap((write) => explanationOf(write, calls)).filter((found) => !isKeptAsRead(found, soldUnseen));
    const faults = [
      ...inOrder.flatMap((write) => faultOfExplanation(write, calls, facts.callsKeptSince, soldUnseen)),
      ...explained.flatMap((found) => faultOfQuantity(found, listing, available, soldUnseen)),
      ...outOfOrder(explained),
    ];
    return faults.map((fault) => findingOf(fault, listing));
  });
  return [...perListing, ...neverApplied(facts, listings)];
}

const listingKey = ({ tenant, store, listing }: { readonly tenant: string; readonly store: string; readonly listing: string }): string =>
  joinKey(tenant, store, listing);

/** What one call wrote in several steps is one write: from what it found to what it left. */
function joined(writes: readonly AppliedWrite[]): AppliedWrite[] {
  const found: AppliedWrite[] = [];
  for (const write of writes) {
    const last = found.at(-1);
    if (last?.idempotencyKey === write.idempotencyKey) found[found.length - 1] = { ...write, before: last.before };
    else found.push(write);
  }
  return found;
}

interface Fault {
  readonly about: { readonly tenant: string; readonly store: string; readonly listing: string };
  readonly sku: string | null;
  readonly version?: Version;
  readonly sentence: string;
  readonly unsettled?: boolean;
}

function findingOf({ about, sku, version, sentence, unsettled }: Fault, listing: Listing | undefined): Finding {
  return {
    invariant: 'I4',
    tenant: about.tenant,
    sku: sku ?? listing?.sku ?? undefined,
    listing: `${about.store}/${about.listing}`,
    version: version && printVersion(version),
    sentence,
    unsettled,
  };
}

const isPartOf = (write: AppliedWrite, call: Call | undefined): call is Call =>
  call !== undefined && call.tenant === write.tenant && call.store === write.store;

function explanationOf(write: AppliedWrite, calls: ReadonlyMap<string, Call>): Explained[] {
  const call = calls.get(write.idempotencyKey);
  if (!isPartOf(write, call)) return [];
  const item = call.items.find(({ listing }) => listing === write.listing);
  return item ? [{ write, item }] : [];
}

/** Clocks of connector and marketplace differ by no more, where there is nothing to compare and set with. */
const clocksDifferMilliseconds = 2_000;

/**
 * Units that a listing sold while a call was made: where the marketplace compares nothing itself, what is sold between the connector's last look and
 * its write is undone, until its order is read. No connector can help that.
 */
function soldDuring(call: Call | undefined, { salesCounter }: AppliedWrite, sales: readonly Sale[]): number {
  if (!call) return 0;
  const meanwhile = sales.filter(({ number, at }) => number <= salesCounter && at >= call.startedAt - clocksDifferMilliseconds);
  return meanwhile.reduce((sum, { quantity }) => sum + quantity, 0);
}

/** Whether a difference is no more than what was sold meanwhile, or given back. */
const isWithin = (difference: number, sold: number) =>
  sold >= 0 ? difference >= 0 && difference <= sold : difference < 0 && difference >= sold;

/** One variant of a listing that is written as a whole can be refused, and goes out with the others as it was read. */
const isKeptAsRead = ({ write, item }: Explained, soldUnseen: (write: AppliedWrite) => number): boolean =>
  item.outcome === 'rejected' && write.after !== item.quantity && isWithin(write.after - write.before, soldUnseen(write));

/** A marketplace that takes whole listings is also told what stays as it is: such a write changes nothing. */
function faultOfExplanation(
  write: AppliedWrite,
  calls: ReadonlyMap<string, Call>,
  keptSince: number,
  soldUnseen: (write: AppliedWrite) => number,
): Fault[] {
  const { number, idempotencyKey, before, after, at } = write;
  const what = `write ${number} (${before} to ${after})`;
  const call = calls.get(idempotencyKey);
  if (!isPartOf(write, call)) {
    if (at < keptSince) return [];
    return [{ about: write, sku: null, sentence: `${what} is explained by no call of its connector: its key is ${idempotencyKey}` }];
  }
  if (call.items.some(({ listing }) => listing === write.listing) || isWithin(after - before, soldUnseen(write))) return [];
  return [{ about: write, sku: null, sentence: `${what} was made by the call ${idempotencyKey}, which does not name the listing` }];
}

type AvailableAt = (tenant: string, sku: string, version: Version) => number | null;

function faultOfQuantity(
  { write, item }: Explained,
  listing: Listing | undefined,
  available: AvailableAt,
  soldUnseen: (write: AppliedWrite) => number,
): Fault[] {
  const { sku, version, quantity, expected } = item;
  const fault = (sentence: string): Fault[] => [{ about: write, sku, version, sentence: `write ${write.number} ${sentence}` }];
  if (write.after !== quantity) return fault(`made it ${write.after}, but its call says ${quantity}`);
  if (expected !== null && write.before + Math.max(0, soldUnseen(write)) < expected)
    return fault(`was applied to ${write.before}, where ${expected} was expected: it undid a sale that nobody had seen`);
  const level = sku === null ? null : available(write.tenant, sku, version);
  if (level === null || !listing) return [];
  const due = quantityFor(level, listing.maximumQuantity);
  return quantity === due ? [] : fault(`made it ${quantity}, but Available was ${level} at its version, which makes ${due}`);
}

/** Available after the ledger row of a version; null where that cannot be said. */
function availableAt({ ledgers }: Facts, trusted: (key: string) => boolean): AvailableAt {
  const rows = new Map<string, LedgerRow>();
  for (const { aggregate, entries } of ledgers)
    if (trusted(aggregate)) for (const { sequence, data } of entries) rows.set(`${aggregate} ${sequence}`, data);
  return (tenant, sku, { epoch, sequence }) => {
    const row = rows.get(`${joinKey(tenant, sku)} ${sequence}`);
    return row && row.epoch === epoch ? row.after.available : null;
  };
}

/** Writes that carried an older version than one before them. */
function outOfOrder(writes: readonly Explained[]): Fault[] {
  let highest: Explained | null = null;
  const faults: Fault[] = [];
  for (const [place, found] of writes.entries()) {
    const { item, write } = found;
    if (!highest || compareVersions(item.version, highest.item.version) >= 0) {
      highest = found;
      continue;
    }
    const { version } = highest.item;
    const corrected = writes.slice(place + 1).some((later) => compareVersions(later.item.version, version) >= 0);
    const late = item.outcome !== 'applied';
    if (late && corrected) continue;
    const sentence = `write ${write.number} carried it after write ${highest.write.number} had carried ${printVersion(version)}: a stale push`;
    faults.push({ about: write, sku: item.sku, version: item.version, sentence, unsettled: late });
  }
  return faults;
}

/** Calls that their connector takes for applied, and the marketplace never applied. */
function neverApplied({ calls, writes }: Facts, listings: ReadonlyMap<string, Listing>): Finding[] {
  const applied = new Set(writes.map((write) => joinKey(listingKey(write), write.idempotencyKey)));
  return calls.flatMap(({ tenant, store, idempotencyKey, items }) =>
    items.flatMap(({ listing, sku, version, outcome }) => {
      const about = { tenant, store, listing };
      const key = listingKey(about);
      const known = listings.get(key);
      if (outcome !== 'applied' || !known?.shown || applied.has(joinKey(key, idempotencyKey))) return [];
      const sentence = `the call ${idempotencyKey} is recorded as applied, but its marketplace has no such write`;
      return [findingOf({ about, sku, version, sentence, unsettled: true }, known)];
    }),
  );
}

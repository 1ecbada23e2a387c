import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { audit } from '../audit.ts';
import type { Facts, Quantities } from '../facts.ts';
import { printFinding } from '../report.ts';
import { createMadeUpSystem, type Breakable, type MadeUpSystem } from './made-up.ts';

const stores = ['north', 'south'] as const;
const aSku = fc.constantFrom('cup', 'a/b');
const units = fc.integer({ min: 1, max: 12 });
const thresholds = fc.record({
  realTimeAtOrBelow: fc.option(fc.integer({ min: 0, max: 30 })),
  significantUnits: fc.option(fc.integer({ min: 1, max: 8 })),
  everyNth: fc.option(fc.integer({ min: 1, max: 4 })),
});

type Happening = (shop: MadeUpSystem) => void;
const happening: fc.Arbitrary<Happening> = fc.oneof(
  fc.tuple(aSku, fc.integer({ min: 0, max: 60 })).map(
    ([sku, onHand]) =>
      (shop: MadeUpSystem) =>
        shop.setStock(sku, onHand),
  ),
  fc.tuple(aSku, fc.integer({ min: 0, max: 60 })).map(
    ([sku, onHand]) =>
      (shop: MadeUpSystem) =>
        shop.setStock(sku, onHand, 'return'),
  ),
  fc.tuple(aSku, fc.constantFrom(...stores), units).map(
    ([sku, store, quantity]) =>
      (shop: MadeUpSystem) =>
        void shop.sell(sku, store, quantity),
  ),
  fc.tuple(fc.nat(), fc.constantFrom('ship', 'unship', 'shippedElsewhere', 'batch', 'unbatch', 'cancel', 'putBack')).map(
    ([pick, what]) =>
      (shop: MadeUpSystem) =>
        shop[what](pickOf(shop.orders(), pick)),
  ),
  fc.tuple(fc.nat(), fc.nat({ max: 3 })).map(
    ([pick, missing]) =>
      (shop: MadeUpSystem) =>
        shop.pick(pickOf(shop.orders(), pick), missing),
  ),
  fc.tuple(aSku, units).map(
    ([sku, quantity]) =>
      (shop: MadeUpSystem) =>
        shop.receive(sku, quantity),
  ),
  fc.tuple(aSku, fc.option(fc.nat({ max: 20 }))).map(
    ([sku, lowStockAtOrBelow]) =>
      (shop: MadeUpSystem) =>
        shop.setProduct(sku, { title: sku, lowStockAtOrBelow }),
  ),
  fc.tuple(aSku, fc.boolean()).map(
    ([sku, enabled]) =>
      (shop: MadeUpSystem) =>
        shop.turnSync(sku, enabled),
  ),
  thresholds.map((policy) => (shop: MadeUpSystem) => shop.setTenantPolicy(policy)),
  fc.tuple(aSku, thresholds).map(
    ([sku, policy]) =>
      (shop: MadeUpSystem) =>
        shop.setPolicy(sku, policy),
  ),
);

/** A life of two SKUs in which nothing is missing that a mutation could want: counted, sold, shipped, and synced at the end. */
const history: fc.Arbitrary<Breakable<Facts>> = fc.tuple(thresholds, fc.array(happening, { maxLength: 25 })).map(([policy, happenings]) => {
  const shop = createMadeUpSystem(policy);
  for (const sku of ['cup', 'a/b']) {
    shop.list(sku);
    shop.setStock(sku, 30);
    shop.ship(shop.sell(sku, 'north', 2));
    const order = shop.sell(sku, 'south', 4);
    shop.batch(order);
    shop.pick(order, 1);
    shop.receive(sku, 7);
  }
  for (const happen of happenings) happen(shop);
  for (const sku of ['cup', 'a/b']) shop.turnSync(sku, true);
  return shop.facts();
});

type Facts_ = Breakable<Facts>;
/** Breaks one thing; `pick` chooses which, `by` by how much. */
type Mutation = (facts: Facts_, pick: number, by: number) => void;

function pickOf<Item>(items: readonly Item[], pick: number): Item {
  const item = items[Math.abs(pick) % items.length];
  if (item === undefined) throw new Error('the history has nothing to break here');
  return item;
}
const remove = (items: unknown[], pick: number) => void items.splice(pick % items.length, 1);
const rows = (facts: Facts_) => facts.ledgers.flatMap(({ entries }) => entries.map(({ data }) => data));
const decisions = (facts: Facts_) => facts.policies.flatMap(({ entries }) => entries.map(({ data }) => data));
const toldTwice = <Item extends { key: string }>(records: Item[]) =>
  records.filter(({ key }, place) => records.slice(place + 1).some((later) => later.key === key));
/** Writes after which something newer was written to the same listing. */
const staleWrites = (facts: Facts_) => {
  const versionOf = ({ idempotencyKey }: (typeof facts.writes)[number]) =>
    JSON.stringify(facts.calls.find((call) => call.idempotencyKey === idempotencyKey)?.items[0]?.version);
  return facts.writes.filter((write) => {
    const last = facts.writes.findLast(({ store, listing }) => store === write.store && listing === write.listing);
    return last !== undefined && versionOf(last) !== versionOf(write);
  });
};
const measure = (pick: number): keyof Quantities => pickOf(['onHand', 'orderReserve', 'batchReserve', 'available'], pick);
const value = <Value>({ value: told }: { value: Value | null }): Value => {
  if (told === null) throw new Error('a tombstone');
  return told;
};

const mutations: Record<string, Mutation> = {
  'a record of a movement is lost': (facts, pick) => remove(facts.movements, pick),
  'a document of the ledger is lost': (facts, pick) => remove(facts.ledgers, pick),
  'a document of the reservations is lost': (facts, pick) => remove(facts.reservations, pick),
  'a document of the decisions is lost': (facts, pick) => remove(facts.policies, pick),
  'what is left is wrong in a row': (facts, pick, by) => void (pickOf(rows(facts), pick).after[measure(by)] += by),
  'a change is wrong in a row': (facts, pick, by) => void (pickOf(rows(facts), pick).change[measure(by)] += by),
  'what is left is wrong in a record': (facts, pick, by) => void (value(pickOf(facts.movements, pick)).after[measure(by)] += by),
  'a change is wrong in a record': (facts, pick, by) => void (value(pickOf(facts.movements, pick)).change[measure(by)] += by),
  'a row is wrong in journal and topic alike': (facts, pick, by) => {
    const record = pickOf(facts.movements, pick);
    const row = value(record);
    const own = facts.ledgers.filter(({ aggregate }) => aggregate === record.key).flatMap(({ entries }) => entries);
    for (const told of [
      row,
      pickOf(
        own.filter(({ sequence }) => sequence === row.sequence),
        0,
      ).data,
    ]) {
      told.after.onHand += by;
      told.after.available += by;
    }
  },
  'a row forgets that it is a count': (facts, pick) => {
    const row = pickOf(rows(facts), pick);
    row.counted = !row.counted;
  },
  'a row is numbered otherwise': (facts, pick, by) => {
    const entry = pickOf(
      facts.ledgers.flatMap(({ entries }) => entries),
      pick,
    );
    entry.sequence += by;
    entry.data.sequence += by;
  },
  'a row has the cause of another': (facts, pick) => {
    const { entries } = pickOf(
      facts.ledgers.filter((document) => document.entries.length > 1),
      pick,
    );
    const [first, second] = entries as [(typeof entries)[0], (typeof entries)[0]];
    second.cause = first.cause;
    second.data.cause = first.cause;
  },
  'a cause is not indexed': (facts, pick) => remove(pickOf(facts.ledgers, pick).causes, pick),
  'a record is published again with other bytes': (facts, pick) =>
    void facts.movements.push({ ...structuredClone(pickOf(facts.movements, pick)), digest: 'another' }),
  'a reservation has another quantity': (facts, pick, by) => {
    const effects = facts.reservations.flatMap(({ entries }) => entries.flatMap(({ data }) => (data.effect ? [data.effect] : [])));
    pickOf(effects, pick).quantity += by;
  },
  'a reservation takes from the other reserve': (facts, pick, by) => {
    const effects = facts.reservations.flatMap(({ entries }) =>
      entries.flatMap(({ data: { effect } }) => (effect?.kind === 'autoPicked' ? [effect] : [])),
    );
    pickOf(effects, pick).fromBatchReserve += by;
  },
  'a command to reservation is not indexed': (facts, pick) => {
    const commands = facts.reservations.filter(({ causes }) => causes.length > 0);
    remove(pickOf(commands, pick).causes, pick);
  },
  'a step of a purchase order is lost': (facts, pick) => remove(pickOf(facts.purchases, pick).entries, pick),
  'a purchase order has put away other units': (facts, pick, by) => {
    const steps = facts.purchases.flatMap(({ entries }) => entries.map(({ data }) => data));
    pickOf(pickOf(steps, pick).putAway, 0).quantity += by;
  },
  'an old purchase order comes last': (facts, pick) =>
    void facts.purchaseOrders.push(structuredClone(pickOf(toldTwice(facts.purchaseOrders), pick))),
  'a movement has another type': (facts, pick) => {
    const row = pickOf(rows(facts), pick);
    row.type = row.type === 'OrderReserve' ? 'BatchReserve' : 'OrderReserve';
  },
  'a reservation is for another SKU': (facts, pick) => {
    const effects = facts.reservations.flatMap(({ entries }) => entries.flatMap(({ data }) => (data.effect ? [data.effect] : [])));
    pickOf(effects, pick).sku += '-other';
  },
  'an order has changed since reservation saw it': (facts, pick) => void (value(pickOf(facts.orderEvents, pick)).sequence += 100),
  'a level is published again with other bytes': (facts, pick) => {
    const last = pickOf(['default/cup', 'default/a%2Fb'], pick);
    const level = facts.levels.findLast(({ key }) => key === last);
    if (level) facts.levels.push({ ...structuredClone(level), digest: 'another' });
  },
  'an old level comes last': (facts, pick) => void facts.levels.push(structuredClone(pickOf(toldTwice(facts.levels), pick))),
  'an old order comes last': (facts, pick) => void facts.orderEvents.push(structuredClone(pickOf(toldTwice(facts.orderEvents), pick))),
  'an old push request comes last': (facts, pick) =>
    void facts.pushRequests.push(structuredClone(pickOf(toldTwice(facts.pushRequests), pick))),
  'a level is wrong': (facts, pick, by) => {
    const last = pickOf(['cup', 'a%2Fb'], pick);
    value(facts.levels.findLast(({ key }) => key.endsWith(last)) ?? { value: null }).quantities[measure(by)] += by;
  },
  'a level names another product': (facts, pick) => {
    const last = pickOf(['cup', 'a%2Fb'], pick);
    value(facts.levels.findLast(({ key }) => key.endsWith(last)) ?? { value: null }).product.title += '?';
  },
  'a level has units at another location': (facts, pick, by) => {
    const last = pickOf(['cup', 'a%2Fb'], pick);
    value(facts.levels.findLast(({ key }) => key.endsWith(last)) ?? { value: null }).locations['elsewhere'] = by;
  },
  'an incident has the wrong state': (facts, _pick, by) => {
    const key = 'default/oversold/cup';
    const open = !(facts.incidents.findLast((record) => record.key === key)?.value?.open ?? false);
    facts.incidents.push({ key, id: '', digest: '', value: { sequence: 1_000 + by, open } });
  },
  'a decision is turned round': (facts, pick) => {
    const decision = pickOf(decisions(facts), pick);
    decision.decision = decision.decision === 'push' ? 'held' : 'push';
  },
  'a movement is held for another reason': (facts, pick) => {
    const decision = pickOf(
      decisions(facts).filter(({ trigger }) => trigger.kind === 'movement'),
      pick,
    );
    decision.reason = decision.reason === 'throttled' ? 'available_unchanged' : 'throttled';
  },
  'a decision was made with other thresholds': (facts, pick, by) => {
    const { thresholds: used } = pickOf(decisions(facts), pick);
    used.realTimeAtOrBelow = (used.realTimeAtOrBelow ?? 0) + by;
  },
  'a decision has forgotten a change of settings': (facts, pick) => void (pickOf(decisions(facts), pick).settings += 1),
  'a write is explained by no call': (facts, pick) => void (pickOf(facts.writes, pick).idempotencyKey = 'somebody else'),
  'a call does not name what it wrote': (facts, pick) => {
    const changing = new Set(facts.writes.filter(({ before, after }) => before !== after).map(({ idempotencyKey }) => idempotencyKey));
    pickOf(
      facts.calls.filter(({ idempotencyKey }) => changing.has(idempotencyKey)),
      pick,
    ).items.length = 0;
  },
  'a write carried another quantity than its call': (facts, pick, by) => void (pickOf(facts.writes, pick).after += by),
  'a call carried another quantity than its version had': (facts, pick, by) => {
    const { idempotencyKey, after } = pickOf(facts.writes, pick);
    for (const write of facts.writes) if (write.idempotencyKey === idempotencyKey) write.after += by;
    const item = facts.calls.find((call) => call.idempotencyKey === idempotencyKey)?.items[0];
    if (item) item.quantity = after + by;
  },
  'a write undid a sale that nobody had seen': (facts, pick, by) => void (pickOf(facts.writes, pick).before -= Math.abs(by)),
  'an old write was applied once more': (facts, pick) => {
    const old = pickOf(staleWrites(facts), pick);
    facts.writes.push({ ...structuredClone(old), number: 1_000_000 });
  },
  'two writes were applied in the other order': (facts, pick) => {
    const old = pickOf(staleWrites(facts), pick);
    const later = facts.writes.findLast(({ store, listing }) => store === old.store && listing === old.listing)!;
    [old.number, later.number] = [later.number, old.number];
  },
  'a call is recorded as applied, and was not': (facts, pick) => remove(facts.writes, pick),
  'a listing shows another quantity': (facts, pick, by) => void (pickOf(facts.listings, pick).shown!.quantity += by),
  'another quantity was written': (facts, pick, by) => void (pickOf(facts.listings, pick).shown!.lastWrite!.quantity += by),
  'the marketplace has sold more': (facts, pick, by) => void (pickOf(facts.listings, pick).shown!.soldSince += by),
  'the marketplace never applied a write': (facts, pick) => void (pickOf(facts.listings, pick).shown!.lastWrite = null),
  'the marketplace does not know the listing': (facts, pick) => void (pickOf(facts.listings, pick).shown = null),
  'a listing confirms another quantity': (facts, pick, by) => void (pickOf(facts.listings, pick).confirmed!.quantity += by),
  'a listing confirms an older version': (facts, pick) => void (pickOf(facts.listings, pick).confirmed!.version.sequence -= 1),
  'a listing wants an older version': (facts, pick) => void (pickOf(facts.listings, pick).wanted!.version.sequence -= 1),
  'a listing wants nothing': (facts, pick) => void (pickOf(facts.listings, pick).wanted = null),
  'a listing was mapped again': (facts, pick) => void (pickOf(facts.listings, pick).mapping += 1),
  'a listing shows another SKU': (facts, pick) => void (pickOf(facts.listings, pick).sku += '-other'),
  'the last write carried another version': (facts, pick) => {
    const { lastWrite } = pickOf(facts.listings, pick).shown!;
    pickOf(
      facts.calls.filter(({ idempotencyKey }) => idempotencyKey === lastWrite?.idempotencyKey),
      0,
    ).items[0]!.version.sequence -= 1;
  },
};

const step = fc.integer({ min: -3, max: 3 }).filter((by) => by !== 0);

describe('whatever happens in a shop', () => {
  test('the auditor says nothing while all goes well', () => {
    fc.assert(
      fc.property(history, (facts) => expect(audit(facts).violations.map(printFinding)).toEqual([])),
      { numRuns: 100 },
    );
  });

  test.each(Object.entries(mutations))('the auditor finds it when %s', (_name, mutate) => {
    fc.assert(
      fc.property(history, fc.nat(), step, (facts, pick, by) => {
        mutate(facts, pick, by);
        expect(audit(facts).violations).not.toEqual([]);
      }),
      { numRuns: 25 },
    );
  });
});

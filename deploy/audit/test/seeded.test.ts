import { describe, expect, test } from '@jest/globals';
import { audit } from '../audit.ts';
import type { Facts } from '../facts.ts';
import { joinKey } from '../keys.ts';
import { printFinding } from '../report.ts';
import { createMadeUpSystem, type Breakable, type MadeUpSystem } from './made-up.ts';

/** A cup and a plate on two stores: counted, sold, shipped, cancelled, oversold and counted again. */
function aDayInTheShop(): Breakable<Facts> {
  const shop = createMadeUpSystem({ realTimeAtOrBelow: 20, significantUnits: 5, everyNth: 3 });
  for (const sku of ['cup', 'plate/blue']) {
    shop.list(sku);
    shop.setStock(sku, 40);
    shop.ship(shop.sell(sku, 'north', 1));
    shop.cancel(shop.sell(sku, 'south', 2));
    shop.sell(sku, 'south', 1);
    shop.setStock(sku, 12);
    shop.sell(sku, 'north', 15);
    shop.setStock(sku, 30);
    shop.ship(shop.sell(sku, 'north', 3));
    aDayInTheWarehouse(shop, sku);
  }
  return shop.facts();
}

/** Batched, picked short, taken out again, shipped by the marketplace, voided, cancelled after the pick and put back; and units received. */
function aDayInTheWarehouse(shop: MadeUpSystem, sku: string): void {
  const [short, voided, cancelled] = [shop.sell(sku, 'north', 3), shop.sell(sku, 'south', 2), shop.sell(sku, 'south', 2)];
  shop.batch(short);
  shop.pick(short, 1);
  shop.batch(short);
  shop.unbatch(short);
  shop.batch(short);
  shop.shippedElsewhere(short);
  shop.ship(voided);
  shop.unship(voided);
  shop.batch(cancelled);
  shop.pick(cancelled);
  shop.cancel(cancelled);
  shop.putBack(cancelled);
  shop.receive(sku, 5);
  shop.setProduct(sku, { title: 'A cup', lowStockAtOrBelow: 50 });
}

const found = (facts: Facts) => audit(facts).violations.map(printFinding);
const cup = joinKey('default', 'cup');
const must = <Value>(value: Value | null | undefined): Value => {
  if (value === null || value === undefined) throw new Error('the made-up system lacks what the test wants to break');
  return value;
};
const rowsOf = (facts: Breakable<Facts>, key = cup) =>
  facts.ledgers.filter(({ aggregate }) => aggregate === key).flatMap(({ entries }) => entries.map(({ data }) => data));
const recordOf = (facts: Breakable<Facts>, sequence: number, key = cup) =>
  must(facts.movements.find((record) => record.key === key && record.value?.sequence === sequence));
/** Reservation has never heard of it. */
function forget(facts: Breakable<Facts>, event: string): void {
  for (const { aggregate, entries } of facts.reservations)
    for (const { sequence, data } of entries) if (event === `reservation/${aggregate}/${sequence}/cup`) data.effect = null;
}

/** The ledger names another cause, in journal and topic alike. */
function rename(facts: Breakable<Facts>, from: string, to: string): void {
  const name = (named: { cause: string }) => void (named.cause = named.cause === from ? to : named.cause);
  for (const document of facts.ledgers) {
    document.causes = document.causes.map((cause) => (cause === from ? to : cause));
    for (const entry of document.entries) [entry, entry.data].forEach(name);
  }
  for (const { value } of facts.movements) if (value) name(value);
}

const writesOfCup = (facts: Breakable<Facts>) => facts.writes.filter(({ listing }) => listing === 'item-cup-south');
const cupAtSouth = (facts: Breakable<Facts>) => must(facts.listings.find(({ sku, store }) => sku === 'cup' && store === 'south'));

describe('the auditor', () => {
  test('says nothing about a day on which all went well', () => {
    const { violations, unjudged, counted } = audit(aDayInTheShop());
    expect([violations, unjudged]).toEqual([[], []]);
    expect(counted).toMatchObject({ listings: 4, orders: 16 });
  });

  test('finds a movement that was dropped on its way to the topic', () => {
    const facts = aDayInTheShop();
    facts.movements.splice(facts.movements.indexOf(recordOf(facts, 4)), 1);
    expect(found(facts)).toEqual(['I1 tenant default, SKU cup, version 4: row 4 is in the journal, but not in the topic: a lost record.']);
  });

  test('finds a movement that was dropped from the ledger itself', () => {
    const facts = aDayInTheShop();
    const document = must(facts.ledgers.find(({ aggregate, from, to }) => aggregate === cup && from <= 5 && to >= 5));
    document.entries = document.entries.filter(({ sequence }) => sequence !== 5);
    expect(found(facts)).toEqual(['I1 tenant default, SKU cup, version 5: row 5 is missing from the journal.']);
  });

  test('finds a movement that was made twice', () => {
    const facts = aDayInTheShop();
    const document = must(facts.ledgers.findLast(({ aggregate }) => aggregate === cup));
    const last = must(document.entries.at(-1));
    const { data } = last;
    const sequence = last.sequence + 1;
    const after = { ...data.after };
    for (const measure of ['onHand', 'orderReserve', 'batchReserve', 'available'] as const) after[measure] += data.change[measure];
    const again = { ...data, sequence, after, locationOnHand: after.onHand };
    facts.ledgers.push({
      aggregate: cup,
      from: sequence,
      to: sequence,
      causes: [data.cause],
      entries: [{ sequence, cause: data.cause, data: again }],
    });
    facts.movements.push({ key: cup, id: `stock/${cup}/${sequence}`, digest: 'another', value: again });
    expect(found(facts)).toEqual([
      `I2 tenant default, SKU cup, version ${sequence}: in the journal of stock, ${data.cause} has an effect twice: entries ${last.sequence} and ${sequence}.`,
    ]);
  });

  test('finds a movement that was published again with other bytes', () => {
    const facts = aDayInTheShop();
    const again = structuredClone(recordOf(facts, 4));
    facts.movements.push({ ...again, digest: 'another' });
    expect(found(facts)).toEqual([
      'I1 tenant default, SKU cup, version 4: row 4 was published again with other bytes (stock/default/cup/4, then stock/default/cup/4).',
    ]);
  });

  test('finds nothing wrong with a movement that was published again as it was', () => {
    const facts = aDayInTheShop();
    facts.movements.push(structuredClone(recordOf(facts, 4)));
    expect(found(facts)).toEqual([]);
  });

  test('finds two movements that changed places', () => {
    const facts = aDayInTheShop();
    for (const [one, other] of [[3, 4] as const]) {
      const swap = (first: { data: (typeof facts.ledgers)[0]['entries'][0]['data'] }, second: typeof first) => {
        [first.data, second.data] = [
          { ...second.data, sequence: first.data.sequence },
          { ...first.data, sequence: second.data.sequence },
        ];
      };
      const entries = facts.ledgers.filter(({ aggregate }) => aggregate === cup).flatMap((document) => document.entries);
      const [first, second] = [
        must(entries.find(({ sequence }) => sequence === one)),
        must(entries.find(({ sequence }) => sequence === other)),
      ];
      swap(first, second);
      recordOf(facts, one).value = structuredClone(first.data);
      recordOf(facts, other).value = { ...structuredClone(second.data), sequence: other };
    }
    const [line, ...others] = found(facts);
    expect(line).toMatch(
      /^I1 tenant default, SKU cup, version 3: row 3 does not follow from the one before: On Hand was 40 and changed by 0, which makes 40, but it says 39; likewise row 4, 5\.$/,
    );
    expect(others).toEqual([]);
  });

  test('finds a sum that is wrong', () => {
    const facts = aDayInTheShop();
    for (const row of [must(rowsOf(facts)[4]), must(recordOf(facts, 5).value)]) row.after.available += 1;
    expect(found(facts)).toEqual([
      expect.stringMatching(
        /^I1 tenant default, SKU cup, version 5: row 5 is wrong: Available \d+ is not On Hand \d+ − Order Reserve \d+ − Batch Reserve 0\.$/,
      ),
    ]);
  });

  test('finds a ledger row that says something else in the topic', () => {
    const facts = aDayInTheShop();
    const { after } = must(recordOf(facts, 2).value);
    after.onHand += 1;
    after.available += 1;
    expect(found(facts)).toEqual([
      'I1 tenant default, SKU cup, version 2: row 2 is not the same in journal and topic: On Hand left: 40 in the journal, 41 in the topic.',
    ]);
  });

  test('finds a reservation that never reached the ledger', () => {
    const facts = aDayInTheShop();
    const order = joinKey('default', 'south', 'lost');
    const effect = { kind: 'reserved' as const, sku: 'cup', quantity: 2, fromBatchReserve: 0, batch: null, label: null, reverses: null };
    facts.orders.push({
      aggregate: order,
      from: 1,
      to: 1,
      causes: ['a'],
      entries: [{ sequence: 1, cause: 'a', data: { changed: true, unmapped: false } }],
    });
    facts.orderEvents.push({ key: order, id: `order/${order}/1`, digest: '', value: { sequence: 1 } });
    facts.reservations.push({
      aggregate: order,
      from: 1,
      to: 1,
      causes: [],
      entries: [{ sequence: 1, cause: `order/${order}/1`, data: { effect } }],
    });
    expect(found(facts)).toEqual([
      'I3 tenant default, SKU cup, version 1: the reservation reservation/default/south/lost/1/cup (reserved 2 for order south/lost) has not reached the ledger: a lost reservation.',
    ]);
    expect(audit({ ...facts, quiet: false })).toMatchObject({ violations: [], unjudged: [{ invariant: 'I3', sku: 'cup' }] });
  });

  test('finds an order whose newest state never reached reservation', () => {
    const facts = aDayInTheShop();
    const document = must(facts.orders[0]);
    document.entries.push({ sequence: document.to + 1, cause: 'edited', data: { changed: true, unmapped: false } });
    document.causes.push('edited');
    document.to += 1;
    const sequence = document.to;
    facts.orderEvents.push({ key: document.aggregate, id: `order/${document.aggregate}/${sequence}`, digest: '', value: { sequence } });
    expect(found(facts)).toEqual([
      expect.stringMatching(
        /^I3 tenant default, order north\/order-\d+, version 3: the order's newest state, sequence 3, has not reached reservation\.$/,
      ),
    ]);
  });

  test('finds units in reserve that no order holds', () => {
    const facts = aDayInTheShop();
    const row = must(rowsOf(facts).find(({ type }) => type === 'OrderReserve'));
    forget(facts, row.cause);
    rename(facts, row.cause, 'somebody');
    expect(found(facts)).toContainEqual(
      expect.stringMatching(/^I3 .* SKU cup, .* \d+ units are reserved for orders, but the ledger holds \d+ in Order Reserve\.$/),
    );
  });

  test.each([
    ['assigned', 'quantity', /row \d+ changed Order Reserve by -\d+, but its cause .* \(assigned \d+ for order .*\) changes it by -\d+\.$/],
    ['missing', 'quantity', /row \d+ changed On Hand by -1, but its cause .* \(missing 2 for order .*\) changes it by -2\.$/],
    ['autoPicked', 'fromBatchReserve', /row \d+ changed Order Reserve by -1, but its cause .* \(autoPicked 1 .*\) changes it by 0\.$/],
  ] as const)('finds a ledger row that does otherwise than its reservation says: %s', (kind, field, sentence) => {
    const facts = aDayInTheShop();
    const effects = facts.reservations.flatMap(({ entries }) => entries.map(({ data }) => data.effect));
    must(effects.find((effect) => effect?.kind === kind))[field] += 1;
    expect(found(facts)).toContainEqual(expect.stringMatching(sentence));
  });

  test('finds a unit that was in two places: it is in a batch, and was never promised', () => {
    const facts = aDayInTheShop();
    const { aggregate, entries } = must(
      facts.reservations.find(({ entries: all }) => all.some(({ data }) => data.effect?.kind === 'assigned')),
    );
    must(must(entries.find(({ data }) => data.effect?.kind === 'reserved')).data.effect).quantity -= 1;
    expect(found(facts)).toContainEqual(
      expect.stringMatching(
        new RegExp(
          `^I3 .* order ${aggregate.slice('default/'.length)}, .* \\(assigned 3\\) it holds -1 units in Order Reserve: a unit was in two places\\.$`,
        ),
      ),
    );
  });

  test.each([
    ['BatchReserve', 'moves units from the Order Reserve into the Batch Reserve'],
    ['BatchRelease', 'moves units from the Batch Reserve into the Order Reserve'],
    ['BatchPick', 'takes the same units from On Hand and from the Batch Reserve'],
    ['PurchaseReceiving', 'adds to On Hand alone'],
    ['ProductChange', 'changes no quantity'],
  ])('finds a row of type %s that moves what it may not', (type, words) => {
    const facts = aDayInTheShop();
    const row = must(rowsOf(facts).find((candidate) => candidate.type === type));
    const told = must(facts.movements.find(({ value }) => value?.cause === row.cause && value.sequence === row.sequence)).value;
    for (const { change } of [row, must(told)]) {
      change.onHand += 1;
      change.orderReserve += 1;
    }
    expect(found(facts)).toContainEqual(expect.stringContaining(`row ${row.sequence} is wrong: a movement of type ${type} ${words}, but`));
  });

  test('finds a deduction taken back that nobody had made', () => {
    const facts = aDayInTheShop();
    const row = must(rowsOf(facts).find(({ reverses }) => reverses !== null));
    for (const one of [row, must(must(facts.movements.find(({ value }) => value?.cause === row.cause)).value)]) one.reverses = 'nobody';
    expect(found(facts)).toContainEqual(
      expect.stringContaining(`row ${row.sequence} takes back the deduction nobody, which no row before it made`),
    );
  });

  test('finds units of a purchase order that were put away and never reached the ledger, and more than were', () => {
    const facts = aDayInTheShop();
    const step = must(facts.purchases[0]?.entries[0]);
    must(step.data.putAway[0]).quantity += 1;
    expect(found(facts)).toEqual([
      expect.stringMatching(
        /^I2 .* SKU cup, .* row \d+ \(PurchaseReceiving of 5 for po-1\) is not that 6 units of the purchase order po-1 \(.*\) were put away\.$/,
      ),
    ]);
    step.data.putAway.push({ sku: 'plate/blue', quantity: 3 });
    expect(found(facts)).toContainEqual(
      expect.stringMatching(
        /^I2 .* SKU plate\/blue: 3 units of the purchase order po-1 \(.*\) were put away, and never reached the ledger\.$/,
      ),
    );
    step.data.putAway.length = 0;
    expect(found(facts)).toContainEqual(expect.stringMatching(/^I2 .* SKU cup, .* row \d+ names a cause that purchasing never wrote/));
  });

  test('finds an incident that is open although nothing is wrong, and one that nobody was told of', () => {
    const facts = aDayInTheShop();
    const order = must(facts.orders[0]);
    const { entries } = order;
    for (const { data } of entries) data.unmapped = true;
    expect(found(facts)).toEqual([
      expect.stringMatching(/^heads .* order .*: order\.incidents\.v1 has no record of it, but the newest is open at step 1\.$/),
    ]);
    for (const { data } of entries) data.unmapped = false;
    const key = joinKey('default', 'selling_without_stock', joinKey('north', 'item'));
    facts.connectorIncidents.push({ key, id: '', digest: '', value: { sequence: 1, open: true } });
    facts.connectorIncidentDocuments.push({ key, sequence: 2, open: false });
    expect(found(facts)).toEqual([
      expect.stringMatching(
        /^heads .* listing north\/item, .* ends with open at turn 1 for it, but the newest is closed at turn 2 \(selling_without_stock\)\.$/,
      ),
    ]);
  });

  test('finds a stale push: an old version that was applied after a newer one', () => {
    const facts = aDayInTheShop();
    const [old] = writesOfCup(facts);
    facts.writes.push({ ...structuredClone(must(old)), number: 10_000 });
    expect(found(facts)).toContainEqual(
      expect.stringMatching(
        /^I4 tenant default, SKU cup, listing south\/item-cup-south, version 1\.1\.1\.0: write 10000 carried it after write \d+ had carried 1\.1\.\d+\.0: a stale push\.$/,
      ),
    );
  });

  test('does not take what a write of the whole listing only carried along for a push of its own', () => {
    const facts = aDayInTheShop();
    const listing = must(facts.listings.find(({ shown }) => shown?.lastWrite));
    const { tenant, store, listing: name } = listing;
    const shown = must(listing.shown);
    const isOfAnother = ({ items, ...call }: Facts['calls'][number]) =>
      call.store === store && items.every((item) => item.listing !== name);
    const { idempotencyKey } = must(facts.calls.find(isOfAnother));
    shown.quantity -= 1; // it has sold one, and that was carried along
    facts.writes.push({
      tenant,
      store,
      listing: name,
      number: 10_000,
      idempotencyKey,
      before: shown.quantity,
      after: shown.quantity,
      at: 10_000,
      salesCounter: 0,
    });
    Object.assign(shown, { lastWrite: { number: 10_000, idempotencyKey, quantity: shown.quantity }, soldSince: 0 });
    expect(found(facts).filter((line) => line.includes('write'))).toEqual([]);
  });

  test('finds two writes that were applied in the other order', () => {
    const facts = aDayInTheShop();
    const [first, second] = writesOfCup(facts).slice(-2).map(must);
    [must(first).number, must(second).number] = [must(second).number, must(first).number];
    expect(found(facts).filter((line) => line.startsWith('I4'))).toEqual([
      expect.stringMatching(/SKU cup, listing south.*: a stale push\.$/),
    ]);
  });

  test('forgives an old call that came late, if what it undid was written again', () => {
    const facts = aDayInTheShop();
    const [first, second] = writesOfCup(facts).slice(-3).map(must);
    [must(first).number, must(second).number] = [must(second).number, must(first).number];
    const late = must(facts.calls.find(({ idempotencyKey }) => idempotencyKey === first?.idempotencyKey)?.items[0]);
    for (const { idempotencyKey, items } of facts.calls)
      for (const item of items)
        if (idempotencyKey === first?.idempotencyKey || idempotencyKey === second?.idempotencyKey) item.expected = null;
    late.outcome = 'read_back';
    expect(found(facts)).toEqual([]);
    facts.writes.splice(facts.writes.indexOf(must(writesOfCup(facts).at(-1))), 1);
    expect(found(facts)).toContainEqual(expect.stringMatching(/^I4 .* SKU cup, .*: a stale push\.$/));
  });

  test('finds a write that no call explains', () => {
    const facts = aDayInTheShop();
    const [write] = writesOfCup(facts);
    must(write).idempotencyKey = 'somebody else';
    expect(found(facts)).toContainEqual(
      expect.stringMatching(
        /^I4 tenant default, SKU cup, listing south\/item-cup-south: write \d+ \(0 to 40\) is explained by no call of its connector: its key is somebody else\.$/,
      ),
    );
  });

  test('forgives what was sold during the call where the marketplace compares nothing itself, and no more', () => {
    const facts = aDayInTheShop();
    const write = must(writesOfCup(facts).at(-1));
    const { tenant, store, listing } = write;
    const call = must(facts.calls.find(({ idempotencyKey }) => idempotencyKey === write.idempotencyKey));
    call.startedAt = 1_000_000;
    write.before -= 2;
    facts.sales.push({ tenant, store, listing, number: write.salesCounter, quantity: 2, at: 1_000_000 });
    expect(found(facts).join()).toContain('it undid a sale that nobody had seen');
    cupAtSouth(facts).comparesAndSets = false;
    expect(found(facts)).toEqual([]);
    write.before -= 1;
    expect(found(facts).join()).toContain('it undid a sale that nobody had seen');
  });

  test('takes several steps of one call for one write, and lets what a call did not change be', () => {
    const facts = aDayInTheShop();
    const last = must(writesOfCup(facts).at(-1));
    facts.writes.push(
      { ...last, number: 20_000, before: 1 },
      { ...last, number: 20_001, before: last.after, idempotencyKey: must(facts.calls[0]).idempotencyKey },
    );
    last.after = 1;
    expect(found(facts).filter((line) => line.startsWith('I4'))).toEqual([]);
  });

  /** The cup was to show 100 in both stores when two were sold in the north: not worth a push, and what goes out to the south is the newer number. */
  function sentWhatWasThrottled(): Breakable<Facts> {
    const shop = createMadeUpSystem({ realTimeAtOrBelow: 20, significantUnits: 50, everyNth: 5 });
    shop.list('cup');
    shop.setStock('cup', 100);
    shop.sell('cup', 'north', 2);
    const facts = shop.facts();
    const [listing, write] = [cupAtSouth(facts), must(writesOfCup(facts)[0])];
    const [item, shown] = [
      must(must(facts.calls.find((call) => call.idempotencyKey === write.idempotencyKey)).items[0]),
      must(listing.shown),
    ];
    must(listing.wanted).version.sequence = must(listing.confirmed).version.sequence = item.version.sequence = 2;
    must(listing.wanted).available = must(listing.confirmed).quantity = item.quantity = 98;
    write.after = shown.quantity = must(shown.lastWrite).quantity = 98;
    return facts;
  }

  test('lets a push that was still to be made carry what was throttled since, and nothing that was not', () => {
    expect(found(sentWhatWasThrottled())).toEqual([]);
    const decided = sentWhatWasThrottled();
    const last = must(decided.policies.at(-1)?.entries.at(-1));
    Object.assign(last.data, { decision: 'held', reason: 'available_unchanged' });
    expect(found(decided).join()).toContain('it wants version 1.1.2.0, but 1.1.1.0 was decided last');
    const wanting = sentWhatWasThrottled();
    must(cupAtSouth(wanting).wanted).available = 97;
    expect(found(wanting).join()).toContain('it wants 97, but 98 was decided');
  });

  // A real day on Etsy: one variant had sold and was refused, the write of the others told the marketplace what it shows already.
  test('lets a refused variant go out with the others as it was read, and nothing else', () => {
    const facts = aDayInTheShop();
    const write = must(writesOfCup(facts).at(-1));
    const call = must(facts.calls.find(({ idempotencyKey }) => idempotencyKey === write.idempotencyKey));
    const item = must(call.items.find(({ listing }) => listing === write.listing));
    write.after = write.before = item.quantity + 1;
    expect(found(facts).join()).toContain(`made it ${write.after}, but its call says ${item.quantity}`);
    call.items = call.items.map((each) => (each === item ? { ...each, outcome: 'rejected' } : each));
    expect(found(facts).filter((line) => line.startsWith('I4'))).toEqual([]);
    write.after += 1;
    expect(found(facts).join()).toContain(`made it ${write.after}, but its call says ${item.quantity}`);
  });

  test('does not ask for calls that are so old that they are kept no longer', () => {
    const facts = aDayInTheShop();
    const [first] = writesOfCup(facts);
    facts.calls = facts.calls.filter(({ idempotencyKey }) => idempotencyKey !== first?.idempotencyKey);
    facts.callsKeptSince = must(first).at + 1;
    expect(found(facts)).toEqual([]);
  });

  test('finds a write over a sale that nobody had seen', () => {
    const facts = aDayInTheShop();
    const write = must(writesOfCup(facts).at(-1));
    const expected = write.before;
    write.before -= 2;
    expect(found(facts)).toEqual([
      expect.stringMatching(
        new RegExp(`was applied to ${expected - 2}, where ${expected} was expected: it undid a sale that nobody had seen\\.$`),
      ),
    ]);
  });

  test('finds a listing that shows another quantity', () => {
    const facts = aDayInTheShop();
    const shown = must(cupAtSouth(facts).shown);
    const should = shown.quantity;
    shown.quantity += 3;
    expect(found(facts)).toEqual([
      expect.stringMatching(
        new RegExp(
          `^I5 tenant default, SKU cup, listing south/item-cup-south, version 1\\.1\\.\\d+\\.0: it shows ${should + 3}, but should show ${should}: `,
        ),
      ),
    ]);
    expect(audit({ ...facts, quiet: false })).toMatchObject({ violations: [], unjudged: [{ invariant: 'I5', sku: 'cup' }] });
  });

  test('finds a listing whose last write is not its wanted one', () => {
    const facts = aDayInTheShop();
    const listing = cupAtSouth(facts);
    const { lastWrite } = must(listing.shown);
    const [item] = must(facts.calls.find(({ idempotencyKey }) => idempotencyKey === lastWrite?.idempotencyKey)).items;
    must(item).version.sequence -= 1;
    expect(found(facts)).toContainEqual(
      expect.stringMatching(/^I5 .* listing south\/item-cup-south, .*: the last write applied to it carried version 1\.1\.\d+\.0\.$/),
    );
  });

  test('says nothing about a listing that is held', () => {
    const facts = aDayInTheShop();
    const listing = cupAtSouth(facts);
    must(listing.shown).quantity += 3;
    listing.held = 'quarantined';
    expect(found(facts)).toEqual([]);
  });

  test('finds a decision that is not what the rules say', () => {
    const facts = aDayInTheShop();
    const entry = must(facts.policies.flatMap(({ entries }) => entries).find(({ data }) => data.reason === 'at_or_below_threshold'));
    entry.data.reason = 'significant_change';
    expect(found(facts)).toEqual([
      expect.stringMatching(
        /^I5 tenant default, SKU cup, version 1\.\d+: decision \d+ \(on ledger row \d+\): it says push significant_change, but the rules say push at_or_below_threshold\.$/,
      ),
    ]);
  });

  test("finds a tenant's new policy that did not let out what it should", () => {
    const shop = createMadeUpSystem({ realTimeAtOrBelow: 0, significantUnits: 100, everyNth: 10 });
    shop.list('cup');
    shop.setStock('cup', 50);
    shop.setStock('cup', 45);
    shop.setTenantPolicy({ realTimeAtOrBelow: 60, significantUnits: 100, everyNth: 10 });
    const facts = shop.facts();
    expect(found(facts)).toEqual([]);
    const decided = must(facts.policies.flatMap(({ entries }) => entries).find(({ data }) => data.trigger.kind === 'tenantPolicy'));
    Object.assign(decided.data, { decision: 'held', reason: 'throttled' });
    expect(found(facts)).toContainEqual(
      expect.stringMatching(
        /^I5 .* decision 5 \(on a policy of the tenant\): it says held throttled, but the rules say push policy_changed\.$/,
      ),
    );
  });

  // The demo's cancelled orders of several SKUs, after their pick, were taken for a repeat.
  test('lets one cancellation put the units of several SKUs on the put-back list, and finds the same units put there twice', () => {
    const facts = aDayInTheShop();
    const document = must(facts.reservations.at(-1));
    const { sequence, cause } = must(document.entries.at(-1));
    const note = (number: number, sku: string) => ({
      sequence: sequence + number,
      cause,
      data: { effect: null, note: `to_put_back ${sku}` },
    });
    const before = found(facts);
    document.entries.push(note(1, 'cup'), note(2, 'pot'));
    expect(found(facts)).toEqual(before);
    document.entries.push(note(3, 'cup'));
    expect(found(facts).join()).toContain(`has an effect twice: entries ${sequence + 1} and ${sequence + 3}, inside one document`);
  });

  test('finds a cause that was repeated inside one document', () => {
    const facts = aDayInTheShop();
    const document = must(facts.ledgers.find(({ aggregate }) => aggregate === cup));
    const [first, second] = document.entries;
    const cause = must(first).cause;
    must(second).cause = cause;
    must(second).data.cause = cause;
    must(recordOf(facts, 2).value).cause = cause;
    document.causes = [...new Set(document.entries.map((entry) => entry.cause))];
    expect(found(facts)).toEqual([
      `I2 tenant default, SKU cup, version 2: in the journal of stock, ${cause} has an effect twice: entries 1 and 2, inside one document.`,
    ]);
  });

  test('finds a cause that the unique index does not know', () => {
    const facts = aDayInTheShop();
    const document = must(facts.ledgers.find(({ aggregate }) => aggregate === cup));
    const cause = must(document.causes.shift());
    expect(found(facts)).toEqual([
      `I2 tenant default, SKU cup, version 1: in the journal of stock, the cause of entry 1, ${cause}, is not among its document's causes: a repeat would have its effect again.`,
    ]);
  });

  // Each of these checks could be taken out, and no test failed.
  /** What a ledger row says is changed, in journal and topic alike. */
  function retell(facts: Breakable<Facts>, sequence: number, change: (row: ReturnType<typeof rowsOf>[number]) => void): void {
    change(must(rowsOf(facts).find((row) => row.sequence === sequence)));
    change(must(recordOf(facts, sequence).value));
  }
  const effectIn = (facts: Breakable<Facts>, kind: string) =>
    must(facts.reservations.flatMap(({ entries }) => entries.map(({ data }) => data.effect)).find((effect) => effect?.kind === kind));
  const movementDecisions = (facts: Breakable<Facts>) =>
    facts.policies
      .filter(({ aggregate }) => aggregate === cup)
      .flatMap(({ entries }) => entries.filter(({ data }) => data.trigger.kind === 'movement'));

  test.each<[what: string, seed: (facts: Breakable<Facts>) => void, sentence: RegExp]>([
    [
      'a change that is no sum',
      (facts) => retell(facts, 2, ({ change }) => void (change.available += 1)),
      /^I1 .* row 2 is wrong: in its change, Available 0 is not On Hand 0 − Order Reserve 1 − Batch Reserve 0\.$/,
    ],
    [
      'units that came from nowhere',
      (facts) => retell(facts, 1, (row) => Object.assign(row, { location: null, locationOnHand: null })),
      /^I1 .* row 1 is wrong: it changed On Hand by 40 and names no location\.$/,
    ],
    [
      'a location whose On Hand does not add up',
      (facts) => retell(facts, 1, (row) => Object.assign(row, { locationOnHand: 39 })),
      /^I1 .* row 1 does not follow from the one before: 40 should be left at shelf, but it says 39/,
    ],
    [
      'a ledger that went back to an older epoch',
      (facts) => retell(facts, 3, (row) => Object.assign(row, { epoch: 0 })),
      /^I1 .* its ledger epoch 0 is lower than the one before, 1\.$/,
    ],
    [
      'a movement that names another label in the topic',
      (facts) => Object.assign(must(recordOf(facts, 3).value), { label: 'another' }),
      /^I1 .* row 3 is not the same in journal and topic: label: label-\d+ in the journal, another in the topic\.$/,
    ],
    [
      'a document that says that it holds more than it does',
      (facts) => Object.assign(must(facts.ledgers.findLast(({ aggregate }) => aggregate === cup)), { from: 1 }),
      /^I1 .* a journal document says that it holds rows 1 to \d+, but holds \d+ to \d+\.$/,
    ],
    [
      'a row that stands in the ledger twice',
      (facts) => {
        const document = must(facts.ledgers.find(({ aggregate }) => aggregate === cup));
        document.entries.push(structuredClone(must(document.entries[0])));
      },
      /^I1 .* row 1 stands in the journal twice\.$/,
    ],
    [
      'a movement that is told and was never journaled',
      (facts) => {
        const last = must(facts.movements.findLast(({ key }) => key === cup));
        const sequence = must(last.value).sequence + 1;
        facts.movements.push({ ...structuredClone(last), id: `stock/${cup}/${sequence}`, value: { ...must(last.value), sequence } });
      },
      /^I1 .* row \d+ is in the topic, but not in the journal\.$/,
    ],
    [
      'an order that took one telling twice',
      (facts) => {
        const { entries } = must(facts.orders.find((document) => document.entries.length > 1));
        must(entries[1]).cause = must(entries[0]).cause;
      },
      /^I2 .*: in the journal of order, .* has an effect twice: entries 1 and 2, inside one document\.$/,
    ],
    [
      'a purchase order that received one delivery twice',
      (facts) => {
        const { entries } = must(facts.purchases.find((document) => document.entries.length > 1));
        must(entries[1]).cause = must(entries[0]).cause;
      },
      /^I2 .*: in the journal of the purchase order po-1, .* has an effect twice: entries 1 and 2/,
    ],
    [
      'a movement that was decided under one cause twice',
      (facts) => {
        const [first, second] = movementDecisions(facts);
        must(second).cause = must(first).cause;
      },
      /^I2 .*: in the journal of sync-policy, .* has an effect twice: entries \d+ and \d+/,
    ],
    [
      'received units that the ledger has under another purchase order',
      (facts) => {
        const { cause } = must(rowsOf(facts).find(({ type }) => type === 'PurchaseReceiving'));
        for (const row of [...rowsOf(facts), ...facts.movements.map(({ value }) => must(value))])
          if (row.cause === cause) row.purchaseOrder = 'po-2';
      },
      /^I2 .* row \d+ \(PurchaseReceiving of 5 for po-2\) is not that 5 units of the purchase order po-1 .* were put away\.$/,
    ],
    [
      'a decision that was made for another Available',
      (facts) => void (must(movementDecisions(facts)[1]).data.before += 1),
      /^I5 .*: it was made for Available \d+ to \d+, but the row moved it from \d+ to \d+\.$/,
    ],
    [
      'a movement that was passed over',
      (facts) => Object.assign(must(movementDecisions(facts)[2]).data.trigger, { sequence: 4 }),
      /^I5 .*: nothing was decided about row 3, which is in the ledger\.$/,
    ],
    [
      'a movement that never reached sync-policy',
      (facts) => {
        const document = must(facts.policies.findLast(({ aggregate }) => aggregate === cup));
        document.entries.pop();
        document.to -= 1;
      },
      /^I5 .*: no decision about ledger row \d+: a lost movement\.$/,
    ],
    [
      'a reservation that makes another type of row',
      (facts) => Object.assign(effectIn(facts, 'reserved'), { kind: 'assigned' }),
      /^I3 .* row \d+ is of type OrderReserve, but its cause .* makes one of type BatchReserve\.$/,
    ],
    [
      'a row about another batch than its reservation',
      (facts) => Object.assign(effectIn(facts, 'assigned'), { batch: 'another' }),
      /^I3 .* row \d+ names batch batch-1, but its cause .* names another\.$/,
    ],
    [
      'a decision about a row that never was',
      (facts) => Object.assign(must(movementDecisions(facts)[1]).data.trigger, { epoch: 7 }),
      /^I5 .*: there is no such row in the ledger\.$/,
    ],
    [
      'a movement that was decided twice',
      (facts) => Object.assign(must(movementDecisions(facts)[2]).data.trigger, { sequence: 2 }),
      /^I5 .*: it was decided before, row 2 came last\.$/,
    ],
    [
      'a listing that is still being written to although all is quiet',
      (facts) => Object.assign(cupAtSouth(facts), { inFlight: true }),
      /^I5 .* a write to it is still in flight\.$/,
    ],
    [
      'a listing that never confirmed anything',
      (facts) => Object.assign(cupAtSouth(facts), { confirmed: null }),
      /^I5 .* it wants -?\d+, but nothing was ever confirmed\.$/,
    ],
    [
      'a last write of another quantity',
      (facts) => void (must(writesOfCup(facts).at(-1)).after += 1),
      /^I5 .* the last write applied to it is \d+, but should be \d+\.$/,
    ],
  ])('finds %s', (_, seed, sentence) => {
    const facts = aDayInTheShop();
    seed(facts);
    expect(found(facts)).toContainEqual(expect.stringMatching(sentence));
  });

  test("finds a tenant's new policy that nobody has heard of", () => {
    const shop = createMadeUpSystem({ realTimeAtOrBelow: 0, significantUnits: 100, everyNth: 10 });
    shop.list('cup');
    shop.setStock('cup', 50);
    shop.setStock('cup', 45);
    const facts = shop.facts();
    facts.tenantPolicies.push({ tenant: 'default', revision: 2, realTimeAtOrBelow: 60, significantUnits: 100, everyNth: 10 });
    expect(found(facts)).toContainEqual(
      expect.stringMatching(/^I5 .*: revision 2 of the tenant's policy lets 1 held transactions out, but nothing was decided\.$/),
    );
  });

  test('finds a shelf below zero that nobody was told of', () => {
    const shop = createMadeUpSystem();
    shop.list('cup');
    shop.setStock('cup', 1);
    shop.ship(shop.sell('cup', 'north', 3));
    const facts = shop.facts();
    expect(found(facts)).toEqual([]);
    facts.incidents = facts.incidents.filter(({ key }) => key !== joinKey('default', 'negative_on_hand', 'cup'));
    expect(found(facts)).toEqual([
      expect.stringMatching(
        /^heads .* SKU cup.*: stock\.incidents\.v1 has no record of it, but the newest is open at row 3 \(negative_on_hand\)\.$/,
      ),
    ]);
  });

  test('finds a reservation that the ledger refused', () => {
    const shop = createMadeUpSystem();
    shop.list('cup');
    shop.setStock('cup', 5);
    shop.sell('cup', 'north', 1);
    const facts = shop.facts();
    const nothing = { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 };
    retell(facts, 2, (row) => Object.assign(row, { refused: 'too_large', change: nothing, after: must(rowsOf(facts)[0]).after }));
    expect(found(facts)).toContainEqual(
      expect.stringMatching(/^I3 .* row 2 refuses \(too_large\), but its cause .* \(reserved 1 for order .*\) may not be refused\.$/),
    );
  });

  test('finds that a listing sold what nobody ever read: it shows less than is available, by more than may be held back', () => {
    const shop = createMadeUpSystem({ realTimeAtOrBelow: 5, significantUnits: 3, everyNth: 2 });
    shop.list('cup');
    shop.setStock('cup', 40);
    const facts = shop.facts();
    const sold = (units: number) => {
      const shown = must(cupAtSouth(facts).shown);
      Object.assign(shown, { quantity: 40 - units, soldSince: units });
      return found(facts);
    };
    expect(sold(2)).toEqual([]);
    expect(sold(3)).toEqual([
      expect.stringMatching(
        /^I5 .* SKU cup, listing south.*: it shows 37 while 40 are available: it may be off by at most 2 \(X 5, Y 3, N 2, 0 held back\)\.$/,
      ),
    ]);
  });

  test.each(['levels', 'orderEvents', 'pushRequests', 'incidents', 'purchaseOrders'] as const)(
    'finds an old record that came last for its key: %s',
    (topic) => {
      const facts = aDayInTheShop();
      const records = facts[topic] as { key: string }[];
      const old = must(records.find(({ key }, place) => records.slice(place + 1).some((later) => later.key === key)));
      records.push(structuredClone(old));
      expect(found(facts)).toEqual([expect.stringMatching(/^heads tenant default, .* ends with .* for it, but the newest is .*\.$/)]);
      expect(audit({ ...facts, quiet: false }).violations).toHaveLength(1);
    },
  );

  test('keeps tenants apart: the same SKU and order numbers of another seller are another matter', () => {
    const facts = aDayInTheShop();
    const other = JSON.parse(JSON.stringify(aDayInTheShop()).replaceAll('default', 'other')) as Breakable<Facts>;
    for (const part of Object.keys(other) as (keyof Facts)[])
      if (Array.isArray(facts[part])) (facts[part] as unknown[]).push(...(other[part] as unknown[]));
    expect(found(facts)).toEqual([]);
  });
});

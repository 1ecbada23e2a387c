import { absent, type Projected } from '@evenkeel/chassis';
import { createMemoryJournal, openRoutes } from '@evenkeel/chassis/testing';
import type { PurchaseLine, User } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { stockRoutes } from '../src/http.ts';
import {
  decidePurchase,
  evolvePurchase,
  purchaseChangedOf,
  putAwaysOf,
  unknownPurchase,
  waiting,
  type PurchaseCommand,
  type PurchaseEntry,
  type PurchaseState,
  type SequencedEntry,
} from '../src/purchasing-domain.ts';
import { purchaseAggregate } from '../src/purchasing.ts';

const ann: User = { kind: 'person', id: 'ann' };
const parts = { tenant: 'acme', purchaseOrder: 'po1' };
const given = { ...parts, user: ann, at: 5 };
const of = (mugs: number, cups = 0): PurchaseLine[] =>
  [
    { sku: 'MUG', quantity: mugs },
    { sku: 'CUP', quantity: cups },
  ].filter(({ quantity }) => quantity > 0);

const create = (lines: readonly PurchaseLine[]): PurchaseCommand => ({
  type: 'CreatePurchaseOrder',
  data: { ...given, supplier: 'Potter', note: null, lines },
});
const receive = (
  lines: readonly PurchaseLine[] | null,
  options: { putAway?: boolean; allowOver?: boolean; location?: string } = {},
): PurchaseCommand => ({ type: 'ReceivePurchase', data: { ...given, lines, putAway: true, allowOver: false, location: null, ...options } });
const putAway = (lines: readonly PurchaseLine[] | null, location: string | null = null): PurchaseCommand => ({
  type: 'PutAwayPurchase',
  data: { ...given, lines, location },
});
const close: PurchaseCommand = { type: 'ClosePurchaseOrder', data: given };

function play(...commands: readonly PurchaseCommand[]) {
  let state: PurchaseState = unknownPurchase;
  const entries: SequencedEntry[] = [];
  for (const command of commands) {
    const entry = { sequence: entries.length + 1, at: 5, correlation: 'c', data: decidePurchase(state, command) };
    entries.push(entry);
    state = evolvePurchase(state, entry);
  }
  const shelved = entries.flatMap((entry) => putAwaysOf(parts, entry));
  return { state, entries, shelved, refused: entries.map(({ data }) => data.refused) };
}
const linesOf = ({ purchase }: PurchaseState) =>
  purchase?.lines.map(({ sku, ordered, received, putAway: shelved }) => [sku, ordered, received, shelved]);

describe('a purchase order', () => {
  test('received in part and put away leaves the remainder open', () => {
    const { state, shelved } = play(create(of(10, 4)), receive(of(6), { location: 'back' }));
    expect(state.purchase?.state).toBe('open');
    expect(linesOf(state)).toEqual([
      ['MUG', 10, 6, 6],
      ['CUP', 4, 0, 0],
    ]);
    expect(shelved).toEqual([{ ...parts, sku: 'MUG', quantity: 6, location: 'back', user: ann, at: 5 }]);
  });
  test('received without a list is all that is still to come; then it is received', () => {
    const { state, shelved } = play(create(of(10, 4)), receive(of(6)), receive(null));
    expect(state.purchase?.state).toBe('received');
    expect(shelved.map(({ sku, quantity }) => [sku, quantity])).toEqual([
      ['MUG', 6],
      ['MUG', 4],
      ['CUP', 4],
    ]);
  });
  test('received but not put away tells no ledger: it is not sellable until it is put away', () => {
    const received = play(create(of(10)), receive(of(6), { putAway: false }));
    expect(received.shelved).toEqual([]);
    expect(received.state.purchase?.lines.map(waiting)).toEqual([6]);
    const shelved = play(create(of(10)), receive(of(6), { putAway: false }), putAway(of(4), 'back'), putAway(null));
    expect(shelved.shelved.map(({ quantity, location }) => [quantity, location])).toEqual([
      [4, 'back'],
      [2, null],
    ]);
  });
  test('with more than was ordered is refused, unless that is allowed', () => {
    expect(play(create(of(10)), receive(of(11))).refused).toEqual([null, 'over_received']);
    const { refused, state } = play(create(of(10)), receive(of(11), { allowOver: true }));
    expect(refused).toEqual([null, null]);
    expect(linesOf(state)).toEqual([['MUG', 10, 11, 11]]);
  });
  test('that is closed takes nothing more in, but what had come still finds its shelf', () => {
    const { refused, shelved, state } = play(
      create(of(10)),
      receive(of(6), { putAway: false }),
      close,
      receive(of(1)),
      putAway(null),
      close,
    );
    expect(refused).toEqual([null, null, null, 'purchase_order_closed', null, 'purchase_order_closed']);
    expect(shelved).toMatchObject([{ quantity: 6 }]);
    expect(state.purchase?.state).toBe('closed');
  });
  test('refuses what makes no sense, and changes nothing then', () => {
    const unknownCommands = [receive(null), putAway(null), close];
    for (const command of unknownCommands) expect(play(command).refused).toEqual(['unknown_purchase_order']);
    expect(play(create([...of(1), ...of(2)])).refused).toEqual(['repeated_line']);
    expect(play(create([{ sku: 'MUG', quantity: 0 }])).refused).toEqual(['absurd_quantity']);
    const made = create(of(2));
    expect(play(made, made).refused).toEqual([null, 'purchase_order_exists']);
    expect(play(made, receive(of(0, 1))).refused).toEqual([null, 'unknown_line']);
    expect(play(made, receive(of(0, 1), { allowOver: true })).refused).toEqual([null, 'unknown_line']);
    expect(play(made, receive(null), receive(null)).refused).toEqual([null, null, 'nothing_open']);
    expect(play(made, receive(null), putAway(null)).refused).toEqual([null, null, 'nothing_to_put_away']);
    const refused = play(made, receive(of(1), { putAway: false }), putAway(of(2)));
    expect(refused.refused).toEqual([null, null, 'more_than_received']);
    expect(purchaseChangedOf(parts, refused.state)).toMatchObject({ sequence: 2, lines: [{ received: 1, putAway: 0 }] });
  });
});

test('what the ledgers are told is what was put away, never more than came, whatever is asked', () => {
  const some = fc.option(fc.tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 5 })).map(([mugs, cups]) => of(mugs, cups)));
  const aCommand = fc.oneof(
    fc.record({ lines: some, putAway: fc.boolean(), allowOver: fc.boolean() }).map(({ lines, ...options }) => receive(lines, options)),
    some.map((lines) => putAway(lines)),
    fc.constant(close),
  );
  fc.assert(
    fc.property(fc.array(aCommand, { maxLength: 15 }), (commands) => {
      const { state, shelved, entries } = play(create(of(8, 5)), ...commands);
      for (const line of state.purchase?.lines ?? []) {
        const told = shelved.filter(({ sku }) => sku === line.sku).reduce((sum, { quantity }) => sum + quantity, 0);
        expect(told).toBe(line.putAway);
        expect(line.putAway).toBeLessThanOrEqual(line.received);
      }
      for (const { data } of entries) if (data.refused) expect(data.putAway).toEqual([]);
    }),
  );
});

async function openPurchasing() {
  const memory = createMemoryJournal(purchaseAggregate, undefined);
  const sender = {
    send: async (messages: Parameters<typeof memory.sender.send>[0]) => memory.sender.send(messages),
  };
  const http = await openRoutes(
    stockRoutes({
      journal: absent(),
      incidents: absent(),
      products: absent(),
      imports: absent(),
      applyImports: absent(),
      sender,
      purchasing: memory.journal,
      purchases: { project: async (_: readonly Projected<PurchaseEntry, PurchaseState>[]) => undefined, page: async () => [] },
    }),
    { tenant: 'acme', user: 'ann', roles: ['clerk'] },
  );
  return { ...memory, call: http.call, [Symbol.asyncDispose]: () => http[Symbol.asyncDispose]() };
}

describe('purchase orders over HTTP', () => {
  test('are created under a given name or one made from the request, received, and read with their history', async () => {
    await using shop = await openPurchasing();
    const lines = of(3);
    expect(await shop.call('POST', '/purchase-orders', { purchaseOrder: 'may 1', lines })).toMatchObject({
      status: 201,
      body: { purchaseOrder: { purchaseOrder: 'may 1', state: 'open', lines: [{ sku: 'MUG', ordered: 3, toCome: 3 }] } },
    });
    const made = await shop.call('POST', '/purchase-orders', { lines }, 'monday');
    expect((await shop.call('POST', '/purchase-orders', { lines }, 'monday')).body).toEqual(made.body);
    expect((made.body as { purchaseOrder: { purchaseOrder: string } }).purchaseOrder.purchaseOrder).toMatch(/^PO-[0-9A-F]{12}$/);
    const received = await shop.call('POST', '/purchase-orders/may%201/receipts', { lines: of(2) }, 'tuesday');
    expect(received).toMatchObject({
      status: 200,
      body: { step: { step: 'received', putAway: [{ sku: 'MUG', quantity: 2 }] }, purchaseOrder: { lines: [{ received: 2, toCome: 1 }] } },
    });
    await shop.call('POST', '/purchase-orders/may%201/close');
    expect((await shop.call('POST', '/purchase-orders/may%201/receipts', { lines: of(2) }, 'tuesday')).body).toEqual(received.body);
    expect((await shop.call('GET', '/purchase-orders/may%201')).body).toMatchObject({
      purchaseOrder: { state: 'closed', lines: [{ received: 2, toCome: 0, toPutAway: 0 }] },
      steps: [{ step: 'closed' }, { step: 'received' }, { step: 'created', user: { id: 'ann' } }],
    });
    const putAways = shop.published.filter(({ topic }) => topic.name === 'stock.commands.v1');
    expect(putAways.map(({ event }) => event?.id)).toEqual(['stock.purchasing/acme/may%201/2/MUG']);
  });
  test('have a history that is read to its beginning, page by page', async () => {
    await using shop = await openPurchasing();
    await shop.call('POST', '/purchase-orders', { purchaseOrder: 'po1', lines: of(9) });
    for (let units = 1; units <= 4; units += 1) await shop.call('POST', '/purchase-orders/po1/receipts', { lines: of(units) });
    const seen: number[] = [];
    for (let next: number | null = 6; next !== null;) {
      const { body } = await shop.call('GET', `/purchase-orders/po1?limit=2&before=${next}`);
      const page = body as { steps: { sequence: number }[]; next: number | null };
      seen.push(...page.steps.map(({ sequence }) => sequence));
      next = page.next;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);
  });
  test('say what is wrong and what to do', async () => {
    await using shop = await openPurchasing();
    await shop.call('POST', '/purchase-orders', { purchaseOrder: 'po1', lines: of(3) });
    const post = async (path: string, body?: unknown) => {
      const answer = await shop.call('POST', `/purchase-orders${path}`, body);
      return [answer.status, (answer.body as { type: string }).type.replace('urn:evenkeel:problem:', '')];
    };
    expect(await post('', { purchaseOrder: 'po1', lines: of(3) })).toEqual([409, 'purchase-order-exists']);
    expect(await post('', { lines: [...of(1), ...of(2)] })).toEqual([409, 'repeated-line']);
    expect(await post('', { lines: [] })).toEqual([400, 'invalid-request']);
    expect(await post('', { lines: [{ sku: 'MUG', quantity: 0.5 }] })).toEqual([400, 'invalid-request']);
    expect(await post('/po1/receipts', { lines: of(4) })).toEqual([409, 'over-received']);
    expect(await post('/po1/receipts', { lines: of(0, 1) })).toEqual([404, 'unknown-line']);
    expect(await post('/po1/put-aways', {})).toEqual([409, 'nothing-to-put-away']);
    expect(await post('/nowhere/receipts', {})).toEqual([404, 'unknown-purchase-order']);
    expect(await post('/nowhere/close')).toEqual([404, 'unknown-purchase-order']);
    expect(await shop.call('GET', '/purchase-orders/nowhere')).toMatchObject({ status: 404 });
    expect(await shop.call('GET', '/purchase-orders?after=nonsense')).toMatchObject({ status: 400 });
    expect(await shop.call('GET', '/purchase-orders')).toMatchObject({ status: 200, body: { purchaseOrders: [], next: null } });
    shop.hold();
    expect(await shop.call('POST', '/purchase-orders/po1/receipts', {})).toMatchObject({ status: 202 });
  });

  test('name the products that are the matter, where it is one of several', async () => {
    await using shop = await openPurchasing();
    await shop.call('POST', '/purchase-orders', { purchaseOrder: 'po1', lines: of(3, 5) });
    const said = async (path: string, body: unknown) =>
      ((await shop.call('POST', `/purchase-orders${path}`, body)).body as { detail: string }).detail;
    expect(await said('/po1/receipts', { lines: of(4, 5) })).toMatch(/It is about MUG \(3 still to come\)\.$/);
    expect(await said('/po1/receipts', { lines: [...of(1), { sku: 'JUG', quantity: 1 }] })).toMatch(/It is about JUG\.$/);
    await shop.call('POST', '/purchase-orders/po1/receipts', { lines: of(2, 5), putAway: false });
    expect(await said('/po1/put-aways', { lines: of(3, 5) })).toMatch(/It is about MUG \(2 wait\)\.$/);
    expect(await said('', { lines: [...of(1, 1), ...of(2)] })).toMatch(/It is about MUG\.$/);
  });
});

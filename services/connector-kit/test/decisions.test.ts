import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { resolutionOf, settle } from '../src/push-plan.ts';
import type { CallDocument, ListingDocument } from '../src/documents.ts';
import { mappableSku, remap } from '../src/listing-mapping.ts';
import { contentOf, orderRead } from '../src/order-record.ts';
import { quantityToSend } from '../src/quantity.ts';
import { versionOf, versionText } from '../src/version.ts';
import { newestOfEach } from '../src/instructions.ts';
import { capabilities, failure } from './fake-marketplace.ts';
import { requested, version, withdrawn } from './bench.ts';

const part = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const aVersion = fc.record({ mapping: part, epoch: part, sequence: part, settings: part });

describe('a listing’s version', () => {
  test('sorts as text as its parts do, mapping first and settings last', () => {
    const compare = (a: number[], b: number[]): number =>
      a.map((each, index) => Math.sign(each - (b[index] ?? 0))).find((sign) => sign !== 0) ?? 0;
    const parts = ({ mapping, epoch, sequence, settings }: { mapping: number; epoch: number; sequence: number; settings: number }) => [
      mapping,
      epoch,
      sequence,
      settings,
    ];
    fc.assert(
      fc.property(aVersion, aVersion, (a, b) => {
        const [left, right] = [versionText(a), versionText(b)];
        expect(left < right ? -1 : left > right ? 1 : 0).toBe(compare(parts(a), parts(b)));
      }),
    );
  });

  test('comes back from its text', () => {
    fc.assert(fc.property(aVersion, (of) => expect(versionOf(versionText(of))).toEqual(of)));
    expect(() => versionOf('1.2.3')).toThrow('not a listing');
  });
});

test('shoppers never see less than nothing, nor more than the marketplace takes', () => {
  fc.assert(
    fc.property(fc.integer(), (available) => {
      const sent = quantityToSend(available, { minimumQuantity: 0, maximumQuantity: 999 });
      expect(sent).toBe(available < 0 ? 0 : available > 999 ? 999 : available);
    }),
  );
});

test('of a slice each listing keeps its newest instruction, whether request or withdrawal', () => {
  const slice = [requested('A', 3, 2), requested('A', 9, 1), withdrawn('B', version(5, { settings: 1 })), requested('B', 4, 5)];
  expect(newestOfEach(slice).map(({ type, data }) => [type, data.listing, data.version.sequence])).toEqual([
    ['PushRequested', 'A', 2],
    ['PushWithdrawn', 'B', 5],
  ]);
});

describe('mapping', () => {
  test('takes a SKU byte for byte, and none that is blank or not text', () => {
    expect([' a ', 'É', 'a/b', '', '  ', '\t', null, '\ud800x'].map(mappableSku)).toEqual([
      ' a ',
      'É',
      'a/b',
      null,
      null,
      null,
      null,
      null,
    ]);
  });

  test('takes a higher revision for every change, and none without one', () => {
    const sku = fc.constantFrom(null, 'a', 'b', 'c');
    fc.assert(
      fc.property(fc.array(sku), (found) => {
        let known: { sku: string | null; mapping: number } | null = null;
        const revisions: number[] = [];
        for (const each of found) {
          const after = remap(known, each, 0);
          if (!after) expect(known?.sku).toBe(each);
          else {
            revisions.push(...after.changes.map(({ mapping }) => mapping));
            expect(after.mapping).toBe(revisions.at(-1) ?? 0);
            known = after;
          }
        }
        expect(revisions).toEqual(revisions.map((_, index) => index + 1));
      }),
    );
  });
});

describe('an order’s record', () => {
  const identity = { tenant: 'acme', store: 'main', marketplace: 'shopify' };
  const order = {
    order: '1',
    name: '#1',
    placedAt: 1,
    updatedAt: 2,
    cancelledAt: null,
    lines: [{ line: 'l', listing: 'A', quantity: 2, cancelled: 0, fulfilled: 0 }],
  };
  const recordOf = (changed: Partial<typeof order>, at: number) => {
    const content = contentOf(identity, { ...order, ...changed }, () => 'a', 1);
    return orderRead(content, at).event;
  };

  test('has the same id whenever the same content is read', () => {
    expect(recordOf({}, 1)?.id).toBe(recordOf({}, 2)?.id);
    expect(recordOf({}, 1)?.correlation).toBe(recordOf({ updatedAt: 3 }, 1)?.correlation);
  });

  test('has another id when anything in it changes', () => {
    const [line] = order.lines;
    const ids = [{}, { updatedAt: 3 }, { name: '#2' }, { lines: [] }, { lines: line ? [{ ...line, cancelled: 1 }] : [] }].map(
      (changed) => recordOf(changed, 1)?.id,
    );
    expect(new Set(ids).size).toBe(5);
  });
});

const item = { listing: 'A', sku: 'a', version: versionText(version(1)), quantity: 1, expected: null };
const call: CallDocument = {
  _id: 'k',
  tenant: 't',
  store: 's',
  items: [item],
  startedAt: 1_000,
  finishedAt: null,
  outcome: null,
  expiresAt: new Date(0),
};
const inFlight = { key: 'k', version: item.version, quantity: 1, at: 1_000 };
const listing = (changed: Partial<ListingDocument> = {}): ListingDocument => ({
  _id: 't/s/A',
  tenant: 't',
  store: 's',
  listing: 'A',
  sku: 'a',
  mapping: 1,
  unpublished: [],
  ownerEpoch: 1,
  instructed: item.version,
  wanted: null,
  confirmed: null,
  inFlight,
  withdrawn: null,
  quarantined: null,
  ...changed,
});

describe('a call without an answer', () => {
  const justNow = 1_010;
  const later = 2_000;
  const withoutKey = { ...capabilities, idempotencyKey: null };
  const newer = versionText(version(2));

  test.each([
    ['is repeated while the key is known', call, listing(), capabilities, later, 'repeat'],
    ['was never made where nothing is recorded of it', null, listing(), capabilities, later, 'never_made'],
    ['waits for the settle window where there is no key', call, listing(), withoutKey, justNow, 'wait'],
    ['is read back after it', call, listing(), withoutKey, later, 'read_back'],
    ['is read back when the key may be forgotten', call, listing(), capabilities, 1_000 + 86_400_000, 'read_back'],
    [
      'is read back when withdrawn',
      call,
      listing({ withdrawn: { version: newer, reason: 'sync_disabled', at: 1 } }),
      capabilities,
      later,
      'read_back',
    ],
    [
      'is read back when quarantined',
      call,
      listing({ quarantined: { code: 'X', message: '', version: '', at: 1 } }),
      capabilities,
      later,
      'read_back',
    ],
    ['is read back when the listing shows another SKU by now', call, listing({ sku: 'b' }), capabilities, later, 'read_back'],
    ['is read back when something newer went to a listing of it', call, listing({ inFlight: null, confirmed: { version: newer, quantity: 1, at: 1 } }), capabilities, later, 'read_back'], // prettier-ignore
    ['is repeated when a listing of it is confirmed already', call, listing({ inFlight: null, confirmed: { version: item.version, quantity: 1, at: 1 } }), capabilities, later, 'repeat'], // prettier-ignore
  ] as const)('%s', (_, of, document, has, now, resolution) => {
    expect(resolutionOf(of, [document], has, now)).toBe(resolution);
  });
});

test('a push that took a listing off sale, or put it back, is what the listing was last seen as; one that does not say changes nothing of that', () => {
  for (const onSale of [true, false]) {
    const told = settle({ tenant: 't', store: 's' }, call, [{ listing: 'A', outcome: 'applied', onSale }], 5);
    const lastRead = { quantity: item.quantity, onSale, at: 5 };
    for (const write of [...told.writes, ...told.otherwise]) expect(write).toMatchObject({ updateOne: { update: { $set: { lastRead } } } });
  }
  const { writes } = settle({ tenant: 't', store: 's' }, call, [{ listing: 'A', outcome: 'applied' }], 5);
  expect(JSON.stringify(writes)).not.toContain('lastRead');
});

test('a result that a marketplace does not mention stays in flight', () => {
  expect(settle({ tenant: 't', store: 's' }, call, [], 5)).toMatchObject({ writes: [], call: { outcome: 'unknown', finishedAt: null } });
  const rejected = [{ listing: 'A', outcome: 'rejected', failure: failure('permanent_listing', 'GONE') }] as const;
  expect(settle({ tenant: 't', store: 's' }, call, rejected, 5)).toMatchObject({
    quarantined: [{ listing: 'A' }],
    call: { outcome: 'rejected', results: [{ code: 'GONE' }] },
  });
});

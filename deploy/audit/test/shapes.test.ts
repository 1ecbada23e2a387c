import { describe, expect, test } from '@jest/globals';
import { listingDocument, readLedgerRow, readOrderEntry, readPolicyEntry, readReservationEntry } from '../read/shapes.ts';

const zero = { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 };
const inputs = {
  before: 3,
  after: 2,
  epoch: 1,
  sequence: 8,
  lastSequence: 7,
  counted: true,
  policy: { realTimeAtOrBelow: null, significantUnits: 5, everyNth: 10, revision: 2, settings: 1 },
};

describe('the auditor reads the journal of', () => {
  test('stock', () => {
    const data = {
      type: 'StockUpdate',
      reason: null,
      refused: null,
      change: zero,
      after: zero,
      location: 'default',
      locationOnHand: 0,
      counted: true,
    };
    expect(readLedgerRow(() => 2)({ ...data, user: { kind: 'person', id: 'ann' } }, 4, 'command/default/1')).toEqual({
      ...data,
      sequence: 4,
      epoch: 2,
      cause: 'command/default/1',
      batch: null,
      label: null,
      reverses: null,
      purchaseOrder: null,
      product: null,
    });
  });

  test('order: which entries publish the order', () => {
    expect(
      ['labelled', 'voided', 'unchanged', 'stale', 'read_refused', 'label_refused', 'void_refused'].map((type) => readOrderEntry({ type })),
    ).toMatchObject([true, true, false, false, false, false, false].map((changed) => ({ changed, unmapped: null })));
    const unmapped = (change: object) => {
      const line = { sku: null, quantity: 2, cancelled: 0, fulfilled: 0, shippedBefore: 0, fulfilledBy: 'seller', ...change };
      return readOrderEntry({ type: 'changed', order: { lines: [line] } }).unmapped;
    };
    expect([unmapped({}), unmapped({ sku: 'cup' }), unmapped({ cancelled: 2 }), unmapped({ fulfilledBy: 'marketplace' })]).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect([unmapped({ shippedBefore: 2 }), unmapped({ cancelled: 2, fulfilled: 1 })]).toEqual([false, true]);
  });

  test('reservation', () => {
    const nothing = { fromBatchReserve: 0, batch: null, label: null, reverses: null };
    const lines = [{ line: '1', quantity: 2 }, { line: '2', quantity: 3 }]; // prettier-ignore
    expect(readReservationEntry({ type: 'picked', sku: 'cup', label: 'a', lines })).toEqual({
      effect: { ...nothing, kind: 'autoPicked', sku: 'cup', quantity: 5, label: 'a' },
    });
    expect(readReservationEntry({ type: 'released', sku: 'cup', quantity: 2 })).toEqual({
      effect: { ...nothing, kind: 'released', sku: 'cup', quantity: 2 },
    });
    expect(readReservationEntry({ type: 'picked', sku: 'cup', label: null, lines, quantity: 5, fromBatchReserve: 2 })).toEqual({
      effect: { ...nothing, kind: 'autoPicked', sku: 'cup', quantity: 5, fromBatchReserve: 2 },
    });
    expect(readReservationEntry({ type: 'batch_picked', sku: 'cup', quantity: 2, batch: 'b', location: null })).toEqual({
      effect: { ...nothing, kind: 'batchPicked', sku: 'cup', quantity: 2, batch: 'b' },
    });
    expect(readReservationEntry({ type: 'unpicked', sku: 'cup', quantity: 2, label: 'a', reverses: 'r' })).toEqual({
      effect: { ...nothing, kind: 'unpicked', sku: 'cup', quantity: 2, label: 'a', reverses: 'r' },
    });
    for (const type of ['unchanged', 'refused']) expect(readReservationEntry({ type })).toEqual({ effect: null });
    for (const type of ['to_put_back', 'written_off', 'rearranged'])
      expect(readReservationEntry({ type, sku: 'cup', quantity: 3 })).toEqual({ effect: null, note: `${type} cup` });
  });

  test('sync-policy', () => {
    const decided = { decision: 'push', reason: 'crossed_zero', inputs };
    const listing = { store: 'north', marketplace: 'shopify', listing: 'item', mapping: 1 };
    expect(readPolicyEntry({ ...decided, trigger: 'movement' })).toEqual({
      trigger: { kind: 'movement', epoch: 1, sequence: 8 },
      decision: 'push',
      reason: 'crossed_zero',
      before: 3,
      after: 2,
      thresholds: { realTimeAtOrBelow: null, significantUnits: 5, everyNth: 10 },
      revision: 2,
      settings: 1,
    });
    expect(readPolicyEntry({ ...decided, trigger: 'listing_mapped', listing }).trigger).toEqual({ kind: 'mapped', ...listing });
    expect(readPolicyEntry({ ...decided, trigger: 'inventory_sync', enabled: false }).trigger).toEqual({ kind: 'sync', enabled: false });
  });

  test('nobody that it does not understand', () => {
    expect(() => readOrderEntry({ type: 'merged' })).toThrow(/type/);
    expect(() => readReservationEntry({ type: 'reserved', sku: 'cup', quantity: 1.5 })).toThrow(/quantity/);
    expect(() =>
      readPolicyEntry({ trigger: 'movement', decision: 'push', reason: 'gap', inputs: { ...inputs, before: undefined } }),
    ).toThrow(/before/);
  });
});

test('a version in a listing is four numbers that sort as text', () => {
  const version = '0000000000000001.0000000000000001.0000000000000042.0000000000000003';
  const listing = {
    tenant: 'default',
    store: 'north',
    listing: 'item',
    sku: 'cup',
    mapping: 1,
    confirmed: null,
    inFlight: null,
    quarantined: null,
  };
  expect(listingDocument.parse({ ...listing, wanted: { version, quantity: -2 } }).wanted).toEqual({
    version: { mapping: 1, epoch: 1, sequence: 42, settings: 3 },
    quantity: -2,
  });
  expect(() => listingDocument.parse({ ...listing, wanted: { version: '1.1.42.3', quantity: 0 } })).toThrow(/version/);
});

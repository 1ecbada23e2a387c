import { describe, expect, test } from '@jest/globals';
import { classOf, failureOfStatus, resultsOf } from '../src/errors.ts';

const items = ['A', 'B', 'C'].map((listing) => ({ listing, quantity: 1 }));
const at = (index: number, code: string | null, argument = 'inventoryItemId') => ({
  code,
  field: ['input', 'quantities', String(index), argument],
  message: 'm',
});
const outcomes = (errors: Parameters<typeof resultsOf>[1]) => resultsOf(items, errors).map((result) => ('failure' in result ? [result.outcome, result.failure.class] : result.outcome)); // prettier-ignore

describe('what Shopify answers to a push', () => {
  test('without errors is applied, all of it', () => {
    expect(outcomes([])).toEqual(['applied', 'applied', 'applied']);
  });

  test.each([
    ['INVALID_INVENTORY_ITEM', 'permanent_listing'],
    ['INVALID_LOCATION', 'permanent_listing'],
    ['NON_MUTABLE_INVENTORY_ITEM', 'permanent_listing'],
    ['CHANGE_FROM_QUANTITY_STALE', 'conflict'],
    ['INVALID_QUANTITY_TOO_HIGH', 'bug'],
    ['A_CODE_OF_NEXT_YEAR', 'transient'],
  ])('%s at an item concerns that item alone', (code, failureClass) => {
    expect(outcomes([at(1, code)])).toEqual(['not_tried', ['rejected', failureClass], 'not_tried']);
  });

  test('an item that is not stocked at the location has no code', () => {
    expect(outcomes([at(2, null, 'locationId')])).toEqual(['not_tried', 'not_tried', ['rejected', 'permanent_listing']]);
  });

  test('a key that is still being worked on, or was used for something else, leaves everything open', () => {
    const byKey = (code: string) => outcomes([{ code, field: null, message: 'm' }]);
    expect(byKey('IDEMPOTENCY_CONCURRENT_REQUEST')).toEqual(Array.from({ length: 3 }, () => ['unknown', 'conflict']));
    expect(byKey('IDEMPOTENCY_KEY_PARAMETER_MISMATCH')).toEqual(Array.from({ length: 3 }, () => ['unknown', 'bug']));
    expect(byKey('IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED')).toEqual(['not_tried', 'not_tried', 'not_tried']);
  });

  test('an error about the whole request refuses it as a whole', () => {
    expect(() => resultsOf(items, [{ code: 'INVALID_REASON', field: ['input', 'reason'], message: 'm' }])).toThrow('bug (INVALID_REASON)');
  });
});

test.each([
  [401, 'credential'],
  [402, 'credential'],
  [403, 'credential'],
  [423, 'credential'],
  [400, 'bug'],
  [429, 'throttled'],
  [500, 'transient'],
  [503, 'transient'],
  [302, 'transient'],
])('HTTP %i is %s', (status, failureClass) => {
  expect(failureOfStatus(status, undefined).class).toBe(failureClass);
});

test('a Retry-After is waited for, in seconds', () => {
  expect(failureOfStatus(429, '2.0').waitMilliseconds).toBe(2_000);
  expect(failureOfStatus(429, 'soon').waitMilliseconds).toBe(2_000);
});

test('a code that nobody knows is worth another try', () => {
  expect(classOf('NEVER_SEEN')).toBe('transient');
});

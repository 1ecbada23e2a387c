import { describe, expect, test } from '@jest/globals';
import { openness, parseSearch, timeRange } from '../src/shopify/search-query.ts';

describe('a search query', () => {
  test('is read as field, comparison and value, bare or quoted', () => {
    expect(parseSearch('sku:TEA-1', ['sku'])).toEqual([{ field: 'sku', comparison: '=', value: 'TEA-1' }]);
    expect(parseSearch(`sku:'it\\'s "tea" \\\\ 1'`, ['sku'])).toEqual([{ field: 'sku', comparison: '=', value: `it's "tea" \\ 1` }]);
    expect(parseSearch(`sku:"green tea"`, ['sku'])).toEqual([{ field: 'sku', comparison: '=', value: 'green tea' }]);
  });

  test('joins its terms with AND or a blank', () => {
    const terms = parseSearch(`updated_at:>='2026-11-01T00:00:00Z' AND created_at:<2026-12-01 updated_at:<'2026-11-02T00:00:00+01:00'`, [
      'updated_at',
      'created_at',
    ]);
    expect(timeRange(terms, 'updated_at')).toEqual({ from: Date.UTC(2026, 10, 1), to: Date.UTC(2026, 10, 1, 23) - 1 });
    expect(timeRange(terms, 'created_at')).toEqual({ from: 0, to: Date.UTC(2026, 11, 1) - 1 });
  });

  test.each([
    ['an unknown field', 'colour:red'],
    ['free text', 'tea'],
    ['a quote that never ends', `sku:'tea`],
    ['an OR', 'sku:a OR sku:b'],
    ['a bracket', '(sku:a)'],
    ['a wildcard', 'sku:te*'],
    ['an AND with nothing after it', 'sku:a AND'],
    ['no value', 'sku:'],
  ])('with %s is refused', (_what, query) => {
    expect(() => parseSearch(query, ['sku'])).toThrow('Invalid search query');
  });

  test('knows open and cancelled orders, and no other status', () => {
    const ask = (query: string) => openness(parseSearch(query, ['status', 'updated_at']));
    expect([ask('status:open'), ask(`status:'cancelled'`), ask('updated_at:>2026-01-01')]).toEqual([true, false, null]);
    expect(() => ask('status:closed')).toThrow('open or cancelled');
    expect(() => ask('status:open status:cancelled')).toThrow('open or cancelled');
  });

  test.each(['yesterday', '2026-13-01', '1795331733445', '2026-11-01T00:00:00'])('does not take %s for a time', (value) => {
    expect(() => timeRange(parseSearch(`updated_at:>='${value}'`, ['updated_at']), 'updated_at')).toThrow('is not a time');
  });
});

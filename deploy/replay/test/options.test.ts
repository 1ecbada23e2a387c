import { describe, expect, test } from '@jest/globals';
import { readOptions } from '../options.ts';

describe('what may be asked for', () => {
  test('files alone are played as fast as can be, with the usual thresholds', () => {
    expect(readOptions(['a.csv', 'b.csv'])).toEqual({
      files: ['a.csv', 'b.csv'],
      rate: 'max',
      thresholds: { realTimeAtOrBelow: 200, significantUnits: 50, everyNth: 10 },
    });
  });

  test('rate and thresholds can be given', () => {
    expect(readOptions(['a.csv', '--rate', '2.5', '--x', '0', '--y', '1', '--n', '3'])).toEqual({
      files: ['a.csv'],
      rate: 2.5,
      thresholds: { realTimeAtOrBelow: 0, significantUnits: 1, everyNth: 3 },
    });
  });

  test.each([[[]], [['a.csv', '--rate', '0']], [['a.csv', '--rate', 'fast']], [['a.csv', '--n', '0']], [['a.csv', '--speed', '1']]])(
    '%j is refused, and the usage shown',
    (args) => {
      expect(() => readOptions(args)).toThrow(/Usage: npm run replay/);
    },
  );
});

import { describe, expect, test } from '@jest/globals';
import { isQuiet, type Look } from '../read/quiet.ts';

const aLook = (at: number, part: Partial<Look> = {}): Look => ({
  at,
  ends: new Map([['stock/movements/0', 10]]),
  committed: new Map([['stock/movements/0', 10]]),
  traces: 'the same',
  outstanding: [],
  ...part,
});
const still = 30_000;

describe('a system is quiet', () => {
  test('when three looks in a row show the same and everybody has read everything', () => {
    expect(isQuiet([aLook(0), aLook(1)], still)).toBe(false);
    expect(isQuiet([aLook(0), aLook(1), aLook(2)], still)).toBe(true);
  });

  test('not while something happens', () => {
    expect(isQuiet([aLook(0, { traces: 'before' }), aLook(1), aLook(2)], still)).toBe(false);
    expect(isQuiet([aLook(0, { traces: 'before' }), aLook(1), aLook(2), aLook(3)], still)).toBe(true);
  });

  test('not while a consumer has yet to read what was there', () => {
    const slow = { committed: new Map([['stock/movements/0', 9]]) };
    expect(isQuiet([aLook(0), aLook(1), aLook(2, slow)], still)).toBe(false);
    expect(isQuiet([aLook(0), aLook(1), aLook(2, { committed: new Map() })], still)).toBe(false);
  });

  test('also while others trade, once what was there at the first look has been read', () => {
    const looks = [10, 20, 30].map((end, at) =>
      aLook(at, { ends: new Map([['stock/movements/0', end]]), committed: new Map([['stock/movements/0', end - 5]]) }),
    );
    expect(isQuiet(looks, still)).toBe(true);
  });

  test('with something outstanding only after nothing has happened for long', () => {
    const waiting = { outstanding: ['1 listings not confirmed'] };
    const looks = [aLook(0, { traces: 'before' }), ...[1, 10_000, 20_000, 30_000].map((at) => aLook(at, waiting))];
    expect(isQuiet(looks, still)).toBe(false);
    expect(isQuiet([...looks, aLook(30_001, waiting)], still)).toBe(true);
  });
});

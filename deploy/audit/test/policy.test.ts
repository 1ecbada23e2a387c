import { describe, expect, test } from '@jest/globals';
import {
  quantityFor,
  rulesFor,
  tolerance,
  verdictOnLevel,
  verdictOnMovement,
  verdictOnPolicy,
  type Rules,
  type Step,
  type Watch,
} from '../policy.ts';

const rules: Rules = { x: 20, y: 5, n: 3 };
const watch: Watch = { sync: true, counted: true, epoch: 1, sequence: 7, available: 100, heldBack: 0 };
const step = (before: number, after: number, part: Partial<Step> = {}): Step => ({
  epoch: 1,
  sequence: 8,
  before,
  after,
  counted: true,
  ...part,
});
const told = (movement: Step, part: Partial<Watch> = {}, by: Rules = rules) => {
  const { decision, reason } = verdictOnMovement({ ...watch, ...part }, movement, by);
  return `${decision} ${reason}`;
};

describe('the auditor tells when a push happens:', () => {
  test('the first count goes out, also where it changes nothing; not while sync is off', () => {
    expect(told(step(0, 0), { counted: false })).toBe('push first_count');
    expect(told(step(0, 4), { counted: false, sync: false })).toBe('held sync_disabled');
    expect(told(step(0, 0), { counted: false, sync: false })).toBe('held available_unchanged');
  });

  test('what changes nothing is held, whatever else is so', () => {
    expect(told(step(3, 3))).toBe('held available_unchanged');
    expect(told(step(3, 3), { sync: false })).toBe('held available_unchanged');
  });

  test('nothing goes out while sync is off, or of a SKU that was never counted', () => {
    expect(told(step(1, 0), { sync: false })).toBe('held sync_disabled');
    expect(told(step(0, -1, { counted: false }), { counted: false })).toBe('held not_counted');
  });

  test('a missed movement goes out in place of all that depends on its size', () => {
    expect(told(step(50, 49, { sequence: 9 }))).toBe('push gap');
    expect(told(step(50, 50, { sequence: 9 }))).toBe('push gap');
    expect(told(step(50, 49, { epoch: 2 }))).toBe('push gap');
    expect(told(step(50, 49, { sequence: 9 }), { sync: false })).toBe('held sync_disabled');
    expect(told(step(0, -1, { sequence: 9, counted: false }), { counted: false })).toBe('held not_counted');
  });

  test('crossing zero goes out, in both directions, and nothing else is crossing', () => {
    expect(told(step(1, 0))).toBe('push crossed_zero');
    expect(told(step(0, 1))).toBe('push crossed_zero');
    expect(told(step(-2, 3))).toBe('push crossed_zero');
    expect(told(step(0, -1))).toBe('push at_or_below_threshold');
  });

  test('exactly X is real-time, one above it is not', () => {
    expect(told(step(21, 20))).toBe('push at_or_below_threshold');
    expect(told(step(22, 21))).toBe('held throttled');
    expect(told(step(900, 899), {}, { ...rules, x: null })).toBe('push at_or_below_threshold');
  });

  test('exactly Y units are significant, up and down', () => {
    expect(told(step(50, 45))).toBe('push significant_change');
    expect(told(step(50, 55))).toBe('push significant_change');
    expect(told(step(50, 46))).toBe('held throttled');
    expect(told(step(900, 100), {}, { ...rules, y: null })).toBe('held throttled');
  });

  test('the Nth transaction goes out, not the one before', () => {
    expect(told(step(50, 49), { heldBack: 1 })).toBe('held throttled');
    expect(told(step(50, 49), { heldBack: 2 })).toBe('push every_nth');
    expect(told(step(50, 49), {}, { ...rules, n: 1 })).toBe('push every_nth');
  });

  test('without a movement: sync turned on or a listing mapped sends the level of a counted SKU', () => {
    expect(verdictOnLevel(watch, 'sync_enabled')).toEqual({ decision: 'push', reason: 'sync_enabled' });
    expect(verdictOnLevel({ ...watch, counted: false }, 'listing_mapped').reason).toBe('not_counted');
    expect(verdictOnLevel({ ...watch, sync: false }, 'listing_mapped').reason).toBe('sync_disabled');
  });

  test('other thresholds let out what they no longer hold back, and only that', () => {
    const verdict = (part: Partial<Rules>, heldBack = 1) => verdictOnPolicy({ ...watch, heldBack }, rules, { ...rules, ...part }).decision;
    expect([verdict({ x: 100 }), verdict({ x: 99 }), verdict({ x: null })]).toEqual(['push', 'held', 'push']);
    expect([verdict({ y: 4 }), verdict({ y: 6 }), verdict({ n: 2 }), verdict({ n: 4 })]).toEqual(['push', 'held', 'push', 'held']);
    expect(verdict({ x: null }, 0)).toBe('held');
  });

  test("a SKU's own thresholds go before its tenant's, one by one; N is 10 where nobody says", () => {
    const tenant = { realTimeAtOrBelow: 20, significantUnits: 5, everyNth: null };
    expect(rulesFor({ realTimeAtOrBelow: null, significantUnits: 8, everyNth: null }, tenant)).toEqual({ x: 20, y: 8, n: 10 });
  });
});

describe('a listing may be off', () => {
  test('by nothing at or below X, by (N − 1)(Y − 1) above it', () => {
    expect([tolerance(20, rules), tolerance(21, rules), tolerance(21, { ...rules, y: null })]).toEqual([0, 8, Infinity]);
    expect([tolerance(900, { ...rules, x: null }), tolerance(21, { ...rules, y: null, n: 1 }), tolerance(21, { ...rules, y: 1 })]).toEqual([
      0, 0, 0,
    ]);
  });

  test('never below zero, nor above what the marketplace takes', () => {
    expect([quantityFor(-3, 100), quantityFor(3, 100), quantityFor(300, 100)]).toEqual([0, 3, 100]);
  });
});

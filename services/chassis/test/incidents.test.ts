import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { incidentAfter, sameIncidentMilliseconds, type Incident } from '../src/incidents/rule.ts';
import { acknowledgementOf, type IncidentDocument } from '../src/incidents/store.ts';

const wrong = { available: '-1' };

/** What becomes of one incident while it is looked at, at these times. */
function watch(...looks: readonly (readonly [at: number, details: Readonly<Record<string, string>> | null])[]): (Incident | undefined)[] {
  const seen: (Incident | undefined)[] = [];
  for (const [index, [at, details]] of looks.entries())
    seen.push(incidentAfter(seen.at(-1), details, { sequence: index + 1, at, correlation: 'c' }));
  return seen;
}

describe('an incident', () => {
  test('opens when something is wrong, stays as it is while it is wrong, and closes itself', () => {
    const [nothing, opened, still, closed, over] = watch([0, null], [10, wrong], [20, { available: '-5' }], [30, null], [40, null]);
    expect(nothing).toBeUndefined();
    expect(opened).toEqual({
      state: 'open',
      count: 1,
      openedAt: 10,
      closedAt: null,
      details: wrong,
      sequence: 2,
      at: 10,
      correlation: 'c',
    });
    expect(still).toBe(opened);
    expect(closed).toMatchObject({ state: 'closed', count: 1, openedAt: 10, closedAt: 30, details: wrong, sequence: 4, at: 30 });
    expect(over).toBe(closed);
  });
  test('that comes back within an hour is the same one, counted again', () => {
    expect(watch([0, wrong], [50, null], [50 + sameIncidentMilliseconds, wrong]).at(-1)).toMatchObject({ count: 2, openedAt: 0 });
  });
  test('that comes back later is a new one', () => {
    const later = 51 + sameIncidentMilliseconds;
    expect(watch([0, wrong], [50, null], [later, wrong]).at(-1)).toMatchObject({ count: 1, openedAt: later, closedAt: null });
  });
  test('is open exactly while something is wrong, however often it comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.boolean())), (looks) => {
        let at = 0;
        const timed = looks.map(([wait, isWrong]) => [(at += wait), isWrong ? wrong : null] as const);
        for (const [index, incident] of watch(...timed).entries()) expect(incident?.state === 'open').toBe(timed[index]?.[1] !== null);
      }),
    );
  });
});

test('an acknowledgement concerns the opening that was seen, not one that comes later', () => {
  const document: IncidentDocument = {
    _id: 'acme/oversold/MUG',
    tenant: 'acme',
    kind: 'oversold',
    subject: 'MUG',
    state: 'open',
    count: 1,
    openedAt: new Date(5),
    closedAt: null,
    details: {},
    sequence: 1,
    at: new Date(5),
    correlation: 'c',
    acknowledged: { user: 'ann', at: new Date(6), openedAt: new Date(5), count: 1 },
  };
  expect(acknowledgementOf(document)).toMatchObject({ user: 'ann' });
  expect(acknowledgementOf({ ...document, count: 2 })).toBeNull();
  expect(acknowledgementOf({ ...document, openedAt: new Date(9) })).toBeNull();
  expect(acknowledgementOf({ ...document, state: 'closed' })).toBeNull();
});

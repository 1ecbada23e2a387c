import { createLogger, Unavailable } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { PolicySettings, TenantPolicy } from '../src/domain.ts';
import { announce, startAnnouncing } from '../src/tenant-policy.ts';
import { createMemoryPolicies, mapped, moved, nothingSet, openLane, policyChanged, toggled } from './made-up.ts';

const strict: TenantPolicy = { revision: 1, realTimeAtOrBelow: 10, significantUnits: 20, everyNth: 50 };

/** A SKU that was counted at 100 and then lost one unit `throttled` times. */
function selling(lane: ReturnType<typeof openLane>, sku: string, throttled: number): void {
  lane.take(mapped(sku, `listing of ${sku}`), moved(sku, 1, 0, 100));
  for (let sold = 1; sold <= throttled; sold += 1) lane.take(moved(sku, sold + 1, 101 - sold, 100 - sold));
}

/** What the change itself pushed: SKU and quantity. */
const pushedByPolicy = ({ published }: ReturnType<typeof openLane>) =>
  published.flatMap(({ event }) =>
    event?.type === 'PushRequested' && event.data.reason === 'policy_changed' ? [[event.data.sku, event.data.available]] : [],
  );

describe("a tenant's new policy", () => {
  test('pushes what it lets out, once, for the reason policy_changed, and nothing else', async () => {
    const lane = openLane(strict);
    for (const sku of ['a', 'b', 'c', 'd', 'e']) selling(lane, sku, 3);
    selling(lane, 'nothing held back', 0);
    lane.take(mapped('never counted', 'l'), toggled('e', false, 'off'));
    await lane.control(policyChanged(2, strict, { ...strict, realTimeAtOrBelow: 97 }));
    expect(pushedByPolicy(lane)).toEqual([
      ['a', 97],
      ['b', 97],
      ['c', 97],
      ['d', 97],
    ]);
    expect(lane.published.at(-1)?.event?.correlation).toBe('the change');
    expect(lane.sent.map(({ event }) => event?.id)).toEqual(
      ['a', 'b', 'c', 'd'].map((sku) => `sync-policy/command/acme/policy-2/acme/${sku}`),
    );
  });

  test.each([
    ['X below the level', { realTimeAtOrBelow: 96 }, 0],
    ['X at the level', { realTimeAtOrBelow: 97 }, 1],
    ['no X at all', { realTimeAtOrBelow: null }, 1],
    ['a larger Y', { significantUnits: 21 }, 0],
    ['a smaller Y', { significantUnits: 19 }, 1],
    ['no Y any more', { significantUnits: null }, 0],
    ['a larger N', { everyNth: 51 }, 0],
    ['a smaller N', { everyNth: 49 }, 1],
    ['the default N, which is smaller', { everyNth: null }, 1],
  ])('with %s', async (_, change, pushes) => {
    const lane = openLane(strict);
    selling(lane, 'a', 3);
    await lane.control(policyChanged(2, strict, { ...strict, ...change }));
    expect(pushedByPolicy(lane)).toHaveLength(pushes);
  });

  test('leaves a product alone whose own setting stands before it', async () => {
    const lane = openLane(strict);
    selling(lane, 'a', 3);
    const data = { tenant: 'acme', sku: 'a', ...nothingSet, realTimeAtOrBelow: 5, user: { kind: 'person', id: 'ann' }, at: 8 } as const;
    lane.take({ id: 'own', type: 'SetSkuPolicy', time: 8, correlation: 'c', data });
    await lane.control(policyChanged(2, strict, { ...strict, realTimeAtOrBelow: 97 }));
    expect(pushedByPolicy(lane)).toEqual([]);
  });

  test('decides each movement that its lane sees after it, and none that it saw before', async () => {
    const lane = openLane(strict);
    selling(lane, 'a', 1);
    await lane.control(policyChanged(2, strict, { ...strict, realTimeAtOrBelow: 50 }));
    lane.take(moved('a', 3, 99, 50));
    const entries = await lane.journal.entries(keyOf('acme', 'a'));
    expect(entries.map(({ data }) => [data.reason, data.inputs.policy.revision])).toEqual([
      ['at_or_below_threshold', 2],
      ['throttled', 1],
      ['first_count', 1],
      ['not_counted', 1],
    ]);
  });

  // A recorded run that was played again pushed a product that had been throttled since the change.
  test('that comes again later pushes nothing that was held back since', async () => {
    const lane = openLane(strict);
    const change = policyChanged(2, strict, { ...strict, everyNth: 40 });
    await lane.control(change);
    selling(lane, 'a', 3);
    await lane.control(change);
    expect(pushedByPolicy(lane)).toEqual([]);
  });

  test('that was told late, after its successor, changes nothing any more', async () => {
    const lane = openLane(strict);
    selling(lane, 'a', 3);
    const wide = { ...strict, realTimeAtOrBelow: 97 };
    await lane.control(policyChanged(3, wide, strict));
    await lane.control(policyChanged(2, strict, wide));
    expect(pushedByPolicy(lane)).toEqual([]);
    lane.take(moved('a', 5, 97, 96));
    expect((await lane.journal.entries(keyOf('acme', 'a')))[0]?.data.inputs.policy.revision).toBe(3);
  });
});

const aSetting = (most: number) => fc.option(fc.integer({ min: 1, max: most }), { nil: null });
const aPolicy: fc.Arbitrary<PolicySettings> = fc.record({
  realTimeAtOrBelow: aSetting(110),
  significantUnits: aSetting(12),
  everyNth: aSetting(8),
});
const aLife = fc.record({
  changes: fc.array(fc.integer({ min: -9, max: 9 }), { maxLength: 8 }),
  synced: fc.boolean(),
});

test('whatever was held back, and wherever its owner is killed, each product is pushed exactly once where the new policy lets it out', async () => {
  await fc.assert(
    fc.asyncProperty(
      aPolicy,
      aPolicy,
      fc.array(aLife, { minLength: 1, maxLength: 7 }),
      fc.nat(6),
      async (before, after, lives, crashAt) => {
        const lane = openLane({ revision: 1, ...before });
        for (const [number, { changes, synced }] of lives.entries()) {
          const sku = `sku ${number}`;
          lane.take(mapped(sku, `l${number}`), moved(sku, 1, 0, 100));
          let level = 100;
          for (const [index, change] of changes.entries()) lane.take(moved(sku, index + 2, level, (level += change)));
          if (!synced) lane.take(toggled(sku, false, `off ${number}`));
        }
        const expected: string[] = [];
        for (const [number, { synced }] of lives.entries()) {
          const { state } = await lane.journal.state(keyOf('acme', `sku ${number}`));
          const covered = after.realTimeAtOrBelow === null || state.available <= after.realTimeAtOrBelow;
          const smaller =
            (after.significantUnits ?? Infinity) < (before.significantUnits ?? Infinity) ||
            (after.everyNth ?? 10) < (before.everyNth ?? 10);
          if (synced && state.counter > 0 && (covered || smaller)) expected.push(`sku ${number}`);
        }
        let sends = 0;
        const control = policyChanged(2, before, after);
        const dying = {
          async send(messages: Parameters<typeof lane.sender.send>[0]) {
            sends += 1;
            if (sends > crashAt) throw new Unavailable('killed');
            await lane.sender.send(messages);
          },
        };
        await lane.control(control, dying).catch(() => undefined);
        await lane.control(control);
        await lane.control(control); // and once more, as its offset was not committed
        expect(pushedByPolicy(lane).map(([sku]) => sku)).toEqual(expected);
      },
    ),
    { numRuns: 200 },
  );
});

describe('telling the lanes', () => {
  const change = { tenant: 'acme', expectedRevision: 0, settings: nothingSet, cause: 'k', correlation: 'c', user: 'ann', at: 1 };

  test('is one record for each partition, with the policy before it', async () => {
    const store = createMemoryPolicies();
    const { sent, sender, hold } = openLane();
    hold();
    await store.set(change);
    const second = await store.set({ ...change, cause: 'l', expectedRevision: 1, settings: { ...nothingSet, everyNth: 3 } });
    if (second) await announce({ store, sender }, second);
    expect(sent.map(({ partition }) => partition)).toEqual(Array.from({ length: 12 }, (_, partition) => partition));
    expect(sent[5]?.event?.data).toMatchObject({ revision: 2, everyNth: 3, before: nothingSet });
    expect(store.revisions.map(({ told }) => told)).toEqual([false, true]);
  });

  test('is made up for after a restart, where the process ended in between', async () => {
    const store = createMemoryPolicies();
    const { sent, sender, hold } = openLane();
    hold();
    await store.set(change);
    using _announcing = startAnnouncing({ store, sender, log: createLogger('test', 'silent') });
    while (!store.revisions[0]?.told) await new Promise(setImmediate);
    expect(sent).toHaveLength(12);
  });
});

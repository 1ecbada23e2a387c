import { expect, test } from '@jest/globals';
import { openObserver } from '../../../replay/observer.ts';
import { openSystem } from '../../../testing/system.ts';
import { readFigures } from '../../status.ts';
import { waitFor } from '../../wait.ts';
import { runDemo } from '../demo.ts';

const everyReason = [
  'push first_count',
  'held available_unchanged',
  'held sync_disabled',
  'held not_counted',
  'push crossed_zero',
  'push at_or_below_threshold',
  'push significant_change',
  'push every_nth',
  'held throttled',
];

const everyType = ['AutoPick', 'BatchPick', 'PurchaseReceiving', 'StockUpdate'];

test('the demo seller shows every reason to push or to hold, and every type of transaction, within a minute', async () => {
  await using system = await openSystem();
  const stopping = new AbortController();
  const said: string[] = [];
  const { promise: opened, resolve } = Promise.withResolvers<void>();
  const demo = runDemo({ addresses: system, signal: stopping.signal, say: (line) => void said.push(line), onOpened: resolve, seed: 1 });
  try {
    await opened;
    await using observer = await openObserver(system.brokers, system.registryUrl, 'demo');
    const { decisions: before } = await readFigures(system.services);
    const missing = async () => {
      const { decisions } = await readFigures(system.services);
      const types = new Set<string>(observer.moves.filter(({ change }) => change.onHand !== 0).map(({ type }) => type));
      const reasons = everyReason.filter((reason) => (decisions.get(reason) ?? 0) <= (before.get(reason) ?? 0));
      return [...reasons, ...everyType.filter((type) => !types.has(type))];
    };
    let left = [...everyReason, ...everyType];
    await waitFor('Every reason and every type', async () => (left = await missing()).length === 0, {
      seconds: 60,
      everyMilliseconds: 500,
    }).catch(() => {});
    expect(left).toEqual([]);
    expect(said.filter((line) => line.includes('failed'))).toEqual([]);
  } finally {
    stopping.abort();
    await demo;
  }
}, 240_000);

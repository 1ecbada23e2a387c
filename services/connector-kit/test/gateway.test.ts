import { describe, expect, test } from '@jest/globals';
import { createLogger } from '@evenkeel/chassis';
import { createGateway, type GatewayOptions } from '../src/gateway.ts';
import { createRateGovernor } from '../src/rate-governor.ts';
import { failed } from './fake-marketplace.ts';

const urgent = { costs: {}, priority: 'urgent' } as const;
const open = (options: Partial<GatewayOptions> = {}) =>
  createGateway({
    log: createLogger('gateway', 'silent'),
    governor: createRateGovernor(),
    isOwner: () => true,
    credentialRetryMilliseconds: 5,
    ...options,
  });

/** Rejects with these in turn, then answers; counts how often it was asked. */
function scripted(...errors: Error[]) {
  const script = { asked: 0, attempt: async (): Promise<string> => {
    script.asked += 1;
    const error = errors.shift();
    if (error) throw error;
    return 'answer';
  } }; // prettier-ignore
  return script;
}

describe('a store’s gate', () => {
  test('stays open when the one retry succeeds', async () => {
    const gateway = open();
    const script = scripted(failed('credential', 'no'));
    expect(await gateway.call(urgent, script.attempt)).toBe('answer');
    expect(gateway.hold()).toBeNull();
    gateway.close();
  });

  test('closes after the retry is refused too, and says so once', async () => {
    let told = 0;
    const gateway = open({ onCredentialRefused: () => (told += 1) });
    const script = scripted(failed('credential', 'no'), failed('credential', 'no'));
    await expect(gateway.call(urgent, script.attempt)).rejects.toMatchObject({ failure: { class: 'credential' } });
    await expect(gateway.call(urgent, script.attempt)).rejects.toMatchObject({ reason: 'disconnected' });
    expect([script.asked, told]).toEqual([2, 1]);
    gateway.close();
  });

  test('lets nobody else try between the first refusal and the retry', async () => {
    const gateway = open({ credentialRetryMilliseconds: 50 });
    const first = gateway.call(urgent, scripted(failed('credential', 'no'), failed('credential', 'no')).attempt).catch(() => 'refused');
    await new Promise((resolve) => setImmediate(resolve));
    await expect(gateway.call(urgent, scripted().attempt)).rejects.toMatchObject({ reason: 'disconnected' });
    expect(await first).toBe('refused');
    gateway.close();
  });
});

test('no call is made for a store that is somebody else’s by now', async () => {
  let mine = true;
  const gateway = open({ isOwner: () => mine });
  const script = scripted();
  await gateway.call(urgent, script.attempt);
  mine = false;
  await expect(gateway.call(urgent, script.attempt)).rejects.toMatchObject({ reason: 'not_owner' });
  expect(script.asked).toBe(1);
  gateway.close();
});

describe('a store’s circuit', () => {
  const circuit = { errorPercentage: 50, volume: 3, resetMilliseconds: 30 };

  test('opens after errors, lets one call try after a while, and closes by itself', async () => {
    const states: string[] = [];
    const gateway = open({ circuit, onCircuit: (state) => states.push(state) });
    for (let errors = 0; errors < 3; errors += 1)
      await gateway.call(urgent, scripted(failed('transient', 'unknown')).attempt).catch(() => undefined);
    await expect(gateway.call(urgent, scripted().attempt)).rejects.toMatchObject({ reason: 'circuit_open' });
    while (gateway.hold() === 'circuit_open') await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await gateway.call(urgent, scripted().attempt)).toBe('answer');
    expect(states).toEqual(['open', 'closed']);
    gateway.close();
  });

  test.each(['throttled', 'permanent_listing', 'conflict', 'bug'] as const)('is not opened by what is %s', async (failureClass) => {
    const gateway = open({ circuit });
    for (let errors = 0; errors < 10; errors += 1) {
      const error = Object.assign(failed(failureClass, 'no'), {
        failure: { class: failureClass, code: 'X', message: '', waitMilliseconds: 1 },
      });
      await gateway.call(urgent, scripted(error).attempt).catch(() => undefined);
    }
    expect(gateway.hold()).toBeNull();
    gateway.close();
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempDisposableSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';
import { createSandboxControl } from '../src/control-client.ts';
import { collect } from './test-sandbox.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** Starts the sandbox as a process of its own and waits for the line that says where it listens. */
async function start(statePath: string): Promise<{ process: ChildProcess; control: ReturnType<typeof createSandboxControl> }> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    env: { ...process.env, NODE_OPTIONS: '', CONTRACT_PORT: '0', CONTROL_PORT: '0', STATE_PATH: statePath, LOG_LEVEL: 'info' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  for await (const line of createInterface({ input: child.stdout })) {
    const { control } = JSON.parse(line) as { control?: string };
    if (control !== undefined) return { process: child, control: createSandboxControl(control) };
  }
  throw new Error('the sandbox ended before it listened');
}

test('a shop keeps every order that was answered, also when its process is killed in the middle of selling', async () => {
  using directory = mkdtempDisposableSync(join(tmpdir(), 'sandbox-'));
  const statePath = join(directory.path, 'state.sqlite');
  const first = await start(statePath);
  await first.control.createShop({ name: 'tea', token: 'x', acceptEverySale: true });
  await first.control.putProducts('tea', [{ sku: 'TEA', quantity: 1_000 }]);
  let answered = 0;
  const selling = (async () => {
    for (;;) {
      await first.control.placeOrder('tea', { lines: [{ sku: 'TEA', quantity: 1 }] });
      answered += 1;
      if (answered === 50) first.process.kill('SIGKILL');
    }
  })();
  await expect(selling).rejects.toThrow('fetch failed');
  if (first.process.signalCode === null) await once(first.process, 'exit');

  const second = await start(statePath);
  try {
    const orders = await collect(second.control.allOrders('tea'));
    expect(orders.length).toBeGreaterThanOrEqual(answered);
    const [level] = (await second.control.quantities('tea')).rows;
    expect(level).toMatchObject({ available: 1_000 - orders.length, committed: orders.length });
    expect((await second.control.sales('tea')).rows).toHaveLength(orders.length);
  } finally {
    second.process.kill('SIGTERM');
    const [code] = await once(second.process, 'exit');
    expect(code).toBe(0);
  }
});

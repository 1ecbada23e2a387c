import { expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFigures, statusBlock, statusLine } from '../status.ts';

const figures = `# HELP evenkeel_orders_total Orders
evenkeel_orders_total 40
evenkeel_decisions_total{decision="push",reason="crossed_zero"} 3
evenkeel_decisions_total{decision="held",reason="throttled"} 9
evenkeel_decisions_total{decision="held",reason="never"} 0
evenkeel_pushes_total{outcome="confirmed"} 3
evenkeel_oldest_outstanding_seconds 1.25
evenkeel_incidents_open{kind="oversold"} 2
nodejs_version_info{version="v24"} 1
`;

async function serving(text: string) {
  const server = createServer((_, response) => response.end(text)).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const close = () => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  };
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, [Symbol.asyncDispose]: close };
}

test('the live status adds up what the services report, and names the one that does not answer', async () => {
  await using one = await serving(figures);
  await using other = await serving(figures.replace('1.25', '4'));
  const read = await readFigures({ order: one.url, stock: other.url, 'sync-policy': 'http://127.0.0.1:1' });
  expect(read).toMatchObject({ orders: 80, movements: 0, oldestOutstandingSeconds: 4, silent: ['sync-policy'] });

  const before = { ...read, atMilliseconds: read.atMilliseconds - 2000, orders: 74 };
  expect(statusBlock(before, read)).toEqual([
    '  orders/s 3.0   movements/s 0.0   oldest outstanding listing 4.0 s',
    '  pushes decided: crossed_zero 6',
    '  held:           throttled 18',
    '  pushes sent:    confirmed 6',
    '  incidents open: oversold 4',
    '  not answering:  sync-policy',
  ]);
  expect(statusLine(before, read)).toContain('held: throttled 18 | pushes sent: confirmed 6');
});

test('a service that was started again counts from nothing, which is no negative rate', async () => {
  await using service = await serving(figures);
  const read = await readFigures({ order: service.url });
  const before = { ...read, atMilliseconds: read.atMilliseconds - 1000, orders: 1000 };
  expect(statusBlock(before, read)[0]).toContain('orders/s 0.0');
});

import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { freePorts, portsInUse, readPorts } from '../ports.ts';

test('a port in use is named, with what wanted it and how to choose another', async () => {
  const ports = await freePorts();
  const other = createServer().listen(ports.stock, '127.0.0.1');
  await new Promise((resolve) => other.once('listening', resolve));
  try {
    expect(await portsInUse(ports)).toEqual([
      `Port ${ports.stock}, wanted for stock, is in use: stop what listens there, or set STOCK_PORT to another.`,
    ]);
  } finally {
    other.close();
  }
});

test('ports come from the environment, and a wrong or doubled one is refused', () => {
  expect(readPorts({ KAFKA_PORT: '9092' })).toMatchObject({ kafka: 9092, registry: 18081 });
  expect(() => readPorts({ KAFKA_PORT: '99999' })).toThrow('KAFKA_PORT=99999 is not a port (1 to 65535)');
  expect(() => readPorts({ ORDER_PORT: '4103' })).toThrow('ORDER_PORT and STOCK_PORT both name port 4103');
});

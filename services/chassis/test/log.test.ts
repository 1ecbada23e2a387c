import { describe, expect, test } from '@jest/globals';
import { createLogger, createMetrics, Secret, type Logger } from '../src/index.ts';

function record(write: (log: Logger) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLogger('stock', 'debug', { write: (line) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('the log', () => {
  test('is JSON with service, level by name, time and the correlation of what it follows', () => {
    const [line] = record((log) => log.child({ correlation: 'order-17' }).info({ sku: 'a' }, 'moved'));
    expect(line).toMatchObject({ service: 'stock', level: 'info', correlation: 'order-17', sku: 'a', msg: 'moved' });
    expect(line?.['time']).toMatch(/^\d{4}-.*Z$/);
  });

  test('never holds what would open a door, wherever it stands', () => {
    const jwt = 'eyJhbGciOiJFUzI1NiJ9.eyJ0ZW5hbnQiOiJhIn0.c2lnbmF0dXJl';
    const error = Object.assign(
      new Error(`refused: Bearer hunter2hunter2 at mongodb://user:hunter2@host/db`, { cause: new Error('shpat_hunter2hunter2') }),
      {
        config: { headers: { Authorization: 'Basic hunter2' } },
      },
    );
    const lines = record((log) => {
      log.info(
        { request: { headers: { authorization: 'Bearer hunter2', cookie: 'a=hunter2', 'X-Shopify-Access-Token': 'hunter2' } } },
        `got ${jwt}`,
      );
      log.info({
        store: { credentials: { any: ['hunter2'] }, accessToken: 'hunter2', password: 'hunter2', apiKey: 'hunter2' },
        deep: [{ deeper: { secret: 'hunter2' } }],
      });
      log.error({ err: error }, 'failed');
      log.error(error);
      log
        .child({ token: 'hunter2' })
        .child({ correlation: 'c', password: 'hunter2' })
        .warn({ wrapped: new Secret('hunter2') }, 'child');
    });
    expect(lines).toHaveLength(5);
    expect(JSON.stringify(lines)).not.toMatch(/hunter2|eyJ/);
    expect(lines[2]).toMatchObject({
      err: { type: 'Error', message: 'refused: Bearer [censored] at mongodb://user:[censored]@host/db', cause: { message: '[censored]' } },
    });
    expect(lines[4]).toMatchObject({ wrapped: '[secret]', correlation: 'c' });
  });

  test('keeps what gives nothing away', () => {
    const [line] = record((log) =>
      log.info({ tokensLeft: 40, hasPassword: true, token: null, at: new Date(0), big: 5n, bytes: Buffer.from('abc') }),
    );
    expect(line).toMatchObject({
      tokensLeft: 40,
      hasPassword: true,
      token: null,
      at: '1970-01-01T00:00:00.000Z',
      big: '5',
      bytes: '[3 bytes]',
    });
  });

  test('survives what points to itself', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(record((log) => log.info({ loop }, 'round'))).toHaveLength(1);
  });
});

describe('metrics', () => {
  test('are read as text, each registry for itself', async () => {
    const [one, other] = [createMetrics(), createMetrics({ processMetrics: false })];
    one.counter({ name: 'evenkeel_movements_total', help: 'Movements.', labels: ['type'] }).inc({ type: 'auto_pick' }, 2);
    one.gauge({ name: 'evenkeel_oldest_outstanding_seconds', help: 'Age.', collect: (gauge) => gauge.set(7) });
    const { text } = await one.read();
    expect(text).toContain('evenkeel_movements_total{type="auto_pick"} 2');
    expect(text).toContain('evenkeel_oldest_outstanding_seconds 7');
    expect(text).toContain('process_cpu_seconds_total');
    expect((await other.read()).text.trim()).toBe('');
  });

  test('are named alike, and never labelled by what has no end', () => {
    const metrics = createMetrics({ processMetrics: false });
    expect(() => metrics.counter({ name: 'movements_total', help: '' })).toThrow('evenkeel_<noun>');
    expect(() => metrics.counter({ name: 'evenkeel_movements', help: '' })).toThrow('_total');
    expect(() => metrics.gauge({ name: 'evenkeel_levels', help: '', labels: ['sku'] })).toThrow('must not be labelled by sku');
  });
});

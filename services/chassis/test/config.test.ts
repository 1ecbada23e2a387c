import { describe, expect, test } from '@jest/globals';
import { commonConfig, ConfigError, keys, list, readConfig, seconds, url } from '../src/index.ts';

const env = {
  KAFKA_BROKERS: 'a:9092, b:9092',
  SCHEMA_REGISTRY_URL: 'http://127.0.0.1:18081/apis/ccompat/v7/',
  MONGO_URL: 'mongodb://127.0.0.1:27027',
  HTTP_PORT: '4101',
  JWT_ISSUER_URL: 'http://127.0.0.1:4100',
};

function complaintsOf(read: () => unknown): readonly string[] {
  try {
    read();
  } catch (error) {
    if (error instanceof ConfigError) return error.complaints;
    throw error;
  }
  return [];
}

describe('the configuration', () => {
  test('is read from the environment, with what is usual where nothing is said', () => {
    expect(readConfig(commonConfig('sync-policy'), env)).toEqual({
      kafkaBrokers: ['a:9092', 'b:9092'],
      schemaRegistryUrl: 'http://127.0.0.1:18081/apis/ccompat/v7',
      mongoUrl: 'mongodb://127.0.0.1:27027',
      mongoDatabase: 'evenkeel_sync_policy',
      httpHost: '127.0.0.1',
      httpPort: 4101,
      logLevel: 'info',
      jwtIssuerUrl: 'http://127.0.0.1:4100',
      jwtAudience: 'evenkeel',
      kafkaSessionTimeoutMilliseconds: 10_000,
    });
  });

  test('names everything that is missing or wrong at once, and what it is for', () => {
    const complaints = complaintsOf(() =>
      readConfig(commonConfig('stock'), { ...env, KAFKA_BROKERS: '', HTTP_PORT: '70000', LOG_LEVEL: 'loud' }),
    );
    expect(complaints).toEqual([
      'KAFKA_BROKERS is missing (the Kafka brokers: host:port, comma-separated).',
      'HTTP_PORT is wrong (the port that its HTTP listens on): expected a whole number from 0 to 65535.',
      expect.stringMatching(/^LOG_LEVEL is wrong .*debug/),
    ]);
  });

  test('never shows what a wrong variable holds', () => {
    const shape = { ...commonConfig('stock'), CREDENTIALS_KEYS: keys() };
    const message = complaintsOf(() =>
      readConfig(shape, { ...env, MONGO_URL: 'postgres://u:hunter2@h', CREDENTIALS_KEYS: 'hunter2hunter2' }),
    ).join();
    expect(message).toContain('CREDENTIALS_KEYS is wrong: key 1 is not keyid:base64-of-32-bytes');
    expect(message).not.toContain('hunter2');
  });

  test.each([
    [seconds(), ['0.5', '10'], ['0', '-1', '1e3', '', 'ten']],
    [url(), ['https://a.example/x', 'https://{shop}.example'], ['ftp://a', 'a', '']],
    [list(/^\w+$/), ['a', 'a, b'], ['a,', ',', 'a b']],
    [commonConfig('x').HTTP_PORT, ['0', '65535'], ['-1', '1.5', '65536', '0x10', 'x']],
  ])('schema %#: takes what is right, and nothing else', (schema, right, wrong) => {
    expect(right.map((value) => schema.safeParse(value).success)).toEqual(right.map(() => true));
    expect(wrong.map((value) => schema.safeParse(value).success)).toEqual(wrong.map(() => false));
  });
});

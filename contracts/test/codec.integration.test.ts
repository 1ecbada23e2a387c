import { expect, test } from '@jest/globals';
import { openCodec, UnreadableMessage, type UnitsReserved } from '../src/index.ts';

const registryUrl = process.env.SCHEMA_REGISTRY_URL ?? '';
const reserved: UnitsReserved = {
  tenant: 'default',
  sku: 'mug/blue',
  order: { store: 'main', order: '1001' },
  sequence: 1,
  quantity: 2,
  user: { kind: 'marketplace', id: 'shopify' },
  at: 1_700_000_000_000,
};

test('what one service writes another one reads', async () => {
  const codec = await openCodec(registryUrl);
  expect(await codec.decode('UnitsReserved', codec.encode('UnitsReserved', reserved))).toEqual(reserved);
});

test('a quantity that is no whole number is refused before it is written', async () => {
  const codec = await openCodec(registryUrl);
  expect(() => codec.encode('UnitsReserved', { ...reserved, quantity: 1.5 })).toThrow();
});

test('bytes that are not the event they are said to be are unreadable for good', async () => {
  const codec = await openCodec(registryUrl);
  const bytes = codec.encode('UnitsReserved', reserved);
  await expect(codec.decode('UpdateStock', bytes)).rejects.toThrow(UnreadableMessage);
  await expect(codec.decode('UnitsReserved', Buffer.from('hello, world'))).rejects.toThrow(UnreadableMessage);
  await expect(codec.decode('UnitsReserved', bytes.subarray(0, 9))).rejects.toThrow(UnreadableMessage);
  await expect(codec.decode('UnitsReserved', Buffer.from([0, 0x7f, 0xff, 0xff, 0xff, 1]))).rejects.toThrow(UnreadableMessage);
});

test('a registry that cannot be reached is named as such', async () => {
  await expect(openCodec('http://127.0.0.1:9/apis/ccompat/v7')).rejects.toThrow(/SCHEMA_REGISTRY_URL/);
});

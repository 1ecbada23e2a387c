import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { canonicalPath, causeOf, hashOfBody } from '../src/http/idempotency.ts';
import { createMemoryIdempotencyStore } from '../src/index.ts';
import { describeIdempotencyStore } from './idempotency-contract.ts';

describeIdempotencyStore('in memory', () =>
  Promise.resolve({ store: createMemoryIdempotencyStore(), [Symbol.asyncDispose]: () => Promise.resolve() }),
);

test('a cause is of one tenant, method, path and key', () => {
  const cause = causeOf('a/b', 'PUT', '/products/a', 'k');
  expect(cause).toMatch(/^command\/a%2Fb\/[0-9a-f]{32}$/);
  expect(causeOf('a/b', 'put', '/products/a', 'k')).toBe(cause);
  const others = [
    causeOf('a', 'PUT', '/products/a', 'k'),
    causeOf('a/b', 'POST', '/products/a', 'k'),
    causeOf('a/b', 'PUT', '/products/a?x=1', 'k'),
    causeOf('a/b', 'PUT', '/products/a', 'l'),
  ];
  expect(new Set([cause, ...others]).size).toBe(5);
});

test('an address has one spelling', () => {
  expect(canonicalPath('/a%2db/%7Ec')).toBe('/a-b/~c');
  expect(canonicalPath('/a%2fb?x=%7E')).toBe('/a%2Fb?x=%7E');
  expect(canonicalPath('http://host:1/a?b')).toBe('/a?b');
});

test('the order of a body’s keys does not matter, anything else does', () => {
  expect(hashOfBody({ a: 1, b: [{ c: 2, d: 3 }] })).toBe(hashOfBody({ b: [{ d: 3, c: 2 }], a: 1 }));
  const plain = fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown);
  fc.assert(fc.property(plain, plain, (a, b) => (hashOfBody(a) === hashOfBody(b)) === isSame(a, b)));
  expect(new Set([undefined, null, '', {}, []].map(hashOfBody)).size).toBe(5);
});

function isSame(a: unknown, b: unknown): boolean {
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return a === b;
  if (Array.isArray(a) !== Array.isArray(b) || Object.keys(a).length !== Object.keys(b).length) return false;
  return Object.entries(a).every(([key, value]) => Object.hasOwn(b, key) && isSame(value, (b as Record<string, unknown>)[key]));
}

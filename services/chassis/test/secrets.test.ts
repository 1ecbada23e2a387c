import { inspect } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import { createSealer, parseKeyRing, Secret, SealError, type Sealed } from '../src/index.ts';

const key = (fill: number) => Buffer.alloc(32, fill).toString('base64');
const ring = parseKeyRing(`new:${key(1)},old:${key(2)}`);

function failureOf(work: () => unknown): SealError {
  try {
    work();
  } catch (error) {
    if (error instanceof SealError) return error;
    throw error;
  }
  throw new Error('It opened.');
}

describe('credentials at rest', () => {
  test('come back as they were, where they belong', () => {
    const sealer = createSealer(ring);
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string({ unit: 'grapheme' }), (plain, context) => {
        expect(sealer.open(sealer.seal(plain, context), context)).toEqual(JSON.parse(JSON.stringify(plain)));
      }),
    );
  });

  test('are never sealed alike twice, and name their key', () => {
    const sealer = createSealer(ring);
    const [one, other] = [sealer.seal({ token: 'hunter2' }, 'a/s'), sealer.seal({ token: 'hunter2' }, 'a/s')];
    expect(one.keyId).toBe('new');
    expect([one.nonce, one.ciphertext]).not.toEqual([other.nonce, other.ciphertext]);
    expect(JSON.stringify(one)).not.toContain('hunter2');
  });

  test('sealed with an older key still open, and show that they are due', () => {
    const sealed = createSealer(parseKeyRing(`old:${key(2)}`)).seal({ token: 't' }, 'a/s');
    const sealer = createSealer(ring);
    expect(sealer.open(sealed, 'a/s')).toEqual({ token: 't' });
    expect([sealer.isCurrent(sealed), sealer.isCurrent(sealer.seal({}, ''))]).toEqual([false, true]);
  });

  test('sealed with a key that is gone say which', () => {
    const sealed = createSealer(parseKeyRing(`gone:${key(3)}`)).seal({ token: 'hunter2' }, 'a/s');
    const failure = failureOf(() => createSealer(ring).open(sealed, 'a/s'));
    expect([failure.reason, failure.message]).toEqual(['unknown_key', expect.stringContaining('the key gone,')]);
  });

  test('changed, moved to another store, or opened with another key do not open, and tell nothing', () => {
    const sealer = createSealer(ring);
    const sealed = sealer.seal({ token: 'hunter2' }, 'a/s');
    const flip = (text: string) => (text.startsWith('A') ? `B${text.slice(1)}` : `A${text.slice(1)}`);
    const wrong: [Sealed, string][] = [
      [{ ...sealed, ciphertext: flip(sealed.ciphertext) }, 'a/s'],
      [{ ...sealed, nonce: flip(sealed.nonce) }, 'a/s'],
      [{ ...sealed, tag: flip(sealed.tag) }, 'a/s'],
      [{ ...sealed, tag: sealed.tag.slice(0, 8) }, 'a/s'],
      [{ ...sealed, keyId: 'old' }, 'a/s'],
      [{ ...sealed, ciphertext: '' }, 'a/s'],
      [sealed, 'a/other'],
    ];
    for (const [changed, context] of wrong) {
      const failure = failureOf(() => sealer.open(changed, context));
      expect(failure.reason).toBe('tampered');
      expect(inspect(failure)).not.toContain('hunter2');
    }
  });

  test('a key ring that is not one is refused, without showing it', () => {
    for (const wrong of ['', 'a', `a:${key(1)},`, `a:${key(1).slice(4)}`, `a b:${key(1)}`, `a:${key(1)},a:${key(2)}`, 'a:hunter2'])
      expect(() => parseKeyRing(wrong)).toThrow(/^(key \d is not keyid:base64|the key id a stands there twice)/);
    expect(inspect(ring, { depth: 9, showHidden: true })).not.toContain(key(1));
  });
});

test('a secret does not show itself', () => {
  const secret = new Secret('hunter2');
  expect([String(secret), JSON.stringify({ secret }), inspect({ secret }), inspect(secret, { showHidden: true })].join()).not.toContain(
    'hunter2',
  );
  expect(secret.reveal()).toBe('hunter2');
});

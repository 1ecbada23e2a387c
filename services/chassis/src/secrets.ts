import { createCipheriv, createDecipheriv, createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { inspect } from 'node:util';

/** A value that does not show itself: not in JSON, not in a template string, not in a log or a debugger's print. */
export class Secret<Value = string> {
  readonly #value: Value;

  constructor(value: Value) {
    this.#value = value;
  }

  /** The value itself; call it where it is used, and nowhere before. */
  reveal(): Value {
    return this.#value;
  }

  toJSON(): string {
    return '[secret]';
  }

  toString(): string {
    return '[secret]';
  }

  [inspect.custom](): string {
    return '[secret]';
  }
}

/** AES-256 keys by id; the first seals, all open. A KeyObject does not print its bytes. */
export type KeyRing = readonly [RingKey, ...RingKey[]];
interface RingKey {
  readonly id: string;
  readonly key: KeyObject;
}

/**
 * Reads `keyid:base64-of-32-bytes[,older…]`. To rotate: put the new key first, leave the old one until everything was sealed anew.
 * Throws with what is wrong by position or id, never with the key.
 */
export function parseKeyRing(text: string): KeyRing {
  const ring = text.split(',').map((part, index) => parseKey(part.trim(), index + 1));
  const repeated = ring.find(({ id }, index) => ring.findIndex((other) => other.id === id) !== index);
  if (repeated) throw new Error(`the key id ${repeated.id} stands there twice; give every key an id of its own`);
  return ring as unknown as KeyRing;
}

function parseKey(part: string, position: number): RingKey {
  const match = /^([A-Za-z0-9_-]{1,32}):([A-Za-z0-9+/]{43}=)$/.exec(part);
  const bytes = Buffer.from(match?.[2] ?? '', 'base64');
  if (!match?.[1] || bytes.length !== 32)
    throw new Error(
      `key ${position} is not keyid:base64-of-32-bytes (make one: openssl rand -base64 32; the id: letters, digits, _ and -)`,
    );
  return { id: match[1], key: createSecretKey(bytes) };
}

/** Something encrypted, as it is stored: base64 strings and the id of the key. */
export interface Sealed {
  readonly keyId: string;
  readonly nonce: string;
  readonly tag: string;
  readonly ciphertext: string;
}

/** It cannot be opened; the message says why and what to do, never what is inside. */
export class SealError extends Error {
  override readonly name = 'SealError';
  readonly reason: 'unknown_key' | 'tampered';

  constructor(reason: 'unknown_key' | 'tampered', message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface Sealer {
  /** Encrypts JSON. `context` says what it belongs to (tenant, store): it opens only there, so that it can't be moved to another document. */
  seal(plain: object, context: string): Sealed;
  /** The object that was sealed. Throws {@link SealError}. */
  open(sealed: Sealed, context: string): unknown;
  /** False where an older key sealed it: seal it anew when convenient. */
  isCurrent(sealed: Sealed): boolean;
}

/** Encryption at rest: AES-256-GCM, a random nonce for each. */
export function createSealer(ring: KeyRing): Sealer {
  const [current] = ring;
  return {
    seal(plain, context) {
      const nonce = randomBytes(12);
      const cipher = createCipheriv('aes-256-gcm', current.key, nonce).setAAD(Buffer.from(context));
      const ciphertext = Buffer.concat([cipher.update(JSON.stringify(plain)), cipher.final()]);
      return {
        keyId: current.id,
        nonce: nonce.toString('base64'),
        tag: cipher.getAuthTag().toString('base64'),
        ciphertext: ciphertext.toString('base64'),
      };
    },
    open(sealed, context) {
      const found = ring.find(({ id }) => id === sealed.keyId);
      if (!found)
        throw new SealError(
          'unknown_key',
          `It was sealed with the key ${sealed.keyId}, which is not configured: add that key after the current one, or enter the credentials again.`,
        );
      return decrypt(found.key, sealed, context);
    },
    isCurrent: (sealed) => sealed.keyId === current.id,
  };
}

function decrypt(key: KeyObject, sealed: Sealed, context: string): unknown {
  try {
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.nonce, 'base64'), { authTagLength: 16 })
      .setAAD(Buffer.from(context))
      .setAuthTag(Buffer.from(sealed.tag, 'base64'));
    const plain = Buffer.concat([decipher.update(Buffer.from(sealed.ciphertext, 'base64')), decipher.final()]);
    return JSON.parse(plain.toString('utf8'));
  } catch {
    // Without a cause: what Node says of a half-decrypted text must not reach a log.
    throw new SealError(
      'tampered',
      `It does not open with the key ${sealed.keyId}: it was changed, moved from another document, or the key under that id is another one. Enter the credentials again.`,
    );
  }
}

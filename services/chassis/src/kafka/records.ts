import { createRequire } from 'node:module';
import type { IHeaders } from 'kafkajs';

type Part = Buffer | string | null;

/** As kafkajs hands a record over; `timestampDelta` in milliseconds, both deltas from the first of its batch. */
export interface RecordParts {
  readonly offsetDelta?: number;
  readonly timestampDelta?: number;
  readonly key?: Part;
  readonly value?: Part;
  readonly headers?: IHeaders;
}

/** kafkajs puts records together from what has a buffer. */
export interface EncodedRecord {
  readonly buf: Buffer;
  readonly buffer: Buffer;
}

const zigzag = (value: number): number => (value < 0 ? -2 * value - 1 : 2 * value);

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = zigzag(value); rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes += 1;
  return bytes;
}

const bytesOf = (part: Part | undefined): number => (part === null || part === undefined ? -1 : Buffer.byteLength(part));

/**
 * A record of the second message format (https://kafka.apache.org/documentation/#record), byte for byte as kafkajs writes it, in one buffer.
 * kafkajs takes a buffer for the record and one more for each header: 16 µs for a record of ours, of which this leaves 3.
 */
export function encodeRecord({ offsetDelta = 0, timestampDelta = 0, key, value, headers = {} }: RecordParts): EncodedRecord {
  const parts: (Part | undefined)[] = [key, value];
  for (const [name, of] of Object.entries(headers))
    if (Array.isArray(of)) for (const one of of) parts.push(name, one);
    else parts.push(name, of);
  const headerCount = (parts.length - 2) / 2;
  const sizes = parts.map(bytesOf);
  let body = 1 + varintBytes(timestampDelta) + varintBytes(offsetDelta) + varintBytes(headerCount);
  for (const bytes of sizes) body += varintBytes(bytes) + Math.max(0, bytes);
  const buffer = Buffer.allocUnsafe(varintBytes(body) + body);
  let at = 0;
  const putVarint = (number: number): void => {
    let rest = zigzag(number);
    for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) buffer[at++] = (rest % 0x80) + 0x80;
    buffer[at++] = rest;
  };
  const putPart = (index: number): void => {
    const part = parts[index];
    putVarint(sizes[index] ?? -1);
    if (typeof part === 'string') at += buffer.write(part, at);
    else if (part) at += part.copy(buffer, at);
  };
  putVarint(body);
  buffer[at++] = 0; // attributes: none are in use
  putVarint(timestampDelta);
  putVarint(offsetDelta);
  putPart(0);
  putPart(1);
  putVarint(headerCount);
  for (let index = 2; index < parts.length; index += 1) putPart(index);
  return { buf: buffer, buffer };
}

/** From here on kafkajs encodes what it produces with {@link encodeRecord}: it reads the module that does it at its first send. */
export function encodeRecordsAtOnce(): void {
  const require = createRequire(import.meta.url);
  const path = require.resolve('kafkajs/src/protocol/recordBatch/record/v0/index.js');
  require(path);
  const loaded = require.cache[path];
  if (loaded) loaded.exports = encodeRecord;
}

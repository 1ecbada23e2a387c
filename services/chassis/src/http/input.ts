import { isUtf8 } from 'node:buffer';
import express, { type Request, type RequestHandler, type Response } from 'express';
import { z } from 'zod';
import { problem, type Problem } from './problem.ts';
import type { Route } from './routes.ts';

const maximumBodyBytes = 256 * 1024;
const maximumTextLength = 8_192;
const maximumDepth = 16;
const maximumComplaints = 20;

export interface Input {
  readonly params: unknown;
  readonly query: unknown;
  readonly body: unknown;
  /** The body as it was sent, for the comparison of repeats; undefined where there is none. */
  readonly sentBody: unknown;
}

interface Complaint {
  /** Such as `body.lines[0].quantity`. */
  readonly field: string;
  /** What is expected there. */
  readonly message: string;
}

const nothing = z.strictObject({});

/** Reads and validates what a request brings. Throws a {@link Problem}: 400 that names each field and what is expected, 413, 415. */
export async function readInput(route: Route, request: Request, response: Response): Promise<Input> {
  const sentBody = await readBody(route, request, response);
  const query = readQuery(request);
  const complaints: Complaint[] = [];
  const part = (name: string, schema: z.ZodType, value: unknown): unknown => {
    const unfit = name === 'body' && route.accepts ? null : findUnfit(value, name, 0);
    if (unfit) complaints.push(unfit);
    const parsed = unfit ? null : schema.safeParse(value);
    if (parsed?.error) complaints.push(...parsed.error.issues.flatMap((issue) => complaintsOf(name, issue)));
    return parsed?.data;
  };
  const input = {
    params: part('path', route.params ?? nothing, { ...request.params }),
    query: part('query', route.query ?? nothing, query),
    body: route.body ? part('body', route.body, sentBody) : undefined,
    sentBody,
  };
  if (complaints.length > 0) throw invalid(complaints);
  return input;
}

/** What comes with a signature: the body as bytes, to be believed by nobody before that is verified. Throws a {@link Problem}: 400, 413, 415. */
export async function readSigned(route: Route, request: Request, response: Response): Promise<{ params: unknown; body: Buffer }> {
  const body = await readBytes(request, response, maximumBodyBytes);
  readQuery(request);
  const value = { ...request.params };
  const unfit = findUnfit(value, 'path', 0);
  const parsed = (route.params ?? nothing).safeParse(value);
  if (unfit) throw invalid([unfit]);
  if (parsed.error) throw invalid(parsed.error.issues.flatMap((issue) => complaintsOf('path', issue)));
  return { params: parsed.data, body: body ?? Buffer.alloc(0) };
}

function invalid(complaints: readonly Complaint[]): Problem {
  const shown = complaints.slice(0, maximumComplaints);
  return problem(400, {
    type: 'invalid-request',
    detail: `Correct this and send it again: ${shown.map(({ field, message }) => `${field}: ${message}`).join('; ')}.`,
    errors: shown,
  });
}

function readQuery(request: Request): Record<string, unknown> {
  // No client may send a fragment (RFC 9112, 3.2); what follows one would be left out by the routes, but not by the idempotency key's scope.
  if (request.originalUrl.includes('#')) throw invalid([{ field: 'path', message: "it has a '#'; in a name that is %23" }]);
  const sent = request.originalUrl.split('?').slice(1).join('?');
  try {
    decodeURIComponent(sent);
  } catch {
    throw invalid([{ field: 'query', message: 'it is not percent-encoded UTF-8' }]);
  }
  return { ...request.query };
}

/** By how many bytes a body may have at most. */
const bodyReaders = new Map<number, RequestHandler>();

function bodyReader(limit: number): RequestHandler {
  const reader = bodyReaders.get(limit) ?? express.raw({ type: () => true, limit, inflate: false });
  bodyReaders.set(limit, reader);
  return reader;
}

const readBytes = (request: Request, response: Response, maximumBytes: number): Promise<Buffer | null> =>
  new Promise((resolve, reject) => {
    bodyReader(maximumBytes)(request, response, (error: unknown) => {
      if (error) reject(bodyProblem(error, maximumBytes));
      else resolve(Buffer.isBuffer(request.body) && request.body.length > 0 ? request.body : null);
    });
  });

async function readBody(route: Route, request: Request, response: Response): Promise<unknown> {
  const { contentType, maximumBytes } = route.accepts ?? { contentType: 'application/json', maximumBytes: maximumBodyBytes };
  const bytes = await readBytes(request, response, maximumBytes);
  if (!bytes) {
    if (route.body && !route.body.safeParse(undefined).success)
      throw invalid([{ field: 'body', message: `is missing: expected ${route.accepts ? contentType : 'a JSON object'}` }]);
    return undefined;
  }
  if (!route.body) throw invalid([{ field: 'body', message: 'nothing is expected here; send none' }]);
  if (!request.is(contentType)) throw unsupported(`Send the body as Content-Type: ${contentType}.`);
  if (!isUtf8(bytes)) throw invalid([{ field: 'body', message: 'it is not UTF-8' }]);
  return route.accepts ? bytes.toString('utf8') : parseJson(bytes);
}

function parseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    throw problem(400, { type: 'broken-json', detail: 'The body is not JSON. Check its quotes, commas and brackets, and send it again.' });
  }
}

const unsupported = (detail: string): Problem => problem(415, { type: 'unsupported-content', detail });

function bodyProblem(error: unknown, maximumBytes: number): Problem {
  const type = error instanceof Error && 'type' in error ? error.type : undefined;
  if (type === 'entity.too.large')
    return problem(413, {
      type: 'body-too-large',
      detail: `The body is larger than ${maximumBytes / 1024} KiB. Send less at once.`,
      maximumBodyBytes: maximumBytes,
    });
  if (type === 'encoding.unsupported') return unsupported('Send the body as it is, without Content-Encoding.');
  return invalid([{ field: 'body', message: 'it did not arrive in whole' }]);
}

/** What no schema should have to think of: NUL, halves of surrogate pairs (they can't be encoded again), absurd lengths and depths. */
function findUnfit(value: unknown, field: string, depth: number): Complaint | null {
  if (typeof value === 'string') return unfitText(value, field);
  if (typeof value !== 'object' || value === null) return null;
  if (depth >= maximumDepth) return { field, message: `expected at most ${maximumDepth} levels` };
  for (const [key, inner] of Object.entries(value)) {
    const name = Array.isArray(value) ? `${field}[${key}]` : `${field}.${shown(key)}`;
    const unfit =
      unfitText(key, name) ?? (key === '__proto__' ? { field: name, message: 'is not known here' } : findUnfit(inner, name, depth + 1));
    if (unfit) return unfit;
  }
  return null;
}

function unfitText(value: string, field: string): Complaint | null {
  if (value.length > maximumTextLength) return { field, message: `expected at most ${maximumTextLength} characters` };
  if (value.includes('\0')) return { field, message: 'expected no NUL characters' };
  if (!value.isWellFormed()) return { field, message: 'expected whole Unicode characters, not half a surrogate pair' };
  return null;
}

/** A name that came from outside, fit to be shown in an answer. */
const shown = (key: PropertyKey): string => {
  const name = String(key)
    .toWellFormed()
    .replaceAll(/\p{Cc}/gu, '?');
  return name.length > 64 ? `${name.slice(0, 64)}…` : name;
};

function complaintsOf(part: string, issue: z.core.$ZodIssue): Complaint[] {
  const field = issue.path.reduce<string>((path, key) => (typeof key === 'number' ? `${path}[${key}]` : `${path}.${shown(key)}`), part);
  if (issue.code === 'unrecognized_keys')
    return issue.keys
      .slice(0, maximumComplaints)
      .map((key) => ({ field: `${field}.${shown(key)}`, message: 'is not known here; leave it out' }));
  if (issue.code === 'invalid_union') {
    const forms = issue.errors.flat().map((inner) => wording(inner));
    return [{ field, message: forms.length > 0 ? [...new Set(forms)].join(', or ') : wording(issue) }];
  }
  return [{ field, message: wording(issue) }];
}

function wording(issue: z.core.$ZodIssue): string {
  const message = issue.message
    .replace(/^Invalid input: /, '')
    .replace(/^Too (big|small): /, '')
    .replace('expected int, received number', 'expected a whole number');
  return issue.code === 'invalid_type' && message.endsWith(', received undefined')
    ? `is missing: ${message.replace(', received undefined', '')}`
    : message;
}

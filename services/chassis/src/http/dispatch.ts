import { randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Request, RequestHandler, Response } from 'express';
import type { Logger } from '../log.ts';
import { causeOf, canonicalPath, hashOfBody, requireKey, type IdempotencyStore, type StoredAnswer } from './idempotency.ts';
import { requireRole, type Identify, type Identity } from './identity.ts';
import { readInput, readSigned, type Input } from './input.ts';
import { Problem, problem, problemOf } from './problem.ts';
import { changesSomething, type Idempotency, type Reply, type Route, type SignedRequest, type TextBody } from './routes.ts';

export interface Dependencies {
  readonly identity: Identify;
  readonly idempotency: IdempotencyStore;
  readonly log: Logger;
}

/** The caller's `X-Correlation-Id` where it is usable, else a new one. */
export function correlationOf(request: Request): string {
  const given = request.get('x-correlation-id');
  return given !== undefined && /^[\x21-\x7e]{1,128}$/.test(given) ? given : randomUUID();
}

/** From a route to what express calls: who asks, may they, is it well-formed, has it been asked before, then the handler. */
export function createDispatcher({ identity: identify, idempotency: store, log }: Dependencies) {
  return (route: Route): RequestHandler =>
    async (request, response) => {
      response.locals['route'] = route.path;
      const correlation = response.locals['correlation'] as string;
      const child = log.child({ correlation });
      try {
        if (route.access === 'signature') return await send(response, await handleSigned(route, request, response, child));
        const identity = await identify(request.get('authorization'));
        requireRole(identity, route.roles);
        const key = changesSomething(route.method) ? requireKey(request.get('idempotency-key')) : null;
        const input = await readInput(route, request, response);
        const call: Call = { route, identity, input, correlation, log: child };
        if (key === null) return await send(response, await handle(call, Date.now(), undefined));
        const cause = causeOf(identity.tenant, request.method, canonicalPath(request.originalUrl), key);
        await change(call, { key, cause }, store, response);
      } catch (error) {
        const answer = problemOf(error);
        if (answer !== error) child.error({ err: error, route: route.path }, 'request failed');
        // Half an answer must not look like a whole one.
        if (response.headersSent) return void response.destroy();
        sendProblem(response, answer);
      }
    };
}

interface Call {
  readonly route: Route;
  readonly identity: Identity;
  readonly input: Input;
  readonly correlation: string;
  readonly log: Logger;
}

/** Claims the key, then acts: the claim comes first, so that no crash lets another body in under the same key. */
async function change(call: Call, idempotency: Idempotency, store: IdempotencyStore, response: Response): Promise<void> {
  const claim = await store.claim(idempotency.cause, hashOfBody(call.input.sentBody), Date.now());
  if (claim.kind === 'other_body')
    throw problem(422, {
      type: 'idempotency-key-reused',
      detail:
        'This Idempotency-Key was already used here with another body. Use a new key for a new wish; to repeat the old one, send its body unchanged.',
    });
  if (claim.kind === 'repeat') response.set('Idempotency-Replayed', 'true');
  if (claim.answer) return await send(response, claim.answer);
  const answer = await handle(call, claim.at, idempotency);
  const keep = call.route.answer === 'stored' && answer.status < 500;
  await send(response, keep ? await store.settle(idempotency.cause, answer) : answer);
}

async function handle(
  { route, identity, input, correlation, log }: Call,
  at: number,
  idempotency: Idempotency | undefined,
): Promise<StoredAnswer> {
  const { params, query, body } = input;
  const request = { identity, params, query, body, at, correlation, log, idempotency: idempotency as never };
  try {
    const answer = await route.handle(request);
    const { contentType } = route.responses[answer.status] ?? {};
    if (answer instanceof Problem || contentType === undefined) return asAnswer(answer);
    return { ...answer, headers: { ...answer.headers, 'Content-Type': `${contentType}; charset=utf-8` } };
  } catch (error) {
    if (error instanceof Problem) return asAnswer(error);
    throw error;
  }
}

async function handleSigned(route: Route, request: Request, response: Response, log: Logger): Promise<StoredAnswer> {
  const { params, body } = await readSigned(route, request, response);
  const correlation = response.locals['correlation'] as string;
  const signed: SignedRequest<unknown> = { params, body, header: (name) => request.get(name), at: Date.now(), correlation, log };
  return asAnswer(await route.handle(signed as never));
}

const asAnswer = (answer: Reply | Problem): StoredAnswer =>
  answer instanceof Problem
    ? { status: answer.status, body: answer.toJSON(), headers: { ...answer.headers, 'Content-Type': problemType } }
    : answer;

const problemType = 'application/problem+json';

export const sendProblem = (response: Response, answer: Problem): void => void send(response, asAnswer(answer));

/** Rejects only where a body that is made piece by piece fails, or its reader goes away. */
async function send(response: Response, { status, body, headers }: StoredAnswer): Promise<void> {
  if (response.headersSent || response.destroyed) return;
  response.status(status);
  if (headers) response.set(headers);
  if (body === undefined) response.end();
  else if (isJson(response)) response.json(body);
  else if (typeof body === 'string' || response.req.method === 'HEAD') response.end(typeof body === 'string' ? body : undefined);
  else await pipeline(Readable.from(body as Exclude<TextBody, string>), response);
}

const isJson = (response: Response): boolean => {
  const contentType = response.get('Content-Type');
  return contentType === undefined || /\bjson\b/.test(contentType);
};

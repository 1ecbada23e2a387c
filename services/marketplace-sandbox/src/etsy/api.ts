import { setTimeout as delay } from 'node:timers/promises';
import type { Operation, Request } from 'openapi-backend';
import type { Logger } from 'pino';
import type { Trouble, Troubles } from '../faults.ts';
import type { State } from '../state/state.ts';
import { bareKey, errorOfStatus, EtsyError, expired, tooMany } from './errors.ts';
import type { Gate } from './gate.ts';
import { createOperations } from './operations.ts';
import { createSpending, type Remaining, type Spending } from './rate.ts';

/** What goes back over HTTP; `dropped`: the connection is closed without an answer. `date`: the shop's clock, where it is known. */
export type EtsyAnswer = 'dropped' | { status: number; body: object; headers?: Record<string, string>; date?: number };

export type EtsyApi = (request: Request) => Promise<EtsyAnswer>;

const changing = new Set(['updateListing', 'updateListingInventory']);

/** The simulated API of every Etsy shop, behind HTTP. `log` hears loudly of every answer that the sandbox itself got wrong. */
export function createEtsyApi(state: State, troubles: Troubles, gate: Gate, sellFirst: (shop: string) => void, log: Logger): EtsyApi {
  const { shops, etsyShops } = state;
  const operations = createOperations(state);
  const spendings = new Map<string, Spending>();

  /** What is answered leaves only as described; anything else is ours: 500. */
  const checked = (operation: Operation, status: number, body: object): { status: number; body: object } => {
    const wrong = gate.wrongWith(body, operation, status);
    if (wrong === null) return { status, body };
    log.error({ operation: operation.operationId, status, wrong }, 'THE SANDBOX BROKE ITS CONTRACT: answered 500');
    return { status: 500, body: { error: `The sandbox could not answer as the contract says: ${wrong}` } };
  };
  const refused = (operation: Operation, error: EtsyError) => checked(operation, error.status, error.body);

  /** The shop that the request is made for. Etsy knows the app before it knows the user. */
  function shopOf(headers: Request['headers']): string {
    const token = /^Bearer (.+)$/.exec(String(headers['authorization'] ?? ''))?.[1];
    const row = token === undefined ? undefined : etsyShops.token(token);
    const [keystring, secret] = String(headers['x-api-key'] ?? '').split(':');
    if (secret === undefined) throw bareKey();
    if (row === undefined || row.kind !== 'access') throw new EtsyError(401, 'invalid_token', 'access token is not valid');
    const settings = etsyShops.get(row.shop);
    if (settings.keystring !== keystring || settings.sharedSecret !== secret) throw new EtsyError(403, 'Invalid API key');
    return row.shop;
  }

  function authorize(headers: Request['headers'], shop: string): void {
    const row = etsyShops.token(String(headers['authorization']).slice('Bearer '.length));
    if (row === undefined || row.revoked === 1) throw new EtsyError(401, 'invalid_token', 'access token is revoked');
    if (row.expires_at <= shops.now(shop)) throw expired();
  }

  /** Where the shop has spent what it may, how long to wait. The real one counts per app, over all its shops. */
  function takeRate(shop: string): Remaining | { retryAfterSeconds: number } {
    const spending = spendings.get(shop) ?? createSpending();
    spendings.set(shop, spending);
    return spending.spend(etsyShops.get(shop), Math.floor(performance.now() / 1_000));
  }

  const limitHeaders = (shop: string, { thisSecond, today }: Remaining): Record<string, string> => {
    const { requestsPerSecond, requestsPerDay } = etsyShops.get(shop);
    return {
      'x-limit-per-second': String(requestsPerSecond),
      'x-remaining-this-second': String(thisSecond),
      'x-limit-per-day': String(requestsPerDay),
      'x-remaining-today': String(today),
    };
  };

  function perform(shop: string, request: Request, operation: Operation) {
    const read = gate.read(request, operation);
    if ('wrong' in read) return refused(operation, new EtsyError(400, `Invalid request: ${read.wrong}`));
    const requestId = String(request.headers['x-request-id'] ?? '');
    const perform = operations[operation.operationId ?? ''];
    if (perform === undefined) throw new Error(`nothing performs ${operation.operationId}`);
    try {
      return checked(
        operation,
        200,
        state.transaction(() => perform({ shop, ...read, body: request.body, requestId })),
      );
    } catch (error) {
      if (error instanceof EtsyError) return refused(operation, error);
      throw error;
    }
  }

  async function call(shop: string, trouble: Trouble, request: Request, operation: Operation): Promise<EtsyAnswer> {
    trouble.counts.calls += 1;
    const refusal = trouble.takeRefusal();
    if (refusal !== undefined) {
      trouble.counts.refused += 1;
      const { status, retryAfterSeconds } = refusal;
      const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
      return { status, body: errorOfStatus(status).body, headers };
    }
    try {
      authorize(request.headers, shop);
    } catch (error) {
      trouble.counts.refused += 1;
      throw error;
    }
    const remaining = takeRate(shop);
    if ('retryAfterSeconds' in remaining) {
      trouble.counts.throttled += 1;
      return {
        ...refused(operation, tooMany()),
        headers: { 'retry-after': String(remaining.retryAfterSeconds) },
      };
    }
    const changes = changing.has(operation.operationId ?? '');
    const drop = changes ? trouble.takeDrop() : undefined;
    if (drop === 'before') return 'dropped';
    const { latencyMilliseconds, answerDelayMilliseconds } = shops.get(shop).settings;
    if (latencyMilliseconds > 0) await delay(latencyMilliseconds);
    if (changes) sellFirst(shop);
    const answer = perform(shop, request, operation);
    if (answerDelayMilliseconds > 0) await delay(answerDelayMilliseconds);
    return drop === 'after' ? 'dropped' : { ...answer, headers: limitHeaders(shop, remaining), date: shops.now(shop) };
  }

  /** Counts against no limit of the API. Its own failures are answered as its own. */
  function trade(request: Request, operation: Operation): EtsyAnswer {
    const read = gate.read(request, operation);
    if ('wrong' in read) return refused(operation, new EtsyError(400, 'invalid_request', read.wrong));
    const { client_id: keystring, refresh_token: given } = request.body as { client_id: string; refresh_token: string };
    const row = etsyShops.token(given);
    if (row === undefined || row.kind !== 'refresh')
      return refused(operation, new EtsyError(400, 'invalid_grant', 'refresh_token is invalid'));
    const refusal = troubles.of(row.shop).takeTokenRefusal();
    if (refusal !== undefined) return refused(operation, errorOfStatus(refusal));
    const settings = etsyShops.get(row.shop);
    if (settings.keystring !== keystring) return refused(operation, new EtsyError(401, 'invalid_client', 'client_id is not valid'));
    if (row.revoked === 1) return refused(operation, new EtsyError(400, 'invalid_grant', 'refresh_token is revoked'));
    if (row.expires_at <= shops.now(row.shop)) return refused(operation, new EtsyError(400, 'invalid_grant', 'refresh_token is expired'));
    const { accessToken, refreshToken } = etsyShops.rotate(given, row.shop);
    const body = { access_token: accessToken, token_type: 'Bearer', expires_in: settings.accessTokenSeconds, refresh_token: refreshToken };
    return checked(operation, 200, body);
  }

  return async (request) => {
    const operation = gate.match(request);
    if (operation === undefined) return { status: 404, body: { error: 'Resource not found' } };
    if (operation.operationId === 'token') return trade(request, operation);
    try {
      const shop = shopOf(request.headers);
      return await call(shop, troubles.of(shop), request, operation);
    } catch (error) {
      if (error instanceof EtsyError) return refused(operation, error);
      throw error;
    }
  };
}

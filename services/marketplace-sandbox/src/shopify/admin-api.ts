import { setTimeout as delay } from 'node:timers/promises';
import { executeSync, type GraphQLError, type GraphQLFormattedError } from 'graphql';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { Trouble, Troubles } from '../faults.ts';
import type { ShopRow } from '../state/shops.ts';
import type { State } from '../state/state.ts';
import { fullBucket, giveBack, refill, statusOf, take, type Bucket } from './bucket.ts';
import { costOf, maximumCost } from './cost.ts';
import { ApiError, maxCostExceeded, plainErrors, throttled } from './errors.ts';
import { createRequestReader, type ReadyRequest } from './requests.ts';
import { createRoot } from './resolvers.ts';
import { loadSchema } from './schema.ts';

/** What goes back over HTTP; `dropped`: the connection is closed without an answer. */
export type Answer = 'dropped' | { status: number; body: object; retryAfterSeconds?: number | undefined };

export type AdminApi = ReturnType<typeof createAdminApi>;

const requestBody = z.object({
  query: z.string().min(1),
  variables: z.record(z.string(), z.unknown()).nullish(),
  operationName: z.string().nullish(),
});

const plain = (status: number, retryAfterSeconds?: number): Answer => {
  return { status, body: { errors: plainErrors[status] ?? 'Something went wrong' }, retryAfterSeconds };
};

/** The simulated Admin API of every shop, behind HTTP. `log` hears loudly of every answer that the sandbox itself got wrong. */
export function createAdminApi(state: State, troubles: Troubles, sellFirst: (shop: string) => void, log: Logger) {
  const schema = loadSchema();
  const read = createRequestReader(schema);
  const buckets = new Map<string, Bucket>();
  const keysInWork = new Set<string>();

  const bucketOf = ({ name, settings: { rateLimit } }: ShopRow): Bucket => {
    const now = performance.now();
    return refill(buckets.get(name) ?? fullBucket(rateLimit, now), rateLimit, now);
  };
  const costReport = (shop: ShopRow, requested: number, actual: number | null) => {
    const throttleStatus = statusOf(bucketOf(shop), shop.settings.rateLimit);
    return { cost: { requestedQueryCost: requested, actualQueryCost: actual, throttleStatus } };
  };
  const refuse = (shop: ShopRow, error: ApiError, requested: number): Answer => {
    return { status: 200, body: { errors: [error.toJSON()], extensions: costReport(shop, requested, null) } };
  };

  /** Takes effect and answers. An error that the real API doesn't have, or data that breaks the schema, is ours: 500. */
  const execute = (shop: ShopRow, request: ReadyRequest, requested: number, concurrentKeys: ReadonlySet<string>): Answer => {
    const { document, given, operation } = request;
    const { data, errors = [] } = executeSync({
      schema,
      document,
      rootValue: createRoot(state, shop),
      contextValue: { concurrentKeys },
      variableValues: given,
      operationName: operation.name?.value,
    });
    const defect = errors.find((error) => !(error instanceof ApiError || error.originalError instanceof ApiError));
    if (defect !== undefined) {
      log.error(
        { shop: shop.name, err: defect.originalError ?? defect, path: defect.path },
        'THE SANDBOX BROKE ITS CONTRACT: answered 500',
      );
      return { status: 500, body: { errors: `The sandbox could not answer as the contract says: ${defect.message}` } };
    }
    const actual = Math.min(requested, costOf(request, data ?? {}));
    const { rateLimit } = shop.settings;
    buckets.set(shop.name, giveBack(bucketOf(shop), rateLimit, requested - actual));
    const shown = errors.length > 0 ? { errors: errors.map(formatted) } : {};
    return { status: 200, body: { ...shown, data, extensions: costReport(shop, requested, actual) } };
  };

  const run = async (shop: ShopRow, trouble: Trouble, request: ReadyRequest): Promise<Answer> => {
    const requested = costOf(request);
    if (requested > maximumCost) return refuse(shop, maxCostExceeded(requested, maximumCost), requested);
    const taken = take(bucketOf(shop), requested);
    if (taken === undefined) {
      trouble.counts.throttled += 1;
      return refuse(shop, throttled(), requested);
    }
    buckets.set(shop.name, taken);

    const drop = request.operation.operation === 'mutation' ? trouble.takeDrop() : undefined;
    if (drop === 'before') return 'dropped';
    const concurrentKeys = new Set(request.idempotencyKeys.filter((key) => keysInWork.has(`${shop.name} ${key}`)));
    const own = request.idempotencyKeys.filter((key) => !concurrentKeys.has(key)).map((key) => `${shop.name} ${key}`);
    for (const key of own) keysInWork.add(key);
    try {
      const { latencyMilliseconds } = shop.settings;
      if (latencyMilliseconds > 0) await delay(latencyMilliseconds);
      // The shop may have been changed or deleted while the call waited.
      const now = state.shops.find(shop.name);
      if (now === undefined) return plain(404);
      if (request.operation.operation === 'mutation') sellFirst(shop.name);
      const answer = execute(now, request, requested, concurrentKeys);
      if (now.settings.answerDelayMilliseconds > 0) await delay(now.settings.answerDelayMilliseconds);
      return drop === 'after' ? 'dropped' : answer;
    } finally {
      for (const key of own) keysInWork.delete(key);
    }
  };

  /** Answers one call: `token` is the access token's header, `body` the parsed JSON (undefined where it was none). */
  return async (shopName: string, token: string | undefined, body: unknown): Promise<Answer> => {
    const shop = state.shops.find(shopName);
    if (shop?.marketplace !== 'shopify') return plain(404);
    const trouble = troubles.of(shopName);
    trouble.counts.calls += 1;
    const refusal = trouble.takeRefusal();
    if (refusal !== undefined || token !== shop.settings.token) {
      trouble.counts.refused += 1;
      return plain(refusal?.status ?? 401, refusal?.retryAfterSeconds);
    }
    const parsed = requestBody.safeParse(body);
    if (!parsed.success) return { status: 400, body: { errors: { query: 'Required parameter missing or invalid' } } };
    const request = read(parsed.data);
    if ('errors' in request) return { status: 200, body: { errors: request.errors.map(formatted) } };
    return run(shop, trouble, request);
  };
}

/** In the real API's order of fields. Of the many errors that validation knows, the one for an unknown field has its words. */
function formatted(error: GraphQLError): GraphQLFormattedError {
  const { message, locations, path, extensions } = error.toJSON();
  const [, fieldName, typeName] = /^Cannot query field "(\w+)" on type "(\w+)"/.exec(message) ?? [];
  return {
    message: fieldName === undefined ? message : `Field '${fieldName}' doesn't exist on type '${typeName}'`,
    ...(locations && { locations }),
    extensions: extensions ?? (fieldName === undefined ? { code: 'BAD_REQUEST' } : { code: 'undefinedField', typeName, fieldName }),
    ...(path && { path }),
  };
}

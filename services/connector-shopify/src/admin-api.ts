import { MarketplaceError, networkError, type CallOptions, type Gateway } from '@evenkeel/connector-kit';
import { Agent, request } from 'undici';
import { z } from 'zod';
import { classOf, failureOfStatus } from './errors.ts';
import type { Operation } from './operations.ts';

/** The bucket of points that an app has at a shop. */
export const points = 'points';

const timeoutMilliseconds = 10_000;

const cost = z.object({
  requestedQueryCost: z.number(),
  throttleStatus: z.object({ maximumAvailable: z.number(), currentlyAvailable: z.number(), restoreRate: z.number() }),
});
const envelope = z.object({
  data: z.unknown(),
  errors: z.array(z.object({ message: z.string(), extensions: z.object({ code: z.string().optional() }).optional() })).optional(),
  extensions: z.object({ cost: cost.optional() }).optional(),
});
type Envelope = z.output<typeof envelope>;

export interface AdminApiOptions {
  /** Up to and without `/admin/api`. */
  readonly baseUrl: string;
  readonly accessToken: string;
  readonly gateway: Gateway;
}

/** `date`: when it was answered, on the marketplace's clock, to the second. */
export interface Answered<Data> {
  readonly data: Data;
  readonly date: number;
}

export interface AdminApi {
  /** Rejects with MarketplaceError or CallNotMade. `prepaid`: the cost was reserved already. */
  run<Data>(
    operation: Operation<Data>,
    variables: Readonly<Record<string, unknown>>,
    options: CallOptions & { prepaid?: boolean },
  ): Promise<Answered<Data>>;
  /** What the operation will take, as far as answers have told. */
  costOf(operation: Operation<unknown>): number;
  close(): Promise<void>;
}

/** Shopify's Admin GraphQL API of one shop. */
export function openAdminApi({ baseUrl, accessToken, gateway }: AdminApiOptions): AdminApi {
  const url = `${baseUrl}/admin/api/2026-10/graphql.json`;
  const dispatcher = new Agent({ connections: 4, pipelining: 1, connect: { timeout: 5_000 }, keepAliveTimeout: 10_000 });
  const learned = new Map<string, number>();
  const costOf = (operation: Operation<unknown>) => learned.get(operation.name) ?? operation.cost;

  function learn(operation: Operation<unknown>, { extensions }: Envelope): void {
    if (!extensions?.cost) return;
    const { requestedQueryCost, throttleStatus } = extensions.cost;
    learned.set(operation.name, requestedQueryCost);
    gateway.governor.learn([
      {
        bucket: points,
        available: throttleStatus.currentlyAvailable,
        maximum: throttleStatus.maximumAvailable,
        restorePerSecond: throttleStatus.restoreRate,
      },
    ]);
  }

  async function attempt<Data>(operation: Operation<Data>, body: string): Promise<Answered<Data>> {
    const { status, headers, text } = await post(body);
    if (status !== 200)
      throw new MarketplaceError(failureOfStatus(status, headers['retry-after']), status >= 500 && operation.changes ? 'unknown' : 'no');
    const answer = parse(envelope, text, operation);
    learn(operation, answer);
    if (answer.errors?.length) throw errorOf(operation, answer);
    const data = operation.data.safeParse(answer.data);
    if (!data.success) throw unreadable(operation, data.error);
    return { data: data.data, date: Date.parse(headers['date'] ?? '') };
  }

  async function post(body: string): Promise<{ status: number; headers: Record<string, string | undefined>; text: string }> {
    try {
      const response = await request(url, {
        dispatcher,
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', 'x-shopify-access-token': accessToken },
        body,
        signal: AbortSignal.timeout(timeoutMilliseconds),
      });
      const text = await response.body.text();
      const headers = Object.fromEntries(
        Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]),
      );
      return { status: response.statusCode, headers, text };
    } catch (error) {
      throw networkError(error);
    }
  }

  return {
    costOf,
    run(operation, variables, { priority, signal, prepaid = false }) {
      const body = JSON.stringify({ query: operation.text, variables, operationName: operation.name });
      return gateway.call({ costs: prepaid ? {} : { [points]: costOf(operation) }, priority, signal }, () => attempt(operation, body));
    },
    close: () => dispatcher.close(),
  };
}

function errorOf(operation: Operation<unknown>, { errors = [], extensions }: Envelope): MarketplaceError {
  const codes = errors.map((error) => error.extensions?.code ?? 'NO_CODE');
  const code = codes.find((each) => classOf(each) !== 'transient') ?? codes[0] ?? 'NO_CODE';
  const failureClass = classOf(code);
  const message = errors.map((error) => error.message).join(' ');
  // What was refused by the schema, the rate or for lack of access was not carried out; of anything else nobody knows.
  const applied = failureClass === 'transient' && operation.changes ? 'unknown' : 'no';
  const waits = failureClass === 'throttled' ? { waitMilliseconds: throttledMilliseconds(extensions?.cost) } : {};
  return new MarketplaceError({ class: failureClass, code, message, ...waits }, applied);
}

/** Until the bucket holds what the query needs. */
function throttledMilliseconds(told: z.output<typeof cost> | undefined): number {
  if (!told) return 2_000;
  const { currentlyAvailable, maximumAvailable, restoreRate } = told.throttleStatus;
  const missing = Math.min(told.requestedQueryCost, maximumAvailable) - currentlyAvailable;
  return Math.max(1, Math.ceil(missing / restoreRate)) * 1_000;
}

function parse<Output>(schema: z.ZodType<Output>, text: string, operation: Operation<unknown>): Output {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    throw unreadable(operation, error);
  }
}

/** Half an answer, a proxy's page, or a changed API: the request may have been carried out all the same. */
const unreadable = (operation: Operation<unknown>, cause: unknown): MarketplaceError =>
  new MarketplaceError(
    { class: 'transient', code: 'UNREADABLE', message: `The answer to ${operation.name} is not what the API promises.` },
    operation.changes ? 'unknown' : 'no',
    { cause },
  );

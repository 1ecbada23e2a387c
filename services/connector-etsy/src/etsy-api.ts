import { MarketplaceError, networkError, type BucketReading, type CallOptions, type Gateway } from '@evenkeel/connector-kit';
import { Agent, request } from 'undici';
import type { z } from 'zod';
import { failureOf } from './errors.ts';

const timeoutMilliseconds = 10_000;
const daySeconds = 86_400;

/** Every request is one of this second and one of this day. */
export const oneRequest = { second: 1, day: 1 };

export interface EtsyRequest<Data> {
  readonly method: 'GET' | 'PUT' | 'PATCH';
  /** Below the API's URL, with its query. */
  readonly path: string;
  readonly body?: { readonly json: unknown } | { readonly form: Readonly<Record<string, string>> };
  readonly data: z.ZodType<Data>;
}

export interface EtsyCallOptions extends CallOptions {
  /** The request was paid for already. */
  readonly prepaid?: boolean;
  /** Names the request in the marketplace's own logs. */
  readonly requestId?: string;
}

export interface EtsyApi {
  /** Rejects with MarketplaceError or CallNotMade. `date`: when it was answered, on the marketplace's clock, to the second. */
  run<Data>(request: EtsyRequest<Data>, options: EtsyCallOptions): Promise<{ readonly data: Data; readonly date: number }>;
  close(): Promise<void>;
}

export interface EtsyApiOptions {
  /** Up to and with `/v3/application`. */
  readonly url: string;
  /** `keystring:shared_secret` */
  readonly apiKey: string;
  /** Asked by each attempt: it may have been renewed meanwhile. */
  accessToken(): string;
  readonly gateway: Gateway;
}

/** Etsy's Open API v3, for one shop. */
export function openEtsyApi({ url, apiKey, accessToken, gateway }: EtsyApiOptions): EtsyApi {
  const dispatcher = new Agent({ connections: 4, pipelining: 1, connect: { timeout: 5_000 }, keepAliveTimeout: 10_000 });

  async function attempt<Data>(asked: EtsyRequest<Data>, requestId: string | undefined): Promise<{ data: Data; date: number }> {
    const { status, headers, text } = await send(asked, requestId);
    gateway.governor.learn(readingsOf(headers));
    const changes = asked.method !== 'GET';
    if (status !== 200)
      throw new MarketplaceError(failureOf(status, text, headers['retry-after']), status >= 500 && changes ? 'unknown' : 'no');
    return { data: read(asked, text), date: Date.parse(headers['date'] ?? '') };
  }

  async function send({ method, path, body }: EtsyRequest<unknown>, requestId: string | undefined) {
    const [type, sent] = encoded(body);
    try {
      const response = await request(`${url}${path}`, {
        dispatcher,
        method,
        headers: {
          accept: 'application/json',
          'x-api-key': apiKey,
          authorization: `Bearer ${accessToken()}`,
          ...(type === null ? {} : { 'content-type': type }),
          ...(requestId === undefined ? {} : { 'x-request-id': requestId }),
        },
        ...(sent === null ? {} : { body: sent }),
        signal: AbortSignal.timeout(timeoutMilliseconds),
      });
      const text = await response.body.text();
      return { status: response.statusCode, headers: firstOf(response.headers), text };
    } catch (error) {
      throw networkError(error, method !== 'GET');
    }
  }

  return {
    run: (asked, { priority, signal, prepaid = false, requestId }) =>
      gateway.call({ costs: prepaid ? {} : oneRequest, priority, signal }, () => attempt(asked, requestId)),
    close: () => dispatcher.close(),
  };
}

function encoded(body: EtsyRequest<unknown>['body']): [type: string | null, sent: string | null] {
  if (!body) return [null, null];
  if ('json' in body) return ['application/json', JSON.stringify(body.json)];
  return ['application/x-www-form-urlencoded', new URLSearchParams(body.form).toString()];
}

type Headers = Readonly<Record<string, string | undefined>>;

export const firstOf = (headers: Readonly<Record<string, string | string[] | undefined>>): Headers =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value[0] : value]));

/** What an answer says of the rate; nothing where it does not, as with a refusal for lack of it. The second's header is documented with and without its last letter. */
function readingsOf(headers: Headers): BucketReading[] {
  const told = (limit: string | undefined, left: string | undefined) => {
    const [maximum, available] = [Number(limit ?? NaN), Number(left ?? NaN)];
    return Number.isFinite(maximum) && Number.isFinite(available) ? [{ maximum, available }] : [];
  };
  const thisSecond = headers['x-remaining-this-second'] ?? headers['x-remaining-this-secon'];
  return [
    ...told(headers['x-limit-per-second'], thisSecond).map((reading) => ({
      ...reading,
      bucket: 'second',
      restorePerSecond: reading.maximum,
    })),
    ...told(headers['x-limit-per-day'], headers['x-remaining-today']).map((reading) => ({
      ...reading,
      bucket: 'day',
      windowSeconds: daySeconds,
    })),
  ];
}

function read<Data>({ data, method, path }: EtsyRequest<Data>, text: string): Data {
  try {
    return data.parse(JSON.parse(text));
  } catch (cause) {
    const message = `The answer to ${method} ${path.split('?')[0]} is not what the API promises.`;
    throw new MarketplaceError({ class: 'transient', code: 'UNREADABLE', message }, method === 'GET' ? 'no' : 'unknown', { cause });
  }
}

/** The HTTP client of all services, for browsers too: nothing here needs Node. What may be asked is generated from the services' routes. */
import type { HttpServices } from './generated/http.ts';

export type * from './generated/http.ts';

export interface ClientOptions {
  /** Where the service is, such as `http://127.0.0.1:4003`. */
  readonly url: string;
  /** A token of its issuer; asked for with each request, so that it can be renewed. */
  readonly token: () => string | Promise<string>;
  readonly fetch?: typeof fetch;
}

interface Operation {
  readonly path: unknown;
  readonly query: unknown;
  readonly body: unknown;
  readonly answers: object;
}

/** Path and query: one that has a required member must be given. A body must be given wherever one is taken, if only as `{}`. */
type Part<Name extends string, Value> = Value extends undefined
  ? { readonly [Key in Name]?: undefined }
  : Record<never, never> extends Value
    ? { readonly [Key in Name]?: Value | undefined }
    : { readonly [Key in Name]: Value };

/** What a request brings. */
export type RequestOf<O extends Operation> = Part<'path', O['path']> &
  Part<'query', O['query']> &
  (O['body'] extends undefined ? { readonly body?: undefined } : { readonly body: O['body'] }) & {
    /** The same for the same wish, so that it can be repeated; a new one where absent. */
    readonly idempotencyKey?: string | undefined;
    readonly signal?: AbortSignal | undefined;
  };

/** One of the documented answers below 400. */
export type AnswerOf<O extends Operation> = {
  [Status in keyof O['answers']]: { readonly status: Status; readonly body: O['answers'][Status]; readonly headers: Headers };
}[keyof O['answers']];

/** Calls one service: `await stock('GET /products/{sku}', { path: { sku } })`. Rejects with {@link ProblemError} where the answer is "no". */
export type Client<Service> = <Name extends keyof Service & string>(
  operation: Name,
  ...request: Service[Name] extends Operation
    ? Record<never, never> extends RequestOf<Service[Name]>
      ? [request?: RequestOf<Service[Name]>]
      : [request: RequestOf<Service[Name]>]
    : never
) => Promise<Service[Name] extends Operation ? AnswerOf<Service[Name]> : never>;

/** A "no", as RFC 9457 problem details have it. Decide by `type`; show `detail`. */
export class ProblemError extends Error {
  override readonly name = 'ProblemError';
  readonly status: number;
  /** Such as `urn:evenkeel:problem:on-hand-changed`; `about:blank` where the answer was no problem of ours. */
  readonly type: string;
  readonly title: string;
  /** What happened, and what to do. */
  readonly detail: string;
  /** What this type says beside that. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(operation: string, status: number, { type, title, detail, status: _status, ...members }: Readonly<Record<string, unknown>>) {
    const said = typeof detail === 'string' ? detail : `The answer was ${status}.`;
    super(`${operation} was refused (${status}): ${said}`);
    this.status = status;
    this.type = typeof type === 'string' ? type : 'about:blank';
    this.title = typeof title === 'string' ? title : 'Problem';
    this.detail = said;
    this.members = members;
  }
}

interface Sent {
  readonly path?: Readonly<Record<string, unknown>> | undefined;
  readonly query?: Readonly<Record<string, unknown>> | undefined;
  readonly body?: unknown;
  readonly idempotencyKey?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** `randomUUID` is not there on pages without TLS. */
const newKey = (): string => Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');

function addressOf(url: string, template: string, { path = {}, query = {} }: Sent): string {
  const filled = template.replaceAll(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(path[name])));
  const asked = Object.entries(query).filter(([, value]) => value !== undefined);
  const search = new URLSearchParams(asked.map(([name, value]) => [name, String(value)] as [string, string])).toString();
  return `${url.replace(/\/$/, '')}${filled}${search === '' ? '' : `?${search}`}`;
}

/** What was answered: undefined where there is no body, text where it is no JSON. */
async function read(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === '') return undefined;
  if (!/\bjson\b/.test(response.headers.get('content-type') ?? '')) return text;
  return JSON.parse(text) as unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** A client of one service: `createClient('stock', { url, token })`. */
export function createClient<Name extends keyof HttpServices>(_service: Name, options: ClientOptions): Client<HttpServices[Name]> {
  const call = async (operation: string, sent: Sent = {}) => {
    const [method = '', template = ''] = operation.split(' ');
    const headers: Record<string, string> = { authorization: `Bearer ${await options.token()}` };
    if (method !== 'GET') headers['idempotency-key'] = sent.idempotencyKey ?? newKey();
    // The only text that any service takes is CSV.
    const isText = typeof sent.body === 'string';
    if (sent.body !== undefined) headers['content-type'] = isText ? 'text/csv' : 'application/json';
    const response = await (options.fetch ?? fetch)(addressOf(options.url, template, sent), {
      method,
      headers,
      ...(sent.body === undefined ? {} : { body: typeof sent.body === 'string' ? sent.body : JSON.stringify(sent.body) }),
      ...(sent.signal ? { signal: sent.signal } : {}),
    });
    const body = await read(response);
    if (!response.ok) throw new ProblemError(operation, response.status, isObject(body) ? body : {});
    return { status: response.status, body, headers: response.headers };
  };
  return call as unknown as Client<HttpServices[Name]>;
}

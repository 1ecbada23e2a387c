import { z } from 'zod';
import type { Logger } from '../log.ts';
import type { Identity } from './identity.ts';
import type { Problem } from './problem.ts';

export type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

/**
 * Documented answers by status. One from 400 up without a schema is a problem. With a `contentType` (such as `text/csv`) the body is text, in whole or
 * piece by piece, and sent as the caller takes it.
 */
type Responses = Readonly<Record<number, { readonly description: string; readonly schema?: z.ZodType; readonly contentType?: string }>>;

/** A body that is not JSON. */
export type TextBody = string | AsyncIterable<string>;

/** What a changing request is known by. */
export interface Idempotency {
  /** As the client sent it. */
  readonly key: string;
  /** `command/<tenant>/<hash>` of method, path and key: the id of the command that the request becomes. */
  readonly cause: string;
}

export interface RouteRequest<Params, Query, Body, M extends Method = Method> {
  readonly identity: Identity;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** Undefined where the method changes nothing. */
  readonly idempotency: M extends 'get' ? undefined : Idempotency;
  /** When the request first came, in milliseconds: a repeat has the time of the first, so that it makes the same command. */
  readonly at: number;
  readonly correlation: string;
  /** With the correlation. */
  readonly log: Logger;
}

export interface Reply<Status extends number = number, Body = unknown> {
  readonly status: Status;
  readonly body: Body;
  readonly headers?: Readonly<Record<string, string>>;
}

type BodyOf<R extends Responses, Status extends keyof R> = R[Status] extends { readonly contentType: string }
  ? TextBody
  : R[Status] extends { readonly schema: infer S extends z.ZodType }
    ? z.input<S>
    : undefined;

type DeepReadonly<T> = T extends AsyncIterable<unknown> ? T : T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;

/** One of the documented answers, or any problem. */
export type Answer<R extends Responses> =
  { [Status in keyof R & number]: Reply<Status, DeepReadonly<BodyOf<R, Status>>> }[keyof R & number] | Problem;

interface RouteDefinition<
  M extends Method,
  Params extends z.ZodType,
  Query extends z.ZodType,
  Body extends z.ZodType,
  R extends Responses,
> {
  readonly method: M;
  /** `/products/:sku/on-hand` */
  readonly path: string;
  readonly summary: string;
  readonly description?: string;
  /** One of them is needed; empty: every token will do. */
  readonly roles: readonly string[];
  /** Strict objects: what they don't name is refused. Absent: nothing is accepted. Params and query come as strings. */
  readonly params?: Params;
  readonly query?: Query;
  readonly body?: Body;
  /** Where the body is not JSON: `body` is then a schema of its text, and this says what is sent and how much of it. */
  readonly accepts?: { readonly contentType: string; readonly maximumBytes: number };
  readonly responses: R;
  /**
   * How a repeat finds the same answer. `derived` (default): `handle` runs again and finds it by the cause, in the journal. `stored`: the first
   * answer below 500 is kept and given again. Either way `handle` must be idempotent by cause: a crash before the answer lets it run twice.
   */
  readonly answer?: 'derived' | 'stored';
  handle(request: RouteRequest<z.output<Params>, z.output<Query>, z.output<Body>, M>): Answer<R> | Promise<Answer<R>>;
}

/** What a route gets whose caller has no token: its signature over the body says who it is. */
export interface SignedRequest<Params> {
  readonly params: Params;
  /** Byte for byte; not looked into yet. */
  readonly body: Buffer;
  /** A header's value, whatever the case of its name. */
  header(name: string): string | undefined;
  readonly at: number;
  readonly correlation: string;
  readonly log: Logger;
}

interface SignedRouteDefinition<Params extends z.ZodType, R extends Responses> extends Pick<
  RouteDefinition<'post', Params, never, never, R>,
  'path' | 'summary' | 'description' | 'params' | 'responses'
> {
  handle(request: SignedRequest<z.output<Params>>): Answer<R> | Promise<Answer<R>>;
}

/** A route whose types have done their work. */
export interface Route extends Omit<RouteDefinition<Method, z.ZodType, z.ZodType, z.ZodType, Responses>, 'handle'> {
  /** `signature`: no token and no Idempotency-Key are asked for, and `handle` gets a {@link SignedRequest}. */
  readonly access: 'token' | 'signature';
  handle(request: RouteRequest<unknown, unknown, unknown, never>): Reply | Problem | Promise<Reply | Problem>;
}

type Nothing = z.ZodObject<Record<never, never>>;

/** One route: its schemas type what `handle` gets and may answer, validate requests, and make the OpenAPI document. */
export function defineRoute<
  const M extends Method,
  R extends Responses,
  Params extends z.ZodType = Nothing,
  Query extends z.ZodType = Nothing,
  Body extends z.ZodType = z.ZodUndefined,
>(route: RouteDefinition<M, Params, Query, Body, R>): Route {
  checkPath(route.path);
  return { access: 'token', ...route } as unknown as Route;
}

/**
 * A route for a machine that signs what it sends, such as a marketplace's webhooks: a POST that anybody may try. `handle` verifies the signature
 * before it believes a word, and sees to it that a repeat has no effect.
 */
export function defineSignedRoute<R extends Responses, Params extends z.ZodType = Nothing>(route: SignedRouteDefinition<Params, R>): Route {
  checkPath(route.path);
  return { access: 'signature', method: 'post', roles: [], ...route } as unknown as Route;
}

function checkPath(path: string): void {
  if (!/^(\/(:\w+|[\w.-]+))+$/.test(path)) throw new Error(`The path ${path} is not made of /word and /:parameter.`);
}

/** An answer with a body, as the route's `responses` have it. */
export function reply<Status extends number>(status: Status): Reply<Status, undefined>;
export function reply<Status extends number, const Body>(
  status: Status,
  body: Body,
  headers?: Readonly<Record<string, string>>,
): Reply<Status, Body>;
export function reply(status: number, body?: unknown, headers?: Readonly<Record<string, string>>): Reply {
  return { status, body, ...(headers ? { headers } : {}) };
}

export const changesSomething = (method: string): boolean => !['get', 'head', 'options'].includes(method.toLowerCase());

/** Text from outside, 1 to `maximum` characters, no control characters. */
export const text = (maximum: number) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .regex(/^[^\p{Cc}]*$/u, 'expected no control characters');

/** Text that becomes a key of a map. */
export const keyText = (maximum: number) => text(maximum).refine((name) => name !== '__proto__', 'expected another name');

/** True or false in a query string. */
export const booleanText = () =>
  z
    .enum(['true', 'false'])
    .transform((value) => value === 'true')
    .meta({
      override({ jsonSchema }) {
        delete jsonSchema.enum;
        jsonSchema.type = 'boolean';
      },
    });

/** A whole number in a query string or path. */
export const integerText = ({ minimum, maximum }: { readonly minimum: number; readonly maximum: number }) =>
  z
    .string()
    .regex(/^-?\d{1,15}$/, 'expected a whole number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `expected a whole number from ${minimum} to ${maximum}`)
    .meta({ override: { type: 'integer', minimum, maximum } });

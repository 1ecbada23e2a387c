import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import express, { type ErrorRequestHandler, type Express, type Request, type RequestHandler, type Response } from 'express';
import { answerProbe, type Health } from '../health.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import { correlationOf, createDispatcher, sendProblem, type Dependencies } from './dispatch.ts';
import { createOpenApi } from './openapi.ts';
import { problem, problemOf, type Problem } from './problem.ts';
import type { Route } from './routes.ts';

export interface HttpOptions extends Dependencies {
  /** 0 takes any free one. */
  readonly port: number;
  readonly host?: string;
  readonly routes: readonly Route[];
  /** Of the OpenAPI document. */
  readonly title: string;
  readonly health: Health;
  readonly metrics: Metrics;
}

export interface Http extends AsyncDisposable {
  readonly port: number;
}

/** After this time requests under way are cut off when the server closes. */
const drainMilliseconds = 10_000;

const headers = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
};

/**
 * Load balancers keep an idle connection for a minute. Whoever keeps it shorter closes it just when a request is on its way, now and then; that must
 * not be us.
 */
const limits = { requestTimeout: 60_000, headersTimeout: 20_000, keepAliveTimeout: 75_000 };

/**
 * Serves the routes, and without a token `/livez`, `/readyz`, `/metrics` and `/openapi.json`. Rejects where the port can't be had, naming it.
 * Closing refuses new requests and lets those under way finish.
 */
export async function openHttp(options: HttpOptions): Promise<Http> {
  const { host = '127.0.0.1', log } = options;
  const app = createApp(options);
  const server = createServer(limits, (request, response) => {
    // Called where express finds no path in the address at all; its own answer would be HTML.
    app(request as Request, response as Response, () => sendProblem(response as Response, malformedAddress()));
  });
  server.on('clientError', answerBrokenRequest);
  server.listen(options.port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new Error(
      `HTTP cannot listen on ${host}:${options.port}: ${error instanceof Error ? error.message : 'unknown'}. Free the port, or choose another by HTTP_PORT.`,
      {
        cause: error,
      },
    );
  }
  const { port } = server.address() as AddressInfo;
  log.info({ host, port }, 'http listens');
  return { port, [Symbol.asyncDispose]: () => close(server) };
}

function createApp(options: HttpOptions): Express {
  const app = express();
  app.disable('x-powered-by');
  app.set('etag', false);
  // One path has one spelling, and a query has no structure: what an idempotency key is scoped by must not vary.
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.set('query parser', 'simple');
  app.use((request, response, next) => {
    response.set(headers);
    const correlation = correlationOf(request);
    response.locals['correlation'] = correlation;
    response.set('X-Correlation-Id', correlation);
    next();
  });
  mountProbes(app, options);
  app.use(observe(options));
  mountRoutes(app, options);
  return app;
}

function mountProbes(app: Express, { title, routes, health, metrics }: HttpOptions): void {
  for (const [path, check] of [['/livez', () => health.live()] as const, ['/readyz', () => health.ready()] as const])
    app.get(path, async (_request, response) => {
      const { status, body } = await answerProbe(check);
      response.status(status).json(body);
    });
  app.get('/metrics', async (_request, response) => {
    const { contentType, text } = await metrics.read();
    response.set('Content-Type', contentType).send(text);
  });
  const document = createOpenApi({ title, routes });
  app.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  for (const path of ['/livez', '/readyz', '/metrics', '/openapi.json']) app.all(path, refuseMethod(['GET', 'HEAD']));
}

function mountRoutes(app: Express, options: HttpOptions): void {
  const dispatch = createDispatcher(options);
  const allowed = new Map<string, string[]>();
  for (const route of options.routes) {
    app[route.method](route.path, dispatch(route));
    const methods = route.method === 'get' ? ['GET', 'HEAD'] : [route.method.toUpperCase()];
    allowed.set(route.path, [...(allowed.get(route.path) ?? []), ...methods]);
  }
  for (const [path, methods] of allowed) app.all(path, refuseMethod(methods));
  app.use((request, response) => {
    sendProblem(
      response,
      problem(404, {
        type: 'unknown-route',
        detail: `There is nothing at this address. ${options.title} says what there is at /openapi.json.`,
        method: request.method,
      }),
    );
  });
  app.use(answerError(options.log));
}

const refuseMethod =
  (methods: readonly string[]): RequestHandler =>
  (request, response) => {
    const allow = methods.join(', ');
    sendProblem(
      response,
      problem(405, {
        type: 'method-not-allowed',
        detail: `${request.method} is not possible here; ${allow} is.`,
        headers: { Allow: allow },
      }),
    );
  };

const malformedAddress = (): Problem =>
  problem(400, {
    type: 'malformed-address',
    detail: 'The address is not percent-encoded UTF-8. Encode each part of it by itself (a slash inside one is %2F).',
  });

/** What goes wrong before a route runs: a path that does not decode. Express tells an error handler by its four parameters. */
const answerError =
  (log: Logger): ErrorRequestHandler =>
  (error: unknown, request, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof URIError) return sendProblem(response, malformedAddress());
    log.error({ err: error, method: request.method, correlation: response.locals['correlation'] as unknown }, 'request failed');
    sendProblem(response, problemOf(error));
  };

/** One log line and one observation per request; by the route's template, never by the path. */
function observe({ log, metrics }: HttpOptions): RequestHandler {
  const durations = metrics.histogram({
    name: 'evenkeel_http_request_seconds',
    help: 'How long requests took, from their head to the end of the answer.',
    labels: ['route', 'method', 'status'],
  });
  return (request, response, next) => {
    const begun = performance.now();
    response.once('close', () => {
      const seconds = (performance.now() - begun) / 1000;
      const route = (response.locals['route'] as string | undefined) ?? 'none';
      const status = response.writableFinished ? response.statusCode : 499;
      durations.observe({ route, method: request.method, status }, seconds);
      const level = status >= 500 && status !== 503 ? 'error' : 'info';
      log[level](
        { method: request.method, path: request.path, route, status, seconds, correlation: response.locals['correlation'] as unknown },
        'request',
      );
    });
    next();
  };
}

/** A request that is not HTTP, or whose head is too large, gets a short answer before its connection is closed. */
function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const [status, reason] = error.code === 'HPE_HEADER_OVERFLOW' ? [431, 'Request Header Fields Too Large'] : [400, 'Bad Request'];
  const body = JSON.stringify(
    problem(status as number, {
      type: 'malformed-request',
      detail: 'The head of the request is too large or not HTTP/1.1. Correct it and send it again.',
    }),
  );
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}

async function close(server: Server): Promise<void> {
  const cutOff = setTimeout(() => server.closeAllConnections(), drainMilliseconds);
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  // Node closes what is idle now; a connection whose answer is still under way becomes idle later.
  const sweep = setInterval(() => server.closeIdleConnections(), 100);
  await closed;
  clearInterval(sweep);
  clearTimeout(cutOff);
}

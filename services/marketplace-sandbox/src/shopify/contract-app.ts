import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { AdminApi } from './admin-api.ts';
import { plainErrors } from './errors.ts';

const apiVersion = '2026-10';

/** The contract port: the Admin API's one route for every shop, nothing that the real one lacks, and the other marketplaces' routes. */
export function createContractApp(answer: AdminApi, log: Logger, others: RequestHandler[] = []) {
  const app = express();
  app.disable('x-powered-by').disable('etag');
  for (const other of others) app.use(other);
  app.post(`/:shop/admin/api/${apiVersion}/graphql.json`, express.json({ limit: '4mb' }), async (request, response) => {
    const answered = await answer(String(request.params['shop']), request.get('x-shopify-access-token'), request.body);
    if (answered === 'dropped') {
      response.destroy();
      return;
    }
    const { status, body, retryAfterSeconds } = answered;
    if (retryAfterSeconds !== undefined) response.set('retry-after', retryAfterSeconds.toFixed(1));
    response.set('x-shopify-api-version', apiVersion).status(status).json(body);
  });
  app.use((_request, response) => {
    response.status(404).json({ errors: plainErrors[404] });
  });
  const onError: ErrorRequestHandler = (error: { status?: number }, request, response, _next) => {
    const status = error.status ?? 500;
    if (status >= 500) log.error({ err: error, url: request.url }, 'THE SANDBOX FAILED on a contract call: answered 500');
    response.status(status).json({ errors: status < 500 ? { query: 'Required parameter missing or invalid' } : 'Something went wrong' });
  };
  app.use(onError);
  return app;
}

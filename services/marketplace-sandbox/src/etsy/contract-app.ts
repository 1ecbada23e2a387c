import express, { type ErrorRequestHandler, type RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { EtsyApi } from './api.ts';

/** Etsy's part of the contract port: `/v3/application/…` and `/v3/public/…`, and nothing that the real one lacks. */
export function createEtsyApp(answer: EtsyApi, log: Logger) {
  const router = express.Router();
  const serve: RequestHandler = async (request, response) => {
    const [path = '', query = ''] = request.originalUrl.split('?');
    const { method, headers } = request;
    const answered = await answer({
      method,
      path,
      query,
      headers: headers as Record<string, string | string[]>,
      body: request.body as unknown as object,
    });
    if (answered === 'dropped') {
      response.destroy();
      return;
    }
    if (answered.date !== undefined) response.set('date', new Date(answered.date).toUTCString());
    response
      .set(answered.headers ?? {})
      .status(answered.status)
      .json(answered.body);
  };
  router.use(['/v3/application', '/v3/public'], express.json({ limit: '4mb' }), express.urlencoded({ extended: false }), serve);
  const onError: ErrorRequestHandler = (error: { status?: number }, request, response, _next) => {
    const status = error.status ?? 500;
    if (status >= 500) log.error({ err: error, url: request.url }, 'THE SANDBOX FAILED on a contract call: answered 500');
    response.status(status).json({ error: status < 500 ? 'The request cannot be read' : 'Server Error' });
  };
  router.use(['/v3/application', '/v3/public'], onError);
  return router;
}

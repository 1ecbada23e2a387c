import { fileURLToPath } from 'node:url';
import { OpenAPIBackend, type Operation, type Request } from 'openapi-backend';

/** Our description of the API, as something to hold requests and answers against. */
export interface Gate {
  /** The operation of a request; undefined where there is none. */
  match(request: Request): Operation | undefined;
  /** Parameters of the right types, or what is wrong with the request. */
  read(request: Request, operation: Operation): { path: Record<string, unknown>; query: Record<string, unknown> } | { wrong: string };
  /** What is wrong with an answer; null where it is as described. */
  wrongWith(answer: unknown, operation: Operation, status: number): string | null;
}

let opened: Promise<Gate> | undefined; // it takes half a second to compile, and holds nothing of a shop

/** Rejects when the description itself is not sound. */
export const openGate = (): Promise<Gate> => (opened ??= compile());

async function compile(): Promise<Gate> {
  const api = new OpenAPIBackend({
    definition: fileURLToPath(new URL('./openapi.yaml', import.meta.url)),
    apiRoot: '/v3',
    strict: true,
    coerceTypes: true,
    ajvOpts: { allErrors: true },
  });
  await api.init();
  return {
    match: (request) => api.matchOperation(request),
    read(request, operation) {
      const { valid, errors, coerced } = api.validateRequest(request, operation);
      if (!valid) return { wrong: errorsOf(errors) };
      return { path: coerced?.params as Record<string, unknown>, query: (coerced?.query ?? {}) as Record<string, unknown> };
    },
    wrongWith(answer, operation, status) {
      const { valid, errors } = api.validateResponse(answer, operation, status);
      return valid ? null : errorsOf(errors);
    },
  };
}

const errorsOf = (errors: readonly { instancePath?: string; message?: string; params?: object }[] | null | undefined): string =>
  (errors ?? [])
    .map(({ instancePath = '', message = '', params = {} }) => `${instancePath} ${message} ${JSON.stringify(params)}`)
    .join('; ');

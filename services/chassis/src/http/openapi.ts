import { z } from 'zod';
import { createDocument, type ZodOpenApiObject, type ZodOpenApiOperationObject, type ZodOpenApiResponsesObject } from 'zod-openapi';
import { changesSomething, type Route } from './routes.ts';

/** How every "no" is answered. */
const problemSchema = z
  .looseObject({
    type: z.string().describe('Stable; decide by it: urn:evenkeel:problem:<kebab>.'),
    title: z.string().describe('The type in words.'),
    status: z.int().min(400).max(599),
    detail: z.string().describe('What happened, and what to do.'),
  })
  .meta({ id: 'Problem', description: 'RFC 9457 problem details; some types carry further members.' });

const problemContent = { 'application/problem+json': { schema: problemSchema } };
const asProblem = (description: string) => ({ description, content: problemContent });

const idempotencyKey = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x21-\x7e]{1,255}$/)
    .describe('New for each new wish, the same when it is repeated: the answer is then the same. With another body: 422.'),
});

/** The OpenAPI 3.1 document of these routes. */
export function createOpenApi({
  title,
  version = '1',
  routes,
}: {
  readonly title: string;
  readonly version?: string;
  readonly routes: readonly Route[];
}) {
  const paths: Record<string, Record<string, ZodOpenApiOperationObject>> = {};
  for (const route of routes) {
    const path = route.path.replaceAll(/:(\w+)/g, '{$1}');
    paths[path] = { ...paths[path], [route.method]: operationOf(route) };
  }
  return createDocument({
    openapi: '3.1.1',
    info: { title, version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    servers: [{ url: '/' }],
    security: [{ token: [] }],
    paths: paths as NonNullable<ZodOpenApiObject['paths']>,
    components: { securitySchemes: { token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } } },
  });
}

function operationOf(route: Route): ZodOpenApiOperationObject {
  const isSigned = route.access === 'signature';
  const changing = changesSomething(route.method) && !isSigned;
  return {
    ...(isSigned ? { security: [] } : {}),
    operationId: operationId(route),
    summary: route.summary,
    description: [route.description, rolesSentence(route)].filter(Boolean).join('\n\n'),
    requestParams: {
      ...(route.params ? { path: route.params as z.ZodObject } : {}),
      ...(route.query ? { query: route.query as z.ZodObject } : {}),
      ...(changing ? { header: idempotencyKey } : {}),
    },
    ...(isSigned ? { requestBody: { required: true, content: { 'application/json': {} } } } : {}),
    ...(route.body
      ? { requestBody: { required: true, content: { [route.accepts?.contentType ?? 'application/json']: { schema: route.body } } } }
      : {}),
    responses: { ...commonResponses(route, changing), ...documentedResponses(route) },
  };
}

const operationId = ({ method, path }: Route): string =>
  method + path.replaceAll(/[^a-zA-Z0-9]+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase()).replaceAll(/[^a-zA-Z0-9]/g, '');

function rolesSentence({ access, roles }: Route): string {
  if (access === 'signature') return 'No token: the body is signed.';
  return roles.length === 0 ? 'Any token of the tenant will do.' : `Needs the role ${roles.join(' or ')}.`;
}

function commonResponses(route: Route, changing: boolean): ZodOpenApiResponsesObject {
  return {
    400: asProblem('Something in the request is not as expected; `errors` names each field.'),
    401: asProblem(route.access === 'signature' ? 'The signature is not right, or too old.' : 'No token, or one that does not verify.'),
    ...(route.access === 'signature' ? { 413: asProblem('The body is too large.') } : {}),
    ...(route.roles.length > 0 ? { 403: asProblem('The token lacks the role.') } : {}),
    ...(route.body
      ? { 413: asProblem('The body is too large.'), 415: asProblem(`The body is not ${route.accepts?.contentType ?? 'application/json'}.`) }
      : {}),
    ...(changing ? { 422: asProblem('The Idempotency-Key was used for another body.') } : {}),
    503: asProblem('A part that this needs does not answer; try again with the same Idempotency-Key.'),
  };
}

const documentedResponses = (route: Route): ZodOpenApiResponsesObject =>
  Object.fromEntries(
    Object.entries(route.responses).map(([status, { description, schema, contentType }]) => {
      if (contentType) return [status, { description, content: { [contentType]: { schema: z.string() } } }];
      if (schema)
        return [
          status,
          { description, content: { [Number(status) >= 400 ? 'application/problem+json' : 'application/json']: { schema } } },
        ];
      return [status, Number(status) >= 400 ? asProblem(description) : { description }];
    }),
  );

import { GraphQLError, type ASTNode } from 'graphql';

/** An error that the real API answers too, in its words. Any other error that comes out of a resolver is a defect of the sandbox. */
export class ApiError extends GraphQLError {
  constructor(message: string, code: string, more: { nodes?: ASTNode | readonly ASTNode[]; path?: string[]; extensions?: object } = {}) {
    super(message, { nodes: more.nodes, path: more.path, extensions: { code, ...more.extensions } });
    this.name = 'ApiError';
  }
}

export const throttled = () =>
  new ApiError('Throttled', 'THROTTLED', { extensions: { documentation: 'https://shopify.dev/api/usage/rate-limits' } });

export const maxCostExceeded = (cost: number, maxCost: number) =>
  new ApiError(`Query cost is ${cost}, which exceeds the single query max cost limit (${maxCost}).`, 'MAX_COST_EXCEEDED', {
    extensions: { cost, maxCost, documentation: 'https://shopify.dev/api/usage/rate-limits' },
  });

export const idempotencyRequired = () =>
  new ApiError('The @idempotent directive is required for this mutation but was not provided.', 'BAD_REQUEST');

export const missingArgument = (type: string, argument: string) =>
  new ApiError(`${type} must include the following argument: ${argument}.`, 'INVALID_FIELD_ARGUMENTS');

export const tooManyElements = (size: number, path: string[]) =>
  new ApiError(`The input array size of ${size} is greater than the maximum allowed of 250.`, 'MAX_INPUT_SIZE_EXCEEDED', { path });

export const invalidId = (id: string) => new ApiError(`Invalid global id '${id}'`, 'BAD_REQUEST');

/** The bodies of refusals that come before GraphQL: `errors` is a text there. */
export const plainErrors: Record<number, string> = {
  401: '[API] Invalid API key or access token (unrecognized login or wrong password)',
  402: 'Unavailable Shop',
  403: 'Non-expiring access tokens are no longer accepted for the Admin API. Start using expiring offline tokens.',
  404: 'Not Found',
  423: 'Locked',
  429: 'Exceeded the rate limit for this API client. Reduce request rates to resume uninterrupted service.',
};

/** A refusal in the API's words: `{"error": …}`, with a status. Anything else that an operation throws is a defect of the sandbox. */
export class EtsyError extends Error {
  readonly status: number;
  readonly description: string | undefined;

  constructor(status: number, error: string, description?: string) {
    super(error);
    this.name = 'EtsyError';
    this.status = status;
    this.description = description;
  }

  get body(): { error: string; error_description?: string } {
    return { error: this.message, ...(this.description === undefined ? {} : { error_description: this.description }) };
  }
}

export const notFound = (what: string) => new EtsyError(404, `Could not find ${what}`);

export const expired = () => new EtsyError(401, 'invalid_token', 'access token is expired');
export const bareKey = () => new EtsyError(403, "Invalid API key: should be in the format 'keystring:shared_secret'.");
export const tooMany = () => new EtsyError(429, 'Exceeded the rate limit.');

/** What a status that was asked for on the control port is answered with. */
export function errorOfStatus(status: number): EtsyError {
  const known: Record<number, () => EtsyError> = { 401: expired, 403: bareKey, 429: tooMany };
  return known[status]?.() ?? new EtsyError(status, 'Server Error');
}

import { MarketplaceError, networkError, type Renewal } from '@evenkeel/connector-kit';
import { request } from 'undici';
import { z } from 'zod';
import { firstOf } from './etsy-api.ts';
import { failureOf } from './errors.ts';

export const credentialsSchema = z.object({
  accessToken: z.string(),
  refreshToken: z.string(),
  issuedAt: z.number(),
  expiresAt: z.number(),
});
export type Credentials = z.output<typeof credentialsSchema>;

/** How long Etsy's access tokens are good for, where nobody has said. */
const usualLifeSeconds = 3_600;

const pair = z.object({ access_token: z.string().min(1), refresh_token: z.string().min(1), expires_in: z.number().positive() });

export const credentialsOf = (accessToken: string, refreshToken: string, now: number, lifeSeconds = usualLifeSeconds): Credentials => ({
  accessToken,
  refreshToken,
  issuedAt: now,
  expiresAt: now + lifeSeconds * 1_000,
});

/** A refresh token buys one new pair. Where it does not, what was to be asked with that was not asked: `applied` is `no`. */
export function createRenewal({ tokenUrl, keystring }: { tokenUrl: string; keystring: string }): Renewal {
  return {
    lifeOf: (credentials) => credentialsSchema.parse(credentials),
    async renew({ credentials }) {
      const { refreshToken } = credentialsSchema.parse(credentials);
      const { status, headers, text } = await ask(tokenUrl, {
        grant_type: 'refresh_token',
        client_id: keystring,
        refresh_token: refreshToken,
      });
      if (status !== 200) throw new MarketplaceError(tokenFailure(status, text, headers['retry-after']), 'no');
      const renewed = pair.safeParse(parsed(text));
      if (!renewed.success) {
        const message = 'The answer of the token endpoint is not what it promises.';
        throw new MarketplaceError({ class: 'transient', code: 'UNREADABLE', message }, 'no', { cause: renewed.error });
      }
      const { access_token: accessToken, refresh_token: next, expires_in: seconds } = renewed.data;
      return credentialsOf(accessToken, next, Date.now(), seconds);
    },
  };
}

/** What the token endpoint refuses is a matter for a person, beside its own trouble. */
function tokenFailure(status: number, text: string, retryAfter: string | undefined) {
  const failure = failureOf(status, text, retryAfter);
  return failure.class === 'permanent_listing' ? { ...failure, class: 'credential' as const } : failure;
}

async function ask(url: string, form: Record<string, string>) {
  try {
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
      body: new URLSearchParams(form).toString(),
      signal: AbortSignal.timeout(10_000),
    });
    return { status: response.statusCode, headers: firstOf(response.headers), text: await response.body.text() };
  } catch (error) {
    throw networkError(error, false);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

import { createRemoteJWKSet, errors, jwtVerify, type JWTPayload } from 'jose';
import { z } from 'zod';
import { problem, type Problem } from './problem.ts';

/** Who asks; the tenant comes from here alone, never from a path or a body. */
export interface Identity {
  readonly tenant: string;
  readonly user: string;
  readonly roles: readonly string[];
}

/** The identity behind an Authorization header. Throws a {@link Problem}: 401, or 503 where the issuer's keys can't be had. */
export type Identify = (authorization: string | undefined) => Promise<Identity>;

const visible = (maximum: number) =>
  z.string().regex(new RegExp(`^[\\x21-\\x7e]{1,${maximum}}$`), `expected 1–${maximum} visible ASCII characters`);

const claims = z.object({
  tenant: visible(64),
  sub: visible(128),
  roles: z.array(visible(64)).max(32),
});

/** Verifies JWTs of one issuer, whose keys are at `<issuer>/.well-known/jwks.json`: signature, issuer, audience, times (5 s tolerance), claims. */
export function createIdentity({ issuerUrl, audience }: { readonly issuerUrl: string; readonly audience: string }): Identify {
  const keySet = createRemoteJWKSet(new URL(`${issuerUrl}/.well-known/jwks.json`), { timeoutDuration: 3_000, cooldownDuration: 5_000 });
  // Some issuers write themselves with a slash at the end.
  const options = {
    issuer: [issuerUrl, `${issuerUrl}/`],
    audience,
    algorithms: ['RS256', 'ES256', 'EdDSA'],
    clockTolerance: 5,
    requiredClaims: ['exp'],
  };
  return async (authorization) => {
    const token = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i.exec(authorization ?? '')?.[1];
    if (!token) throw unauthorized(authorization === undefined ? null : 'The Authorization header is not "Bearer <token>".');
    const { payload } = await jwtVerify(token, keySet, options).catch((error: unknown) => {
      throw refusalOf(error);
    });
    return identityOf(payload);
  };
}

function identityOf(payload: JWTPayload): Identity {
  const parsed = claims.safeParse(payload);
  if (parsed.success) return { tenant: parsed.data.tenant, user: parsed.data.sub, roles: parsed.data.roles };
  const issue = parsed.error.issues[0];
  throw unauthorized(`The token's claim ${issue?.path.join('.') ?? ''} is not usable: ${issue?.message ?? ''}.`);
}

function refusalOf(error: unknown): Problem {
  if (error instanceof errors.JWTExpired) return unauthorized('The token has expired.');
  if (error instanceof errors.JWTClaimValidationFailed)
    return unauthorized(`The token's claim ${error.claim} is not what this service accepts.`);
  if (error instanceof errors.JOSEAlgNotAllowed) return unauthorized('The token is not signed with RS256, ES256 or EdDSA.');
  if (isTokensFault(error)) return unauthorized('The token could not be verified with the keys of the issuer.');
  return problem(503, {
    type: 'issuer-unavailable',
    detail: 'The keys of the token issuer cannot be fetched, so no token can be verified at the moment. Try again shortly.',
    headers: { 'Retry-After': '2' },
  });
}

/** Whatever is not the token's fault is the issuer's: no connection, a time-out, an answer that is no key set. */
const isTokensFault = (error: unknown): boolean =>
  error instanceof errors.JOSEError &&
  !(error instanceof errors.JWKSTimeout) &&
  !(error instanceof errors.JWKSInvalid) &&
  error.code !== errors.JOSEError.code;

/** Null: no token at all. */
function unauthorized(reason: string | null): Problem {
  const challenge = reason === null ? '' : `, error="invalid_token", error_description="${reason.replaceAll(/[^\x20-\x7e]|["\\]/g, "'")}"`;
  return problem(401, {
    type: 'unauthorized',
    detail: `${reason ?? 'There is no token.'} Send "Authorization: Bearer <token>" with a token that the issuer has just given.`,
    headers: { 'WWW-Authenticate': `Bearer realm="evenkeel"${challenge}` },
  });
}

/** Throws a 403 that names the roles, of which one would do. No roles: everyone with a token may. */
export function requireRole(identity: Identity, roles: readonly string[]): void {
  if (roles.length === 0 || roles.some((role) => identity.roles.includes(role))) return;
  throw problem(403, {
    type: 'role-missing',
    detail: `This needs the role ${roles.join(' or ')}; the token of ${identity.user} has ${identity.roles.join(', ') || 'none'}. Ask whoever gives out roles.`,
    requiredRoles: roles,
  });
}

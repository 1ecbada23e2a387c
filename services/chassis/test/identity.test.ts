import { generateKeyPair, SignJWT, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { createIdentity, type Identify } from '../src/index.ts';
import { openTokenIssuer, type TokenIssuer } from '../src/testing/index.ts';

let issuer: TokenIssuer;
let identify: Identify;
beforeAll(async () => {
  issuer = await openTokenIssuer();
  identify = createIdentity({ issuerUrl: issuer.issuerUrl, audience: 'evenkeel' });
});
afterAll(() => issuer.close());

const now = Math.floor(Date.now() / 1000);
const bearer = async (claims: Record<string, unknown>) =>
  `Bearer ${await issuer.token({ tenant: 'acme', user: 'ann', roles: ['clerk'] }, claims)}`;
const refusal = (authorization: string | undefined, by = identify) =>
  by(authorization).then(
    () => ({ status: 200 }),
    (error: unknown) => error,
  );

describe('a token', () => {
  test.each(['ES256', 'RS256', 'EdDSA'] as const)('signed with %s says tenant, user and roles', async (algorithm) => {
    await using other = await openTokenIssuer({ algorithm });
    const token = await other.token({ tenant: 'acme', user: 'ann', roles: ['clerk'] });
    const identity = await createIdentity({ issuerUrl: other.issuerUrl, audience: 'evenkeel' })(`Bearer ${token}`);
    expect(identity).toEqual({ tenant: 'acme', user: 'ann', roles: ['clerk'] });
  });

  test('may name its issuer with a slash at the end', async () => {
    expect(await identify(await bearer({ iss: `${issuer.issuerUrl}/` }))).toMatchObject({ tenant: 'acme' });
  });

  test('may be five seconds late, for clocks differ, and no more', async () => {
    expect(await identify(await bearer({ exp: now - 2 }))).toMatchObject({ user: 'ann' });
    expect(await refusal(await bearer({ exp: now - 60 }))).toMatchObject({ status: 401, detail: expect.stringContaining('expired') });
  });

  test.each([
    ['another issuer', { iss: 'http://elsewhere' }, 'claim iss'],
    ['another audience', { aud: 'elsewhere' }, 'claim aud'],
    ['no end', { exp: undefined }, 'claim exp'],
    ['a start in the future', { nbf: now + 600 }, 'claim nbf'],
    ['no tenant', { tenant: undefined }, 'claim tenant'],
    ['a tenant that is no text', { tenant: { $gt: '' } }, 'claim tenant'],
    ['a tenant with a space', { tenant: 'a b' }, 'claim tenant'],
    ['a tenant of 65 characters', { tenant: 'x'.repeat(65) }, 'claim tenant'],
    ['no user', { sub: undefined }, 'claim sub'],
    ['roles that are no list', { roles: 'operator' }, 'claim roles'],
  ])('with %s is refused, and the claim is named', async (_what, claims, named) => {
    expect(await refusal(await bearer(claims))).toMatchObject({ status: 401, detail: expect.stringContaining(named) });
  });

  test('that somebody else signed, or nobody, is refused', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const claims = { tenant: 'acme', sub: 'ann', roles: [], iss: issuer.issuerUrl, aud: 'evenkeel', exp: now + 60 };
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'test' }).sign(privateKey);
    const unknownKey = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'other' }).sign(privateKey);
    const symmetric = await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(new Uint8Array(32));
    for (const token of [forged, unknownKey, symmetric, `${new UnsecuredJWT(claims).encode()}x`])
      expect(await refusal(`Bearer ${token}`)).toMatchObject({
        status: 401,
        headers: { 'WWW-Authenticate': expect.stringContaining('invalid_token') },
      });
  });

  test.each(['', 'Bearer', 'Bearer a.b', 'Basic YTpi', 'Bearer a.b.c, Bearer d.e.f', 'Bearer eyJhIjoxfQ.e30.AA'])(
    'written as "%s" is refused',
    async (authorization) => {
      expect(await refusal(authorization)).toMatchObject({ status: 401 });
    },
  );
});

describe('the issuer’s keys', () => {
  test('that cannot be fetched are nobody’s fault who asks: 503', async () => {
    const gone = await openTokenIssuer();
    const token = await gone.token();
    await gone.close();
    expect(await refusal(`Bearer ${token}`, createIdentity({ issuerUrl: gone.issuerUrl, audience: 'evenkeel' }))).toMatchObject({
      status: 503,
    });
  });

  test('that are not where they should be: 503', async () => {
    const elsewhere = createIdentity({ issuerUrl: `${issuer.issuerUrl}/elsewhere`, audience: 'evenkeel' });
    expect(await refusal(await bearer({}), elsewhere)).toMatchObject({ status: 503, headers: { 'Retry-After': '2' } });
  });
});

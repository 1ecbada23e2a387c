import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';

export interface TokenIssuer extends AsyncDisposable {
  /** What a service is given as JWT_ISSUER_URL. */
  readonly issuerUrl: string;
  /** A token for an hour; `claims` replaces any claim, for tests of wrong ones. */
  token(
    identity?: { tenant?: string; user?: string; roles?: readonly string[] },
    claims?: Readonly<Record<string, unknown>>,
  ): Promise<string>;
  close(): Promise<void>;
}

/** An issuer on loopback, with a key of its own. Audience: evenkeel. */
export async function openTokenIssuer({
  algorithm = 'ES256',
}: { readonly algorithm?: 'ES256' | 'RS256' | 'EdDSA' } = {}): Promise<TokenIssuer> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, { extractable: true });
  const keys = [{ ...(await exportJWK(publicKey)), alg: algorithm, use: 'sig', kid: 'test' }];
  const server = createServer((request, response) => {
    const found = request.url === '/.well-known/jwks.json';
    response
      .writeHead(found ? 200 : 404, { 'Content-Type': 'application/json', Connection: 'close' })
      .end(JSON.stringify(found ? { keys } : {}));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const issuerUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = async (): Promise<void> => {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  };
  return {
    issuerUrl,
    token({ tenant = 'default', user = 'test', roles = [] } = {}, claims = {}) {
      const now = Math.floor(Date.now() / 1000);
      const standard = { iss: issuerUrl, aud: 'evenkeel', sub: user, tenant, roles, iat: now, exp: now + 3_600 };
      return new SignJWT({ ...standard, ...claims }).setProtectedHeader({ alg: algorithm, kid: 'test' }).sign(privateKey);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

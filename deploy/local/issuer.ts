// Stands in for an identity provider on a developer's machine: it signs whatever it is asked to, and so listens on loopback only.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type JWK, SignJWT } from 'jose';
import { z } from 'zod';

const algorithm = 'ES256';
const largestRequestBytes = 10_000;

const claims = z.strictObject({
  tenant: z.string().min(1).max(100),
  user: z.string().min(1).max(200),
  roles: z.array(z.string().min(1).max(50)).max(20),
});

/** The key pair, made once; tokens stay valid over a restart. */
async function readKey(path: string): Promise<JWK & { kid: string }> {
  if (!existsSync(path)) {
    const { privateKey } = await generateKeyPair(algorithm, { extractable: true });
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.stringify(await exportJWK(privateKey)), { mode: 0o600 });
  }
  const key = JSON.parse(readFileSync(path, 'utf8')) as JWK;
  return { ...key, kid: await calculateJwkThumbprint(key) };
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  let body = '';
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk;
    if (body.length > largestRequestBytes) return undefined;
  }
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function answer(response: ServerResponse, status: number, body: object) {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type }).end(JSON.stringify(body));
}

async function serveIssuer({ port, keyPath, audience }: { port: number; keyPath: string; audience: string }): Promise<void> {
  const key = await readKey(keyPath);
  const { d: _, ...publicKey } = key;
  const signingKey = await importJWK(key, algorithm);
  const issuer = `http://127.0.0.1:${port}`;
  const ownHosts = [`127.0.0.1:${port}`, `localhost:${port}`];

  async function handle(request: IncomingMessage, response: ServerResponse) {
    // A web page that resolves its own name to loopback must not get a token.
    if (!ownHosts.includes(request.headers.host ?? '')) return answer(response, 403, { title: `Ask as ${issuer}`, status: 403 });
    if (request.method === 'GET' && request.url === '/readyz') return answer(response, 200, { ready: true });
    if (request.method === 'GET' && request.url === '/.well-known/jwks.json') {
      return answer(response, 200, { keys: [{ ...publicKey, alg: algorithm, use: 'sig' }] });
    }
    if (request.method !== 'POST' || request.url !== '/token') {
      return answer(response, 404, { title: 'There is POST /token and GET /.well-known/jwks.json', status: 404 });
    }
    const isJson = request.headers['content-type']?.startsWith('application/json') === true;
    const asked = claims.safeParse(isJson ? await readBody(request) : undefined);
    if (!asked.success) {
      const example = '{"tenant":"demo","user":"clerk","roles":["operator"]}';
      return answer(response, 400, {
        title: `Send application/json such as ${example}`,
        status: 400,
        detail: z.prettifyError(asked.error),
      });
    }
    const { tenant, user, roles } = asked.data;
    const token = await new SignJWT({ tenant, roles })
      .setProtectedHeader({ alg: algorithm, kid: key.kid })
      .setSubject(user)
      .setIssuer(issuer)
      .setAudience(audience)
      .setIssuedAt()
      .setExpirationTime('12h')
      .sign(signingKey);
    return answer(response, 200, { token });
  }

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => {
      console.error(error);
      answer(response, 500, { title: 'The issuer failed; see its log', status: 500 });
    });
  });
  server.listen(port, '127.0.0.1');
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => (server.close(), server.closeAllConnections()));
}

const { ISSUER_PORT, ISSUER_KEY_PATH, JWT_AUDIENCE = 'evenkeel' } = process.env;
if (!ISSUER_PORT || !ISSUER_KEY_PATH) throw new Error('ISSUER_PORT and ISSUER_KEY_PATH are needed');
await serveIssuer({ port: Number(ISSUER_PORT), keyPath: ISSUER_KEY_PATH, audience: JWT_AUDIENCE });

import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createRemoteJWKSet, jwtVerify } from 'jose';
import { isReady } from '../application.ts';
import { type Child, openChild, rank } from '../child.ts';
import { freePorts } from '../ports.ts';
import { requestToken } from '../token.ts';

const directory = mkdtempSync(join(tmpdir(), 'evenkeel-issuer-'));
const keyPath = join(directory, 'keys', 'issuer.json');
let issuer: Child;
let port: number;
let url: string;

beforeAll(async () => {
  port = (await freePorts()).issuer;
  url = `http://127.0.0.1:${port}`;
  issuer = openChild({
    name: 'issuer',
    directory,
    command: process.execPath,
    args: ['deploy/local/issuer.ts'],
    rank: rank.surroundings,
    env: { ISSUER_PORT: String(port), ISSUER_KEY_PATH: keyPath },
  });
  await issuer.waitFor('the issuer', () => isReady(url), { seconds: 20 });
});
afterAll(async () => {
  await issuer[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const clerk = { tenant: 'demo', user: 'clerk', roles: ['operator'] };
const verify = (token: string) =>
  jwtVerify(token, createRemoteJWKSet(new URL(`${url}/.well-known/jwks.json`)), { issuer: url, audience: 'evenkeel' });

test('a token names tenant, user and roles, and is still good after the issuer was killed and started again', async () => {
  const token = await requestToken(url, clerk);
  await issuer.kill('SIGKILL');
  issuer.start();
  await issuer.waitFor('the issuer', () => isReady(url), { seconds: 20 });
  const { payload } = await verify(token);
  expect(payload).toMatchObject({ sub: 'clerk', tenant: 'demo', roles: ['operator'] });
  expect(statSync(keyPath).mode & 0o777).toBe(0o600);
});

test('a request that is not understood gets an answer that says what to send', async () => {
  await expect(requestToken(url, { ...clerk, tenant: '' })).rejects.toThrow(/Send application\/json such as/);
});

test('a web page that calls loopback by a name of its own gets nothing', async () => {
  const status = await new Promise((resolve) => {
    request({ host: '127.0.0.1', port, path: '/token', method: 'POST', headers: { host: 'evil.example' } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    }).end('{}');
  });
  expect(status).toBe(403);
});

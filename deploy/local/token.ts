export type Claims = { tenant: string; user: string; roles: readonly string[] };

/**
 * Asks the local issuer for a token, valid for 12 hours.
 * @throws when it refuses the claims
 */
export async function requestToken(issuerUrl: string, claims: Claims): Promise<string> {
  const headers = { 'content-type': 'application/json' };
  const answer = await fetch(`${issuerUrl}/token`, { method: 'POST', headers, body: JSON.stringify(claims) });
  if (!answer.ok) throw new Error(`No token for ${JSON.stringify(claims)}: ${await answer.text()}`);
  return ((await answer.json()) as { token: string }).token;
}

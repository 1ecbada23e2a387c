import { randomBytes } from 'node:crypto';
import type { EtsySettings, EtsyTokens } from '../control-client.ts';
import type { Database } from './database.ts';
import { Refusal } from './refusal.ts';
import type { Shops } from './shops.ts';

export interface EtsyTokenRow {
  shop: string;
  kind: 'access' | 'refresh';
  /** On the shop's clock. */
  expires_at: number;
  revoked: number;
}

const refreshTokenMilliseconds = 90 * 24 * 3_600 * 1_000;

export type EtsyShops = ReturnType<typeof createEtsyShops>;

/** What an Etsy shop has beside what every shop has: the app's key, its owner's tokens, its holidays. */
export function createEtsyShops(database: Database, shops: Shops) {
  const statements = {
    all: database.prepare<{ shop: string; settings: string }>('SELECT shop, settings FROM etsy_shops'),
    put: database.prepare('INSERT OR REPLACE INTO etsy_shops VALUES (?, ?)'),
    token: database.prepare<EtsyTokenRow>('SELECT shop, kind, expires_at, revoked FROM etsy_tokens WHERE token = ?'),
    insertToken: database.prepare('INSERT INTO etsy_tokens (token, shop, kind, expires_at) VALUES (?, ?, ?, ?)'),
    revokeOne: database.prepare('UPDATE etsy_tokens SET revoked = 1 WHERE token = ?'),
    revokeAll: database.prepare('UPDATE etsy_tokens SET revoked = 1 WHERE shop = ?'),
    expireAll: database.prepare("UPDATE etsy_tokens SET expires_at = min(expires_at, ?) WHERE shop = ? AND kind = 'access'"),
  };
  const known = new Map<string, EtsySettings>();
  for (const { shop, settings } of statements.all.all()) known.set(shop, JSON.parse(settings) as EtsySettings);

  const get = (shop: string): EtsySettings => {
    const found = shops.get(shop).marketplace === 'etsy' ? known.get(shop) : undefined;
    if (found === undefined) throw new Refusal(422, `${shop} is not an Etsy shop`);
    return found;
  };
  const put = (shop: string, settings: EtsySettings): EtsySettings => {
    statements.put.run(shop, JSON.stringify(settings));
    known.set(shop, settings);
    return settings;
  };
  const userId = (shop: string): number => 40_000_000 + shops.get(shop).id;
  const newToken = (shop: string, kind: EtsyTokenRow['kind'], milliseconds: number): string => {
    const token = `${userId(shop)}.${randomBytes(24).toString('base64url')}`;
    statements.insertToken.run(token, shop, kind, shops.now(shop) + milliseconds);
    return token;
  };
  /** A new pair; older access tokens go on until they expire. */
  const issue = (shop: string): EtsyTokens => ({
    accessToken: newToken(shop, 'access', get(shop).accessTokenSeconds * 1_000),
    refreshToken: newToken(shop, 'refresh', refreshTokenMilliseconds),
  });

  return {
    get,
    create: (shop: string, settings: EtsySettings): EtsyTokens => (put(shop, settings), issue(shop)),
    configure: (shop: string, changes: Partial<EtsySettings>): EtsySettings => put(shop, { ...get(shop), ...changes }),
    forget: (shop: string): void => void known.delete(shop),
    userId,
    shopId: (shop: string): number => 50_000_000 + shops.get(shop).id,
    shopOfId: (id: number): string | undefined =>
      shops.all().find((shop) => shop.marketplace === 'etsy' && shop.id === id - 50_000_000)?.name,
    token: (token: string): EtsyTokenRow | undefined => {
      const row = statements.token.get(token);
      return row && known.has(row.shop) ? row : undefined;
    },
    issue: (shop: string): EtsyTokens => database.transaction(() => issue(shop)),
    /** A refresh token buys one new pair and is worth nothing afterwards. */
    rotate: (refreshToken: string, shop: string): EtsyTokens =>
      database.transaction(() => {
        statements.revokeOne.run(refreshToken);
        return issue(shop);
      }),
    revoke: (shop: string): void => void (get(shop), statements.revokeAll.run(shop)),
    expireAccess: (shop: string): void => void (get(shop), statements.expireAll.run(shops.now(shop), shop)),
  };
}

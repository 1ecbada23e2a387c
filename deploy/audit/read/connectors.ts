/** The marketplaces whose connectors the auditor knows, and what each may show at most. */
const marketplaces = { shopify: { maximumQuantity: 1_000_000_000 }, etsy: { maximumQuantity: 999 } } as const;

export type Marketplace = keyof typeof marketplaces;
export const marketplaceNames = Object.keys(marketplaces) as Marketplace[];

export const connectorOf = (marketplace: Marketplace): `connector-${Marketplace}` => `connector-${marketplace}`;
export const connectors = marketplaceNames.map(connectorOf);

export const pushRequestsOf = (marketplace: Marketplace): string => `push.requests.${marketplace}.v1`;

export const maximumQuantityOf = (marketplace: string | undefined): number =>
  marketplaceNames.some((name) => name === marketplace)
    ? marketplaces[marketplace as Marketplace].maximumQuantity
    : Number.MAX_SAFE_INTEGER;

/** The marketplaces whose connectors the auditor knows: what each may show at most, and whether it compares before it sets. */
const marketplaces = {
  shopify: { maximumQuantity: 1_000_000_000, comparesAndSets: true },
  etsy: { maximumQuantity: 999, comparesAndSets: false },
} as const;
const unknown = { maximumQuantity: Number.MAX_SAFE_INTEGER, comparesAndSets: true };

export type Marketplace = keyof typeof marketplaces;
export const marketplaceNames = Object.keys(marketplaces) as Marketplace[];

export const connectorOf = (marketplace: Marketplace): `connector-${Marketplace}` => `connector-${marketplace}`;
export const connectors = marketplaceNames.map(connectorOf);

export const pushRequestsOf = (marketplace: Marketplace): string => `push.requests.${marketplace}.v1`;

export const incidentsOf = (marketplace: Marketplace): string => `${connectorOf(marketplace)}.incidents.v1`;

export function rulesOf(marketplace: string | undefined): { readonly maximumQuantity: number; readonly comparesAndSets: boolean } {
  const known = marketplaceNames.find((name) => name === marketplace);
  return known ? marketplaces[known] : unknown;
}

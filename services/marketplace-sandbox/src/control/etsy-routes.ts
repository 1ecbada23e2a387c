import { Router, type Request } from 'express';
import type { EtsySettings, EtsyShop, NewProduct, Product, Shop } from '../control-client.ts';
import type { ShopRow } from '../state/shops.ts';
import type { State } from '../state/state.ts';
import { Refusal } from '../state/refusal.ts';
import * as messages from './messages.ts';

const byDefault = { requestsPerSecond: 150, requestsPerDay: 100_000, accessTokenSeconds: 3_600, vacation: false };

/** What happens to Etsy shops alone. */
export function etsyRoutes(state: State, describeShop: (shop: ShopRow) => Shop): Router {
  const { shops, etsyShops, etsyListings } = state;
  const sim = Router();
  const shopOf = (request: Request): string => {
    const { shop } = messages.shopParameters.parse(request.params);
    etsyShops.get(shop); // or refuses
    return shop;
  };
  const listingOf = (request: Request): number => Number(request.params['listing']) || 0;
  const describe = (shop: string): EtsyShop => ({
    ...describeShop(shops.get(shop)),
    etsy: { ...etsyShops.get(shop), userId: etsyShops.userId(shop), shopId: etsyShops.shopId(shop) },
  });

  sim.post('/etsy-shops', (request, response) => {
    const { name, acceptEverySale = false, ...given } = messages.newEtsyShop.parse(request.body);
    const settings: EtsySettings = { ...byDefault, ...given };
    shops.create({ name, token: 'see /tokens', marketplace: 'etsy', locations: ['Etsy'], acceptEverySale, refuseWithoutStock: true });
    const tokens = etsyShops.create(name, settings);
    response.status(201).json({ shop: describe(name), tokens });
  });
  sim.patch('/shops/:shop/etsy-settings', (request, response) => {
    etsyShops.configure(shopOf(request), messages.changedEtsySettings.parse(request.body));
    response.json(describe(shopOf(request)));
  });
  sim.post('/shops/:shop/tokens', (request, response) => void response.status(201).json(etsyShops.issue(shopOf(request))));
  sim.post('/shops/:shop/tokens/expire', (request, response) => {
    etsyShops.expireAccess(shopOf(request));
    response.status(204).end();
  });
  sim.post('/shops/:shop/tokens/revoke', (request, response) => {
    etsyShops.revoke(shopOf(request));
    response.status(204).end();
  });

  sim.post('/shops/:shop/listings', (request, response) => {
    response.status(201).json(etsyListings.create(shopOf(request), messages.newListings.parse(request.body)));
  });
  sim.get(
    '/shops/:shop/listings/:listing',
    (request, response) => void response.json(etsyListings.describe(shopOf(request), listingOf(request))),
  );
  sim.put('/shops/:shop/listings/:listing/state', (request, response) => {
    const [shop, id] = [shopOf(request), listingOf(request)];
    const { state: wanted } = messages.stateOfListing.parse(request.body);
    const listing = etsyListings.find(shop, id);
    if (listing === undefined) throw new Refusal(404, `the shop ${shop} has no listing ${id}`);
    state.transaction(() => etsyListings.setState(shop, listing, wanted, ''));
    response.json(etsyListings.describe(shop, id));
  });
  sim.delete('/shops/:shop/listings/:listing', (request, response) => {
    etsyListings.delete(shopOf(request), listingOf(request));
    response.status(204).end();
  });
  return sim;
}

/** Each product as a listing of a single variant. */
export function etsyProducts({ etsyListings }: State, shop: string, products: readonly NewProduct[]): Product[] {
  if (
    products.some(
      ({ quantity, status, location, tracked }) => quantity < 0 || quantity > 999 || status || location || tracked !== undefined,
    )
  )
    throw new Refusal(422, `${shop} is an Etsy shop: its products have a SKU and a quantity from 0 to 999, and nothing else`);
  const listings = etsyListings.create(
    shop,
    products.map(({ sku, quantity }) => ({ variants: [{ sku, quantity }] })),
  );
  return listings.map(({ offerings: [offering] }, index) => ({
    sku: products[index]?.sku ?? null,
    inventoryItem: offering?.inventoryItem ?? '',
    variant: String(offering?.product ?? ''),
    location: '',
  }));
}

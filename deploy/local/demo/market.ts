import type { MarketplaceName, SandboxControl } from '@evenkeel/marketplace-sandbox/control';
import type { Addresses } from '../application.ts';
import type { Seller } from '../seller.ts';
import { arrival, arrivalNumber, arrivalShown, arrivalsWaiting, catalogue, policy, type Product } from './catalogue.ts';
import type { Item } from './choices.ts';

/** A shop of the demo; its store has its name. */
export interface Shop {
  readonly name: string;
  readonly marketplace: MarketplaceName;
  /** Has a second listing of what sells best. */
  readonly listsTwice?: true;
}

export const shops: readonly Shop[] = [
  { name: 'demo-harbour', marketplace: 'shopify' },
  { name: 'demo-market', marketplace: 'shopify', listsTwice: true },
  { name: 'demo-atelier', marketplace: 'etsy' },
  { name: 'demo-garden', marketplace: 'etsy' },
];

const tokenOf = ({ name }: Shop) => `token-of-${name}`;
const atOnce = 8;
/** Its orders are read every second, for days. */
const requestsPerDay = 10_000_000;

type EtsyApp = Addresses['sandbox']['etsyApp'];

/** What is known of a product beside what the shops show. */
interface Known extends Product {
  counted: boolean;
  synced: boolean;
}
/** A product as a shop lists it: what its first listing shows, and all of its listings. */
interface Offer {
  readonly available: number;
  readonly listings: readonly string[];
}
/** By SKU. */
type OnSale = ReadonlyMap<string, Offer>;

/** What the people of the demo have before their eyes. */
export interface Market {
  readonly products: Map<string, Known>;
  /** By shop. */
  readonly onSale: Map<string, OnSale>;
}

/** Shops, stores, policy, products and their counts: whatever is there already stays as it is. */
export async function openMarket(sandbox: SandboxControl, etsyApp: EtsyApp, seller: Seller): Promise<Market> {
  const there = new Set((await sandbox.shops()).map(({ name }) => name));
  for (const shop of shops) if (!there.has(shop.name)) await openShop(sandbox, etsyApp, shop);
  const market: Market = { products: new Map(), onSale: new Map() };
  await look(market, sandbox);
  const fromBefore = skusOn(market).filter((sku) => arrivalNumber(sku) !== undefined);
  const arrivals = fromBefore.length > 0 ? fromBefore : Array.from({ length: arrivalsWaiting }, (_, index) => arrival(index + 1).sku);
  const products = [...catalogue(), ...arrivals.map((sku) => arrival(arrivalNumber(sku) ?? 0))];
  await list(market, sandbox, products);
  await seller.setPolicy(policy);
  for (const shop of shops) await seller.connectStore(shop.marketplace, shop.name, () => accessTo(sandbox, shop));

  const left = products.values();
  const workers = Array.from({ length: atOnce }, async () => {
    for (const product of left) market.products.set(product.sku, await openProduct(seller, product));
  });
  await Promise.all(workers);
  await look(market, sandbox);
  return market;
}

async function openShop(sandbox: SandboxControl, etsyApp: EtsyApp, shop: Shop): Promise<void> {
  const { name } = shop;
  if (shop.marketplace === 'etsy') await sandbox.createEtsyShop({ name, ...etsyApp, requestsPerDay });
  else await sandbox.createShop({ name, token: tokenOf(shop), plan: 'plus', refuseWithoutStock: true });
}

/** What the seller gives to connect it. */
const accessTo = async (sandbox: SandboxControl, shop: Shop): Promise<object> =>
  shop.marketplace === 'etsy'
    ? { ...(await sandbox.issueTokens(shop.name)), renewSoldOut: true }
    : { shop: shop.name, accessToken: tokenOf(shop) };

async function openProduct(seller: Seller, product: Product): Promise<Known> {
  const { counted } = await seller.inventory(product.sku);
  const isCountedAtOnce = product.role !== 'arrival';
  if (!counted && isCountedAtOnce) await seller.openWith(product.sku, product.usual, 'demo-opening');
  const synced = product.role === 'paused' || product.role === 'arrival' ? await seller.isSynced(product.sku) : true;
  return { ...product, counted: counted || isCountedAtOnce, synced };
}

const skusOn = ({ onSale }: Market): string[] => [...new Set([...onSale.values()].flatMap((items) => [...items.keys()]))];

/** Puts products on every shop that does not have them: an arrival with what the seller has typed in, others with nothing. */
export async function list(market: Market, sandbox: SandboxControl, products: readonly Product[]): Promise<void> {
  const shown = ({ sku, role }: Product) => ({ sku, quantity: role === 'arrival' ? arrivalShown : 0 });
  for (const { name, marketplace, listsTwice } of shops) {
    const listingsOf = ({ sku }: Product) => market.onSale.get(name)?.get(sku)?.listings.length ?? 0;
    const missing = products.filter((product) => listingsOf(product) < 1);
    const again = products.filter((product) => listsTwice && product.role === 'bestseller' && listingsOf(product) < 2);
    if (missing.length + again.length === 0) continue;
    if (marketplace === 'shopify') await sandbox.putProducts(name, [...missing, ...again].map(shown));
    else
      await sandbox.putListings(
        name,
        [...Map.groupBy(missing, ({ sku }) => articleOf(sku).article)].map(([title, variants]) => ({
          title,
          variants: variants.map((product) => ({ ...shown(product), values: { Size: articleOf(product.sku).size } })),
        })),
      );
  }
}

/** Sizes are variants of one article, which Etsy has as one listing. */
function articleOf(sku: string): { article: string; size: string } {
  const [, article = sku, size = 'One'] = /^(.+)-([A-Z])$/.exec(sku) ?? [];
  return { article, size };
}

/** Takes products off every shop. */
export async function unlist(market: Market, sandbox: SandboxControl, skus: readonly string[]): Promise<void> {
  for (const { name } of shops)
    for (const sku of skus)
      for (const listing of market.onSale.get(name)?.get(sku)?.listings ?? []) await sandbox.deleteProduct(name, listing);
}

/** Reads what the shops show now. */
export async function look(market: Market, sandbox: SandboxControl): Promise<void> {
  for (const { name } of shops) {
    const offers = new Map<string, Offer>();
    for await (const { sku, available, inventoryItem } of sandbox.allQuantities(name)) {
      if (sku === null) continue;
      const first = offers.get(sku);
      offers.set(sku, { available: first?.available ?? available, listings: [...(first?.listings ?? []), inventoryItem] });
    }
    market.onSale.set(name, offers);
  }
}

/** The products of a shop as its shoppers see them. */
export const itemsOf = ({ products, onSale }: Market, shop: Shop): Item[] =>
  [...products.values()].map((product) => ({ ...product, shown: onSale.get(shop.name)?.get(product.sku)?.available ?? 0 }));

/** All products as the clerk sees them: with what the shop shows that has least. */
export const allItems = ({ products, onSale }: Market): Item[] =>
  [...products.values()].map((product) => ({
    ...product,
    shown: Math.min(...[...onSale.values()].map((items) => items.get(product.sku)?.available ?? 0)),
  }));

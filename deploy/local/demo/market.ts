import type { SandboxControl } from '@evenkeel/marketplace-sandbox/control';
import type { Seller } from '../seller.ts';
import { arrival, arrivalNumber, arrivalShown, arrivalsWaiting, catalogue, policy, type Product } from './catalogue.ts';
import type { Item } from './choices.ts';

/** The demo's shops; each store's id is its shop's name. */
export const shops = ['demo-harbour', 'demo-market'] as const;
export type Shop = (typeof shops)[number];

const tokenOf = (shop: Shop) => `token-of-${shop}`;
const atOnce = 8;

/** What is known of a product beside what the shops show. */
interface Known extends Product {
  counted: boolean;
  synced: boolean;
}
/** By SKU. */
type OnSale = ReadonlyMap<string, { readonly available: number; readonly inventoryItem: string }>;

/** What the people of the demo have before their eyes. */
export interface Market {
  readonly products: Map<string, Known>;
  readonly onSale: Map<Shop, OnSale>;
}

/** Shops, stores, policy, products and their counts: whatever is there already stays as it is. */
export async function openMarket(sandbox: SandboxControl, seller: Seller): Promise<Market> {
  const there = new Set((await sandbox.shops()).map(({ name }) => name));
  for (const shop of shops) {
    if (!there.has(shop)) await sandbox.createShop({ name: shop, token: tokenOf(shop), plan: 'plus', refuseWithoutStock: true });
  }
  const market: Market = { products: new Map(), onSale: new Map() };
  await look(market, sandbox);
  const fromBefore = skusOn(market).filter((sku) => arrivalNumber(sku) !== undefined);
  const arrivals = fromBefore.length > 0 ? fromBefore : Array.from({ length: arrivalsWaiting }, (_, index) => arrival(index + 1).sku);
  const products = [...catalogue(), ...arrivals.map((sku) => arrival(arrivalNumber(sku) ?? 0))];
  await list(market, sandbox, products);
  await seller.setPolicy(policy);
  for (const shop of shops) await seller.connectStore(shop, shop, tokenOf(shop));

  const left = products.values();
  const workers = Array.from({ length: atOnce }, async () => {
    for (const product of left) market.products.set(product.sku, await openProduct(seller, product));
  });
  await Promise.all(workers);
  await look(market, sandbox);
  return market;
}

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
  for (const shop of shops) {
    const missing = products.filter(({ sku }) => !market.onSale.get(shop)?.has(sku));
    if (missing.length === 0) continue;
    await sandbox.putProducts(
      shop,
      missing.map(({ sku, role }) => ({ sku, quantity: role === 'arrival' ? arrivalShown : 0 })),
    );
  }
}

/** Takes products off every shop. */
export async function unlist(market: Market, sandbox: SandboxControl, skus: readonly string[]): Promise<void> {
  for (const shop of shops)
    for (const sku of skus) {
      const found = market.onSale.get(shop)?.get(sku);
      if (found) await sandbox.deleteProduct(shop, found.inventoryItem);
    }
}

/** Reads what the shops show now. */
export async function look(market: Market, sandbox: SandboxControl): Promise<void> {
  for (const shop of shops) {
    const items = new Map<string, { available: number; inventoryItem: string }>();
    for await (const { sku, available, inventoryItem } of sandbox.allQuantities(shop)) {
      if (sku !== null) items.set(sku, { available, inventoryItem });
    }
    market.onSale.set(shop, items);
  }
}

/** The products of a shop as its shoppers see them. */
export const itemsOf = ({ products, onSale }: Market, shop: Shop): Item[] =>
  [...products.values()].map((product) => ({ ...product, shown: onSale.get(shop)?.get(product.sku)?.available ?? 0 }));

/** All products as the clerk sees them: with what the shop shows that has least. */
export const allItems = ({ products, onSale }: Market): Item[] =>
  [...products.values()].map((product) => ({
    ...product,
    shown: Math.min(...[...onSale.values()].map((items) => items.get(product.sku)?.available ?? 0)),
  }));

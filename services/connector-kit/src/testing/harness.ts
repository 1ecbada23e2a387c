import type { Marketplace } from '../marketplace.ts';

/** What the contract suite needs to do *to* a marketplace; a connector brings one of these for its sandbox. */
export interface ConnectorHarness extends AsyncDisposable {
  readonly marketplace: Marketplace;
  /** An empty store of a seller account of its own. */
  createStore(): Promise<HarnessStore>;
}

export interface HarnessStore {
  /** What a person enters to connect it. */
  readonly entered: Readonly<Record<string, unknown>>;
  /** Ids of the new listings, in the order given. Where listings have groups, those that are added together share one as far as it holds them. */
  addListings(listings: readonly { sku: string | null; quantity: number }[]): Promise<string[]>;
  removeListing(listing: string): Promise<void>;
  /** A shopper buys; returns the order's id. */
  sell(lines: readonly { listing: string; quantity: number }[]): Promise<string>;
  /** The same, a year ago: before everything else that happens to the store. */
  sellLongAgo(lines: readonly { listing: string; quantity: number }[]): Promise<string>;
  cancel(order: string): Promise<void>;
  fulfil(order: string): Promise<void>;
  /** The seller stops selling, or goes on: a holiday, a location that is not in use. Orders can be read all the same. */
  setActive(active: boolean): Promise<void>;
  /** What shoppers see, by the marketplace's own account. */
  shown(listing: string): Promise<number>;
  /** Every write that the marketplace has applied, in its order. */
  writes(): Promise<{ key: string; listing: string; quantity: number }[]>;
  /** Requests answered since the start, refused ones included. */
  calls(): Promise<number>;
  /** The next push takes effect, and its answer is lost. */
  loseNextAnswer(): Promise<void>;
  /** The next push is lost on its way. */
  loseNextPush(): Promise<void>;
  failNext(calls: number, status: number): Promise<void>;
  /** Replaces the credentials: what was entered before is refused from now on. */
  renewCredentials(): Promise<Readonly<Record<string, unknown>>>;
  /** Allows pushes so seldom that a few in a row exceed it. */
  limitRate(): Promise<void>;
  /** Needed where the marketplace declares `renewal`: what is in use now has ended, and can be renewed. */
  expireCredentials?(): Promise<void>;
  /** Needed where it declares `webhooks`: its webhooks about orders go there from now on. Resolves to what they are signed with. */
  sendWebhooksTo?(url: string): Promise<string>;
}

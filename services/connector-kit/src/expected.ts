import type { ListingDocument } from './documents.ts';
import type { Capabilities, MarketplaceOrder } from './marketplace.ts';
import { quantityToSend } from './quantity.ts';

/** Units that an order has taken from each listing by now, as its marketplace counts. */
export function takenBy({ lines }: Pick<MarketplaceOrder, 'lines'>, { restocksCancelled }: Pick<Capabilities, 'restocksCancelled'>) {
  const taken = new Map<string, number>();
  for (const { listing, quantity, cancelled } of lines)
    if (listing !== null) taken.set(listing, (taken.get(listing) ?? 0) + quantity - (restocksCancelled ? cancelled : 0));
  return taken;
}

/** Units that an order has taken since it was last seen; given back ones are negative. */
export function takenSince(
  taken: ReadonlyMap<string, number>,
  seen: readonly { readonly listing: string; readonly units: number }[],
): Map<string, number> {
  const before = new Map(seen.map(({ listing, units }) => [listing, units]));
  const listings = new Set([...taken.keys(), ...before.keys()]);
  return new Map([...listings].map((listing) => [listing, (taken.get(listing) ?? 0) - (before.get(listing) ?? 0)]));
}

/** What must be known of a listing before it is pushed: it was never looked at, or has moved in a way that nobody understands. */
export const isInDoubt = ({ expected, doubt }: Pick<ListingDocument, 'expected' | 'doubt'>, { compareAndSet }: Capabilities): boolean =>
  compareAndSet !== 'none' && (expected === undefined || doubt !== undefined);

/**
 * Until when a push has to wait for what the listing's own orders have changed; null where it need not. Only one that raises waits: the
 * marketplace has taken those units off already, and a number from before would put them back. One that lowers sells nothing that isn't there.
 */
export function waitsUntil(
  { wanted, expected, ownOrders = [] }: Pick<ListingDocument, 'wanted' | 'expected' | 'ownOrders'>,
  capabilities: Capabilities,
  now: number,
): number | null {
  if (wanted === null || typeof expected !== 'number' || quantityToSend(wanted.quantity, capabilities) <= expected) return null;
  const until = Math.max(0, ...ownOrders.map((order) => order.until));
  return until > now ? until : null;
}

export type Verdict =
  /** Go on with this; `drift`: it is not what the orders explain. */
  | { readonly known: true; readonly expected: number | null; readonly drift: boolean }
  /** It shows less than the orders explain: an order that can't be read yet, perhaps. Look again then. */
  | { readonly known: false; readonly lookAgainAt: number };

/**
 * What a look at a listing tells. `found`: what it showed, read before its orders were; undefined where it is not there. Its `expected` is what the
 * orders leave of what was expected before.
 */
export function judge(
  { expected, doubt, wanted }: Pick<ListingDocument, 'expected' | 'doubt' | 'wanted'>,
  found: number | undefined,
  capabilities: Capabilities,
  { now, patience }: { readonly now: number; readonly patience: number },
): Verdict {
  if (found === undefined) return { known: true, expected: null, drift: false };
  if (typeof expected !== 'number' || found === expected) return { known: true, expected: found, drift: false };
  const raises = wanted !== null && quantityToSend(wanted.quantity, capabilities) > found;
  const lookAgainAt = (doubt?.since ?? now) + patience;
  if (found < expected && raises && now < lookAgainAt) return { known: false, lookAgainAt };
  return { known: true, expected: found, drift: true };
}

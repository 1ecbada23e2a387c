import {
  CallNotMade,
  MarketplaceError,
  type Failure,
  type FrozenBatch,
  type GroupMemory,
  type PushItem,
  type PushOptions,
  type PushResult,
} from '@evenkeel/connector-kit';
import type { EtsyApi, EtsyCallOptions } from './etsy-api.ts';
import { groupOf, isEmpty, isSameStructure, offeredOf, updateOf } from './inventory.ts';
import { keptIn, memoOf, type Kept } from './memo.ts';
import * as shapes from './shapes.ts';
import type { Inventory } from './shapes.ts';

export interface PushTarget {
  readonly api: EtsyApi;
  readonly shopId: number;
  /** Whether a listing that sold out may be renewed, for Etsy's fee, when there is something to sell again. */
  readonly renewSoldOut: boolean;
  /** Tells how a listing is made up, whenever it was read. */
  onRead(listing: number, inventory: Inventory): void;
}

type Read = Inventory & { listing: { state: string } };

/**
 * One Etsy listing: read, compared, written as a whole. Etsy has no compare-and-set: what is read right before the write and is less than what is
 * expected was sold and not seen yet. Such a variant keeps what was read, as those do that the batch does not name.
 */
export async function pushListing(target: PushTarget, { key, items }: FrozenBatch, options: PushOptions): Promise<readonly PushResult[]> {
  const id = Number(groupOf(items[0]?.listing ?? ''));
  const call: EtsyCallOptions = { priority: options.priority, signal: options.signal, requestId: key };
  const listing: Listing = { id, target, call };
  let read: Read;
  try {
    read = await readListing(listing, { ...call, prepaid: true });
  } catch (error) {
    if (!isAboutListing(error)) throw error;
    return items.map(({ listing: name }) => ({ listing: name, outcome: 'rejected', failure: error.failure }));
  }
  const kept = await settleKept(read.listing.state, options);
  const judged = judge(id, read, items);
  const written = new Set(judged.flatMap(({ listing: name, outcome }) => (outcome === 'applied' ? name : [])));
  if (written.size === 0) return judged;

  const wanted = items.filter((item) => written.has(item.listing)).map(({ listing: name, quantity }) => [name, quantity] as const);
  const quantities = new Map([...kept.notZeroed.map((name) => [name, 0] as const), ...wanted]);
  let isActive: boolean;
  try {
    if (isEmpty(updateOf(id, read, quantities))) isActive = await takeOffSale(listing, read, quantities, kept, options);
    else isActive = await putOnSale(listing, read, quantities, kept, options);
  } catch (error) {
    if (!isAboutListing(error)) throw error;
    return judged.map((result) =>
      result.outcome === 'applied' ? { listing: result.listing, outcome: 'rejected', failure: error.failure } : result,
    );
  }
  const enabled = new Set(offeredOf(id, read).flatMap(({ listing: name, enabled: isEnabled }) => (isEnabled ? [name] : [])));
  return judged.map((result) => (result.outcome === 'applied' ? { ...result, onSale: isActive && enabled.has(result.listing) } : result));
}

/** What is still true of what was remembered: a listing that is on sale, or was not seen off sale since we put it back, is its seller's own. */
async function settleKept(state: string, { memo, remember }: GroupMemory): Promise<Kept> {
  const kept = keptIn(memo);
  if (kept.offSale === 'no' || (state === 'inactive' && kept.offSale === 'by_us')) return kept;
  const settled: Kept = { ...kept, offSale: 'no' };
  await remember(memoOf(settled));
  return settled;
}

/**
 * What became of a call that was left without an answer, as far as putting on sale goes: off sale still, it was lost, and we put it back with the
 * next push. Its seller may have taken it off within that time; a call that is lost is far more likely.
 */
export async function settleComingBack(state: string, { memo, remember }: GroupMemory): Promise<void> {
  const kept = keptIn(memo);
  if (kept.offSale === 'no') return;
  if (state !== 'inactive') await remember(memoOf({ ...kept, offSale: 'no' }));
  else if (kept.offSale === 'coming_back') await remember(memoOf({ ...kept, offSale: 'by_us' }));
}

interface Listing {
  readonly id: number;
  readonly target: PushTarget;
  readonly call: EtsyCallOptions;
}

/** A refusal that says something of this listing, and of nothing else. */
const isAboutListing = (error: unknown): error is MarketplaceError =>
  error instanceof MarketplaceError && error.failure.class === 'permanent_listing';

const noSuchOffering: Failure = {
  class: 'permanent_listing',
  code: 'NO_SUCH_OFFERING',
  message: 'The listing has no such variant any more.',
};

/** What will become of each item: applied, once the listing is written. */
function judge(id: number, inventory: Inventory, items: readonly PushItem[]): PushResult[] {
  const shown = new Map(offeredOf(id, inventory).map(({ listing, quantity }) => [listing, quantity]));
  return items.map(({ listing, expected }): PushResult => {
    const found = shown.get(listing);
    if (found === undefined) return { listing, outcome: 'rejected', failure: noSuchOffering };
    if (expected === null || found >= expected) return { listing, outcome: 'applied' };
    const message = `${found} are left where ${expected} were expected: something was sold that has not been read yet.`;
    return { listing, outcome: 'rejected', failure: { class: 'conflict', code: 'SOLD_MEANWHILE', message }, found };
  });
}

/**
 * Etsy refuses a listing on sale with nothing to sell. That it was us is remembered before it happens: nobody else's listing is put on sale later.
 * Resolves to whether the listing is on sale; so does the other.
 */
async function takeOffSale(
  listing: Listing,
  read: Read,
  quantities: ReadonlyMap<string, number>,
  kept: Kept,
  { remember }: GroupMemory,
): Promise<boolean> {
  const goesOff = read.listing.state === 'active';
  const off: Kept = goesOff ? { ...kept, offSale: 'by_us' } : kept;
  if (goesOff) {
    await remember(memoOf(off));
    await setState(listing, 'inactive');
  }
  let notZeroed: string[] = [];
  try {
    await write(listing, read, quantities);
  } catch (error) {
    // Whether a listing that is off sale may have nothing is not documented; shoppers see nothing either way, until it comes back.
    if (!isAboutListing(error)) throw error;
    notZeroed = offeredOf(listing.id, read).flatMap(({ listing: name, quantity }) =>
      quantity > 0 && quantities.get(name) === 0 ? [name] : [],
    );
  }
  if (notZeroed.length + off.notZeroed.length > 0) await remember(memoOf({ ...off, notZeroed }));
  return false;
}

async function putOnSale(
  listing: Listing,
  read: Read,
  quantities: ReadonlyMap<string, number>,
  { offSale, notZeroed }: Kept,
  { remember }: GroupMemory,
): Promise<boolean> {
  const { state } = read.listing;
  const renews = state === 'sold_out' && listing.target.renewSoldOut;
  if (renews) {
    // That puts a single unit on sale, of whichever variant: what is right is written at once after it, or with the next write where this is cut off.
    const empty = offeredOf(listing.id, read).filter(({ listing: name, quantity }) => (quantities.get(name) ?? quantity) === 0);
    await remember(memoOf({ offSale, notZeroed: empty.map(({ listing: name }) => name) }));
    await setState(listing, 'active');
  }
  await write(listing, read, quantities);
  if (offSale === 'no') {
    if (renews || notZeroed.length > 0) await remember(null);
    return state === 'active' || renews;
  }
  await remember(memoOf({ offSale: 'coming_back', notZeroed: [] }));
  try {
    await setState(listing, 'active');
  } catch (error) {
    if (isSurelyOffSale(error)) await remember(memoOf({ offSale: 'by_us', notZeroed: [] }));
    throw error;
  }
  await remember(null);
  return true;
}

/** The request was not made, or was refused; of any other nobody knows. */
const isSurelyOffSale = (error: unknown): boolean =>
  error instanceof CallNotMade || (error instanceof MarketplaceError && error.applied === 'no');

async function readListing({ id, target }: Pick<Listing, 'id' | 'target'>, call: EtsyCallOptions): Promise<Read> {
  const path = `/listings/${id}/inventory?includes=Listing`;
  const { data } = await target.api.run({ method: 'GET', path, data: shapes.inventoryWithListing }, call);
  target.onRead(id, data);
  return data;
}

async function setState({ id, target, call }: Listing, state: 'active' | 'inactive'): Promise<void> {
  const path = `/shops/${target.shopId}/listings/${id}`;
  await target.api.run({ method: 'PATCH', path, body: { form: { state } }, data: shapes.listing }, call);
}

/** Once more where the listing was made up anew between the read and the write. */
async function write(listing: Listing, read: Inventory, quantities: ReadonlyMap<string, number>): Promise<void> {
  const put = async (inventory: Inventory, call: EtsyCallOptions) => {
    const path = `/listings/${listing.id}/inventory`;
    const body = { json: updateOf(listing.id, inventory, quantities) };
    const { data } = await listing.target.api.run({ method: 'PUT', path, body, data: shapes.inventory }, call);
    listing.target.onRead(listing.id, data);
  };
  try {
    await put(read, { ...listing.call, prepaid: true });
  } catch (error) {
    if (!isAboutListing(error)) throw error;
    const again = await readListing(listing, listing.call);
    if (isSameStructure(read, again)) throw error;
    await put(again, listing.call);
  }
}

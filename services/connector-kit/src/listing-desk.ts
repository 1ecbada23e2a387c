import type { Sender } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import type { mongo } from 'mongoose';
import type { Collections, ListingDocument, Pause, StoreDocument } from './documents.ts';
import { changeWrite, publishChanges } from './listing-changes.ts';
import { insertWrite } from './listing-import.ts';
import { remap, skuFor } from './listing-mapping.ts';
import { publishWaiting } from './order-poller.ts';
import { StoreRefusal } from './store-refusal.ts';

/** What people do to listings; any replica may serve it, also one that does not own the store. */
export interface ListingDesk {
  /** `sku`: null unmaps. It stands, whatever the listing carries at the marketplace, until it is decided otherwise. */
  map(store: StoreDocument, listing: string, sku: string | null, by: Pause): Promise<ListingDocument>;
  /** From here on it is mapped to what it carries at the marketplace. */
  mapAsFound(store: StoreDocument, listing: string, at: number): Promise<ListingDocument>;
  /** `pause`: null resumes. */
  pause(store: StoreDocument, listing: string, pause: Pause | null): Promise<ListingDocument>;
}

const attempts = 20;

export function createListingDesk({
  collections,
  sender,
  onChanged,
}: {
  collections: Collections;
  sender: Pick<Sender, 'send'>;
  /** Tells this process's connector that there may be something to send. */
  onChanged: () => void;
}): ListingDesk {
  const { listings } = collections;

  async function find({ tenant, store }: StoreDocument, listing: string): Promise<ListingDocument> {
    const document = await listings.findOne({ _id: keyOf(tenant, store, listing) });
    if (document) return document;
    throw new StoreRefusal('unknown_listing', `The store ${store} has no listing ${listing}: look at GET /stores/${store}/listings.`);
  }

  /** Looks, decides, writes; again where the listing has changed in between. */
  async function change(
    store: StoreDocument,
    listing: string,
    writesOf: (document: ListingDocument) => mongo.AnyBulkWriteOperation<ListingDocument> | null,
  ): Promise<ListingDocument> {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const write = writesOf(await find(store, listing));
      if (write === null || (await listings.bulkWrite([write])).matchedCount > 0) return await find(store, listing);
    }
    throw new StoreRefusal('changed_meanwhile', `The listing ${listing} keeps changing: look at it, then try again.`);
  }

  /** A listing that was gone before anybody read it: all that is known of it is that an order waits for its SKU. */
  async function adopt({ tenant, store, marketplace }: StoreDocument, listing: string, at: number): Promise<void> {
    const known = await listings.findOne({ _id: keyOf(tenant, store, listing) });
    if (known || !(await collections.seenOrders.findOne({ tenant, store, 'waiting.listings': listing }))) return;
    const unmapped = { sku: null, mapping: 0, changes: [] };
    await listings.bulkWrite([insertWrite({ tenant, store, marketplace }, listing, unmapped, { gone: at })]);
  }

  async function choose(store: StoreDocument, listing: string, chosen: (ListingDocument['chosen'] & {}) | null, at: number) {
    if (store.state === 'disconnecting' || store.state === 'disconnected')
      throw new StoreRefusal(
        'disconnected',
        `The store ${store.store} is disconnected: connect it again (POST /stores), then map its listings.`,
      );
    if (chosen?.sku) await adopt(store, listing, at);
    await change(store, listing, (document) => {
      const { _id, mapping } = document;
      const after = remap(document, skuFor({ ...document, chosen }), at);
      return after ? changeWrite(document, after, { chosen }) : { updateOne: { filter: { _id, mapping }, update: { $set: { chosen } } } };
    });
    const { tenant, store: id, marketplace } = store;
    const options = { identity: { tenant, store: id, marketplace }, collections, sender, alive: () => true };
    await publishChanges(options);
    const document = await find(store, listing);
    if (document.gone) await publishWaiting(options, [listing]); // it is not mapped, but what it has sold is known
    onChanged();
    return document;
  }

  return {
    map: (store, listing, sku, by) => choose(store, listing, { sku, ...by }, by.at),
    mapAsFound: (store, listing, at) => choose(store, listing, null, at),
    async pause(store, listing, pause) {
      const document = await change(store, listing, (found) => (pause === null ? resumeWrite(found) : pauseWrite(found, pause)));
      onChanged();
      return document;
    },
  };
}

/** Filtered on what was seen of the queue: a request that comes in between is not left behind on the wrong side. */
function pauseWrite({ _id, paused, outstanding }: ListingDocument, pause: Pause): mongo.AnyBulkWriteOperation<ListingDocument> | null {
  if (paused) return null;
  if (!outstanding)
    return { updateOne: { filter: { _id, paused: null, outstanding: { $exists: false } }, update: { $set: { paused: pause } } } };
  const update = { $set: { paused: pause, waiting: true }, $unset: { outstanding: '', waitingSince: '' } } as const;
  return { updateOne: { filter: { _id, paused: null, outstanding: true }, update } };
}

function resumeWrite({ _id, paused, waiting }: ListingDocument): mongo.AnyBulkWriteOperation<ListingDocument> | null {
  if (!paused) return null;
  if (!waiting) return { updateOne: { filter: { _id, waiting: { $exists: false } }, update: { $set: { paused: null } } } };
  const update = { $set: { paused: null, outstanding: true, waitingSince: Date.now() }, $unset: { waiting: '' } } as const;
  return { updateOne: { filter: { _id, waiting: true }, update } };
}

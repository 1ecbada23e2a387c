import type { Sender } from '@evenkeel/chassis';
import type { mongo } from 'mongoose';
import type { Collections, ListingDocument } from './documents.ts';
import { listingChanged, type Remapped } from './listing-mapping.ts';
import { publishWaiting } from './order-poller.ts';
import type { StoreIdentity } from './order-record.ts';
import { versionText } from './version.ts';

type Write = mongo.AnyBulkWriteOperation<ListingDocument>;

/**
 * What a mapping change writes beside `facts`; finds no document where somebody else has changed the mapping meanwhile. An unmapping withdraws
 * at once what is not sent yet, and bars requests for the old SKU that are still on their way; its orders have moved that one, and do not come back.
 */
export function changeWrite(
  before: Pick<ListingDocument, '_id' | 'mapping'>,
  { sku, mapping, changes }: Remapped,
  facts: Partial<ListingDocument> = {},
): Write {
  const ended = changes.find(({ type }) => type === 'ListingUnmapped');
  const barred = ended && versionText({ mapping: ended.mapping, epoch: 0, sequence: 0, settings: 0 });
  return {
    updateOne: {
      filter: { _id: before._id, mapping: before.mapping },
      update: {
        $set: { ...facts, sku, mapping, quarantined: null, ...(barred ? { wanted: null, ownOrders: [] } : {}) },
        $push: { unpublished: { $each: [...changes] } },
        $unset: { refusals: '', ...(barred ? { outstanding: '', waiting: '', waitingSince: '' } : {}) },
        ...(barred ? { $max: { instructed: barred } } : {}),
      },
    },
  };
}

export interface ChangesOptions {
  readonly identity: StoreIdentity;
  readonly collections: Pick<Collections, 'listings' | 'seenOrders'>;
  readonly sender: Pick<Sender, 'send'>;
  readonly alive: () => boolean;
}

const publishAtOnce = 1_000;

/** Publishes the mapping changes of a store that the broker has not acknowledged yet, and the orders that waited for them. Repeat-safe. */
export async function publishChanges(options: ChangesOptions): Promise<void> {
  const { identity, collections, sender, alive } = options;
  const { tenant, store } = identity;
  for (;;) {
    const documents = await collections.listings
      .find({ tenant, store, 'unpublished.0': { $exists: true } })
      .limit(publishAtOnce)
      .toArray();
    if (documents.length === 0) return;
    const records = documents.flatMap(({ listing, unpublished }) =>
      unpublished.map((change) => listingChanged({ ...identity, listing }, change)),
    );
    await sender.send(records, { alive });
    const mapped = documents.filter(({ sku }) => sku !== null).map(({ listing }) => listing);
    await publishWaiting(options, mapped);
    await collections.listings.bulkWrite(
      documents.map(({ _id, unpublished }) => ({
        updateOne: { filter: { _id }, update: { $pull: { unpublished: { mapping: { $lte: unpublished.at(-1)?.mapping ?? 0 } } } } },
      })),
      { ordered: false },
    );
  }
}

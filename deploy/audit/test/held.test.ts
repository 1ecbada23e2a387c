import { expect, test } from '@jest/globals';
import { listingsOf } from '../read/facts-of.ts';
import { listingDocument, storeDocument } from '../read/shapes.ts';

const store = {
  tenant: 'default',
  store: 'north',
  marketplace: 'etsy',
  name: 'north-shop',
  state: 'connected',
  settings: {},
  credentialVersion: 2,
  gate: null,
  circuit: null,
  ordersFrom: 0,
  cursor: 0,
};
const listing = {
  tenant: 'default',
  store: 'north',
  listing: '17/513:4',
  sku: 'cup',
  mapping: 1,
  wanted: null,
  confirmed: null,
  inFlight: null,
  quarantined: null,
};

function heldBy(ofStore: object, ofListing: object = {}): string | null | undefined {
  const documents = [listingDocument.parse({ ...listing, ...ofListing })];
  return listingsOf(documents, [storeDocument.parse({ ...store, ...ofStore })], new Map())[0]?.held;
}

test('a listing of a store that sells is not held, also after its store was given new credentials', () => {
  expect(heldBy({})).toBeNull();
  expect(heldBy({ gate: { code: '401', credentialVersion: 1 } })).toBeNull();
});

test.each([
  ['its store is disconnected', { state: 'disconnected' }, {}],
  ['credentials refused (401)', { gate: { code: '401', credentialVersion: 2 } }, {}],
  ['store paused by ann', { paused: { by: 'ann', at: 1 } }, {}],
  ['store inactive at the marketplace', { inactive: { since: 1 } }, {}],
  ['circuit open', { circuit: { state: 'open' } }, {}],
  ['paused by ann', {}, { paused: { by: 'ann', at: 1 } }],
  ['quarantined (GONE)', {}, { quarantined: { code: 'GONE' } }],
])('a listing is held, and nothing is asked of it: %s', (why, ofStore, ofListing) => {
  expect(heldBy(ofStore, ofListing)).toBe(why);
});

test('what a listing may show at most is what its marketplace takes', () => {
  const documents = [listingDocument.parse(listing)];
  expect(listingsOf(documents, [storeDocument.parse(store)], new Map())[0]?.maximumQuantity).toBe(999);
});

import { missingArgument, tooManyElements } from './errors.ts';
import { maximumElements } from './paging.ts';

export interface QuantityInput {
  inventoryItemId: string;
  locationId: string;
  quantity: number;
  changeFromQuantity?: number | null;
}

export interface SetQuantitiesInput {
  name: string;
  reason: string;
  referenceDocumentUri?: string | null;
  quantities: QuantityInput[];
}

export interface UserError {
  code: string | null;
  field: string[] | null;
  message: string;
}

/** What an element of the input is about, or why it is about nothing. */
export type Found<Level> = { level: Level } | 'no_item' | 'no_location' | 'not_stocked';

export interface LevelQuantities {
  available: number;
  on_hand: number;
}

export type Judgement<Level> = { userErrors: UserError[] } | { changes: { level: Level; delta: number }[] };

const reasons = [
  'correction',
  'cycle_count_available',
  'damaged',
  'movement_canceled',
  'movement_created',
  'movement_received',
  'movement_updated',
  'other',
  'promotion',
  'quality_control',
  'received',
  'reservation_created',
  'reservation_deleted',
  'reservation_updated',
  'restock',
  'safety_stock',
  'shrinkage',
];

const highest = 1_000_000_000;

/**
 * Whether a set of quantities may be applied, and by how much each level moves then. One bad element refuses all of them.
 * Throws ApiError for what the real API answers as an error of the request.
 */
export function judgeSetQuantities<Level extends LevelQuantities>(
  input: SetQuantitiesInput,
  find: (quantity: QuantityInput) => Found<Level>,
): Judgement<Level> {
  const { quantities } = input;
  if (quantities.length > maximumElements) throw tooManyElements(quantities.length, ['inventorySetQuantities', 'input', 'quantities']);
  if (quantities.some((each) => each.changeFromQuantity === undefined))
    throw missingArgument('InventoryQuantityInput', 'changeFromQuantity');

  const userErrors = headErrors(input);
  const seen = new Set<string>();
  const changes = quantities.flatMap((each, index) => {
    const refuse = (argument: keyof QuantityInput, code: string | null, message: string) => {
      userErrors.push({ code, field: ['input', 'quantities', String(index), argument], message });
      return [];
    };
    const pair = `${each.inventoryItemId} ${each.locationId}`;
    if (seen.has(pair)) return refuse('inventoryItemId', 'NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR', 'The combination of inventoryItemId and locationId must be unique.'); // prettier-ignore
    seen.add(pair);
    const outOfRange = quantityError(input.name, each.quantity);
    if (outOfRange) return refuse('quantity', ...outOfRange);
    const found = find(each);
    if (found === 'no_item') return refuse('inventoryItemId', 'INVALID_INVENTORY_ITEM', 'The specified inventory item could not be found.');
    if (found === 'no_location') return refuse('locationId', 'INVALID_LOCATION', 'The specified location could not be found.');
    if (found === 'not_stocked') return refuse('locationId', null, 'The specified inventory item is not stocked at the location.');
    const current = input.name === 'on_hand' ? found.level.on_hand : found.level.available;
    if (typeof each.changeFromQuantity === 'number' && each.changeFromQuantity !== current) {
      return refuse('changeFromQuantity', 'CHANGE_FROM_QUANTITY_STALE', 'The changeFromQuantity argument no longer matches the persisted quantity.'); // prettier-ignore
    }
    return [{ level: found.level, delta: each.quantity - current }];
  });
  return userErrors.length > 0 ? { userErrors } : { changes };
}

function headErrors({ name, reason, referenceDocumentUri: uri }: SetQuantitiesInput): UserError[] {
  const errors: UserError[] = [];
  const refuse = (argument: string, code: string, message: string) => errors.push({ code, field: ['input', argument], message });
  if (name !== 'available' && name !== 'on_hand') {
    refuse('name', 'INVALID_NAME', "The quantity name must be either 'available' or 'on_hand'.");
  }
  if (!reasons.includes(reason)) {
    refuse('reason', 'INVALID_REASON', `The specified reason is invalid. Valid values are: ${reasons.join(', ')}.`);
  }
  if (uri !== null && uri !== undefined && !/^[a-z][a-z0-9+.-]*:\/\/[^\s/]+\/\S+$/i.test(uri)) {
    refuse('referenceDocumentUri', 'INVALID_REFERENCE_DOCUMENT', 'The specified reference document is invalid.');
  }
  return errors;
}

/** `available` may go below zero, as an oversold product's does; what lies on the shelf may not. */
function quantityError(name: string, quantity: number): [code: string, message: string] | undefined {
  if (quantity > highest) return ['INVALID_QUANTITY_TOO_HIGH', "The quantity can't be higher than 1,000,000,000."];
  if (quantity < -highest) return ['INVALID_QUANTITY_TOO_LOW', "The quantity can't be lower than -1,000,000,000."];
  if (name === 'on_hand' && quantity < 0) return ['INVALID_QUANTITY_NEGATIVE', "The quantity can't be negative."];
  return undefined;
}

import { MarketplaceError, type Failure, type FailureClass, type PushItem, type PushResult } from '@evenkeel/connector-kit';
import type { UserError } from './operations.ts';

/** Classes by the API's codes; what is not named here is transient. Decided on codes alone, never on texts. */
const classes: Readonly<Record<string, FailureClass>> = {
  THROTTLED: 'throttled',
  ACCESS_DENIED: 'credential',
  SHOP_INACTIVE: 'credential',
  BAD_REQUEST: 'bug',
  INVALID_VARIABLE: 'bug',
  INVALID_FIELD_ARGUMENTS: 'bug',
  MAX_COST_EXCEEDED: 'bug',
  MAX_INPUT_SIZE_EXCEEDED: 'bug',
  undefinedField: 'bug',
  argumentNotAccepted: 'bug',
  missingRequiredArguments: 'bug',
  variableMismatch: 'bug',
  INVALID_INVENTORY_ITEM: 'permanent_listing',
  INVALID_LOCATION: 'permanent_listing',
  NON_MUTABLE_INVENTORY_ITEM: 'permanent_listing',
  CHANGE_FROM_QUANTITY_STALE: 'conflict',
  IDEMPOTENCY_CONCURRENT_REQUEST: 'conflict',
  IDEMPOTENCY_KEY_PARAMETER_MISMATCH: 'bug',
  INVALID_NAME: 'bug',
  INVALID_QUANTITY_NEGATIVE: 'bug',
  INVALID_QUANTITY_TOO_HIGH: 'bug',
  INVALID_QUANTITY_TOO_LOW: 'bug',
  INVALID_REASON: 'bug',
  INVALID_REFERENCE_DOCUMENT: 'bug',
  NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR: 'bug',
};

export const classOf = (code: string): FailureClass => classes[code] ?? 'transient';

/** The refusal of a request before or beside GraphQL. `retryAfter`: the header. A missing shop is one that we have no access to. */
export function failureOfStatus(status: number, retryAfter: string | undefined): Failure {
  const code = `HTTP_${status}`;
  const message = `The answer was HTTP ${status}.`;
  if (status === 429 || status === 430)
    return { class: 'throttled', code, message, waitMilliseconds: Math.max(1, Number(retryAfter) || 2) * 1_000 };
  if ([401, 402, 403, 404, 423].includes(status)) return { class: 'credential', code, message };
  return { class: status >= 400 && status < 500 ? 'bug' : 'transient', code, message };
}

/**
 * What became of each item of an `inventorySetQuantities`, which applies all of them or none. Errors name an item by its index.
 * Throws where the errors are about the request as a whole.
 */
export function resultsOf(items: readonly Pick<PushItem, 'listing'>[], errors: readonly UserError[]): PushResult[] {
  if (errors.length === 0) return items.map(({ listing }) => ({ listing, outcome: 'applied' }));
  const codes = errors.map(({ code }) => code);
  // A failed attempt has used its key up: the batch may go out again under a new one.
  if (codes.includes('IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED')) return items.map(({ listing }) => ({ listing, outcome: 'not_tried' }));
  // An earlier request with this key is still at work, or said something else: only that one's end, or a look, tells.
  const byKey = errors.find(({ code }) => code === 'IDEMPOTENCY_CONCURRENT_REQUEST' || code === 'IDEMPOTENCY_KEY_PARAMETER_MISMATCH');
  if (byKey) return items.map(({ listing }) => ({ listing, outcome: 'unknown', failure: failureOf(byKey) }));

  const byIndex = new Map(errors.map((error) => [indexOf(error), error] as const));
  const general = byIndex.get(null);
  if (general) throw new MarketplaceError(failureOf(general), 'no');
  return items.map(({ listing }, index) => {
    const error = byIndex.get(index);
    return error ? { listing, outcome: 'rejected', failure: failureOf(error) } : { listing, outcome: 'not_tried' };
  });
}

/** `["input", "quantities", "3", "inventoryItemId"]` → 3 */
function indexOf({ field }: UserError): number | null {
  const index = field?.[0] === 'input' && field[1] === 'quantities' ? Number(field[2]) : NaN;
  return Number.isSafeInteger(index) ? index : null;
}

/** An item that is not stocked at the location has no code of its own: it is told by the field. */
function failureOf({ code, field, message }: UserError): Failure {
  if (code === null && field?.at(-1) === 'locationId') return { class: 'permanent_listing', code: 'NOT_STOCKED', message };
  return { class: code === null ? 'transient' : classOf(code), code: code ?? 'NO_CODE', message };
}

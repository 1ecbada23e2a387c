import type {
  ClosePurchaseOrder,
  CreatePurchaseOrder,
  Events,
  PurchaseLine,
  PurchaseOrderChanged,
  PurchaseProgress,
  PutAwayPurchase,
  PutAwayUnits,
  ReceivePurchase,
  User,
} from '@evenkeel/contracts';

export const mostPurchaseLines = 1_000;
/** Of one line, in one step and in all: the ledger's own limit is far above. */
export const mostPurchasedUnits = 10_000_000;

export type PurchaseRefusal =
  | 'purchase_order_exists'
  | 'unknown_purchase_order'
  | 'purchase_order_closed'
  | 'repeated_line'
  | 'absurd_quantity'
  | 'unknown_line'
  | 'nothing_open'
  | 'over_received'
  | 'nothing_to_put_away'
  | 'more_than_received';

export type PurchaseStep = 'created' | 'received' | 'put_away' | 'closed';

/** One step in the life of a purchase order; a refusal is one too, and changes nothing. */
export interface PurchaseEntry {
  readonly step: PurchaseStep;
  readonly refused: PurchaseRefusal | null;
  readonly user: User;
  /** What came in; when it is created: what is ordered. */
  readonly lines: readonly PurchaseLine[];
  /** What was put on the shelf in this step: from here on it is On Hand. */
  readonly putAway: readonly PurchaseLine[];
  /** Where; null: each product's default location. */
  readonly location: string | null;
  /** The purchase order after this step. */
  readonly after: Purchase | null;
}

/** What is ordered, and how far it has come. */
export type Purchase = Pick<PurchaseOrderChanged, 'supplier' | 'note' | 'state' | 'lines'>;

export interface SequencedEntry {
  readonly sequence: number;
  readonly at: number;
  readonly correlation: string;
  readonly data: PurchaseEntry;
}

export interface PurchaseState {
  /** Null: nobody created it. */
  readonly purchase: Purchase | null;
  readonly createdAt: number;
  /** The step that changed it last: enough to publish it again, byte for byte. */
  readonly changed: Pick<SequencedEntry, 'sequence' | 'at' | 'correlation'>;
}

export const unknownPurchase: PurchaseState = { purchase: null, createdAt: 0, changed: { sequence: 0, at: 0, correlation: '' } };

/** Units that came in and are not on a shelf yet: neither On Hand nor sellable. */
export const waiting = ({ received, putAway }: PurchaseProgress): number => received - putAway;
export const stillToCome = ({ ordered, received }: PurchaseProgress): number => Math.max(0, ordered - received);

export type PurchaseInput = 'CreatePurchaseOrder' | 'ReceivePurchase' | 'PutAwayPurchase' | 'ClosePurchaseOrder';
export type PurchaseCommand = {
  readonly [Name in PurchaseInput]: { readonly type: Name; readonly data: Events[Name] };
}[PurchaseInput];

export function decidePurchase(state: PurchaseState, command: PurchaseCommand): PurchaseEntry {
  switch (command.type) {
    case 'CreatePurchaseOrder':
      return decideCreated(state, command.data);
    case 'ReceivePurchase':
      return decideReceived(state, command.data);
    case 'PutAwayPurchase':
      return decidePutAway(state, command.data);
    case 'ClosePurchaseOrder':
      return decideClosed(state, command.data);
  }
}

const nothing = { lines: [], putAway: [], location: null };

const refuse = ({ purchase }: PurchaseState, step: PurchaseStep, user: User, refused: PurchaseRefusal): PurchaseEntry => ({
  step,
  refused,
  user,
  ...nothing,
  after: purchase,
});

function decideCreated(state: PurchaseState, { supplier, note, lines, user }: CreatePurchaseOrder): PurchaseEntry {
  const refused = state.purchase ? 'purchase_order_exists' : faultOf(lines);
  if (refused) return refuse(state, 'created', user, refused);
  const progress = lines.map(({ sku, quantity }) => ({ sku, ordered: quantity, received: 0, putAway: 0 }));
  return { step: 'created', refused: null, user, ...nothing, lines, after: { supplier, note, state: 'open', lines: progress } };
}

function faultOf(lines: readonly PurchaseLine[]): PurchaseRefusal | null {
  if (lines.some(({ quantity }) => quantity < 1 || quantity > mostPurchasedUnits)) return 'absurd_quantity';
  return new Set(lines.map(({ sku }) => sku)).size < lines.length ? 'repeated_line' : null;
}

/** Over-receiving is judged here, at receipt. What came is put on the shelf in the same step, or waits. */
function decideReceived(state: PurchaseState, { lines, putAway, location, allowOver, user }: ReceivePurchase): PurchaseEntry {
  const { purchase } = state;
  if (!purchase) return refuse(state, 'received', user, 'unknown_purchase_order');
  if (purchase.state === 'closed') return refuse(state, 'received', user, 'purchase_order_closed');
  const came = lines ?? linesWith(purchase, stillToCome);
  const refused = came.length === 0 ? 'nothing_open' : receiptFaultOf(purchase, came, allowOver);
  if (refused) return refuse(state, 'received', user, refused);
  const received = advance(purchase, came, ({ received: before, ...rest }, units) => ({ ...rest, received: before + units }));
  const after = putAway ? advance(received, came, shelve) : received;
  return { step: 'received', refused: null, user, lines: came, putAway: putAway ? came : [], location, after };
}

function receiptFaultOf(purchase: Purchase, came: readonly PurchaseLine[], allowOver: boolean): PurchaseRefusal | null {
  const fault = faultOf(came) ?? unknownLineIn(purchase, came);
  if (fault) return fault;
  const over = came.some(({ sku, quantity }) => quantity > progressOf(purchase, sku, stillToCome));
  if (over && !allowOver) return 'over_received';
  const isAbsurd = came.some(({ sku, quantity }) => progressOf(purchase, sku, ({ received }) => received) + quantity > mostPurchasedUnits);
  return isAbsurd ? 'absurd_quantity' : null;
}

/** Also of a closed purchase order: what came in before must find its shelf. */
function decidePutAway(state: PurchaseState, { lines, location, user }: PutAwayPurchase): PurchaseEntry {
  const { purchase } = state;
  if (!purchase) return refuse(state, 'put_away', user, 'unknown_purchase_order');
  const shelved = lines ?? linesWith(purchase, waiting);
  const refused = shelved.length === 0 ? 'nothing_to_put_away' : putAwayFaultOf(purchase, shelved);
  if (refused) return refuse(state, 'put_away', user, refused);
  return { step: 'put_away', refused: null, user, lines: [], putAway: shelved, location, after: advance(purchase, shelved, shelve) };
}

function putAwayFaultOf(purchase: Purchase, shelved: readonly PurchaseLine[]): PurchaseRefusal | null {
  const fault = faultOf(shelved) ?? unknownLineIn(purchase, shelved);
  if (fault) return fault;
  return shelved.some(({ sku, quantity }) => quantity > progressOf(purchase, sku, waiting)) ? 'more_than_received' : null;
}

function decideClosed(state: PurchaseState, { user }: ClosePurchaseOrder): PurchaseEntry {
  const { purchase } = state;
  if (!purchase) return refuse(state, 'closed', user, 'unknown_purchase_order');
  if (purchase.state === 'closed') return refuse(state, 'closed', user, 'purchase_order_closed');
  return { step: 'closed', refused: null, user, ...nothing, after: { ...purchase, state: 'closed' } };
}

const shelve = ({ putAway, ...rest }: PurchaseProgress, units: number): PurchaseProgress => ({ ...rest, putAway: putAway + units });

const progressOf = (purchase: Purchase, sku: string, measure: (line: PurchaseProgress) => number): number =>
  purchase.lines.filter((line) => line.sku === sku).reduce((sum, line) => sum + measure(line), 0);

const unknownLineIn = ({ lines }: Purchase, named: readonly PurchaseLine[]): PurchaseRefusal | null => {
  const known = new Set(lines.map(({ sku }) => sku));
  return named.every(({ sku }) => known.has(sku)) ? null : 'unknown_line';
};

const linesWith = ({ lines }: Purchase, measure: (line: PurchaseProgress) => number): PurchaseLine[] =>
  lines.flatMap((line) => (measure(line) > 0 ? [{ sku: line.sku, quantity: measure(line) }] : []));

function advance(
  purchase: Purchase,
  by: readonly PurchaseLine[],
  step: (line: PurchaseProgress, units: number) => PurchaseProgress,
): Purchase {
  const units = new Map(by.map(({ sku, quantity }) => [sku, quantity]));
  const lines = purchase.lines.map((line) => step(line, units.get(line.sku) ?? 0));
  if (purchase.state === 'closed') return { ...purchase, lines };
  return { ...purchase, lines, state: lines.some((line) => stillToCome(line) > 0) ? 'open' : 'received' };
}

export function evolvePurchase(state: PurchaseState, { sequence, at, correlation, data }: SequencedEntry): PurchaseState {
  if (data.refused !== null) return state;
  const createdAt = data.step === 'created' ? at : state.createdAt;
  return { purchase: data.after, createdAt, changed: { sequence, at, correlation } };
}

interface PurchaseParts {
  readonly tenant: string;
  readonly purchaseOrder: string;
}

/** The record of a purchase order in purchase.orders.v1; null where nobody created it. */
export function purchaseChangedOf(
  { tenant, purchaseOrder }: PurchaseParts,
  { purchase, changed }: PurchaseState,
): PurchaseOrderChanged | null {
  if (!purchase) return null;
  const { supplier, note, state, lines } = purchase;
  return { tenant, purchaseOrder, sequence: changed.sequence, supplier, note, state, lines, at: changed.at };
}

/** What the ledgers are told of a step: one command per product. */
export const putAwaysOf = ({ tenant, purchaseOrder }: PurchaseParts, { at, data }: SequencedEntry): PutAwayUnits[] =>
  data.putAway.map(({ sku, quantity }) => ({ tenant, sku, purchaseOrder, location: data.location, quantity, user: data.user, at }));

import type {
  AssignToBatch,
  Events,
  Label,
  LineUnits,
  OrderChanged,
  OrderLine,
  OrderReference,
  PickBatchUnits,
  PutBackUnits,
  ReleaseFromBatch,
  ReportShortPick,
  User,
} from '@evenkeel/contracts';

/** What the newest order event says of a line, as far as it concerns stock: what had shipped before its store was connected is left out. */
export interface LineFacts {
  readonly line: string;
  readonly sku: string;
  /** Units that are neither cancelled nor shipped before; 0 where the marketplace ships them from its own warehouse. */
  readonly wanted: number;
  readonly fulfilled: number;
}

/** A label, with what is left on it. */
export interface LabelFacts {
  readonly label: string;
  readonly location: string | null;
  readonly user: User;
  /** Who voided units of it last. */
  readonly voidedBy: User | null;
  readonly lines: readonly LineUnits[];
}

/** What the newest order event says. */
export interface Facts {
  readonly sequence: number;
  readonly marketplace: string;
  readonly name: string;
  readonly lines: readonly LineFacts[];
  /** Oldest first. */
  readonly labels: readonly LabelFacts[];
}

/** Units of a line that left the shelf, by who took them. At most one of each label and batch. */
export interface Picked {
  /** Null: by a pick batch, or by the marketplace's word alone. */
  readonly label: string | null;
  readonly batch: string | null;
  /** Units that serve the order. */
  readonly quantity: number;
  /** Units that were cancelled after that: a person puts them back. */
  readonly toPutBack: number;
}

/** Where each unit of a line is. */
export interface HeldLine {
  readonly line: string;
  readonly sku: string;
  readonly orderReserve: number;
  /** Oldest assignment first. */
  readonly batches: readonly { readonly batch: string; readonly quantity: number }[];
  readonly picked: readonly Picked[];
}

/** What a pick batch ever had of a SKU. */
export interface Tally {
  readonly batch: string;
  readonly sku: string;
  readonly assigned: number;
  readonly picked: number;
  readonly missing: number;
}

/** What an order holds of the stock. */
export interface Reservation {
  /** Null until an order event came. */
  readonly facts: Facts | null;
  readonly lines: readonly HeldLine[];
  readonly tallies: readonly Tally[];
  /** Of each SKU the newest deduction by each label, null: by the marketplace; what a reversal names. */
  readonly deductions: readonly { readonly sku: string; readonly label: string | null; readonly sequence: number }[];
  /** Since when a line has units to be put back. */
  readonly toPutBackSince: readonly { readonly line: string; readonly at: number }[];
}

/** An order that holds nothing. */
export const nothingReserved: Reservation = { facts: null, lines: [], tallies: [], deductions: [], toPutBackSince: [] };

/** Why a command changes nothing. */
export type Refusal =
  | 'unknown_order'
  | 'unknown_line'
  | 'absurd_quantity'
  | 'nothing_to_assign'
  | 'more_than_reserved'
  | 'not_in_batch'
  | 'more_than_in_batch'
  | 'nothing_to_put_back'
  | 'more_than_to_put_back';

interface Moving {
  readonly sku: string;
  readonly quantity: number;
  /** Units of each line. */
  readonly lines: readonly LineUnits[];
  readonly user: User;
  /** All lines of the SKU, as they are after it. */
  readonly holds: readonly HeldLine[];
}

type Change =
  | { readonly type: 'unchanged' }
  | { readonly type: 'refused'; readonly refused: Refusal; readonly line: string | null }
  /** Units go over to another line of their SKU: one reservation of their sum. Nothing for stock. */
  | { readonly type: 'rearranged'; readonly sku: string; readonly holds: readonly HeldLine[] }
  /** Picked units were cancelled, or are wanted again (below zero). Nothing for stock until they are put back. */
  | ({ readonly type: 'to_put_back' } & Omit<Moving, 'user'>)
  /** A person says that they will not come back. Nothing for stock: they had left it. */
  | ({ readonly type: 'written_off' } & Moving)
  | ({ readonly type: 'reserved' } & Moving)
  | ({ readonly type: 'released'; readonly fromBatchReserve: number } & Moving)
  | ({
      readonly type: 'picked';
      readonly label: string | null;
      readonly location: string | null;
      readonly fromBatchReserve: number;
    } & Moving)
  | ({ readonly type: 'unpicked'; readonly label: string | null; readonly location: string | null; readonly reverses: string } & Moving)
  | ({ readonly type: 'assigned' | 'unassigned'; readonly batch: string } & Moving)
  | ({ readonly type: 'batch_picked' | 'missing'; readonly batch: string; readonly location: string | null } & Moving)
  | ({ readonly type: 'put_back'; readonly location: string | null } & Moving);

/** A row of the reservation's journal: it publishes one event at most. `facts`: on the first row that an order event makes. */
export type ReservationEntry = Change & { readonly facts?: Facts };

/** The id of the event that an earlier entry of this order was published as. */
export type EventId = (sequence: number, sku: string) => string;

const sumOf = <T>(items: readonly T[], unitsOf: (item: T) => number): number => items.reduce((sum, item) => sum + unitsOf(item), 0);
const quantityOf = (items: readonly { readonly quantity: number }[]): number => sumOf(items, ({ quantity }) => quantity);
const unitsOf = (lines: readonly LineUnits[], line: string): number => quantityOf(lines.filter((other) => other.line === line));

/** Units of a line in pick batches. */
export const inBatches = ({ batches }: HeldLine): number => quantityOf(batches);
/** Units of a line that left the shelf and serve the order. */
const pickedOf = ({ picked }: HeldLine): number => quantityOf(picked);
/** Units of a line that a person has to put back. */
export const toPutBackOf = ({ picked }: HeldLine): number => sumOf(picked, ({ toPutBack }) => toPutBack);
const inBatch = ({ batches }: HeldLine, batch: string): number => quantityOf(batches.filter((other) => other.batch === batch));
const bySource = ({ picked }: HeldLine, label: string | null, batch: string | null = null): Picked =>
  picked.find((other) => other.label === label && other.batch === batch) ?? { label, batch, quantity: 0, toPutBack: 0 };

/** Units of a SKU in either reserve. */
export const openOf = ({ lines }: Reservation, sku: string): number =>
  sumOf(
    lines.filter((line) => line.sku === sku),
    (line) => line.orderReserve + inBatches(line),
  );

/** True where the order event, or a later one of the order, has been acted on. */
export const hasSeen = ({ facts }: Reservation, { sequence }: OrderChanged): boolean => sequence <= (facts?.sequence ?? 0);

/** What of an order concerns stock. Lines without a SKU wait until they have one; once known, it stays. */
export function factsOf({ sequence, marketplace, name, lines, labels }: OrderChanged): Facts {
  return {
    sequence,
    marketplace,
    name,
    lines: lines.flatMap((line) => (line.sku === null ? [] : [lineFacts(line, line.sku)])),
    labels: labels.map(labelFacts),
  };
}

function lineFacts({ line, quantity, cancelled, fulfilled, shippedBefore, fulfilledBy }: OrderLine, sku: string): LineFacts {
  if (fulfilledBy === 'marketplace') return { line, sku, wanted: 0, fulfilled: 0 };
  return { line, sku, wanted: Math.max(0, quantity - cancelled - shippedBefore), fulfilled: Math.max(0, fulfilled - shippedBefore) };
}

const labelFacts = ({ label, location, user, lines, voids }: Label): LabelFacts => ({
  label,
  location,
  user,
  voidedBy: voids.at(-1)?.user ?? null,
  lines: lines.map(({ line, quantity }) => ({ line, quantity: quantity - sumOf(voids, (voided) => unitsOf(voided.lines, line)) })),
});

/** Units of a line on labels that are not voided. */
const onLabels = (facts: Facts | null, line: string): number => sumOf(facts?.labels ?? [], ({ lines }) => unitsOf(lines, line));
const onLabel = (facts: Facts | null, label: string, line: string): number =>
  unitsOf(facts?.labels.find((other) => other.label === label)?.lines ?? [], line);
const factsOn = (facts: Facts | null, line: string) => facts?.lines.find((other) => other.line === line) ?? { wanted: 0, fulfilled: 0 };
/** Units of a line that the order takes in all: what is wanted, and what left by the marketplace's word though it was cancelled. */
const targetOf = (facts: Facts | null, line: string): number => Math.max(factsOn(facts, line).wanted, factsOn(facts, line).fulfilled);

/** Changes of one decision, each seeing those before it. */
function recording(held: Reservation) {
  let now = held;
  const changes: Change[] = [];
  return {
    changes,
    linesOf: (sku: string) => now.lines.filter((line) => line.sku === sku),
    add(change: Change): void {
      changes.push(change);
      now = { ...now, lines: withHolds(now.lines, change) };
    },
  };
}
type Recording = ReturnType<typeof recording>;

const withHolds = (lines: Reservation['lines'], change: Change): Reservation['lines'] =>
  'holds' in change ? [...lines.filter(({ sku }) => sku !== change.sku), ...change.holds] : lines;

/**
 * What the whole order, as it stands now, changes against what is held: so that any later event repairs a lost or a swapped one. SKU by SKU: what
 * is reserved more or less, what a void takes back, and what labels and the marketplace deduct.
 */
export function decideOrder(held: Reservation, order: OrderChanged, idOf: EventId): readonly [ReservationEntry, ...ReservationEntry[]] {
  const facts = factsOf(order);
  const known = new Set(held.lines.map(({ line }) => line));
  const added = facts.lines.filter(({ line }) => !known.has(line)).map(({ line, sku }) => emptyLine(line, sku));
  const run = recording({ ...held, lines: [...held.lines, ...added] });
  for (const sku of new Set([...facts.lines, ...held.lines].map((line) => line.sku))) {
    align(run, held, facts, sku);
    reverse(run, held, facts, sku, idOf);
    pickLabelled(run, facts, sku);
    pickFulfilled(run, facts, sku);
  }
  const [first = { type: 'unchanged' }, ...more] = run.changes;
  return [{ ...first, facts }, ...more];
}

const emptyLine = (line: string, sku: string): HeldLine => ({ line, sku, orderReserve: 0, batches: [], picked: [] });
const marketplaceOf = ({ marketplace }: Facts): User => ({ kind: 'marketplace', id: marketplace });

/**
 * Picked units that the order takes no longer. Those first that had shipped and were cancelled then, for a refund: nothing of what is still open
 * goes in their place.
 */
function cancelledPicks(held: Reservation, facts: Facts, line: HeldLine): number {
  const [before, now] = [factsOn(held.facts, line.line), factsOn(facts, line.line)];
  const refunded = Math.min(before.fulfilled - now.fulfilled, before.wanted - now.wanted, pickedOf(line));
  return Math.max(0, refunded, pickedOf(line) - targetOf(facts, line.line));
}

/** Makes what serves the order as much as it takes. More: back from the put-back list, then reserved. Less: Order Reserve, then Batch Reserve, then to be put back. */
function align(run: Recording, held: Reservation, facts: Facts, sku: string): void {
  const before = run.linesOf(sku);
  const open = sumOf(before, (line) => line.orderReserve + inBatches(line));
  const excesses = new Map(before.map((line) => [line.line, cancelledPicks(held, facts, line)]));
  const serving = (line: HeldLine) => pickedOf(line) - (excesses.get(line.line) ?? 0);
  const needs = new Map(before.map((line) => [line.line, Math.max(0, targetOf(facts, line.line) - serving(line))]));
  let gap = sumOf([...needs.values()], (units) => units) - open;
  const moved: LineUnits[] = [];
  const returned = before.map((line) => {
    const need = needs.get(line.line) ?? 0;
    const excess = excesses.get(line.line) ?? 0;
    const back = excess > 0 ? 0 : Math.max(0, Math.min(need - line.orderReserve - inBatches(line), toPutBackOf(line)));
    if (excess === 0 && back === 0) return line;
    gap -= back;
    needs.set(line.line, need - back);
    moved.push({ line: line.line, quantity: excess - back });
    return { ...line, picked: back > 0 ? wantedAgain(line.picked, back) : cancelledAfterPick(facts, line, excess) };
  });
  if (moved.length > 0) run.add({ type: 'to_put_back', sku, quantity: quantityOf(moved), lines: moved, holds: returned });
  const fromOrderReserve = Math.min(
    sumOf(before, ({ orderReserve }) => orderReserve),
    Math.max(0, -gap),
  );
  const fromBatchReserve = Math.max(0, -gap) - fromOrderReserve;
  const holds = allocate(returned, needs, fromBatchReserve);
  const lines = holds.flatMap((line, index) => {
    const difference = line.orderReserve + inBatches(line) - (returned[index]?.orderReserve ?? 0) - inBatches(returned[index] ?? line);
    return difference === 0 ? [] : [{ line: line.line, quantity: Math.abs(difference) }];
  });
  const moving = { sku, quantity: Math.abs(gap), lines, user: marketplaceOf(facts), holds };
  if (gap > 0) run.add({ type: 'reserved', ...moving });
  else if (gap < 0) run.add({ type: 'released', ...moving, fromBatchReserve });
  else if (!isSame(returned, holds)) run.add({ type: 'rearranged', sku, holds });
}

const isSame = (one: readonly HeldLine[], other: readonly HeldLine[]): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Which picks a cancellation concerns: what a voided label took, then a batch, then the newest label, and last what the marketplace says has left. */
function cancelledAfterPick(facts: Facts, line: HeldLine, excess: number): readonly Picked[] {
  const age = ({ label }: Picked) => facts.labels.findIndex((other) => other.label === label);
  const rank = (pick: Picked): number => {
    if (pick.batch !== null) return 1;
    if (pick.label === null) return 1_000_000;
    return pick.quantity > onLabel(facts, pick.label, line.line) ? 0 : 10_000 - age(pick);
  };
  let left = excess;
  const taken = new Map(
    line.picked
      .toSorted((one, other) => rank(one) - rank(other))
      .map((pick) => {
        const units = Math.min(left, pick.quantity);
        left -= units;
        return [pick, units];
      }),
  );
  return line.picked.map((pick) => {
    const units = taken.get(pick) ?? 0;
    return { ...pick, quantity: pick.quantity - units, toPutBack: pick.toPutBack + units };
  });
}

function wantedAgain(picked: readonly Picked[], back: number): readonly Picked[] {
  let left = back;
  return picked.map((pick) => {
    const units = Math.min(left, pick.toPutBack);
    left -= units;
    return { ...pick, quantity: pick.quantity + units, toPutBack: pick.toPutBack - units };
  });
}

/** What each line has in a batch stays with it as far as it needs it; what is over goes to another line of the SKU, or out of the newest batches. */
function allocate(before: readonly HeldLine[], needs: ReadonlyMap<string, number>, fromBatchReserve: number): HeldLine[] {
  let out = fromBatchReserve;
  const batches = Map.groupBy(
    before.flatMap((line) => line.batches),
    ({ batch }) => batch,
  );
  const left = new Map(
    [...batches].toReversed().map(([batch, parts]) => {
      const units = Math.min(out, quantityOf(parts));
      out -= units;
      return [batch, quantityOf(parts) - units];
    }),
  );
  const room = new Map(needs);
  const take = (line: string, batch: string, most: number) => {
    const quantity = Math.min(most, left.get(batch) ?? 0, room.get(line) ?? 0);
    left.set(batch, (left.get(batch) ?? 0) - quantity);
    room.set(line, (room.get(line) ?? 0) - quantity);
    return { batch, quantity };
  };
  const kept = before.map((line) => line.batches.map(({ batch, quantity }) => take(line.line, batch, quantity)));
  return before
    .map((line, index) => {
      const more = [...batches.keys()].map((batch) => take(line.line, batch, Infinity));
      return { ...line, batches: joined([...(kept[index] ?? []), ...more]), orderReserve: 0 };
    })
    .map((line) => ({ ...line, orderReserve: room.get(line.line) ?? 0 }));
}

function joined(parts: HeldLine['batches']): HeldLine['batches'] {
  const sums = new Map<string, number>();
  for (const { batch, quantity } of parts) if (quantity > 0) sums.set(batch, (sums.get(batch) ?? 0) + quantity);
  return [...sums].map(([batch, quantity]) => ({ batch, quantity }));
}

/** Who deducts units: a label; null: the word of the marketplace. */
interface Source extends Pick<LabelFacts, 'location' | 'voidedBy'> {
  readonly label: string | null;
  /** Units of a line that it says are gone. */
  readonly covers: (facts: Facts | null, line: string) => number;
}

/** Newest label first, the marketplace last. */
const sourcesIn = ({ labels }: Facts): Source[] => [
  ...labels.toReversed().map(({ label, location, voidedBy }): Source => {
    return { label, location, voidedBy, covers: (facts, line) => onLabel(facts, label, line) };
  }),
  { label: null, location: null, voidedBy: null, covers: (facts, line) => factsOn(facts, line).fulfilled },
];

/**
 * Takes back what is deducted beyond the greater of what labels cover and what the marketplace says is shipped. Only of units that serve the order,
 * and that no batch has picked: of cancelled ones, and after a Batch Pick, nothing moves.
 */
function reverse(run: Recording, held: Reservation, facts: Facts, sku: string, idOf: EventId): void {
  const sources = sourcesIn(facts);
  const voider = sources.find(({ covers }) =>
    run.linesOf(sku).some(({ line }) => covers(held.facts, line) > covers(facts, line)),
  )?.voidedBy;
  /** What a source no longer covers, unless something else does. */
  const ofItsOwn = (line: HeldLine, { label, covers }: Source): number => {
    const { fulfilled } = factsOn(facts, line.line);
    const free = Math.min(pickedOf(line) - fulfilled, pickedOf(line) + inBatches(line) - onLabels(facts, line.line));
    return Math.min(free, Math.max(covers(held.facts, line.line), bySource(line, label).quantity) - covers(facts, line.line));
  };
  /** A label and a shipment may be of the same unit: where one of them ends, the other one's deduction may be too much. */
  const inAll = (line: HeldLine): number => {
    const deducted = quantityOf(line.picked.filter(({ batch }) => batch === null));
    return deducted - Math.max(onLabels(facts, line.line), factsOn(facts, line.line).fulfilled);
  };
  for (const overOf of [ofItsOwn, inAll])
    for (const source of sources) {
      const { label, location, voidedBy } = source;
      const before = run.linesOf(sku);
      const lines = before.map((line) => {
        return { line: line.line, quantity: Math.max(0, Math.min(overOf(line, source), bySource(line, label).quantity)) };
      });
      const quantity = quantityOf(lines);
      if (quantity === 0) continue;
      const deduction = held.deductions.find((other) => other.sku === sku && other.label === label)?.sequence ?? 0;
      const about = { sku, quantity, lines: withoutZeros(lines), user: voidedBy ?? voider ?? marketplaceOf(facts) };
      const holds = before.map((line) => {
        const units = unitsOf(lines, line.line);
        return { ...line, orderReserve: line.orderReserve + units, picked: withPicked(line.picked, label, null, -units) };
      });
      run.add({ type: 'unpicked', ...about, label, location, reverses: idOf(deduction, sku), holds });
    }
}

/** Units that labels took and that were cancelled since, for a refund: they stand on their labels, and no other unit is deducted in their place. */
const cancelledOnLabels = ({ picked }: HeldLine): number => sumOf(picked, ({ label, toPutBack }) => (label === null ? 0 : toPutBack));

/** Labels with units that nothing has deducted yet, newest first, out of the Order Reserve; units in a pick batch cover labels until they are picked. */
function pickLabelled(run: Recording, facts: Facts, sku: string): void {
  for (const { label, location, user } of facts.labels.toReversed()) {
    const before = run.linesOf(sku);
    const lines = before.map((line) => {
      const deducted = Math.max(onLabels(facts, line.line) - cancelledOnLabels(line), factsOn(facts, line.line).fulfilled);
      const due = Math.min(line.orderReserve, deducted - pickedOf(line) - inBatches(line));
      const { quantity, toPutBack } = bySource(line, label);
      const own = onLabel(facts, label, line.line) - quantity - toPutBack;
      return { line: line.line, quantity: Math.max(0, Math.min(due, own)) };
    });
    if (quantityOf(lines) === 0) continue;
    const about = { sku, quantity: quantityOf(lines), lines: withoutZeros(lines), user };
    const holds = before.map((line) => takenFrom(line, label, { fromOrderReserve: unitsOf(lines, line.line), fromBatchReserve: 0 }));
    run.add({ type: 'picked', ...about, label, location, fromBatchReserve: 0, holds });
  }
}

/** What the marketplace reports as shipped and nobody has picked here, from whichever reserve holds it. */
function pickFulfilled(run: Recording, facts: Facts, sku: string): void {
  const before = run.linesOf(sku);
  const due = before.map((line) => {
    const units = Math.max(0, factsOn(facts, line.line).fulfilled - pickedOf(line));
    const fromOrderReserve = Math.min(units, line.orderReserve);
    return { line: line.line, quantity: units, fromOrderReserve, fromBatchReserve: units - fromOrderReserve };
  });
  const quantity = quantityOf(due);
  if (quantity === 0) return;
  run.add({
    type: 'picked',
    sku,
    quantity,
    lines: withoutZeros(due.map(({ line, quantity: units }) => ({ line, quantity: units }))),
    user: marketplaceOf(facts),
    label: null,
    location: null,
    fromBatchReserve: sumOf(due, ({ fromBatchReserve }) => fromBatchReserve),
    holds: before.map((line, index) => takenFrom(line, null, due[index] ?? { fromOrderReserve: 0, fromBatchReserve: 0 })),
  });
}

const withoutZeros = (lines: readonly LineUnits[]): LineUnits[] => lines.filter(({ quantity }) => quantity > 0);

function takenFrom(
  line: HeldLine,
  label: string | null,
  { fromOrderReserve, fromBatchReserve }: { readonly fromOrderReserve: number; readonly fromBatchReserve: number },
): HeldLine {
  let left = fromBatchReserve;
  const batches = line.batches.map(({ batch, quantity }) => {
    const units = Math.min(left, quantity);
    left -= units;
    return { batch, quantity: quantity - units };
  });
  const picked = withPicked(line.picked, label, null, fromOrderReserve + fromBatchReserve);
  return { ...line, orderReserve: line.orderReserve - fromOrderReserve, batches: joined(batches), picked };
}

/** Picks with so many units more, or fewer, of one source; what has none left is left out. */
function withPicked(picked: readonly Picked[], label: string | null, batch: string | null, units: number): readonly Picked[] {
  const isIt = (pick: Picked) => pick.label === label && pick.batch === batch;
  const all = picked.some(isIt) ? picked : [...picked, { label, batch, quantity: 0, toPutBack: 0 }];
  return all
    .map((pick) => (isIt(pick) ? { ...pick, quantity: pick.quantity + units } : pick))
    .filter(({ quantity, toPutBack }) => quantity + toPutBack > 0);
}

/** Commands about the units of one order. */
export type Command =
  | { readonly type: 'AssignToBatch'; readonly data: AssignToBatch }
  | { readonly type: 'ReleaseFromBatch'; readonly data: ReleaseFromBatch }
  | { readonly type: 'PickBatchUnits'; readonly data: PickBatchUnits }
  | { readonly type: 'ReportShortPick'; readonly data: ReportShortPick }
  | { readonly type: 'PutBackUnits'; readonly data: PutBackUnits };

/** What a person does in the warehouse, if the order has the units for it; all of it or nothing. */
export function decideCommand(held: Reservation, command: Command): readonly [ReservationEntry, ...ReservationEntry[]] {
  const { facts } = held;
  const { available, none, tooMany } = limitsOf(command);
  const asked = linesAsked(held, command.data.lines, available);
  if (!facts) return [{ type: 'refused', refused: 'unknown_order', line: null }];
  if (asked.length === 0) return [{ type: 'refused', refused: none, line: null }];
  for (const { line, quantity } of asked) {
    const refused = refusalOf(held, line, quantity, available, none, tooMany);
    if (refused) return [{ type: 'refused', refused, line }];
  }
  const run = recording(held);
  const skus = [...new Set(held.lines.filter(({ line }) => asked.some((other) => other.line === line)).map(({ sku }) => sku))];
  for (const sku of skus) run.add(movedBy(run, sku, asked, command));
  // Units that came out of a batch may be on a label: then they are deducted at once.
  for (const sku of skus) if (command.type !== 'AssignToBatch') pickLabelled(run, facts, sku);
  const [first = { type: 'unchanged' }, ...more] = run.changes;
  return [first, ...more];
}

/** What a command may take of a line, and what it is told where that is none or too little. */
function limitsOf({ type, data }: Command): {
  readonly available: (line: HeldLine) => number;
  readonly none: Refusal;
  readonly tooMany: Refusal;
} {
  switch (type) {
    case 'AssignToBatch':
      return { available: ({ orderReserve }) => orderReserve, none: 'nothing_to_assign', tooMany: 'more_than_reserved' };
    case 'ReleaseFromBatch':
    case 'PickBatchUnits':
    case 'ReportShortPick':
      return { available: (line) => inBatch(line, data.batch), none: 'not_in_batch', tooMany: 'more_than_in_batch' };
    case 'PutBackUnits':
      return { available: toPutBackOf, none: 'nothing_to_put_back', tooMany: 'more_than_to_put_back' };
  }
}

/** A line that is asked for twice is asked for once, with the sum; nothing named: all that there is. */
function linesAsked({ lines }: Reservation, asked: readonly LineUnits[] | null, available: (line: HeldLine) => number): LineUnits[] {
  if (asked === null) return withoutZeros(lines.map((line) => ({ line: line.line, quantity: available(line) })));
  const names = [...new Set(asked.map(({ line }) => line))];
  return names.map((line) => {
    const own = asked.filter((other) => other.line === line);
    return { line, quantity: own.every(({ quantity }) => isUnits(quantity)) ? quantityOf(own) : 0 };
  });
}

const mostUnits = 1_000_000;
const isUnits = (quantity: number): boolean => Number.isInteger(quantity) && quantity >= 1 && quantity <= mostUnits;

function refusalOf(
  held: Reservation,
  line: string,
  quantity: number,
  available: (line: HeldLine) => number,
  none: Refusal,
  tooMany: Refusal,
): Refusal | null {
  if (!held.facts?.lines.some((other) => other.line === line)) return 'unknown_line';
  if (!isUnits(quantity)) return 'absurd_quantity';
  const known = held.lines.find((other) => other.line === line);
  const units = known ? available(known) : 0;
  if (units === 0) return none;
  return quantity > units ? tooMany : null;
}

function movedBy(run: Recording, sku: string, asked: readonly LineUnits[], command: Command): Change {
  const before = run.linesOf(sku);
  const lines = withoutZeros(before.map(({ line }) => ({ line, quantity: unitsOf(asked, line) })));
  const { user } = command.data;
  const moving = (after: (line: HeldLine, units: number) => HeldLine): Moving => {
    return { sku, quantity: quantityOf(lines), lines, user, holds: before.map((line) => after(line, unitsOf(lines, line.line))) };
  };
  switch (command.type) {
    case 'AssignToBatch': {
      const { batch } = command.data;
      return { type: 'assigned', batch, ...moving((line, units) => intoBatch(line, batch, units)) };
    }
    case 'ReleaseFromBatch': {
      const { batch } = command.data;
      return { type: 'unassigned', batch, ...moving((line, units) => intoBatch(line, batch, -units)) };
    }
    case 'PickBatchUnits': {
      const { batch, location } = command.data;
      const after = (line: HeldLine, units: number): HeldLine => {
        return { ...intoBatch(line, batch, -units), orderReserve: line.orderReserve, picked: withPicked(line.picked, null, batch, units) };
      };
      return { type: 'batch_picked', batch, location, ...moving(after) };
    }
    case 'ReportShortPick': {
      const { batch, location } = command.data;
      return { type: 'missing', batch, location, ...moving((line, units) => intoBatch(line, batch, -units)) };
    }
    case 'PutBackUnits': {
      const { location, lost } = command.data;
      const after = (line: HeldLine, units: number): HeldLine => ({ ...line, picked: withoutPutBack(line.picked, units) });
      return lost ? { type: 'written_off', ...moving(after) } : { type: 'put_back', location, ...moving(after) };
    }
  }
}

/** Units from the Order Reserve into a batch; below zero: out of it. */
const intoBatch = (line: HeldLine, batch: string, units: number): HeldLine => ({
  ...line,
  orderReserve: line.orderReserve - units,
  batches: withBatch(line.batches, batch, units),
});

function withBatch(batches: HeldLine['batches'], batch: string, units: number): HeldLine['batches'] {
  const known = batches.some((other) => other.batch === batch) ? batches : [...batches, { batch, quantity: 0 }];
  return known
    .map((other) => (other.batch === batch ? { batch, quantity: other.quantity + units } : other))
    .filter(({ quantity }) => quantity > 0);
}

function withoutPutBack(picked: readonly Picked[], units: number): readonly Picked[] {
  let left = units;
  return picked
    .map((pick) => {
      const taken = Math.min(left, pick.toPutBack);
      left -= taken;
      return { ...pick, toPutBack: pick.toPutBack - taken };
    })
    .filter(({ quantity, toPutBack }) => quantity + toPutBack > 0);
}

interface SequencedEntry {
  readonly sequence: number;
  readonly at: number;
  readonly data: ReservationEntry;
}

/** The reservation after an entry. */
export function evolve(held: Reservation, { sequence, at, data: entry }: SequencedEntry): Reservation {
  const lines = withHolds(held.lines, entry);
  return {
    facts: entry.facts ?? held.facts,
    lines,
    tallies: withTally(held.tallies, entry),
    deductions: withDeduction(held.deductions, entry, sequence),
    toPutBackSince: lines
      .filter((line) => toPutBackOf(line) > 0)
      .map(({ line }) => held.toPutBackSince.find((known) => known.line === line) ?? { line, at }),
  };
}

function withTally(tallies: Reservation['tallies'], entry: ReservationEntry): Reservation['tallies'] {
  const counts = { assigned: 'assigned', batch_picked: 'picked', missing: 'missing' } as const;
  if (entry.type !== 'assigned' && entry.type !== 'batch_picked' && entry.type !== 'missing') return tallies;
  const { batch, sku, quantity } = entry;
  const isIt = (tally: Tally) => tally.batch === batch && tally.sku === sku;
  const before = tallies.find(isIt) ?? { batch, sku, assigned: 0, picked: 0, missing: 0 };
  const count = counts[entry.type];
  return [...tallies.filter((tally) => !isIt(tally)), { ...before, [count]: before[count] + quantity }];
}

function withDeduction(deductions: Reservation['deductions'], entry: ReservationEntry, sequence: number): Reservation['deductions'] {
  if (entry.type !== 'picked') return deductions;
  const { sku, label } = entry;
  return [...deductions.filter((other) => other.sku !== sku || other.label !== label), { sku, label, sequence }];
}

type EventType =
  | 'UnitsReserved'
  | 'UnitsReleased'
  | 'UnitsAutoPicked'
  | 'UnitsUnpicked'
  | 'UnitsAssignedToBatch'
  | 'UnitsReleasedFromBatch'
  | 'UnitsBatchPicked'
  | 'UnitsMissing'
  | 'UnitsPutBack';
export type ReservationEvent = { [Type in EventType]: { readonly type: Type; readonly data: Events[Type] } }[EventType];

/** The event that tells stock of an entry; null where it concerns no stock. */
export function eventOf(tenant: string, order: OrderReference, { sequence, at, data: entry }: SequencedEntry): ReservationEvent | null {
  if (!('quantity' in entry) || entry.type === 'to_put_back' || entry.type === 'written_off') return null;
  const { sku, quantity, user } = entry;
  const about = { tenant, sku, order, sequence, quantity, user, at };
  switch (entry.type) {
    case 'reserved':
      return { type: 'UnitsReserved', data: about };
    case 'released':
      return { type: 'UnitsReleased', data: { ...about, fromBatchReserve: entry.fromBatchReserve } };
    case 'picked': {
      const { label, location, fromBatchReserve } = entry;
      return { type: 'UnitsAutoPicked', data: { ...about, fromBatchReserve, location, label } };
    }
    case 'unpicked': {
      const { label, location, reverses } = entry;
      return { type: 'UnitsUnpicked', data: { ...about, location, label, reverses } };
    }
    case 'assigned':
      return { type: 'UnitsAssignedToBatch', data: { ...about, batch: entry.batch } };
    case 'unassigned':
      return { type: 'UnitsReleasedFromBatch', data: { ...about, batch: entry.batch } };
    case 'batch_picked':
      return { type: 'UnitsBatchPicked', data: { ...about, batch: entry.batch, location: entry.location } };
    case 'missing':
      return { type: 'UnitsMissing', data: { ...about, batch: entry.batch, location: entry.location } };
    case 'put_back':
      return { type: 'UnitsPutBack', data: { ...about, location: entry.location } };
  }
}

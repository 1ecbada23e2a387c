import type { JournalEntry } from '@evenkeel/chassis';
import type { Label, OrderLine, User } from '@evenkeel/contracts';
import type { Order, OrderEntry } from './domain.ts';

type Told = Omit<Order, 'labels'>;

/** What changed of one line. */
export interface LineStep {
  readonly line: string;
  readonly sku: string | null;
  readonly ordered: number;
  readonly cancelled: number;
  readonly shipped: number;
}

/** One step of an order's life, as people read it. */
export interface Step {
  readonly sequence: number;
  readonly at: number;
  readonly type: 'seen' | 'cancelled' | 'edited' | 'shipped' | 'mapped' | 'told' | 'labelled' | 'voided' | 'refused';
  readonly user: User;
  /** Changes of an edit; units of a label or of a void. */
  readonly lines: readonly LineStep[];
  readonly label: string | null;
  readonly location: string | null;
  /** Why it was refused. */
  readonly refused: string | null;
}

const nothing = { lines: [], label: null, location: null, refused: null };

/** The steps among entries, newest first as they come; what a read repeated, or told too late, is none. */
export function stepsOf(newestFirst: readonly JournalEntry<OrderEntry>[]): Step[] {
  return newestFirst.flatMap((entry, index) => {
    const { sequence, at } = entry;
    const step = stepOf(entry.data, () => toldBefore(newestFirst.slice(index + 1)));
    return step ? [{ sequence, at, ...nothing, ...step }] : [];
  });
}

const toldBefore = (older: readonly JournalEntry<OrderEntry>[]): Told | null => {
  const changed = older.find(({ data }) => data.type === 'changed');
  return changed?.data.type === 'changed' ? changed.data.order : null;
};

function stepOf(data: OrderEntry, before: () => Told | null): (Pick<Step, 'type' | 'user'> & Partial<Step>) | null {
  switch (data.type) {
    case 'changed':
      return told(data.order, data.first ? null : before());
    case 'labelled': {
      const { label, location, user, lines } = data.label;
      return { type: 'labelled', user, label, location, lines: shipping(lines, before()) };
    }
    case 'voided':
      return { type: 'voided', user: data.void.user, label: data.label, lines: shipping(data.void.lines, before()) };
    case 'label_refused':
      return { type: 'refused', user: data.user, refused: data.refused };
    case 'void_refused':
      return { type: 'refused', user: data.user, label: data.label, refused: data.refused };
    case 'read_refused':
      return { type: 'refused', user: { kind: 'marketplace', id: '' }, refused: data.refused };
    case 'unchanged':
    case 'stale':
      return null;
  }
}

function shipping(lines: Label['lines'], order: Told | null): LineStep[] {
  const skus = new Map(order?.lines.map(({ line, sku }) => [line, sku]));
  return lines.map(({ line, quantity }) => ({ line, sku: skus.get(line) ?? null, ordered: 0, cancelled: 0, shipped: quantity }));
}

function told(order: Told, before: Told | null): Pick<Step, 'type' | 'user' | 'lines'> {
  const user: User = { kind: 'marketplace', id: order.marketplace };
  const known = new Map(before?.lines.map((line) => [line.line, line]));
  const lines = order.lines.map((line) => difference(known.get(line.line), line));
  const changed = lines.filter(({ ordered, cancelled, shipped }) => ordered !== 0 || cancelled !== 0 || shipped !== 0);
  if (!before) return { type: 'seen', user, lines };
  if (order.cancelledAt !== null && before.cancelledAt === null) return { type: 'cancelled', user, lines: changed };
  if (changed.some(({ ordered, cancelled }) => ordered !== 0 || cancelled !== 0)) return { type: 'edited', user, lines: changed };
  if (changed.length > 0) return { type: 'shipped', user, lines: changed };
  const mapped = order.lines.filter((line) => line.sku !== (known.get(line.line)?.sku ?? null)).map((line) => difference(line, line));
  return { type: mapped.length > 0 ? 'mapped' : 'told', user, lines: mapped };
}

const difference = (before: OrderLine | undefined, { line, sku, quantity, cancelled, fulfilled }: OrderLine): LineStep => ({
  line,
  sku,
  ordered: quantity - (before?.quantity ?? 0),
  cancelled: cancelled - (before?.cancelled ?? 0),
  shipped: fulfilled - (before?.fulfilled ?? 0),
});

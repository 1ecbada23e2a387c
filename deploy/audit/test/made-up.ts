import { courseAfter, decisionDue, nameListing, stepOf, untouched, type Course } from '../course.ts';
import type { Facts, LedgerRow, PolicyTrigger, Quantities, ReservationEntry, Thresholds } from '../facts.ts';
import { joinKey } from '../keys.ts';
import { quantityFor, rulesFor } from '../policy.ts';

/** Facts that a test may break. */
export type Breakable<Value> = Value extends readonly (infer Item)[]
  ? Breakable<Item>[]
  : Value extends object
    ? { -readonly [Key in keyof Value]: Breakable<Value[Key]> }
    : Value;

interface Shelf {
  listing: string;
  store: string;
  quantity: number;
  lastWrite: { number: number; idempotencyKey: string; quantity: number } | null;
  soldSince: number;
  confirmed: { version: { mapping: number; epoch: number; sequence: number; settings: number }; quantity: number } | null;
}

type AnyJournal<Entry> = {
  aggregate: string;
  from: number;
  to: number;
  causes: string[];
  entries: { sequence: number; cause: string; data: Entry }[];
}[];

const tenant = 'default';
const nothing: Quantities = { onHand: 0, orderReserve: 0, batchReserve: 0, available: 0 };
const unsetPolicy: Thresholds = { realTimeAtOrBelow: null, significantUnits: null, everyNth: null };

/** As many entries of one aggregate as share a document. */
const perDocument = 3;

/**
 * A seller's system that does everything right, made up in memory: two stores, each with a listing of every SKU. Whatever happens runs to
 * its end at once, so {@link facts} are those of a quiet system.
 */
export function createMadeUpSystem(tenantPolicy: Thresholds = unsetPolicy) {
  const stores = ['north', 'south'];
  const documents = { ledgers: [], reservations: [], orders: [], policies: [] } as Pick<
    Breakable<Facts>,
    'ledgers' | 'reservations' | 'orders' | 'policies'
  >;
  const topics = { movements: [], levels: [], incidents: [], orderEvents: [], pushRequests: [] } as Pick<
    Breakable<Facts>,
    'movements' | 'levels' | 'incidents' | 'orderEvents' | 'pushRequests'
  >;
  const calls: Breakable<Facts['calls']> = [];
  const courses = new Map<string, Course>();
  const levels = new Map<string, LedgerRow>();
  const shelves = new Map<string, Shelf[]>();
  const orders = new Map<string, { sku: string; open: number; shelf: Shelf; sequence: number }>();
  let counter = 0;
  const next = () => (counter += 1);

  function append<Entry>(journal: AnyJournal<Entry>, aggregate: string, cause: string, indexed: boolean, data: NoInfer<Entry>): number {
    const own = journal.filter((document) => document.aggregate === aggregate);
    const sequence = (own.at(-1)?.to ?? 0) + 1;
    const last = own.at(-1);
    const fresh = { aggregate, from: sequence, to: sequence, causes: [], entries: [] } as AnyJournal<Entry>[number];
    const document = last && last.entries.length < perDocument ? last : fresh;
    if (document === fresh) journal.push(fresh);
    document.to = sequence;
    document.entries.push({ sequence, cause, data });
    if (indexed) document.causes.push(cause);
    return sequence;
  }

  function publish<Value>(topic: { value: Value | null }[], key: string, id: string, value: NoInfer<Value>): void {
    topic.push({ key, id, digest: JSON.stringify(value), value: structuredClone(value) } as never);
  }

  function move(
    sku: string,
    cause: string,
    type: string,
    delta: Partial<Quantities>,
    location: string | null,
    reason: string | null = null,
  ): void {
    const key = joinKey(tenant, sku);
    const before = levels.get(key);
    const change = { ...nothing, ...delta };
    change.available = change.onHand - change.orderReserve - change.batchReserve;
    const was = before?.after ?? nothing;
    const after = {
      onHand: was.onHand + change.onHand,
      orderReserve: was.orderReserve + change.orderReserve,
      batchReserve: was.batchReserve + change.batchReserve,
      available: was.available + change.available,
    };
    const counted = (before?.counted ?? false) || (type === 'StockUpdate' && reason === null);
    const sequence = (before?.sequence ?? 0) + 1;
    const locationOnHand = location === null ? null : after.onHand;
    const row: LedgerRow = { sequence, epoch: 1, type, reason, refused: null, change, after, location, locationOnHand, counted, cause };
    append(documents.ledgers, key, cause, true, row);
    levels.set(key, row);
    publish(topics.movements, key, `stock/${key}/${sequence}`, row);
    publish(topics.levels, key, `stock/${key}/${sequence}`, {
      sequence,
      epoch: 1,
      quantities: after,
      locations: { shelf: after.onHand },
      counted,
    });
    const open = after.available < 0;
    if (open !== was.available < 0)
      publish(topics.incidents, joinKey(tenant, 'oversold', sku), `stock/${key}/${sequence}/incident`, { sequence, open });
    decide(sku, `stock/${key}/${sequence}`, { kind: 'movement', epoch: 1, sequence }, row);
  }

  function decide(sku: string, cause: string, trigger: PolicyTrigger, row: LedgerRow | null): void {
    const key = joinKey(tenant, sku);
    const course = courses.get(key) ?? untouched;
    const own = trigger.kind === 'policy' ? trigger.thresholds : course.own;
    const rules = rulesFor(own, tenantPolicy);
    const { before, after } = row ? stepOf(row) : { before: course.available, after: course.available };
    const data = {
      trigger,
      ...decisionDue(course, trigger, rules, tenantPolicy, row),
      before,
      after,
      thresholds: { realTimeAtOrBelow: rules.x, significantUnits: rules.y, everyNth: rules.n },
      revision: 1,
      settings: course.settings + (trigger.kind === 'policy' || trigger.kind === 'sync' ? 1 : 0),
    };
    const sequence = append(documents.policies, key, cause, false, data);
    const settled = courseAfter(course, { sequence, cause, data }, row);
    courses.set(key, settled);
    for (const shelf of shelves.get(key) ?? []) announce(sku, shelf, course, settled);
  }

  function announce(sku: string, shelf: Shelf, before: Course, { asked }: Course): void {
    const now = asked.get(nameListing(shelf));
    if (!now || now === before.asked.get(nameListing(shelf))) return;
    const { available, version } = now;
    const { store, listing } = shelf;
    const key = joinKey(tenant, store, listing, sku);
    publish(topics.pushRequests, key, `sync-policy/${key}/${JSON.stringify(version)}`, {
      store,
      listing,
      withdrawn: available === null,
      available,
      version,
    });
    if (available === null) return;
    const idempotencyKey = `call-${next()}`;
    const quantity = quantityFor(available, 1_000_000);
    calls.push({ idempotencyKey, items: [{ listing, version: { ...version }, quantity }] });
    Object.assign(shelf, {
      quantity,
      soldSince: 0,
      lastWrite: { number: counter, idempotencyKey, quantity },
      confirmed: { version: { ...version }, quantity },
    });
  }

  function tellOrder(order: string, sku: string, quantity: number, kind: NonNullable<ReservationEntry['effect']>['kind']): string {
    const key = order;
    const sequence = append(documents.orders, key, `shopify/${key}/${next()}`, true, { changed: true });
    publish(topics.orderEvents, key, `order/${key}/${sequence}`, { sequence });
    const effect = { kind, sku, quantity, label: kind === 'autoPicked' ? `label-${sequence}` : null };
    const reserved = append(documents.reservations, key, `order/${key}/${sequence}`, false, { effect });
    return `reservation/${key}/${reserved}/${encodeURIComponent(sku)}`;
  }

  const shelfOf = (sku: string, store: string): Shelf => {
    const shelf = shelves.get(joinKey(tenant, sku))?.find((candidate) => candidate.store === store);
    if (!shelf) throw new Error(`${store} does not list ${sku}`);
    return shelf;
  };

  return {
    /** Lists a SKU on both stores. */
    list(sku: string): void {
      for (const store of stores) {
        const listing = `item-${sku}-${store}`;
        const shelf = { listing, store, quantity: 0, lastWrite: null, soldSince: 0, confirmed: null };
        shelves.set(joinKey(tenant, sku), [...(shelves.get(joinKey(tenant, sku)) ?? []), shelf]);
        decide(
          sku,
          `shopify/${joinKey(tenant, store, listing)}/1`,
          { kind: 'mapped', marketplace: 'shopify', store, listing, mapping: 1 },
          null,
        );
      }
    },
    /** Sets On Hand; without a reason it is a count. */
    setStock(sku: string, onHand: number, reason: string | null = null): void {
      const was = levels.get(joinKey(tenant, sku))?.after.onHand ?? 0;
      move(sku, `command/${tenant}/${next()}`, 'StockUpdate', { onHand: onHand - was }, 'shelf', reason);
    },
    /** A shopper buys at a store; returns the order's key. */
    sell(sku: string, store: string, quantity: number): string {
      const shelf = shelfOf(sku, store);
      shelf.quantity -= quantity;
      shelf.soldSince += quantity;
      const order = joinKey(tenant, store, `order-${next()}`);
      orders.set(order, { sku, open: quantity, shelf, sequence: 1 });
      move(sku, tellOrder(order, sku, quantity, 'reserved'), 'OrderReserve', { orderReserve: quantity }, null);
      return order;
    },
    ship(key: string): void {
      const order = orders.get(key);
      if (!order || order.open === 0) return;
      const { sku, open } = order;
      order.open = 0;
      move(sku, tellOrder(key, sku, open, 'autoPicked'), 'AutoPick', { onHand: -open, orderReserve: -open }, 'shelf');
    },
    cancel(key: string): void {
      const order = orders.get(key);
      if (!order || order.open === 0) return;
      const { sku, open, shelf } = order;
      order.open = 0;
      shelf.quantity += open;
      shelf.soldSince -= open;
      move(sku, tellOrder(key, sku, open, 'released'), 'OrderRelease', { orderReserve: -open }, null);
    },
    turnSync(sku: string, enabled: boolean): void {
      decide(sku, `command/${tenant}/${next()}`, { kind: 'sync', enabled }, null);
    },
    setPolicy(sku: string, thresholds: Thresholds): void {
      decide(sku, `command/${tenant}/${next()}`, { kind: 'policy', thresholds }, null);
    },
    orders: (): string[] => [...orders.keys()],
    facts(): Breakable<Facts> {
      const listings = [...shelves].flatMap(([key, all]) =>
        all.map(({ store, listing, quantity, lastWrite, soldSince, confirmed }) => {
          const asked = courses.get(key)?.asked.get(joinKey(store, listing));
          return {
            tenant,
            sku: decodeURIComponent(key.slice(tenant.length + 1)),
            store,
            listing,
            mapping: 1,
            wanted: asked && asked.available !== null ? { version: asked.version, available: asked.available } : null,
            confirmed,
            inFlight: false,
            held: null,
            maximumQuantity: 1_000_000,
            shown: { quantity, lastWrite, soldSince },
          };
        }),
      );
      const tenantPolicies = [{ tenant, revision: 1, ...tenantPolicy }];
      return structuredClone({
        quiet: true,
        movementsTrimmed: false,
        decisionsTrimmed: false,
        ...documents,
        ...topics,
        tenantPolicies,
        listings,
        calls,
      }) as Breakable<Facts>;
    },
  };
}

export type MadeUpSystem = ReturnType<typeof createMadeUpSystem>;

import { courseAfter, decisionDue, nameListing, stepOf, untouched, type Course } from '../course.ts';
import type { Facts, LedgerRow, PolicyTrigger, Product, Quantities, ReservationEffect, Thresholds } from '../facts.ts';
import { joinKey } from '../keys.ts';
import { quantityFor, rulesFor, verdictOnPolicy } from '../policy.ts';

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

interface Order {
  readonly sku: string;
  readonly shelf: Shelf;
  /** In Order Reserve, in an unpicked batch, and deducted: each unit stands in one of them. */
  open: number;
  batched: number;
  picked: number;
  /** The last deduction by a label: its event, and how many units. */
  labelled: { id: string; label: string; quantity: number } | null;
  cancelled: boolean;
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
const unnamed: Product = { title: null, defaultLocation: null, lowStockAtOrBelow: null, retired: false };
const unsetPolicy: Thresholds = { realTimeAtOrBelow: null, significantUnits: null, everyNth: null };

/** How quantities move, once more: the type of the row, what it changes and its reason. */
function rowOf({
  kind,
  quantity: q,
  fromBatchReserve: f,
}: ReservationEffect): [type: string, delta: Partial<Quantities>, reason: string | null] {
  switch (kind) {
    case 'reserved':
      return ['OrderReserve', { orderReserve: q }, null];
    case 'released':
      return ['OrderRelease', { orderReserve: f - q, batchReserve: 0 - f }, null];
    case 'assigned':
      return ['BatchReserve', { orderReserve: 0 - q, batchReserve: q }, null];
    case 'unassigned':
      return ['BatchRelease', { orderReserve: q, batchReserve: 0 - q }, null];
    case 'batchPicked':
      return ['BatchPick', { onHand: 0 - q, batchReserve: 0 - q }, null];
    case 'missing':
      return ['StockUpdate', { onHand: 0 - q, orderReserve: q, batchReserve: 0 - q }, 'short_pick'];
    case 'autoPicked':
      return ['AutoPick', { onHand: 0 - q, orderReserve: f - q, batchReserve: 0 - f }, null];
    case 'unpicked':
      return ['AutoPick', { onHand: q, orderReserve: q }, null];
    case 'putBack':
      return ['StockUpdate', { onHand: q }, 'put_back'];
  }
}

/** As many entries of one aggregate as share a document. */
const perDocument = 3;

/**
 * A seller's system that does everything right, made up in memory: two stores, each with a listing of every SKU. Whatever happens runs to
 * its end at once, so {@link facts} are those of a quiet system.
 */
export function createMadeUpSystem(firstPolicy: Thresholds = unsetPolicy) {
  const tenantPolicies = [{ tenant, revision: 1, ...firstPolicy }];
  const stores = ['north', 'south'];
  const documents = { ledgers: [], reservations: [], orders: [], purchases: [], policies: [] } as Pick<
    Breakable<Facts>,
    'ledgers' | 'reservations' | 'orders' | 'purchases' | 'policies'
  >;
  const topics = { movements: [], levels: [], incidents: [], orderEvents: [], purchaseOrders: [], pushRequests: [] } as Pick<
    Breakable<Facts>,
    'movements' | 'levels' | 'incidents' | 'orderEvents' | 'purchaseOrders' | 'pushRequests'
  >;
  const calls: Breakable<Facts['calls']> = [];
  const writes: Breakable<Facts['writes']> = [];
  const sales: Breakable<Facts['sales']> = [];
  const courses = new Map<string, Course>();
  const levels = new Map<string, LedgerRow>();
  const products = new Map<string, Product>();
  const shelves = new Map<string, Shelf[]>();
  const orders = new Map<string, Order>();
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

  function publish<Value>(topic: { value: Value | null }[], key: string, id: string, value: NoInfer<Value>, more = {}): void {
    topic.push({ key, id, digest: JSON.stringify(value), value: structuredClone(value), ...more } as never);
  }

  function move(
    sku: string,
    cause: string,
    type: string,
    delta: Partial<Quantities>,
    more: Partial<Pick<LedgerRow, 'reason' | 'batch' | 'label' | 'reverses' | 'purchaseOrder' | 'product'>> = {},
  ): void {
    const told = { reason: null, batch: null, label: null, reverses: null, purchaseOrder: null, product: null, ...more };
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
    const isCount = type === 'PurchaseReceiving' || (type === 'StockUpdate' && told.reason === null);
    const counted = (before?.counted ?? false) || isCount;
    const product = told.product ?? products.get(key) ?? unnamed;
    products.set(key, product);
    const sequence = (before?.sequence ?? 0) + 1;
    const location = change.onHand === 0 && type !== 'StockUpdate' ? null : 'shelf';
    const locationOnHand = location === null ? null : after.onHand;
    const row: LedgerRow = { ...told, sequence, epoch: 1, type, refused: null, change, after, location, locationOnHand, counted, cause };
    append(documents.ledgers, key, cause, true, row);
    levels.set(key, row);
    publish(topics.movements, key, `stock/${key}/${sequence}`, { ...row, product: null });
    publish(topics.levels, key, `stock/${key}/${sequence}`, {
      sequence,
      epoch: 1,
      quantities: after,
      locations: { shelf: after.onHand },
      counted,
      product,
    });
    turn(sku, sequence, 'oversold', counted && after.available < 0);
    turn(sku, sequence, 'negative_on_hand', counted && after.onHand < 0);
    turn(sku, sequence, 'low_stock', counted && product.lowStockAtOrBelow !== null && after.available <= product.lowStockAtOrBelow);
    decide(sku, `stock/${key}/${sequence}`, { kind: 'movement', epoch: 1, sequence }, row);
  }

  const isOpen = new Map<string, boolean>();

  function turn(sku: string, sequence: number, kind: string, open: boolean): void {
    const incident = joinKey(tenant, kind, sku);
    if (open === (isOpen.get(incident) ?? false)) return;
    isOpen.set(incident, open);
    publish(topics.incidents, incident, `stock/${joinKey(tenant, sku)}/${sequence}/${kind}`, { sequence, open });
  }

  function decide(sku: string, cause: string, trigger: PolicyTrigger, row: LedgerRow | null): void {
    const key = joinKey(tenant, sku);
    const course = courses.get(key) ?? untouched;
    const own = trigger.kind === 'policy' ? trigger.thresholds : course.own;
    const [past, present] = [tenantPolicies.at(-2), tenantPolicies.at(-1)];
    const rules = rulesFor(own, present ?? unsetPolicy);
    const { before, after } = row ? stepOf(row) : { before: course.available, after: course.available };
    const data = {
      trigger,
      ...decisionDue(course, trigger, rules, (trigger.kind === 'tenantPolicy' ? past : present) ?? unsetPolicy, row),
      before,
      after,
      thresholds: { realTimeAtOrBelow: rules.x, significantUnits: rules.y, everyNth: rules.n },
      revision: tenantPolicies.length,
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
    const request = { store, listing, withdrawn: available === null, available, version };
    publish(topics.pushRequests, key, `sync-policy/${key}/${JSON.stringify(version)}`, request, { marketplace: 'shopify' });
    if (available === null) return;
    const idempotencyKey = `call-${next()}`;
    const quantity = quantityFor(available, 1_000_000);
    const item = { listing, sku, version: { ...version }, quantity, expected: shelf.quantity, outcome: 'applied' };
    calls.push({ tenant, store, idempotencyKey, startedAt: counter, items: [item] });
    const write = { tenant, store, listing, number: counter, idempotencyKey, before: shelf.quantity, after: quantity, at: counter };
    writes.push({ ...write, salesCounter: sales.length });
    Object.assign(shelf, {
      quantity,
      soldSince: 0,
      lastWrite: { number: counter, idempotencyKey, quantity },
      confirmed: { version: { ...version }, quantity },
    });
  }

  const noted = { fromBatchReserve: 0, batch: null, label: null, reverses: null };

  /** What reservation does with units of an order, because the order changed or (`command`) because the warehouse says so, and what that moves. */
  function reserve(
    key: string,
    effect: Partial<ReservationEffect> & Pick<ReservationEffect, 'kind' | 'quantity'>,
    command = false,
  ): string {
    const sku = orderOf(key).sku;
    const cause = command ? `command/${tenant}/${next()}` : tellOrder(key);
    const reservation = append(documents.reservations, key, cause, command, { effect: { ...noted, ...effect, sku } });
    const id = `reservation/${key}/${reservation}/${encodeURIComponent(sku)}`;
    const { batch = null, label = null, reverses = null } = effect;
    const [type, delta, reason] = rowOf({ ...noted, ...effect, sku });
    move(sku, id, type, delta, { batch, label, reverses, reason });
    return id;
  }

  function tellOrder(key: string): string {
    const sequence = append(documents.orders, key, `shopify/${key}/${next()}`, true, { changed: true, unmapped: false });
    publish(topics.orderEvents, key, `order/${key}/${sequence}`, { sequence });
    return `order/${key}/${sequence}`;
  }

  const orderOf = (key: string): Order => {
    const order = orders.get(key);
    if (!order) throw new Error(`there is no order ${key}`);
    return order;
  };

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
      move(sku, `command/${tenant}/${next()}`, 'StockUpdate', { onHand: onHand - was }, { reason });
    },
    /** Units of a purchase order are put away. */
    receive(sku: string, quantity: number): void {
      const key = joinKey(tenant, 'po-1');
      const sequence = append(documents.purchases, key, `command/${tenant}/${next()}`, true, {
        changed: true,
        putAway: [{ sku, quantity }],
      });
      publish(topics.purchaseOrders, key, `stock.purchasing/${key}/${sequence}`, { sequence });
      const cause = `stock.purchasing/${key}/${sequence}/${encodeURIComponent(sku)}`;
      move(sku, cause, 'PurchaseReceiving', { onHand: quantity }, { purchaseOrder: 'po-1' });
    },
    /** The product's settings are changed. */
    setProduct(sku: string, product: Partial<Product>): void {
      move(sku, `command/${tenant}/${next()}`, 'ProductChange', {}, { product: { ...unnamed, ...product } });
    },
    /** A shopper buys at a store; returns the order's key. */
    sell(sku: string, store: string, quantity: number): string {
      const shelf = shelfOf(sku, store);
      shelf.quantity -= quantity;
      shelf.soldSince += quantity;
      sales.push({ tenant, store, listing: shelf.listing, number: sales.length + 1, quantity, at: counter });
      const key = joinKey(tenant, store, `order-${next()}`);
      orders.set(key, { sku, shelf, open: quantity, batched: 0, picked: 0, labelled: null, cancelled: false });
      reserve(key, { kind: 'reserved', quantity });
      return key;
    },
    /** A label for what is in no batch. */
    ship(key: string): void {
      const order = orderOf(key);
      if (order.open === 0) return;
      const [quantity, label] = [order.open, `label-${next()}`];
      order.open = 0;
      order.picked += quantity;
      order.labelled = { id: reserve(key, { kind: 'autoPicked', quantity, label }), label, quantity };
    },
    /** The last label is voided. */
    unship(key: string): void {
      const order = orderOf(key);
      if (!order.labelled || order.cancelled) return;
      const { id: reverses, label, quantity } = order.labelled;
      order.labelled = null;
      order.picked -= quantity;
      order.open += quantity;
      reserve(key, { kind: 'unpicked', quantity, label, reverses });
    },
    /** The marketplace says that all is shipped, whichever reserve holds it. */
    shippedElsewhere(key: string): void {
      const order = orderOf(key);
      const [quantity, fromBatchReserve] = [order.open + order.batched, order.batched];
      if (quantity === 0) return;
      Object.assign(order, { open: 0, batched: 0, picked: order.picked + quantity });
      reserve(key, { kind: 'autoPicked', quantity, fromBatchReserve });
    },
    /** All that is in no batch goes into one. */
    batch(key: string): void {
      const order = orderOf(key);
      if (order.open === 0) return;
      const quantity = order.open;
      Object.assign(order, { open: 0, batched: order.batched + quantity });
      reserve(key, { kind: 'assigned', quantity, batch: 'batch-1' }, true);
    },
    unbatch(key: string): void {
      const order = orderOf(key);
      if (order.batched === 0) return;
      const quantity = order.batched;
      Object.assign(order, { open: order.open + quantity, batched: 0 });
      reserve(key, { kind: 'unassigned', quantity, batch: 'batch-1' }, true);
    },
    /** The batch is picked, but for `missing` units of the order that are not there. */
    pick(key: string, missing = 0): void {
      const order = orderOf(key);
      const short = Math.min(missing, order.batched);
      const quantity = order.batched - short;
      Object.assign(order, { open: order.open + short, batched: 0, picked: order.picked + quantity });
      if (short > 0) reserve(key, { kind: 'missing', quantity: short, batch: 'batch-1' }, true);
      if (quantity > 0) reserve(key, { kind: 'batchPicked', quantity, batch: 'batch-1' }, true);
    },
    /** The marketplace takes back what was not picked; what was is to be put back. */
    cancel(key: string): void {
      const order = orderOf(key);
      const { open, batched, shelf } = order;
      order.cancelled = true;
      if (open + batched === 0) return;
      Object.assign(order, { open: 0, batched: 0 });
      shelf.quantity += open + batched;
      shelf.soldSince -= open + batched;
      reserve(key, { kind: 'released', quantity: open + batched, fromBatchReserve: batched });
    },
    putBack(key: string): void {
      const order = orderOf(key);
      if (!order.cancelled || order.picked === 0) return;
      const quantity = order.picked;
      order.picked = 0;
      reserve(key, { kind: 'putBack', quantity }, true);
    },
    turnSync(sku: string, enabled: boolean): void {
      decide(sku, `command/${tenant}/${next()}`, { kind: 'sync', enabled }, null);
    },
    /** The tenant's policy: what it lets out of what was held back is pushed. */
    setTenantPolicy(thresholds: Thresholds): void {
      const before = tenantPolicies.at(-1) ?? unsetPolicy;
      tenantPolicies.push({ tenant, revision: tenantPolicies.length + 1, ...thresholds });
      for (const [key, course] of courses) {
        const due = verdictOnPolicy(course, rulesFor(course.own, before), rulesFor(course.own, thresholds));
        if (due.decision === 'push') decide(decodeURIComponent(key.slice(tenant.length + 1)), `${next()}`, { kind: 'tenantPolicy' }, null);
      }
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
            comparesAndSets: true,
            shown: { quantity, lastWrite, soldSince },
          };
        }),
      );
      return structuredClone({
        quiet: true,
        movementsTrimmed: false,
        decisionsTrimmed: false,
        ...documents,
        ...topics,
        tenantPolicies,
        listings,
        calls,
        writes,
        sales,
        orderIncidents: [],
        connectorIncidents: [],
        connectorIncidentDocuments: [],
        callsKeptSince: 0,
      }) as Breakable<Facts>;
    },
  };
}

export type MadeUpSystem = ReturnType<typeof createMadeUpSystem>;

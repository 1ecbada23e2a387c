import type { LineQuantity, NewOrder, Order } from '@evenkeel/marketplace-sandbox/control';
import { until, type Answer, type Seller } from './seller.ts';

export interface Row {
  readonly sequence: number;
  readonly type: string;
  readonly reason: string | null;
  readonly change: { readonly onHand: number; readonly orderReserve: number; readonly batchReserve: number; readonly available: number };
  readonly location: string | null;
  readonly user: { readonly kind: string; readonly id: string };
  readonly label: string | null;
  readonly batch: string | null;
  readonly reverses: string | null;
  readonly cause: string;
}
type Outcomes = Answer<{ batch: string; orders: { status: string; reason: string | null }[] }>;
interface OrderView {
  readonly sequence: number;
  readonly updatedAt: string;
  readonly lines: readonly { readonly cancelled: number; readonly fulfilled: number }[];
}

/** A row as it stands in the table: type, On Hand, Order Reserve, Batch Reserve, Available. */
const said = ({ type, reason, change: { onHand, orderReserve, batchReserve, available } }: Row): string =>
  [reason ? `${type} (${reason})` : type, onHand, orderReserve, batchReserve, available].join(' ');

/** What a product's ledger says beside its counts, oldest first. */
export const rowsOf = async (seller: Seller, sku: string): Promise<Row[]> =>
  ((await seller.movements(sku)) as unknown as Row[])
    .filter(({ type, reason }) => !(type === 'StockUpdate' && reason === null))
    .toReversed();

/** Waits until a product's ledger says just this. */
export const rowsAre = async (seller: Seller, sku: string, ...wanted: string[]): Promise<Row[]> =>
  until(
    `the ledger of ${sku} to say ${JSON.stringify(wanted)}`,
    async () => rowsOf(seller, sku),
    (rows) => JSON.stringify(rows.map(said)) === JSON.stringify(wanted),
  );

/** Waits until reservation has acted on all that the order service says of an order, also where that moved nothing. */
export async function settled(seller: Seller, store: string, order: string): Promise<void> {
  const path = `/stores/${store}/orders/${encodeURIComponent(order)}`;
  const { sequence } = (await seller.call<OrderView>('order', 'GET', path)).body;
  await until(
    `reservation to have seen entry ${sequence} of ${order}`,
    async () => (await seller.call<{ orderSequence: number }>('reservation', 'GET', `${path}/reservations`)).body.orderSequence,
    (seen) => seen >= sequence,
  );
}

/**
 * An order of one product, with a line for each of these quantities, that a shopper places at a store of the seller, and what becomes of it there and
 * in the warehouse. `item`: the listing, where its SKU does not name it.
 */
export async function openSale(
  seller: Seller,
  store: string,
  { sku, units = [2], item, ...more }: { sku: string; units?: readonly number[]; item?: string } & Omit<NewOrder, 'lines'>,
) {
  const { control } = seller;
  const shop = seller.shopOf(store);
  const lines = units.map((quantity) => (item === undefined ? { sku, quantity } : { inventoryItem: item, quantity }));
  let now: Order = await control.placeOrder(shop, { lines, ...more });
  const { id: order, name } = now;
  const path = `/stores/${store}/orders/${encodeURIComponent(order)}`;
  const lineOf = (index: number) => now.lines[index]?.id ?? '';
  const one = (body: object = {}) => ({ orders: [{ store, order, ...body }] });
  async function asked<Body>(status: number, call: Promise<Answer<Body>>): Promise<Body> {
    const answer = await call;
    if (answer.status !== status) throw new Error(`Expected ${status}, was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }
  async function allDone(status: number, call: Promise<Outcomes>): Promise<string> {
    const { batch, orders } = await asked(status, call);
    if (orders.some((outcome) => outcome.status !== 'done')) throw new Error(`Not all of it was done: ${JSON.stringify(orders)}`);
    return batch;
  }

  const sale = {
    sku,
    order,
    name,
    /** So many units of the first line: what a label, a pick, a void or a cancellation may name. */
    of: (quantity: number): { lines: LineQuantity[] } => ({ lines: [{ line: lineOf(0), quantity }] }),
    lineOf,

    /** The quantities that the buyer has it changed to, line by line. */
    async isEdited(...quantities: number[]): Promise<void> {
      now = await control.editOrder(shop, order, { lines: quantities.map((quantity, index) => ({ line: lineOf(index), quantity })) });
    },
    /** Without lines: the whole order. */
    async isCancelled(some: { lines?: LineQuantity[] } = {}): Promise<void> {
      now = await control.cancelOrder(shop, order, some);
    },
    /** Somebody says there that it is shipped; without lines, all of it. */
    async isShippedThere(some: { lines?: LineQuantity[] } = {}): Promise<void> {
      now = await control.fulfilOrder(shop, order, some);
    },
    /** Money goes back; with lines these units leave the order, too. */
    async isRefunded(some: { lines?: LineQuantity[] } = {}): Promise<void> {
      now = await control.refundOrder(shop, order, some);
    },
    /** Waits until the marketplace's last word has been read and acted on, also where it moved nothing. */
    async known(): Promise<void> {
      const accuracy = seller.connectorOf(store) === 'connector-etsy' ? 1_000 : 1; // Etsy says whole seconds
      const at = new Date(now.updatedAt - (now.updatedAt % accuracy)).toISOString();
      await until(
        `${order} as of ${at}`,
        async () => (await seller.call<Partial<OrderView>>('order', 'GET', path)).body,
        ({ updatedAt, lines: seen = [] }) =>
          updatedAt === at &&
          now.lines.every(({ quantity, unfulfilledQuantity }, index) => {
            const { cancelled = 0, fulfilled = 0 } = seen[index] ?? {};
            return cancelled + fulfilled === quantity - unfulfilledQuantity;
          }),
      );
      await settled(seller, store, order);
    },
    settled: async () => settled(seller, store, order),

    /** What has happened to it, as people read it; oldest first. */
    steps: async (): Promise<string[]> => {
      const { body } = await seller.call<{ steps: { type: string }[] }>('order', 'GET', `${path}/steps`);
      return body.steps.map(({ type }) => type).toReversed();
    },

    rows: async () => rowsOf(seller, sku),
    rowsAre: async (...wanted: string[]) => rowsAre(seller, sku, ...wanted),

    /** The label's id. */
    label: async (body: object = {}): Promise<string> =>
      (await asked(201, seller.label(store, order, body) as Promise<Answer<{ label: string }>>)).label,
    async voids(label: string, body: object = {}): Promise<void> {
      await asked(201, seller.call('order', 'POST', `${path}/labels/${label}/voids`, body));
    },
    /** Puts it into a pick batch of its own; the batch's id. */
    batch: async (body: object = {}): Promise<string> =>
      allDone(201, seller.call('reservation', 'POST', '/pick-batches', one(body)) as Promise<Outcomes>),
    async does(batch: string, what: 'picks' | 'short-picks' | 'removals', body: object = {}, more: object = {}): Promise<void> {
      await allDone(200, seller.call('reservation', 'POST', `/pick-batches/${batch}/${what}`, { ...one(body), ...more }));
    },
    async cancelsBatch(batch: string): Promise<void> {
      await asked(200, seller.call('reservation', 'POST', `/pick-batches/${batch}/cancel`));
    },
    /** Units of its lines on the list of what is to be put back. */
    async toPutBack(): Promise<{ line: string; quantity: number }[]> {
      const { body } = await seller.call<{ units: { order: string; line: string; quantity: number }[] }>(
        'reservation',
        'GET',
        '/to-put-back',
      );
      return body.units.filter((units) => units.order === order).map(({ line, quantity }) => ({ line, quantity }));
    },
    async isPutBack(body: object = {}): Promise<void> {
      await asked(201, seller.call('reservation', 'POST', `${path}/put-backs`, body));
    },
  };
  return sale;
}

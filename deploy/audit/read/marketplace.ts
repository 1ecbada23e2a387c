import { z } from 'zod';
import type { Shown } from '../facts.ts';
import { joinKey } from '../keys.ts';
import { Unreachable } from './unreachable.ts';

/** What the simulated marketplaces say over their control port; the auditor reads, and never changes anything. */

const page = <Row extends z.ZodType>(row: Row) => z.object({ rows: z.array(row), next: z.number().nullable() });

const shop = z.object({ name: z.string() });
const quantity = z.object({ inventoryItem: z.string(), location: z.string(), available: z.number() });
const write = z.object({
  number: z.number(),
  idempotencyKey: z.string(),
  inventoryItem: z.string(),
  location: z.string(),
  quantityBefore: z.number(),
  quantityAfter: z.number(),
  salesCounter: z.number(),
  at: z.number(),
});
type LoggedWrite = z.infer<typeof write>;
const sale = z.object({ number: z.number(), inventoryItem: z.string(), location: z.string(), quantity: z.number(), at: z.number() });

type LoggedSale = z.infer<typeof sale>;

/** The newest of a shop's logs: whether it has moved since, and when it last sold something, in its own time. */
export interface ShopPulse {
  readonly writes: number;
  readonly sales: number;
  readonly lastSaleAt: number | null;
}

const placeOf = (inventoryItem: string, location: string): string => joinKey(inventoryItem, location);

const pageSize = 5_000;

/** Reads the sandbox at its control port. Every method throws {@link Unreachable}. */
export function createMarketplaceReader(controlUrl: string) {
  const get = <Answer>(path: string, shape: z.ZodType<Answer>): Promise<Answer> =>
    Unreachable.where(`the sandbox (${controlUrl})`, async () => {
      const response = await fetch(new URL(`/__sim${path}`, controlUrl), { signal: AbortSignal.timeout(30_000) });
      if (!response.ok) throw new Error(`GET ${path} was answered ${response.status}: ${(await response.text()).slice(0, 200)}`);
      return shape.parse(await response.json());
    });

  async function* rows<Row>(name: string, log: string, shape: z.ZodType<Row>, from = 0): AsyncGenerator<Row> {
    for (let after: number | null = from; after !== null;) {
      const path: string = `/shops/${encodeURIComponent(name)}/${log}?after=${after}&limit=${pageSize}`;
      const { rows: read, next }: { rows: Row[]; next: number | null } = await get(path, page(shape));
      yield* read;
      after = next;
    }
  }

  const pulses = new Map<string, ShopPulse>();

  return {
    async shops(): Promise<Set<string>> {
      return new Set((await get('/shops', z.array(shop))).map(({ name }) => name));
    },

    /**
     * What each listing of a shop shows, by item and location, and all that was ever written to it; quantities are read last, so that nothing sold
     * is missing from the log.
     */
    async shown(name: string): Promise<{ shown: Map<string, Shown>; writes: LoggedWrite[]; sales: LoggedSale[] }> {
      const writes: LoggedWrite[] = [];
      for await (const row of rows(name, 'writes', write)) writes.push(row);
      const lastWrites = new Map(writes.map((row) => [placeOf(row.inventoryItem, row.location), row]));
      const soldSince = new Map<string, number>();
      const sales: LoggedSale[] = [];
      for await (const row of rows(name, 'sales', sale)) {
        const { number, inventoryItem, location, quantity: sold } = row;
        sales.push(row);
        const place = placeOf(inventoryItem, location);
        if (number > (lastWrites.get(place)?.salesCounter ?? 0)) soldSince.set(place, (soldSince.get(place) ?? 0) + sold);
      }
      const shown = new Map<string, Shown>();
      for await (const { inventoryItem, location, available } of rows(name, 'quantities', quantity)) {
        const place = placeOf(inventoryItem, location);
        const last = lastWrites.get(place);
        const lastWrite = last ? { number: last.number, idempotencyKey: last.idempotencyKey, quantity: last.quantityAfter } : null;
        shown.set(place, { quantity: available, lastWrite, soldSince: soldSince.get(place) ?? 0 });
      }
      return { shown, writes, sales };
    },

    /** Reads on from where it last read. */
    async pulse(name: string): Promise<ShopPulse> {
      let { writes, sales, lastSaleAt } = pulses.get(name) ?? { writes: 0, sales: 0, lastSaleAt: null };
      for await (const row of rows(name, 'writes', write, writes)) writes = row.number;
      for await (const row of rows(name, 'sales', sale, sales)) {
        sales = row.number;
        lastSaleAt = row.at;
      }
      const pulse = { writes, sales, lastSaleAt };
      pulses.set(name, pulse);
      return pulse;
    },
  };
}

export type MarketplaceReader = ReturnType<typeof createMarketplaceReader>;

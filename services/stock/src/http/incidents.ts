import type { Explanation } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { z } from 'zod';
import { reservationsBeyond } from '../ledger.ts';
import { iso, quantities, time, type StockJournal } from './shapes.ts';

const waitingOrders = z.object({
  quantities,
  orders: z
    .array(
      z.object({
        store: z.string(),
        order: z.string(),
        reserved: z.int().meta({ description: 'Units of it that are promised and not taken yet.' }),
        short: z.int().meta({ description: 'How many of them there are not.' }),
        at: time.meta({ description: 'When they were promised.' }),
      }),
    )
    .meta({
      description:
        'The newest reservations, until what is short is covered; fewer, or none, where On Hand itself is below zero: what left without being there is promised no longer.',
    }),
});

/** Of an oversold product: which orders it is that go beyond what there is, as it is now. */
export const oversoldExplanation = (journal: StockJournal): Explanation<typeof waitingOrders> => ({
  schema: waitingOrders,
  async of({ tenant, kind, subject }) {
    if (kind !== 'oversold') return null;
    const key = keyOf(tenant, subject);
    const { state } = await journal.state(key);
    const orders = await reservationsBeyond(journal, key, 0 - state.quantities.available);
    return {
      quantities: { ...state.quantities },
      orders: orders.map(({ order, at, ...rest }) => ({ ...order, ...rest, at: iso(at) })),
    };
  },
});

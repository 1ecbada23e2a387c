import { defineRoute, reply, text, type JournalReader, type Route } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { z } from 'zod';
import type { Reservation, ReservationEntry } from './domain.ts';

const answer = z.object({
  store: z.string(),
  order: z.string(),
  orderSequence: z.int().meta({ description: "Sequence of the order's last event that was acted on; 0: none yet." }),
  open: z.array(z.object({ sku: z.string(), quantity: z.int() })).meta({ description: 'Units promised and not yet deducted.' }),
  picked: z.array(
    z.object({
      line: z.string(),
      sku: z.string(),
      label: z.string().nullable().meta({ description: 'Null: by the word of the marketplace.' }),
      quantity: z.int(),
    }),
  ),
});

export const reservationRoutes = ({ journal }: { readonly journal: JournalReader<ReservationEntry, Reservation> }): Route[] => [
  defineRoute({
    method: 'get',
    path: '/stores/:store/orders/:order/reservations',
    summary: 'What an order holds of the stock',
    roles: [],
    params: z.strictObject({ store: text(64), order: text(128) }),
    responses: { 200: { description: 'What it holds; nothing for an order that nobody has heard of', schema: answer } },
    async handle({ identity: { tenant }, params: { store, order } }) {
      const { state } = await journal.state(keyOf(tenant, store, order));
      const open = state.open.map((units) => ({ ...units }));
      return reply(200, { store, order, orderSequence: state.orderSequence, open, picked: state.picked.map((units) => ({ ...units })) });
    },
  }),
];

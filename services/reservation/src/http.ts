import { defineRoute, reply, text, type JournalReader, type Route } from '@evenkeel/chassis';
import { keyOf } from '@evenkeel/contracts';
import { z } from 'zod';
import { inBatches, toPutBackOf, type HeldLine, type Reservation, type ReservationEntry } from './domain.ts';

const answer = z.object({
  store: z.string(),
  order: z.string(),
  orderSequence: z.int().meta({ description: "Sequence of the order's last event that was acted on; 0: none yet." }),
  open: z.array(z.object({ sku: z.string(), quantity: z.int() })).meta({ description: 'Units promised and not yet deducted.' }),
  lines: z.array(
    z.object({
      line: z.string(),
      sku: z.string(),
      orderReserve: z.int(),
      batches: z.array(z.object({ batch: z.string(), quantity: z.int() })).meta({ description: 'Units in pick batches, not picked yet.' }),
      toPutBack: z.int().meta({ description: 'Units that were cancelled after they had been picked.' }),
    }),
  ),
  picked: z.array(
    z.object({
      line: z.string(),
      sku: z.string(),
      label: z.string().nullable().meta({ description: 'With neither label nor batch: by the word of the marketplace.' }),
      batch: z.string().nullable(),
      quantity: z.int(),
    }),
  ),
});

function openBySku(lines: readonly HeldLine[]): z.input<typeof answer>['open'] {
  const sums = new Map<string, number>();
  for (const line of lines) sums.set(line.sku, (sums.get(line.sku) ?? 0) + line.orderReserve + inBatches(line));
  return [...sums].map(([sku, quantity]) => ({ sku, quantity })).filter(({ quantity }) => quantity > 0);
}

const linesOf = (lines: readonly HeldLine[]): z.input<typeof answer>['lines'] =>
  lines.map((line) => ({
    line: line.line,
    sku: line.sku,
    orderReserve: line.orderReserve,
    batches: line.batches.map((part) => ({ ...part })),
    toPutBack: toPutBackOf(line),
  }));

const pickedOf = (lines: readonly HeldLine[]): z.input<typeof answer>['picked'] =>
  lines.flatMap(({ line, sku, picked }) =>
    picked.flatMap(({ label, batch, quantity }) => (quantity > 0 ? [{ line, sku, label, batch, quantity }] : [])),
  );

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
      const { facts, lines } = state;
      return reply(200, {
        store,
        order,
        orderSequence: facts?.sequence ?? 0,
        open: openBySku(lines),
        lines: linesOf(lines),
        picked: pickedOf(lines),
      });
    },
  }),
];

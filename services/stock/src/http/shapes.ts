import { keyText, text, type JournalReader, type Sender, type WithIncidents } from '@evenkeel/chassis';
import { z } from 'zod';
import type { LedgerRow, SkuStock } from '../domain.ts';

/** What the routes of stock have in common. */

export type Commands = Pick<Sender, 'send'>;
export type StockJournal = JournalReader<LedgerRow, SkuStock & WithIncidents>;

export const sku = text(255);
export const location = keyText(64);
export const time = z.iso.datetime();
export const iso = (milliseconds: number): string => new Date(milliseconds).toISOString();
export const quantities = z
  .object({
    onHand: z.int(),
    orderReserve: z.int().meta({ description: 'Promised to orders, neither shipped nor in a pick batch.' }),
    batchReserve: z.int().meta({ description: 'In pick batches, not picked yet.' }),
    available: z.int().meta({ description: 'On Hand − Order Reserve − Batch Reserve; below zero: oversold.' }),
  })
  .meta({ id: 'Quantities', description: 'In units.' });
export const user = z
  .object({ kind: z.enum(['person', 'marketplace', 'system']), id: z.string() })
  .meta({ id: 'User', description: "Who did it: a person's id, the marketplace's name, or the part of the system." });

/** Where a list goes on, as text that nobody need understand. */
export const pagePosition = <Schema extends z.ZodType>(schema: Schema) => ({
  write: (position: z.input<Schema>): string => Buffer.from(JSON.stringify(position)).toString('base64url'),
  read: text(4_000).transform((written, context): z.output<Schema> => {
    const parsed = schema.safeParse(parse(written));
    if (parsed.success) return parsed.data;
    context.addIssue({ code: 'custom', message: 'expected `next` of the page before' });
    return z.NEVER;
  }),
});

function parse(written: string): unknown {
  try {
    return JSON.parse(Buffer.from(written, 'base64url').toString());
  } catch {
    return undefined;
  }
}

import type { EventName } from '@evenkeel/contracts';
import type { EventOf, Outgoing } from '../events.ts';
import type { Sender } from '../kafka/sender.ts';
import type { JournalEntry } from './aggregate.ts';
import type { JournalReader } from './reader.ts';

/**
 * Has a command decided by whoever owns its aggregate, and returns its entries; null where they are not in the journal after the time-out.
 * A repeat is answered from the journal, without a second command. Rejects with Unavailable while the broker does not take the command.
 */
export async function askJournal<Data>(
  {
    journal,
    sender,
  }: { readonly journal: Pick<JournalReader<Data, unknown>, 'caused' | 'answered'>; readonly sender: Pick<Sender, 'send'> },
  command: Outgoing & { readonly event: EventOf<EventName> },
  timeoutMilliseconds = 10_000,
): Promise<readonly JournalEntry<Data>[] | null> {
  const known = await journal.caused(command.event.id);
  if (known.length > 0) return known;
  await sender.send([command], { timeoutMilliseconds });
  return journal.answered(command.event.id, timeoutMilliseconds);
}

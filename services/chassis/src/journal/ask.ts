import type { EventName } from '@evenkeel/contracts';
import type { EventOf, Outgoing } from '../events.ts';
import type { Sender } from '../kafka/sender.ts';
import type { JournalEntry } from './aggregate.ts';
import type { JournalReader } from './reader.ts';

type Command = Outgoing & { readonly event: EventOf<EventName> };

/** Has many commands decided, each by the owner of its aggregate; by cause, those that are in the journal after the time-out. */
export async function askJournalAll<Data>(
  { journal, sender }: { readonly journal: Pick<JournalReader<Data, unknown>, 'answeredAll'>; readonly sender: Pick<Sender, 'send'> },
  commands: readonly Command[],
  timeoutMilliseconds = 10_000,
): Promise<ReadonlyMap<string, readonly JournalEntry<Data>[]>> {
  const causes = commands.map(({ event }) => event.id);
  const known = await journal.answeredAll(causes, 0);
  const fresh = commands.filter(({ event }) => !known.has(event.id));
  if (fresh.length === 0) return known;
  await sender.send(fresh, { timeoutMilliseconds });
  return journal.answeredAll(causes, timeoutMilliseconds);
}

/**
 * Has a command decided by whoever owns its aggregate, and returns its entries; null where they are not in the journal after the time-out.
 * A repeat is answered from the journal, without a second command. Rejects with Unavailable while the broker does not take the command.
 */
export async function askJournal<Data>(
  {
    journal,
    sender,
  }: { readonly journal: Pick<JournalReader<Data, unknown>, 'caused' | 'answered'>; readonly sender: Pick<Sender, 'send'> },
  command: Command,
  timeoutMilliseconds = 10_000,
): Promise<readonly JournalEntry<Data>[] | null> {
  const known = await journal.caused(command.event.id);
  if (known.length > 0) return known;
  await sender.send([command], { timeoutMilliseconds });
  return journal.answered(command.event.id, timeoutMilliseconds);
}

import type { EventOf, JournalReader, Logger, Outgoing, Sender } from '@evenkeel/chassis';
import { keyOf, topics } from '@evenkeel/contracts';
import { unknownSku, type LedgerRow, type Product, type SkuStock } from './domain.ts';
import type { ImportDocument, ImportPart, ImportStore, RefusedRow } from './import-store.ts';
import type { PlannedRow } from './imports.ts';

interface ImportWorkerOptions {
  readonly imports: ImportStore;
  readonly journal: Pick<JournalReader<LedgerRow, SkuStock>, 'answeredAll' | 'states'>;
  readonly sender: Pick<Sender, 'send'>;
  readonly log: Logger;
}

export interface ImportWorker extends AsyncDisposable {
  /** There is something to do. */
  wake(): void;
}

const pollMilliseconds = 1_000;
const answerMilliseconds = 20_000;

/** Derived from the import and its line: however often a part is applied, each row takes effect once. */
const causeOf = ({ tenant, id }: ImportDocument, line: number, what: 'settings' | 'count'): string =>
  `command/${encodeURIComponent(tenant)}/import-${id}/${line}/${what}`;

function commandsOf(document: ImportDocument, { line, sku, settings, said, count }: PlannedRow, product: Product): Outgoing[] {
  const { tenant, begun } = document;
  if (!begun) throw new Error(`The import ${document.id} is applied, but nobody asked for it.`);
  const { user: id, correlation } = begun;
  const time = begun.at.getTime();
  const about = { tenant, sku, user: { kind: 'person', id }, at: time } as const;
  const command = (event: EventOf<'SetProduct' | 'UpdateStock'>): Outgoing => ({ topic: topics.stockCommands, key: [tenant, sku], event });
  const commands: Outgoing[] = [];
  if (settings)
    commands.push(
      command({ id: causeOf(document, line, 'settings'), type: 'SetProduct', time, correlation, data: { ...about, ...product, ...said } }),
    );
  if (count)
    commands.push(
      command({ id: causeOf(document, line, 'count'), type: 'UpdateStock', time, correlation, data: { ...about, ...count, reason: null } }),
    );
  return commands;
}

/**
 * Applies imports part by part: each row becomes commands to its product, and its answer is read from the ledger. It goes on where it was after a
 * crash, on whichever replica; a part that was begun is sent again, under the same ids.
 */
export function startImportWorker({ imports, journal, sender, log }: ImportWorkerOptions): ImportWorker {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let isStopped = false;

  /** Null: not everything is answered yet. */
  async function applyPart(document: ImportDocument, { rows }: ImportPart): Promise<RefusedRow[] | null> {
    // What the file says nothing of stays as it is now, not as it was when the file was looked at.
    const keys = new Map(rows.map(({ sku }) => [sku, keyOf(document.tenant, sku)]));
    const states = await journal.states([...keys.values()]);
    const commands = rows.flatMap((row) => commandsOf(document, row, (states.get(keys.get(row.sku) ?? '')?.state ?? unknownSku).product));
    await sender.send(commands, { timeoutMilliseconds: answerMilliseconds });
    const causes = commands.flatMap(({ event }) => (event ? [event.id] : []));
    const answers = await journal.answeredAll(causes, answerMilliseconds);
    if (causes.some((cause) => !answers.has(cause))) return null;
    return rows.flatMap(({ line, sku }) => {
      const entries = (['settings', 'count'] as const).flatMap((what) => answers.get(causeOf(document, line, what)) ?? []);
      const refused = entries.find(({ data }) => data.refused !== null)?.data.refused;
      return refused ? [{ line, sku, reason: refused }] : [];
    });
  }

  async function apply(document: ImportDocument): Promise<void> {
    for (let part = await imports.nextPart(document); part; part = await imports.nextPart(document)) {
      if (isStopped) return imports.release(document);
      const refused = await applyPart(document, part);
      if (refused) await imports.finishPart(part, refused);
      await imports.keep(document, Date.now());
    }
    await imports.finish(document);
    log.info({ import: document.id, rows: document.changes }, 'An import is applied.');
  }

  async function work(): Promise<void> {
    try {
      for (let next = await imports.claim(Date.now()); next && !isStopped; next = await imports.claim(Date.now())) await apply(next);
    } catch (error) {
      log.warn({ error }, 'An import waits: what it needs does not answer. It goes on when it does.');
    }
  }

  function wake(): void {
    if (isStopped || running) return;
    clearTimeout(timer);
    running = work().finally(() => {
      running = undefined;
      if (!isStopped) timer = setTimeout(wake, pollMilliseconds);
    });
  }
  wake();

  return {
    wake,
    async [Symbol.asyncDispose]() {
      isStopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

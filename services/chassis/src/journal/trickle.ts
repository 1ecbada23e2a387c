import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import type { JournalDocument } from './documents.ts';

const pageSize = 100;

/**
 * Republishes the heads of the owned aggregates, one by one, for ever: a replica that stalled between its alive check and its send
 * may have put an old record last in a compacted topic, and this puts the newest last again.
 */
export function startTrickle({
  milliseconds,
  journal,
  owned,
  republishHeads,
  log,
}: {
  milliseconds: number;
  journal: Collection<JournalDocument<unknown>>;
  owned: () => ReadonlySet<number>;
  republishHeads: (lane: number, key: string) => Promise<void>;
  log: Logger;
}) {
  let page: { lane: number; aggregate: string }[] = [];
  let after: { lane: number; aggregate: string } = { lane: -1, aggregate: '' };
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> = Promise.resolve();
  let stopped = milliseconds === 0;

  /** The next aggregates in the order of lane and name, beginning anew at the end; every aggregate has one document from 1. */
  async function nextPage(): Promise<void> {
    const lanes = [...owned()].toSorted((a, b) => a - b);
    for (const lane of lanes.filter((number) => number >= after.lane)) {
      const aggregate = lane === after.lane ? { $gt: after.aggregate } : { $gt: '' };
      const found = await journal
        .find({ from: 1, lane, aggregate }, { projection: { aggregate: 1, _id: 0 } })
        .sort({ aggregate: 1 })
        .limit(pageSize)
        .toArray();
      if (found.length === 0) continue;
      page = found.map(({ aggregate: name }) => ({ lane, aggregate: name }));
      return;
    }
    after = { lane: -1, aggregate: '' };
  }

  async function step(): Promise<void> {
    try {
      if (page.length === 0) await nextPage();
      const next = page.shift();
      if (next === undefined) return;
      after = next;
      if (owned().has(next.lane)) await republishHeads(next.lane, next.aggregate);
    } catch (error) {
      page = [];
      log.debug({ error }, 'The trickle of heads waits for the next turn.');
    }
  }

  function schedule(): void {
    if (stopped) return;
    timer = setTimeout(() => {
      running = step().then(schedule);
    }, milliseconds);
  }
  schedule();

  return {
    async stop(): Promise<void> {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}

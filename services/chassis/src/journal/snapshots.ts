import type { Collection } from 'mongodb';
import type { Logger } from 'pino';
import { putNewer } from '../mongo.ts';
import type { Snapshot } from './documents.ts';

/** Writes snapshots behind the slices, one call at a time; a lost one only makes a later load longer. */
export function createSnapshots<State>(collection: Collection<Snapshot<State>>, log: Logger) {
  const waiting = new Map<string, Snapshot<State>>();
  let running: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    while (waiting.size > 0) {
      const batch = [...waiting.values()];
      waiting.clear();
      try {
        await putNewer(collection, 'sequence', batch);
      } catch (error) {
        log.warn({ error }, 'Snapshots could not be written: the next ones will be.');
      }
    }
    running = undefined;
  }

  return {
    /** Only a state of which everything is published and acknowledged. */
    write(snapshot: Snapshot<State>): void {
      waiting.set(snapshot._id, snapshot);
      running ??= writeAll();
    },
    settled: async (): Promise<void> => running,
  };
}

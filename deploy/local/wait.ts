import { setTimeout as delay } from 'node:timers/promises';

/**
 * Asks again and again until the answer is neither undefined nor false.
 * @throws when `seconds` have passed (the message names `what` and the last error), or when the signal is aborted
 */
export async function waitFor<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  { seconds, signal, everyMilliseconds = 100 }: { seconds: number; signal?: AbortSignal | undefined; everyMilliseconds?: number },
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (let last: unknown; ;) {
    signal?.throwIfAborted();
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      if (error instanceof ChildEnded) throw error;
      last = error;
    }
    if (Date.now() > deadline) throw new Error(`${what} is not there after ${seconds} s`, { cause: last });
    await delay(everyMilliseconds, undefined, signal ? { signal } : {});
  }
}

/** What is waited for will not come: the process that was to bring it has ended. */
export class ChildEnded extends Error {}

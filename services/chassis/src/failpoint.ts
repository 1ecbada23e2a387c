import { readFileSync, unlinkSync } from 'node:fs';
import type { Step } from './journal/journal.ts';

/**
 * For tests of crashes: while the file holds the name of a step, the process kills itself there, as kill -9 would, and removes the file first so
 * that it happens once. Undefined where no path is configured, as in production.
 */
export function failpointAt(path: string | undefined): ((step: Step) => void) | undefined {
  if (path === undefined) return undefined;
  return (step) => {
    if (wanted(path) !== step) return;
    unlinkSync(path);
    process.kill(process.pid, 'SIGKILL');
  };
}

function wanted(path: string): string | null {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return null;
  }
}

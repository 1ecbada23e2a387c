import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Addresses } from './application.ts';
import { lockHolder } from './processes.mjs';
import { root } from './toolbox.mjs';

/** Where `npm start` keeps its state, logs and locks. */
export const stateDirectory = join(root, '.local');
export const startLock = join(stateDirectory, 'start.lock');
const path = join(stateDirectory, 'running.json');

/** Where what `npm start` runs can be reached; undefined when it does not run, or has not come up yet. */
export function readRunning(): Addresses | undefined {
  return lockHolder(startLock) !== undefined && existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Addresses) : undefined;
}

export function announce(addresses: Addresses): Disposable {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(addresses, null, 2));
  return { [Symbol.dispose]: () => rmSync(path, { force: true }) };
}

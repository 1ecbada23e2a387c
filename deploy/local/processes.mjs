// Plain JavaScript, because set-up needs it on Node 20 with nothing installed.
import { spawnSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** @typedef {{ pid: number, identity: string, rank: number }} ProcessRecord */

/**
 * What tells a living process from a later one that was given the same number; undefined when there is none (a zombie counts as none).
 * @param {number} pid
 * @returns {string | undefined}
 */
export function identityOf(pid) {
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-o', 'stat=,lstart=', '-p', String(pid)], { encoding: 'utf8' });
    const [state, ...started] = stdout.trim().split(/\s+/);
    return !state || state.startsWith('Z') ? undefined : started.join(' ');
  }
  try {
    // The name in the second field may hold spaces and brackets: count from behind the last bracket. State is field 3, start time field 22.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : `${boot}/${fields[19]}`;
  } catch {
    return undefined;
  }
}

/** @param {string} path @returns {ProcessRecord | undefined} */
function readRecord(path) {
  try {
    const record = JSON.parse(readFileSync(path, 'utf8'));
    return identityOf(record.pid) === record.identity ? record : undefined;
  } catch {
    return undefined;
  }
}

/** @param {string} directory @param {string} name */
const recordPath = (directory, name) => join(directory, 'run', `${name}.json`);

/**
 * Notes a process that was just started, so that the next start finds it should this one be killed.
 * @param {string} directory the state directory
 * @param {string} name
 * @param {number} pid
 * @param {number} rank higher ranks are stopped first
 */
export function recordProcess(directory, name, pid, rank) {
  const path = recordPath(directory, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify({ pid, identity: identityOf(pid) ?? 'gone', rank }));
}

/** @param {string} directory @param {string} name */
export function forgetProcess(directory, name) {
  rmSync(recordPath(directory, name), { force: true });
}

/**
 * Signals a process and all that it started (each is started as the leader of its own group).
 * @param {number} pid
 * @param {NodeJS.Signals} signal
 */
export function signalGroup(pid, signal) {
  try {
    process.kill(-pid, signal);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ESRCH') throw error;
  }
}

/**
 * Ends the processes that an earlier run left behind, and only those: a record counts only while the very process it names lives.
 * @param {string} directory the state directory
 * @param {{ graceSeconds: number }} options how long a process may take to end by itself; 0 kills at once
 * @returns {Promise<string[]>} the names of those found alive
 */
export async function killLeftovers(directory, { graceSeconds }) {
  const run = join(directory, 'run');
  mkdirSync(run, { recursive: true });
  const names = readdirSync(run).flatMap((file) => (file.endsWith('.json') ? [file.slice(0, -'.json'.length)] : []));
  const found = names.flatMap((name) => {
    const record = readRecord(recordPath(directory, name));
    return record ? [{ name, ...record }] : [];
  });
  const ranks = [...new Set(found.map(({ rank }) => rank))].sort((a, b) => b - a);
  for (const rank of ranks) await Promise.all(found.filter((each) => each.rank === rank).map((each) => end(each, graceSeconds)));
  for (const name of names) forgetProcess(directory, name);
  return found.map(({ name }) => name);
}

/** @param {ProcessRecord} record @param {number} graceSeconds */
async function end({ pid, identity }, graceSeconds) {
  const deadline = Date.now() + graceSeconds * 1000;
  if (graceSeconds > 0) signalGroup(pid, 'SIGTERM');
  while (identityOf(pid) === identity) {
    if (Date.now() >= deadline) signalGroup(pid, 'SIGKILL');
    await delay(50);
  }
}

/**
 * Takes a lock that a dead owner cannot hold. Its file names the owner's process.
 * @param {string} path
 * @returns {{ held: true, release: () => void } | { held: false, pid: number }} held: false when a living process has it
 */
export function takeLock(path) {
  mkdirSync(dirname(path), { recursive: true });
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, JSON.stringify({ pid: process.pid, identity: identityOf(process.pid), rank: 0 }));
  try {
    for (;;) {
      try {
        linkSync(mine, path); // appears with its content, or not at all
        return { held: true, release: () => rmSync(path, { force: true }) };
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'EEXIST') throw error;
      }
      const owner = readRecord(path);
      if (owner) return { held: false, pid: owner.pid };
      try {
        renameSync(path, `${mine}.stale`); // of several that find it stale, one moves it away
        if (readRecord(`${mine}.stale`)) linkSync(`${mine}.stale`, path); // another had replaced it meanwhile
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ENOENT') throw error;
      }
    }
  } finally {
    rmSync(mine, { force: true });
    rmSync(`${mine}.stale`, { force: true });
  }
}

/**
 * @param {string} path
 * @returns {number | undefined} the process that holds the lock, if one does
 */
export function lockHolder(path) {
  return readRecord(path)?.pid;
}

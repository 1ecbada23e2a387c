import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { type ChildSpec, openChild, rank, runChild } from '../child.ts';
import { identityOf, killLeftovers, recordProcess, takeLock } from '../processes.mjs';
import { waitFor } from '../wait.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'evenkeel-child-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const script = new URL('./fixtures/listener.mjs', import.meta.url).pathname;
const spec = (how: string, more: Partial<ChildSpec> = {}): ChildSpec => ({
  name: 'stand-in',
  directory,
  command: process.execPath,
  args: [script, how],
  rank: rank.service,
  ...more,
});
const says = (path: string, text: string) =>
  waitFor(`"${text}" in ${path}`, async () => readFileSync(path, 'utf8').includes(text), { seconds: 10 });
const recorded = () => existsSync(join(directory, 'run', 'stand-in.json'));

test('a service that is stopped drains first, and leaves no record', async () => {
  const child = openChild(spec('serve'));
  await says(child.logPath, 'up');
  expect(recorded()).toBe(true);
  await child[Symbol.asyncDispose]();
  expect(readFileSync(child.logPath, 'utf8')).toContain('drained');
  expect([child.pid, recorded()]).toEqual([undefined, false]);
});

test('one that will not stop is killed when its time is over', async () => {
  const child = openChild(spec('stubborn', { stopSeconds: 0.2 }));
  await says(child.logPath, 'up');
  const pid = child.pid!;
  await child[Symbol.asyncDispose]();
  expect(identityOf(pid)).toBeUndefined();
});

test('one that was killed is started again, unless it was killed on purpose', async () => {
  const ends: string[] = [];
  await using child = openChild(spec('serve', { restart: true, onEnded: (how, seconds) => ends.push(`${how}, again in ${seconds} s`) }));
  const first = child.pid!;
  process.kill(first, 'SIGKILL');
  await waitFor('another process', async () => child.pid !== undefined && child.pid !== first, { seconds: 10 });
  expect([ends, child.restarts]).toEqual([['killed by SIGKILL, again in 0.5 s'], 1]);
  await child.kill('SIGKILL');
  expect([child.pid, child.restarts, ends.length]).toEqual([undefined, 1, 1]);
});

test('one that fails while it is waited for says what its log ended with', async () => {
  await using child = openChild(spec('fail'));
  const never = child.waitFor('the stand-in', async () => false, { seconds: 10 });
  await expect(never).rejects.toThrow(/stand-in ended by itself \(exit code 3\).*cannot go on/s);
  await expect(runChild(spec('fail'), undefined)).rejects.toThrow(/failed \(exit code 3\).*cannot go on/s);
});

test('what a killed run left behind is ended, and nobody else', async () => {
  const left = openChild(spec('serve')); // as after a kill -9 of its supervisor: nobody disposes of it
  const stranger = spawn(process.execPath, [script, 'serve'], { detached: true, stdio: 'ignore' });
  recordProcess(directory, 'earlier', stranger.pid!, 0);
  const record = join(directory, 'run', 'earlier.json');
  writeFileSync(record, readFileSync(record, 'utf8').replace(/"identity":"[^"]*"/, '"identity":"one that ended long ago"'));
  try {
    expect(await killLeftovers(directory, { graceSeconds: 5 })).toEqual(['stand-in']);
    await waitFor('the end', async () => left.pid === undefined, { seconds: 5 });
    expect(identityOf(stranger.pid!)).toBeDefined();
    expect(existsSync(record)).toBe(false);
  } finally {
    stranger.kill('SIGKILL');
  }
});

test('a second start finds the lock taken and is told by whom; a dead holder counts for nothing', async () => {
  const path = join(directory, 'start.lock');
  const mine = takeLock(path);
  expect(takeLock(path)).toEqual({ held: false, pid: process.pid });
  if (mine.held) mine.release();
  const code = `const { takeLock } = await import(${JSON.stringify(new URL('../processes.mjs', import.meta.url).href)}); takeLock(${JSON.stringify(path)});`;
  await runChild(spec('', { args: ['--input-type=module', '-e', code] }), undefined);
  expect(existsSync(path)).toBe(true);
  expect(takeLock(path).held).toBe(true);
});

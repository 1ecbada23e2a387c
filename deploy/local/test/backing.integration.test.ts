import { mkdirSync, mkdtempSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { MongoClient } from 'mongodb';
import { testDirectory } from '../../testing/backing.ts';
import { openBacking } from '../backing.ts';
import { openChild, rank } from '../child.ts';
import { freePorts } from '../ports.ts';
import { identityOf } from '../processes.mjs';

test('what was stored before everything was killed is there after the next start, and no process is left over', async () => {
  mkdirSync(testDirectory(), { recursive: true });
  const newDirectory = () => mkdtempSync(join(testDirectory(), 'system-'));
  const directory = newDirectory();
  const script = new URL('./fixtures/open-backing.ts', import.meta.url).pathname;
  await using first = openChild({
    name: 'starter',
    directory: newDirectory(),
    command: process.execPath,
    args: [script, directory],
    rank: rank.demo,
  });
  await first.waitFor('a stored order', async () => readFileSync(first.logPath, 'utf8').includes('stored'), { seconds: 60 });
  const left = pidsIn(directory);
  expect(left.length).toBeGreaterThan(0);
  await first.kill('SIGKILL');

  await using again = await openBacking({ directory, ports: await freePorts(), temporary: true });
  expect(left.filter((pid) => identityOf(pid) !== undefined)).toEqual([]);
  await using client = new MongoClient(again.mongoUrl);
  expect(await client.db('shop').collection('orders').countDocuments({ number: 1001 })).toBe(1);
}, 180_000);

const pidsIn = (directory: string) =>
  readdirSync(join(directory, 'run')).map(
    (file) => (JSON.parse(readFileSync(join(directory, 'run', file), 'utf8')) as { pid: number }).pid,
  );

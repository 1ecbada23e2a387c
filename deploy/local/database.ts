import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { MongoClient } from 'mongodb';
import { type Child, openChild, rank } from './child.ts';
import { type DatabaseKind, installedMongod, secantus, secantusRust } from './toolbox.mjs';

type NativeKind = Exclude<DatabaseKind, 'url' | 'docker'>;
type Program = { command: string; args: string[] };

export const databaseTitles: Readonly<Record<DatabaseKind, string>> = {
  url: 'the database that MONGO_URL names',
  docker: 'MongoDB in Docker',
  mongod: 'MongoDB (mongod of mongodb-memory-server)',
  secantus: 'SecantusDB, Python server (stands in for MongoDB on this machine; never for production)',
  'secantus-rust': 'SecantusDB, Rust server (stands in for MongoDB on this machine; never for production)',
};

/** How to run each that needs no Docker; undefined where it is not installed. Each makes an acknowledged write survive a kill. */
const natives: Readonly<Record<NativeKind, (data: string, port: number) => Program | undefined>> = {
  mongod: (data, port) => {
    const command = installedMongod();
    return command ? { command, args: ['--dbpath', data, '--bind_ip', '127.0.0.1', '--port', String(port), '--nounixsocket'] } : undefined;
  },
  secantus: (data, port) =>
    existsSync(secantus.complete) ? { command: secantus.program, args: secantusArguments(data, port, []) } : undefined,
  'secantus-rust': (data, port) =>
    existsSync(secantusRust.program)
      ? { command: secantusRust.program, args: secantusArguments(data, port, ['--cache-size', '512M']) }
      : undefined,
};

// Without --sync-on-commit a kill -9 loses acknowledged documents.
const secantusArguments = (data: string, port: number, more: string[]) =>
  ['--host', '127.0.0.1', '--port', String(port), '--storage-path', data, '--sync-on-commit'].concat(more);

export const isNative = (kind: DatabaseKind): kind is NativeKind => kind in natives;
export const isInstalled = (kind: NativeKind) => natives[kind]('', 0) !== undefined;

/** A database server, ready to serve; its data lies in data/database. */
export async function openNativeDatabase(options: {
  directory: string;
  port: number;
  kind: NativeKind;
  signal?: AbortSignal | undefined;
}): Promise<Child> {
  const { directory, port, kind, signal } = options;
  const data = join(directory, 'data', 'database');
  mkdirSync(data, { recursive: true });
  const program = natives[kind](data, port);
  if (!program) throw new Error(`${databaseTitles[kind]} is not installed: run "node deploy/local/setup.mjs"`);
  const child = openChild({ name: 'database', directory, ...program, rank: rank.backing, restart: true, stopSeconds: 30 });
  try {
    await child.waitFor('The database', () => databaseAnswers(localMongoUrl(port)), { seconds: 120, signal });
    return child;
  } catch (error) {
    await child[Symbol.asyncDispose]();
    throw error;
  }
}

export const localMongoUrl = (port: number) => `mongodb://127.0.0.1:${port}/?directConnection=true`;

/** @throws while it does not answer */
export async function databaseAnswers(url: string): Promise<true> {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 1000, connectTimeoutMS: 1000 });
  try {
    await client.db('admin').command({ ping: 1 });
    return true;
  } finally {
    await client.close();
  }
}

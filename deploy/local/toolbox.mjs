// Plain JavaScript, because set-up needs it on Node 20 with nothing installed.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../..', import.meta.url));

/** All that is downloaded lies here, outside the clone, and is shared by every clone. */
export const cache = join(homedir(), '.cache', 'evenkeel');

const pom = join(root, 'deploy', 'local', 'kafka', 'pom.xml');
const secantusVersion = '0.7.0b3';
const secantusDirectory = join(cache, `secantus-${secantusVersion}`);
const secantusRustDirectory = join(cache, 'secantus-mdb-0.5.3-beta.193');

/** Kafka and the registry: another pom is another directory, which appears only when it is complete. */
export const jvm = { pom, directory: join(cache, `jvm-${createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)}`) };
/** SecantusDB's Python server; the file `complete` is written last. */
export const secantus = {
  package: `SecantusDB==${secantusVersion}`,
  directory: secantusDirectory,
  program: join(secantusDirectory, 'bin', 'secantusd-py'),
  complete: join(secantusDirectory, '.complete'),
};
/** SecantusDB's Rust server, which is never installed by set-up (it builds for minutes) but may be there for benchmarks. */
export const secantusRust = { program: join(secantusRustDirectory, 'bin', 'secantusd-rs') };
/** A real mongod, found by mongodb-memory-server; `program` holds its path and is written last. */
export const mongod = { version: '8.0.12', directory: join(cache, 'mongod'), program: join(cache, 'mongod', 'program-8.0.12') };

/** @typedef {'url' | 'docker' | 'mongod' | 'secantus' | 'secantus-rust'} DatabaseKind */

/** @returns {string | undefined} path of a mongod that was downloaded before */
export function installedMongod() {
  if (!existsSync(mongod.program)) return undefined;
  const path = readFileSync(mongod.program, 'utf8').trim();
  return existsSync(path) ? path : undefined;
}

export const javaCommand = () => (process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java');

/**
 * Runs a short command and never throws.
 * @param {string} command
 * @param {readonly string[]} args
 * @param {number} seconds after which it is killed
 * @returns {Promise<{ ok: boolean, output: string }>} ok: it was there, and ended with 0 in time
 */
export function ask(command, args, seconds) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], timeout: seconds * 1000, killSignal: 'SIGKILL' });
    child.stdout.on('data', (chunk) => (output += chunk));
    child.stderr.on('data', (chunk) => (output += chunk));
    child.on('error', () => resolve({ ok: false, output }));
    child.on('close', (code) => resolve({ ok: code === 0, output }));
  });
}

/** A Docker client without an engine answers too, but not with 0. */
export const dockerAnswers = async () => (await ask('docker', ['version', '--format', '{{.Server.Version}}'], 3)).ok;

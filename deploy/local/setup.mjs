// Set-up for `npm start`, `npm test` and `npm run check`: plain JavaScript that Node 20 runs with nothing installed.
// Every step looks whether what it makes is there and complete, and runs only if not; so a set-up that was interrupted is repaired by the next.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { forgetProcess, identityOf, killLeftovers, lockHolder, recordProcess, signalGroup, takeLock } from './processes.mjs';
import { ask, cache, dockerAnswers, installedMongod, javaCommand, jvm, mongod, root, secantus } from './toolbox.mjs';

const stateDirectory = join(root, '.local', 'setup');
const modules = join(root, 'node_modules');
const began = Date.now();
const packagesOnly = process.argv.includes('--packages-only');

/** A problem whose message tells the reader all that a stack trace would not. */
class SetupError extends Error {}

/** @type {Map<string, import('node:child_process').ChildProcess>} */
const running = new Map();
/** @type {Map<string, number>} when each step that is not done yet began */
const busy = new Map();
let stopping = false;

/**
 * On standard error: what a tool prints on standard output is its answer.
 * @param {string} line
 */
const say = (line) => console.error(`[set-up] ${line}`);
/** @param {number} since */
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

/**
 * Runs a program as the leader of its own process group; its output goes to a log whose end is shown when it fails.
 * @param {string} name
 * @param {string} command
 * @param {readonly string[]} args
 * @returns {Promise<void>}
 */
async function run(name, command, args) {
  if (stopping) throw new SetupError('stopped');
  mkdirSync(stateDirectory, { recursive: true });
  const log = join(stateDirectory, `${name}.log`);
  const output = openSync(log, 'w');
  const child = spawn(command, args, { cwd: root, detached: true, stdio: ['ignore', output, output] });
  closeSync(output);
  running.set(name, child);
  if (child.pid) recordProcess(stateDirectory, name, child.pid, 0);
  /** @type {string} */
  const outcome = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code, signal) => resolve(code === 0 ? '' : `ended with ${signal ?? code}`));
  });
  running.delete(name);
  forgetProcess(stateDirectory, name);
  if (outcome === '') return;
  const tail = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-15).join('\n');
  throw new SetupError(`${command} ${args.slice(0, 3).join(' ')} … ${outcome}; the end of ${log}:\n${tail}`);
}

/**
 * @param {string} title
 * @param {() => Promise<void>} work
 */
async function step(title, work) {
  const since = Date.now();
  say(`${title} …`);
  busy.set(title, since);
  try {
    await work();
    say(`${title}: done in ${seconds(since)}`);
  } finally {
    busy.delete(title);
  }
}

// ── npm packages and Node 24 ────────────────────────────────────────────────────────────────────────────────────────

const lockfile = join(root, 'package-lock.json');
const stampPath = join(modules, '.evenkeel-stamp'); // inside node_modules, so that it goes when they go
const lockfileHash = () => createHash('sha256').update(readFileSync(lockfile)).digest('hex');

function packagesAreInstalled() {
  if (existsSync(stampPath) && readFileSync(stampPath, 'utf8') === lockfileHash()) return true;
  // npm writes this file last. Where each package in it is the lockfile's, somebody ran npm: nothing to do again.
  const installed = join(modules, '.package-lock.json');
  if (!existsSync(installed)) return false;
  const wanted = JSON.parse(readFileSync(lockfile, 'utf8')).packages;
  const there = JSON.parse(readFileSync(installed, 'utf8')).packages;
  const paths = Object.keys(wanted).filter((path) => path.includes('node_modules/')); // the others are our own folders
  const same = paths.every((path) => (there[path] ? JSON.stringify(wanted[path]) === JSON.stringify(there[path]) : wanted[path].optional));
  if (same) writeFileSync(stampPath, lockfileHash());
  return same;
}

async function installPackages() {
  const npm = process.env.npm_execpath;
  const [command, first] = npm ? [process.env.npm_node_execpath ?? process.execPath, [npm]] : ['npm', []];
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error', '--prefer-offline'];
  await run('packages', command, [...first, 'ci', ...quiet]);
  writeFileSync(stampPath, lockfileHash());
}

const localNode = join(modules, '.bin', 'node');
const answersAs24 = async () => (await ask(existsSync(localNode) ? localNode : 'node', ['--version'], 10)).output.startsWith('v24.');

/** npm 10 leaves the link to Node out when several platforms' packages are listed. */
async function linkNode() {
  const platform = `node-${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
  if (existsSync(join(modules, platform))) {
    const npm = process.env.npm_execpath;
    const [command, first] = npm ? [process.env.npm_node_execpath ?? process.execPath, [npm]] : ['npm', []];
    await run('node', command, [...first, 'rebuild', platform, '--ignore-scripts']);
  }
  if (!(await answersAs24())) {
    throw new SetupError('Node 24 is needed, and npm has none for this platform: install Node 24 (https://nodejs.org) and try again.');
  }
}

// ── Kafka and the schema registry ───────────────────────────────────────────────────────────────────────────────────

async function fetchJvm() {
  for (const name of readdirSync(cache))
    if (name.startsWith('jvm-') && name.endsWith('.part')) rmSync(join(cache, name), { recursive: true });
  const part = `${jvm.directory}.part`;
  await run('maven', 'mvn', ['-B', '-q', '-ntp', 'package', '-f', jvm.pom, `-Devenkeel.output=${part}`]);
  renameSync(part, jvm.directory);
}

// ── Database ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** Whether MongoDB's download server can be reached at all; found out beside the other steps, since a silent host takes its time. */
async function mongodDownloadAnswers() {
  if (process.env.HTTPS_PROXY ?? process.env.https_proxy) return true; // fetch would not take the proxy; the download itself does
  try {
    await fetch(process.env.MONGOMS_DOWNLOAD_MIRROR ?? 'https://fastdl.mongodb.org', {
      method: 'HEAD',
      signal: AbortSignal.timeout(10_000),
    });
    return true;
  } catch {
    return false;
  }
}

/** @param {string} directory @returns {number} bytes in all files */
function sizeOf(directory) {
  const paths = readdirSync(directory, { recursive: true, encoding: 'utf8' });
  return paths.reduce((sum, path) => sum + (statSync(join(directory, path), { throwIfNoEntry: false })?.size ?? 0), 0);
}

/** mongodb-memory-server hangs for minutes on a silent host, so it runs in a child that ends when nothing more arrives. */
async function fetchMongod() {
  rmSync(mongod.directory, { recursive: true, force: true });
  mkdirSync(mongod.directory, { recursive: true });
  const downloaded = run('mongod', localNode, [join(root, 'deploy', 'local', 'mongod.mjs')]);
  let done = false;
  const settled = downloaded.finally(() => (done = true));
  settled.catch(() => {});
  let size = 0;
  for (let deadline = Date.now() + 10_000; !done; await delay(250)) {
    const now = sizeOf(mongod.directory);
    if (now > size) [size, deadline] = [now, Date.now() + 30_000];
    if (Date.now() > deadline) await end('mongod');
  }
  await settled;
}

async function findPython() {
  for (const command of ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10']) {
    const { ok, output } = await ask(command, ['--version'], 10);
    const minor = Number(/^Python 3\.(\d+)/.exec(output)?.[1]);
    if (ok && minor >= 10 && minor <= 13) return command;
  }
  return undefined;
}

/** @param {string} python */
async function installSecantus(python) {
  rmSync(secantus.directory, { recursive: true, force: true });
  await run('venv', python, ['-m', 'venv', secantus.directory]);
  await run('secantus', join(secantus.directory, 'bin', 'pip'), ['install', '--quiet', '--disable-pip-version-check', secantus.package]);
  writeFileSync(secantus.complete, secantus.package);
}

// ── What is needed, and the whole ───────────────────────────────────────────────────────────────────────────────────

/** @returns {Promise<{ jvm: boolean, database: boolean }>} which backing services have to run without Docker and without a URL */
async function whatRunsNatively() {
  const given = { jvm: Boolean(process.env.KAFKA_BROKERS && process.env.SCHEMA_REGISTRY_URL), database: Boolean(process.env.MONGO_URL) };
  if (packagesOnly || (given.jvm && given.database) || (await dockerAnswers())) return { jvm: false, database: false };
  return { jvm: !given.jvm, database: !given.database };
}

/** @param {boolean} fetching whether Maven is needed too */
async function javaProblems(fetching) {
  const problems = [];
  const instead = 'Or start Docker, or set KAFKA_BROKERS and SCHEMA_REGISTRY_URL to ones that run.';
  const java = await ask(javaCommand(), ['-version'], 20);
  const version = Number(/version "(\d+)/.exec(java.output)?.[1]);
  const install = 'Debian, Ubuntu: apt-get install openjdk-17-jre-headless maven; macOS: brew install openjdk maven.';
  if (!java.ok)
    problems.push(`Java 17 or newer is needed for Kafka and the schema registry, and "java" was not found. ${install} ${instead}`);
  else if (!(version >= 17)) problems.push(`Java ${version || '(unknown)'} is too old: 17 or newer is needed. ${install} ${instead}`);
  else if (fetching && !(await ask('mvn', ['-version'], 30)).ok) {
    problems.push(`Maven is needed to fetch Kafka, and "mvn" was not found or does not run. ${install} ${instead}`);
  }
  return problems;
}

async function setUp() {
  const holder = process.env.npm_lifecycle_event === 'prestart' ? lockHolder(join(root, '.local', 'start.lock')) : undefined;
  if (holder)
    throw new SetupError(`Evenkeel already runs from this folder (process ${holder}). Stop it with Ctrl-C in its terminal first.`);
  const native = await whatRunsNatively();
  const packagesMissing = !packagesAreInstalled();
  const nodeMissing = packagesMissing || !(await answersAs24());
  const jvmMissing = native.jvm && !existsSync(jvm.directory);
  const databaseMissing = native.database && !installedMongod() && !existsSync(secantus.complete);

  const problems = native.jvm ? await javaProblems(jvmMissing) : [];
  if (problems.length > 0) throw new SetupError(problems.join('\n'));
  if (!packagesMissing && !nodeMissing && !jvmMissing && !databaseMissing) return;

  const packages = (async () => {
    if (packagesMissing) await step('npm packages', installPackages);
    if (nodeMissing && !(existsSync(localNode) && (await answersAs24()))) await step('Node 24', linkNode);
  })();
  const others = [];
  if (jvmMissing) others.push(step('Kafka and schema registry', fetchJvm));
  if (databaseMissing) others.push(setUpDatabase(packages));
  await Promise.all([packages, ...others]);
  say(`done in ${seconds(began)}`);
}

/** @param {Promise<void>} packages */
async function setUpDatabase(packages) {
  if (await mongodDownloadAnswers()) {
    await packages;
    try {
      return await step(`MongoDB ${mongod.version}`, fetchMongod);
    } catch (error) {
      if (stopping) throw error;
      say(`MongoDB cannot be downloaded here (${/** @type {Error} */ (error).message.split('\n')[0]})`);
    }
  } else say('MongoDB cannot be downloaded here (its server does not answer)');
  const python = await findPython();
  if (!python) {
    throw new SetupError(
      'Without MongoDB, Python 3.10 to 3.13 is needed for the database that stands in for it, and none was found. ' +
        'Debian, Ubuntu: apt-get install python3 python3-venv. Or start Docker, or set MONGO_URL to a MongoDB that runs.',
    );
  }
  return step('SecantusDB (stands in for MongoDB on this machine)', () => installSecantus(python));
}

/** @param {string} name */
async function end(name) {
  const child = running.get(name);
  if (!child?.pid) return;
  const { pid } = child;
  signalGroup(pid, 'SIGTERM');
  for (let waited = 0; identityOf(pid) !== undefined && child.exitCode === null && child.signalCode === null; waited += 50) {
    if (waited === 3000) signalGroup(pid, 'SIGKILL');
    await delay(50);
  }
  signalGroup(pid, 'SIGKILL'); // what its leader left behind
}

async function endAll() {
  stopping = true;
  await Promise.all([...running.keys()].map(end));
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, async () => {
    if (stopping) return;
    say('stopping …');
    await endAll();
    release();
    process.exit(128 + constants.signals[signal]);
  });
}

let release = () => {};
const heartbeat = setInterval(() => {
  if (busy.size > 0) say(`still busy: ${[...busy].map(([title, since]) => `${title} (${seconds(since)})`).join(', ')}`);
}, 10_000);
try {
  mkdirSync(cache, { recursive: true });
  for (let told = false; ; told = true) {
    const lock = takeLock(join(cache, 'setup.lock'));
    if (lock.held) {
      release = lock.release;
      break;
    }
    if (!told) say(`waiting for another set-up (process ${lock.pid}) …`);
    await delay(300);
  }
  await killLeftovers(stateDirectory, { graceSeconds: 3 });
  await setUp();
} catch (error) {
  if (!stopping) {
    await endAll();
    console.error(`[set-up] ${error instanceof SetupError ? error.message : /** @type {Error} */ (error).stack}`);
    process.exitCode = 1;
  } else await delay(60_000); // the signal handler ends the process
} finally {
  clearInterval(heartbeat);
  release();
}

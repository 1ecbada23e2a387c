import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { forgetProcess, recordProcess, signalGroup } from './processes.mjs';
import { root } from './toolbox.mjs';
import { ChildEnded, waitFor } from './wait.ts';

/** Higher ranks are stopped first when a killed run's leftovers are cleared away. */
export const rank = { backing: 0, surroundings: 1, service: 2, demo: 3 } as const;

export type ChildSpec = {
  name: string;
  /** State directory: the log goes to logs/<name>.log, the process number to run/<name>.json. */
  directory: string;
  command: string;
  args: readonly string[];
  /** Added to this process's own. */
  env?: Readonly<Record<string, string>>;
  rank: number;
  /** Whether it is started again when it ends by itself with anything but 0, later each time. */
  restart?: boolean;
  /** How long it may take to stop before it is killed. */
  stopSeconds?: number;
  /** Called when it ended without being asked to. */
  onEnded?: (how: string, restartInSeconds: number | undefined) => void;
};

export type Child = AsyncDisposable & {
  readonly name: string;
  readonly logPath: string;
  /** undefined while it is not running. */
  readonly pid: number | undefined;
  /** How often it was started again by itself. */
  readonly restarts: number;
  /** Sends the signal and waits until the process is gone; it stays down until `start`. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** With these settings beside its own, from now on. */
  start(env?: Readonly<Record<string, string>>): void;
  /** @throws ChildEnded when it ended meanwhile for good, or again and again; the message holds the end of its log */
  waitFor<T>(
    what: string,
    ask: () => Promise<T | undefined | false>,
    options: { seconds: number; signal?: AbortSignal | undefined },
  ): Promise<T>;
};

const largestLogBytes = 20_000_000;
const longestBackoffSeconds = 10;
/** After so long without trouble the next restart is quick again. */
const steadySeconds = 30;

/**
 * A supervised process: the leader of its own process group, so that a Ctrl-C in the terminal reaches only whoever supervises it, and with a
 * record on disk, so that the next start finds it should the supervisor be killed. Disposing of it sends SIGTERM and waits.
 */
export function openChild(spec: ChildSpec): Child {
  const logPath = join(spec.directory, 'logs', `${spec.name}.log`);
  let process_: ChildProcess | undefined;
  let gone: Promise<void> = Promise.resolve();
  let wanted = false;
  let lastEnd: string | undefined;
  let restarts = 0;
  let quickEnds = 0;
  let restartTimer: NodeJS.Timeout | undefined;
  let settings = spec.env;

  function start(env?: Readonly<Record<string, string>>) {
    if (process_) return;
    settings = { ...settings, ...env };
    wanted = true;
    lastEnd = undefined;
    const startedAt = Date.now();
    const child = launch({ ...spec, env: settings }, logPath);
    process_ = child;
    gone = new Promise((resolve) => {
      const ended = (how: string, failed: boolean) => {
        process_ = undefined;
        forgetProcess(spec.directory, spec.name);
        resolve();
        if (!wanted) return;
        lastEnd = how;
        const again = spec.restart === true && failed;
        quickEnds = Date.now() - startedAt > steadySeconds * 1000 ? 0 : quickEnds + 1;
        const seconds = again ? Math.min(0.5 * 2 ** Math.max(0, quickEnds - 1), longestBackoffSeconds) : undefined;
        spec.onEnded?.(how, seconds);
        if (seconds === undefined) return;
        restartTimer = setTimeout(() => {
          restarts += 1;
          start();
        }, seconds * 1000);
      };
      child.once('error', (error) => ended(error.message, true)); // could not be started
      child.once('exit', (code, signal) => ended(signal ? `killed by ${signal}` : `exit code ${code}`, code !== 0));
    });
  }

  async function kill(signal: NodeJS.Signals) {
    wanted = false;
    clearTimeout(restartTimer);
    if (process_?.pid) signalGroup(process_.pid, signal);
    await gone;
  }

  async function stop() {
    wanted = false;
    clearTimeout(restartTimer);
    const pid = process_?.pid;
    if (!pid) return;
    const ended = new AbortController();
    const patience = delay((spec.stopSeconds ?? 15) * 1000, undefined, { signal: ended.signal }).then(
      () => signalGroup(pid, 'SIGKILL'),
      () => {},
    );
    process_?.kill('SIGTERM');
    await gone;
    ended.abort();
    await patience;
    signalGroup(pid, 'SIGKILL'); // what it may have started itself
  }

  start();
  return {
    name: spec.name,
    logPath,
    get pid() {
      return process_?.pid;
    },
    get restarts() {
      return restarts;
    },
    kill,
    start,
    waitFor: (what, ask, options) =>
      waitFor(
        what,
        () => {
          if (lastEnd !== undefined && (spec.restart !== true || quickEnds > 2)) {
            throw new ChildEnded(`${spec.name} ended by itself (${lastEnd}). The end of ${logPath}:\n${tail(logPath)}`);
          }
          return ask();
        },
        options,
      ).catch((error: unknown) => {
        if (error instanceof ChildEnded || options.signal?.aborted) throw error;
        throw new Error(`${(error as Error).message}. The end of ${logPath}:\n${tail(logPath)}`, { cause: error });
      }),
    [Symbol.asyncDispose]: stop,
  };
}

/**
 * Runs a program to its end.
 * @throws ChildEnded unless it ended with 0; what the signal was aborted with when it was
 */
export async function runChild(spec: Omit<ChildSpec, 'onEnded' | 'restart'>, signal: AbortSignal | undefined): Promise<void> {
  const { promise: ended, resolve } = Promise.withResolvers<string>();
  await using child = openChild({ ...spec, onEnded: resolve });
  signal?.addEventListener('abort', () => resolve('stopped'), { once: true });
  const how = await ended;
  signal?.throwIfAborted();
  if (how !== 'exit code 0') throw new ChildEnded(`${spec.name} failed (${how}). The end of ${child.logPath}:\n${tail(child.logPath)}`);
}

function launch(spec: ChildSpec, logPath: string): ChildProcess {
  mkdirSync(join(spec.directory, 'logs'), { recursive: true });
  if (existsSync(logPath) && statSync(logPath).size > largestLogBytes) renameSync(logPath, `${logPath}.old`);
  const log = openSync(logPath, 'a');
  const { NODE_OPTIONS: _, ...inherited } = process.env; // a test runner's flags are not for what it starts
  const env = { ...inherited, ...spec.env };
  const child = spawn(spec.command, spec.args, { cwd: root, env, detached: true, stdio: ['ignore', log, log] });
  closeSync(log);
  if (child.pid) recordProcess(spec.directory, spec.name, child.pid, spec.rank);
  return child;
}

function tail(path: string): string {
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n').slice(-12).join('\n') : '(no log)';
}

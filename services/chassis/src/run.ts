import { ConfigError } from './config.ts';
import { createLogger, type Logger } from './log.ts';

/** One Ctrl-C arrives twice within milliseconds where npm stands between: repeats within this time are one wish. */
const repeatMilliseconds = 1_000;
const shutdownMilliseconds = 30_000;

/** Resolves with the first of these signals. */
export function untilSignal(...signals: readonly NodeJS.Signals[]): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      for (const each of signals) process.off(each, onSignal);
      resolve(signal);
    };
    for (const each of signals) process.on(each, onSignal);
  });
}

/**
 * Runs a service until SIGTERM or SIGINT. `main` opens what it needs onto `running` and returns once it serves; everything is closed in
 * reverse, also when start-up fails half-way. `fail` ends the process from anywhere (a consumer that won't restart). A second signal within
 * a second is ignored, a later one forces. Exit codes: 0 stopped as asked, 78 wrong configuration, 1 anything else.
 */
export async function runService(
  name: string,
  main: (running: AsyncDisposableStack, fail: (error: unknown) => void) => Promise<void>,
): Promise<void> {
  const log = createLogger(name);
  const die = (error: unknown): never => exitWith(log, error);
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
  const limit = (): void => {
    setTimeout(() => die(new Error(`It did not stop within ${shutdownMilliseconds / 1000} s.`)), shutdownMilliseconds);
  };
  const stopped = untilSignal('SIGTERM', 'SIGINT');
  const running = new AsyncDisposableStack();
  try {
    // A signal during start-up does not wait for what can't be reached; what was opened so far is closed.
    const signal = await Promise.race([stopped, main(running, die).then(() => (log.info('running'), stopped))]);
    forceOnNextSignal(log);
    log.info({ signal }, 'stopping');
    limit();
    await running.disposeAsync();
    log.info('stopped');
    process.exit(0);
  } catch (error) {
    limit();
    await running.disposeAsync().catch((closing: unknown) => log.error({ err: closing }, 'closing failed'));
    die(error);
  }
}

function forceOnNextSignal(log: Logger): void {
  const first = performance.now();
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.on(signal, () => {
      if (performance.now() - first < repeatMilliseconds) return;
      log.warn({ signal }, 'forced to stop');
      process.exit(1);
    });
}

function exitWith(log: Logger, error: unknown): never {
  if (error instanceof ConfigError) {
    console.error(error.message);
    process.exit(error.exitCode);
  }
  log.fatal({ err: error }, 'ended by an error');
  process.exit(1);
}

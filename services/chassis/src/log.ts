import { pino, type Bindings, type DestinationStream, type Logger as PinoLogger } from 'pino';
import type { LogLevel } from './config.ts';

/** Structured log; `log.child({ correlation })` for what follows one order or one request. */
export type Logger = PinoLogger;

const secretKey = /^(proxy-)?authorization$|cookie|token|password|passphrase|secret|credential|api-?_?key/i;
/** In messages and stacks, where no key tells: bearer tokens, JWTs, marketplace access tokens, passwords in URLs. */
const secretText =
  /(bearer\s+)[\w.~+/=-]{8,}|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*|\bshp[a-z]{2}_\w{8,}|(\b[a-z][a-z0-9+.-]*:\/\/[^\s:/@"]*:)[^\s/@"]+(?=@)/gi;
const censored = '[censored]';
const maximumDepth = 8;

/** The value without what must not be in a log, at any depth: whatever stands under a telling key. Errors become plain objects. */
function censor(value: unknown, depth = 0): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth > maximumDepth) return '[too deep]';
  if (Array.isArray(value)) return value.map((item) => censor(item, depth + 1));
  if (value instanceof Error) return censorError(value, depth);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  // Dates, ids, Secrets and the like say themselves how they are written.
  if ('toJSON' in value && typeof value.toJSON === 'function') return value;
  return censorEntries(Object.entries(value), depth);
}

const censorEntries = (entries: readonly (readonly [string, unknown])[], depth: number): Record<string, unknown> =>
  Object.fromEntries(entries.map(([key, inner]) => [key, isSecret(key, inner) ? censored : censor(inner, depth + 1)]));

/** A count or a yes/no under a telling name (`tokensLeft: 40`) gives nothing away. */
const isSecret = (key: string, inner: unknown): boolean =>
  secretKey.test(key) && inner !== null && inner !== undefined && typeof inner !== 'number' && typeof inner !== 'boolean';

const censorError = (error: Error, depth: number): Record<string, unknown> => ({
  type: error.name,
  message: error.message,
  stack: error.stack,
  ...(error.cause === undefined ? {} : { cause: censor(error.cause, depth + 1) }),
  ...(error instanceof AggregateError ? { errors: censor(error.errors, depth + 1) } : {}),
  ...censorEntries(
    Object.entries(error).filter(([key]) => !['name', 'message', 'stack', 'cause', 'errors'].includes(key)),
    depth,
  ),
});

/** A JSON log on standard output (or `destination`): service, level by name, ISO time; credentials, tokens, passwords and cookies never. */
export function createLogger(service: string, level: LogLevel = 'info', destination?: DestinationStream): Logger {
  const logger: Logger = pino(
    {
      level,
      base: { service },
      timestamp: pino.stdTimeFunctions.isoTime,
      // `censor` writes errors; pino's own serializer would come after it and see no Error any more.
      serializers: { err: (value: unknown) => value },
      formatters: {
        level: (label) => ({ level: label }),
        log: (object) => censor(object) as Record<string, unknown>,
      },
      hooks: {
        streamWrite: (line) => line.replace(secretText, (_match, bearer?: string, url?: string) => `${bearer ?? url ?? ''}${censored}`),
      },
    },
    destination ?? pino.destination({ fd: 1, sync: true }),
  );
  // Children inherit this: pino runs no formatter over a child's bindings.
  const plain = Object.getPrototypeOf(logger) as Logger;
  logger.child = function (this: Logger, bindings, options) {
    return plain.child.call(this, censor(bindings) as Bindings, options);
  } as Logger['child'];
  return logger;
}

const correlationsNamed = 20;

/** The correlation ids to name in one line about several events: each once, a few at most. */
export const correlationsOf = (events: readonly { readonly correlation: string }[]): string[] =>
  [...new Set(events.map(({ correlation }) => correlation))].slice(0, correlationsNamed);

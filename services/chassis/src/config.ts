import { z } from 'zod';
import { parseKeyRing } from './secrets.ts';

/** What is wrong with the environment, all of it at once; never quotes a value, which may be a secret. `exitCode` is EX_CONFIG. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly exitCode = 78;
  readonly complaints: readonly string[];

  constructor(complaints: readonly string[]) {
    super(`The configuration is not usable:\n${complaints.map((complaint) => `  - ${complaint}`).join('\n')}`);
    this.complaints = complaints;
  }
}

type CamelCase<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<CamelCase<Tail>>}`
  : Lowercase<Name>;

type Shape = Readonly<Record<string, z.ZodType>>;

/** Environment variables as a service uses them: `HTTP_PORT` is `httpPort`. */
export type Config<S extends Shape> = { readonly [Name in keyof S & string as CamelCase<Name>]: z.output<S[Name]> };

const camelCase = (name: string): string => name.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/**
 * Reads the variables that `shape` names, each with a schema from string and a `.describe('what it is for')`. An empty variable counts as missing.
 * Throws {@link ConfigError} that names every missing or wrong one.
 */
export function readConfig<S extends Shape>(shape: S, env: Readonly<Record<string, string | undefined>>): Config<S> {
  const complaints: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, schema] of Object.entries(shape)) {
    const value = env[name]?.trim() || undefined;
    const parsed = schema.safeParse(value);
    if (parsed.success) config[camelCase(name)] = parsed.data;
    else complaints.push(complaint(name, schema, value === undefined, parsed.error));
  }
  if (complaints.length > 0) throw new ConfigError(complaints);
  return config as Config<S>;
}

function complaint(name: string, schema: z.ZodType, missing: boolean, error: z.ZodError): string {
  const purpose = schema.description ? ` (${schema.description})` : '';
  if (missing) return `${name} is missing${purpose}.`;
  return `${name} is wrong${purpose}: ${error.issues.map((issue) => issue.message).join('; ')}.`;
}

const whole = (minimum: number, maximum: number) =>
  z
    .string()
    .regex(/^\d{1,15}$/, 'expected a whole number')
    .transform(Number)
    .refine((value) => value >= minimum && value <= maximum, `expected a whole number from ${minimum} to ${maximum}`);

/** A TCP port; 0 takes any free one. */
export const port = () => whole(0, 65_535);

/** A whole number of milliseconds. */
export const milliseconds = (minimum: number, maximum: number) => whole(minimum, maximum);

/** Seconds, above 0, may be fractional. */
export const seconds = () =>
  z
    .string()
    .regex(/^\d{1,9}(\.\d{1,6})?$/, 'expected seconds, such as 10 or 0.5')
    .transform(Number)
    .refine((value) => value > 0, 'expected more than 0 seconds');

/** A URL of one of these protocols, without a slash at its end. */
export const url = (...protocols: readonly string[]) => {
  const accepted = protocols.length > 0 ? protocols : ['http', 'https'];
  return z
    .string()
    .refine(
      (value) => URL.canParse(value) && accepted.includes(new URL(value).protocol.slice(0, -1)),
      `expected a URL that begins with ${accepted.map((protocol) => `${protocol}://`).join(' or ')}`,
    )
    .transform((value) => value.replace(/\/+$/, ''));
};

/** A comma-separated list of at least one, each as `pattern` says. */
export const list = (pattern: RegExp = /\S/, expected = 'a comma-separated list') =>
  z
    .string()
    .transform((value) => value.split(',').map((item) => item.trim()))
    .refine((items) => items.every((item) => pattern.test(item)), `expected ${expected}`);

/** A ring of AES-256 keys, `keyid:base64-of-32-bytes[,older…]`. */
export const keys = () =>
  z.string().transform((value, context) => {
    try {
      return parseKeyRing(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'expected keyid:base64-of-32-bytes' });
      return z.NEVER;
    }
  });

const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/** What every service reads; a service adds its own: `{ ...commonConfig('stock'), MY_SECONDS: seconds().describe('…') }`. */
export const commonConfig = (service: string) => ({
  KAFKA_BROKERS: list(/^[^\s:]+:\d{1,5}$/, 'host:port, comma-separated').describe('the Kafka brokers: host:port, comma-separated'),
  SCHEMA_REGISTRY_URL: url().describe('the schema registry, Confluent API'),
  MONGO_URL: z
    .string()
    .regex(/^mongodb(\+srv)?:\/\/\S+$/, 'expected a URL that begins with mongodb:// or mongodb+srv://')
    .describe('the database server: mongodb://…'),
  MONGO_DATABASE: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,63}$/, 'expected 1–63 letters, digits, _ or -')
    .default(`evenkeel_${service.replaceAll('-', '_')}`)
    .describe("the service's own database on that server"),
  HTTP_HOST: z.string().default('127.0.0.1').describe('the address that its HTTP listens on; 0.0.0.0 in a container'),
  HTTP_PORT: port().describe('the port that its HTTP listens on'),
  LOG_LEVEL: z
    .enum(logLevels)
    .default('info')
    .describe(`one of ${logLevels.join(', ')}`),
  JWT_ISSUER_URL: url().describe('who issues the tokens; its keys are at <issuer>/.well-known/jwks.json'),
  JWT_AUDIENCE: z.string().default('evenkeel').describe('the audience that tokens must name'),
  KAFKA_SESSION_TIMEOUT_MILLISECONDS: milliseconds(1_000, 300_000)
    .default(10_000)
    .describe('after how long without a heartbeat a consumer counts as gone'),
  FAILPOINT_PATH: z.string().optional().describe('for tests of crashes only: a file that names the step at which the process kills itself'),
});

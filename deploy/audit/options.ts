import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

export const usage = `Audits a running system. Reads everything, changes nothing.

  npm run audit -- [--tenant T] [--wait-seconds S] [--json]

  --tenant T        only this seller; the others may go on trading meanwhile
  --wait-seconds S  how long to wait until all is quiet (default 60); what may still be on its way after that is said, not judged
  --json            one JSON object instead of lines

Exit: 0 nothing found, 1 violations, 2 no verdict (what could not be read is named).
Where: what npm start runs, else KAFKA_BROKERS, SCHEMA_REGISTRY_URL, MONGO_URL and SANDBOX_CONTROL_URL; DATABASE_PREFIX (evenkeel_).`;

export interface Options {
  readonly tenant: string | null;
  readonly waitSeconds: number;
  readonly json: boolean;
  readonly help: boolean;
  readonly brokers: readonly string[];
  readonly registryUrl: string;
  readonly mongoUrl: string;
  readonly controlUrl: string;
  readonly databasePrefix: string;
}

/** What `npm start` says about itself while it runs; the environment goes before it, field by field. */
interface Running {
  readonly brokers?: string;
  readonly registryUrl?: string;
  readonly mongoUrl?: string;
  readonly sandbox?: { readonly controlUrl?: string };
}

/** Throws where an argument is not understood; the message says what to write instead. */
export function readOptions(args: readonly string[], env: Readonly<Record<string, string | undefined>>, runningPath: string): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      tenant: { type: 'string' },
      'wait-seconds': { type: 'string', default: '60' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const waitSeconds = Number(values['wait-seconds']);
  if (!(waitSeconds >= 0 && waitSeconds <= 86_400))
    throw new Error(`--wait-seconds ${values['wait-seconds']}: give a number of seconds, such as 60.`);
  if (values.tenant === '') throw new Error('--tenant: give the name of a seller, such as default.');
  const running = (existsSync(runningPath) ? JSON.parse(readFileSync(runningPath, 'utf8')) : {}) as Running;
  return {
    tenant: values.tenant ?? null,
    waitSeconds,
    json: values.json,
    help: values.help,
    brokers: (env['KAFKA_BROKERS'] ?? running.brokers ?? '127.0.0.1:19092').split(','),
    registryUrl: env['SCHEMA_REGISTRY_URL'] ?? running.registryUrl ?? 'http://127.0.0.1:18081/apis/ccompat/v7',
    mongoUrl: env['MONGO_URL'] ?? running.mongoUrl ?? 'mongodb://127.0.0.1:27027',
    controlUrl: env['SANDBOX_CONTROL_URL'] ?? running.sandbox?.controlUrl ?? 'http://127.0.0.1:4111',
    databasePrefix: env['DATABASE_PREFIX'] ?? 'evenkeel_',
  };
}

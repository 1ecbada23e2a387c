import { z } from 'zod';
import type { SandboxOptions } from './sandbox.ts';

const port = (byDefault: number) => z.coerce.number().int().min(0).max(65_535).default(byDefault);

const environment = z.object({
  HOST: z.string().min(1).default('127.0.0.1'),
  CONTRACT_PORT: port(4110),
  CONTROL_PORT: port(4111),
  STATE_PATH: z.string().min(1),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info'),
});

/** Throws, naming every variable that is missing or wrong. */
export function readConfig(variables: NodeJS.ProcessEnv): SandboxOptions & { logLevel: string } {
  const read = environment.safeParse(variables);
  if (!read.success) throw new Error(`the sandbox's environment is not complete:\n${z.prettifyError(read.error)}`);
  const { HOST, CONTRACT_PORT, CONTROL_PORT, STATE_PATH, LOG_LEVEL } = read.data;
  return { host: HOST, contractPort: CONTRACT_PORT, controlPort: CONTROL_PORT, statePath: STATE_PATH, logLevel: LOG_LEVEL };
}

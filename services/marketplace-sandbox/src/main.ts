import { pino } from 'pino';
import { readConfig } from './config.ts';
import { openSandbox } from './sandbox.ts';

const config = readConfig(process.env);
const log = pino({ name: 'marketplace-sandbox', level: config.logLevel });
// The listeners stay: one Ctrl-C may arrive twice, and the second must not cut the closing short.
const { promise: signalled, resolve } = Promise.withResolvers<string>();
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, resolve);

await using sandbox = await openSandbox(config, log);
log.info({ contract: sandbox.contractUrl, control: sandbox.controlUrl, state: config.statePath }, 'the marketplaces are open');
log.info({ signal: await signalled }, 'closing');

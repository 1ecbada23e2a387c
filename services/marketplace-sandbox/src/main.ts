import { once } from 'node:events';
import { pino } from 'pino';
import { readConfig } from './config.ts';
import { openSandbox } from './sandbox.ts';

const config = readConfig(process.env);
const log = pino({ name: 'marketplace-sandbox', level: config.logLevel });
await using sandbox = await openSandbox(config, log);
log.info({ contract: sandbox.contractUrl, control: sandbox.controlUrl, state: config.statePath }, 'the marketplaces are open');
const signal = await Promise.race(['SIGTERM', 'SIGINT'].map((name) => once(process, name).then(() => name)));
log.info({ signal }, 'closing');

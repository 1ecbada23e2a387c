export { openTokenIssuer, type TokenIssuer } from './tokens.ts';
export { decode, encode } from '../kafka/wire.ts';
export { createMemoryJournal } from './memory-journal.ts';
export { openRoutes, type Answer } from './open-routes.ts';
export { openServiceProcess, until, type ServiceProcess, type ServiceProcessOptions } from './service-process.ts';

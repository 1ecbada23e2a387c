import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { createControlApp } from './control/control-app.ts';
import { createEtsyApi } from './etsy/api.ts';
import { createEtsyApp } from './etsy/contract-app.ts';
import { openGate } from './etsy/gate.ts';
import { createTroubles } from './faults.ts';
import { createAdminApi } from './shopify/admin-api.ts';
import { createContractApp } from './shopify/contract-app.ts';
import { openState } from './state/state.ts';
import { createSellFirst, createWebhooks } from './webhooks.ts';

export interface SandboxOptions {
  host: string;
  /** 0 takes any free port. */
  contractPort: number;
  controlPort: number;
  /** A file for node:sqlite, or `:memory:`. */
  statePath: string;
}

export interface Sandbox extends AsyncDisposable {
  contractUrl: string;
  controlUrl: string;
}

/** Opens the state and both ports. Rejects when a port is taken or the state is unreadable; nothing stays open then. */
export async function openSandbox({ host, contractPort, controlPort, statePath }: SandboxOptions, log: Logger): Promise<Sandbox> {
  await using opening = new AsyncDisposableStack();
  const state = opening.use(openState(statePath));
  const troubles = createTroubles();
  const webhooks = opening.use(createWebhooks(state, troubles, log));
  const sellFirst = createSellFirst(state, troubles, webhooks);
  const etsy = createEtsyApp(createEtsyApi(state, troubles, await openGate(), sellFirst, log), log);
  const contractApp = createContractApp(createAdminApi(state, troubles, sellFirst, log), log, [etsy]);
  const contract = opening.use(await listen(contractApp, contractPort, host));
  const control = opening.use(await listen(createControlApp(state, troubles, webhooks, log), controlPort, host));
  const opened = opening.move();
  return { contractUrl: contract.url, controlUrl: control.url, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

async function listen(app: RequestListener, port: number, host: string): Promise<AsyncDisposable & { url: string }> {
  const server = createServer({ keepAliveTimeout: 75_000 }, app); // longer than any client keeps a connection
  server.listen(port, host);
  await once(server, 'listening');
  const { port: taken } = server.address() as AddressInfo;
  return { url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}`, [Symbol.asyncDispose]: () => close(server) };
}

/** Lets running calls finish for a second, then closes what is left. */
async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  server.close();
  server.closeIdleConnections();
  const deadline = setTimeout(() => server.closeAllConnections(), 1_000);
  await closed;
  clearTimeout(deadline);
}

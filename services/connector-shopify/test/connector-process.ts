import { fileURLToPath } from 'node:url';
import { openConnectorProcess as openProcess, type ConnectorProcess } from '@evenkeel/connector-kit/testing';
import { openShopifySandbox, type RunningSandbox } from './sandbox-harness.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

/** The connector with a sandbox of its own. */
export async function openConnectorProcess(): Promise<ConnectorProcess & { readonly sandbox: RunningSandbox }> {
  const sandbox = await openShopifySandbox();
  const connector = await openProcess({ main, env: { SHOPIFY_URL_TEMPLATE: sandbox.urlTemplate }, backing: process.env });
  return {
    ...connector,
    sandbox,
    async [Symbol.asyncDispose]() {
      await connector[Symbol.asyncDispose]();
      await sandbox[Symbol.asyncDispose]();
    },
  };
}

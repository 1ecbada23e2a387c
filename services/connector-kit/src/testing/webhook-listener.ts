import { on, once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import type { WebhookMessage } from '../marketplace.ts';

export type ReceivedWebhook = Pick<WebhookMessage, 'body' | 'header'>;

export interface WebhookListener extends AsyncDisposable {
  readonly url: string;
  /** The next one is answered with an error, so that it is sent again. */
  refuseNext(): void;
  /** Each that came in once, in their order; waits for one. */
  next(): Promise<ReceivedWebhook>;
}

/** Where a marketplace sends its webhooks to: takes them as they are. */
export async function openWebhookListener(): Promise<WebhookListener> {
  let status = 200;
  const server = createServer((request, response) => {
    void buffer(request).then((body) => {
      response.writeHead(status).end();
      status = 200;
      const header = (name: string) => [request.headers[name.toLowerCase()] ?? []].flat()[0];
      server.emit('webhook', { body, header } satisfies ReceivedWebhook);
    });
  });
  const incoming = on(server, 'webhook') as AsyncIterableIterator<[ReceivedWebhook]>;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    refuseNext: () => void (status = 503),
    next: async () => (await incoming.next()).value[0],
    async [Symbol.asyncDispose]() {
      await incoming.return?.();
      server.close();
      server.closeAllConnections();
    },
  };
}

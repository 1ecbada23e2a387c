import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** A webhook as the marketplace sent it, and how it was answered; null while it is kept back. */
export interface Letter {
  readonly store: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly status: number | null;
}

const sent = /^(?:content-type|x-shopify-.*|webhook-.*)$/;

/** Stands between the marketplaces and the connectors: hands webhooks on as they are, and knows what came and what was answered. */
export async function openPostOffice() {
  const letters: Letter[] = [];
  const addresses = new Map<string, string>();
  const keeping = new Set<string>();

  async function deliver({ store, headers, body }: Pick<Letter, 'store' | 'headers' | 'body'>): Promise<number> {
    const response = await fetch(addresses.get(store) ?? '', { method: 'POST', headers, body: new Uint8Array(body) });
    await response.body?.cancel();
    return response.status;
  }

  const server = createServer((request, response) => {
    const pass = async () => {
      const store = request.url?.slice(1) ?? '';
      const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => sent.test(name))) as Record<string, string>;
      const letter = { store, headers, body: await buffer(request) };
      const status = keeping.has(store) ? null : await deliver(letter);
      letters.push({ ...letter, status });
      response.writeHead(status ?? 202).end();
    };
    pass().catch(() => response.writeHead(502).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    /** Where a marketplace sends what is for this store; it is handed on to this address. */
    forward(store: string, address: string): string {
      addresses.set(store, address);
      return `http://127.0.0.1:${(server.address() as AddressInfo).port}/${store}`;
    },
    /** From now on what comes for this store is answered well and kept back, or handed on again. */
    keep: (store: string, keeps: boolean) => (keeps ? void keeping.add(store) : void keeping.delete(store)),
    /** What came for this store, in the order answered. */
    lettersOf: (store: string): Letter[] => letters.filter((letter) => letter.store === store),
    /** Somebody sends it: the marketplace once more, or a forger. */
    deliver,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => void server.close(resolve));
    },
  };
}

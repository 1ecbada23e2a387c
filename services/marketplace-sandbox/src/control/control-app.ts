import express, { type ErrorRequestHandler, type Request } from 'express';
import type { Logger } from 'pino';
import { z, type ZodType } from 'zod';
import type { Order, Page, Shop } from '../control-client.ts';
import type { Troubles } from '../faults.ts';
import { Refusal } from '../state/refusal.ts';
import type { ShopRow } from '../state/shops.ts';
import type { State } from '../state/state.ts';
import type { OrderChange, Webhooks } from '../webhooks.ts';
import { etsyProducts, etsyRoutes } from './etsy-routes.ts';
import * as messages from './messages.ts';

/** The control port: everything that happens to a marketplace from outside its API. Errors are problem+json. */
export function createControlApp(state: State, troubles: Troubles, webhooks: Webhooks, log: Logger) {
  const { shops, inventory, orders, namesOf, etsyShops, etsyListings } = state;
  const app = express();
  app.disable('x-powered-by').disable('etag');
  app.get('/readyz', (_request, response) => void response.json({ status: 'ready' }));
  app.use('/__sim', express.json({ limit: '64mb' }));

  const announced = (request: Request, change: OrderChange, order: Order): Order => {
    webhooks.announce(shopOf(request), change, order);
    return order;
  };

  const sim = express.Router();
  sim.post(
    '/shops',
    (request, response) =>
      void response
        .status(201)
        .json(describeShop(state, shops.create({ ...read(messages.newShop, request.body), marketplace: 'shopify' }))),
  );
  sim.get('/shops', (_request, response) => void response.json(shops.all().map((shop) => describeShop(state, shop))));
  sim.get('/shops/:shop', (request, response) => void response.json(describeShop(state, shops.get(shopOf(request)))));
  sim.patch('/shops/:shop/settings', (request, response) => {
    response.json(describeShop(state, shops.configure(shopOf(request), read(messages.settings, request.body))));
  });
  sim.post('/shops/:shop/reset', (request, response) => {
    shops.reset(shopOf(request));
    troubles.forget(shopOf(request));
    response.status(204).end();
  });
  sim.delete('/shops/:shop', (request, response) => {
    shops.delete(shopOf(request));
    etsyShops.forget(shopOf(request));
    troubles.forget(shopOf(request));
    response.status(204).end();
  });

  sim.post('/shops/:shop/products', (request, response) => {
    const products = read(messages.newProducts, request.body);
    const isEtsy = shops.get(shopOf(request)).marketplace === 'etsy';
    response.status(201).json(isEtsy ? etsyProducts(state, shopOf(request), products) : inventory.putProducts(shopOf(request), products));
  });
  sim.delete('/shops/:shop/products/:id', (request, response) => {
    const [shop, id] = [shops.get(shopOf(request)), String(request.params['id'])];
    if (shop.marketplace === 'etsy') etsyListings.deleteVariants(shop.name, namesOf(shop.name).itemOf(id) ?? 0);
    else inventory.deleteProduct(shop.name, namesOf(shop.name).itemOf(id) ?? 0);
    response.status(204).end();
  });
  sim.post('/shops/:shop/drift', (request, response) => {
    const { inventoryItem, location, available } = read(messages.drift, request.body);
    inventory.drift(knownShop(request), namesOf(knownShop(request)).itemOf(inventoryItem) ?? 0, location, available);
    response.status(204).end();
  });

  sim.post('/shops/:shop/orders', (request, response) => {
    const placed = orders.place(shopOf(request), read(messages.newOrders, request.body));
    for (const each of placed) if (each.accepted) webhooks.announce(shopOf(request), 'placed', each.order);
    response.status(201).json(placed);
  });
  sim.get('/shops/:shop/orders/:id', (request, response) => void response.json(orders.get(shopOf(request), orderOf(request))));
  sim.post('/shops/:shop/orders/:id/edit', (request, response) => {
    response.json(announced(request, 'edited', orders.edit(knownShop(request), orderOf(request), read(messages.orderEdit, request.body))));
  });
  sim.post('/shops/:shop/orders/:id/cancel', (request, response) => {
    response.json(
      announced(request, 'cancelled', orders.cancel(knownShop(request), orderOf(request), read(messages.cancellation, request.body ?? {}))),
    );
  });
  sim.post('/shops/:shop/orders/:id/fulfil', (request, response) => {
    response.json(
      announced(
        request,
        'fulfilled',
        orders.fulfil(knownShop(request), orderOf(request), read(messages.someLines, request.body ?? {}).lines),
      ),
    );
  });
  sim.post('/shops/:shop/orders/:id/refund', (request, response) => {
    response.json(
      announced(
        request,
        'refunded',
        orders.refund(knownShop(request), orderOf(request), read(messages.someLines, request.body ?? {}).lines),
      ),
    );
  });

  sim.use(etsyRoutes(state, (shop) => describeShop(state, shop)));

  const servePages = (name: string, readPage: (shop: string, after: number, limit: number) => Page<unknown>) => {
    sim.get(`/shops/:shop/${name}`, (request, response) => {
      const { after, limit } = read(messages.page, request.query);
      response.json(readPage(shopOf(request), after, limit));
    });
  };
  servePages('orders', (shop, after, limit) => orders.page(shop, after, limit));
  servePages('quantities', (shop, after, limit) => inventory.quantities(shop, after, limit));
  servePages('writes', (shop, after, limit) => inventory.writes(shop, after, limit));
  servePages('sales', (shop, after, limit) => inventory.sales(shop, after, limit));
  sim.put('/shops/:shop/faults', (request, response) => {
    troubles.of(knownShop(request)).set(read(messages.faults, request.body));
    response.status(204).end();
  });
  sim.get('/shops/:shop/calls', (request, response) => void response.json(troubles.of(knownShop(request)).counts));

  const knownShop = (request: Request): string => shops.get(shopOf(request)).name;
  const orderOf = (request: Request): number => {
    const text = String(request.params['id']);
    const id = namesOf(knownShop(request)).orderOf(text);
    if (id === undefined) throw new Refusal(404, `${text} is no order's id, such as ${namesOf(knownShop(request)).order(1)}`);
    return id;
  };
  app.use('/__sim', sim);
  app.use((request, response) => problem(response, 404, `there is no ${request.method} ${request.path} on the control port`));
  const onError: ErrorRequestHandler = (error: unknown, request, response, _next) => {
    if (error instanceof Refusal) return problem(response, error.status, error.message);
    if (error instanceof z.ZodError) return problem(response, 400, z.prettifyError(error));
    const { status, message } = error as { status?: number; message?: string };
    if (status !== undefined && status < 500) return problem(response, status, message ?? 'the request cannot be read');
    log.error({ err: error, url: request.url }, 'a control call failed');
    problem(response, 500, 'the sandbox failed: its log says why');
  };
  app.use(onError);
  return app;
}

const titles: Record<number, string> = {
  400: 'The request is not well formed',
  404: 'Not found',
  409: 'Not possible now',
  413: 'The request is too large',
  422: 'Cannot be done to this shop',
  500: 'The sandbox failed',
};

function problem(response: express.Response, status: number, detail: string): void {
  const body = { type: 'about:blank', title: titles[status] ?? 'Refused', status, detail };
  response.status(status).type('application/problem+json').send(JSON.stringify(body));
}

const read = <Message>(message: ZodType<Message>, value: unknown): Message => message.parse(value);
const shopOf = (request: Request): string => read(messages.shopParameters, request.params).shop;

function describeShop(state: State, { name, marketplace, plan, locations, settings }: ShopRow): Shop {
  const names = state.namesOf(name);
  const places = locations.map((location) => ({ id: names.location(location.id), name: location.name }));
  const domain = marketplace === 'etsy' ? `${name}.etsy.com` : `${name}.myshopify.com`;
  return { name, marketplace, domain, plan, locations: places, settings };
}

import {
  withIncidents,
  type Aggregate,
  type IncidentDetails,
  type IncidentSubject,
  type Outgoing,
  type WithIncidents,
} from '@evenkeel/chassis';
import { keyOf, partsOf, topics } from '@evenkeel/contracts';
import {
  changedOf,
  decideLabel,
  decideRead,
  decideVoid,
  evolve,
  taken,
  unknownOrder,
  unmappedLines,
  type OrderEntry,
  type OrderState,
} from './domain.ts';

export type OrderInput = 'MarketplaceOrderRead' | 'CreateLabel' | 'VoidLabel';

export const orderInputs = [topics.marketplaceOrders, topics.orderCommands] as const;

/** So many at once: each entry has the whole order, with up to thousands of lines, and what becomes of them is one document of 16 MB at most. */
export const eventsOfOneOrder = 10;

/** A label is named after the command that asks for it: the part of its id that is its own, a hash of the request. */
const labelIdOf = (commandId: string): string => commandId.slice(commandId.lastIndexOf('/') + 1);

/** What was changed so soon after it was placed was hardly read before: it is not looked for. */
const newOrderMilliseconds = 60_000;

/** The whole order, as it stands after the entry that changed it last. */
function orderChanged(key: string, state: OrderState): Outgoing[] {
  const [tenant = '', store = '', order = ''] = partsOf(key);
  const data = changedOf([tenant, store, order], state);
  if (!data) return [];
  const { sequence, at: time, correlation } = state.newest;
  const id = `order/${key}/${sequence}`;
  return [{ topic: topics.orderEvents, key: [tenant, store, order], event: { id, type: 'OrderChanged', time, correlation, data } }];
}

/** An order and its life: what the marketplace says of it, and its labels. */
const lifeAggregate: Aggregate<OrderInput, OrderEntry, OrderState> = {
  stateVersion: 2,
  keyOf: ({ data: { tenant, store, order } }) => keyOf(tenant, store, order),
  initial: () => unknownOrder,
  isNew: (event) => event.type === 'MarketplaceOrderRead' && event.data.updatedAt - event.data.placedAt < newOrderMilliseconds,
  decide(state, event) {
    switch (event.type) {
      case 'MarketplaceOrderRead':
        return [decideRead(state, event.data)];
      case 'CreateLabel':
        return [decideLabel(state, event.data, labelIdOf(event.id))];
      case 'VoidLabel':
        return [decideVoid(state, event.data)];
    }
  },
  evolve,
  publish: (key, { sequence }, state) => (state.newest.sequence === sequence ? orderChanged(key, state) : []),
  heads: orderChanged,
};

/** An incident of an order is about that order: `keyOf(store, order)`. */
export function subjectOf(key: string): IncidentSubject {
  const [tenant = '', store = '', order = ''] = partsOf(key);
  return { tenant, subject: keyOf(store, order) };
}

/** Sold, and nobody knows which product: nothing is reserved for it until its listing is mapped. */
function unmappedLine({ order }: OrderState): IncidentDetails | null {
  const lines = order ? unmappedLines(order) : [];
  if (!order || lines.length === 0) return null;
  return {
    name: order.name,
    marketplace: order.marketplace,
    lines: lines.map(({ line }) => line).join(', '),
    listings: lines.map(({ listing }) => listing ?? 'unknown').join(', '),
    units: String(lines.reduce((sum, line) => sum + taken(line), 0)),
  };
}

const incidentKinds = { unmapped_line: unmappedLine };
export const incidentKindNames = Object.keys(incidentKinds);

/** An order with its life, and what of it needs a person's eye. */
export const orderAggregate: Aggregate<OrderInput, OrderEntry, OrderState & WithIncidents> = withIncidents(lifeAggregate, {
  topic: topics.orderIncidents,
  subjectOf,
  kinds: incidentKinds,
});

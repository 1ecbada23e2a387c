import { withIncidents, type Aggregate, type IncidentSubject, type Outgoing, type WithIncidents } from '@evenkeel/chassis';
import { keyOf, partsOf, topics } from '@evenkeel/contracts';
import {
  decide,
  evolve,
  levelOf,
  lowStock,
  movedBy,
  negativeOnHand,
  oversold,
  unknownSku,
  type LedgerRow,
  type SkuStock,
  type StockInput,
} from './domain.ts';

export const stockInputs = [topics.reservationEvents, topics.stockCommands] as const;

const skuOf = (key: string) => {
  const [tenant = '', sku = ''] = partsOf(key);
  return { tenant, sku };
};

function level(key: string, state: SkuStock): Outgoing {
  const parts = skuOf(key);
  const { sequence, at: time, correlation } = state.newest;
  const event = { id: `stock/${key}/${sequence}`, type: 'StockLevelChanged', time, correlation, data: levelOf(parts, state) } as const;
  return { topic: topics.stockLevels, key: [parts.tenant, parts.sku], event };
}

/** The ledger of one SKU. */
const ledgerAggregate: Aggregate<StockInput, LedgerRow, SkuStock> = {
  stateVersion: 2,
  keyOf: ({ data: { tenant, sku } }) => keyOf(tenant, sku),
  initial: () => unknownSku,
  decide: (state, event) => [decide(state, event)],
  evolve,
  /** Every row, refusals included: a missing number in stock.movements.v1 is a lost record. */
  publish(key, row, state) {
    const parts = skuOf(key);
    const { sequence, at: time, correlation } = row;
    const event = { id: `stock/${key}/${sequence}`, type: 'StockMoved', time, correlation, data: movedBy(parts, row) } as const;
    const moved: Outgoing = { topic: topics.stockMovements, key: [parts.tenant, parts.sku], event };
    return [moved, level(key, state)];
  },
  heads: (key, state) => (state.newest.sequence === 0 ? [] : [level(key, state)]),
};

/** An incident of stock is about a SKU. */
export function subjectOf(key: string): IncidentSubject {
  const { tenant, sku: subject } = skuOf(key);
  return { tenant, subject };
}

const incidentKinds = { oversold, low_stock: lowStock, negative_on_hand: negativeOnHand };
export const incidentKindNames = Object.keys(incidentKinds);

/** The ledger of one SKU, and what of it needs a person's eye. */
export const stockAggregate: Aggregate<StockInput, LedgerRow, SkuStock & WithIncidents> = withIncidents(ledgerAggregate, {
  topic: topics.stockIncidents,
  subjectOf,
  kinds: incidentKinds,
});

import type { Aggregate, Outgoing } from '@evenkeel/chassis';
import { keyOf, partsOf, topics } from '@evenkeel/contracts';
import {
  decideAutoPicked,
  decideReleased,
  decideReserved,
  decideUpdate,
  evolve,
  incidentOf,
  levelOf,
  movedBy,
  unknownSku,
  type LedgerRow,
  type Oversold,
  type SkuStock,
} from './domain.ts';

export type StockInput = 'UnitsReserved' | 'UnitsReleased' | 'UnitsAutoPicked' | 'UpdateStock';

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

function incident(key: string, oversold: Oversold): Outgoing {
  const { sequence, at: time, correlation } = oversold;
  const data = incidentOf(skuOf(key), oversold);
  const event = { id: `stock/${key}/${sequence}/incident`, type: 'IncidentChanged', time, correlation, data } as const;
  return { topic: topics.stockIncidents, key: [data.tenant, data.kind, data.subject], event };
}

/** The ledger of one SKU. */
export const stockAggregate: Aggregate<StockInput, LedgerRow, SkuStock> = {
  keyOf: ({ data: { tenant, sku } }) => keyOf(tenant, sku),
  initial: () => unknownSku,
  decide(state, event) {
    switch (event.type) {
      case 'UnitsReserved':
        return [decideReserved(state, event.data)];
      case 'UnitsReleased':
        return [decideReleased(state, event.data)];
      case 'UnitsAutoPicked':
        return [decideAutoPicked(state, event.data)];
      case 'UpdateStock':
        return [decideUpdate(state, event.data)];
    }
  },
  evolve,
  /** Every row, refusals included: a missing number in stock.movements.v1 is a lost record. */
  publish(key, row, state) {
    const parts = skuOf(key);
    const { sequence, at: time, correlation } = row;
    const event = { id: `stock/${key}/${sequence}`, type: 'StockMoved', time, correlation, data: movedBy(parts, row) } as const;
    const moved: Outgoing = { topic: topics.stockMovements, key: [parts.tenant, parts.sku], event };
    const incidents = row.data.incident !== null && state.oversold ? [incident(key, state.oversold)] : [];
    return [moved, level(key, state), ...incidents];
  },
  heads(key, state) {
    if (state.newest.sequence === 0) return [];
    return [level(key, state), ...(state.oversold ? [incident(key, state.oversold)] : [])];
  },
};

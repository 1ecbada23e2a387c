import { incidentRoutes, type IncidentStore, type Route } from '@evenkeel/chassis';
import { oversoldExplanation } from './http/incidents.ts';
import { ledgerRoutes } from './http/ledger.ts';
import { productRoutes, type ProductParts } from './http/products.ts';
import { purchasingRoutes, type PurchasingParts } from './http/purchasing.ts';
import { snapshotRoutes } from './http/snapshots.ts';

export interface StockParts extends ProductParts, PurchasingParts {
  readonly incidents: IncidentStore;
}

export const stockRoutes = (parts: StockParts): Route[] => [
  ...productRoutes(parts),
  ...ledgerRoutes(parts),
  ...snapshotRoutes(parts),
  ...purchasingRoutes(parts),
  ...incidentRoutes({ incidents: parts.incidents, explanation: oversoldExplanation(parts.journal) }),
];

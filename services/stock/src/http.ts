import { incidentRoutes, type IncidentStore, type Route } from '@evenkeel/chassis';
import { oversoldExplanation } from './http/incidents.ts';
import { importRoutes, type ImportParts } from './http/imports.ts';
import { ledgerRoutes } from './http/ledger.ts';
import { productRoutes, type ProductParts } from './http/products.ts';
import { purchasingRoutes, type PurchasingParts } from './http/purchasing.ts';
import { snapshotRoutes } from './http/snapshots.ts';

export interface StockParts extends ProductParts, PurchasingParts, ImportParts {
  readonly incidents: IncidentStore;
}

export const stockRoutes = (parts: StockParts): Route[] => [
  ...productRoutes(parts),
  ...ledgerRoutes(parts),
  ...snapshotRoutes(parts),
  ...importRoutes(parts),
  ...purchasingRoutes(parts),
  ...incidentRoutes({ incidents: parts.incidents, explanation: oversoldExplanation(parts.journal) }),
];

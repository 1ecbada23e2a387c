import { checkCauses } from './checks/causes.ts';
import { followDecisions } from './checks/decisions.ts';
import { checkHeads } from './checks/heads.ts';
import { checkLedgers } from './checks/ledgers.ts';
import { checkListings } from './checks/listings.ts';
import { checkPurchases } from './checks/purchases.ts';
import { checkReservations } from './checks/reservations.ts';
import { checkWrites } from './checks/writes.ts';
import type { Facts, Finding } from './facts.ts';
import { joinKey } from './keys.ts';

export interface Audit {
  readonly violations: readonly Finding[];
  /** What may only be on its way: judged when all is quiet. */
  readonly unjudged: readonly Finding[];
  readonly counted: Readonly<Record<'rows' | 'movements' | 'reservations' | 'orders' | 'decisions' | 'listings' | 'writes', number>>;
}

/** Judges a system by what is known of it. A SKU whose ledger is broken is named for that alone: what follows from it can be no better. */
export function audit(facts: Facts): Audit {
  const ledger = [...checkLedgers(facts), ...checkCauses(facts)];
  const broken = new Set(ledger.filter((finding) => isViolation(facts, finding)).map(({ tenant, sku = '' }) => joinKey(tenant, sku)));
  const trusted = (key: string) => !broken.has(key);
  const { courses, findings } = followDecisions(facts, trusted);
  const all = [
    ...ledger,
    ...checkPurchases(facts, trusted),
    ...checkReservations(facts, trusted),
    ...findings,
    ...checkWrites(facts, trusted),
    ...checkListings(facts, courses),
    ...checkHeads(facts, courses, trusted),
  ];
  return {
    violations: all.filter((finding) => isViolation(facts, finding)),
    unjudged: all.filter((finding) => !isViolation(facts, finding)),
    counted: {
      rows: entriesIn(facts.ledgers),
      movements: facts.movements.length,
      reservations: entriesIn(facts.reservations),
      orders: new Set(facts.orders.map(({ aggregate }) => aggregate)).size,
      decisions: entriesIn(facts.policies),
      listings: facts.listings.length,
      writes: facts.writes.length,
    },
  };
}

const isViolation = ({ quiet }: Facts, { unsettled }: Finding) => quiet || !unsettled;
const entriesIn = (documents: Facts['policies'] | Facts['ledgers'] | Facts['reservations']) =>
  documents.reduce((sum, { entries }) => sum + entries.length, 0);

import type { Capabilities } from './marketplace.ts';

/** What is sent for an Available: never below zero, never above the marketplace's cap. Channel rules (partition, percentage, buffer) will stand here. */
export const quantityToSend = (
  available: number,
  { minimumQuantity, maximumQuantity }: Pick<Capabilities, 'minimumQuantity' | 'maximumQuantity'>,
): number => Math.min(maximumQuantity, Math.max(minimumQuantity, 0, available));

import { mostLocations, mostOnHand, type Refusal } from '../domain.ts';

/** What refusals other than a changed On Hand mean, and what to do. */
export const refusals: Readonly<Record<Exclude<Refusal, 'on_hand_changed'>, string>> = {
  negative: 'On Hand is zero or more. Send what is there.',
  too_large: `A product's On Hand would be beyond ${mostOnHand} units. Correct the number.`,
  too_many_locations: `A product has at most ${mostLocations} locations. Use one of those that it has.`,
  still_in_use: 'Units of it are still on a shelf or promised to orders. Retire it when On Hand at each location and both reserves are 0.',
};

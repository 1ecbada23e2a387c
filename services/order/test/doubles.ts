import type { IncidentStore, Outgoing } from '@evenkeel/chassis';
import { listedOf, type OrderList } from '../src/list.ts';

/** The list as a projection of what was published would be. */
export const createList = (published: readonly Outgoing[]): OrderList => ({
  async page({ tenant: of, store, state, unmapped, before = '~', limit }) {
    const events = published.flatMap(({ event }) => (event?.type === 'OrderChanged' ? [listedOf(event)] : []));
    const newest = new Map(events.map((listed) => [listed._id, listed]));
    return [...newest.values()]
      .filter((one) => one.tenant === of && one.placed < before && (store ?? one.store) === one.store)
      .filter((one) => (state ?? one.standing) === one.standing && (unmapped ?? one.unmapped) === one.unmapped)
      .toSorted((one, other) => (one.placed < other.placed ? 1 : -1))
      .slice(0, limit);
  },
});

export const noIncidents: IncidentStore = {
  record: async () => undefined,
  find: async () => null,
  page: async () => [],
  acknowledge: async () => null,
  open: async () => 0,
};

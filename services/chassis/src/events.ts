import type { EventName, Topic } from '@evenkeel/contracts';
import type * as contracts from '@evenkeel/contracts';

/** An event with its envelope; on the wire the envelope is CloudEvents headers (`ce_id`, `ce_type`, …), never part of the payload. */
export interface Event<Name extends EventName = EventName> {
  /** The same at every publish: producer, aggregate, sequence (and SKU); of a command: tenant, route and idempotency key. */
  readonly id: string;
  readonly type: Name;
  /** When it entered the system, in milliseconds; carried and displayed, never used for order. */
  readonly time: number;
  /** Follows one order, or one request, from end to end. */
  readonly correlation: string;
  /** Of a topic with `correlationsKept`: the correlations of the records that this one superseded before they left. */
  readonly superseded?: readonly string[];
  readonly data: contracts.Events[Name];
}

/** {@link Event} as a union that can be told apart by `type`. */
export type EventOf<Name extends EventName> = { [N in Name]: Event<N> }[Name];

/** What is to be published: one record of one topic. `event: null` is a tombstone. */
export interface Outgoing {
  readonly topic: Topic;
  /** The parts of the topic's key, in its order. */
  readonly key: readonly string[];
  readonly event: EventOf<EventName> | null;
  /** Only for control records, which go to every partition. */
  readonly partition?: number;
}

import type { Step } from '@evenkeel/chassis';
import type { Codec } from '@evenkeel/contracts';

/** What the engine does with a slice, in order; `fold` holds the decisions and the encoding. */
export const parts = ['decode', 'load', 'fold', 'insert', 'publish', 'commit'] as const;
export type Part = (typeof parts)[number];

const partUpTo: Readonly<Record<Exclude<Step, 'begun'>, Part>> = {
  loaded: 'load',
  folded: 'fold',
  inserted: 'insert',
  published: 'publish',
  committed: 'commit',
};

/** A slice as the engine tells of it. */
interface SliceSeen {
  readonly lane: number;
  readonly events: readonly { readonly offset: number }[];
}

/** Adds up what the lanes spend their time on. They overlap: the sum may be above the clock's. */
export function createStepClock(now: () => number = () => performance.now()) {
  const milliseconds: Record<Part, number> = { decode: 0, load: 0, fold: 0, insert: 0, publish: 0, commit: 0 };
  const lastOf = new Map<number, number>();
  const sliceEnds = new Map<number, number[]>();
  const atWork = new Set<number>();
  let idleMilliseconds = 0;
  let idleSince = now();
  return {
    /** Begins anew; from here on it is idle until a slice begins. */
    begin(): void {
      for (const part of parts) milliseconds[part] = 0;
      [lastOf, sliceEnds, atWork].forEach((map) => map.clear());
      [idleMilliseconds, idleSince] = [0, now()];
    },
    onStep(step: Step, { lane, events }: SliceSeen): void {
      const at = now();
      if (step === 'begun') {
        if (atWork.size === 0) idleMilliseconds += at - idleSince;
        atWork.add(lane);
      } else milliseconds[partUpTo[step]] += at - (lastOf.get(lane) ?? at);
      lastOf.set(lane, at);
      if (step === 'inserted') sliceEnds.set(lane, [...(sliceEnds.get(lane) ?? []), events.at(-1)?.offset ?? 0]);
      if (step === 'committed') {
        atWork.delete(lane);
        idleSince = at;
      }
    },
    /** The codec, with the time that decoding takes; a slice is decoded before it begins. */
    timed: (codec: Codec): Codec => ({
      encode: (name, data) => codec.encode(name, data),
      async decode(name, bytes) {
        const from = now();
        const decoded = codec.decode(name, bytes); // all of its work is done when it returns, but for the first of each schema
        const took = now() - from;
        milliseconds.decode += took;
        if (atWork.size === 0) idleMilliseconds -= took;
        return decoded;
      },
    }),
    /** What share of the lanes' time went into each part. */
    shares(): Record<Part, number> {
      const sum = parts.reduce((total, part) => total + milliseconds[part], 0);
      return Object.fromEntries(parts.map((part) => [part, milliseconds[part] / sum])) as Record<Part, number>;
    },
    /** How long no lane was at work: waiting for the broker. */
    idleSeconds: (): number => idleMilliseconds / 1_000,
    /** Offsets of the last events of the slices that were inserted, by lane, in order: where one insert ended and the next began. */
    sliceEnds: (): ReadonlyMap<number, readonly number[]> => sliceEnds,
  };
}

/** The documents as the engine inserted them: lane by lane, one batch per slice. Throws for one that is of no slice. */
export function batchesOf<Document extends { readonly lane: number; readonly source: { readonly offset: number } }>(
  documents: readonly Document[],
  sliceEnds: ReadonlyMap<number, readonly number[]>,
): Document[][][] {
  return [...Map.groupBy(documents, ({ lane }) => lane)].map(([lane, ofLane]) => {
    const ends = sliceEnds.get(lane) ?? [];
    const bySlice = Map.groupBy(ofLane, ({ source }) => ends.findIndex((end) => source.offset <= end));
    if (bySlice.has(-1)) throw new Error(`Lane ${lane} has documents of no slice that was seen.`);
    return [...bySlice].toSorted(([a], [b]) => a - b).map(([, batch]) => batch);
  });
}

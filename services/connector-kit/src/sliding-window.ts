/** Parts of a window that are counted apart: a day's are minutes. Memory is bounded by it, whatever the rate. */
const parts = 1_440;

/** What is paid now may not have been answered yet: an answer that tells of less spent says nothing of the last two parts. */
const unansweredParts = 2;

/** A limit on what is spent within any stretch of `windowMilliseconds`; what was spent comes back when it has become as old as that. */
export interface SlidingWindow {
  readonly maximum: number;
  pay(cost: number): void;
  /** The marketplace's own account. It says how much was spent, not when: what we don't know of was spent now, the most careful guess. */
  learn(reading: { readonly available: number; readonly maximum: number }): void;
  /** Until so much is there; 0 where it is now. */
  waitMilliseconds(needed: number): number;
}

/**
 * `now`: a monotonic clock in milliseconds. What the first reading says was spent before is taken as spread evenly over the window: each later
 * answer corrects it, and a marketplace that knows better refuses, with a time to wait.
 */
export function createSlidingWindow(
  windowMilliseconds: number,
  first: { readonly available: number; readonly maximum: number },
  now: () => number,
): SlidingWindow {
  const partMilliseconds = windowMilliseconds / parts;
  /** Spent by part, oldest first; only parts in which something was. */
  const spent = new Map<number, number>();
  let maximum = first.maximum;

  const partNow = (): number => Math.floor(now() / partMilliseconds);
  /** When the youngest of a part has become older than the window. */
  const endOf = (part: number): number => (part + 1) * partMilliseconds + windowMilliseconds;
  function add(part: number, units: number): void {
    if (units > 0) spent.set(part, (spent.get(part) ?? 0) + units);
  }
  function inWindow(): number {
    for (const part of spent.keys()) {
      if (endOf(part) > now()) break;
      spent.delete(part);
    }
    return [...spent.values()].reduce((sum, units) => sum + units, 0);
  }
  /** The oldest first: those are what the marketplace has let go of. */
  function drop(units: number): void {
    let left = units;
    for (const [part, of] of spent) {
      if (left <= 0 || part > partNow() - unansweredParts) return;
      if (of > left) spent.set(part, of - left);
      else spent.delete(part);
      left -= of;
    }
  }

  const before = first.maximum - first.available;
  const begin = partNow() - parts;
  for (let part = 0; part < parts; part += 1)
    add(begin + part, Math.floor(((part + 1) * before) / parts) - Math.floor((part * before) / parts));

  return {
    get maximum() {
      return maximum;
    },
    pay: (cost) => add(partNow(), cost),
    learn(reading) {
      maximum = reading.maximum;
      const difference = reading.maximum - reading.available - inWindow();
      if (difference > 0) add(partNow(), difference);
      else drop(-difference);
    },
    waitMilliseconds(needed) {
      let missing = needed - (maximum - inWindow());
      if (missing <= 0) return 0;
      for (const [part, units] of spent) {
        missing -= units;
        if (missing <= 0) return endOf(part) - now();
      }
      return windowMilliseconds; // more is asked for than the window can ever hold
    },
  };
}

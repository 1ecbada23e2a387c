import type { Memo } from '@evenkeel/connector-kit';

/** What is remembered of an Etsy listing between pushes. */
export interface Kept {
  /**
   * `by_us`: we took it off sale because nothing of it was left, and put it back when there is. `coming_back`: we are about to. Whether we did is only
   * known by a look right after: later its seller may have taken it off again.
   */
  readonly offSale: 'no' | 'by_us' | 'coming_back';
  /** Variants that are at nothing by our books, which Etsy did not take, or may have put on sale with a renewal: the next write puts them at nothing. */
  readonly notZeroed: readonly string[];
}

const separator = ' '; // no name of ours has one in it

export function keptIn(memo: Memo | null): Kept {
  const names = String(memo?.['notZeroed'] ?? '');
  const offSale = memo?.['deactivated'] !== true ? 'no' : memo['comingBack'] === true ? 'coming_back' : 'by_us';
  return { offSale, notZeroed: names === '' ? [] : names.split(separator) };
}

export function memoOf({ offSale, notZeroed }: Kept): Memo | null {
  const memo = {
    ...(offSale === 'no' ? {} : { deactivated: true }),
    ...(offSale === 'coming_back' ? { comingBack: true } : {}),
    ...(notZeroed.length === 0 ? {} : { notZeroed: notZeroed.join(separator) }),
  };
  return Object.keys(memo).length === 0 ? null : memo;
}

/** A dependency is sick: the partition waits and the same work is tried again. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

/** This replica is no longer the owner, or is stopping: the work is dropped here and done by whoever owns it now. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

/** Rejects with {@link Unavailable} when the work takes longer; the work itself goes on. */
export async function deadline<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Unavailable(`No answer within ${milliseconds} ms.`)), milliseconds);
  });
  work.catch(() => undefined); // when the deadline wins, its later failure is nobody's
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** True, or false, or in a sentence what is wrong. */
export type Verdict = boolean | string;

export interface Health {
  /** Does its loop make progress, or is it legitimately idle or paused? Never whether broker or database can be reached: a restart mends neither. */
  live(): Verdict | Promise<Verdict>;
  /** Can its HTTP serve? */
  ready(): Verdict | Promise<Verdict>;
}

/** Healthy where all the parts are; a part that says nothing about one of the two is. */
export const allHealthy = (...parts: readonly Partial<Health>[]): Health => ({
  live: () => firstComplaint(parts.map((part) => () => part.live?.() ?? true)),
  ready: () => firstComplaint(parts.map((part) => () => part.ready?.() ?? true)),
});

async function firstComplaint(checks: readonly (() => Verdict | Promise<Verdict>)[]): Promise<Verdict> {
  for (const check of checks) {
    const verdict = await check();
    if (verdict !== true) return verdict;
  }
  return true;
}

/** What a probe is answered: 200 or 503, and why. A check that throws is a "no". */
export async function answerProbe(
  check: () => Verdict | Promise<Verdict>,
): Promise<{ status: 200 | 503; body: { ok: boolean; detail?: string } }> {
  try {
    const verdict = await check();
    if (verdict === true) return { status: 200, body: { ok: true } };
    return { status: 503, body: { ok: false, ...(verdict === false ? {} : { detail: verdict }) } };
  } catch (error) {
    return { status: 503, body: { ok: false, detail: error instanceof Error ? error.message : 'the check itself failed' } };
  }
}

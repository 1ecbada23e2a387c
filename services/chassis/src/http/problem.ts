import { Unavailable } from '../kafka/failures.ts';

/** What a problem says beside its status: RFC 9457, and any further members. */
export interface ProblemDescription {
  /** Kebab case, stable: clients decide by it. */
  readonly type: string;
  /** The type in words; made from it where absent. */
  readonly title?: string;
  /** What happened, and what to do. */
  readonly detail: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly [member: string]: unknown;
}

/** An answer that is a "no"; a handler returns or throws it. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly status: number;
  /** `urn:evenkeel:problem:<kebab>` */
  readonly type: string;
  readonly title: string;
  readonly detail: string;
  readonly members: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, { type, title, detail, headers = {}, ...members }: ProblemDescription) {
    super(detail);
    this.status = status;
    this.type = `urn:evenkeel:problem:${type}`;
    this.title = title ?? type.charAt(0).toUpperCase() + type.slice(1).replaceAll('-', ' ');
    this.detail = detail;
    this.headers = headers;
    this.members = members;
  }

  /** The body; no time and no request id in it, so that a repeat gets the same bytes. */
  toJSON(): Record<string, unknown> {
    return { ...this.members, type: this.type, title: this.title, status: this.status, detail: this.detail };
  }
}

/** `problem(409, { type: 'on-hand-changed', detail: '…what happened and what to do…', movements })` */
export const problem = (status: number, description: ProblemDescription): Problem => new Problem(status, description);

const dependencyErrors =
  /^(Mongo(ose)?(ServerSelection|Network|NetworkTimeout|NotConnected|PoolCleared|WaitQueueTimeout|WriteConcern|OperationTimeout)Error|KafkaJS(Connection|ConnectionClosed|RequestTimeout|BrokerNotFound|NumberOfRetriesExceeded)\w*)$/;

/** What a thrown value is answered with: a sick dependency is 503 and worth another try, anything unforeseen is 500 and tells nothing of the inside. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (error instanceof Unavailable || (error instanceof Error && dependencyErrors.test(error.name)))
    return problem(503, {
      type: 'unavailable',
      detail: 'A part that this needs does not answer at the moment. Nothing is lost: try again shortly, with the same Idempotency-Key.',
      headers: { 'Retry-After': '1' },
    });
  return problem(500, {
    type: 'unexpected',
    detail:
      'That should not have happened, and is in the log under this answer’s X-Correlation-Id. Trying again with the same Idempotency-Key is safe.',
  });
}

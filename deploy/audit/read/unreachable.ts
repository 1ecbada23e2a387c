/** A part of the system that the audit needs could not be read: the audit ends without a verdict. */
export class Unreachable extends Error {
  readonly part: string;

  constructor(part: string, message: string, cause?: unknown) {
    super(`${part}: ${message}`, { cause });
    this.name = 'Unreachable';
    this.part = part;
  }

  /** Runs something that reads a part; whatever it throws names that part. */
  static async where<Value>(part: string, read: () => Promise<Value>): Promise<Value> {
    try {
      return await read();
    } catch (error) {
      if (error instanceof Unreachable) throw error;
      throw new Unreachable(part, error instanceof Error ? reasonOf(error) : String(error), error);
    }
  }
}

/** `fetch` says no more than that it failed: the reason is its cause's. */
function reasonOf(error: Error): string {
  const { cause } = error;
  if (cause instanceof Error && cause.message !== '') return cause.message;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return error.message;
}

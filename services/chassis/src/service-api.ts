import type { Topic } from '@evenkeel/contracts';
import type { Route } from './http/routes.ts';
import { Unavailable } from './kafka/failures.ts';

/** What a service promises to others, known without starting it: from it come its OpenAPI and AsyncAPI documents and the generated client. */
export interface ServiceApi {
  /** As the owner of topics is called. */
  readonly name: string;
  /** Of its OpenAPI document. */
  readonly title: string;
  /** To be read, not called: they are made of {@link absent} parts. */
  readonly routes: readonly Route[];
  readonly reads: readonly Topic[];
  /** Its own topics alone, also where it reads them itself. */
  readonly writes: readonly Topic[];
}

/** A part that is not there: it can be handed on and taken apart; using it is 503. */
export function absent<Part>(): Part {
  const part: object = new Proxy(() => undefined, {
    get: (_target, name) => (typeof name === 'symbol' || name === 'then' ? undefined : part),
    apply() {
      throw new Unavailable('This part is absent: the routes were made only to be read.');
    },
  });
  return part as Part;
}

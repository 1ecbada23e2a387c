/** The control port's "no": what was asked cannot be done to this shop. `status` is the HTTP status that says so. */
export class Refusal extends Error {
  readonly status: 404 | 409 | 422;

  constructor(status: 404 | 409 | 422, detail: string) {
    super(detail);
    this.name = 'Refusal';
    this.status = status;
  }
}

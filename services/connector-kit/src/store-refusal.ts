/** A person's request about a store or a listing cannot be met; the message says what to do. */
export class StoreRefusal extends Error {
  override readonly name = 'StoreRefusal';
  readonly code:
    'unknown_store' | 'unknown_listing' | 'store_exists' | 'account_connected' | 'another_account' | 'changed_meanwhile' | 'disconnected';

  constructor(code: StoreRefusal['code'], message: string) {
    super(message);
    this.code = code;
  }
}

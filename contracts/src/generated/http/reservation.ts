// Generated from the routes of reservation by `npm run generate`: change those, not this file.

export type OrderOutcome = {
  readonly store: string;
  readonly order: string;
  /** Pending: it is on its way; repeat the request with the same Idempotency-Key. */
  readonly status: "done" | "refused" | "pending";
  /** What was moved. */
  readonly units: readonly LineUnits[];
  readonly reason: string | null;
  /** Why nothing was moved, and what to do. */
  readonly detail: string | null;
};

export type LineUnits = {
  readonly line: string;
  readonly sku: string;
  readonly quantity: number;
};

export type BatchOutcome = {
  readonly batch: string;
  readonly orders: readonly OrderOutcome[];
};

export interface ReservationHttp {
  /** What an order holds of the stock */
  readonly 'GET /stores/{store}/orders/{order}/reservations': {
    readonly path: {
      readonly store: string;
      readonly order: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly store: string;
        readonly order: string;
        /** Sequence of the order's last event that was acted on; 0: none yet. */
        readonly orderSequence: number;
        /** Units promised and not yet deducted. */
        readonly open: readonly {
          readonly sku: string;
          readonly quantity: number;
        }[];
        readonly lines: readonly {
          readonly line: string;
          readonly sku: string;
          readonly orderReserve: number;
          /** Units in pick batches, not picked yet. */
          readonly batches: readonly {
            readonly batch: string;
            readonly quantity: number;
          }[];
          /** Units that were cancelled after they had been picked. */
          readonly toPutBack: number;
        }[];
        readonly picked: readonly ({
          readonly line: string;
          readonly sku: string;
          /** With neither label nor batch: by the word of the marketplace. */
          readonly label: string | null;
          readonly batch: string | null;
          readonly quantity: number;
        })[];
      };
    };
  };
  /** Units that were cancelled after they had been picked */
  readonly 'GET /to-put-back': {
    readonly path: undefined;
    readonly query: {
      /** `next` of the page before. */
      readonly after?: string | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly units: readonly ({
          readonly store: string;
          readonly order: string;
          readonly name: string;
          readonly line: string;
          readonly sku: string;
          readonly quantity: number;
          /** Since when units of this line are to be put back. */
          readonly since: string | null;
        })[];
        readonly next: string | null;
      };
    };
  };
  /** Say that cancelled units are back on the shelf */
  readonly 'POST /stores/{store}/orders/{order}/put-backs': {
    readonly path: {
      readonly store: string;
      readonly order: string;
    };
    readonly query: undefined;
    readonly body: {
      /** Null: all that are to be put back. */
      readonly lines?: readonly {
        readonly line: string;
        readonly quantity: number;
      }[] | null | undefined;
      /** Where they are; null: each product's default location. */
      readonly location?: string | null | undefined;
      readonly lost?: boolean | undefined;
    };
    readonly answers: {
      readonly 201: OrderOutcome;
      readonly 202: undefined;
    };
  };
  /** Make a pick batch */
  readonly 'POST /pick-batches': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: {
      readonly name?: string | null | undefined;
      readonly orders: readonly ({
        readonly store: string;
        readonly order: string;
        /** Null: all of it. */
        readonly lines?: readonly {
          readonly line: string;
          readonly quantity: number;
        }[] | null | undefined;
      })[];
    };
    readonly answers: {
      readonly 201: BatchOutcome;
    };
  };
  /** Pick batches, newest first */
  readonly 'GET /pick-batches': {
    readonly path: undefined;
    readonly query: {
      readonly state?: "open" | "cancelled" | undefined;
      /** `next` of the page before. */
      readonly before?: string | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly batches: readonly ({
          readonly batch: string;
          readonly name: string | null;
          readonly state: "open" | "cancelled";
          readonly createdAt: string;
          readonly createdBy: string;
          readonly cancelledAt: string | null;
          readonly cancelledBy: string | null;
        })[];
        readonly next: string | null;
      };
    };
  };
  /** A pick batch with its orders */
  readonly 'GET /pick-batches/{batch}': {
    readonly path: {
      readonly batch: string;
    };
    readonly query: {
      /** `next` of the page before. */
      readonly after?: string | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly batch: string;
        readonly name: string | null;
        readonly state: "open" | "cancelled";
        readonly createdAt: string;
        readonly createdBy: string;
        readonly cancelledAt: string | null;
        readonly cancelledBy: string | null;
        readonly orders: readonly {
          readonly store: string;
          readonly order: string;
          readonly name: string;
          readonly lines: readonly {
            readonly line: string;
            readonly sku: string;
            /** Units that the batch holds and that are not picked. */
            readonly toPick: number;
            readonly picked: number;
          }[];
          /** What the batch ever had of the order. Left: taken out again, cancelled, or shipped otherwise. */
          readonly products: readonly {
            readonly sku: string;
            readonly assigned: number;
            readonly picked: number;
            readonly missing: number;
            readonly left: number;
          }[];
        }[];
        readonly next: string | null;
      };
    };
  };
  /** Put more orders into a pick batch */
  readonly 'POST /pick-batches/{batch}/orders': {
    readonly path: {
      readonly batch: string;
    };
    readonly query: undefined;
    readonly body: {
      readonly orders: readonly ({
        readonly store: string;
        readonly order: string;
        /** Null: all of it. */
        readonly lines?: readonly {
          readonly line: string;
          readonly quantity: number;
        }[] | null | undefined;
      })[];
    };
    readonly answers: {
      readonly 200: BatchOutcome;
    };
  };
  /** Take orders out of a pick batch */
  readonly 'POST /pick-batches/{batch}/removals': {
    readonly path: {
      readonly batch: string;
    };
    readonly query: undefined;
    readonly body: {
      readonly orders: readonly ({
        readonly store: string;
        readonly order: string;
        /** Null: all of it. */
        readonly lines?: readonly {
          readonly line: string;
          readonly quantity: number;
        }[] | null | undefined;
      })[];
    };
    readonly answers: {
      readonly 200: BatchOutcome;
    };
  };
  /** Say that units of a pick batch were taken off the shelf */
  readonly 'POST /pick-batches/{batch}/picks': {
    readonly path: {
      readonly batch: string;
    };
    readonly query: undefined;
    readonly body: {
      /** Null: all that the batch holds. */
      readonly orders?: readonly ({
        readonly store: string;
        readonly order: string;
        /** Null: all of it. */
        readonly lines?: readonly {
          readonly line: string;
          readonly quantity: number;
        }[] | null | undefined;
      })[] | null | undefined;
      /** Null: each product's default location. */
      readonly location?: string | null | undefined;
    };
    readonly answers: {
      readonly 200: BatchOutcome;
    };
  };
  /** Say that units of a pick batch are not there */
  readonly 'POST /pick-batches/{batch}/short-picks': {
    readonly path: {
      readonly batch: string;
    };
    readonly query: undefined;
    readonly body: {
      readonly orders: readonly {
        readonly store: string;
        readonly order: string;
        readonly lines: readonly {
          readonly line: string;
          readonly quantity: number;
        }[];
      }[];
      /** Null: each product's default location. */
      readonly location?: string | null | undefined;
    };
    readonly answers: {
      readonly 200: BatchOutcome;
    };
  };
  /** Cancel a pick batch */
  readonly 'POST /pick-batches/{batch}/cancel': {
    readonly path: {
      readonly batch: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly batch: string;
        readonly name: string | null;
        readonly state: "open" | "cancelled";
        readonly createdAt: string;
        readonly createdBy: string;
        readonly cancelledAt: string | null;
        readonly cancelledBy: string | null;
        readonly leaving: number;
      };
    };
  };
  /** What is still to be picked, sorted by location */
  readonly 'GET /pick-batches/{batch}/pick-list': {
    readonly path: {
      readonly batch: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly batch: string;
        readonly name: string | null;
        readonly rows: readonly ({
          /** The default location of the product, else where most of it is: name that one with the pick, which takes units of a product without a default location from `default` where it names none. */
          readonly location: string;
          readonly sku: string;
          readonly title: string | null;
          readonly quantity: number;
          /** On Hand there; null where nobody knows the product. */
          readonly onHand: number | null;
          readonly orders: readonly {
            readonly store: string;
            readonly order: string;
            readonly name: string;
            readonly quantity: number;
          }[];
        })[];
      };
    };
  };
  /** The pick list as a page to print */
  readonly 'GET /pick-batches/{batch}/pick-list.html': {
    readonly path: {
      readonly batch: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: string;
    };
  };
}

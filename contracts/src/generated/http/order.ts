// Generated from the routes of order by `npm run generate`: change those, not this file.

export type Label = {
  readonly label: string;
  /** Null: each product's default location. */
  readonly location: string | null;
  readonly user: User;
  readonly lines: readonly {
    readonly line: string;
    readonly quantity: number;
    /** Units of it that were voided. */
    readonly voided: number;
  }[];
  /** Oldest first. */
  readonly voids: readonly LabelVoid[];
};

export type User = {
  readonly kind: "person" | "marketplace" | "system";
  readonly id: string;
};

export type LabelVoid = {
  readonly user: User;
  readonly lines: readonly LineUnits[];
};

export type LineUnits = {
  readonly line: string;
  readonly quantity: number;
};

export type Incident = {
  /** What is wrong, such as oversold. */
  readonly kind: string;
  /** What it is about: a SKU; or store and order, or store and listing, each encoded, with a slash between. In an address it is encoded once more. */
  readonly subject: string;
  /** Opened and closed by what is, never by a person. */
  readonly state: "open" | "closed";
  /** How often it has opened since it was first raised within an hour. */
  readonly count: number;
  readonly openedAt: string;
  readonly closedAt: string | null;
  /** As they were when it opened. */
  readonly details: Readonly<Record<string, string>>;
  /** Who has seen the present opening. */
  readonly acknowledged: {
    readonly user: string;
    readonly at: string;
  } | null;
};

export interface OrderHttp {
  /** Orders of all stores, newest first */
  readonly 'GET /orders': {
    readonly path: undefined;
    readonly query: {
      readonly store?: string | undefined;
      readonly state?: "open" | "shipped" | "cancelled" | undefined;
      readonly unmapped?: boolean | undefined;
      /** `next` of the page before. */
      readonly before?: string | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly orders: readonly ({
          readonly store: string;
          readonly order: string;
          readonly name: string;
          readonly marketplace: string;
          /** Open: units are neither cancelled, on a label, nor shipped. */
          readonly state: "open" | "shipped" | "cancelled";
          /** Lines of it have a listing that is not mapped: nothing is reserved for them. */
          readonly unmapped: boolean;
          readonly units: number;
          readonly placedAt: string;
          readonly updatedAt: string;
        })[];
        readonly next: string | null;
      };
    };
  };
  /** Create a shipping label */
  readonly 'POST /stores/{store}/orders/{order}/labels': {
    readonly path: {
      readonly store: string;
      readonly order: string;
    };
    readonly query: undefined;
    readonly body: {
      /** Null: all that is left. */
      readonly lines?: readonly {
        readonly line: string;
        readonly quantity: number;
      }[] | null | undefined;
      /** Where the units are taken; null: each product's default location. */
      readonly location?: string | null | undefined;
    };
    readonly answers: {
      readonly 201: Label;
      readonly 202: undefined;
    };
  };
  /** Void a shipping label, or units on it */
  readonly 'POST /stores/{store}/orders/{order}/labels/{label}/voids': {
    readonly path: {
      readonly store: string;
      readonly order: string;
      readonly label: string;
    };
    readonly query: undefined;
    readonly body: {
      /** Null: all that is left on the label. */
      readonly lines?: readonly {
        readonly line: string;
        readonly quantity: number;
      }[] | null | undefined;
    };
    readonly answers: {
      readonly 201: LabelVoid;
      readonly 202: undefined;
    };
  };
  /** An order with its labels */
  readonly 'GET /stores/{store}/orders/{order}': {
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
        readonly marketplace: string;
        readonly name: string;
        readonly sequence: number;
        readonly placedAt: string;
        readonly updatedAt: string;
        readonly cancelledAt: string | null;
        readonly lines: readonly ({
          readonly line: string;
          readonly listing: string | null;
          readonly sku: string | null;
          readonly quantity: number;
          readonly cancelled: number;
          readonly fulfilled: number;
          /** Units that had shipped before the store was connected: they never count here. */
          readonly shippedBefore: number;
          readonly fulfilledBy: "seller" | "marketplace";
          readonly labelled: number;
          /** Units that a label may still cover. */
          readonly left: number;
        })[];
        readonly labels: readonly Label[];
      };
    };
  };
  /** What happened to an order, newest first */
  readonly 'GET /stores/{store}/orders/{order}/steps': {
    readonly path: {
      readonly store: string;
      readonly order: string;
    };
    readonly query: {
      /** `next` of the page before. */
      readonly before?: number | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly steps: readonly ({
          readonly sequence: number;
          readonly at: string;
          readonly type: "seen" | "cancelled" | "edited" | "shipped" | "mapped" | "told" | "labelled" | "voided" | "refused";
          readonly user: User;
          readonly label: string | null;
          readonly location: string | null;
          /** Why it was refused; then nothing changed. */
          readonly refused: string | null;
          /** What changed of each line; of a label or a void: its units, as shipped. */
          readonly lines: readonly ({
            readonly line: string;
            readonly sku: string | null;
            readonly ordered: number;
            readonly cancelled: number;
            readonly shipped: number;
          })[];
        })[];
        readonly next: number | null;
      };
    };
  };
  /** The tenant's incidents */
  readonly 'GET /incidents': {
    readonly path: undefined;
    readonly query: {
      readonly state?: "open" | "closed" | undefined;
      readonly kind?: string | undefined;
      /** `next` of the page before. */
      readonly after?: string | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly incidents: readonly Incident[];
        readonly next: string | null;
      };
    };
  };
  /** One incident */
  readonly 'GET /incidents/{kind}/{subject}': {
    readonly path: {
      readonly kind: string;
      readonly subject: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly incident: Incident;
      };
    };
  };
  /** Say that you have seen it */
  readonly 'POST /incidents/{kind}/{subject}/acknowledgements': {
    readonly path: {
      readonly kind: string;
      readonly subject: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly incident: Incident;
      };
    };
  };
}

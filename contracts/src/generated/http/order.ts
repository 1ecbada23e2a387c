// Generated from the routes of order by `npm run generate`: change those, not this file.

export interface OrderHttp {
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
      readonly 201: {
        readonly label: string;
        /** Null: each product's default location. */
        readonly location: string | null;
        readonly user: {
          readonly kind: "person" | "marketplace" | "system";
          readonly id: string;
        };
        readonly lines: readonly {
          readonly line: string;
          readonly quantity: number;
        }[];
      };
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
          readonly labelled: number;
          /** Units that a label may still cover. */
          readonly left: number;
        })[];
        readonly labels: readonly ({
          readonly label: string;
          /** Null: each product's default location. */
          readonly location: string | null;
          readonly user: {
            readonly kind: "person" | "marketplace" | "system";
            readonly id: string;
          };
          readonly lines: readonly {
            readonly line: string;
            readonly quantity: number;
          }[];
        })[];
      };
    };
  };
}

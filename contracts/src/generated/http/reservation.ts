// Generated from the routes of reservation by `npm run generate`: change those, not this file.

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
}

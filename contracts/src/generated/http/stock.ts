// Generated from the routes of stock by `npm run generate`: change those, not this file.

export interface StockHttp {
  /** A product's inventory */
  readonly 'GET /products/{sku}': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly sku: string;
        readonly epoch: number;
        /** Number of the ledger row that this stands after; 0: there is none. */
        readonly sequence: number;
        readonly quantities: {
          readonly onHand: number;
          readonly orderReserve: number;
          readonly batchReserve: number;
          readonly available: number;
        };
        /** On Hand per location. */
        readonly locations: Readonly<Record<string, number>>;
        /** False: never counted, so the quantities say nothing. */
        readonly counted: boolean;
      };
    };
  };
  /** A product's transactions, newest first */
  readonly 'GET /products/{sku}/movements': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: {
      /** `next` of the page before. */
      readonly before?: number | undefined;
      readonly limit?: number | undefined;
      readonly type?: "StockUpdate" | "PurchaseReceiving" | "AutoPick" | "BatchPick" | "OrderReserve" | "OrderRelease" | "BatchReserve" | "BatchRelease" | "ProductChange" | undefined;
      readonly include?: "reserves" | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly movements: readonly ({
          readonly sequence: number;
          readonly at: string;
          readonly type: "StockUpdate" | "PurchaseReceiving" | "AutoPick" | "BatchPick" | "OrderReserve" | "OrderRelease" | "BatchReserve" | "BatchRelease" | "ProductChange";
          readonly batch: string | null;
          readonly label: string | null;
          readonly reverses: string | null;
          readonly purchaseOrder: string | null;
          readonly reason: string | null;
          readonly refused: string | null;
          readonly change: {
            readonly onHand: number;
            readonly orderReserve: number;
            readonly batchReserve: number;
            readonly available: number;
          };
          readonly after: {
            readonly onHand: number;
            readonly orderReserve: number;
            readonly batchReserve: number;
            readonly available: number;
          };
          readonly location: string | null;
          readonly locationOnHand: number | null;
          readonly order: {
            readonly store: string;
            readonly order: string;
          } | null;
          readonly counted: boolean;
          readonly user: {
            readonly kind: "person" | "marketplace" | "system";
            readonly id: string;
          };
          readonly cause: string;
        })[];
        readonly next: number | null;
      };
    };
  };
  /** Set On Hand at one location to what is there */
  readonly 'PUT /products/{sku}/locations/{location}/on-hand': {
    readonly path: {
      readonly sku: string;
      readonly location: string;
    };
    readonly query: undefined;
    readonly body: {
      /** On Hand at this location as its user saw it; 0 where nothing was ever there. */
      readonly seen: number;
      /** What is there. */
      readonly onHand: number;
      /** Such as return or damaged; null: a count. */
      readonly reason?: string | null | undefined;
    };
    readonly answers: {
      readonly 200: {
        readonly movement: {
          readonly sequence: number;
          readonly at: string;
          readonly type: "StockUpdate" | "PurchaseReceiving" | "AutoPick" | "BatchPick" | "OrderReserve" | "OrderRelease" | "BatchReserve" | "BatchRelease" | "ProductChange";
          readonly batch: string | null;
          readonly label: string | null;
          readonly reverses: string | null;
          readonly purchaseOrder: string | null;
          readonly reason: string | null;
          readonly refused: string | null;
          readonly change: {
            readonly onHand: number;
            readonly orderReserve: number;
            readonly batchReserve: number;
            readonly available: number;
          };
          readonly after: {
            readonly onHand: number;
            readonly orderReserve: number;
            readonly batchReserve: number;
            readonly available: number;
          };
          readonly location: string | null;
          readonly locationOnHand: number | null;
          readonly order: {
            readonly store: string;
            readonly order: string;
          } | null;
          readonly counted: boolean;
          readonly user: {
            readonly kind: "person" | "marketplace" | "system";
            readonly id: string;
          };
          readonly cause: string;
        };
      };
      readonly 202: undefined;
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
        readonly incidents: readonly ({
          readonly kind: string;
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
        })[];
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
        readonly incident: {
          readonly kind: string;
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
        readonly incident: {
          readonly kind: string;
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
      };
    };
  };
}

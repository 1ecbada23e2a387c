// Generated from the routes of stock by `npm run generate`: change those, not this file.

export type Quantities = {
  readonly onHand: number;
  /** Promised to orders, neither shipped nor in a pick batch. */
  readonly orderReserve: number;
  /** In pick batches, not picked yet. */
  readonly batchReserve: number;
  /** On Hand − Order Reserve − Batch Reserve; below zero: oversold. */
  readonly available: number;
};

export type Movement = {
  /** Number of the row in the product's ledger: from 1, without a gap. */
  readonly sequence: number;
  readonly at: string;
  readonly type: "StockUpdate" | "PurchaseReceiving" | "AutoPick" | "BatchPick" | "OrderReserve" | "OrderRelease" | "BatchReserve" | "BatchRelease" | "ProductChange";
  /** The pick batch that it is about. */
  readonly batch: string | null;
  /** The label that it belongs to. */
  readonly label: string | null;
  /** The cause of the Auto Pick that it takes back. */
  readonly reverses: string | null;
  /** The purchase order that it was put away from. */
  readonly purchaseOrder: string | null;
  /** Of a Stock Update; null: a count. */
  readonly reason: string | null;
  /** Why it changed nothing; null: it was taken. */
  readonly refused: string | null;
  readonly change: Quantities;
  readonly after: Quantities;
  /** Where On Hand was changed, or counted. */
  readonly location: string | null;
  /** On Hand at that location after it. */
  readonly locationOnHand: number | null;
  /** The order that it is about. */
  readonly order: {
    readonly store: string;
    readonly order: string;
  } | null;
  /** Whether the product had been counted by then; if not, the quantities say nothing. */
  readonly counted: boolean;
  readonly user: User;
  /** Id of the event or command that brought it about: each has one row. */
  readonly cause: string;
};

export type User = {
  readonly kind: "person" | "marketplace" | "system";
  readonly id: string;
};

export type ProductImport = {
  readonly id: string;
  readonly state: "previewed" | "applying" | "applied";
  readonly at: string;
  /** Of the file. */
  readonly rows: number;
  /** Rows that change something. */
  readonly changes: number;
  /** Of these, how many are done. */
  readonly applied: number;
  /** Rows whose count was left out, and why. What they say of the product's settings is applied. */
  readonly refused: readonly {
    readonly line: number;
    readonly sku: string;
    readonly reason: string;
    readonly detail: string;
  }[];
  readonly errorCount: number;
  /** Rows that cannot be applied, and what to do; the first 1000. */
  readonly errors: readonly ({
    readonly line: number;
    readonly column: "sku" | "title" | "location" | "on_hand" | "low_stock_at_or_below" | "default_location";
    readonly message: string;
  })[];
  /** The first 50 rows that change something. */
  readonly preview: readonly ({
    readonly line: number;
    readonly sku: string;
    /** What they will be; null: as they are. */
    readonly settings: {
      readonly title: string | null;
      readonly defaultLocation: string | null;
      readonly lowStockAtOrBelow: number | null;
    } | null;
    readonly count: {
      readonly location: string;
      /** On Hand there when the file was looked at. */
      readonly seen: number;
      readonly onHand: number;
    } | null;
  })[];
};

export type PurchaseOrder = {
  readonly purchaseOrder: string;
  readonly sequence: number;
  /** open while units are still to come */
  readonly state: "open" | "received" | "closed";
  readonly supplier: string | null;
  readonly note: string | null;
  readonly lines: readonly {
    readonly sku: string;
    readonly ordered: number;
    readonly received: number;
    /** On a shelf, and On Hand. */
    readonly putAway: number;
    readonly toCome: number;
    /** Received, and not sellable yet. */
    readonly toPutAway: number;
  }[];
};

export type PurchaseStep = {
  readonly sequence: number;
  readonly at: string;
  readonly step: "created" | "received" | "put_away" | "closed";
  readonly refused: string | null;
  readonly lines: readonly PurchasedUnits[];
  readonly putAway: readonly PurchasedUnits[];
  readonly location: string | null;
  readonly user: User;
};

export type PurchasedUnits = {
  readonly sku: string;
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
  /** As it is now; null where there is none. */
  readonly explanation: {
    readonly quantities: Quantities;
    /** The newest reservations, until what is short is covered; fewer, or none, where On Hand itself is below zero: what left without being there is promised no longer. */
    readonly orders: readonly {
      readonly store: string;
      readonly order: string;
      /** Units of it that are promised and not taken yet. */
      readonly reserved: number;
      /** How many of them there are not. */
      readonly short: number;
      /** When they were promised. */
      readonly at: string;
    }[];
  } | null;
};

export interface StockHttp {
  /** The inventory table */
  readonly 'GET /products': {
    readonly path: undefined;
    readonly query: {
      /** Beginning of the SKU, or part of the title; case does not matter. */
      readonly search?: string | undefined;
      /** Whether it was ever counted. */
      readonly counted?: boolean | undefined;
      /** Counted, and Available below zero. */
      readonly oversold?: boolean | undefined;
      /** Counted, and Available at or below what the product names. */
      readonly low?: boolean | undefined;
      /** Products that are no longer dealt in are shown only when they are asked for. */
      readonly retired?: boolean | undefined;
      /** Products that are equal in it stand by SKU; the case of titles does not matter. */
      readonly sort?: "sku" | "title" | "onHand" | "orderReserve" | "batchReserve" | "available" | undefined;
      readonly order?: "ascending" | "descending" | undefined;
      /** `next` of the page before, of the same sort. */
      readonly after?: string | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly products: readonly ({
          readonly sku: string;
          readonly title: string | null;
          /** Where units are taken when nobody says where; null: the location default. */
          readonly defaultLocation: string | null;
          /** At or below this Available it is low on stock; null: never. */
          readonly lowStockAtOrBelow: number | null;
          /** No longer dealt in; its ledger stays. */
          readonly retired: boolean;
          readonly quantities: Quantities;
          /** False: never counted, so the quantities say nothing. */
          readonly counted: boolean;
          readonly oversold: boolean;
          readonly low: boolean;
          readonly sequence: number;
          /** When it last changed. */
          readonly at: string;
        })[];
        readonly next: string | null;
      };
    };
  };
  /** The inventory table as CSV, a line for each location */
  readonly 'GET /products.csv': {
    readonly path: undefined;
    readonly query: {
      /** Beginning of the SKU, or part of the title; case does not matter. */
      readonly search?: string | undefined;
      /** Whether it was ever counted. */
      readonly counted?: boolean | undefined;
      /** Counted, and Available below zero. */
      readonly oversold?: boolean | undefined;
      /** Counted, and Available at or below what the product names. */
      readonly low?: boolean | undefined;
      /** Products that are no longer dealt in are shown only when they are asked for. */
      readonly retired?: boolean | undefined;
      /** Products that are equal in it stand by SKU; the case of titles does not matter. */
      readonly sort?: "sku" | "title" | "onHand" | "orderReserve" | "batchReserve" | "available" | undefined;
      readonly order?: "ascending" | "descending" | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: string;
    };
  };
  /** Where products are, with how many products and units */
  readonly 'GET /locations': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly locations: readonly {
          readonly location: string;
          readonly products: number;
          readonly units: number;
        }[];
      };
    };
  };
  /** Set what a product is called and how it is kept, all of it at once */
  readonly 'PUT /products/{sku}': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: undefined;
    readonly body: {
      readonly title?: string | null | undefined;
      readonly defaultLocation?: string | null | undefined;
      readonly lowStockAtOrBelow?: number | null | undefined;
      readonly retired?: boolean | undefined;
    };
    readonly answers: {
      readonly 200: {
        readonly product: {
          readonly sku: string;
          readonly sequence: number;
          readonly title: string | null;
          /** Where units are taken when nobody says where; null: the location default. */
          readonly defaultLocation: string | null;
          /** At or below this Available it is low on stock; null: never. */
          readonly lowStockAtOrBelow: number | null;
          /** No longer dealt in; its ledger stays. */
          readonly retired: boolean;
        };
      };
      readonly 202: undefined;
    };
  };
  /** A product's inventory, now or at a past moment */
  readonly 'GET /products/{sku}': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: {
      /** As it stood after the last row of its ledger that is not later; absent: now. */
      readonly at?: string | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly sku: string;
        readonly title: string | null;
        readonly epoch: number;
        /** Number of the ledger row that this stands after; 0: there is none. */
        readonly sequence: number;
        /** Of that row. */
        readonly at: string | null;
        readonly quantities: Quantities;
        /** On Hand per location; null where a past moment was asked for. */
        readonly locations: Readonly<Record<string, number>> | null;
        /** False: never counted, so the quantities say nothing. */
        readonly counted: boolean;
        readonly defaultLocation: string | null;
        readonly lowStockAtOrBelow: number | null;
        readonly retired: boolean;
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
      /** Only this one; absent: those that change On Hand. */
      readonly type?: "StockUpdate" | "PurchaseReceiving" | "AutoPick" | "BatchPick" | "OrderReserve" | "OrderRelease" | "BatchReserve" | "BatchRelease" | "ProductChange" | undefined;
      /** Every type. */
      readonly include?: "reserves" | undefined;
      /** From this moment on, and with it. */
      readonly from?: string | undefined;
      /** Up to this moment, and with it. */
      readonly to?: string | undefined;
      /** Whoever did it: a person, a marketplace, a part of the system. */
      readonly user?: string | undefined;
      /** Where On Hand was changed, or counted. */
      readonly location?: string | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly movements: readonly Movement[];
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
        readonly movement: Movement;
      };
      readonly 202: undefined;
    };
  };
  /** All products at a past moment */
  readonly 'GET /stock-snapshots': {
    readonly path: undefined;
    readonly query: {
      /** As each product stood after the last row of its ledger that is not later. */
      readonly at: string;
      /** `next` of the page before. */
      readonly after?: string | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly at: string;
        readonly products: readonly ({
          readonly sku: string;
          /** As it is called now. */
          readonly title: string | null;
          readonly counted: boolean;
          readonly quantities: Quantities;
        })[];
        readonly next: string | null;
      };
    };
  };
  /** All products at a past moment, as CSV */
  readonly 'GET /stock-snapshots.csv': {
    readonly path: undefined;
    readonly query: {
      /** As each product stood after the last row of its ledger that is not later. */
      readonly at: string;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: string;
    };
  };
  /** Look at a CSV file of products and opening stock; nothing is changed yet */
  readonly 'POST /product-imports': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: string;
    readonly answers: {
      readonly 201: {
        readonly import: ProductImport;
      };
    };
  };
  /** An import, and how far it is */
  readonly 'GET /product-imports/{id}': {
    readonly path: {
      readonly id: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly import: ProductImport;
      };
    };
  };
  /** Apply what was looked at */
  readonly 'POST /product-imports/{id}/apply': {
    readonly path: {
      readonly id: string;
    };
    readonly query: undefined;
    readonly body: {
      /** Whether to go on without the rows that are wrong. */
      readonly skipErrors?: boolean | undefined;
    };
    readonly answers: {
      readonly 202: {
        readonly import: ProductImport;
      };
    };
  };
  /** Order units from a supplier */
  readonly 'POST /purchase-orders': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: {
      /** Its name; absent: one is made from the request. */
      readonly purchaseOrder?: string | undefined;
      readonly supplier?: string | null | undefined;
      readonly note?: string | null | undefined;
      readonly lines: readonly {
        readonly sku: string;
        readonly quantity: number;
      }[];
    };
    readonly answers: {
      readonly 201: {
        readonly purchaseOrder: PurchaseOrder;
        readonly step: PurchaseStep;
      };
      readonly 202: undefined;
    };
  };
  /** Purchase orders, newest first */
  readonly 'GET /purchase-orders': {
    readonly path: undefined;
    readonly query: {
      readonly state?: "open" | "received" | "closed" | undefined;
      /** `next` of the page before. */
      readonly after?: string | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly purchaseOrders: readonly ({
          readonly purchaseOrder: string;
          readonly state: "open" | "received" | "closed";
          readonly supplier: string | null;
          readonly createdAt: string;
          readonly products: number;
          readonly unitsOrdered: number;
          readonly unitsToCome: number;
          readonly unitsToPutAway: number;
        })[];
        readonly next: string | null;
      };
    };
  };
  /** A purchase order with its history */
  readonly 'GET /purchase-orders/{purchaseOrder}': {
    readonly path: {
      readonly purchaseOrder: string;
    };
    readonly query: {
      /** `next` of the page of steps before. */
      readonly before?: number | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly purchaseOrder: PurchaseOrder;
        readonly steps: readonly PurchaseStep[];
        readonly next: number | null;
      };
    };
  };
  /** Receive units, and put them away in the same step unless told otherwise */
  readonly 'POST /purchase-orders/{purchaseOrder}/receipts': {
    readonly path: {
      readonly purchaseOrder: string;
    };
    readonly query: undefined;
    readonly body: {
      /** What came; null: all that is still to come. */
      readonly lines?: readonly {
        readonly sku: string;
        readonly quantity: number;
      }[] | null | undefined;
      /** False: they wait to be put away, and are not sellable yet. */
      readonly putAway?: boolean | undefined;
      /** Where they are put; null: each product's default location. */
      readonly location?: string | null | undefined;
      /** Whether more may come in than was ordered. */
      readonly allowOver?: boolean | undefined;
    };
    readonly answers: {
      readonly 200: {
        readonly purchaseOrder: PurchaseOrder;
        readonly step: PurchaseStep;
      };
      readonly 202: undefined;
    };
  };
  /** Put received units on the shelf: from then on they are On Hand */
  readonly 'POST /purchase-orders/{purchaseOrder}/put-aways': {
    readonly path: {
      readonly purchaseOrder: string;
    };
    readonly query: undefined;
    readonly body: {
      /** Which; null: all that waits. */
      readonly lines?: readonly {
        readonly sku: string;
        readonly quantity: number;
      }[] | null | undefined;
      /** Where they are put; null: each product's default location. */
      readonly location?: string | null | undefined;
    };
    readonly answers: {
      readonly 200: {
        readonly purchaseOrder: PurchaseOrder;
        readonly step: PurchaseStep;
      };
      readonly 202: undefined;
    };
  };
  /** What is still to come will not come */
  readonly 'POST /purchase-orders/{purchaseOrder}/close': {
    readonly path: {
      readonly purchaseOrder: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly purchaseOrder: PurchaseOrder;
        readonly step: PurchaseStep;
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

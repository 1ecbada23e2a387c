// Generated from the routes of connector-etsy by `npm run generate`: change those, not this file.

export interface ConnectorEtsyHttp {
  /** Connect a store: its access is proven, its listings are read and mapped where they carry a SKU. */
  readonly 'POST /stores': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: {
      readonly store: string;
      /** what the seller's consent gave: the access token */
      readonly accessToken: string;
      /** and the refresh token, which nobody else uses from now on */
      readonly refreshToken: string;
      /** the app's signing secret, for webhooks */
      readonly webhookSecret?: string | undefined;
      /** whether a listing that sold out is renewed, for the fee that Etsy takes, when there is something to sell again; default no */
      readonly renewSoldOut?: boolean | undefined;
    };
    readonly answers: {
      readonly 201: {
        readonly store: {
          readonly store: string;
          readonly marketplace: string;
          readonly status: "disconnected" | "credentials_expired" | "passive" | "sync_errors" | "throttled" | "ok";
          readonly hold: string | null;
          readonly account: string;
          readonly name: string;
          readonly settings: Readonly<Record<string, unknown>>;
          readonly credentials: {
            readonly version: number;
            readonly refused: {
              readonly code: string;
              readonly message: string;
              readonly since: string | null;
            } | null;
          };
          readonly circuit: "open" | "closed";
          readonly ordersReadTo: string | null;
          readonly connectedAt: string | null;
          readonly listingsReadAt: string | null;
          readonly listings: {
            readonly listings: number;
            readonly mapped: number;
            readonly outstanding: number;
            readonly quarantined: number;
          };
        };
        readonly imported: {
          readonly listings: number;
          readonly mapped: number;
          readonly unmapped: number;
        };
      };
    };
  };
  /** All stores with their status. */
  readonly 'GET /stores': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly stores: readonly ({
          readonly store: string;
          readonly marketplace: string;
          readonly status: "disconnected" | "credentials_expired" | "passive" | "sync_errors" | "throttled" | "ok";
          readonly hold: string | null;
          readonly account: string;
          readonly name: string;
          readonly settings: Readonly<Record<string, unknown>>;
          readonly credentials: {
            readonly version: number;
            readonly refused: {
              readonly code: string;
              readonly message: string;
              readonly since: string | null;
            } | null;
          };
          readonly circuit: "open" | "closed";
          readonly ordersReadTo: string | null;
          readonly connectedAt: string | null;
          readonly listingsReadAt: string | null;
          readonly listings: {
            readonly listings: number;
            readonly mapped: number;
            readonly outstanding: number;
            readonly quarantined: number;
          };
        })[];
      };
    };
  };
  /** One store with its status. */
  readonly 'GET /stores/{store}': {
    readonly path: {
      readonly store: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly store: string;
        readonly marketplace: string;
        readonly status: "disconnected" | "credentials_expired" | "passive" | "sync_errors" | "throttled" | "ok";
        readonly hold: string | null;
        readonly account: string;
        readonly name: string;
        readonly settings: Readonly<Record<string, unknown>>;
        readonly credentials: {
          readonly version: number;
          readonly refused: {
            readonly code: string;
            readonly message: string;
            readonly since: string | null;
          } | null;
        };
        readonly circuit: "open" | "closed";
        readonly ordersReadTo: string | null;
        readonly connectedAt: string | null;
        readonly listingsReadAt: string | null;
        readonly listings: {
          readonly listings: number;
          readonly mapped: number;
          readonly outstanding: number;
          readonly quarantined: number;
        };
      };
    };
  };
  /** Enter new credentials of the same seller account; what was waiting goes out. */
  readonly 'PUT /stores/{store}/credentials': {
    readonly path: {
      readonly store: string;
    };
    readonly query: undefined;
    readonly body: {
      /** what the seller's consent gave: the access token */
      readonly accessToken: string;
      /** and the refresh token, which nobody else uses from now on */
      readonly refreshToken: string;
      /** the app's signing secret, for webhooks */
      readonly webhookSecret?: string | undefined;
    };
    readonly answers: {
      readonly 200: {
        readonly store: string;
        readonly marketplace: string;
        readonly status: "disconnected" | "credentials_expired" | "passive" | "sync_errors" | "throttled" | "ok";
        readonly hold: string | null;
        readonly account: string;
        readonly name: string;
        readonly settings: Readonly<Record<string, unknown>>;
        readonly credentials: {
          readonly version: number;
          readonly refused: {
            readonly code: string;
            readonly message: string;
            readonly since: string | null;
          } | null;
        };
        readonly circuit: "open" | "closed";
        readonly ordersReadTo: string | null;
        readonly connectedAt: string | null;
        readonly listingsReadAt: string | null;
        readonly listings: {
          readonly listings: number;
          readonly mapped: number;
          readonly outstanding: number;
          readonly quarantined: number;
        };
      };
    };
  };
  /** Read all listings of the store again; what was quarantined may try again. */
  readonly 'POST /stores/{store}/listing-imports': {
    readonly path: {
      readonly store: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly listings: number;
        readonly mapped: number;
        readonly unmapped: number;
      };
    };
  };
  /** Listings of a store: wanted, confirmed, in flight. By pages: `next` goes into `after`. */
  readonly 'GET /stores/{store}/listings': {
    readonly path: {
      readonly store: string;
    };
    readonly query: {
      readonly after?: string | undefined;
      readonly limit?: number | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly listings: readonly ({
          readonly store: string;
          readonly listing: string;
          readonly sku: string | null;
          readonly mapping: number;
          readonly outstanding: boolean;
          readonly wanted: {
            readonly available: number;
            readonly version: {
              readonly mapping: number;
              readonly epoch: number;
              readonly sequence: number;
              readonly settings: number;
            };
            readonly reason: string;
            readonly correlation: string;
            readonly at: string | null;
          } | null;
          readonly confirmed: {
            readonly quantity: number;
            readonly version: {
              readonly mapping: number;
              readonly epoch: number;
              readonly sequence: number;
              readonly settings: number;
            };
            readonly at: string | null;
          } | null;
          readonly inFlight: {
            readonly quantity: number;
            readonly version: {
              readonly mapping: number;
              readonly epoch: number;
              readonly sequence: number;
              readonly settings: number;
            };
            readonly at: string | null;
            readonly call: string;
          } | null;
          readonly withdrawn: {
            readonly reason: string;
            readonly version: {
              readonly mapping: number;
              readonly epoch: number;
              readonly sequence: number;
              readonly settings: number;
            };
            readonly at: string | null;
          } | null;
          readonly quarantined: {
            readonly code: string;
            readonly message: string;
            readonly at: string | null;
          } | null;
        })[];
        readonly next: string | null;
      };
    };
  };
  /** The listings of a SKU, in all stores. */
  readonly 'GET /listings': {
    readonly path: undefined;
    readonly query: {
      readonly sku: string;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly listings: readonly ({
          readonly store: string;
          readonly listing: string;
          readonly sku: string | null;
          readonly mapping: number;
          readonly outstanding: boolean;
          readonly wanted: {
            readonly available: number;
            readonly version: {
              readonly mapping: number;
              readonly epoch: number;
              readonly sequence: number;
              readonly settings: number;
            };
            readonly reason: string;
            readonly correlation: string;
            readonly at: string | null;
          } | null;
          readonly confirmed: {
            readonly quantity: number;
            readonly version: {
              readonly mapping: number;
              readonly epoch: number;
              readonly sequence: number;
              readonly settings: number;
            };
            readonly at: string | null;
          } | null;
          readonly inFlight: {
            readonly quantity: number;
            readonly version: {
              readonly mapping: number;
              readonly epoch: number;
              readonly sequence: number;
              readonly settings: number;
            };
            readonly at: string | null;
            readonly call: string;
          } | null;
          readonly withdrawn: {
            readonly reason: string;
            readonly version: {
              readonly mapping: number;
              readonly epoch: number;
              readonly sequence: number;
              readonly settings: number;
            };
            readonly at: string | null;
          } | null;
          readonly quarantined: {
            readonly code: string;
            readonly message: string;
            readonly at: string | null;
          } | null;
        })[];
      };
    };
  };
}

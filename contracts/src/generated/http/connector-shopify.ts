// Generated from the routes of connector-shopify by `npm run generate`: change those, not this file.

export type Store = {
  readonly store: string;
  readonly marketplace: string;
  /** connecting: its listings and open orders are read, nothing is pushed yet. */
  readonly state: "connecting" | "connected" | "disconnecting" | "disconnected";
  /** The most severe that applies, in this order. passive: paused, or not selling at the marketplace; sync_errors: it fails, or a listing is quarantined or waits for more than a minute; throttled: the marketplace asks us to slow down. */
  readonly status: "disconnected" | "credentials_expired" | "passive" | "sync_errors" | "throttled" | "ok";
  /** Why nothing goes out to it; null where something may. */
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
  /** Null where the marketplace sends none. */
  readonly webhooks: {
    /** Have the marketplace send its order webhooks there, behind the address of this service. */
    readonly path: string;
    /** Without a webhookSecret none is taken in: orders are found by polling alone. */
    readonly secretEntered: boolean;
  } | null;
  readonly paused: Pause | null;
  /** Since when the marketplace says that it does not sell. */
  readonly inactiveSince: string | null;
  readonly circuit: "open" | "closed";
  readonly throttledSince: string | null;
  /** Its orders are known up to here, in the marketplace's time. */
  readonly ordersReadTo: string | null;
  readonly connectedAt: string | null;
  readonly listingsReadAt: string | null;
  readonly import: {
    readonly state: "waiting" | "reading" | "done";
    /** Read so far. */
    readonly listings: number;
    readonly mapped: number;
    readonly unmapped: number;
    readonly startedAt: string | null;
    readonly finishedAt: string | null;
  };
  readonly listings: {
    readonly listings: number;
    readonly mapped: number;
    /** A newer quantity is on its way to them. */
    readonly outstanding: number;
    readonly paused: number;
    /** The marketplace refused them again and again: mend them there, then POST /stores/:store/listing-imports. */
    readonly quarantined: number;
    /** No longer at the marketplace. */
    readonly gone: number;
    /** Of the outstanding one that waits for longest. */
    readonly waitingSince: string | null;
  };
  readonly disconnection: {
    readonly by: string;
    readonly at: string | null;
    readonly setListingsToZero: boolean;
    readonly finishedAt: string | null;
    readonly listings: number;
    /** Those that may still show what they showed: set them at the marketplace. */
    readonly notSetToZero: number;
  } | null;
};

export type Pause = {
  readonly by: string;
  readonly at: string | null;
};

export type HeldListings = {
  readonly listings: number;
  readonly onSale: number;
  readonly sellingWithoutStock: number;
};

export type Listing = {
  readonly store: string;
  readonly listing: string;
  readonly sku: string | null;
  /** The SKU that it carries there. */
  readonly marketplaceSku: string | null;
  /** Revision of the mapping: it rises with each change. */
  readonly mapping: number;
  /** By the SKU that it carries, or by a person; null: it is not mapped. */
  readonly mappedBy: "sku" | "person" | null;
  readonly chosen: {
    readonly sku: string | null;
    readonly by: string;
    readonly at: string | null;
  } | null;
  /** Since when it is no longer at the marketplace. */
  readonly goneSince: string | null;
  readonly paused: Pause | null;
  /** Why nothing goes out to it; null where something may. */
  readonly hold: string | null;
  /** Whether shoppers can buy it, as far as anybody knows. */
  readonly onSale: boolean;
  readonly outstanding: boolean;
  /** A newer value waits for the end of its pause. */
  readonly waiting: boolean;
  readonly waitingSince: string | null;
  /** The newest Available that it was to show; below zero and beyond the cap of the marketplace another quantity is sent. */
  readonly wanted: {
    readonly available: number;
    readonly version: Version;
    readonly reason: string;
    readonly correlation: string;
    readonly at: string | null;
    readonly ageSeconds: number;
  } | null;
  /** What was last sent and taken. */
  readonly confirmed: {
    readonly quantity: number;
    readonly version: Version;
    readonly at: string | null;
    readonly ageSeconds: number;
  } | null;
  /** What it showed when it was last looked at. */
  readonly lastRead: {
    readonly quantity: number | null;
    readonly onSale: boolean;
    readonly at: string | null;
    readonly ageSeconds: number;
  } | null;
  readonly inFlight: {
    readonly quantity: number;
    readonly version: Version;
    readonly at: string | null;
    readonly call: string;
  } | null;
  readonly withdrawn: {
    readonly reason: string;
    readonly version: Version;
    readonly at: string | null;
  } | null;
  readonly quarantined: {
    readonly code: string;
    readonly message: string;
    readonly at: string | null;
  } | null;
};

export type Version = {
  readonly mapping: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly settings: number;
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

export interface ConnectorShopifyHttp {
  /** What this marketplace needs to connect a store, and to renew its credentials. */
  readonly 'GET /marketplace': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly marketplace: string;
        /** Fields of POST /stores, beside the id of the store. */
        readonly connection: Readonly<Record<string, unknown>>;
        /** Fields of PUT /stores/:store/credentials. */
        readonly credentials: Readonly<Record<string, unknown>>;
      };
    };
  };
  /** Connect a store: its access is proven, and what it needs is settled. */
  readonly 'POST /stores': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: {
      readonly store: string;
      /** the part before .myshopify.com */
      readonly shop: string;
      /** Admin API access token of a custom app */
      readonly accessToken: string;
      /** the app's client secret, which signs its webhooks; without it orders are found by polling alone */
      readonly webhookSecret?: string | undefined;
      /** needed only where the shop has several active locations */
      readonly locationId?: string | undefined;
    };
    readonly answers: {
      readonly 201: {
        readonly store: Store;
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
        readonly stores: readonly Store[];
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
      readonly 200: Store;
    };
  };
  /** Enter new credentials of the same seller account; what was waiting goes out. */
  readonly 'PUT /stores/{store}/credentials': {
    readonly path: {
      readonly store: string;
    };
    readonly query: undefined;
    readonly body: {
      /** Admin API access token of a custom app */
      readonly accessToken: string;
      /** the app's client secret, which signs its webhooks; without it orders are found by polling alone */
      readonly webhookSecret?: string | undefined;
    };
    readonly answers: {
      readonly 200: Store;
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
        /** At the marketplace. */
        readonly listings: number;
        /** Of these, newly mapped, or to another SKU. */
        readonly mapped: number;
        /** Mapped no longer: they are gone, or carry another SKU. */
        readonly unmapped: number;
      };
    };
  };
  /** Let nothing go out to a store; its orders are read all the same. */
  readonly 'POST /stores/{store}/pause': {
    readonly path: {
      readonly store: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly store: Store;
        readonly warning: HeldListings;
      };
    };
  };
  /** Let pushes go out to a store again: the newest wanted values, once. */
  readonly 'POST /stores/{store}/resume': {
    readonly path: {
      readonly store: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: Store;
    };
  };
  /** Give a store up: its listings are unmapped, its credentials forgotten, its orders no longer read. */
  readonly 'POST /stores/{store}/disconnect': {
    readonly path: {
      readonly store: string;
    };
    readonly query: undefined;
    readonly body: {
      readonly setListingsToZero: boolean;
    };
    readonly answers: {
      readonly 200: Store;
      readonly 202: Store;
    };
  };
  /** Listings of a store: wanted, confirmed, last read. By pages: `next` goes into `after`. */
  readonly 'GET /stores/{store}/listings': {
    readonly path: {
      readonly store: string;
    };
    readonly query: {
      /** `next` of the page before. */
      readonly after?: string | undefined;
      readonly limit?: number | undefined;
      /** Mapped to exactly this one. */
      readonly sku?: string | undefined;
      /** The SKU that it is mapped to, or that it carries there, begins so; case does not matter. */
      readonly search?: string | undefined;
      /** To whatever SKU. */
      readonly mapped?: boolean | undefined;
      /** A newer value is on its way, or waits for the end of a pause. */
      readonly outstanding?: boolean | undefined;
      readonly paused?: boolean | undefined;
      /** The marketplace refused it again and again. */
      readonly quarantined?: boolean | undefined;
      /** No longer at the marketplace. */
      readonly gone?: boolean | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly listings: readonly Listing[];
        readonly next: string | null;
      };
    };
  };
  /** Map a listing to a SKU, or to none. */
  readonly 'PUT /stores/{store}/listings/{listing}/mapping': {
    readonly path: {
      readonly store: string;
      readonly listing: string;
    };
    readonly query: undefined;
    readonly body: {
      readonly sku: string | null;
    };
    readonly answers: {
      readonly 200: Listing;
    };
  };
  /** Take a decided mapping back: the listing is mapped to the SKU that it carries at the marketplace. */
  readonly 'DELETE /stores/{store}/listings/{listing}/mapping': {
    readonly path: {
      readonly store: string;
      readonly listing: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: Listing;
    };
  };
  /** Pause a listing, or resume it. */
  readonly 'PUT /stores/{store}/listings/{listing}/paused': {
    readonly path: {
      readonly store: string;
      readonly listing: string;
    };
    readonly query: undefined;
    readonly body: {
      readonly paused: boolean;
    };
    readonly answers: {
      readonly 200: {
        readonly listing: Listing;
        readonly warning: HeldListings;
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
        readonly listings: readonly Listing[];
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
  /** Takes a marketplace's webhook in: the store's orders are read now. */
  readonly 'POST /webhooks/{tenant}/{store}': {
    readonly path: {
      readonly tenant: string;
      readonly store: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: undefined;
      readonly 202: undefined;
    };
  };
}

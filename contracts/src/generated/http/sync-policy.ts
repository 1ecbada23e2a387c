// Generated from the routes of sync-policy by `npm run generate`: change those, not this file.

export type Decision = {
  readonly sequence: number;
  readonly at: string;
  readonly cause: string;
  readonly trigger: "movement" | "inventory_sync" | "sku_policy" | "tenant_policy" | "listing_mapped" | "listing_unmapped";
  readonly decision: "push" | "held" | "withdrawn" | "ignored";
  readonly reason: "first_count" | "gap" | "crossed_zero" | "at_or_below_threshold" | "significant_change" | "every_nth" | "sync_enabled" | "listing_mapped" | "policy_changed" | "available_unchanged" | "sync_disabled" | "not_counted" | "throttled" | "nothing_throttled" | "unmapped" | "stale_mapping" | "not_mapped" | "unknown_marketplace";
  /** All that it was decided by. */
  readonly inputs: {
    /** Available before the movement, by the movement's own word. */
    readonly before: number;
    /** Available after it. */
    readonly after: number;
    readonly epoch: number;
    /** Of the ledger row that it was decided at. */
    readonly sequence: number;
    /** Of the row before it, as far as was seen. */
    readonly lastSequence: number;
    readonly counted: boolean;
    readonly syncEnabled: boolean;
    /** Transactions that were throttled since the last push. */
    readonly counter: number;
    readonly policy: {
      /** X; null: every change is pushed. */
      readonly realTimeAtOrBelow: number | null;
      /** Y; null: no change is significant by its size. */
      readonly significantUnits: number | null;
      /** N */
      readonly everyNth: number;
      /** Of the tenant's policy. */
      readonly revision: number;
      /** Changes of the product's toggle and policy so far. */
      readonly settings: number;
    };
  };
  /** Those that it pushes or withdraws. */
  readonly listings: readonly MappedListing[];
};

export type MappedListing = {
  readonly store: string;
  readonly marketplace: string;
  readonly listing: string;
  /** Revision of the mapping: it rises with each change. */
  readonly mapping: number;
};

export type EffectivePolicy = {
  /** X; null: every change is pushed. */
  readonly realTimeAtOrBelow: number | null;
  /** Y; null: no change is significant by its size. */
  readonly significantUnits: number | null;
  /** N */
  readonly everyNth: number;
};

export type TenantPolicy = {
  readonly revision: number;
  /** X: at or below this Available every change is pushed. */
  readonly realTimeAtOrBelow: number | null;
  /** Y: a change of so many units is pushed at once. */
  readonly significantUnits: number | null;
  /** N: above X every Nth transaction is pushed; 10 where nobody says. */
  readonly everyNth: number | null;
};

export type PolicyPreview = {
  readonly sku: string;
  /** What would be pushed. */
  readonly available: number;
  /** Transactions held back since the last push. */
  readonly throttled: number;
  readonly listings: readonly MappedListing[];
};

export interface SyncPolicyHttp {
  /** Turn Inventory Sync of a product on or off */
  readonly 'PUT /products/{sku}/inventory-sync': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: undefined;
    readonly body: {
      readonly enabled: boolean;
    };
    readonly answers: {
      readonly 200: {
        readonly sku: string;
        readonly enabled: boolean;
        readonly settings: number;
        readonly decision: Decision;
      };
      readonly 202: undefined;
    };
  };
  /** Whether a product is synced */
  readonly 'GET /products/{sku}/inventory-sync': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly sku: string;
        readonly enabled: boolean;
        readonly settings: number;
      };
    };
  };
  /** Turn Inventory Sync of many products on or off */
  readonly 'PUT /inventory-sync': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: {
      readonly skus: readonly string[];
      readonly enabled: boolean;
    };
    readonly answers: {
      readonly 200: {
        readonly products: readonly ({
          readonly sku: string;
          readonly enabled: boolean;
          readonly settings: number;
          readonly decision: "push" | "held" | "withdrawn" | "ignored";
          readonly reason: "first_count" | "gap" | "crossed_zero" | "at_or_below_threshold" | "significant_change" | "every_nth" | "sync_enabled" | "listing_mapped" | "policy_changed" | "available_unchanged" | "sync_disabled" | "not_counted" | "throttled" | "nothing_throttled" | "unmapped" | "stale_mapping" | "not_mapped" | "unknown_marketplace";
        })[];
      };
      readonly 202: undefined;
    };
  };
  /** Set a product's own push policy */
  readonly 'PUT /products/{sku}/policy': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: undefined;
    readonly body: {
      /** X: at or below this Available every change is pushed. */
      readonly realTimeAtOrBelow: number | null;
      /** Y: a change of so many units is pushed at once. */
      readonly significantUnits: number | null;
      /** N: above X every Nth transaction is pushed; 10 where nobody says. */
      readonly everyNth: number | null;
    };
    readonly answers: {
      readonly 200: {
        readonly sku: string;
        /** X: at or below this Available every change is pushed. */
        readonly realTimeAtOrBelow: number | null;
        /** Y: a change of so many units is pushed at once. */
        readonly significantUnits: number | null;
        /** N: above X every Nth transaction is pushed; 10 where nobody says. */
        readonly everyNth: number | null;
        readonly decision: Decision;
      };
      readonly 202: undefined;
    };
  };
  /** A product's own push policy, and what applies */
  readonly 'GET /products/{sku}/policy': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly sku: string;
        /** X: at or below this Available every change is pushed. */
        readonly realTimeAtOrBelow: number | null;
        /** Y: a change of so many units is pushed at once. */
        readonly significantUnits: number | null;
        /** N: above X every Nth transaction is pushed; 10 where nobody says. */
        readonly everyNth: number | null;
        readonly effective: EffectivePolicy;
      };
    };
  };
  /** What a change of a product's own push policy would push */
  readonly 'POST /products/{sku}/policy/preview': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: undefined;
    readonly body: {
      /** X: at or below this Available every change is pushed. */
      readonly realTimeAtOrBelow: number | null;
      /** Y: a change of so many units is pushed at once. */
      readonly significantUnits: number | null;
      /** N: above X every Nth transaction is pushed; 10 where nobody says. */
      readonly everyNth: number | null;
    };
    readonly answers: {
      readonly 200: {
        readonly sku: string;
        /** What would be pushed. */
        readonly available: number;
        /** Transactions held back since the last push. */
        readonly throttled: number;
        readonly listings: readonly MappedListing[];
        readonly effective: EffectivePolicy;
        readonly decision: "push" | "held" | "withdrawn" | "ignored";
        readonly reason: "first_count" | "gap" | "crossed_zero" | "at_or_below_threshold" | "significant_change" | "every_nth" | "sync_enabled" | "listing_mapped" | "policy_changed" | "available_unchanged" | "sync_disabled" | "not_counted" | "throttled" | "nothing_throttled" | "unmapped" | "stale_mapping" | "not_mapped" | "unknown_marketplace";
      };
    };
  };
  /** Set the tenant's push policy */
  readonly 'PUT /policy': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: {
      /** The revision that was seen; 0: none yet. */
      readonly expectedRevision: number;
      /** X: at or below this Available every change is pushed. */
      readonly realTimeAtOrBelow: number | null;
      /** Y: a change of so many units is pushed at once. */
      readonly significantUnits: number | null;
      /** N: above X every Nth transaction is pushed; 10 where nobody says. */
      readonly everyNth: number | null;
    };
    readonly answers: {
      readonly 200: TenantPolicy;
    };
  };
  /** The tenant's push policy */
  readonly 'GET /policy': {
    readonly path: undefined;
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: TenantPolicy;
    };
  };
  /** What a change of the tenant's push policy would push */
  readonly 'POST /policy/preview': {
    readonly path: undefined;
    readonly query: {
      readonly limit?: number | undefined;
    };
    readonly body: {
      /** X: at or below this Available every change is pushed. */
      readonly realTimeAtOrBelow: number | null;
      /** Y: a change of so many units is pushed at once. */
      readonly significantUnits: number | null;
      /** N: above X every Nth transaction is pushed; 10 where nobody says. */
      readonly everyNth: number | null;
    };
    readonly answers: {
      readonly 200: {
        readonly revision: number;
        readonly products: number;
        readonly listings: number;
        readonly first: readonly PolicyPreview[];
      };
    };
  };
  /** What was decided about a product, newest first */
  readonly 'GET /products/{sku}/decisions': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: {
      /** `next` of the page before. */
      readonly before?: number | undefined;
      readonly limit?: number | undefined;
      readonly decision?: "push" | "held" | "withdrawn" | "ignored" | undefined;
      readonly reason?: "first_count" | "gap" | "crossed_zero" | "at_or_below_threshold" | "significant_change" | "every_nth" | "sync_enabled" | "listing_mapped" | "policy_changed" | "available_unchanged" | "sync_disabled" | "not_counted" | "throttled" | "nothing_throttled" | "unmapped" | "stale_mapping" | "not_mapped" | "unknown_marketplace" | undefined;
    };
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly decisions: readonly Decision[];
        readonly next: number | null;
      };
    };
  };
  /** The listings of a product, and what they were last asked to show */
  readonly 'GET /products/{sku}/listings': {
    readonly path: {
      readonly sku: string;
    };
    readonly query: undefined;
    readonly body: undefined;
    readonly answers: {
      readonly 200: {
        readonly listings: readonly ({
          readonly store: string;
          readonly marketplace: string;
          readonly listing: string;
          /** Revision of the mapping: it rises with each change. */
          readonly mapping: number;
          /** Null: nothing yet. */
          readonly wanted: {
            readonly available: number;
            readonly withdrawn: boolean;
            readonly reason: string;
            readonly version: {
              readonly mapping: number;
              readonly epoch: number;
              readonly sequence: number;
              readonly settings: number;
            };
            readonly at: string;
          } | null;
        })[];
      };
    };
  };
}

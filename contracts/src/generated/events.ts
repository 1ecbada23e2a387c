// Generated from contracts/avro by `npm run generate`: change the schemas, not this file.

/** A listing of a store now shows the stock of this SKU. */
export interface ListingMapped {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The store's id. */
  readonly store: string;
  /** The marketplace's name, such as shopify. */
  readonly marketplace: string;
  /** The listing's id: the smallest thing with its own quantity at the marketplace. */
  readonly listing: string;
  /** Mapping revision of the listing. */
  readonly mapping: number;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** A listing no longer shows the stock of this SKU. */
export interface ListingUnmapped {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The store's id. */
  readonly store: string;
  /** The marketplace's name, such as shopify. */
  readonly marketplace: string;
  /** The listing's id. */
  readonly listing: string;
  /** Mapping revision of the listing. */
  readonly mapping: number;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** One line of an order, as the marketplace last told it. */
export interface OrderLine {
  /** The line's id at the marketplace. */
  readonly line: string;
  /** The listing that was bought; null where the marketplace does not say. */
  readonly listing: null | string;
  /** The SKU that the listing is mapped to; null while it is not mapped. */
  readonly sku: null | string;
  /** Units ordered, cancelled ones included. */
  readonly quantity: number;
  /** Units cancelled or removed. */
  readonly cancelled: number;
  /** Units that the marketplace reports as shipped. */
  readonly fulfilled: number;
  /** How many of the shipped units had left before the store was connected: never deducted here. */
  readonly shippedBefore: number;
  /** Who ships it; what the marketplace ships from its own warehouse concerns no stock of ours. */
  readonly fulfilledBy: 'seller' | 'marketplace';
}

/** A connector has read an order from its store: the whole order, as it stood at updatedAt. */
export interface MarketplaceOrderRead {
  /** The seller. */
  readonly tenant: string;
  /** The store's id. */
  readonly store: string;
  /** The marketplace's name, such as shopify. */
  readonly marketplace: string;
  /** The order's id at the marketplace. */
  readonly order: string;
  /** The order's number as people see it. */
  readonly name: string;
  /** When it was placed, in the marketplace's time. */
  readonly placedAt: number;
  /** When the marketplace last changed it, in its time: the newest wins. */
  readonly updatedAt: number;
  /** When the whole order was cancelled. */
  readonly cancelledAt: null | number;
  /** All its lines. */
  readonly lines: readonly OrderLine[];
  /** When the store was connected, in the marketplace's time; null where nobody knows. What had been shipped by then is not deducted. */
  readonly connectedAt: null | number;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** A marketplace says that an order has changed: a hint to the store's owner to read it now. */
export interface OrderHinted {
  /** The seller. */
  readonly tenant: string;
  /** The store's id. */
  readonly store: string;
  /** The order's id at the marketplace; null where it does not say. */
  readonly order: null | string;
  /** The id that the marketplace gave this message. */
  readonly delivery: string;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Something needs a person's eye, or no longer does. One per tenant, kind and subject. */
export interface IncidentChanged {
  /** The seller. */
  readonly tenant: string;
  /** What kind, such as oversold. */
  readonly kind: string;
  /** What it is about, such as a SKU. */
  readonly subject: string;
  /** Opened and closed by state, never by an acknowledgement. */
  readonly state: 'open' | 'closed';
  /** How often it has opened since it was first raised within an hour. */
  readonly count: number;
  /** Since when. */
  readonly openedAt: number;
  /** When it closed. */
  readonly closedAt: null | number;
  /** What a person needs to act. */
  readonly details: Readonly<Record<string, string>>;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of one order line on a label. */
export interface LabelLine {
  /** The order line's id. */
  readonly line: string;
  /** Units. */
  readonly quantity: number;
}

/** Who did it. */
export interface User {
  /** What kind of user. */
  readonly kind: 'person' | 'marketplace' | 'system';
  /** The person's id, the marketplace's name, or the part of the system. */
  readonly id: string;
}

/** Ship units of an order: a shipping label is created for them. */
export interface CreateLabel {
  /** The seller. */
  readonly tenant: string;
  /** The store's id. */
  readonly store: string;
  /** The order's id at the marketplace. */
  readonly order: string;
  /** What it covers; null: all that is left. */
  readonly lines: null | readonly LabelLine[];
  /** Where the units are taken; null: the product's default location. */
  readonly location: null | string;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of a label that will not leave after all. */
export interface LabelVoid {
  /** Who voided them. */
  readonly user: User;
  /** Which. */
  readonly lines: readonly LabelLine[];
}

/** A shipping label: the units that it covers have left the shelf. */
export interface Label {
  /** The label's id, derived from the request that created it. */
  readonly label: string;
  /** Where the units were taken; null: the product's default location. */
  readonly location: null | string;
  /** Who created it. */
  readonly user: User;
  /** What it covers. */
  readonly lines: readonly LabelLine[];
  /** What of it was voided, oldest first. */
  readonly voids: readonly LabelVoid[];
}

/** An order as it stands now: any later one repairs a lost, doubled or swapped one. */
export interface OrderChanged {
  /** The seller. */
  readonly tenant: string;
  /** The store's id. */
  readonly store: string;
  /** The marketplace's name, such as shopify. */
  readonly marketplace: string;
  /** The order's id at the marketplace. */
  readonly order: string;
  /** The order's number as people see it. */
  readonly name: string;
  /** The order's own sequence. */
  readonly sequence: number;
  /** When it was placed, in the marketplace's time. */
  readonly placedAt: number;
  /** When the marketplace last changed it, in its time. */
  readonly updatedAt: number;
  /** When the whole order was cancelled. */
  readonly cancelledAt: null | number;
  /** All its lines. */
  readonly lines: readonly OrderLine[];
  /** Labels, oldest first. */
  readonly labels: readonly Label[];
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of a shipping label will not leave after all. */
export interface VoidLabel {
  /** The seller. */
  readonly tenant: string;
  /** The store's id. */
  readonly store: string;
  /** The order's id at the marketplace. */
  readonly order: string;
  /** The label. */
  readonly label: string;
  /** Which units; null: all that are left on it. */
  readonly lines: null | readonly LabelLine[];
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of one order line. */
export interface LineUnits {
  /** The order line's id. */
  readonly line: string;
  /** Units. */
  readonly quantity: number;
}

/** Put units of an order into a pick batch. */
export interface AssignToBatch {
  /** The seller. */
  readonly tenant: string;
  /** The store's id. */
  readonly store: string;
  /** The order's id at the marketplace. */
  readonly order: string;
  /** The pick batch. */
  readonly batch: string;
  /** Which; null: all that is in the Order Reserve. */
  readonly lines: null | readonly LineUnits[];
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of an order were taken off the shelf as part of a pick batch. */
export interface PickBatchUnits {
  /** The seller. */
  readonly tenant: string;
  /** The store's id. */
  readonly store: string;
  /** The order's id at the marketplace. */
  readonly order: string;
  /** The pick batch. */
  readonly batch: string;
  /** Which; null: all that the batch holds of the order. */
  readonly lines: null | readonly LineUnits[];
  /** Where; null: the product's default location. */
  readonly location: null | string;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units that were picked and then cancelled are back on the shelf. */
export interface PutBackUnits {
  /** The seller. */
  readonly tenant: string;
  /** The store's id. */
  readonly store: string;
  /** The order's id at the marketplace. */
  readonly order: string;
  /** Which; null: all that are to be put back. */
  readonly lines: null | readonly LineUnits[];
  /** Where; null: the product's default location. */
  readonly location: null | string;
  /** They will not come back: they leave the list, and nothing moves. */
  readonly lost: boolean;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Take units of an order out of a pick batch before they are picked. */
export interface ReleaseFromBatch {
  /** The seller. */
  readonly tenant: string;
  /** The store's id. */
  readonly store: string;
  /** The order's id at the marketplace. */
  readonly order: string;
  /** The pick batch. */
  readonly batch: string;
  /** Which; null: all that is not picked. */
  readonly lines: null | readonly LineUnits[];
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units that a pick batch holds of an order are not there. */
export interface ReportShortPick {
  /** The seller. */
  readonly tenant: string;
  /** The store's id. */
  readonly store: string;
  /** The order's id at the marketplace. */
  readonly order: string;
  /** The pick batch. */
  readonly batch: string;
  /** Which, and how many are missing. */
  readonly lines: readonly LineUnits[];
  /** Where; null: the product's default location. */
  readonly location: null | string;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** An order of a store. */
export interface OrderReference {
  /** The store's id. */
  readonly store: string;
  /** The order's id at the marketplace. */
  readonly order: string;
}

/** Units of an order were assigned to a warehouse pick batch: from the Order Reserve into the Batch Reserve. */
export interface UnitsAssignedToBatch {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The order that the units are for. */
  readonly order: OrderReference;
  /** The reservation's own sequence, per order. */
  readonly sequence: number;
  /** Units, above zero. */
  readonly quantity: number;
  /** The pick batch. */
  readonly batch: string;
  /** Who caused it. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of an order were deducted by a shipping label, or by the marketplace's word that they are shipped. */
export interface UnitsAutoPicked {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The order that the units are for. */
  readonly order: OrderReference;
  /** The reservation's own sequence, per order. */
  readonly sequence: number;
  /** Units, above zero. */
  readonly quantity: number;
  /** How many of them leave the Batch Reserve instead of the Order Reserve. */
  readonly fromBatchReserve: number;
  /** Where the units were taken; null: the product's default location. */
  readonly location: null | string;
  /** The label that deducts them; null where the marketplace reports them shipped. */
  readonly label: null | string;
  /** Who caused it. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of an order were picked as part of a batch: deducted from On Hand and from the Batch Reserve. */
export interface UnitsBatchPicked {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The order that the units are for. */
  readonly order: OrderReference;
  /** The reservation's own sequence, per order. */
  readonly sequence: number;
  /** Units, above zero. */
  readonly quantity: number;
  /** The pick batch. */
  readonly batch: string;
  /** Where the units were taken; null: the product's default location. */
  readonly location: null | string;
  /** Who caused it. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** A short pick: units of the batch were not there. They leave On Hand, and the order is promised them as before the batch. */
export interface UnitsMissing {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The order that the units are for. */
  readonly order: OrderReference;
  /** The reservation's own sequence, per order. */
  readonly sequence: number;
  /** Units, above zero. */
  readonly quantity: number;
  /** The pick batch. */
  readonly batch: string;
  /** Where they were missed; null: the product's default location. */
  readonly location: null | string;
  /** Who caused it. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units that had been picked for an order, and were cancelled after that, are back on the shelf. */
export interface UnitsPutBack {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The order that the units are for. */
  readonly order: OrderReference;
  /** The reservation's own sequence, per order. */
  readonly sequence: number;
  /** Units, above zero. */
  readonly quantity: number;
  /** Where they were put; null: the product's default location. */
  readonly location: null | string;
  /** Who caused it. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of a SKU are no longer promised to an order. */
export interface UnitsReleased {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The order that the units are for. */
  readonly order: OrderReference;
  /** The reservation's own sequence, per order. */
  readonly sequence: number;
  /** Units, above zero. */
  readonly quantity: number;
  /** How many of them leave the Batch Reserve instead of the Order Reserve. */
  readonly fromBatchReserve: number;
  /** Who caused it. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of an order were taken out of a pick batch, or it was cancelled: back into the Order Reserve. */
export interface UnitsReleasedFromBatch {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The order that the units are for. */
  readonly order: OrderReference;
  /** The reservation's own sequence, per order. */
  readonly sequence: number;
  /** Units, above zero. */
  readonly quantity: number;
  /** The pick batch. */
  readonly batch: string;
  /** Who caused it. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of a SKU are promised to an order. */
export interface UnitsReserved {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The order that the units are for. */
  readonly order: OrderReference;
  /** The reservation's own sequence, per order. */
  readonly sequence: number;
  /** Units, above zero. */
  readonly quantity: number;
  /** Who caused it. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** A label was voided after its units had been deducted: they are back on the shelf, and in the Order Reserve. */
export interface UnitsUnpicked {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The order that the units are for. */
  readonly order: OrderReference;
  /** The reservation's own sequence, per order. */
  readonly sequence: number;
  /** Units, above zero. */
  readonly quantity: number;
  /** Where the units are again; null: the product's default location. */
  readonly location: null | string;
  /** The label that was voided; null where the marketplace took its word back that they are shipped. */
  readonly label: null | string;
  /** Id of the newest event that deducted units of it. */
  readonly reverses: string;
  /** Who caused it. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** What is still open of a purchase order will not come. */
export interface ClosePurchaseOrder {
  /** The seller. */
  readonly tenant: string;
  /** The purchase order's id. */
  readonly purchaseOrder: string;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of one product. */
export interface PurchaseLine {
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** Units. */
  readonly quantity: number;
}

/** Units are ordered from a supplier. */
export interface CreatePurchaseOrder {
  /** The seller. */
  readonly tenant: string;
  /** The purchase order's id. */
  readonly purchaseOrder: string;
  /** From whom. */
  readonly supplier: null | string;
  /** For people. */
  readonly note: null | string;
  /** What is ordered; each product once. */
  readonly lines: readonly PurchaseLine[];
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** One product of a purchase order. */
export interface PurchaseProgress {
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** Units ordered. */
  readonly ordered: number;
  /** Units that came in. */
  readonly received: number;
  /** Of those, units that were put on the shelf; the rest is not sellable yet. */
  readonly putAway: number;
}

/** A purchase order as it stands now. */
export interface PurchaseOrderChanged {
  /** The seller. */
  readonly tenant: string;
  /** The purchase order's id. */
  readonly purchaseOrder: string;
  /** The purchase order's own sequence. */
  readonly sequence: number;
  /** From whom. */
  readonly supplier: null | string;
  /** For people. */
  readonly note: null | string;
  /** Open while units are still to come. */
  readonly state: 'open' | 'received' | 'closed';
  /** All its products. */
  readonly lines: readonly PurchaseProgress[];
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units that came in earlier were put on the shelf. */
export interface PutAwayPurchase {
  /** The seller. */
  readonly tenant: string;
  /** The purchase order's id. */
  readonly purchaseOrder: string;
  /** Which; null: all that wait for it. */
  readonly lines: null | readonly PurchaseLine[];
  /** Where; null: the product's default location. */
  readonly location: null | string;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of a purchase order were put on the shelf: from here on they are On Hand. */
export interface PutAwayUnits {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The purchase order that they came with. */
  readonly purchaseOrder: string;
  /** Where; null: the product's default location. */
  readonly location: null | string;
  /** Units, above zero. */
  readonly quantity: number;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Units of a purchase order have come in. */
export interface ReceivePurchase {
  /** The seller. */
  readonly tenant: string;
  /** The purchase order's id. */
  readonly purchaseOrder: string;
  /** What came; null: all that is still open. */
  readonly lines: null | readonly PurchaseLine[];
  /** Whether they were put on the shelf in the same step. */
  readonly putAway: boolean;
  /** Where they were put. */
  readonly location: null | string;
  /** Whether more may come in than was ordered. */
  readonly allowOver: boolean;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Set what a product is called and how it is kept; all of it at once. */
export interface SetProduct {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** What people call it. */
  readonly title: null | string;
  /** Where units are taken when nobody says where; null: the location default. */
  readonly defaultLocation: null | string;
  /** At or below this Available it is low on stock; null: never. */
  readonly lowStockAtOrBelow: null | number;
  /** No longer dealt in. */
  readonly retired: boolean;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** What was left. */
export interface Quantities {
  /** Physical units. */
  readonly onHand: number;
  /** Units promised to orders, not shipped, not in a pick batch. */
  readonly orderReserve: number;
  /** Units in an active pick batch. */
  readonly batchReserve: number;
  /** On Hand minus both reserves; negative when oversold. */
  readonly available: number;
}

/** The level of a SKU as it stands now; who starts from nothing reads these. */
export interface StockLevelChanged {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** Ledger epoch. */
  readonly epoch: number;
  /** Number of the ledger row that it stands after. */
  readonly sequence: number;
  /** What there is. */
  readonly quantities: Quantities;
  /** On Hand per location. */
  readonly locations: Readonly<Record<string, number>>;
  /** Whether the SKU has ever been counted; if not, its quantities say nothing. */
  readonly counted: boolean;
  /** What people call the product. */
  readonly title: null | string;
  /** Where units are taken when nobody says where; null: the location default. */
  readonly defaultLocation: null | string;
  /** At or below this Available it is low on stock; null: never. */
  readonly lowStockAtOrBelow: null | number;
  /** No longer dealt in; its ledger stays. */
  readonly retired: boolean;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** What the movement changed. */
export interface QuantityChange {
  /** Physical units. */
  readonly onHand: number;
  /** Units promised to orders, not shipped, not in a pick batch. */
  readonly orderReserve: number;
  /** Units in an active pick batch. */
  readonly batchReserve: number;
  /** On Hand minus both reserves; negative when oversold. */
  readonly available: number;
}

/** One row of a SKU's ledger, refusals included. A missing number is a lost record. */
export interface StockMoved {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** Ledger epoch. */
  readonly epoch: number;
  /** Number of this row, from 1, without a gap. */
  readonly sequence: number;
  /** What kind of movement. */
  readonly type: 'StockUpdate' | 'PurchaseReceiving' | 'AutoPick' | 'BatchPick' | 'OrderReserve' | 'OrderRelease' | 'BatchReserve' | 'BatchRelease' | 'ProductChange';
  /** Why, as the user or the system gave it. */
  readonly reason: null | string;
  /** Why it was refused; then nothing changed. */
  readonly refused: null | string;
  /** What it changed. */
  readonly change: QuantityChange;
  /** What was left. */
  readonly after: Quantities;
  /** Where; null for a reserve movement. */
  readonly location: null | string;
  /** On Hand left at that location. */
  readonly locationOnHand: null | number;
  /** The order that it is for. */
  readonly order: null | OrderReference;
  /** Whether the SKU has ever been counted, this row included. */
  readonly counted: boolean;
  /** Who did it. */
  readonly user: User;
  /** Id of the event or command that caused it. */
  readonly cause: string;
  /** The pick batch that it is part of. */
  readonly batch: null | string;
  /** The label that deducted the units, or was voided. */
  readonly label: null | string;
  /** Id of the event whose deduction it takes back. */
  readonly reverses: null | string;
  /** The purchase order that the units came with. */
  readonly purchaseOrder: null | string;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Set On Hand at one location to what was counted there. */
export interface UpdateStock {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The location. */
  readonly location: string;
  /** On Hand at that location that the user had seen; refused when it has changed since. */
  readonly seen: number;
  /** The new On Hand at that location, zero or more. */
  readonly onHand: number;
  /** Why, when it is not a count: return, put_back, short_pick, ... */
  readonly reason: null | string;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** A listing's version; its parts are compared in this order. */
export interface ListingVersion {
  /** Mapping revision: raised each time the listing is mapped to a SKU. */
  readonly mapping: number;
  /** Ledger epoch: raised when the ledger's database was restored from a backup. */
  readonly epoch: number;
  /** Ledger sequence: number of the SKU's movement that this quantity stands after. */
  readonly sequence: number;
  /** Settings revision: number of toggle and policy changes that the SKU has seen. */
  readonly settings: number;
}

/** A movement changed the quantity of this listing's SKU, and is not worth a push of its own. Whoever has something else to send to the listing anyway sends this, which is newer; whoever waits for what the movement follows from has waited enough. */
export interface PushHeld {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The store's id. */
  readonly store: string;
  /** The marketplace's name, such as shopify. */
  readonly marketplace: string;
  /** The listing's id. */
  readonly listing: string;
  /** Available after the movement, never clamped. */
  readonly available: number;
  /** The movement's place among the versions that are requested. */
  readonly version: ListingVersion;
  /** Why it is held. */
  readonly reason: 'throttled' | 'sync_disabled' | 'not_counted';
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** A listing should show this quantity of its SKU. */
export interface PushRequested {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The store's id. */
  readonly store: string;
  /** The marketplace's name, such as shopify. */
  readonly marketplace: string;
  /** The listing's id. */
  readonly listing: string;
  /** Available, never clamped; what is sent is decided by the connector. */
  readonly available: number;
  /** A lower version is never sent after a higher one. */
  readonly version: ListingVersion;
  /** Why it is pushed. */
  readonly reason: 'first_count' | 'gap' | 'crossed_zero' | 'at_or_below_threshold' | 'significant_change' | 'every_nth' | 'sync_enabled' | 'listing_mapped' | 'policy_changed';
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** What is not yet sent to this listing for this SKU must not be sent. */
export interface PushWithdrawn {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** The store's id. */
  readonly store: string;
  /** The marketplace's name, such as shopify. */
  readonly marketplace: string;
  /** The listing's id. */
  readonly listing: string;
  /** Everything at or below it is withdrawn. */
  readonly version: ListingVersion;
  /** Why. */
  readonly reason: 'sync_disabled' | 'unmapped';
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** X, Y and N of a tenant. */
export interface PolicyValues {
  /** X: at or below this Available every change is pushed. */
  readonly realTimeAtOrBelow: null | number;
  /** Y: a change of so many units is pushed at once. */
  readonly significantUnits: null | number;
  /** N: every Nth counted transaction is pushed. */
  readonly everyNth: null | number;
}

/** The tenant's push policy has changed: look again at what is throttled of this SKU. */
export interface ReconsiderPolicy {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** Revision of the tenant's policy that it follows. */
  readonly revision: number;
  /** The policy before. */
  readonly before: PolicyValues;
  /** The policy since. */
  readonly after: PolicyValues;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Turn Inventory Sync of a product on or off. */
export interface SetInventorySync {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** On or off. */
  readonly enabled: boolean;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Set a SKU's own push policy; what is null comes from the tenant's. */
export interface SetSkuPolicy {
  /** The seller. */
  readonly tenant: string;
  /** The stock keeping unit, byte for byte as the seller writes it. */
  readonly sku: string;
  /** X: at or below this Available every change is pushed; null: the tenant's. */
  readonly realTimeAtOrBelow: null | number;
  /** Y: a change of this many units or more is pushed at once; null: the tenant's. */
  readonly significantUnits: null | number;
  /** N: above X every Nth counted transaction is pushed; null: the tenant's. */
  readonly everyNth: null | number;
  /** Who asks. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Control record, one per partition: the tenant's push policy is now this. */
export interface TenantPolicyChanged {
  /** The seller. */
  readonly tenant: string;
  /** Revision of the tenant's policy, rising. */
  readonly revision: number;
  /** X: at or below this Available every change is pushed; null: every change is pushed. */
  readonly realTimeAtOrBelow: null | number;
  /** Y: a change of this many units or more is pushed at once; null: no change is significant by its size. */
  readonly significantUnits: null | number;
  /** N: above X every Nth counted transaction is pushed; null: 10. */
  readonly everyNth: null | number;
  /** The policy before; null where nobody knows. */
  readonly before: null | PolicyValues;
  /** Who changed it. */
  readonly user: User;
  /** When it entered the system; displayed, never used for order. */
  readonly at: number;
}

/** Every event by its name. */
export interface Events {
  ListingMapped: ListingMapped;
  ListingUnmapped: ListingUnmapped;
  MarketplaceOrderRead: MarketplaceOrderRead;
  OrderHinted: OrderHinted;
  IncidentChanged: IncidentChanged;
  CreateLabel: CreateLabel;
  OrderChanged: OrderChanged;
  VoidLabel: VoidLabel;
  AssignToBatch: AssignToBatch;
  PickBatchUnits: PickBatchUnits;
  PutBackUnits: PutBackUnits;
  ReleaseFromBatch: ReleaseFromBatch;
  ReportShortPick: ReportShortPick;
  UnitsAssignedToBatch: UnitsAssignedToBatch;
  UnitsAutoPicked: UnitsAutoPicked;
  UnitsBatchPicked: UnitsBatchPicked;
  UnitsMissing: UnitsMissing;
  UnitsPutBack: UnitsPutBack;
  UnitsReleased: UnitsReleased;
  UnitsReleasedFromBatch: UnitsReleasedFromBatch;
  UnitsReserved: UnitsReserved;
  UnitsUnpicked: UnitsUnpicked;
  ClosePurchaseOrder: ClosePurchaseOrder;
  CreatePurchaseOrder: CreatePurchaseOrder;
  PurchaseOrderChanged: PurchaseOrderChanged;
  PutAwayPurchase: PutAwayPurchase;
  PutAwayUnits: PutAwayUnits;
  ReceivePurchase: ReceivePurchase;
  SetProduct: SetProduct;
  StockLevelChanged: StockLevelChanged;
  StockMoved: StockMoved;
  UpdateStock: UpdateStock;
  PushHeld: PushHeld;
  PushRequested: PushRequested;
  PushWithdrawn: PushWithdrawn;
  ReconsiderPolicy: ReconsiderPolicy;
  SetInventorySync: SetInventorySync;
  SetSkuPolicy: SetSkuPolicy;
  TenantPolicyChanged: TenantPolicyChanged;
}


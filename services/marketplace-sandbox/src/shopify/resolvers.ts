import { getDirectiveValues, type GraphQLResolveInfo } from 'graphql';
import type { ChangeGroupRow, ChangeRow, ItemRow, LevelRow } from '../state/inventory.ts';
import { fingerprintOf } from '../state/idempotency.ts';
import { fulfillmentStatus, type LineRow, type OrderRange, type OrderRow } from '../state/orders.ts';
import type { LocationRow, ShopRow } from '../state/shops.ts';
import type { State } from '../state/state.ts';
import { ApiError, idempotencyRequired, invalidId, tooManyElements } from './errors.ts';
import { gid, idOf, parseGid } from '../gid.ts';
import { connection, maximumElements, readPage, type PageArguments } from './paging.ts';
import { openness, parseSearch, timeRange, type Term } from './search-query.ts';
import { judgeSetQuantities, type Found, type QuantityInput, type SetQuantitiesInput, type UserError } from './set-quantities.ts';

export interface CallContext {
  /** Keys that another call was still working on when this one came in. */
  concurrentKeys: ReadonlySet<string>;
}

type Sortable = 'CREATED_AT' | 'ID' | 'PROCESSED_AT' | 'UPDATED_AT';

const sortColumns: Record<Sortable, OrderRange['column']> = {
  CREATED_AT: 'created_at',
  ID: 'id',
  PROCESSED_AT: 'created_at',
  UPDATED_AT: 'updated_at',
};

const planNames = { standard: 'Basic', advanced: 'Advanced', plus: 'Shopify Plus', enterprise: 'Enterprise' };

/** The root object of one shop's API. graphql-js calls its functions with (arguments, context, info); objects carry their own functions. */
export function createRoot(state: State, shop: ShopRow) {
  const { inventory, orders } = state;
  const { name: shopName } = shop;

  const isActive = ({ id }: LocationRow) => !shop.settings.inactiveLocations?.includes(gid('Location', id));
  const locationNode = (location: LocationRow) => ({
    __typename: 'Location',
    id: gid('Location', location.id),
    name: location.name,
    isActive: isActive(location),
  });
  const shopNode = () => ({
    __typename: 'Shop',
    id: gid('Shop', shop.id),
    name: shopName,
    myshopifyDomain: `${shopName}.myshopify.com`,
    plan: { publicDisplayName: planNames[shop.plan] },
  });
  const productNode = (item: ItemRow) => ({ __typename: 'Product', id: gid('Product', item.id), status: item.status });
  const variantNode = (item: ItemRow): object => ({
    __typename: 'ProductVariant',
    id: gid('ProductVariant', item.id),
    product: () => productNode(item),
    inventoryItem: () => itemNode(item),
  });
  const itemNode = (item: ItemRow): object => ({
    __typename: 'InventoryItem',
    id: gid('InventoryItem', item.id),
    sku: item.sku,
    tracked: item.tracked === 1,
    inventoryLevel({ locationId }: { locationId: string }) {
      const location = requireId(locationId, 'Location');
      const level = location === undefined ? undefined : inventory.level(item.id, location);
      return level ? levelNode(level) : null;
    },
    variant: () => variantNode(item),
  });
  const lineNode = (line: LineRow) => ({
    __typename: 'LineItem',
    id: gid('LineItem', line.id),
    sku: line.sku,
    quantity: line.quantity,
    currentQuantity: line.current_quantity,
    unfulfilledQuantity: line.unfulfilled_quantity,
    variant() {
      const item = inventory.item(shopName, line.item);
      return item ? variantNode(item) : null;
    },
  });
  const orderNode = (order: OrderRow) => ({
    __typename: 'Order',
    id: gid('Order', order.id),
    name: order.name,
    createdAt: order.created_at,
    updatedAt: order.updated_at,
    cancelledAt: order.cancelled_at,
    displayFinancialStatus: order.financial_status,
    displayFulfillmentStatus: () => fulfillmentStatus(orders.lines(order.id)),
    lineItems(page: PageArguments) {
      const { first, after } = readPage(page);
      return connection(orders.lines(order.id, after.id, first + 1), first, ({ id }) => ({ id, value: id }), lineNode);
    },
  });
  const groupNode = (group: ChangeGroupRow & { changes: ChangeRow[] }) => ({
    __typename: 'InventoryAdjustmentGroup',
    id: gid('InventoryAdjustmentGroup', group.id),
    createdAt: group.created_at,
    reason: group.reason,
    referenceDocumentUri: group.reference,
    changes: () => group.changes.filter(({ delta }) => delta !== 0).flatMap(changeNodes),
  });
  const changeNodes = ({ item, location, delta }: ChangeRow) =>
    ['available', 'on_hand'].map((name) => ({
      name,
      delta,
      quantityAfterChange: null,
      item() {
        const found = inventory.item(shopName, item);
        return found ? itemNode(found) : null;
      },
      location() {
        const found = shop.locations.find(({ id }) => id === location);
        return found ? locationNode(found) : null;
      },
    }));

  const nodeOf = (id: string): object | null => {
    const parsed = parseGid(id);
    if (parsed === undefined) throw invalidId(id);
    if (parsed.kind === 'Order') {
      const order = orders.row(shopName, parsed.id);
      return order ? orderNode(order) : null;
    }
    if (parsed.kind === 'Location') {
      const location = shop.locations.find((each) => each.id === parsed.id);
      return location ? locationNode(location) : null;
    }
    const item = ['InventoryItem', 'ProductVariant', 'Product'].includes(parsed.kind) ? inventory.item(shopName, parsed.id) : undefined;
    if (item === undefined) return null;
    return parsed.kind === 'InventoryItem' ? itemNode(item) : parsed.kind === 'Product' ? productNode(item) : variantNode(item);
  };

  const findLevel = ({ inventoryItemId, locationId }: QuantityInput): Found<LevelRow> => {
    const item = requireId(inventoryItemId, 'InventoryItem');
    const location = requireId(locationId, 'Location');
    if (item === undefined || inventory.item(shopName, item) === undefined) return 'no_item';
    if (location === undefined || !shop.locations.some((each) => each.id === location && isActive(each))) return 'no_location';
    const level = inventory.level(item, location);
    return level ? { level } : 'not_stocked';
  };
  /** Applies a first attempt; remembers its key with what it did, also when that was a refusal. */
  const setQuantities = (input: SetQuantitiesInput, key: string, fingerprint: string, now: number) => {
    const judged = judgeSetQuantities(input, findLevel);
    if ('userErrors' in judged) {
      state.keys.remember(shopName, key, fingerprint, null, now);
      return refused(judged.userErrors);
    }
    const group = inventory.createGroup(shopName, input.reason, input.referenceDocumentUri ?? null, now);
    for (const { level, delta } of judged.changes) inventory.applyWrite(shopName, group, key, level, delta, now);
    state.keys.remember(shopName, key, fingerprint, group, now);
    return applied(group);
  };
  const applied = (id: number) => {
    const group = inventory.group(id);
    const changed = group?.changes.some(({ delta }) => delta !== 0) ?? false;
    return { inventoryAdjustmentGroup: group && changed ? groupNode(group) : null, userErrors: [] };
  };

  return {
    nodes({ ids }: { ids: string[] }) {
      if (ids.length > maximumElements) throw tooManyElements(ids.length, ['nodes', 'ids']);
      return ids.map(nodeOf);
    },

    inventoryItems({ query, ...page }: PageArguments & { query?: string | null }) {
      const { first, after } = readPage(page);
      const terms = query ? parseSearch(query, ['sku']) : [];
      const items = searchItems(terms, (sku) => inventory.itemsAfter(shopName, after.id, first + 1, sku));
      return connection(items, first, ({ id }) => ({ id, value: id }), itemNode);
    },

    orders({ query, sortKey, ...page }: PageArguments & { query?: string | null; sortKey: Sortable }) {
      const { first, after } = readPage(page);
      const terms = query ? parseSearch(query, ['updated_at', 'created_at', 'status']) : [];
      const column = sortColumns[sortKey];
      const [updated, created] = [timeRange(terms, 'updated_at'), timeRange(terms, 'created_at')];
      const rows = orders.range(shopName, { column, updated, created, open: openness(terms), after, limit: first + 1 });
      return connection(rows, first, (row) => ({ id: row.id, value: row[column] }), orderNode);
    },

    shop: shopNode,

    locations(page: PageArguments) {
      const { first, after } = readPage(page);
      return {
        nodes: shop.locations
          .filter(({ id }) => id > after.id)
          .slice(0, first)
          .map(locationNode),
      };
    },

    inventorySetQuantities({ input }: { input: SetQuantitiesInput }, { concurrentKeys }: CallContext, info: GraphQLResolveInfo) {
      const key = idempotencyKey(info);
      if (concurrentKeys.has(key)) {
        return refused([
          keyError('IDEMPOTENCY_CONCURRENT_REQUEST', 'Another request with the same idempotency key is still being processed.'),
        ]);
      }
      return state.transaction(() => {
        const now = state.shops.now(shopName);
        const fingerprint = fingerprintOf('inventorySetQuantities', input);
        const attempt = state.keys.judge(shopName, key, fingerprint, now);
        if (attempt.kind === 'replay') return applied(attempt.group);
        if (attempt.kind === 'first') return setQuantities(input, key, fingerprint, now);
        return refused([
          attempt.kind === 'mismatch'
            ? keyError('IDEMPOTENCY_KEY_PARAMETER_MISMATCH', 'The idempotency key was used before with other parameters.')
            : keyError('IDEMPOTENCY_PREVIOUS_ATTEMPT_FAILED', 'The previous attempt with this idempotency key failed. Use a new key.'),
        ]);
      });
    },
  };
}

function levelNode(level: LevelRow) {
  const id = gid('InventoryLevel', `${level.location}?inventory_item_id=${level.item}`);
  const known: Record<string, number> = { available: level.available, on_hand: level.on_hand, committed: level.committed };
  return {
    __typename: 'InventoryLevel',
    id,
    isActive: true,
    updatedAt: level.updated_at,
    quantities: ({ names }: { names: string[] }) =>
      names
        .filter((name) => Object.hasOwn(known, name))
        .map((name) => {
          const of = gid('InventoryQuantity', `${level.location}?inventory_item_id=${level.item}&name=${name}`);
          return { __typename: 'InventoryQuantity', id: of, name, quantity: known[name], updatedAt: level.updated_at };
        }),
  };
}

function searchItems(terms: Term[], read: (sku: string | undefined) => ItemRow[]): ItemRow[] {
  const [first] = terms;
  if (first === undefined) return read(undefined);
  if (terms.length > 1 || first.comparison !== '=') throw new ApiError("Invalid search query: one sku:'…' is all.", 'BAD_REQUEST');
  return read(first.value);
}

/** The number in an id of this kind; undefined where it is another kind's; throws where it is no id at all. */
function requireId(id: string, kind: 'InventoryItem' | 'Location'): number | undefined {
  if (parseGid(id) === undefined) throw invalidId(id);
  return idOf(kind, id);
}

function idempotencyKey(info: GraphQLResolveInfo): string {
  const directive = info.schema.getDirective('idempotent');
  const [node] = info.fieldNodes;
  const key = directive && node && getDirectiveValues(directive, node, info.variableValues)?.['key'];
  if (typeof key !== 'string' || key.trim() === '') throw idempotencyRequired();
  return key;
}

const keyError = (code: string, message: string): UserError => ({ code, field: null, message });
const refused = (userErrors: UserError[]) => ({ inventoryAdjustmentGroup: null, userErrors });

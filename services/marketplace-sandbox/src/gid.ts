/** The kinds of thing that have a global id here. */
export type Kind =
  | 'InventoryItem'
  | 'InventoryLevel'
  | 'InventoryAdjustmentGroup'
  | 'InventoryQuantity'
  | 'LineItem'
  | 'Location'
  | 'Order'
  | 'Product'
  | 'ProductVariant'
  | 'Shop';

export const gid = (kind: Kind, id: number | string): string => `gid://shopify/${kind}/${id}`;

/** The parts of a global id, or undefined where the text is none at all. */
export function parseGid(text: string): { kind: string; id: number } | undefined {
  const match = /^gid:\/\/shopify\/([A-Za-z]+)\/([1-9][0-9]{0,15})$/.exec(text);
  return match ? { kind: match[1] as string, id: Number(match[2]) } : undefined;
}

/** The number of an id of this kind; undefined for any other text. */
export function idOf(kind: Kind, text: string): number | undefined {
  const parsed = parseGid(text);
  return parsed?.kind === kind ? parsed.id : undefined;
}

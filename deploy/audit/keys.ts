/** Record keys and aggregate names: parts percent-encoded and joined by a slash, so that tenant `a` + SKU `b/c` is not `a/b` + `c`. */
export const joinKey = (...parts: string[]): string => parts.map((part) => encodeURIComponent(part)).join('/');

export const splitKey = (key: string): string[] => key.split('/').map((part) => decodeURIComponent(part));

/** The first part of every key is the tenant, the last one what it is about. */
export function nameKey(key: string): { tenant: string; subject: string } {
  const parts = splitKey(key);
  return { tenant: parts[0] ?? '', subject: parts.slice(1).join('/') };
}

/** Groups by a text, keeping the order within each group. */
export function groupBy<Item>(items: Iterable<Item>, nameOf: (item: Item) => string): Map<string, Item[]> {
  const groups = new Map<string, Item[]>();
  for (const item of items) {
    const group = groups.get(nameOf(item));
    if (group) group.push(item);
    else groups.set(nameOf(item), [item]);
  }
  return groups;
}

/** The highest of many numbers, more than fit into the arguments of one call; 0 of none. */
export function highestOf(numbers: Iterable<number>): number {
  let highest = 0;
  for (const number of numbers) highest = Math.max(highest, number);
  return highest;
}

/** The lowest of many numbers; infinity of none. */
export function lowestOf(numbers: Iterable<number>): number {
  let lowest = Number.POSITIVE_INFINITY;
  for (const number of numbers) lowest = Math.min(lowest, number);
  return lowest;
}

import type { Version } from './facts.ts';

const parts = ['mapping', 'epoch', 'sequence', 'settings'] as const;

/** As it is printed: `1.1.42.0`, in the order in which the parts are compared. */
export const printVersion = (version: Version): string => parts.map((part) => version[part]).join('.');

/** Below zero where the first is older, zero where they are equal. */
export function compareVersions(one: Version, other: Version): number {
  const part = parts.find((name) => one[name] !== other[name]);
  return part ? one[part] - other[part] : 0;
}

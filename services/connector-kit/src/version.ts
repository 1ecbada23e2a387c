import type { ListingVersion } from '@evenkeel/contracts';

/** Wide enough for every safe integer. */
const digits = 16;

/** A version that sorts as text in the order of its parts: mapping, epoch, sequence, settings. All are whole and not negative. */
export const versionText = ({ mapping, epoch, sequence, settings }: ListingVersion): string =>
  [mapping, epoch, sequence, settings].map((part) => String(part).padStart(digits, '0')).join('.');

/** The parts that {@link versionText} joined. Throws where the text is not one. */
export function versionOf(text: string): ListingVersion {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{16}$/.test(part))) throw new Error(`${text} is not a listing's version.`);
  const [mapping = 0, epoch = 0, sequence = 0, settings = 0] = parts.map(Number);
  return { mapping, epoch, sequence, settings };
}

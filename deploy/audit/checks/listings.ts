import { nameListing, nameMoment, type Asked, type Course } from '../course.ts';
import type { AppliedWrite, Call, Facts, Finding, Listing, Shown } from '../facts.ts';
import { joinKey, nameKey } from '../keys.ts';
import { quantityFor, tolerance } from '../policy.ts';
import { printVersion } from '../versions.ts';

/**
 * I5, second half: every listing that is not held has been sent its wanted version, shows that write less what it has sold since, and so is
 * equal to max(0, Available) at or below X, and within (N − 1)(Y − 1) of it above. Everything here may be on its way while the system moves.
 */
export function checkListings({ listings, calls, writes }: Facts, courses: ReadonlyMap<string, Course>): Finding[] {
  const callsByKey = new Map(calls.map((call) => [call.idempotencyKey, call]));
  const lastWrites = lastMeant(writes, callsByKey);
  const mapped = new Set<string>();
  const findings = listings.flatMap((listing) => {
    if (listing.sku === null) return [];
    const key = joinKey(listing.tenant, listing.sku);
    mapped.add(joinKey(key, nameListing(listing)));
    const course = courses.get(key);
    const fault = course ? faultOf(meant(listing, lastWrites), course, callsByKey) : null;
    if (!fault) return [];
    const about = { invariant: 'I5' as const, tenant: listing.tenant, sku: listing.sku, listing: nameOf(listing) };
    return [{ ...about, version: fault.version, sentence: fault.sentence, unsettled: true }];
  });
  return [...findings, ...unknownTo(courses, mapped)];
}

const nameOf = ({ store, listing }: { readonly store: string; readonly listing: string }) => `${store}/${listing}`;

const listingKey = ({ tenant, store, listing }: Pick<AppliedWrite, 'tenant' | 'store' | 'listing'>) => joinKey(tenant, store, listing);

/**
 * The last write of each listing that its call was about. A marketplace that takes listings as a whole is told of their other parts too, by what
 * each had at that moment.
 */
function lastMeant(writes: readonly AppliedWrite[], calls: ReadonlyMap<string, Call>): Map<string, AppliedWrite> {
  const last = new Map<string, AppliedWrite>();
  for (const write of writes) {
    const isMeant = calls.get(write.idempotencyKey)?.items.some(({ listing }) => listing === write.listing) ?? true;
    if (isMeant && write.number > (last.get(listingKey(write))?.number ?? 0)) last.set(listingKey(write), write);
  }
  return last;
}

/** What it shows is counted from its last write of all, what it was sent from the last that was meant for it. */
function meant(listing: Listing, lastWrites: ReadonlyMap<string, AppliedWrite>): Listing & { readonly lastMeant: Shown['lastWrite'] } {
  const last = lastWrites.get(listingKey(listing));
  const { number = 0, idempotencyKey = '', after = 0 } = last ?? {};
  const shown = listing.shown?.lastWrite ?? null;
  return { ...listing, lastMeant: shown && last ? { number, idempotencyKey, quantity: after } : shown };
}

/** Listings that sync-policy knows and the connector no longer maps to that SKU. */
const unknownTo = (courses: ReadonlyMap<string, Course>, mapped: ReadonlySet<string>): Finding[] =>
  [...courses].flatMap(([key, course]) =>
    [...course.listings]
      .filter(([name]) => !mapped.has(joinKey(key, name)))
      .map(([, listing]) => ({
        invariant: 'I5' as const,
        tenant: nameKey(key).tenant,
        sku: nameKey(key).subject,
        listing: nameOf(listing),
        sentence: 'sync-policy pushes to it for this SKU, but the connector does not map it so',
        unsettled: true,
      })),
  );

interface Fault {
  readonly version?: string;
  readonly sentence: string;
}

function faultOf(listing: ReturnType<typeof meant>, course: Course, calls: ReadonlyMap<string, Call>): Fault | null {
  if (listing.held !== null || !course.sync) return null;
  const known = course.listings.get(nameListing(listing));
  if (known?.mapping !== listing.mapping)
    return { sentence: `its mapping, revision ${listing.mapping}, has not reached sync-policy (which knows ${known?.mapping ?? 'none'})` };
  const decided = course.asked.get(nameListing(listing));
  if (!decided || decided.available === null || !course.counted) return null;
  const asked = newestOf({ version: decided.version, available: decided.available }, listing, course);
  const sentence = faultOfSending(listing, asked, calls) ?? faultOfShowing(listing) ?? faultOfLevel(listing, course);
  return sentence === null ? null : { version: printVersion(asked.version), sentence };
}

/** What a listing was to be sent: not withdrawn. */
type Sending = Pick<Asked, 'version'> & { readonly available: number };

/** A listing that was still to be sent what was decided may have been sent a newer number that was not worth a push of its own. */
function newestOf(decided: Sending, { wanted }: Listing, { throttled }: Course): Sending {
  const available = wanted?.version.mapping === decided.version.mapping ? throttled.get(nameMoment(wanted.version)) : undefined;
  return wanted && available !== undefined ? { version: wanted.version, available } : decided;
}

function faultOfSending(
  listing: ReturnType<typeof meant>,
  { version: asked, available }: Sending,
  calls: ReadonlyMap<string, Call>,
): string | null {
  const { wanted, confirmed, shown, lastMeant: lastWrite, inFlight } = listing;
  const version = printVersion(asked);
  const due = quantityFor(available, listing.maximumQuantity);
  if (!wanted) return `${version} was decided, but the listing wants nothing`;
  if (printVersion(wanted.version) !== version) return `it wants version ${printVersion(wanted.version)}, but ${version} was decided last`;
  if (wanted.available !== available) return `it wants ${wanted.available}, but ${available} was decided`;
  if (inFlight) return 'a write to it is still in flight';
  if (!confirmed) return `it wants ${wanted.available}, but nothing was ever confirmed`;
  if (printVersion(confirmed.version) !== version)
    return `it wants version ${version}, but ${printVersion(confirmed.version)} is the last that was confirmed`;
  if (confirmed.quantity !== due) return `${confirmed.quantity} was confirmed, but ${due} is what Available ${available} makes`;
  if (!shown) return 'the marketplace has no such listing';
  if (!lastWrite) return 'it was confirmed, but the marketplace has never applied a write to it';
  if (lastWrite.quantity !== due) return `the last write applied to it is ${lastWrite.quantity}, but should be ${due}`;
  const sent = calls.get(lastWrite.idempotencyKey)?.items.find((item) => item.listing === listing.listing);
  return sent && printVersion(sent.version) !== version
    ? `the last write applied to it carried version ${printVersion(sent.version)}`
    : null;
}

function faultOfShowing({ shown }: Listing): string | null {
  if (!shown?.lastWrite) return null;
  const due = shown.lastWrite.quantity - shown.soldSince;
  if (shown.quantity === due) return null;
  return `it shows ${shown.quantity}, but should show ${due}: ${shown.lastWrite.quantity} was written and it has sold ${shown.soldSince} since`;
}

function faultOfLevel({ shown, maximumQuantity }: Listing, { available, rules, heldBack }: Course): string | null {
  if (!shown) return null;
  const due = quantityFor(available, maximumQuantity);
  const off = Math.abs(shown.quantity - due);
  const allowed = tolerance(available, rules);
  if (off <= allowed) return null;
  const where = allowed === 0 ? 'at or below X it must be equal' : `it may be off by at most ${allowed}`;
  return `it shows ${shown.quantity} while ${available} are available: ${where} (X ${rules.x}, Y ${rules.y}, N ${rules.n}, ${heldBack} held back)`;
}

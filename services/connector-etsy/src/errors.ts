import type { Failure } from '@evenkeel/connector-kit';
import { z } from 'zod';

const refusal = z.object({ error: z.string(), error_description: z.string().optional() });

/** The seller's consent, or what it covers, is refused: no listing can help that. */
const ofToken = new Set(['invalid_token', 'invalid_grant', 'invalid_client', 'insufficient_scope']);

/**
 * What a refusal means. Etsy has no codes but HTTP's and the token errors in `error`. Its texts are for people.
 * A 400 is about what the listing has become, or what it may be: it concerns that listing.
 */
export function failureOf(status: number, text: string, retryAfter: string | undefined): Failure {
  const { error, description } = readRefusal(text);
  const code = /^[a-z]+(_[a-z]+)+$/.test(error) ? error : `HTTP_${status}`;
  const message = [error, description].filter((each) => each !== '').join(': ') || `The answer was HTTP ${status}.`;
  if (status === 429) return { class: 'throttled', code, message, waitMilliseconds: Math.max(1, Number(retryAfter) || 1) * 1_000 };
  if (status === 401 || ofToken.has(code)) return { class: 'credential', code, message };
  if (status === 403) return { class: isOfApp(error) ? 'credential' : 'permanent_listing', code, message };
  if (status === 400 || status === 404) return { class: 'permanent_listing', code, message };
  return { class: status >= 400 && status < 500 ? 'bug' : 'transient', code, message };
}

/** A 403 is for the app's key or for somebody else's listing: only its text tells which. */
const isOfApp = (error: string): boolean => /api key/i.test(error);

function readRefusal(text: string): { error: string; description: string } {
  try {
    const { error, error_description: description = '' } = refusal.parse(JSON.parse(text));
    return { error, description };
  } catch {
    return { error: '', description: '' }; // a proxy's page
  }
}

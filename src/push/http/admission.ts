import type { FastifyRequest } from 'fastify';
import type { Keys } from '../apps/keys.ts';
import { isSignedWith, signatureHeaders } from '../apps/signature.ts';
import type { Rates } from './rates.ts';
import { type Caller, Refusal } from './route.ts';

export interface AdmissionParts {
  readonly keys: Pick<Keys, 'find' | 'useNonce'>;
  readonly rates: Pick<Rates, 'take'>;
  /** Unix ms. */
  readonly now: () => number;
}

/** Who asks, and the SHA-256 (hex) that the body must have: it was signed, and nothing of the body was read yet. */
export interface Admitted {
  readonly caller: Caller;
  readonly bodyHash: string;
}

const WINDOW_MS = 300_000;

/** What each header looks like; the timestamp is Unix seconds. */
const shapes = {
  app: /^[\w-]{1,32}$/,
  timestamp: /^\d{1,11}$/,
  nonce: /^[A-Za-z0-9_-]{8,64}$/,
  contentHash: /^[0-9a-f]{64}$/,
  signature: /^[0-9a-f]{64}$/,
} as const;
type Header = keyof typeof shapes;

/**
 * Makes the check that every request from an allowed address passes before anything of its body is read: the headers, the
 * time, the signature, the nonce, the app's own limit. It throws a {@link Refusal}.
 */
export function createAdmission({ keys, rates, now }: AdmissionParts) {
  return async ({ headers, raw }: FastifyRequest): Promise<Admitted> => {
    const { app: name, timestamp, nonce, contentHash: bodyHash, signature } = readClaim(headers);
    if (Math.abs(now() - Number(timestamp) * 1000) > WINDOW_MS) {
      throw new Refusal(
        401,
        'X-Keypad-Timestamp is more than 300 s away from the time here; set the clock, and sign each request anew.',
      );
    }
    const found = await keys.find(name);
    const [method, target] = [raw.method ?? '', raw.url ?? ''];
    const signed = { purpose: 'request', method, target, timestamp, nonce, bodyHash } as const;
    // An unknown app costs the time of a wrong key, and is answered the same: nobody learns which apps there are.
    const isSigned = (found?.keys ?? ['']).some((key) => isSignedWith(key, signed, signature));
    if (found === undefined || !isSigned) {
      throw new Refusal(
        401,
        'The app or the signature is not right; check the app id, the key, and that purpose, method, path, query and the hash of the body are signed exactly as they are sent.',
      );
    }
    const { app, scopes, callbackHosts, perMinute, enabled } = found;
    if (!enabled) {
      throw new Refusal(403, 'This app is disabled; ask the administrators of Keypad to enable it.');
    }
    // Until then the timestamp lets it in.
    if (!(await keys.useNonce(app, nonce, Number(timestamp) * 1000 + WINDOW_MS))) {
      throw new Refusal(
        401,
        'X-Keypad-Nonce was used before; give every request, also a repeated one, a nonce and signature of its own.',
      );
    }
    const seconds = rates.take(app, perMinute);
    if (seconds > 0) {
      throw new Refusal(429, `This app may make ${perMinute} requests a minute; try again in ${seconds} s.`, {
        'retry-after': `${seconds}`,
      });
    }
    return { caller: { app, scopes, callbackHosts }, bodyHash };
  };
}

/** What the headers of a request claim; nothing of it is known to be true. */
function readClaim(headers: FastifyRequest['headers']): Readonly<Record<Header, string>> {
  const names = Object.keys(shapes) as readonly Header[];
  const claim = names.map((name) => [name, `${headers[signatureHeaders[name]] ?? ''}`] as const);
  if (claim.every(([name, value]) => shapes[name].test(value))) {
    return Object.fromEntries(claim) as Record<Header, string>;
  }
  throw new Refusal(
    401,
    'Sign the request: it needs X-Keypad-App, X-Keypad-Timestamp (Unix seconds), X-Keypad-Nonce (8 to 64 letters, digits, _ and -), X-Keypad-Content-SHA256 and X-Keypad-Signature (64 hex digits in lower case each).',
  );
}

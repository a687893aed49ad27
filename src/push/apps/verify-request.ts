import type { App } from './app-cache.ts';
import type { Nonces } from './nonces.ts';
import { isSignedWith, signatureHeaders } from './signature.ts';

/** What the headers of a request claim; nothing of it is known to be true. */
export interface Claimed {
  readonly app: string;
  /** Unix seconds, in digits. */
  readonly timestamp: string;
  readonly nonce: string;
  readonly signature: string;
  /** SHA-256 of a streamed body. */
  readonly contentHash: string | undefined;
}

/** Why a request is not let in: a status and one plain sentence. */
export interface NotAdmitted {
  readonly status: 401 | 403;
  readonly error: string;
}

/** Decides who is asking. */
export interface Verifier {
  /** Reads the headers; refuses what is malformed or outside the time window, before a body is read. */
  readClaim(headers: Readonly<Record<string, unknown>>): Claimed | NotAdmitted;
  /** Checks the signature over what came, and uses up the nonce. */
  verifyRequest(claimed: Claimed, came: Came): Promise<App | NotAdmitted>;
}

/** The request as it came; `bodyHash` is the SHA-256 of its body in hex. */
export interface Came {
  readonly method: string;
  readonly target: string;
  readonly bodyHash: string;
}

export interface VerifierParts {
  find(app: string): Promise<App | undefined>;
  readonly nonces: Nonces;
  /** Unix ms. */
  readonly now: () => number;
}

const WINDOW_MS = 300_000;

/** What each header looks like. */
const shapes = {
  app: /^[\w-]{1,32}$/,
  timestamp: /^\d{1,11}$/,
  nonce: /^[A-Za-z0-9_-]{8,64}$/,
  signature: /^[0-9a-f]{64}$/,
} as const;

const unsigned: NotAdmitted = {
  status: 401,
  error:
    'Sign the request: it needs X-Keypad-App, X-Keypad-Timestamp (Unix seconds), X-Keypad-Nonce (8 to 64 letters, digits, _ and -) and X-Keypad-Signature (64 hex digits in lower case).',
};
/** The same for an unknown app and a wrong signature, and as late, so that nobody learns which apps there are. */
const wrong: NotAdmitted = {
  status: 401,
  error:
    'The app or the signature is not right; check the app id, the key, and that method, path, query and body are signed exactly as they are sent.',
};
const late: NotAdmitted = {
  status: 401,
  error:
    'X-Keypad-Timestamp is more than 300 s away from the time here; set the clock, and sign each request anew.',
};
const replayed: NotAdmitted = {
  status: 401,
  error:
    'X-Keypad-Nonce was used before; give every request, also a repeated one, a nonce and signature of its own.',
};
const disabled: NotAdmitted = {
  status: 403,
  error: 'This app is disabled; ask the administrators of Keypad to enable it.',
};

/** Tells a refusal from what is wanted. */
export function isNotAdmitted<T extends object>(result: T | NotAdmitted): result is NotAdmitted {
  return 'status' in result;
}

/** Makes the verifier. */
export function createVerifier({ find, nonces, now }: VerifierParts): Verifier {
  return {
    readClaim(headers) {
      const read = (name: keyof typeof shapes): string | undefined => {
        const value = headers[signatureHeaders[name]];
        return typeof value === 'string' && shapes[name].test(value) ? value : undefined;
      };
      const [app, timestamp] = [read('app'), read('timestamp')];
      const [nonce, signature] = [read('nonce'), read('signature')];
      if (app === undefined || timestamp === undefined) return unsigned;
      if (nonce === undefined || signature === undefined) return unsigned;
      if (Math.abs(now() - Number(timestamp) * 1000) > WINDOW_MS) return late;
      const contentHash = headers[signatureHeaders.contentHash];
      return {
        app,
        timestamp,
        nonce,
        signature,
        contentHash: typeof contentHash === 'string' ? contentHash : undefined,
      };
    },
    async verifyRequest({ app: name, timestamp, nonce, signature }, came) {
      const app = await find(name);
      const signed = { ...came, timestamp, nonce };
      // An unknown app costs the time of a wrong key.
      const isSigned = (app?.keys ?? ['']).some((key) => isSignedWith(key, signed, signature));
      if (app === undefined || !isSigned) return wrong;
      if (!app.enabled) return disabled;
      // Until then the timestamp lets it in.
      const until = Number(timestamp) * 1000 + WINDOW_MS;
      return (await nonces.use(name, nonce, until)) ? app : replayed;
    },
  };
}

import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/** The headers of a signed request; `contentHash` only where the body is streamed. */
export const signatureHeaders = {
  app: 'x-keypad-app',
  timestamp: 'x-keypad-timestamp',
  nonce: 'x-keypad-nonce',
  signature: 'x-keypad-signature',
  contentHash: 'x-keypad-content-sha256',
} as const;

/** What a signature covers. */
export interface Signed {
  /** In capitals. */
  readonly method: string;
  /** PATH?QUERY exactly as it is sent; without `?` when there is no query. */
  readonly target: string;
  /** Unix seconds, in digits. */
  readonly timestamp: string;
  /** 8 to 64 letters, digits and `_-`; never used before. */
  readonly nonce: string;
  /** SHA-256 of the body in hex; of nothing when there is no body. */
  readonly bodyHash: string;
}

/** A request that is about to be signed. */
interface Unsigned extends Pick<Signed, 'method' | 'target' | 'nonce'> {
  /** Absent for none. */
  readonly body?: string | Uint8Array;
  /** Unix ms. */
  readonly now: number;
}

/** SHA-256 in hex. */
export function hashOf(body: string | Uint8Array): string {
  return hash('sha256', body);
}

/**
 * An app's key, 43 characters: HMAC-SHA256 of the master key. It is computed when it is needed and never stored, so
 * that who steals the database can sign nothing.
 */
export function deriveKey(masterKey: string, app: string, keyId: string): string {
  return createHmac('sha256', masterKey).update(`${app}\n${keyId}`).digest('base64url');
}

/** The signature in hex: HMAC-SHA256 under the key, its characters taken as bytes. */
export function sign(key: string, { method, target, timestamp, nonce, bodyHash }: Signed): string {
  const text = [method, target, timestamp, nonce, bodyHash].join('\n');
  return createHmac('sha256', key).update(text).digest('hex');
}

/** Whether this key made the signature; takes the same time wherever the two differ. */
export function isSignedWith(key: string, signed: Signed, signature: string): boolean {
  const right = Buffer.from(sign(key, signed));
  const given = Buffer.from(signature);
  return given.length === right.length && timingSafeEqual(given, right);
}

/** The headers that make a request of an app, under one of its keys, a signed one; result callbacks carry the same. */
export function signRequest(
  { app, key }: { readonly app: string; readonly key: string },
  request: Unsigned,
): Readonly<Record<string, string>> {
  const { method, target, body = '', now, nonce } = request;
  const timestamp = `${Math.floor(now / 1000)}`;
  const signature = sign(key, { method, target, timestamp, nonce, bodyHash: hashOf(body) });
  return {
    [signatureHeaders.app]: app,
    [signatureHeaders.timestamp]: timestamp,
    [signatureHeaders.nonce]: nonce,
    [signatureHeaders.signature]: signature,
  };
}

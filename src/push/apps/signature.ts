import { createHmac, hash, timingSafeEqual } from 'node:crypto';

/** The headers of whatever is signed. */
export const signatureHeaders = {
  app: 'x-keypad-app',
  timestamp: 'x-keypad-timestamp',
  nonce: 'x-keypad-nonce',
  contentHash: 'x-keypad-content-sha256',
  signature: 'x-keypad-signature',
} as const;

/** What a signature is made for, as it stands in the first line of what is signed: no signature is good for anything else. */
export const purposes = {
  /** From an app to message delivery. */
  request: 'keypad-push-request-1',
  /** From message delivery to an app: what became of a message. */
  result: 'keypad-push-result-1',
} as const;
export type Purpose = keyof typeof purposes;

/** What a signature covers. */
export interface Signed {
  readonly purpose: Purpose;
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

/** What is about to be signed. */
interface Unsigned extends Pick<Signed, 'method' | 'target' | 'nonce'> {
  /** Absent for none. */
  readonly body?: string | Uint8Array;
  /** Unix ms. */
  readonly now: number;
}

/** An app and one of its keys. */
interface AppKey {
  readonly app: string;
  readonly key: string;
}

/** SHA-256 in hex. */
export function hashOf(body: string | Uint8Array): string {
  return hash('sha256', body);
}

/**
 * An app's key, 43 characters: HMAC-SHA256 of the master key. It is computed when it is needed and never stored, so
 * that who steals the database can sign nothing. What it is for stands in front, so that whatever else is once made of
 * the master key is no app's key.
 */
export function deriveKey(masterKey: string, app: string, keyId: string): string {
  return createHmac('sha256', masterKey)
    .update(`keypad-push-app-key-1\n${app}\n${keyId}`)
    .digest('base64url');
}

/** As keys were made by the first builds, which named no purpose; those that apps have from then stay valid. */
export function deriveEarlyKey(masterKey: string, app: string, keyId: string): string {
  return createHmac('sha256', masterKey).update(`${app}\n${keyId}`).digest('base64url');
}

/** The signature in hex: HMAC-SHA256 under the key, its characters taken as bytes. */
export function sign(key: string, signed: Signed): string {
  const { purpose, method, target, timestamp, nonce, bodyHash } = signed;
  const text = [purposes[purpose], method, target, timestamp, nonce, bodyHash].join('\n');
  return createHmac('sha256', key).update(text).digest('hex');
}

/** Whether this key made the signature; takes the same time wherever the two differ. */
export function isSignedWith(key: string, signed: Signed, signature: string): boolean {
  const right = Buffer.from(sign(key, signed));
  const given = Buffer.from(signature);
  return given.length === right.length && timingSafeEqual(given, right);
}

const signed =
  (purpose: Purpose) =>
  ({ app, key }: AppKey, { method, target, body = '', now, nonce }: Unsigned) => {
    const timestamp = `${Math.floor(now / 1000)}`;
    const bodyHash = hashOf(body);
    return {
      [signatureHeaders.app]: app,
      [signatureHeaders.timestamp]: timestamp,
      [signatureHeaders.nonce]: nonce,
      [signatureHeaders.contentHash]: bodyHash,
      [signatureHeaders.signature]: sign(key, { purpose, method, target, timestamp, nonce, bodyHash }),
    };
  };

/** The headers that make this the request of an app, under one of its keys. */
export const signRequest = signed('request');

/** The headers that show an app that a result comes from here. */
export const signResult = signed('result');

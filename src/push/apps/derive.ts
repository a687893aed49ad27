import { createHmac } from 'node:crypto';
import { hashOf } from './signature.ts';

/**
 * An app's key, 43 characters: HMAC-SHA256 of the master key. It is computed when it is needed and never stored, so
 * that who steals the database can sign nothing.
 */
export function deriveKey(masterKey: string, app: string, keyId: string): string {
  return createHmac('sha256', masterKey).update(`${app}\n${keyId}`).digest('base64url');
}

/** What the database holds of a key: enough to see that the master key has changed, and no more. */
export function hashKey(key: string): string {
  return hashOf(key);
}

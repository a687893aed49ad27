import { type KeyPair, readSigningKey, readVerifyingKeys } from '../contract/keys.ts';
import { InputError } from '../errors.ts';
import { isRecord, readJson } from './json.ts';

/** The private JWK that the bot signs with, checked. No part of it is in an error. */
export function signingKey(text: string): KeyPair['signingKey'] {
  const jwk = readJson(text);
  check(() => readSigningKey(jwk));
  return Object.freeze(jwk) as KeyPair['signingKey'];
}

/** The JWKS that the platform verifies with, checked; a private key in it is refused, because it has no business there. */
export function verifyingKeys(text: string): KeyPair['verifyingKeys'] {
  const jwks = readJson(text);
  const keys: readonly unknown[] = isRecord(jwks) && Array.isArray(jwks.keys) ? jwks.keys : [];
  if (keys.some((key) => isRecord(key) && 'd' in key)) {
    throw new InputError('holds a private key; the ops platform gets the public half only');
  }
  check(() => readVerifyingKeys(jwks));
  for (const key of keys) Object.freeze(key);
  Object.freeze(keys);
  return Object.freeze(jwks) as KeyPair['verifyingKeys'];
}

function check(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`cannot be used: ${error.message}; make keys with: npm run keys`);
  }
}

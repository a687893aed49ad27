import { createPrivateKey, createPublicKey } from 'node:crypto';
import { InputError } from '../errors.ts';

/** An Ed25519 public key as a JWK (RFC 8037). */
export interface VerifyingKey {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly kid: string;
  readonly x: string;
}

/** An Ed25519 private key as a JWK; `x` is its public half. */
export interface SigningKey extends VerifyingKey {
  readonly d: string;
}

/** All keys that verify, as a JWKS. */
export interface VerifyingKeys {
  readonly keys: readonly VerifyingKey[];
}

/** The key that the bot signs with. Never shows any of its text in an error. */
export function signingKey(text: string): SigningKey {
  const key = readJson(text);
  if (!isEd25519(key) || typeof key.d !== 'string') {
    throw new InputError('must be a private Ed25519 JWK with a kid; make one with: npm run keys');
  }
  const { kid, x, d } = key;
  if (publicHalf({ kty: 'OKP', crv: 'Ed25519', x, d }) !== x) {
    throw new InputError('is damaged: its parts do not belong together; make one with: npm run keys');
  }
  return Object.freeze({ kty: 'OKP', crv: 'Ed25519', kid, x, d });
}

/** The keys that the platform verifies with; a private key among them is refused, because it has no business there. */
export function verifyingKeys(text: string): VerifyingKeys {
  const set = readJson(text);
  const list = isRecord(set) && Array.isArray(set.keys) ? (set.keys as unknown[]) : [];
  if (list.length === 0)
    throw new InputError('must be a JWKS with at least one key; make one with: npm run keys');
  const keys = list.map((key) => {
    if (isRecord(key) && 'd' in key) {
      throw new InputError('holds a private key; the ops platform gets the public half only');
    }
    if (!isEd25519(key) || !isPublicKey(key.x)) {
      throw new InputError('must hold only public Ed25519 keys, each with a kid');
    }
    return Object.freeze({ kty: key.kty, crv: key.crv, kid: key.kid, x: key.x });
  });
  if (new Set(keys.map((key) => key.kid)).size < keys.length)
    throw new InputError('holds two keys of one kid');
  return Object.freeze({ keys: Object.freeze(keys) });
}

/** A JSON object; `undefined` when the text is none. */
export function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Narrows to a JSON object. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEd25519(key: unknown): key is VerifyingKey & Record<string, unknown> {
  if (!isRecord(key) || key.kty !== 'OKP' || key.crv !== 'Ed25519') return false;
  return typeof key.kid === 'string' && key.kid !== '' && typeof key.x === 'string';
}

function isPublicKey(x: string): boolean {
  try {
    createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}

function publicHalf(key: { kty: string; crv: string; x: string; d: string }): string | undefined {
  try {
    return createPublicKey(createPrivateKey({ key, format: 'jwk' })).export({ format: 'jwk' }).x;
  } catch {
    return undefined;
  }
}

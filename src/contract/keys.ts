import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { calculateJwkThumbprint } from 'jose';
import * as z from 'zod';
import { InputError } from '../errors.ts';

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'not 32 bytes of base64url');
const publicParts = {
  kty: z.literal('OKP'),
  crv: z.literal('Ed25519'),
  kid: z.string().min(1).max(100),
  x: coordinate,
  alg: z.literal('EdDSA').optional(),
  use: z.literal('sig').optional(),
};
const publicJwk = z.strictObject({
  ...publicParts,
  d: z.undefined('holds a private key; the ops platform gets the public half only').optional(),
});
const privateJwk = z.strictObject({ ...publicParts, d: coordinate });
const jwks = z.strictObject({ keys: z.array(publicJwk).min(1) });

/** The bot's key: it makes tokens. `kid` tells the platform which key to verify with. */
export type SigningKey = ReturnType<typeof readSigningKey>;

/** The platform's keys by `kid`: all of them verify, so that a new one can be listed before it signs. */
export type VerifyingKeys = ReadonlyMap<string, KeyObject>;

/** A new pair as the two settings take it: the bot's private JWK and the platform's JWKS. */
export type KeyPair = Awaited<ReturnType<typeof makeKeyPair>>;

/** Makes an Ed25519 pair; its `kid` is the thumbprint of the public key (RFC 7638). */
export async function makeKeyPair() {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { kty, crv, x, d } = privateKey.export({ format: 'jwk' });
  const kid = await calculateJwkThumbprint({ kty: 'OKP', crv: 'Ed25519', x: String(x) });
  const parts = { kty, crv, kid, x, alg: 'EdDSA', use: 'sig' };
  return {
    signingKey: privateJwk.parse({ ...parts, d }),
    verifyingKeys: jwks.parse({ keys: [parts] }),
  };
}

/** Reads the private JWK (an object) that the bot signs with. Throws InputError; no part of the key is in its message. */
export function readSigningKey(value: unknown) {
  const { kid, ...jwk } = parsed(privateJwk, value, 'the signing key is not a private Ed25519 JWK with kid');
  const key = createPrivateKey({ key: jwk, format: 'jwk' });
  if (createPublicKey(key).export({ format: 'jwk' }).x !== jwk.x) {
    throw new InputError('the signing key does not fit together: x is not the public part of d');
  }
  return { kid, key };
}

/** Reads the JWKS (an object) that the platform verifies with. Throws InputError, also when a private key is in it. */
export function readVerifyingKeys(value: unknown): VerifyingKeys {
  const { keys } = parsed(jwks, value, 'the verifying keys are not a JWKS of public Ed25519 keys with kid');
  const known = new Map<string, KeyObject>();
  for (const { kid, kty, crv, x } of keys) {
    if (known.has(kid)) throw new InputError(`two verifying keys have the kid ${kid}`);
    known.set(kid, createPublicKey({ key: { kty, crv, x }, format: 'jwk' }));
  }
  return known;
}

function parsed<T>(schema: z.ZodType<T>, value: unknown, sentence: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new InputError(
    `${sentence}: ${issue?.path.join('.')} ${issue?.message}; make keys with: npm run keys`,
  );
}

import { hash, type KeyObject } from 'node:crypto';
import { compactVerify, errors, SignJWT } from 'jose';
import * as z from 'zod';
import { Refused } from '../errors.ts';
import type { SigningKey, VerifyingKeys } from './keys.ts';
import { principal } from './principal.ts';

/** The longest that a token may live, in seconds. */
const LIFETIME = 60;
/** How far ahead the signer's clock may be, in seconds. */
const AHEAD = 5;
const ISSUER = 'keypad-bot';
const AUDIENCE = 'keypad-ops';
/** What a token is for, in its header (RFC 8725, explicit typing): one that was signed for anything else is none, also under the same key. */
const TYPES = { operation: 'keypad-op+jwt', report: 'keypad-report+jwt' } as const;

const reportClaims = z.strictObject({
  iss: z.literal(ISSUER),
  aud: z.literal(AUDIENCE),
  iat: z.int(),
  exp: z.int(),
  jti: z.uuid(),
  op: z.string().max(100),
  bsha: z.string(),
});
const claims = reportClaims.extend({
  sub: principal,
  departments: z.array(z.int().positive()).max(200).optional(),
});

/** What a verified token says: who asks (`sub`, in the spelling by which principals are compared), under which id (`jti`), until when (`exp`, Unix seconds). */
export type Claims = z.infer<typeof claims>;
/** What the token of a report says: it speaks for no user. */
export type ReportClaims = z.infer<typeof reportClaims>;

/** What a token is made for. `operation` is the name for a run, `<name>/preview` for a preview; `now` is Unix milliseconds. */
export interface TokenRequest {
  /** The text form of the user on whose behalf the bot asks (principal.ts); absent for a report, which is the bot's own. */
  readonly subject?: string;
  readonly operation: string;
  /** The exact bytes of the request body. */
  readonly body: string | Uint8Array;
  /** A fresh UUID: a token is good for one request. */
  readonly id: string;
  readonly now: number;
  /** The departments of the user, when the bot knows them; the policy may speak of them. */
  readonly departments?: readonly number[] | undefined;
}

/** What the platform holds a token against. */
export type TokenUse = Pick<TokenRequest, 'operation' | 'body' | 'now'>;

/** Signs a token that is good for one request with exactly this body, for 60 s. */
export async function signToken(key: SigningKey, request: TokenRequest): Promise<string> {
  const { subject, operation, body, id, now, departments } = request;
  const issuedAt = Math.floor(now / 1000);
  const token = new SignJWT({ op: operation, bsha: digest(body), ...(departments && { departments }) })
    .setProtectedHeader({
      alg: 'EdDSA',
      kid: key.kid,
      typ: TYPES[subject === undefined ? 'report' : 'operation'],
    })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setJti(id)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + LIFETIME);
  return (subject === undefined ? token : token.setSubject(subject)).sign(key.key);
}

/**
 * The claims of a token that was signed by one of `keys` for this very request; whether it was used before is for
 * the caller to know. Throws Refused('token') with a sentence that names the first check that failed.
 */
export const verifyToken = verifierOf(TYPES.operation, claims);

/** The same for a report: its token names no user, and one that names a user is refused. */
export const verifyReportToken = verifierOf(TYPES.report, reportClaims);

function verifierOf<C extends ReportClaims>(type: string, form: z.ZodType<C>) {
  return async (keys: VerifyingKeys, token: string, use: TokenUse): Promise<C> => {
    const signed = form.safeParse(await verifiedPayload(keys, token, type));
    if (!signed.success) throw refused(`内容不对（${signed.error.issues[0]?.path.join('.') || '格式'}）`);
    const { iat, exp, op, bsha } = signed.data;
    const now = use.now / 1000;
    if (iat > now + AHEAD) throw refused('签发时间在未来，请校准机器时钟');
    if (exp <= now) throw refused('已过期，请校准机器时钟后重试');
    if (exp - iat > LIFETIME) throw refused(`有效期超过 ${LIFETIME} 秒`);
    if (op !== use.operation) throw refused('是为另一个操作签发的');
    if (bsha !== digest(use.body)) throw refused('与请求内容不符');
    return signed.data;
  };
}

async function verifiedPayload(keys: VerifyingKeys, token: string, type: string): Promise<unknown> {
  const keyOf = ({ kid }: { kid?: string }): KeyObject => {
    const key = keys.get(kid ?? '');
    if (key === undefined) throw refused('由未知的密钥签名');
    return key;
  };
  // Decoders skip what is not base64url and the spare bits at its end; a token has one spelling only.
  const isCanonical = token
    .split('.')
    .every((part) => part === Buffer.from(part, 'base64url').toString('base64url'));
  if (!isCanonical) throw refused('内容不对（格式）');
  try {
    const { payload, protectedHeader } = await compactVerify(token, keyOf, { algorithms: ['EdDSA'] });
    // A bot of version 0.1.0 says nothing here, and signs nothing else; it is updated after the platform, or before it.
    const { typ = type } = protectedHeader;
    if (typ !== type) throw refused('不是为此签发的，请让 bot 和 ops 用同一个版本');
    return JSON.parse(Buffer.from(payload).toString());
  } catch (error) {
    if (error instanceof Refused) throw error;
    if (error instanceof errors.JOSEAlgNotAllowed) throw refused('的签名算法不被接受');
    if (error instanceof errors.JOSEError) throw refused('的签名不对');
    if (error instanceof SyntaxError) throw refused('内容不对（格式）');
    throw error;
  }
}

function digest(body: string | Uint8Array): string {
  return hash('sha256', body, 'base64url');
}

function refused(what: string): Refused {
  return new Refused('token', `请求的令牌${what}`);
}

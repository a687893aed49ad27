import { createSecretKey } from 'node:crypto';
import { errors, jwtVerify, SignJWT } from 'jose';
import * as z from 'zod';
import { Refused } from '../errors.ts';
import { userId } from './token.ts';

/** How long a link to the queue view is good, in minutes. */
export const CONSOLE_LINK_MINUTES = 5;

const AUDIENCE = 'keypad-console';
const ALGORITHM = 'HS256';

const claims = z.object({ sub: userId, jti: z.uuid(), iat: z.int(), exp: z.int() });

/** Who was given a link, under which id; `expiresAt` is Unix milliseconds. */
export interface ConsoleLink {
  readonly user: string;
  readonly id: string;
  readonly expiresAt: number;
}

/** The token in a link: it names its user and opens the queue view for five minutes. `id` is a fresh UUID, `now` Unix ms. */
export function signConsoleLink(
  key: string,
  { user, id, now }: { readonly user: string; readonly id: string; readonly now: number },
): Promise<string> {
  const issuedAt = Math.floor(now / 1000);
  return new SignJWT()
    .setProtectedHeader({ alg: ALGORITHM })
    .setSubject(user)
    .setJti(id)
    .setAudience(AUDIENCE)
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + CONSOLE_LINK_MINUTES * 60)
    .sign(secretKey(key));
}

/** Reads such a token; whether it was used before is not known here. Throws Refused: `token`, or `expired`. */
export async function verifyConsoleLink(key: string, token: string, now: number): Promise<ConsoleLink> {
  try {
    const { payload } = await jwtVerify(token, secretKey(key), {
      algorithms: [ALGORITHM],
      audience: AUDIENCE,
      requiredClaims: ['sub', 'jti', 'iat', 'exp'],
      // One that lives longer was not made here.
      maxTokenAge: CONSOLE_LINK_MINUTES * 60,
      currentDate: new Date(now),
      clockTolerance: 0,
    });
    const { sub, jti, exp } = claims.parse(payload);
    return { user: sub, id: jti, expiresAt: exp * 1000 };
  } catch (error) {
    if (error instanceof errors.JWTExpired) throw new Refused('expired', '链接已过期，请在菜单里重新获取');
    if (error instanceof errors.JOSEError || error instanceof z.ZodError) {
      throw new Refused('token', '链接无效，请在菜单里重新获取');
    }
    throw error;
  }
}

function secretKey(key: string) {
  return createSecretKey(Buffer.from(key));
}

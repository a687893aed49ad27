import type { Answer } from '../../contract/answer.ts';
import type { VerifyingKeys } from '../../contract/keys.ts';
import type { Claims, ReportClaims, TokenUse } from '../../contract/token.ts';
import { InputError, Refused } from '../../errors.ts';
import { isDatabaseAway, isDuplicate } from '../../server/mysql-errors.ts';
import { type Attempt, type Audit, createAttempt } from '../audit/audit.ts';
import type { Refusals } from '../audit/refusals.ts';
import type { Clock } from '../clock.ts';
import type { Database } from '../database.ts';
import { TargetFailed } from '../target-failed.ts';

/** How long a used token is remembered past its end, for replicas whose clocks differ; milliseconds. */
const KEPT_MS = 60_000;

/** A request whose source address may call; nothing else about it is known to be true. */
export interface IncomingRequest {
  /** The Authorization header. */
  readonly authorization: string | undefined;
  readonly body: Uint8Array;
  readonly source: string;
}

interface CheckedRequest extends IncomingRequest {
  readonly operation: string;
  /** What it answers is the same to everybody who may call, and nothing changes: then its token need not be new. */
  readonly mayRepeat?: boolean;
}

export interface CheckParts {
  readonly keys: VerifyingKeys;
  readonly db: Database;
  readonly audit: Audit;
  readonly refusals: Refusals;
  readonly clock: Clock;
}

/** What looks at the token of a request before anything else is done with it. */
export type Check = ReturnType<typeof createCheck>;

/**
 * Makes the check: `answer` is called for a request whose token holds against `verify` and was never used (unless it `mayRepeat`), and whatever
 * goes wrong is in the audit with what its attempt noted by then. It throws only what is nobody's fault who asked: a
 * database that is away, or a bug.
 */
export function createCheck({ keys, db, audit, refusals, clock }: CheckParts) {
  return async <C extends ReportClaims & Partial<Claims>>(
    { operation, authorization, body, source, mayRepeat = false }: CheckedRequest,
    verify: (keys: VerifyingKeys, token: string, use: TokenUse) => Promise<C>,
    answer: (claims: C, attempt: Attempt) => Promise<Answer>,
  ): Promise<Answer> => {
    const now = clock.now();
    const attempt = createAttempt(audit, clock, now, { operation, source });
    let user = '';
    try {
      const claims = await verify(keys, bearerOf(authorization), { operation, body, now });
      user = claims.sub ?? '';
      attempt.note({ user, jti: claims.jti });
      if (!mayRepeat) await claimToken(db, claims.jti, claims.exp * 1000);
      return await answer(claims, attempt);
    } catch (error) {
      // Whoever has no token, or one that was used, may be anybody, and may come without end.
      if (error instanceof Refused && (error.reason === 'token' || error.reason === 'replay')) {
        const reason = `${error.reason}: ${error.message}`;
        await refusals.count({ source, user, reason }, () => attempt.record('denied', reason));
        return { state: 'refused', reason: error.reason, message: error.message };
      }
      return await refuse(attempt, error);
    }
  };
}

/** The token in an Authorization header; empty, which no check lets pass, when there is none. */
function bearerOf(authorization: string | undefined): string {
  return /^Bearer ([\w.-]{1,4096})$/i.exec(authorization ?? '')?.[1] ?? '';
}

/** Claims a token for this one request, over all replicas. Throws Refused('replay') when it was used before. */
async function claimToken(db: Database, jti: string, expiresAt: number): Promise<void> {
  try {
    await db
      .insertInto('seen_tokens')
      .values({ jti, expires_at: expiresAt + KEPT_MS })
      .execute();
  } catch (error) {
    if (isDuplicate(error)) throw new Refused('replay', '请求的令牌已经用过');
    throw error;
  }
}

/** Forgets the tokens that ended long enough ago. `now` is Unix milliseconds. */
export async function sweepTokens(db: Database, now: number): Promise<void> {
  await db.deleteFrom('seen_tokens').where('expires_at', '<', now).limit(10_000).execute();
}

/** The answer to what went wrong, once it is recorded. What is neither a refusal nor a failed target is thrown on. */
export async function refuse(attempt: Attempt, error: unknown): Promise<Answer> {
  if (error instanceof Refused || error instanceof InputError) {
    const { message } = error;
    const reason = error instanceof Refused ? error.reason : 'input';
    const why = error.cause instanceof Error ? `${error.cause.message}；${message}` : message;
    await attempt.record(reason === 'expired' ? 'expired' : 'denied', `${reason}: ${why}`);
    return { state: 'refused', reason, message };
  }
  if (error instanceof TargetFailed) {
    await attempt.record('failed', error.message);
    return { state: 'failed', message: error.message };
  }
  if (!isDatabaseAway(error)) {
    await attempt.record('failed', 'an error of the platform itself').catch(() => undefined);
  }
  throw error;
}

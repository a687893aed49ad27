import { Refused } from '../../errors.ts';
import { type Database, isDuplicate } from '../database.ts';

/** How long a used token is remembered past its end, for replicas whose clocks differ; milliseconds. */
const KEPT_MS = 60_000;

/** Claims a token for this one request, over all replicas. Throws Refused('replay') when it was used before. */
export async function claimToken(db: Database, jti: string, expiresAt: number): Promise<void> {
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

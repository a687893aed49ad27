import { Refused } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import type { Database } from '../database.ts';

/** How many codes one person may try for one operation, whatever many previews of it there are, until one is right. */
const MOST = 5;

/** How long tries are counted, from the first one on. */
const WINDOW_MS = 600_000;

/** Whose tries for what. */
interface Tried {
  readonly user: string;
  readonly operation: string;
}

/** The tries of confirmation codes, over all replicas. Times are Unix milliseconds. */
export type CodeTries = ReturnType<typeof createCodeTries>;

/** Opens the table of tries. */
export function createCodeTries(db: Database) {
  return {
    /** Counts one try and answers how many are left after it. Throws Refused('code') when this one was too many. */
    async count({ user, operation }: Tried, now: number): Promise<number> {
      const tries = await transact(db, async (transaction) => {
        const first = { tries: 1, ends_at: now + WINDOW_MS };
        await transaction
          .insertInto('code_tries')
          .values({ user, operation, ...first })
          .onDuplicateKeyUpdate((row) => ({ tries: row('tries', '+', 1) }))
          .execute();
        // The row is locked from here on.
        const row = transaction.selectFrom('code_tries').select(['tries', 'ends_at']);
        const mine = await row
          .where('user', '=', user)
          .where('operation', '=', operation)
          .executeTakeFirstOrThrow();
        if (mine.ends_at > now) return mine.tries;
        const again = transaction.updateTable('code_tries').set(first).where('user', '=', user);
        await again.where('operation', '=', operation).execute();
        return 1;
      });
      if (tries > MOST) throw spent();
      return MOST - tries;
    },
    /** Throws Refused('code') when no more tries are left. */
    async check({ user, operation }: Tried, now: number): Promise<void> {
      const row = db.selectFrom('code_tries').select('tries').where('ends_at', '>', now);
      const mine = await row.where('user', '=', user).where('operation', '=', operation).executeTakeFirst();
      if (mine !== undefined && mine.tries >= MOST) throw spent();
    },
    /** A code was right. */
    async forget({ user, operation }: Tried): Promise<void> {
      const mine = db.deleteFrom('code_tries').where('user', '=', user);
      await mine.where('operation', '=', operation).execute();
    },
    /** Forgets what is not counted any more. */
    async drop(now: number): Promise<void> {
      await db.deleteFrom('code_tries').where('ends_at', '<=', now).limit(10_000).execute();
    },
  };
}

/** What is said when no more tries are left. */
export function spent(): Refused {
  return new Refused('code', `验证码输错 ${MOST} 次，${WINDOW_MS / 60_000} 分钟内不能再试这个操作`);
}

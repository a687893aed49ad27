import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { createBatcher } from '../../server/batch.ts';
import type { AppTables } from '../database/app-tables.ts';
import type { Database } from '../database/database.ts';

/** One request's wish for its nonce; the claims that are stored were the first for theirs. */
type Claim = Readonly<AppTables['nonces']>;

const MOST_AT_ONCE = 500;
/** The clocks of replicas differ. */
const LONGER_MS = 60_000;
const ROWS_AT_ONCE = 5000;

/**
 * Opens the nonces that were used; they stand in MySQL, so that none works twice, in whatever replica, after whatever
 * crash. What comes while one statement is under way goes into the next, all of it together.
 */
export function createNonces(db: Database, now: () => number) {
  const use = createBatcher<Claim, boolean>(
    async (claims) => {
      // In one order, so that replicas with the same nonces wait for each other instead of locking each other out.
      const sorted = claims.toSorted((a, b) => (`${a.app} ${a.nonce}` < `${b.app} ${b.nonce}` ? -1 : 1));
      const values = sorted.map(({ app, nonce, claim, expires_at }) => [app, nonce, claim, expires_at]);
      const { numAffectedRows } = await sql`insert ignore into nonces (app, nonce, claim, expires_at)
        values ${values}`.execute(db);
      if (numAffectedRows === BigInt(claims.length)) return claims.map(() => true);
      const { rows } = await sql<Pick<Claim, 'claim'>>`select claim from nonces
        where (app, nonce) in (${claims.map(({ app, nonce }) => [app, nonce])})`.execute(db);
      const first = new Set(rows.map(({ claim }) => claim));
      return claims.map(({ claim }) => first.has(claim));
    },
    { size: MOST_AT_ONCE, parallel: 1 },
  );
  return {
    /** Uses a nonce up; whether it was new. `until` (Unix ms): no request that carries it is taken after that. */
    use: (app: string, nonce: string, until: number): Promise<boolean> =>
      use({ app, nonce, claim: randomUUID().replaceAll('-', '').slice(-16), expires_at: until + LONGER_MS }),
    /** Forgets some of those whose time is over, and resolves to whether there may be more; to be called every minute or so. */
    async prune(): Promise<boolean> {
      const { numAffectedRows } = await sql`delete from nonces where expires_at < ${now()}
        order by expires_at limit ${sql.lit(ROWS_AT_ONCE)}`.execute(db);
      return numAffectedRows === BigInt(ROWS_AT_ONCE);
    },
  };
}

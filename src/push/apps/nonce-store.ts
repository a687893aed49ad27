import type { NonceTable } from '../database/app-tables.ts';
import type { Database } from '../database/database.ts';

/** One request's wish for its nonce. */
export type Claim = Readonly<NonceTable>;

const ROWS_AT_ONCE = 5000;

/** Writes the nonces down in one statement; resolves to the claims that were the first for their nonce. */
export async function claimNonces(db: Database, claims: readonly Claim[]): Promise<ReadonlySet<Claim>> {
  // In one order, so that replicas with the same nonces wait for each other instead of locking each other out.
  const sorted = claims.toSorted((a, b) => (`${a.app} ${a.nonce}` < `${b.app} ${b.nonce}` ? -1 : 1));
  const inserted = await db.insertInto('nonces').ignore().values(sorted).executeTakeFirst();
  if (inserted.numInsertedOrUpdatedRows === BigInt(claims.length)) return new Set(claims);
  const rows = await db
    .selectFrom('nonces')
    .select('claim')
    .where(({ eb, refTuple, tuple }) =>
      eb(
        refTuple('app', 'nonce'),
        'in',
        claims.map(({ app, nonce }) => tuple(app, nonce)),
      ),
    )
    .execute();
  const stored = new Set(rows.map(({ claim }) => claim));
  return new Set(claims.filter(({ claim }) => stored.has(claim)));
}

/** Deletes what ended before then, a part at a time. */
export async function deleteNonces(db: Database, before: number): Promise<void> {
  for (let deleted = BigInt(ROWS_AT_ONCE); deleted >= BigInt(ROWS_AT_ONCE); ) {
    const result = await db
      .deleteFrom('nonces')
      .where('expires_at', '<', before)
      .orderBy('expires_at')
      .limit(ROWS_AT_ONCE)
      .executeTakeFirst();
    deleted = result.numDeletedRows;
  }
}

import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { Database, Tx } from '../database/database.ts';
import { NEVER } from '../database/delivery-tables.ts';
import { inPieces, type Pace } from '../database/pieces.ts';

/** So many lines are looked at in a piece, and at most as many are locked for a moment. */
const LINES = 500;

/**
 * Walks over all lines in small pieces, and removes those in which nothing waits and whose receivers were sent nothing
 * as long as messages are kept: no attempt of theirs is left. Whoever is written to again gets new ones. Any number of
 * replicas may.
 */
export function purgeLines({ db, ...pace }: Pace & { readonly db: Database }): Promise<void> {
  let after = '';
  const piece = async (): Promise<boolean> => {
    const { rows } = await sql<{ line: string; isIdle: number }>`
      select l.line, (l.owner is null and l.due_at = ${NEVER} and not exists (
          select 1 from attempts a where a.target = substring(l.line, locate(':', l.line) + 1))) isIdle
      from delivery_lines l where l.line > ${after} order by l.line limit ${sql.lit(LINES)}`.execute(db);
    const idle = rows.filter(({ isIdle }) => isIdle === 1).map(({ line }) => line);
    if (idle.length > 0) await transact(db, (tx) => removeIdle(tx, idle));
    after = rows.at(-1)?.line ?? '';
    return rows.length === LINES;
  };
  return inPieces(pace, piece, Number.POSITIVE_INFINITY);
}

/**
 * Removes those of these lines in which nothing waits. Whoever puts something into a line makes it due after that: if
 * they hold its lock it is left alone, and if we do they wait, find no line any more, and make it anew.
 */
export async function removeIdle(tx: Tx, lines: readonly string[]): Promise<void> {
  const { rows: locked } = await sql<{ line: string }>`select line from delivery_lines
    where line in (${sql.join([...lines])}) and owner is null and due_at = ${NEVER}
    order by line for update skip locked`.execute(tx);
  if (locked.length === 0) return;
  const { rows: taken } = await sql<{ line: string }>`select distinct line from deliveries
    where line in (${sql.join(locked.map(({ line }) => line))})`.execute(tx);
  const inUse = new Set(taken.map(({ line }) => line));
  const idle = locked.map(({ line }) => line).filter((line) => !inUse.has(line));
  if (idle.length === 0) return;
  // A scan of the table would wait for the lines that others have.
  await sql`delete l from delivery_lines l force index (primary) where l.line in (${sql.join(idle)})`.execute(
    tx,
  );
}

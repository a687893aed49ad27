import { sql } from 'kysely';
import type { Lane } from '../content/message.ts';
import { readClock } from '../database/clock.ts';
import type { Database } from '../database/database.ts';
import { accountOfLine, laneOf } from './lines.ts';

/** What waits in a lane for an account; what goes through robots belongs to none, and stands under an empty name. */
export interface Waiting {
  readonly lane: Lane;
  readonly account: string;
  /** Deliveries that have not ended, and those among them whose time has come. */
  readonly waiting: number;
  readonly queued: number;
  /** How long the oldest of these has waited, in ms; 0 when there is none. */
  readonly oldestMs: number;
}

/** One statement reads so many entries of the index, or those of a single line, so that none takes long. */
const PIECE = 20_000;

/** Counts what waits, from an index alone: every entry of the backlog is read, in pieces. */
export async function countWaiting(db: Database): Promise<readonly Waiting[]> {
  const now = await readClock(db);
  const found: Waiting[] = [];
  for (let after: string | undefined = ''; after !== undefined; ) {
    const end = await findEnd(db, after);
    const upTo = end === undefined ? sql`` : sql`and line <= ${end}`;
    const { rows } = await sql<Pick<Waiting, 'waiting' | 'queued' | 'oldestMs'> & { readonly kind: string }>`
      select substring_index(line, ':', 2) kind, count(*) waiting, count(if(since <= ${now}, 1, null)) queued,
        coalesce(${now} - min(if(since <= ${now}, since, null)), 0) oldestMs
      from deliveries force index (deliveries_by_line) where line > ${after} ${upTo} group by kind`.execute(
      db,
    );
    found.push(
      ...rows.map(({ kind, ...counts }) => ({ lane: laneOf(kind), account: accountOfLine(kind), ...counts })),
    );
    after = end;
  }
  return found;
}

/** The line at which a piece behind a name ends; undefined when less than a piece is left. */
async function findEnd(db: Database, after: string): Promise<string | undefined> {
  const { rows } = await sql<{ line: string }>`select line from deliveries force index (deliveries_by_line)
    where line > ${after} order by line limit ${sql.lit(PIECE)}, 1`.execute(db);
  return rows[0]?.line;
}

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
  const all: Waiting[] = [];
  for (let first = await findLine(db, { after: '' }); first !== undefined; ) {
    // Lines whose names begin alike, up to the kind of their receivers, stand beside each other.
    const [lane = '', kind = ''] = first.split(':');
    const last = `${lane}:${kind};`;
    all.push(...(await countRange(db, { first: `${lane}:${kind}:`, last, now })));
    first = await findLine(db, { after: last });
  }
  return all;
}

/** Counts between two names, each line with all that waits in it. */
async function countRange(
  db: Database,
  { first, last, now }: { readonly first: string; readonly last: string; readonly now: number },
): Promise<readonly Waiting[]> {
  const found: Waiting[] = [];
  for (let after = first; after < last; ) {
    const end = (await findLine(db, { after, skip: PIECE, before: last })) ?? last;
    const { rows } = await sql<Pick<Waiting, 'waiting' | 'queued' | 'oldestMs'>>`
      select count(*) waiting, count(if(since <= ${now}, 1, null)) queued,
        coalesce(${now} - min(if(since <= ${now}, since, null)), 0) oldestMs
      from deliveries force index (deliveries_by_line) where line > ${after} and line <= ${end}`.execute(db);
    found.push(...rows.map((counts) => ({ lane: laneOf(first), account: accountOfLine(first), ...counts })));
    after = end;
  }
  return found;
}

/** The line of the first entry behind a name, or of one so many entries further on; undefined when there is none. */
async function findLine(
  db: Database,
  { after, skip = 0, before }: { readonly after: string; readonly skip?: number; readonly before?: string },
): Promise<string | undefined> {
  const until = before === undefined ? sql`` : sql`and line < ${before}`;
  const { rows } = await sql<{ line: string }>`select line from deliveries force index (deliveries_by_line)
    where line > ${after} ${until} order by line limit ${sql.lit(skip)}, 1`.execute(db);
  return rows[0]?.line;
}

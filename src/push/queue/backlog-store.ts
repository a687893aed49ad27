import { sql } from 'kysely';
import { type Lane, lanes } from '../content/message.ts';
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

/** What is due in a lane for an account; what goes through robots belongs to none, and stands under an empty name. */
export type Depth = Omit<Waiting, 'waiting'>;

export interface BacklogParts {
  /** Counts all that waits. */
  readonly count: () => Promise<readonly Waiting[]>;
  /** Unix ms. */
  readonly now: () => number;
  readonly onError: (error: unknown) => void;
}

/** Counting reads no more than so many deliveries in a ms, on the average: with a million waiting, once in 20 s. */
const PER_MS = 50;
/** Nobody waits for a new count of more than so many: they get the one before it. */
const MANY = 200_000;

/** Makes what counts the backlog for one process; the more there is the less often it is counted. */
export function createBacklog({ count, now, onError }: BacklogParts) {
  let last: { readonly at: number; readonly total: number; readonly counts: readonly Waiting[] } | undefined;
  let counting: Promise<readonly Waiting[]> | undefined;

  const countAnew = async (): Promise<readonly Waiting[]> => {
    try {
      const counts = await count();
      last = { at: now(), total: counts.reduce((sum, { waiting }) => sum + waiting, 0), counts };
      return counts;
    } finally {
      counting = undefined;
    }
  };
  const read = async (): Promise<readonly Waiting[]> => {
    if (last !== undefined && now() - last.at < Math.floor(last.total / PER_MS)) return last.counts;
    const before = last !== undefined && last.total > MANY ? last.counts : undefined;
    if (counting === undefined) {
      counting = countAnew();
      if (before !== undefined) counting.catch(onError);
    }
    return before ?? counting;
  };

  return {
    /** What is due, by lane and account; each lane is there, with an empty name if nothing waits in it. */
    async due(): Promise<readonly Depth[]> {
      const counts = await read();
      return lanes.flatMap((lane) => {
        const ours = counts.filter((each) => each.lane === lane);
        const accounts = Map.groupBy(ours, ({ account }) => account);
        return [...accounts.set('', accounts.get('') ?? [])].map(([account, some]) => ({
          lane,
          account,
          queued: some.reduce((sum, { queued }) => sum + queued, 0),
          oldestMs: Math.max(0, ...some.map(({ oldestMs }) => oldestMs)),
        }));
      });
    },
    /** How many deliveries have not ended, by account; what goes through robots belongs to none. */
    async byAccount(): Promise<ReadonlyMap<string, number>> {
      const byAccount = new Map<string, number>();
      for (const { account, waiting } of await read()) {
        if (account !== '') byAccount.set(account, (byAccount.get(account) ?? 0) + waiting);
      }
      return byAccount;
    },
  };
}

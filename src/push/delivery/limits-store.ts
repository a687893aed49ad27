import { sql } from 'kysely';
import type { Receiver } from '../content/message.ts';
import type { Database } from '../database/database.ts';

/** A delivery whose messages count against the limits; `count` of them, of which the last ended at `at` (Unix ms) at the latest. */
export interface Used {
  readonly id: number;
  readonly receiver: Receiver;
  readonly count: number;
  readonly at: number;
}

const PAGE = 5000;
/** The day is added up in pieces, so that no statement runs long. */
const PIECE_MS = 3_600_000;

interface Row {
  readonly id: number;
  readonly receiver: string;
  readonly count: number | string;
  readonly at: number | null;
}

/** A split text counts with each part; the last try of a dead delivery may have arrived. */
const FINISHED = sql`case state when 'sent' then greatest(parts, 1) when 'dead' then parts + 1 else parts end`;
const OPEN = sql`parts + (state = 'sending' or tries > 0)`;

/** Deliveries of an account that are not final and may have reached WeCom, in pages; `at` is `sendingAt` where a call may be going on. */
export async function* usedByOpen(
  db: Database,
  account: string,
  { now, sendingAt }: { readonly now: number; readonly sendingAt: number },
): AsyncGenerator<readonly Used[]> {
  let [receiver, id] = ['', 0];
  for (;;) {
    const { rows } = await sql<Row>`
      select id, receiver, ${OPEN} count, if(state = 'sending', ${sendingAt}, ${now}) at from deliveries
      where finished_at is null and account = ${account} and receiver >= ${receiver} and (receiver > ${receiver} or id > ${id})
      order by receiver, id limit ${sql.lit(PAGE)}`.execute(db);
    yield usedOf(rows);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    ({ receiver, id } = last);
  }
}

/** Deliveries of an account that became final after `since` (Unix ms), in pages. */
export async function* usedSince(
  db: Database,
  account: string,
  since: number,
): AsyncGenerator<readonly Used[]> {
  let [at, receiver, id] = [since, '', 0];
  for (;;) {
    const { rows } = await sql<Row>`
      select id, receiver, ${FINISHED} count, finished_at at from deliveries
      where finished_at >= ${at} and account = ${account}
        and (finished_at > ${at} or receiver > ${receiver} or (receiver = ${receiver} and id > ${id}))
      order by finished_at, receiver, id limit ${sql.lit(PAGE)}`.execute(db);
    yield usedOf(rows);
    const last = rows.at(-1);
    if (last === undefined || rows.length < PAGE) return;
    [at, receiver, id] = [last.at ?? at, last.receiver, last.id];
  }
}

/** How many person-times the deliveries of an account that became final from `since` to `now` are (Unix ms). */
export async function personTimes(
  db: Database,
  account: string,
  { since, now }: { readonly since: number; readonly now: number },
): Promise<number> {
  let sum = 0;
  for (let from = since; from <= now; from += PIECE_MS) {
    const { rows } = await sql<{ count: number | string }>`
      select coalesce(sum(${FINISHED}), 0) count from deliveries
      where finished_at >= ${from} and finished_at < ${from + PIECE_MS} and account = ${account}
        and (receiver like 'user:%' or receiver like 'party:%' or receiver like 'tag:%')`.execute(db);
    sum += Number(rows[0]?.count ?? 0);
  }
  return sum;
}

function usedOf(rows: readonly Row[]): readonly Used[] {
  return rows
    .map((row) => ({
      id: row.id,
      receiver: row.receiver as Receiver,
      count: Number(row.count),
      at: row.at ?? 0,
    }))
    .filter(({ count }) => count > 0);
}

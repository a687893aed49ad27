import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import { table } from '../database/values.ts';

/** The delivery of a line that is to be sent next. */
export interface Head {
  readonly id: number;
  readonly line: string;
  /** Unix ms; not before then. */
  readonly dueAt: number;
  readonly messageId: string;
  /** 1 when its job takes others of its message along. */
  readonly shared: number;
}

/** Who is next in these lines: the lowest id, unless it is in flight. A line in which nothing waits has no head. */
export async function headsOf(db: Database, lines: readonly string[]): Promise<readonly Head[]> {
  if (lines.length === 0) return [];
  const { rows } = await sql<Head>`
    select d.id, d.line, d.due_at dueAt, d.message_id messageId, d.shared
    from ${table(lines.map((line) => ({ line })))} l
    straight_join deliveries d on d.id = (
      select e.id from deliveries e force index (deliveries_by_line) where e.line = l.line order by e.id limit 1
    )
    where d.state = 'queued' and d.line is not null`.execute(db);
  return rows;
}

/** The names of the lines after `line` in which something waits, in order, at most `count`. */
export async function linesAfter(db: Database, line: string, count: number): Promise<readonly string[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select('line')
    .where('line', '>', line)
    .groupBy('line')
    .orderBy('line')
    .limit(count)
    .execute();
  return rows.flatMap((row) => row.line ?? []);
}

/** The lines that these messages stand in. */
export async function linesOfMessages(db: Database, ids: readonly string[]): Promise<readonly string[]> {
  if (ids.length === 0) return [];
  const rows = await db
    .selectFrom('deliveries')
    .select('line')
    .where('message_id', 'in', ids)
    .where('line', 'is not', null)
    .execute();
  return rows.flatMap(({ line }) => line ?? []);
}

/** Deliveries whose sender has not renewed its lease in time, at most `count`, also where a lower id has come since. */
export async function leftBehind(db: Database, now: number, count: number): Promise<readonly Head[]> {
  const rows = await db
    .selectFrom('deliveries')
    .select(['id', 'busy', 'lease_until', 'message_id', 'shared'])
    .where('busy', '>', '')
    .where('lease_until', '<=', now)
    .limit(count)
    .execute();
  return rows.map(({ id, busy, lease_until, message_id, shared }) => ({
    id,
    line: busy ?? '',
    dueAt: lease_until ?? 0,
    messageId: message_id,
    shared,
  }));
}

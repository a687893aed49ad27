import { type RawBuilder, sql } from 'kysely';
import type { Receiver } from '../content/message.ts';
import type { DatabaseClock } from '../database/clock.ts';
import type { Database, Tx } from '../database/database.ts';
import { NEVER } from '../database/delivery-tables.ts';
import { parts } from '../database/values.ts';
import { isRobot, laneOf } from './lines.ts';

/** How long a claim holds without being renewed; ms. */
export const LEASE_MS = 15_000;

/** The delivery that is next in line `l`: what its owner sends, otherwise the first in order. */
export const nextInLine: RawBuilder<number> = sql<number>`coalesce(l.delivery_id, (
  select e.id from deliveries e force index (deliveries_by_line) where e.line = l.line order by e.line, e.since, e.id limit 1
))`;

/** Deliveries that join their lines. */
export interface Joining {
  readonly line: string;
  readonly receiver: Receiver;
  readonly account: string;
  /** Not before then, Unix ms; now when null. */
  readonly at: number | null;
}

/**
 * Makes lines due; in the transaction that puts something into them. A line that somebody owns is left alone: its owner
 * looks for the next delivery at the end. Rows are written in one order, so that replicas wait for each other instead of
 * deadlocking.
 */
export async function joinLines(tx: Tx, joining: readonly Joining[], clock: DatabaseClock): Promise<void> {
  const first = new Map<string, Joining>();
  for (const each of joining) {
    const known = first.get(each.line);
    if (known === undefined || (known.at !== null && (each.at ?? 0) < known.at)) first.set(each.line, each);
  }
  const rows = [...first.values()].toSorted((one, other) => (one.line < other.line ? -1 : 1));
  for (const some of parts(rows)) {
    const values = some.map(
      ({ line, receiver, account, at }) =>
        sql`(${line}, ${isRobot(receiver) ? '' : account}, ${laneOf(line)}, ${at ?? clock()})`,
    );
    await sql`insert into delivery_lines (line, account, lane, due_at) values ${sql.join(values)}
      on duplicate key update due_at = if(owner is null, least(due_at, values(due_at)), due_at)`.execute(tx);
  }
}

/** A line whose row is locked until the transaction ends. */
export interface LockedLine {
  readonly line: string;
  readonly owner: string | null;
}

/** Locks lines in one order; resolves to those that there are. */
export async function lockLines(tx: Tx, lines: readonly string[]): Promise<readonly LockedLine[]> {
  const locked: LockedLine[] = [];
  for (const some of parts([...new Set(lines)].sort())) {
    const { rows } = await sql<LockedLine>`select line, owner from delivery_lines
      where line in (${sql.join(some)}) order by line for update`.execute(tx);
    locked.push(...rows);
  }
  return locked;
}

/**
 * Gives up lines that are locked: nobody owns them, and each is due when its next delivery is. Those that are due already
 * go behind all others that are, so that lines take turns.
 */
export async function freeLines(tx: Tx, lines: readonly string[], clock: DatabaseClock): Promise<void> {
  for (const some of parts(lines)) {
    // First nobody sends anything of them, then it is read what is next: a joined UPDATE would lock what it reads.
    await sql`update delivery_lines set owner = null, delivery_id = null where line in (${sql.join(some)})`.execute(
      tx,
    );
    const { rows } = await sql<{ line: string; dueAt: number }>`
      select l.line, greatest(d.since, d.due_at, ${clock()}) dueAt
      from delivery_lines l straight_join deliveries d on d.id = ${nextInLine}
      where l.line in (${sql.join(some)})`.execute(tx);
    await setDue(tx, new Map([...some.map((line) => [line, NEVER] as const), ...rows.map(dueOf)]));
  }
}

/** Sets when lines are due that are locked and that nobody owns. */
export async function setDue(tx: Tx, due: ReadonlyMap<string, number>): Promise<void> {
  const byTime = Map.groupBy(due, ([, at]) => at);
  for (const [at, all] of byTime) {
    for (const some of parts(all)) {
      await sql`update delivery_lines set owner = null, delivery_id = null, due_at = ${at}
        where line in (${sql.join(some.map(([line]) => line))})`.execute(tx);
    }
  }
}

/** Renews leases, by line and owner, that have not ended. */
export async function renewLeases(
  db: Database,
  owners: ReadonlyMap<string, string>,
  clock: DatabaseClock,
): Promise<void> {
  for (const some of parts([...owners])) {
    const names = [...new Set(some.map(([, owner]) => owner))];
    await sql`update delivery_lines set due_at = ${clock()} + ${LEASE_MS}
      where line in (${sql.join(some.map(([line]) => line))}) and owner in (${sql.join(names)})
        and due_at > ${clock()}`.execute(db);
  }
}

function dueOf({ line, dueAt }: { readonly line: string; readonly dueAt: number }) {
  return [line, dueAt] as const;
}

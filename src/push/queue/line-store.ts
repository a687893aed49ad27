import { type RawBuilder, sql } from 'kysely';
import type { Receiver } from '../content/message.ts';
import { databaseTime, readClock } from '../database/clock.ts';
import type { Database, Tx } from '../database/database.ts';
import { NEVER } from '../database/delivery-tables.ts';
import { inParts, insertRows, updateRows } from '../database/values.ts';
import { isRobot, laneOf } from './lines.ts';

/** How long a claim holds without being renewed; ms. */
export const LEASE_MS = 15_000;

/** The delivery that is first in the order of line `l`. */
const firstInLine = sql<number>`(select e.id from deliveries e force index (deliveries_by_line)
  where e.line = l.line order by e.line, e.since, e.id limit 1)`;

/** The delivery that is next in line `l`: what its owner sends, otherwise the first in order. */
export const nextInLine: RawBuilder<number> = sql<number>`coalesce(l.delivery_id, ${firstInLine})`;

/** A delivery that joins its line. */
export interface Joining {
  readonly line: string;
  readonly receiver: Receiver;
  readonly account: string;
  /** Not to be sent before then; Unix ms. */
  readonly since: number;
}

/**
 * Makes lines due; in the transaction that puts something into them. A line that somebody owns is left alone: its owner
 * looks for the next delivery at the end. Rows are written in one order, so that replicas wait for each other instead of
 * deadlocking. Resolves to the time at which all are locked (Unix ms): who takes their places from it stands in the lines
 * in the order of the answers, whatever the replica.
 */
export async function joinLines(tx: Tx, joining: readonly Joining[]): Promise<number> {
  const now = await readClock(tx);
  const first = new Map<string, Joining>();
  for (const each of joining) {
    if (each.since < (first.get(each.line)?.since ?? NEVER)) first.set(each.line, each);
  }
  const rows = [...first.values()].map(({ line, receiver, account, since }) => ({
    line,
    account: isRobot(receiver) ? '' : account,
    lane: laneOf(line),
    due_at: Math.max(since, now),
  }));
  const inOrder = rows.toSorted((one, other) => (one.line < other.line ? -1 : 1));
  const unowned = sql`on duplicate key update due_at = if(owner is null, least(due_at, values(due_at)), due_at)`;
  await insertRows(tx, 'delivery_lines', inOrder, unowned);
  return readClock(tx);
}

/** Locks lines in one order until the transaction ends; resolves to those that there are, and what time it is (Unix ms). */
export function lockLines(tx: Tx, lines: readonly string[]) {
  return inParts(
    tx,
    [...new Set(lines)].sort(),
    (some) => sql<{ line: string; owner: string | null; now: number }>`
      select line, owner, ${databaseTime} now from delivery_lines
      where line in (${some}) order by line for update`,
  );
}

/**
 * Gives up lines that are locked: nobody owns them, and each is due when its next delivery is. Those that are due already
 * go behind all others that are, so that lines take turns.
 */
export async function freeLines(tx: Tx, lines: readonly string[]): Promise<void> {
  const found = await inParts(
    tx,
    lines,
    (some) => sql<{ line: string; dueAt: number }>`
      select l.line, greatest(d.since, d.due_at, ${databaseTime}) dueAt
      from delivery_lines l straight_join deliveries d on d.id = ${firstInLine} where l.line in (${some})`,
  );
  const due = new Map(lines.map((line) => [line, NEVER]));
  for (const { line, dueAt } of found) due.set(line, dueAt);
  await setDue(tx, due);
}

/** Sets when lines are due that are locked and that nobody owns. */
export async function setDue(tx: Tx, due: ReadonlyMap<string, number>): Promise<void> {
  const columns = { line: 'varchar', owner: 'varchar', delivery_id: 'bigint', due_at: 'bigint' } as const;
  const rows = [...due].map(([line, due_at]) => ({ line, owner: null, delivery_id: null, due_at }));
  await updateRows(tx, 'delivery_lines', columns, rows);
}

/** Renews leases, by line and owner, that have not ended. */
export async function renewLeases(db: Database, owners: ReadonlyMap<string, string>): Promise<void> {
  if (owners.size === 0) return;
  // One time for all: the leases of one call end together, so that a lost one is repeated as the same call.
  const now = await readClock(db);
  await inParts(db, [...owners], (some) => {
    const names = [...new Set(some.map(([, owner]) => owner))];
    return sql`update delivery_lines set due_at = ${now + LEASE_MS}
      where line in (${some.map(([line]) => line)}) and owner in (${names}) and due_at > ${now}`;
  });
}

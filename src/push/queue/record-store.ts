import { sql } from 'kysely';
import type { DeliveryState } from '../content/message.ts';
import type { Tx } from '../database/database.ts';
import type { AttemptRow, DeliveryRow } from '../database/delivery-tables.ts';
import { inParts, insertRows, updateRows } from '../database/values.ts';
import type { Claimed } from './claim.ts';
import { dayOf } from './limits.ts';
import type { DayCount } from './limits-store.ts';
import { targetOf } from './lines.ts';

/** What changes of a delivery that we hold, after a call or instead of one. */
export interface Result
  extends Pick<DeliveryRow, 'due_at' | 'tries' | 'parts' | 'msgids' | 'errcode' | 'problem' | 'lost_at'> {
  readonly member: Claimed;
  /** `queued`: it stays first in its line, for another try or its next part. */
  readonly state: 'queued' | 'sent' | 'failed' | 'dead';
  /** The call; null when there was none. */
  readonly attempt: Attempt | null;
}

/** One call. */
export interface Attempt extends Pick<AttemptRow, 'at' | 'ms' | 'errcode' | 'errmsg' | 'msgid' | 'words'> {
  /** Whether it may have reached WeCom, so that it counts against the limits. */
  readonly isCounted: boolean;
}

/** Whether nothing more will become of a delivery in this state by itself. */
export function isFinal(state: DeliveryState): boolean {
  return state !== 'queued' && state !== 'sending';
}

/** What WeCom called the parts that it has taken; only message delivery writes there. */
export function readMsgids(msgids: string | null): readonly string[] {
  return msgids === null ? [] : (JSON.parse(msgids) as string[]);
}

const PROBLEM_CHARACTERS = 1000;
const ERRMSG_CHARACTERS = 600;

/** What changes of a delivery. */
const columns = {
  id: 'bigint',
  line: 'varchar',
  state: 'varchar',
  due_at: 'bigint',
  tries: 'int',
  parts: 'int',
  msgids: 'text',
  errcode: 'varchar',
  problem: 'varchar',
  lost_at: 'bigint',
  finished_at: 'bigint',
} as const;

/** Writes down what became of deliveries whose lines are locked and ours. */
export async function writeDeliveries(tx: Tx, results: readonly Result[], now: number): Promise<void> {
  const rows = results.map(({ member: { id, line }, attempt: _, ...change }) => ({
    ...change,
    id,
    line: isFinal(change.state) ? null : line,
    problem: change.problem?.slice(0, PROBLEM_CHARACTERS) ?? null,
    finished_at: isFinal(change.state) ? now : null,
  }));
  await updateRows(tx, 'deliveries', columns, rows);
}

/** Writes down the calls, for each delivery that they were for; the limits count them from now. */
export async function writeAttempts(tx: Tx, results: readonly Result[], now: number): Promise<void> {
  const rows = results.flatMap(({ member, attempt }) => {
    if (attempt === null) return [];
    const { isCounted, errmsg, ...call } = attempt;
    return [
      {
        ...call,
        delivery_id: member.id,
        errmsg: errmsg.slice(0, ERRMSG_CHARACTERS),
        part: member.parts,
        target: isCounted ? targetOf(member.receiver, member.account) : null,
        ended_at: isCounted ? now : null,
      },
    ];
  });
  await insertRows(tx, 'attempts', rows);
}

/** By how much the days of accounts change: what never reached WeCom is given back, and a call over midnight counts in both days. */
export function changesOfDays(results: readonly Result[], now: number): readonly DayCount[] {
  const today = dayOf(now).number;
  return results.flatMap(({ member: { account, day }, attempt }) => {
    if (day === null) return [];
    if (attempt?.isCounted !== true) return [{ account, day, count: -1 }];
    return day === today ? [] : [{ account, day: today, count: 1 }];
  });
}

/** How many deliveries of a message ended together, of how many that it has. */
export interface Ended {
  readonly count: number;
  readonly of: number;
}

/** Counts deliveries that have ended towards their messages; resolves to the messages of which none is open now. */
export async function closeMessages(
  tx: Tx,
  ended: ReadonlyMap<string, Ended>,
  now: number,
): Promise<readonly string[]> {
  const ids = [...ended.keys()].sort();
  for (const [count, some] of Map.groupBy(ids, (id) => ended.get(id)?.count ?? 0))
    await sql`update messages set open = open - ${count}, finished_at = if(open = 0, ${now}, finished_at)
      where id in (${some})`.execute(tx);
  const isWhole = (id: string): boolean => ended.get(id)?.count === ended.get(id)?.of;
  const closed = await inParts(
    tx,
    ids.filter((id) => !isWhole(id)),
    (some) => sql<{ id: string }>`select id from messages where id in (${some}) and open = 0`,
  );
  return [...ids.filter(isWhole), ...closed.map(({ id }) => id)];
}

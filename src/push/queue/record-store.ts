import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { insertRows, parts, table } from '../database/values.ts';
import { dayOf } from './limits.ts';
import { targetOf } from './lines.ts';
import { isFinal, type Result } from './result.ts';

const PROBLEM_CHARACTERS = 1000;
const ERRMSG_CHARACTERS = 600;

/** Writes down what became of deliveries whose lines are locked and ours. */
export async function writeDeliveries(tx: Tx, results: readonly Result[], now: number): Promise<void> {
  for (const some of parts(results)) {
    const v = table(
      COLUMNS,
      some.map((each) => valuesOf(each, now)),
    );
    await sql`update ${v} v straight_join deliveries d on d.id = v.id set
      d.line = if(v.finished is null, d.line, null), d.state = v.state, d.due_at = v.due,
      d.tries = v.tries, d.parts = v.parts, d.msgids = v.msgids, d.errcode = v.errcode,
      d.problem = v.problem, d.lost_at = v.lost, d.finished_at = v.finished
      where d.id in (${some.map(({ member }) => member.id)})`.execute(tx);
  }
}

const COLUMNS = {
  id: 'bigint',
  state: 'varchar',
  due: 'bigint',
  tries: 'int',
  parts: 'int',
  msgids: 'text',
  errcode: 'varchar',
  problem: 'varchar',
  lost: 'bigint',
  finished: 'bigint',
} as const;

function valuesOf(each: Result, now: number) {
  return {
    id: each.member.id,
    state: each.state,
    due: each.dueAt,
    tries: each.tries,
    parts: each.parts,
    msgids: each.msgids.length === 0 ? null : JSON.stringify(each.msgids),
    errcode: each.errcode,
    problem: each.problem?.slice(0, PROBLEM_CHARACTERS) ?? null,
    lost: each.lostAt,
    finished: isFinal(each.state) ? now : null,
  };
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
  if (rows.length > 0) await insertRows(tx, 'attempts', rows);
}

/** By how much the days of accounts change: what never reached WeCom is given back, and a call over midnight counts in both days. */
export function changesOfDays(results: readonly Result[], now: number) {
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
  if (ended.size === 0) return [];
  const ids = [...ended.keys()].sort();
  for (const [count, some] of Map.groupBy(ids, (id) => ended.get(id)?.count ?? 0))
    await sql`update messages set open = open - ${count}, finished_at = if(open = 0, ${now}, finished_at)
      where id in (${some})`.execute(tx);
  const whole = ids.filter((id) => ended.get(id)?.count === ended.get(id)?.of);
  const partly = ids.filter((id) => ended.get(id)?.count !== ended.get(id)?.of);
  if (partly.length === 0) return whole;
  const closed = await tx
    .selectFrom('messages')
    .select('id')
    .where('id', 'in', partly)
    .where('open', '=', 0)
    .execute();
  return [...whole, ...closed.map(({ id }) => id)];
}

import { sql } from 'kysely';
import type { DatabaseClock } from '../database/clock.ts';
import type { Tx } from '../database/database.ts';
import { parts, table } from '../database/values.ts';
import { dayOf } from './limits.ts';
import { targetOf } from './lines.ts';
import { isFinal, type Result } from './result.ts';

const PROBLEM_CHARACTERS = 1000;
const ERRMSG_CHARACTERS = 600;

/** Writes down what became of deliveries whose lines are locked and ours. */
export async function writeDeliveries(tx: Tx, results: readonly Result[], now: number): Promise<void> {
  // Those of one call become the same: one statement serves them.
  const byValues = Map.groupBy(results, (each) => JSON.stringify(valuesOf(each, now)));
  const [many, few] = [[...byValues.values()], [] as Result[]];
  for (const same of many) {
    const [first] = same;
    if (first === undefined || same.length < SAME) {
      few.push(...same);
      continue;
    }
    const { finished, state, due, tries, parts: sent, msgids, errcode, problem, lost } = valuesOf(first, now);
    for (const some of parts(same)) {
      await sql`update deliveries set line = if(${finished} is null, line, null), state = ${state}, due_at = ${due},
        tries = ${tries}, parts = ${sent}, msgids = ${msgids}, errcode = ${errcode}, problem = ${problem},
        lost_at = ${lost}, finished_at = ${finished} where id in (${sql.join(some.map(({ member }) => member.id))})`.execute(
        tx,
      );
    }
  }
  for (const some of parts(few)) {
    const v = table(some.map((each) => ({ id: each.member.id, ...valuesOf(each, now) })));
    await sql`update ${v} v straight_join deliveries d on d.id = v.id set
      d.line = if(v.finished is null, d.line, null), d.state = v.state, d.due_at = v.due,
      d.tries = v.tries, d.parts = v.parts, d.msgids = v.msgids, d.errcode = v.errcode,
      d.problem = v.problem, d.lost_at = v.lost, d.finished_at = v.finished`.execute(tx);
  }
}

/** From how many deliveries on a statement of their own is cheaper. */
const SAME = 10;

function valuesOf(each: Result, now: number) {
  return {
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
export async function writeAttempts(tx: Tx, results: readonly Result[], clock: DatabaseClock): Promise<void> {
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
        ended_at: isCounted ? clock() : null,
      },
    ];
  });
  for (const some of parts(rows)) {
    await tx
      .insertInto('attempts')
      .values([...some])
      .execute();
  }
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
  const counts = sql.join(
    ids.map((id) => sql`when ${id} then ${sql.lit(ended.get(id)?.count ?? 0)}`),
    sql` `,
  );
  await sql`update messages set open = open - case id ${counts} else 0 end,
    finished_at = if(open = 0, ${now}, finished_at) where id in (${sql.join(ids)})`.execute(tx);
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

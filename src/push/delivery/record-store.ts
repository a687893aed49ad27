import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { parts, table } from '../database/values.ts';
import { LEASE_MS } from './claim-store.ts';
import { isFinal, type Record } from './record.ts';

const PROBLEM_CHARACTERS = 1000;
const ERRMSG_CHARACTERS = 600;

/** Of these records those whose lease is still ours; their rows are locked until the transaction ends. */
export async function lockOurs(tx: Tx, records: readonly Record[]): Promise<readonly Record[]> {
  const owners = new Map<number, string | null>();
  for (const some of parts(records)) {
    const ids = some.map(({ id }) => id);
    const { rows } = await sql<{ id: number; owner: string | null }>`
      select id, lease_owner owner from deliveries
      where id in (${sql.join(ids)}) and state = 'sending' order by id for update`.execute(tx);
    for (const { id, owner } of rows) owners.set(id, owner);
  }
  return records.filter(({ id, owner }) => owners.get(id) === owner);
}

/** Writes down what became of deliveries whose lease is still ours; resolves to whether all of them were. */
export async function writeDeliveries(tx: Tx, records: readonly Record[], now: number): Promise<boolean> {
  let written = 0;
  for (const some of parts(records)) {
    const v = table(some.map((each) => rowOf(each, now)));
    const { numAffectedRows } =
      await sql`update ${v} v straight_join deliveries d on d.id = v.id and d.lease_owner = v.owner set
      d.line = if(v.finished is null, d.line, null),
      d.busy = if(v.state = 'sending', d.busy, null),
      d.lease_owner = if(v.state = 'sending', d.lease_owner, null),
      d.lease_until = if(v.state = 'sending', ${now + LEASE_MS}, null),
      d.due_at = v.due, d.tries = v.tries, d.parts = v.parts, d.msgids = v.msgids, d.errcode = v.errcode,
      d.problem = v.problem, d.lost_at = v.lost, d.finished_at = v.finished, d.state = v.state
      where d.state = 'sending'`.execute(tx);
    written += Number(numAffectedRows);
  }
  return written === records.length;
}

function rowOf(each: Record, now: number) {
  return {
    id: each.id,
    owner: each.owner,
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

/** Writes down the calls, for each delivery that they were for. */
export async function writeAttempts(tx: Tx, records: readonly Record[]): Promise<void> {
  const rows = records.flatMap(({ id, attempt }) =>
    attempt === null
      ? []
      : [{ delivery_id: id, ...attempt, errmsg: attempt.errmsg.slice(0, ERRMSG_CHARACTERS) }],
  );
  for (const some of parts(rows)) {
    await tx
      .insertInto('attempts')
      .values([...some])
      .execute();
  }
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
  const [whole, partly] = split(ids, (id) => ended.get(id)?.count === ended.get(id)?.of);
  if (partly.length === 0) return whole;
  const closed = await tx
    .selectFrom('messages')
    .select('id')
    .where('id', 'in', partly)
    .where('open', '=', 0)
    .execute();
  return [...whole, ...closed.map(({ id }) => id)];
}

function split(ids: readonly string[], isFirst: (id: string) => boolean): readonly [string[], string[]] {
  return [ids.filter(isFirst), ids.filter((id) => !isFirst(id))];
}

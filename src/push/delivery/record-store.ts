import { sql } from 'kysely';
import type { Tx } from '../database.ts';
import { LEASE_MS } from './claim-store.ts';
import { isFinal, type Record } from './record.ts';
import { parts, table } from './values-store.ts';

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

/** Writes down what became of deliveries that {@link lockOurs} has locked. */
export async function writeDeliveries(tx: Tx, records: readonly Record[], now: number): Promise<void> {
  const columns = [
    'id',
    'state',
    'due',
    'tries',
    'parts',
    'msgids',
    'errcode',
    'problem',
    'lost',
    'finished',
  ];
  for (const some of parts(records)) {
    const v = table(
      columns,
      some.map((each) => rowOf(each, now)),
    );
    await sql`update ${v} v straight_join deliveries d on d.id = v.id set
      d.line = if(v.finished is null, d.line, null),
      d.busy = if(v.state = 'sending', d.busy, null),
      d.lease_owner = if(v.state = 'sending', d.lease_owner, null),
      d.lease_until = if(v.state = 'sending', ${now + LEASE_MS}, null),
      d.due_at = v.due, d.tries = v.tries, d.parts = v.parts, d.msgids = v.msgids, d.errcode = v.errcode,
      d.problem = v.problem, d.lost_at = v.lost, d.finished_at = v.finished, d.state = v.state`.execute(tx);
  }
}

function rowOf(each: Record, now: number): readonly (string | number | null)[] {
  return [
    each.id,
    each.state,
    each.dueAt,
    each.tries,
    each.parts,
    each.msgids.length === 0 ? null : JSON.stringify(each.msgids),
    each.errcode,
    each.problem?.slice(0, PROBLEM_CHARACTERS) ?? null,
    each.lostAt,
    isFinal(each.state) ? now : null,
  ];
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

/** Counts deliveries that have ended towards their messages; resolves to the messages of which none is open now. */
export async function closeMessages(
  tx: Tx,
  ended: ReadonlyMap<string, number>,
  now: number,
): Promise<readonly string[]> {
  if (ended.size === 0) return [];
  const ids = [...ended.keys()].sort();
  const counts = sql.join(
    ids.map((id) => sql`when ${id} then ${sql.lit(ended.get(id) ?? 0)}`),
    sql` `,
  );
  await sql`update messages set open = open - case id ${counts} else 0 end,
    finished_at = if(open = 0, ${now}, finished_at) where id in (${sql.join(ids)})`.execute(tx);
  const closed = await tx
    .selectFrom('messages')
    .select('id')
    .where('id', 'in', ids)
    .where('open', '=', 0)
    .execute();
  return closed.map(({ id }) => id);
}

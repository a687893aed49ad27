import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { Database, Tx } from '../database/database.ts';
import { setWithdrawn } from '../delivery/recall-store.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';

/** What stops of a message: one of a campaign that stands in this state, and only while it does. */
export interface Withdrawal {
  readonly serial: number;
  readonly state: 'paused' | 'stopped';
  readonly messageId: string;
  readonly now: number;
}

/** Messages of paused and stopped campaigns that still wait for something. */
export async function findWithdrawals(
  db: Database,
  serial?: number,
): Promise<readonly Omit<Withdrawal, 'now'>[]> {
  const one = serial === undefined ? sql`` : sql`and c.serial = ${serial}`;
  const { rows } = await sql<Omit<Withdrawal, 'now'>>`
    select c.serial, c.state, s.message_id messageId from campaigns c
    join campaign_slices s on s.campaign = c.serial and s.run = c.run and s.settled_at is null
    join messages m on m.id = s.message_id and m.open > 0
    where c.state in ('paused', 'stopped') ${one} order by s.id limit 1000`.execute(db);
  return rows;
}

/**
 * Takes back what of a message has not begun. Paused: what was never tried is as if it had not been handed out, and its
 * receivers wait again; what was tried runs out. Stopped: what waits is cancelled. What may have arrived, in part or
 * without anybody seeing the answer, runs out in any case. The locks of the rows decide between this and a worker: what
 * is being sent stays. Resolves to how many.
 */
export function withdraw(db: Database, webhooks: Webhooks, withdrawal: Withdrawal): Promise<number> {
  return transact(db, async (tx) => {
    const { serial, state, messageId, now } = withdrawal;
    const { rows: held } = await sql`
      select serial from campaigns where serial = ${serial} and state = ${state} for update`.execute(tx);
    if (held.length === 0) return 0;
    const rows = await lockQueued(tx, messageId, state === 'paused');
    if (rows.length === 0) return 0;
    if (state === 'paused') await returnToWait(tx, withdrawal, rows);
    const ids = rows.map(({ id }) => id);
    if (state === 'stopped') await setWithdrawn(tx, ids, 'cancelled', now);
    if (await closeMessage(tx, withdrawal, rows.length)) await webhooks.note(tx, [messageId]);
    return rows.length;
  });
}

interface Queued {
  readonly id: number;
  readonly receiver: string;
}

async function lockQueued(tx: Tx, messageId: string, isUntried: boolean): Promise<readonly Queued[]> {
  const untried = isUntried
    ? sql`and d.tries = 0 and not exists (select 1 from attempts a where a.delivery_id = d.id)`
    : sql``;
  const { rows } = await sql<Queued>`
    select d.id, d.receiver from deliveries d
    where d.message_id = ${messageId} and d.state = 'queued'
      and d.parts = 0 and d.lost_at is null ${untried} for update`.execute(tx);
  return rows;
}

async function returnToWait(
  tx: Tx,
  { serial, messageId }: Withdrawal,
  rows: readonly Queued[],
): Promise<void> {
  const users = sql.join(rows.map(({ receiver }) => receiver.slice('user:'.length)));
  await sql`insert into campaign_returned (campaign, number)
    select campaign, number from campaign_receivers
    where campaign = ${serial} and user in (${users})`.execute(tx);
  await sql`delete from deliveries where id in (${sql.join(rows.map(({ id }) => id))})`.execute(tx);
  const count = rows.length;
  await sql`update messages set receivers = receivers - ${count} where id = ${messageId}`.execute(tx);
  await sql`update campaign_slices set size = size - ${count} where message_id = ${messageId}`.execute(tx);
  await sql`delete from campaign_slices where message_id = ${messageId} and size = 0`.execute(tx);
}

/** Whether the message is final now; one of which nobody is left has nothing to tell. */
async function closeMessage(tx: Tx, { messageId, now }: Withdrawal, count: number): Promise<boolean> {
  await sql`update messages set open = open - ${count}, finished_at = if(open = 0, ${now}, finished_at)
    where id = ${messageId}`.execute(tx);
  const { rows } = await sql`
    select id from messages where id = ${messageId} and open = 0 and receivers > 0`.execute(tx);
  return rows.length > 0;
}

import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { Database, Tx } from '../database/database.ts';
import { takeOut, type Waiting } from '../delivery/withdraw-store.ts';
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
 * without anybody seeing the answer, runs out in any case. Resolves to how many.
 */
export function withdraw(db: Database, webhooks: Webhooks, withdrawal: Withdrawal): Promise<number> {
  return transact(db, async (tx) => {
    const { serial, state, messageId, now } = withdrawal;
    const { rows: held } = await sql`
      select serial from campaigns where serial = ${serial} and state = ${state} for update`.execute(tx);
    if (held.length === 0) return 0;
    const isPaused = state === 'paused';
    const { taken, isFinished } = await takeOut(tx, messageId, {
      fate: isPaused ? 'deleted' : 'cancelled',
      now,
      isWanted: ({ hasBegun, wasTried }) => hasBegun === 0 && !(isPaused && wasTried === 1),
    });
    if (taken.length === 0) return 0;
    if (isPaused) await returnToWait(tx, withdrawal, taken);
    if (isFinished && (await hasReceivers(tx, messageId))) await webhooks.note(tx, [messageId]);
    return taken.length;
  });
}

async function returnToWait(
  tx: Tx,
  { serial, messageId }: Withdrawal,
  taken: readonly Waiting[],
): Promise<void> {
  const users = sql.join(taken.map(({ receiver }) => receiver.slice('user:'.length)));
  await sql`insert into campaign_returned (campaign, number)
    select campaign, number from campaign_receivers
    where campaign = ${serial} and user in (${users})`.execute(tx);
  const count = taken.length;
  await sql`update messages set receivers = receivers - ${count} where id = ${messageId}`.execute(tx);
  await sql`update campaign_slices set size = size - ${count} where message_id = ${messageId}`.execute(tx);
  await sql`delete from campaign_slices where message_id = ${messageId} and size = 0`.execute(tx);
}

/** A message of which nobody is left has nothing to tell. */
async function hasReceivers(tx: Tx, messageId: string): Promise<boolean> {
  const { rows } = await sql`select id from messages where id = ${messageId} and receivers > 0`.execute(tx);
  return rows.length > 0;
}

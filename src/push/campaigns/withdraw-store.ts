import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { Tx } from '../database/database.ts';
import { takeOut, type Waiting } from '../queue/recall-store.ts';
import type { CampaignParts } from './campaign-store.ts';

/** A message of a campaign that stands in this state, and is taken back only while it does. */
interface Withdrawal {
  readonly serial: number;
  readonly state: 'paused' | 'stopped';
  readonly messageId: string;
}

/** Takes back what paused and stopped campaigns, or this one, have handed out and not begun. One that fails keeps nobody from the others. */
export async function withdrawAll(parts: CampaignParts, serial?: number): Promise<void> {
  const one = serial === undefined ? sql`` : sql`and c.serial = ${serial}`;
  const { rows } = await sql<Withdrawal>`
    select c.serial, c.state, s.message_id messageId from campaigns c
    join campaign_slices s on s.campaign = c.serial and s.run = c.run and s.settled_at is null
    join messages m on m.id = s.message_id and m.open > 0
    where c.state in ('paused', 'stopped') ${one} order by s.id limit 1000`.execute(parts.db);
  for (const found of rows) await withdraw(parts, found).catch(parts.onError);
  if (rows.length > 0) parts.webhooks.wake();
}

/**
 * Takes back what of a message has not begun. Paused: what was never tried is as if it had not been handed out, and its
 * receivers wait again; what was tried runs out. Stopped: what waits is cancelled. What may have arrived, in part or
 * without anybody seeing the answer, runs out in any case.
 */
export function withdraw(
  { db, webhooks, now }: CampaignParts,
  { serial, state, messageId }: Withdrawal,
): Promise<void> {
  return transact(db, async (tx) => {
    const { rows: held } = await sql`
      select serial from campaigns where serial = ${serial} and state = ${state} for update`.execute(tx);
    if (held.length === 0) return;
    const isPaused = state === 'paused';
    const { taken, isFinished } = await takeOut(tx, messageId, {
      fate: isPaused ? 'deleted' : 'cancelled',
      now: now(),
      isWanted: ({ hasBegun, wasTried }) => hasBegun === 0 && !(isPaused && wasTried === 1),
    });
    if (taken.length === 0) return;
    const isEmpty = isPaused && (await returnToWait(tx, { serial, messageId, taken }));
    // A message of which nobody is left has nothing to tell.
    if (isFinished && !isEmpty) await webhooks.note(tx, [messageId]);
  });
}

/** Resolves to whether nobody is left of the message. */
async function returnToWait(
  tx: Tx,
  { serial, messageId, taken }: { serial: number; messageId: string; taken: readonly Waiting[] },
): Promise<boolean> {
  const users = sql.join(taken.map(({ receiver }) => receiver.slice('user:'.length)));
  await sql`insert into campaign_returned (campaign, number)
    select campaign, number from campaign_receivers
    where campaign = ${serial} and user in (${users})`.execute(tx);
  const count = taken.length;
  await sql`update messages set receivers = receivers - ${count} where id = ${messageId}`.execute(tx);
  await sql`update campaign_slices set size = size - ${count} where message_id = ${messageId}`.execute(tx);
  const emptied = await sql`delete from campaign_slices where message_id = ${messageId} and size = 0`.execute(
    tx,
  );
  return emptied.numAffectedRows === 1n;
}

import { transact } from '../../server/database.ts';
import type { Receiver } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { lineOf } from './lines.ts';

/**
 * Puts deliveries whose time has come at the end of their lines, at most `count`, in the order of their times. Their rows
 * get new ids, since the order of ids is the order of sending; they have no attempts yet. Resolves to the lines; of
 * several replicas each takes what the others have not.
 */
export function wakeDeliveries(db: Database, now: number, count: number): Promise<readonly string[]> {
  return transact(db, async (tx) => {
    const rows = await tx
      .selectFrom('deliveries')
      .select(['id', 'message_id', 'account', 'receiver', 'shared', 'since', 'due_at', 'variables'])
      .where('wakes_at', '<=', now)
      .orderBy('wakes_at')
      .orderBy('id')
      .limit(count)
      .forUpdate()
      .skipLocked()
      .execute();
    if (rows.length === 0) return [];
    const messages = await tx
      .selectFrom('messages')
      .select(['id', 'lane'])
      .where('id', 'in', [...new Set(rows.map(({ message_id }) => message_id))])
      .execute();
    const lanes = new Map(messages.map(({ id, lane }) => [id, lane]));
    const awake = rows.map(({ id: _, ...row }) => {
      const lane = lanes.get(row.message_id) ?? 'bulk';
      return { ...row, line: lineOf(lane, row.receiver as Receiver, row.account) };
    });
    await tx.insertInto('deliveries').values(awake).execute();
    await tx
      .deleteFrom('deliveries')
      .where(
        'id',
        'in',
        rows.map(({ id }) => id),
      )
      .execute();
    return awake.map(({ line }) => line);
  });
}

import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { Receiver } from '../content/message.ts';
import type { Database } from '../database/database.ts';
import { lineOf } from './lines.ts';
import { lockMessage } from './recall-store.ts';

/**
 * Queues what failed or died of an app's message again, at the end of its lines: the rows get new ids, since the order
 * of ids is the order of sending, and keep their attempts and the parts that were sent. Resolves to the lines; null when
 * the app has no such message.
 */
export function requeue(db: Database, app: string, messageId: string, now: number) {
  return transact(db, async (tx): Promise<readonly string[] | null> => {
    const message = await lockMessage(tx, app, messageId);
    if (message === undefined) return null;
    const rows = await tx
      .selectFrom('deliveries')
      .select([
        'id',
        'account',
        'receiver',
        'parts',
        'msgids',
        'maybe_twice',
        'lost_at',
        'variables',
        'shared',
      ])
      .where('message_id', '=', messageId)
      .where('state', 'in', ['failed', 'dead'])
      .orderBy('id')
      .forUpdate()
      .execute();
    const lines: string[] = [];
    for (const { id, ...kept } of rows) {
      const line = lineOf(message.lane, kept.receiver as Receiver, kept.account);
      const row = { ...kept, message_id: messageId, line, since: now, due_at: now };
      const { insertId } = await tx.insertInto('deliveries').values(row).executeTakeFirstOrThrow();
      await tx
        .updateTable('attempts')
        .set({ delivery_id: Number(insertId) })
        .where('delivery_id', '=', id)
        .execute();
      await tx.deleteFrom('deliveries').where('id', '=', id).execute();
      lines.push(line);
    }
    if (rows.length === 0) return [];
    await tx
      .updateTable('messages')
      .set({ open: sql<number>`open + ${rows.length}`, finished_at: null })
      .where('id', '=', messageId)
      .execute();
    return lines;
  });
}

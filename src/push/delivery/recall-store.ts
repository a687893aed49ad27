import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { DeliveryState, Receiver } from '../content/message.ts';
import type { Database, Tx } from '../database/database.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { closeMessages } from './record-store.ts';

/** A delivery as far as taking it back is concerned. */
export interface Recallable {
  readonly id: number;
  readonly receiver: Receiver;
  readonly state: DeliveryState;
  readonly msgids: readonly string[];
  readonly finishedAt: number | null;
}

/** What was found of a message, after those that had not begun were taken out of their lines. */
export interface Withdrawn {
  readonly account: string;
  readonly lines: readonly string[];
  readonly isFinished: boolean;
  readonly deliveries: readonly Recallable[];
}

/** Takes what is queued of an app's message out of its lines; null when the app has no such message. */
export function withdraw(
  parts: { readonly db: Database; readonly webhooks: Webhooks },
  app: string,
  messageId: string,
  now: number,
): Promise<Withdrawn | null> {
  return transact(parts.db, async (tx) => {
    const message = await lockMessage(tx, app, messageId);
    if (message === undefined) return null;
    const rows = await tx
      .selectFrom('deliveries')
      .select(['id', 'receiver', 'state', 'line', 'msgids', 'finished_at'])
      .where('message_id', '=', messageId)
      .orderBy('id')
      .forUpdate()
      .execute();
    const queued = rows.filter(({ state }) => state === 'queued');
    await setWithdrawn(
      tx,
      queued.map(({ id }) => id),
      'recalled',
      now,
    );
    const ended = new Map(
      queued.length === 0 ? [] : [[messageId, { count: queued.length, of: rows.length }]],
    );
    const finished = await closeMessages(tx, ended, now);
    if (finished.length > 0) await parts.webhooks.note(tx, finished);
    return {
      account: message.account,
      lines: queued.flatMap(({ line }) => line ?? []),
      isFinished: finished.length > 0,
      deliveries: rows.map(({ id, receiver, state, msgids, finished_at }) => ({
        id,
        receiver: receiver as Receiver,
        state,
        msgids: msgids === null ? [] : (JSON.parse(msgids) as string[]),
        finishedAt: finished_at,
      })),
    };
  });
}

/** Records that deliveries, queued or sent, have ended in this way. */
export async function setWithdrawn(
  tx: Tx,
  ids: readonly number[],
  state: 'recalled' | 'cancelled',
  now: number,
): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .updateTable('deliveries')
    .set({ state, line: null, wakes_at: null, finished_at: now })
    .where('id', 'in', ids)
    .where('state', 'in', ['queued', 'sent'])
    .execute();
}

/**
 * Notes that deliveries of a finished message were taken back: whoever has counted them before sees by its `finished_at`
 * that it has changed since.
 */
export async function noteTakenBack(
  db: Database,
  messageId: string,
  ids: readonly number[],
  now: number,
): Promise<void> {
  if (ids.length === 0) return;
  await transact(db, async (tx) => {
    await tx
      .updateTable('messages')
      .set({ finished_at: sql<number>`greatest(${now}, finished_at + 1)` })
      .where('id', '=', messageId)
      .execute();
    await setWithdrawn(tx, ids, 'recalled', now);
  });
}

/** Locks a message of this app against whoever ends its deliveries; undefined when there is none. */
export function lockMessage(tx: Tx, app: string, messageId: string) {
  return tx
    .selectFrom('messages')
    .select(['lane', 'account'])
    .where('id', '=', messageId)
    .where('app', '=', app)
    .forUpdate()
    .executeTakeFirst();
}

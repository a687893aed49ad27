import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { DeliveryState, Receiver } from '../content/message.ts';
import { type DatabaseClock, readClock } from '../database/clock.ts';
import type { Database, Tx } from '../database/database.ts';
import { parts, table } from '../database/values.ts';
import type { Webhooks } from '../webhooks/webhooks.ts';
import { joinLines } from './line-store.ts';
import { lineOf } from './lines.ts';
import { readMsgids } from './result.ts';
import { takeOut } from './withdraw-store.ts';

/** A delivery as far as taking it back is concerned. */
export interface Recallable {
  readonly id: number;
  readonly receiver: Receiver;
  readonly state: DeliveryState;
  readonly msgids: readonly string[];
  readonly finishedAt: number | null;
}

/** What was found of a message; `taken` were queued, and are out of their lines. */
export interface Withdrawn {
  readonly account: string;
  readonly taken: ReadonlySet<number>;
  readonly isFinished: boolean;
  readonly deliveries: readonly Recallable[];
}

/** Takes what is queued of an app's message out of its lines; null when the app has no such message. */
export function withdraw(
  { db, webhooks }: { readonly db: Database; readonly webhooks: Webhooks },
  app: string,
  messageId: string,
  now: number,
): Promise<Withdrawn | null> {
  return transact(db, async (tx) => {
    const message = await findMessage(tx, app, messageId);
    if (message === undefined) return null;
    const { taken, isFinished } = await takeOut(tx, messageId, { fate: 'recalled', now });
    if (isFinished) await webhooks.note(tx, [messageId]);
    const rows = await tx
      .selectFrom('deliveries')
      .select(['id', 'receiver', 'state', 'msgids', 'finished_at'])
      .where('message_id', '=', messageId)
      .orderBy('id')
      .execute();
    return {
      account: message.account,
      taken: new Set(taken.map(({ id }) => id)),
      isFinished,
      deliveries: rows.map(({ id, receiver, state, msgids, finished_at }) => ({
        id,
        receiver: receiver as Receiver,
        state,
        msgids: readMsgids(msgids),
        finishedAt: finished_at,
      })),
    };
  });
}

/**
 * Records that WeCom took back deliveries of a finished message: whoever has counted them before sees by its
 * `finished_at` that it has changed since.
 */
export async function recordTakenBack(
  db: Database,
  messageId: string,
  ids: readonly number[],
  now: number,
): Promise<void> {
  if (ids.length === 0) return;
  await transact(db, async (tx) => {
    await tx
      .updateTable('deliveries')
      .set({ state: 'recalled', finished_at: now })
      .where('id', 'in', ids)
      .where('state', '=', 'sent')
      .execute();
    await tx
      .updateTable('messages')
      .set({ finished_at: sql<number>`greatest(${now}, finished_at + 1)` })
      .where('id', '=', messageId)
      .execute();
  });
}

/**
 * Queues what failed or died of an app's message again, at the end of its lines; it keeps its attempts and the parts
 * that were sent. Resolves to how many; null when the app has no such message.
 */
export function requeue(
  db: Database,
  {
    app,
    messageId,
    clock,
  }: { readonly app: string; readonly messageId: string; readonly clock: DatabaseClock },
): Promise<number | null> {
  return transact(db, async (tx) => {
    const message = await findMessage(tx, app, messageId);
    if (message === undefined) return null;
    const readMissed = () =>
      tx
        .selectFrom('deliveries')
        .select(['id', 'account', 'receiver'])
        .where('message_id', '=', messageId)
        .where('state', 'in', ['failed', 'dead'])
        .orderBy('id')
        .execute();
    const before = await readClock(tx, clock);
    const joining = (await readMissed()).map(({ account, receiver }) => ({
      line: lineOf(message.lane, receiver as Receiver, account),
      receiver: receiver as Receiver,
      account,
      since: before,
    }));
    // Two at once: whoever waits for the locks of the lines finds nothing more to do.
    await joinLines(tx, joining);
    const now = await readClock(tx, clock);
    // What is purged at this moment is not there any more.
    let queued = 0;
    for (const some of parts(await readMissed())) {
      const v = table(
        { id: 'bigint', line: 'varchar' },
        some.map(({ id, receiver, account }) => ({
          id,
          line: lineOf(message.lane, receiver as Receiver, account),
        })),
      );
      const { numAffectedRows } = await sql`
        update ${v} v straight_join deliveries d on d.id = v.id set d.state = 'queued', d.line = v.line,
        d.since = ${now}, d.due_at = ${now}, d.tries = 0, d.errcode = null, d.problem = null,
        d.finished_at = null where d.id in (${some.map(({ id }) => id)})`.execute(tx);
      queued += Number(numAffectedRows);
    }
    if (queued === 0) return 0;
    await tx
      .updateTable('messages')
      .set({ open: sql<number>`open + ${queued}`, finished_at: null })
      .where('id', '=', messageId)
      .execute();
    // To its campaign it is under way again.
    await sql`update campaign_slices set settled_at = null where message_id = ${messageId}`.execute(tx);
    return queued;
  });
}

function findMessage(tx: Tx, app: string, messageId: string) {
  return tx
    .selectFrom('messages')
    .select(['lane', 'account'])
    .where('id', '=', messageId)
    .where('app', '=', app)
    .executeTakeFirst();
}

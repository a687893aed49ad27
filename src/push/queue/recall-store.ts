import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { Lane } from '../content/message.ts';
import type { Database, Tx } from '../database/database.ts';
import type { DeliveryRow } from '../database/delivery-tables.ts';
import { inParts, updateRows } from '../database/values.ts';
import { joinLines } from './line-store.ts';
import { lineOf } from './lines.ts';
import type { QueueParts } from './queue-parts.ts';
import { takeOut } from './withdraw-store.ts';

/** A delivery as far as taking it back is concerned. */
export type Recallable = Pick<DeliveryRow, 'id' | 'receiver' | 'state' | 'msgids' | 'finished_at'>;

/**
 * Takes what is queued of an app's message out of its lines, and resolves to its deliveries and those of them that were
 * `taken`; null when the app has no such message.
 */
export function withdraw({ db, webhooks }: QueueParts, app: string, messageId: string, now: number) {
  return transact(db, async (tx) => {
    const message = await findMessage(tx, app, messageId);
    if (message === undefined) return null;
    const { taken, isFinished } = await takeOut(tx, messageId, { fate: 'recalled', now });
    if (isFinished) await webhooks.note(tx, [messageId]);
    const { rows: deliveries } = await sql<Recallable>`
      select id, receiver, state, msgids, finished_at from deliveries
      where message_id = ${messageId} order by id`.execute(tx);
    return { account: message.account, taken: new Set(taken.map(({ id }) => id)), isFinished, deliveries };
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
    await inParts(
      tx,
      ids,
      (some) => sql`update deliveries set state = 'recalled', finished_at = ${now}
        where id in (${some}) and state = 'sent'`,
    );
    await sql`update messages set finished_at = greatest(${now}, finished_at + 1)
      where id = ${messageId}`.execute(tx);
  });
}

/** What changes of a delivery that is queued again. */
const columns = {
  id: 'bigint',
  line: 'varchar',
  state: 'varchar',
  since: 'bigint',
  due_at: 'bigint',
  tries: 'int',
  errcode: 'varchar',
  problem: 'varchar',
  finished_at: 'bigint',
} as const;

/**
 * Queues what failed or died of an app's message again, at the end of its lines; it keeps its attempts and the parts
 * that were sent. Resolves to how many; null when the app has no such message.
 */
export function requeue(db: Database, app: string, messageId: string): Promise<number | null> {
  return transact(db, async (tx) => {
    const message = await findMessage(tx, app, messageId);
    if (message === undefined) return null;
    const readMissed = async () => {
      const { rows } = await sql<Pick<DeliveryRow, 'id' | 'account' | 'receiver'>>`
        select id, account, receiver from deliveries
        where message_id = ${messageId} and state in ('failed', 'dead') order by id`.execute(tx);
      return rows.map((row) => ({ ...row, line: lineOf(message.lane, row.receiver, row.account), since: 0 }));
    };
    const joining = new Map((await readMissed()).map((each) => [each.id, each]));
    const now = await joinLines(tx, [...joining.values()]);
    const anew = { state: 'queued', since: now, due_at: now, tries: 0, errcode: null, problem: null };
    // Two at once: whoever waits for the locks of the lines finds nothing more to do. What failed meanwhile has not joined its line.
    const missed = (await readMissed()).filter(({ id }) => joining.has(id));
    const rows = missed.map(({ id, line }) => ({ ...anew, id, line, finished_at: null }));
    // What is purged at this moment is not there any more.
    const queued = await updateRows(tx, 'deliveries', columns, rows);
    if (queued === 0) return 0;
    await sql`update messages set open = open + ${queued}, finished_at = null where id = ${messageId}`.execute(
      tx,
    );
    // To its campaign it is under way again.
    await sql`update campaign_slices set settled_at = null where message_id = ${messageId}`.execute(tx);
    return queued;
  });
}

async function findMessage(tx: Tx, app: string, messageId: string) {
  const { rows } = await sql<{ lane: Lane; account: string }>`
    select lane, account from messages where id = ${messageId} and app = ${app}`.execute(tx);
  return rows[0];
}

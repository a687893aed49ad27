import { sql } from 'kysely';
import { transact } from '../../server/database.ts';
import type { Lane } from '../content/message.ts';
import type { Database, Tx } from '../database/database.ts';
import type { DeliveryRow } from '../database/delivery-tables.ts';
import { inParts, updateRows } from '../database/values.ts';
import { freeLines, joinLines, lockLines } from './line-store.ts';
import { lineOf } from './lines.ts';
import type { QueueParts } from './queue-parts.ts';
import { closeMessages } from './record-store.ts';

/** A delivery that waits in its line. */
export interface Waiting {
  readonly id: number;
  readonly receiver: string;
  readonly line: string;
  /** Whether it was ever tried, or may have arrived in part. */
  readonly wasTried: number;
  readonly hasBegun: number;
}

/** What is taken out of a message, all when left out, and when (Unix ms). */
export interface Removal {
  /** What becomes of it: it is kept in a state, or it is as if it had never been. */
  readonly fate: 'recalled' | 'cancelled' | 'deleted';
  readonly now: number;
  readonly isWanted?: (delivery: Waiting) => boolean;
}

/**
 * Takes what waits of a message out of its lines, as far as it `isWanted`. The locks of the lines decide between this
 * and a claim: what is being sent stays. Resolves to what was taken out, and to whether nothing of the message is open
 * any more.
 */
export async function takeOut(
  tx: Tx,
  messageId: string,
  { fate, now, isWanted = () => true }: Removal,
): Promise<{ readonly taken: readonly Waiting[]; readonly isFinished: boolean }> {
  const lines = (await readWaiting(tx, messageId)).map(({ line }) => line);
  const owners = new Map((await lockLines(tx, lines)).map(({ line, owner }) => [line, owner]));
  const taken = (await readWaiting(tx, messageId)).filter((each) => owners.has(each.line) && isWanted(each));
  if (taken.length === 0) return { taken, isFinished: false };
  const ids = taken.map(({ id }) => id);
  await inParts(tx, ids, (some) =>
    fate === 'deleted'
      ? sql`delete from deliveries where id in (${some})`
      : sql`update deliveries set state = ${fate}, line = null, finished_at = ${now} where id in (${some})`,
  );
  const unowned = taken.map(({ line }) => line).filter((line) => owners.get(line) === null);
  await freeLines(tx, unowned);
  const finished = await closeMessages(tx, new Map([[messageId, { count: taken.length, of: -1 }]]), now);
  return { taken, isFinished: finished.length > 0 };
}

async function readWaiting(tx: Tx, messageId: string): Promise<readonly Waiting[]> {
  const { rows } = await sql<Waiting>`
    select d.id, d.receiver, d.line, (d.parts > 0 or d.lost_at is not null) hasBegun,
      (d.tries > 0 or exists (select 1 from attempts a where a.delivery_id = d.id)) wasTried
    from deliveries d where d.message_id = ${messageId} and d.state = 'queued' order by d.id`.execute(tx);
  return rows;
}

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

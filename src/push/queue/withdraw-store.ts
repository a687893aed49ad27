import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { inParts } from '../database/values.ts';
import { freeLines, lockLines } from './line-store.ts';
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

import { sql } from 'kysely';
import type { Database } from '../database/database.ts';
import type { PurgeParts } from '../messages/purge-store.ts';

/** Each statement deletes at most so many rows, so that it holds nobody up. */
const ROWS = 500;
/** Between two pieces others have the disk for themselves; ms. */
const PAUSE_MS = 50;
const PIECES = 200;

/** States that are never left again. */
const ENDED = ['done', 'stopped'] as const;
const PARTS = ['campaign_receivers', 'campaign_returned', 'campaign_slices'] as const;

/**
 * Deletes campaigns that ended long ago and whose messages are gone, with their receivers, in at most 200 small pieces;
 * any number of replicas may. Nobody sees one of which a part is gone. A purge that is broken off goes on where it ended.
 */
export async function purgeCampaigns({ db, before, sleep, isStopped }: PurgeParts): Promise<void> {
  for (let piece = 0; piece < PIECES && !isStopped(); piece += 1) {
    const serial = (await findRemoving(db)) ?? (await beginRemoving(db, before));
    if (serial === undefined) return;
    await removePiece(db, serial);
    await sleep(PAUSE_MS);
  }
}

/** One of which the removal has begun: it has ended, unlike those that broke off while they were loading. */
async function findRemoving(db: Database): Promise<number | undefined> {
  const found = await db
    .selectFrom('campaigns')
    .select('serial')
    .where('state', '=', 'removing')
    .where('finished_at', 'is not', null)
    .limit(1)
    .executeTakeFirst();
  return found?.serial;
}

async function beginRemoving(db: Database, before: number): Promise<number | undefined> {
  const found = await db
    .selectFrom('campaigns as c')
    .select('serial')
    .where('state', 'in', ENDED)
    .where('finished_at', '<', before)
    .where(
      sql<boolean>`not exists (select 1 from campaign_slices s join messages m on m.id = s.message_id
        where s.campaign = c.serial)`,
    )
    .limit(1)
    .executeTakeFirst();
  if (found === undefined) return undefined;
  await db
    .updateTable('campaigns')
    .set({ state: 'removing', idempotency_key: null })
    .where('serial', '=', found.serial)
    .where('state', 'in', ENDED)
    .execute();
  return found.serial;
}

async function removePiece(db: Database, serial: number): Promise<void> {
  let removed = 0n;
  for (const table of PARTS) {
    const { numDeletedRows } = await db
      .deleteFrom(table)
      .where('campaign', '=', serial)
      .limit(ROWS)
      .executeTakeFirst();
    removed += numDeletedRows;
  }
  if (removed > 0n) return;
  await db.deleteFrom('campaigns').where('serial', '=', serial).where('state', '=', 'removing').execute();
}

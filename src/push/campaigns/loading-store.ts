import { type Insertable, sql, type Updateable } from 'kysely';
import { InputError } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import type { CampaignTables } from '../database/campaign-tables.ts';
import { type Database, isDuplicate, type Tx } from '../database/database.ts';
import type { CampaignRow } from './campaign-store.ts';
import type { NewReceiverRow } from './load-receivers.ts';

/** How long a load may stand still before it counts as broken off; ms. */
const ABANDONED_MS = 600_000;
/** Rows that one statement removes, well within the database's patience. */
const REMOVED_AT_ONCE = 5000;

/** Writes a campaign down that nobody sees yet; resolves to its serial, or to null when its idempotency key is taken. */
export async function insertCampaign(
  db: Database,
  row: Insertable<CampaignTables['campaigns']>,
): Promise<number | null> {
  try {
    const { insertId } = await db.insertInto('campaigns').values(row).executeTakeFirstOrThrow();
    return Number(insertId);
  } catch (error) {
    if (isDuplicate(error) && typeof row.idempotency_key === 'string') return null;
    throw error;
  }
}

/** Who holds this idempotency key, in whatever state. */
export function findByKey(db: Database, app: string, key: string | null): Promise<CampaignRow | undefined> {
  return db
    .selectFrom('campaigns')
    .selectAll()
    .where('app', '=', app)
    .where('idempotency_key', '=', key)
    .executeTakeFirst();
}

/** Changes a campaign that is loading. Throws an InputError when it was given up meanwhile. */
export async function changeLoading(
  db: Database | Tx,
  serial: number,
  change: Updateable<CampaignTables['campaigns']>,
): Promise<void> {
  const { numUpdatedRows } = await db
    .updateTable('campaigns')
    .set(change)
    .where('serial', '=', serial)
    .where('state', '=', 'loading')
    .executeTakeFirst();
  if (numUpdatedRows > 0n) return;
  throw new InputError('the campaign came in too slowly and was given up; send it again');
}

/** Adds receivers; resolves to how many were new. Throws an InputError when the campaign is not loading any more. */
export function addReceivers(
  db: Database,
  { serial, rows, now }: { serial: number; rows: readonly NewReceiverRow[]; now: number },
): Promise<number> {
  return transact(db, async (tx) => {
    // Holds the row until the commit, so that a sweep never removes a campaign under the hands of its loader.
    await changeLoading(tx, serial, { touched_at: now });
    const added = await tx
      .insertInto('campaign_receivers')
      .ignore()
      .values(rows.map((row) => ({ campaign: serial, ...row })))
      .executeTakeFirst();
    return Number(added.numInsertedOrUpdatedRows ?? 0);
  });
}

/** Removes a campaign that did not load, with all that came in; its idempotency key is free at once. */
export async function removeLoading(db: Database, serial: number): Promise<void> {
  const removing = await sql`update campaigns set state = 'removing', idempotency_key = null
    where serial = ${serial} and state in ('loading', 'removing')`.execute(db);
  if (removing.numAffectedRows === 0n) return;
  for (let isMore = true; isMore; ) {
    const { numAffectedRows } = await sql`delete from campaign_receivers
      where campaign = ${serial} limit ${sql.lit(REMOVED_AT_ONCE)}`.execute(db);
    isMore = Number(numAffectedRows) === REMOVED_AT_ONCE;
  }
  await sql`delete from campaigns where serial = ${serial} and state = 'removing'`.execute(db);
}

/** Removes what was left behind half loaded, by a process that died. */
export async function removeAbandoned(db: Database, now: number): Promise<void> {
  // What has ended is purged little by little.
  const { rows } = await sql<{ serial: number }>`select serial from campaigns
    where state in ('loading', 'removing') and touched_at < ${now - ABANDONED_MS} and finished_at is null
    limit 100`.execute(db);
  for (const { serial } of rows) await removeLoading(db, serial);
}

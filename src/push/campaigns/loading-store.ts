import type { Insertable, Updateable } from 'kysely';
import { InputError } from '../../errors.ts';
import { transact } from '../../server/database.ts';
import type { CampaignTables } from '../database/campaign-tables.ts';
import { type Database, isDuplicate, type Tx } from '../database/database.ts';
import { type CampaignRow, changeCampaign } from './campaign-store.ts';
import type { NewReceiverRow } from './load-receivers.ts';

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
  const seen = { serial, state: 'loading', run: 0, next_run_at: null } as const;
  if (await changeCampaign(db, seen, change)) return;
  throw new InputError('the campaign came in too slowly and was given up; send it again');
}

/** Adds receivers; resolves to how many were new. Throws an InputError when the campaign is not loading any more. */
export function addReceivers(
  db: Database,
  { serial, rows, now }: { serial: number; rows: readonly NewReceiverRow[]; now: number },
): Promise<number> {
  return transact(db, async (tx) => {
    // Holds the row until the commit, so that a purge never removes a campaign under the hands of its loader.
    await changeLoading(tx, serial, { touched_at: now });
    const added = await tx
      .insertInto('campaign_receivers')
      .ignore()
      .values(rows.map((row) => ({ campaign: serial, ...row })))
      .executeTakeFirst();
    return Number(added.numInsertedOrUpdatedRows ?? 0);
  });
}

import { type Insertable, sql, type Updateable } from 'kysely';
import type {
  CampaignReceiverTable,
  CampaignSliceTable,
  CampaignTable,
} from '../database/campaign-tables.ts';
import type { Database, Tx } from '../database/database.ts';
import type { CampaignRow } from './campaign-store.ts';

/** Takes the row of a running campaign until the end of the transaction; undefined when another replica has it. */
export function lockRunning(tx: Tx, serial: number): Promise<CampaignRow | undefined> {
  return tx
    .selectFrom('campaigns')
    .selectAll()
    .where('serial', '=', serial)
    .where('state', '=', 'running')
    .forUpdate()
    .skipLocked()
    .executeTakeFirst();
}

/** Changes the row of a campaign that this transaction has locked. */
export async function changeLocked(tx: Tx, serial: number, change: Updateable<CampaignTable>): Promise<void> {
  await tx.updateTable('campaigns').set(change).where('serial', '=', serial).execute();
}

/**
 * Receivers that wait, in order, those after the number `after`: what a pause has taken back, which stands before the
 * position, then what the run has not come to.
 */
export async function readWaiting(
  db: Database | Tx,
  { serial, position }: Pick<CampaignRow, 'serial' | 'position'>,
  { after, limit }: { readonly after: number; readonly limit: number },
): Promise<readonly CampaignReceiverTable[]> {
  const { rows } = await sql<CampaignReceiverTable>`
    (select r.* from campaign_returned b
      join campaign_receivers r on r.campaign = b.campaign and r.number = b.number
      where b.campaign = ${serial} and b.number > ${after} order by b.number limit ${limit})
    union all
    (select * from campaign_receivers
      where campaign = ${serial} and number > ${Math.max(after, position)} order by number limit ${limit})
    order by number limit ${limit}`.execute(db);
  return rows;
}

/** Notes that these receivers are handed out; in the transaction that inserts their message. */
export async function noteSlice(
  tx: Tx,
  { serial, run, position }: CampaignRow,
  slice: Pick<Insertable<CampaignSliceTable>, 'message_id' | 'handed_at'>,
  receivers: readonly CampaignReceiverTable[],
): Promise<void> {
  const last = receivers.at(-1)?.number ?? 0;
  await tx
    .insertInto('campaign_slices')
    .values({ ...slice, campaign: serial, run, size: receivers.length })
    .execute();
  // Those that wait are handed out in their order, so that none before the last is left.
  await tx
    .deleteFrom('campaign_returned')
    .where('campaign', '=', serial)
    .where('number', '<=', last)
    .execute();
  await changeLocked(tx, serial, { position: Math.max(position, last) });
}

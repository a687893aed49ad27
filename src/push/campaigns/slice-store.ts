import type { Insertable } from 'kysely';
import type { CampaignReceiverTable, CampaignSliceTable } from '../database/campaign-tables.ts';
import type { Tx } from '../database/database.ts';
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

/** Receivers that come next, in order: those that a pause has taken back, otherwise those after the position. */
export async function nextReceivers(
  tx: Tx,
  { serial, position }: CampaignRow,
  limit: number,
): Promise<{ readonly receivers: readonly CampaignReceiverTable[]; readonly areReturned: boolean }> {
  const returned = await tx
    .selectFrom('campaign_returned as back')
    .innerJoin('campaign_receivers as each', (join) =>
      join.onRef('each.campaign', '=', 'back.campaign').onRef('each.number', '=', 'back.number'),
    )
    .selectAll('each')
    .where('back.campaign', '=', serial)
    .orderBy('back.number')
    .limit(limit)
    .execute();
  if (returned.length > 0) return { receivers: returned, areReturned: true };
  const receivers = await tx
    .selectFrom('campaign_receivers')
    .selectAll()
    .where('campaign', '=', serial)
    .where('number', '>', position)
    .orderBy('number')
    .limit(limit)
    .execute();
  return { receivers, areReturned: false };
}

/** Notes that these receivers are handed out; in the transaction that inserts their message. */
export async function noteSlice(
  tx: Tx,
  slice: Insertable<CampaignSliceTable>,
  { receivers, areReturned }: Awaited<ReturnType<typeof nextReceivers>>,
): Promise<void> {
  await tx.insertInto('campaign_slices').values(slice).execute();
  const numbers = receivers.map(({ number }) => number);
  if (areReturned) {
    await tx
      .deleteFrom('campaign_returned')
      .where('campaign', '=', slice.campaign)
      .where('number', 'in', numbers)
      .execute();
    return;
  }
  await tx
    .updateTable('campaigns')
    .set({ position: Math.max(...numbers) })
    .where('serial', '=', slice.campaign)
    .execute();
}

/** Notes why nothing is handed out; null when it is again. */
export async function noteProblem(tx: Tx, serial: number, problem: string | null): Promise<void> {
  await tx.updateTable('campaigns').set({ problem }).where('serial', '=', serial).execute();
}

/** running → done, or scheduled until its next run. */
export async function endRun(
  tx: Tx,
  serial: number,
  { now, nextRunAt }: { readonly now: number; readonly nextRunAt: number | null },
): Promise<void> {
  await tx
    .updateTable('campaigns')
    .set({
      state: nextRunAt === null ? 'done' : 'scheduled',
      next_run_at: nextRunAt,
      finished_at: now,
    })
    .where('serial', '=', serial)
    .execute();
}

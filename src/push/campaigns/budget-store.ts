import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { dayOf } from '../delivery/limits.ts';
import type { CampaignRow } from './campaign-store.ts';

/** At most so many receivers become one message: what message/send takes at once (§4.2). */
const SLICE = 1000;
/** At most so many deliveries of one campaign are open, so that the queue does not grow with it. */
const MAX_OPEN = 2000;
const MINUTE_MS = 60_000;

/**
 * Reads what a campaign may do now, under the lock of its row: how many deliveries are `open`, and how many more receivers
 * are `allowed` to be handed out, at most one slice.
 */
export async function readBudget(tx: Tx, { serial, per_minute, per_day }: CampaignRow, now: number) {
  const open = await countOpen(tx, serial);
  const left = [SLICE, MAX_OPEN - open];
  if (per_minute !== null) left.push(per_minute - (await countSince(tx, serial, now - MINUTE_MS)));
  if (per_day !== null) {
    const today = dayOf(now).beginsAt;
    const handed = await countHanded(tx, serial, today);
    left.push(per_day - handed - (await countSince(tx, serial, today, today)));
  }
  return { open, allowed: Math.max(0, Math.min(...left)) };
}

async function countOpen(tx: Tx, serial: number): Promise<number> {
  const { rows } = await sql<{ count: string | null }>`
    select sum(m.open) count from campaign_slices s join messages m on m.id = s.message_id
    where s.campaign = ${serial} and s.settled_at is null`.execute(tx);
  return Number(rows[0]?.count ?? 0);
}

/**
 * How many deliveries may have reached WeCom since then: those that are open, and those that ended since. So however
 * late one is sent, it counts until the window after its end is over. Looks at slices handed out before `before`.
 */
async function countSince(tx: Tx, serial: number, since: number, before = 2 ** 52): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    select count(*) count from campaign_slices s
    join messages m on m.id = s.message_id and (m.open > 0 or m.finished_at > ${since})
    join deliveries d on d.message_id = m.id and (d.finished_at is null or d.finished_at > ${since})
    where s.campaign = ${serial} and s.handed_at < ${before}`.execute(tx);
  return Number(rows[0]?.count ?? 0);
}

async function countHanded(tx: Tx, serial: number, since: number): Promise<number> {
  const { rows } = await sql<{ count: string | null }>`
    select sum(size) count from campaign_slices
    where campaign = ${serial} and handed_at >= ${since}`.execute(tx);
  return Number(rows[0]?.count ?? 0);
}

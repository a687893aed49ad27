import { sql } from 'kysely';
import type { DatabaseClock } from '../database/clock.ts';
import type { Tx } from '../database/database.ts';
import { parts } from '../database/values.ts';
import { type Candidate, readHeads } from './claim-store.ts';
import { freeLines, LEASE_MS, lockLines } from './line-store.ts';
import { targetOf } from './lines.ts';

/** What owners whose leases have run out were sending is ours now, and was lost. */
export async function takeOver(
  tx: Tx,
  heads: readonly Candidate[],
  expired: ReadonlyMap<string, number>,
  now: number,
): Promise<readonly Candidate[]> {
  const lost = heads.flatMap((head) => {
    const leaseEnd = expired.get(head.line);
    return leaseEnd === undefined || head.state !== 'sending' ? [] : [{ head, leaseEnd }];
  });
  await noteLost(tx, lost, now);
  if (lost.length === 0) return heads;
  const since = await readHeads(
    tx,
    lost.map(({ head }) => head.line),
  );
  const over = new Set(lost.map(({ head }) => head.line));
  return [...heads.filter(({ line }) => !over.has(line)), ...since];
}

const LOST = 'Its sender ended or stood still during the call: nobody saw what WeCom did with it.';

/** Notes the calls of owners whose leases have run out: nobody saw their ends. */
async function noteLost(
  tx: Tx,
  expired: readonly { readonly head: Candidate; readonly leaseEnd: number }[],
  now: number,
): Promise<void> {
  if (expired.length === 0) return;
  const values = expired.map(({ head, leaseEnd }) => ({
    delivery_id: head.id,
    at: leaseEnd - LEASE_MS,
    ms: LEASE_MS,
    errcode: 'lost',
    errmsg: LOST,
    msgid: null,
    target: targetOf(head.receiver, head.account),
    ended_at: now,
    part: head.parts,
    words: null,
  }));
  for (const some of parts(values))
    await tx
      .insertInto('attempts')
      .values([...some])
      .execute();
  for (const { head, leaseEnd } of expired) {
    await sql`update deliveries set state = 'queued', lost_at = coalesce(lost_at, ${leaseEnd - LEASE_MS})
      where id = ${head.id}`.execute(tx);
  }
  const lines = expired.map(({ head }) => head.line);
  // It stays first, also where something has been put before it meanwhile.
  await sql`update delivery_lines set owner = null where line in (${sql.join(lines)})`.execute(tx);
}

/** Gives back what was claimed under a name and not begun: nobody has sent anything of it. */
export async function releaseClaim(
  tx: Tx,
  {
    owner,
    lines,
    clock,
  }: { readonly owner: string; readonly lines: readonly string[]; readonly clock: DatabaseClock },
): Promise<void> {
  const ours = (await lockLines(tx, lines)).filter((each) => each.owner === owner).map(({ line }) => line);
  for (const some of parts(ours)) {
    await sql`update deliveries d straight_join delivery_lines l on l.line = d.line and l.delivery_id = d.id
      set d.state = 'queued' where l.line in (${sql.join(some)})`.execute(tx);
  }
  await freeLines(tx, ours, clock);
}

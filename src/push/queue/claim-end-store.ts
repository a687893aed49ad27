import { sql } from 'kysely';
import type { Tx } from '../database/database.ts';
import { inParts, insertRows } from '../database/values.ts';
import { type Candidate, type DueLine, readHeads } from './claim-store.ts';
import { countsToday } from './limits.ts';
import { addToDays } from './limits-store.ts';
import { freeLines, LEASE_MS, lockLines } from './line-store.ts';
import { targetOf } from './lines.ts';

const LOST = 'Its sender ended or stood still during the call: nobody saw what WeCom did with it.';

/**
 * Who is next in lines that are locked. What owners whose leases have run out were sending is ours now, and was lost:
 * their calls are noted, and it stays first in its line, also where something has been put before it meanwhile.
 */
export async function takeOver(
  tx: Tx,
  lines: readonly DueLine[],
  now: number,
): Promise<readonly Candidate[]> {
  const ends = new Map(lines.map(({ line, owner, leaseEnd }) => [line, owner === null ? null : leaseEnd]));
  const heads = await readHeads(tx, [...ends.keys()]);
  const lost = heads.filter(({ line, state }) => state === 'sending' && ends.get(line) !== null);
  if (lost.length === 0) return heads;
  const attempts = lost.map((head) => ({
    delivery_id: head.id,
    at: (ends.get(head.line) ?? now) - LEASE_MS,
    ms: LEASE_MS,
    errcode: 'lost',
    errmsg: LOST,
    msgid: null,
    target: targetOf(head.receiver, head.account),
    ended_at: now,
    part: head.parts,
    words: null,
  }));
  await insertRows(tx, 'attempts', attempts);
  // One time for all: those of one call stay as far along as each other.
  const ids = lost.map(({ id }) => id);
  await inParts(
    tx,
    ids,
    (some) =>
      sql`update deliveries set state = 'queued', lost_at = coalesce(lost_at, ${now}) where id in (${some})`,
  );
  const ours = new Set(lost.map(({ line }) => line));
  await inParts(tx, [...ours], (some) => sql`update delivery_lines set owner = null where line in (${some})`);
  return [...heads.filter(({ line }) => !ours.has(line)), ...(await readHeads(tx, [...ours]))];
}

/** What was claimed under a name, if the commit came to pass, and for which day of China it counted. */
export interface LostClaim {
  readonly owner: string;
  readonly lines: readonly string[];
  readonly day: number;
}

/** Gives back what was claimed and not begun: nobody has sent anything of it. */
export async function releaseClaim(tx: Tx, { owner, lines, day }: LostClaim): Promise<void> {
  const locked = await lockLines(tx, lines);
  const ours = locked.filter((each) => each.owner === owner).map(({ line }) => line);
  const held = sql`delivery_lines l straight_join deliveries d on d.id = l.delivery_id`;
  const claimed = await inParts(
    tx,
    ours,
    (some) => sql<Pick<Candidate, 'account' | 'receiver'>>`
      select d.account, d.receiver from ${held} where l.line in (${some})`,
  );
  await inParts(tx, ours, (some) => sql`update ${held} set d.state = 'queued' where l.line in (${some})`);
  await freeLines(tx, ours);
  const counted = claimed.filter(({ receiver }) => countsToday(receiver));
  await addToDays(
    tx,
    counted.map(({ account }) => ({ account, day, count: -1 })),
  );
}

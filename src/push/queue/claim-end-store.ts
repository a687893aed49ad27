import { sql } from 'kysely';
import type { DatabaseClock } from '../database/clock.ts';
import type { Tx } from '../database/database.ts';
import { insertRows, parts } from '../database/values.ts';
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
  const heads = await readHeads(
    tx,
    lines.map(({ line }) => line),
  );
  const ends = new Map(
    lines.flatMap(({ line, owner, leaseEnd }) => (owner === null ? [] : [[line, leaseEnd]])),
  );
  const lost = heads.filter(({ line, state }) => state === 'sending' && ends.has(line));
  if (lost.length === 0) return heads;
  for (const some of parts(lost)) {
    const attempts = some.map((head) => ({
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
    await sql`update deliveries set state = 'queued', lost_at = coalesce(lost_at, ${now})
      where id in (${some.map(({ id }) => id)})`.execute(tx);
    await sql`update delivery_lines set owner = null
      where line in (${some.map(({ line }) => line)})`.execute(tx);
  }
  const since = await readHeads(
    tx,
    lost.map(({ line }) => line),
  );
  const over = new Set(lost.map(({ line }) => line));
  return [...heads.filter(({ line }) => !over.has(line)), ...since];
}

/** Gives back what was claimed under a name and not begun: nobody has sent anything of it. */
export async function releaseClaim(
  tx: Tx,
  {
    owner,
    lines,
    day,
    clock,
  }: {
    readonly owner: string;
    readonly lines: readonly string[];
    /** For which day of China it counted. */
    readonly day: number;
    readonly clock: DatabaseClock;
  },
): Promise<void> {
  const ours = (await lockLines(tx, lines, clock))
    .filter((each) => each.owner === owner)
    .map(({ line }) => line);
  const given: { readonly account: string; readonly day: number; readonly count: number }[] = [];
  for (const some of parts(ours)) {
    const held = sql`delivery_lines l straight_join deliveries d on d.id = l.delivery_id`;
    const { rows } = await sql<Pick<Candidate, 'account' | 'receiver'>>`
      select d.account, d.receiver from ${held} where l.line in (${some})`.execute(tx);
    for (const { account, receiver } of rows)
      if (countsToday(receiver)) given.push({ account, day, count: -1 });
    await sql`update ${held} set d.state = 'queued' where l.line in (${some})`.execute(tx);
  }
  await freeLines(tx, ours, clock);
  await addToDays(tx, given);
}
